// A connection with one relay whose identity key is pinned (docs/protocol.md sections 1 and 2).
//
//   PARLEY_ASSIGN_OR_RETURN(std::unique_ptr<RelayClient> relay, RelayClient::Connect(info));
//   PARLEY_ASSIGN_OR_RETURN(AppendOutcome outcome,
//                           relay->Append(mailbox, generation, append_key, append_id, sealed));
//
// Sessions are opened, kept and renewed behind the calls. What the relay answers is checked as far
// as that can be done without keys of a channel: that it is about the mailbox and generation asked
// for, that positions are contiguous and append ids are not empty. Signatures of closings are the
// channel's to check (VerifyClosing).
//
// Threading: every method may be called from any thread. A call returns at the latest after its
// deadline, and before that when Shutdown() is called.
// Errors: the codes of relay.proto, with messages for people; beyond them
//   Unavailable        the relay can't be reached; nothing is known about what it did
//   DeadlineExceeded   likewise
//   Unauthenticated    at the other end is a relay with another identity; both fingerprints are
//   named FailedPrecondition no protocol version in common; the message says which side to bring up
//   to date DataLoss           the relay's answer contradicts itself or what was asked Cancelled
//   Shutdown() was called
#ifndef PARLEY_CLIENT_LIB_RELAY_RELAY_CLIENT_H_
#define PARLEY_CLIENT_LIB_RELAY_RELAY_CLIENT_H_

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/relay/connection_string.h"
#include "client-lib/relay/relay_types.h"
#include "client-lib/relay/subscription.h"
#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"
#include "crypto/primitives/signature.h"

namespace parley::client {

using TlsKeyHash = crypto::ByteArray<32>;

// A TLS key, and the time for which the relay's identity key vouches for it (in seconds since
// 1970-01-01T00:00:00Z).
struct CertifiedTlsKey {
  TlsKeyHash hash{};
  uint64_t not_before = 0;
  uint64_t not_after = 0;
};

// Where a checked TLS key is kept between runs, to save the check's round trip. Called from any
// thread that uses the relay; both may be empty.
struct TlsKeyCache {
  std::function<std::optional<CertifiedTlsKey>()> load;
  std::function<void(const CertifiedTlsKey&)> store;
};

struct RelayOptions {
  // For connecting, and for each attempt of a unary call.
  std::chrono::milliseconds deadline{15'000};
  // How long a call that may be repeated (all but the streams) is tried again, with growing pauses,
  // while the relay can't be reached. 0: once.
  std::chrono::milliseconds retry_for{0};
  // For connecting, when the machine is there and nothing listens ("Connection refused"): how long
  // that is tried again. By default as long as anything else.
  std::optional<std::chrono::milliseconds> retry_refused_for;
  TlsKeyCache tls_key_cache;
  // Seconds since 1970-01-01T00:00:00Z; empty: the system's clock.
  std::function<uint64_t()> now_seconds;
};

// An upload of chunks in order. Send() blocks while more than `window` chunks are unacknowledged.
// Threading: Send() and Finish() from one thread; acknowledged() and Cancel() from any.
class BlobUpload {
 public:
  virtual ~BlobUpload() = default;  // cancels
  // Chunk `index`, the one after the last sent. After an error the upload is over: stat the blob
  // and start another at the first chunk that is missing.
  // Takes `data`; what is left in it has no meaning, but its memory may be used for another chunk.
  virtual absl::Status Send(uint64_t index, std::string&& data) = 0;
  // Waits until everything that was sent is stored.
  virtual absl::Status Finish() = 0;
  // Chunks 0 … acknowledged()-1 are stored at the relay, as this upload sent them. Chunks that
  // replace others are acknowledged by the first one behind them, or by Finish().
  virtual uint64_t acknowledged() const = 0;
  virtual void Cancel() = 0;
};

class RelayClient {
 public:
  // Connects, checks the relay's identity and settles the protocol version.
  static absl::StatusOr<std::unique_ptr<RelayClient>> Connect(const ConnectionInfo& relay,
                                                              RelayOptions options = {});

  virtual ~RelayClient() = default;  // ends all calls and streams; none may be running by then

  virtual const ConnectionInfo& connection() const = 0;
  virtual const RelayInfo& info() const = 0;
  // Ends what runs, in all threads, with Cancelled; later calls too.
  virtual void Shutdown() = 0;

  // --- mailboxes ---

  // Repeating it with the same arguments is harmless.
  virtual absl::Status CreateMailbox(const Credential& credential, const ObjectId& mailbox_id,
                                     const GenerationKeys& keys, const Allowance& allowance = {},
                                     uint64_t expires_at = 0) = 0;

  // Appends `payload` in `generation`, proving `append_key`; with `closing` (see SignClosing) it
  // closes that generation. Safe to repeat with the same append id and bytes: after an unknown
  // outcome (Unavailable, DeadlineExceeded) that is how one learns of it, also when the generation
  // has been closed since.
  // A key that isn't one of the generation's: NotFound.
  virtual absl::StatusOr<AppendOutcome> Append(
      const ObjectId& mailbox_id, uint64_t generation, const crypto::SignatureKey& append_key,
      const AppendId& append_id, crypto::ByteView payload,
      const std::optional<Closing>& closing = std::nullopt) = 0;

  // Entries of `generation` from position `from` on (the next one after what was read, and at least
  // the generation's first), at most so many entries and bytes (0: the relay's default). What was
  // trimmed is left out: see first_position. DataLoss when the log ends before `from`.
  virtual absl::StatusOr<ReadResult> Read(const ObjectId& mailbox_id, uint64_t generation,
                                          const crypto::SignatureKey& read_key, uint64_t from,
                                          uint32_t max_entries = 0, uint32_t max_bytes = 0) = 0;

  // The mailbox's current generation, as told to whoever proves `append_key` of `generation`.
  virtual absl::StatusOr<uint64_t> CurrentGeneration(const ObjectId& mailbox_id,
                                                     uint64_t generation,
                                                     const crypto::SignatureKey& append_key) = 0;

  // A stream of entries of many mailboxes that reconnects by itself. Starts without mailboxes.
  virtual std::unique_ptr<Subscription> Subscribe() = 0;

  virtual absl::Status ControlMailbox(const ObjectId& mailbox_id, uint64_t generation,
                                      const crypto::SignatureKey& control_key,
                                      const ControlAct& act) = 0;

  // --- blobs ---

  virtual absl::Status CreateBlob(const Credential& credential, const ObjectId& blob_id,
                                  const PublicKey& read_key, const PublicKey& write_key,
                                  uint64_t total_bytes, uint64_t expires_at = 0) = 0;
  // `stored_chunks`: how many chunks the relay has, by StatBlob; those from `first_chunk` (at most
  // that) on are replaced.
  virtual absl::StatusOr<std::unique_ptr<BlobUpload>> UploadBlob(
      const ObjectId& blob_id, const crypto::SignatureKey& write_key, uint64_t first_chunk,
      uint64_t stored_chunks, uint64_t window = 16) = 0;
  virtual absl::Status SealBlob(const ObjectId& blob_id, const crypto::SignatureKey& write_key,
                                uint64_t chunks, uint64_t total_bytes) = 0;
  enum class BlobKey { kRead, kWrite };
  virtual absl::StatusOr<BlobStat> StatBlob(const ObjectId& blob_id, BlobKey which,
                                            const crypto::SignatureKey& key) = 0;
  // Hands chunks first_chunk … to `receive`, in order and without a gap; `count` 0 is all of them.
  // An error of `receive` ends the download and is returned. The bytes are valid during the call;
  // `receive` may take them by swapping.
  virtual absl::Status DownloadBlob(
      const ObjectId& blob_id, const crypto::SignatureKey& read_key, uint64_t first_chunk,
      uint64_t count,
      const std::function<absl::Status(uint64_t index, std::string& data)>& receive) = 0;
  virtual absl::Status DeleteBlob(const ObjectId& blob_id,
                                  const crypto::SignatureKey& write_key) = 0;

  // --- sponsors ---

  // `count` (1 to 256) vouchers, each good for a mailbox or a blob of at most `max_bytes`.
  virtual absl::StatusOr<std::vector<crypto::Bytes>> IssueVouchers(crypto::ByteView sponsor_token,
                                                                   uint32_t count,
                                                                   uint64_t max_bytes,
                                                                   uint64_t expires_at) = 0;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_RELAY_RELAY_CLIENT_H_
