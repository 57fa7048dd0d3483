// Where each record lies: the one place that knows the layout of the store's keys.
//
// Each key begins with a letter for its kind; ids are raw and numbers big-endian, so that a scan
// goes in the order of positions and times. The table is in storage/README.md.
//
// Threading: free functions without shared state.
#ifndef PARLEY_STORAGE_RECORDS_KEYS_H_
#define PARLEY_STORAGE_RECORDS_KEYS_H_

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "storage/kv/key_value_store.h"

namespace parley::storage {

// Ids are raw bytes in a fixed-size array, so that one kind can't be cut short by accident.
using ObjectId = std::array<uint8_t, 32>;  // of a mailbox or a blob
using AppendId = std::array<uint8_t, 16>;
using SponsorId = std::array<uint8_t, 16>;
using VoucherId = std::array<uint8_t, 16>;
using TokenHash = std::array<uint8_t, 32>;  // SHA-256 of a sponsor token

struct ObjectIdHash {
  // Ids are random, so their first bytes are a hash.
  size_t operator()(const ObjectId& id) const {
    size_t hash = 0;
    for (size_t i = 0; i < sizeof(hash); ++i) hash = hash << 8 | id[i];
    return hash;
  }
};

// What an expiry is about.
enum class ExpiringKind : uint8_t { kMailbox = 1, kBlob = 2, kVoucher = 3 };

struct ExpiryKeyParts {
  uint64_t expires_at;
  ExpiringKind kind;
  std::string id;
};

inline constexpr std::string_view kMailboxPrefix = "m";
inline constexpr std::string_view kSponsorPrefix = "s";
inline constexpr std::string_view kExpiryPrefix = "x";

std::string MailboxKey(const ObjectId& mailbox);
std::string GenerationKey(const ObjectId& mailbox, uint64_t generation);
std::string EntryKey(const ObjectId& mailbox, uint64_t position);
std::string AppendIdKey(const ObjectId& mailbox, const AppendId& append_id);
std::string BlobKey(const ObjectId& blob);
std::string BlobProgressKey(const ObjectId& blob);
std::string SponsorKey(const SponsorId& sponsor);
std::string SponsorNameKey(std::string_view name);
std::string SponsorTokenKey(const TokenHash& token_hash);
std::string SpentVoucherKey(const VoucherId& voucher);
std::string ExpiryKey(uint64_t expires_at, ExpiringKind kind, std::string_view id);
std::string FormatVersionKey();

// Everything of one mailbox under one letter: the prefixes for scans and range deletions.
std::string GenerationPrefix(const ObjectId& mailbox);
std::string EntryPrefix(const ObjectId& mailbox);
std::string AppendIdPrefix(const ObjectId& mailbox);

std::string ChunkKey(const ObjectId& blob, uint64_t index);
std::string ChunkPrefix(const ObjectId& blob);

// Where a key lies, or keys with a prefix of at least one letter: entries and chunks have a space
// of their own, all else is in Space::kRecords.
Space SpaceOf(std::string_view key);

// The ids and numbers back from a key; nullopt for a key of another shape.
std::optional<ObjectId> MailboxOfKey(std::string_view mailbox_key);
std::optional<uint64_t> PositionOfEntryKey(std::string_view entry_key);
std::optional<ExpiryKeyParts> ParseExpiryKey(std::string_view expiry_key);

// The bytes of an id, as a string view; and an id from bytes, nullopt for another length.
template <size_t N>
std::string_view IdView(const std::array<uint8_t, N>& id) {
  return {reinterpret_cast<const char*>(id.data()), N};
}
template <size_t N>
std::optional<std::array<uint8_t, N>> IdFrom(std::string_view bytes) {
  if (bytes.size() != N) return std::nullopt;
  std::array<uint8_t, N> id;
  for (size_t i = 0; i < N; ++i) id[i] = static_cast<uint8_t>(bytes[i]);
  return id;
}

}  // namespace parley::storage

#endif  // PARLEY_STORAGE_RECORDS_KEYS_H_
