// New entries of many mailboxes as they come, over one stream that reconnects by itself.
//
//   std::unique_ptr<Subscription> stream = relay->Subscribe();
//   stream->Add(mailbox, generation, read_key, next_position);
//   while (std::optional<Subscription::Event> event = stream->Next(std::chrono::seconds(30))) …
//
// After a break the stream is made again, with growing pauses and jitter, and each mailbox goes on
// after the last entry that Next() has handed over or queued: none is missed, none comes twice.
//
// Threading: all methods from any thread; events of one mailbox come in order. The queue holds at
// most kMaxQueuedBytes of payload: a slow reader slows the stream down, not the memory up.
#ifndef PARLEY_CLIENT_LIB_RELAY_SUBSCRIPTION_H_
#define PARLEY_CLIENT_LIB_RELAY_SUBSCRIPTION_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "client-lib/relay/relay_types.h"
#include "crypto/primitives/signature.h"

namespace parley::client {

class Subscription {
 public:
  static constexpr size_t kMaxQueuedBytes = 16 << 20;

  // Contiguous entries of the generation that was added.
  struct Entries {
    ObjectId mailbox_id;
    std::vector<Entry> entries;
  };
  // All entries that were there have been handed over; `head` is the last one's position. Comes
  // once for each Add() and after each reconnection.
  struct CaughtUp {
    ObjectId mailbox_id;
    uint64_t head = 0;
  };
  // Nothing more comes for this mailbox until it is added again: its generation's closing entry has
  // been handed over (status OK, generation_closed), or the relay refused it (NotFound when the key
  // isn't the generation's or the mailbox is gone) or answered falsely (DataLoss).
  struct Ended {
    ObjectId mailbox_id;
    bool generation_closed = false;
    absl::Status status;
  };
  // The connection was made (again).
  struct Connected {};
  // The connection broke; another attempt follows after `retry_in`.
  struct Disconnected {
    absl::Status status;
    std::chrono::milliseconds retry_in{0};
  };
  using Event = std::variant<Entries, CaughtUp, Ended, Connected, Disconnected>;

  virtual ~Subscription() = default;  // cancels and waits for the stream's thread

  // Starts with a mailbox at position `from` (as of RelayClient::Read), or starts it anew if it was
  // there.
  virtual void Add(const ObjectId& mailbox_id, uint64_t generation,
                   const crypto::SignatureKey& read_key, uint64_t from) = 0;
  // Events that are queued already may still come.
  virtual void Drop(const ObjectId& mailbox_id) = 0;

  // The next event; nullopt after `timeout`, and at once when cancelled.
  virtual std::optional<Event> Next(std::chrono::milliseconds timeout) = 0;

  // Ends the stream, for good.
  virtual void Cancel() = 0;
  virtual bool cancelled() const = 0;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_RELAY_SUBSCRIPTION_H_
