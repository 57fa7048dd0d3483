// What a channel needs of the relay: make a mailbox, append to it, read it. The real one speaks to
// the relay (relay_mailboxes.h); tests have one in memory that misbehaves.
//
// Threading: one object may be used from several threads at once.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_MAILBOXES_H_
#define PARLEY_CLIENT_LIB_CHANNELS_MAILBOXES_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/channels/channel_ids.h"
#include "crypto/base/secret.h"

namespace parley::client {

// The relay takes no entry over this many bytes.
inline constexpr size_t kMaxEntryBytes = 1 << 20;

// The public keys (Ed25519) of one generation of a mailbox.
struct MailboxKeys {
  Bytes read_key;
  std::vector<Bytes> append_keys;
  Bytes control_key;

  friend bool operator==(const MailboxKeys&, const MailboxKeys&) = default;
};

// What an entry carries that ends its generation.
struct MailboxClosing {
  MailboxKeys next_keys;
  Bytes control_signature;

  friend bool operator==(const MailboxClosing&, const MailboxClosing&) = default;
};

struct MailboxEntry {
  uint64_t position = 0;
  uint64_t generation = 0;
  Bytes append_id;
  Bytes payload;
  std::optional<MailboxClosing> closing;

  friend bool operator==(const MailboxEntry&, const MailboxEntry&) = default;
};

// What pays for a mailbox.
struct MailboxCredential {
  enum class Kind : uint8_t { kSponsorToken = 1, kVoucher = 2 };
  Kind kind = Kind::kSponsorToken;
  crypto::Secret bytes;
};

struct AppendCall {
  MailboxId mailbox{};
  uint64_t generation = 0;
  crypto::Secret append_seed;
  AppendId append_id;
  Bytes payload;
  std::optional<MailboxClosing> closing;
};

struct ReadCall {
  MailboxId mailbox{};
  uint64_t generation = 0;
  crypto::Secret read_seed;
  uint64_t from = 1;  // position
};

struct ReadPage {
  std::vector<MailboxEntry> entries;
  uint64_t generation_head = 0;  // last position of the generation so far
  bool closed = false;           // whether the generation is closed
  uint64_t first_position = 1;   // the first that is still kept
};

class Mailboxes {
 public:
  virtual ~Mailboxes() = default;

  // Makes a mailbox with the keys of its first generation; repeating it is harmless.
  // Errors: the relay's (Unauthenticated, ResourceExhausted, …); Unavailable.
  virtual absl::Status Create(const MailboxCredential& credential, const MailboxId& mailbox,
                              const MailboxKeys& keys) = 0;

  // Appends and gives the position. Repeating it with the same bytes gives the first answer.
  // Errors: Aborted when the generation is closed; NotFound when the mailbox is gone; Unavailable
  // and DeadlineExceeded when the outcome is unknown; others of the relay's.
  virtual absl::StatusOr<uint64_t> Append(const AppendCall& call) = 0;

  // Entries of one generation, its closing one included, from a position on.
  // Errors: NotFound when the mailbox is gone; Unavailable; others of the relay's.
  virtual absl::StatusOr<ReadPage> Read(const ReadCall& call) = 0;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_MAILBOXES_H_
