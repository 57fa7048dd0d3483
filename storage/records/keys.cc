#include "storage/records/keys.h"

namespace parley::storage {
namespace {

void AppendBigEndian64(std::string& out, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

uint64_t ReadBigEndian64(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < 8; ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

std::string Join(std::string_view letter, std::string_view rest) {
  std::string key;
  key.reserve(letter.size() + rest.size() + 16);
  key.append(letter).append(rest);
  return key;
}

}  // namespace

std::string MailboxKey(const ObjectId& mailbox) { return Join(kMailboxPrefix, IdView(mailbox)); }

std::string GenerationPrefix(const ObjectId& mailbox) { return Join("g", IdView(mailbox)); }
std::string EntryPrefix(const ObjectId& mailbox) { return Join("e", IdView(mailbox)); }
std::string AppendIdPrefix(const ObjectId& mailbox) { return Join("a", IdView(mailbox)); }

std::string GenerationKey(const ObjectId& mailbox, uint64_t generation) {
  std::string key = GenerationPrefix(mailbox);
  AppendBigEndian64(key, generation);
  return key;
}

std::string EntryKey(const ObjectId& mailbox, uint64_t position) {
  std::string key = EntryPrefix(mailbox);
  AppendBigEndian64(key, position);
  return key;
}

std::string AppendIdKey(const ObjectId& mailbox, const AppendId& append_id) {
  return AppendIdPrefix(mailbox).append(IdView(append_id));
}

std::string BlobKey(const ObjectId& blob) { return Join("b", IdView(blob)); }
std::string BlobProgressKey(const ObjectId& blob) { return Join("p", IdView(blob)); }
std::string SponsorKey(const SponsorId& sponsor) { return Join(kSponsorPrefix, IdView(sponsor)); }
std::string SponsorNameKey(std::string_view name) { return Join("n", name); }
std::string SponsorTokenKey(const TokenHash& token_hash) { return Join("t", IdView(token_hash)); }
std::string SpentVoucherKey(const VoucherId& voucher) { return Join("v", IdView(voucher)); }
std::string FormatVersionKey() { return "format"; }

std::string ExpiryKey(uint64_t expires_at, ExpiringKind kind, std::string_view id) {
  std::string key(kExpiryPrefix);
  AppendBigEndian64(key, expires_at);
  key.push_back(static_cast<char>(kind));
  key.append(id);
  return key;
}

std::string ChunkPrefix(const ObjectId& blob) { return Join("c", IdView(blob)); }

std::string ChunkKey(const ObjectId& blob, uint64_t index) {
  std::string key = ChunkPrefix(blob);
  AppendBigEndian64(key, index);
  return key;
}

Space SpaceOf(std::string_view key) {
  if (key.starts_with('e')) return Space::kEntries;
  if (key.starts_with('c')) return Space::kChunks;
  return Space::kRecords;
}

std::optional<ObjectId> MailboxOfKey(std::string_view mailbox_key) {
  if (!mailbox_key.starts_with(kMailboxPrefix)) return std::nullopt;
  return IdFrom<32>(mailbox_key.substr(kMailboxPrefix.size()));
}

std::optional<uint64_t> PositionOfEntryKey(std::string_view entry_key) {
  if (entry_key.size() != 1 + 32 + 8 || entry_key[0] != 'e') return std::nullopt;
  return ReadBigEndian64(entry_key.substr(33));
}

std::optional<ExpiryKeyParts> ParseExpiryKey(std::string_view expiry_key) {
  if (expiry_key.size() < 1 + 8 + 1 || !expiry_key.starts_with(kExpiryPrefix)) return std::nullopt;
  const auto kind = static_cast<uint8_t>(expiry_key[9]);
  if (kind < 1 || kind > 3) return std::nullopt;
  return ExpiryKeyParts{ReadBigEndian64(expiry_key.substr(1)), static_cast<ExpiringKind>(kind),
                        std::string(expiry_key.substr(10))};
}

}  // namespace parley::storage
