// What the relay stores: one structure for each kind of record, and its bytes.
//
// A record is `format version (1) || TLS structure of the fields in the order below`; an entry's
// payload and a chunk's data stand last and raw. The relay knows no more of a mailbox or blob than
// stands here; the only thing that two objects may share is their sponsor.
//
// Errors: Parse gives DataLoss for bytes that are no such record.
// Threading: plain values.
#ifndef PARLEY_STORAGE_RECORDS_RECORDS_H_
#define PARLEY_STORAGE_RECORDS_RECORDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/base/bytes.h"
#include "storage/records/keys.h"

namespace parley::storage {

using PublicKey = std::array<uint8_t, 32>;  // Ed25519
using Signature = std::array<uint8_t, 64>;

// The keys that a generation is used with.
struct GenerationKeySet {
  PublicKey read_key{};
  PublicKey control_key{};
  std::vector<PublicKey> append_keys;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.read_key, self.control_key, self.append_keys);
  }
  friend bool operator==(const GenerationKeySet&, const GenerationKeySet&) = default;
};

// "m": a mailbox's state; changes with every append.
struct MailboxRecord {
  SponsorId sponsor{};
  uint64_t generation = 1;      // the current one
  uint64_t first_position = 1;  // entries below are trimmed
  uint64_t head = 0;            // the last position; 0: none yet
  uint64_t allowed_entries = 0;
  uint64_t allowed_bytes = 0;
  uint64_t used_entries = 0;  // since the last closing
  uint64_t used_bytes = 0;
  uint64_t stored_bytes = 0;       // as charged to the sponsor
  uint64_t most_stored_bytes = 0;  // bound of the voucher that made it; 0: none
  uint64_t reserved_bytes = 0;     // charged to the sponsor too, for when the quota is used up
  uint64_t closed_bytes = 0;       // what all closings have taken: how large the reserve should be
  uint64_t expires_at = 0;         // 0: never
  TokenHash creation_hash{};       // of the request that made it, so that a repeat is recognised
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.sponsor, self.generation, self.first_position, self.head,
                    self.allowed_entries, self.allowed_bytes, self.used_entries, self.used_bytes,
                    self.stored_bytes, self.most_stored_bytes, self.reserved_bytes,
                    self.closed_bytes, self.expires_at, self.creation_hash);
  }
};

// "g": one generation of a mailbox. Only `last_position` changes, once, at the closing.
struct GenerationRecord {
  uint64_t first_position = 1;
  uint64_t last_position = 0;  // of the closing entry; 0: open
  GenerationKeySet keys;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.first_position, self.last_position, self.keys);
  }
};

// What a closing entry carries beside its payload.
struct ClosingRecord {
  GenerationKeySet next_keys;
  Signature control_signature{};
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.next_keys, self.control_signature);
  }
  friend bool operator==(const ClosingRecord&, const ClosingRecord&) = default;
};

// "e": one entry. Never changes.
struct EntryRecord {
  uint64_t generation = 1;
  AppendId append_id{};
  std::optional<ClosingRecord> closing;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.generation, self.append_id, self.closing);
  }
};

// An entry as it is read: the record and a view of the payload that stands behind it.
struct EntryView {
  EntryRecord record;
  std::string_view payload;
};

// "a": where the entry with an append id is; lives as long as that entry.
struct AppendIdRecord {
  uint64_t position = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.position);
  }
};

// "b": a blob. Changes when it is sealed.
struct BlobRecord {
  SponsorId sponsor{};
  PublicKey read_key{};
  PublicKey write_key{};
  uint64_t reserved_bytes = 0;  // as charged to the sponsor
  uint64_t expires_at = 0;      // 0: never
  uint8_t sealed = 0;
  TokenHash creation_hash{};
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.sponsor, self.read_key, self.write_key, self.reserved_bytes,
                    self.expires_at, self.sealed, self.creation_hash);
  }
};

// "p": how far a blob's upload has come; changes with every chunk.
struct BlobProgressRecord {
  uint64_t chunks = 0;
  uint64_t bytes = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.chunks, self.bytes);
  }
};

// "s": a sponsor, and what its objects use.
struct SponsorRecord {
  std::string name;
  TokenHash token_hash{};
  uint64_t quota_bytes = 0;
  uint64_t quota_objects = 0;
  uint64_t used_bytes = 0;
  uint64_t used_objects = 0;
  uint8_t removed = 0;         // makes nothing new; its objects stay
  uint64_t voucher_epoch = 0;  // vouchers of an earlier one are void
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.name, self.token_hash, self.quota_bytes, self.quota_objects,
                    self.used_bytes, self.used_objects, self.removed, self.voucher_epoch);
  }
};

// "n", "t": from a sponsor's name, or its token's hash, to its id.
struct SponsorLinkRecord {
  SponsorId sponsor{};
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.sponsor);
  }
};

// "v": a voucher that has been used. Deliberately nothing about what it made.
struct SpentVoucherRecord {
  uint64_t expires_at = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.expires_at);
  }
};

std::string SerializeRecord(const MailboxRecord& record);
std::string SerializeRecord(const GenerationRecord& record);
std::string SerializeRecord(const AppendIdRecord& record);
std::string SerializeRecord(const BlobRecord& record);
std::string SerializeRecord(const BlobProgressRecord& record);
std::string SerializeRecord(const SponsorRecord& record);
std::string SerializeRecord(const SponsorLinkRecord& record);
std::string SerializeRecord(const SpentVoucherRecord& record);
std::string SerializeEntry(const EntryRecord& record, std::string_view payload);

template <typename T>
absl::StatusOr<T> ParseRecord(std::string_view bytes);
// The view points into `bytes`.
absl::StatusOr<EntryView> ParseEntry(std::string_view bytes);

extern template absl::StatusOr<MailboxRecord> ParseRecord(std::string_view);
extern template absl::StatusOr<GenerationRecord> ParseRecord(std::string_view);
extern template absl::StatusOr<AppendIdRecord> ParseRecord(std::string_view);
extern template absl::StatusOr<BlobRecord> ParseRecord(std::string_view);
extern template absl::StatusOr<BlobProgressRecord> ParseRecord(std::string_view);
extern template absl::StatusOr<SponsorRecord> ParseRecord(std::string_view);
extern template absl::StatusOr<SponsorLinkRecord> ParseRecord(std::string_view);
extern template absl::StatusOr<SpentVoucherRecord> ParseRecord(std::string_view);

}  // namespace parley::storage

#endif  // PARLEY_STORAGE_RECORDS_RECORDS_H_
