// What a channel needs of the relay: make a mailbox, append to it, read it. The real one is
// relay_mailboxes.h; tests have one in memory that misbehaves.
//
// Threading: one object may be used from several threads at once.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_MAILBOXES_H_
#define PARLEY_CLIENT_LIB_CHANNELS_MAILBOXES_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/relay/relay_types.h"
#include "crypto/base/bytes.h"
#include "crypto/primitives/signature.h"

namespace parley::client {

class Mailboxes {
 public:
  virtual ~Mailboxes() = default;

  // Makes a mailbox with the keys of its first generation; repeating it is harmless.
  // Errors: the relay's (Unauthenticated, ResourceExhausted, …); Unavailable.
  virtual absl::Status Create(const Credential& credential, const ObjectId& mailbox_id,
                              const GenerationKeys& keys) = 0;

  // Appends, or learns that the generation is closed. Repeating it with the same bytes gives the
  // first answer. Errors: NotFound when the mailbox is gone; Unavailable and DeadlineExceeded when
  // the outcome is unknown; others of the relay's.
  virtual absl::StatusOr<AppendOutcome> Append(const ObjectId& mailbox_id, uint64_t generation,
                                               const crypto::SignatureKey& append_key,
                                               const AppendId& append_id, crypto::ByteView payload,
                                               const std::optional<Closing>& closing) = 0;

  // Entries of one generation, its closing one included, from a position on; as many as the relay
  // likes to give at once.
  // Errors: NotFound when the mailbox is gone; OutOfRange and DataLoss when the relay contradicts
  // itself or what it has shown before; Unavailable; others of the relay's.
  virtual absl::StatusOr<ReadResult> Read(const ObjectId& mailbox_id, uint64_t generation,
                                          const crypto::SignatureKey& read_key, uint64_t from) = 0;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_MAILBOXES_H_
