// The relay's objects as plain types, and the bytes that are signed about them
// (proto/parley/relay/v1/relay.proto).
//
// Threading: plain values and free functions.
#ifndef PARLEY_CLIENT_LIB_RELAY_RELAY_TYPES_H_
#define PARLEY_CLIENT_LIB_RELAY_RELAY_TYPES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "crypto/base/bytes.h"
#include "crypto/primitives/signature.h"

namespace parley::client {

using ObjectId = crypto::ByteArray<32>;  // of a mailbox or a blob
using AppendId = crypto::ByteArray<16>;
using PublicKey = crypto::ByteArray<crypto::kSignaturePublicKeySize>;

inline constexpr size_t kMaxEntryBytes = 1 << 20;
inline constexpr size_t kMaxAppendKeys = 256;

// The public keys of one generation of a mailbox.
struct GenerationKeys {
  PublicKey read_key{};
  std::vector<PublicKey> append_keys;  // 1 to 256
  PublicKey control_key{};

  friend bool operator==(const GenerationKeys&, const GenerationKeys&) = default;
};

// What makes an entry the last one of its generation.
struct Closing {
  GenerationKeys next_keys;
  crypto::ByteArray<crypto::kSignatureSize> control_signature{};

  friend bool operator==(const Closing&, const Closing&) = default;
};

struct Entry {
  uint64_t position = 0;
  uint64_t generation = 0;
  AppendId append_id{};
  crypto::Bytes payload;
  std::optional<Closing> closing;

  friend bool operator==(const Entry&, const Entry&) = default;
};

// KeyBlock = read_key || control_key || number of append keys (4) || the append keys in order.
crypto::Bytes KeyBlock(const GenerationKeys& keys);

// A closing of `generation` with `payload`, signed by the current control key.
Closing SignClosing(const crypto::SignatureKey& control_key, const ObjectId& mailbox_id,
                    uint64_t generation, crypto::ByteView payload, GenerationKeys next_keys);

// Whether the current control key signed this closing of this generation with this payload.
// Errors: Unauthenticated.
absl::Status VerifyClosing(const ObjectId& mailbox_id, uint64_t generation,
                           crypto::ByteView control_key, crypto::ByteView payload,
                           const Closing& closing);

// What pays for a mailbox or a blob. A view: the bytes stay the caller's.
struct Credential {
  enum class Kind { kSponsorToken, kVoucher };
  static Credential SponsorToken(crypto::ByteView token) { return {Kind::kSponsorToken, token}; }
  static Credential Voucher(crypto::ByteView voucher) { return {Kind::kVoucher, voucher}; }

  Kind kind;
  crypto::ByteView bytes;
};

// What may be appended until the next closing; 0 means the relay's default.
struct Allowance {
  uint64_t entries = 0;
  uint64_t bytes = 0;
};

// The entry is on the relay's disk, at this position.
struct Appended {
  uint64_t position = 0;
};
// Nothing was appended: the generation has been closed, and this is the current one.
struct StaleGeneration {
  uint64_t current_generation = 0;
};
using AppendOutcome = std::variant<Appended, StaleGeneration>;

// Why there was no room for an append, which the relay says beside its message.
enum class Shortage {
  kOther,      // not said
  kAllowance,  // the generation's: a closing renews it
  kMailbox,    // what the mailbox's voucher pays for: trimming it helps
  kQuota,      // the sponsor's: a closing doesn't help
  kVoucher,    // what the voucher pays for: another one, or asking for less, helps
};
// ResourceExhausted, with its reason.
absl::Status ShortageError(Shortage shortage, const std::string& message);
// The reason in a status of an append or of making a mailbox or blob; kOther when there is none.
Shortage ShortageOf(const absl::Status& status);

struct ReadResult {
  std::vector<Entry> entries;    // contiguous, all of the generation asked for
  uint64_t generation_head = 0;  // the last position of that generation so far
  bool closed = false;           // whether that generation is closed
  uint64_t first_position = 0;   // the first position that is still kept
};

// Acts of the control key.
struct Trim {
  uint64_t first_position = 0;  // entries below it are forgotten
};
struct Expire {
  uint64_t expires_at = 0;
};
struct DeleteMailbox {};
using ControlAct = std::variant<Trim, Expire, DeleteMailbox>;

struct BlobStat {
  uint64_t chunks = 0;  // chunks 0 … chunks-1 are stored
  uint64_t bytes = 0;
  bool sealed = false;
};

struct RelayInfo {
  std::vector<uint32_t> protocol_versions;
  uint32_t protocol_version = 0;  // the one that is spoken
  uint64_t max_entry_bytes = 0;
  uint64_t max_chunk_bytes = 0;
  std::string software;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_RELAY_RELAY_TYPES_H_
