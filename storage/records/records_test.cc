// Records: round trips, damage, and the order and separation of keys.
#include "storage/records/records.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace parley::storage {
namespace {

ObjectId Id(uint8_t fill) {
  ObjectId id;
  id.fill(fill);
  return id;
}

TEST(RecordsTest, MailboxRoundTrip) {
  MailboxRecord record;
  record.sponsor.fill(7);
  record.generation = 3;
  record.head = 1ull << 40;
  record.used_bytes = 99;
  record.reserved_bytes = 5;
  record.closed_bytes = 6;
  record.expires_at = 12345;
  absl::StatusOr<MailboxRecord> back = ParseRecord<MailboxRecord>(SerializeRecord(record));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->sponsor, record.sponsor);
  EXPECT_EQ(back->generation, 3u);
  EXPECT_EQ(back->head, 1ull << 40);
  EXPECT_EQ(back->used_bytes, 99u);
  EXPECT_EQ(back->reserved_bytes, 5u);
  EXPECT_EQ(back->closed_bytes, 6u);
  EXPECT_EQ(back->expires_at, 12345u);
}

TEST(RecordsTest, EntryKeepsPayloadAndClosing) {
  EntryRecord record;
  record.generation = 5;
  record.append_id.fill(9);
  ClosingRecord closing;
  closing.next_keys.read_key.fill(1);
  closing.next_keys.append_keys.resize(256);
  closing.next_keys.append_keys[255].fill(0xAB);
  closing.control_signature.fill(2);
  record.closing = closing;
  const std::string payload("\0binary\xFF payload", 16);
  const std::string bytes = SerializeEntry(record, payload);
  absl::StatusOr<EntryView> back = ParseEntry(bytes);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->payload, payload);
  EXPECT_EQ(back->record.generation, 5u);
  EXPECT_EQ(back->record.append_id, record.append_id);
  ASSERT_TRUE(back->record.closing.has_value());
  EXPECT_EQ(*back->record.closing, closing);
}

TEST(RecordsTest, EveryTruncationIsDamage) {
  SponsorRecord record;
  record.name = "Harbour Institute";
  const std::string bytes = SerializeRecord(record);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(ParseRecord<SponsorRecord>(bytes.substr(0, size)).status().code(),
              absl::StatusCode::kDataLoss)
        << size;
  }
  EXPECT_EQ(ParseRecord<SponsorRecord>(bytes + "x").status().code(), absl::StatusCode::kDataLoss);
}

TEST(RecordsTest, AnotherFormatIsNamed) {
  std::string bytes = SerializeRecord(AppendIdRecord{4});
  bytes[0] = 2;
  absl::Status status = ParseRecord<AppendIdRecord>(bytes).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(std::string(status.message()).find("format 2"), std::string::npos);
}

TEST(KeysTest, EntriesSortByPosition) {
  std::vector<std::string> keys;
  for (uint64_t position : {1ull, 2ull, 255ull, 256ull, 65535ull, 65536ull, 1ull << 33}) {
    keys.push_back(EntryKey(Id(1), position));
    EXPECT_EQ(PositionOfEntryKey(keys.back()), position);
  }
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
}

TEST(KeysTest, PrefixesOfOneMailboxExcludeAnother) {
  ObjectId other = Id(1);
  other[31] = 2;
  EXPECT_TRUE(EntryKey(Id(1), ~0ull).starts_with(EntryPrefix(Id(1))));
  EXPECT_FALSE(EntryKey(other, 1).starts_with(EntryPrefix(Id(1))));
}

TEST(KeysTest, MailboxAndExpiryComeBack) {
  EXPECT_EQ(MailboxOfKey(MailboxKey(Id(4))), Id(4));
  EXPECT_EQ(MailboxOfKey(BlobKey(Id(4))), std::nullopt);
  EXPECT_EQ(MailboxOfKey("m"), std::nullopt);
  auto parts = ParseExpiryKey(ExpiryKey(77, ExpiringKind::kBlob, IdView(Id(5))));
  ASSERT_TRUE(parts.has_value());
  EXPECT_EQ(parts->expires_at, 77u);
  EXPECT_EQ(parts->kind, ExpiringKind::kBlob);
  EXPECT_EQ(IdFrom<32>(parts->id), Id(5));
  EXPECT_EQ(ParseExpiryKey("x123"), std::nullopt);
}

}  // namespace
}  // namespace parley::storage
