#include "server/core/verify.h"

#include <gmock/gmock.h>

#include "server/core/relay_fixture_for_test.h"
#include "server/core/stored_records.h"
#include "server/core/verify_fixture_for_test.h"

namespace parley::server {
namespace {

using storage::Space;
using storage::WriteBatch;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class VerifyTest : public testing::Test, protected FilledRelay {
 protected:
  VerifyReport Verified() { return VerifyStore(store, limits); }
  std::vector<std::string> Problems() { return SentencesOf(Verified()); }

  void Change(const std::function<void(WriteBatch&)>& change) {
    WriteBatch batch;
    change(batch);
    ASSERT_TRUE(store.Commit(batch, storage::Durability::kBuffered).ok());
  }
  void Delete(const std::string& key) {
    Change([&](WriteBatch& batch) { batch.Delete(storage::SpaceOf(key), key); });
  }
  void Put(const std::string& key, const std::string& value) {
    Change([&](WriteBatch& batch) { batch.Put(storage::SpaceOf(key), key, value); });
  }
  // Changes a record in place.
  template <typename T>
  void Edit(const std::string& key, const std::function<void(T&)>& edit) {
    absl::StatusOr<std::optional<T>> record = GetRecord<T>(store, key);
    ASSERT_TRUE(record.ok() && record->has_value());
    edit(**record);
    Put(key, storage::SerializeRecord(**record));
  }
  storage::SponsorId SponsorOf(const TestMailbox& of) {
    return (*GetRecord<storage::MailboxRecord>(store, storage::MailboxKey(of.object())))->sponsor;
  }
};

TEST_F(VerifyTest, FindsNothingWrongWithWhatARelayStores) {
  VerifyReport report = Verified();
  EXPECT_THAT(SentencesOf(report), IsEmpty());
  EXPECT_EQ(report.sponsors, 3U);
  EXPECT_EQ(report.mailboxes, 4U);
  EXPECT_EQ(report.entries, 3 + 11 + 1U);
  EXPECT_EQ(report.blobs, 3U);
  EXPECT_EQ(report.chunks, 3 + 1U);
  EXPECT_GT(report.bytes, 2 * 4000U);
}

TEST_F(VerifyTest, NamesEntriesThatAreMissing) {
  Delete(storage::EntryKey(closed.object(), 2));
  EXPECT_THAT(Problems(), ElementsAre(AllOf(HasSubstr("mailbox " + Id(closed)),
                                            HasSubstr("entry 2 is missing"))));
  Delete(storage::EntryKey(closed.object(), 3));
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("entries 2 to 3 are missing")));
}

TEST_F(VerifyTest, NamesALogThatWasCutOrGrown) {
  Delete(storage::EntryKey(trimmed.object(), 20));
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("entry 20 is missing")));
  Edit<storage::MailboxRecord>(storage::MailboxKey(trimmed.object()),
                               [](auto& record) { record.head = 18; });
  EXPECT_THAT(Problems(), Contains(HasSubstr("entry 19 lies beyond its log, 10 to 18")));
}

TEST_F(VerifyTest, NamesEntriesThatDoNotParseOrBelongElsewhere) {
  const std::string key = storage::EntryKey(closed.object(), 1);
  const std::string good = **store.Get(storage::SpaceOf(key), key);
  Put(key, "\x09" + good.substr(1));
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("entry 1: ")));
  Put(key, good.substr(0, 5));
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("entry 1: ")));
  // Two entries that have changed places.
  const std::string last = storage::EntryKey(closed.object(), 3);
  Put(key, **store.Get(Space::kEntries, last));
  Put(last, good);
  EXPECT_THAT(Problems(), Contains(HasSubstr("entry 1 is of a generation that lies elsewhere")));
  EXPECT_THAT(Problems(), Contains(HasSubstr("append ids are not those of its entries")));
}

TEST_F(VerifyTest, NamesGenerationsThatAreMissingOrDoNotFit) {
  const std::string second = storage::GenerationKey(closed.object(), 2);
  const std::string good = **store.Get(storage::SpaceOf(second), second);
  Delete(second);
  EXPECT_THAT(Problems(), Contains(HasSubstr("its current generation, 2, is missing")));
  Put(second, "x");
  EXPECT_THAT(Problems(), Contains(HasSubstr("generation 2: ")));
  Put(second, good);
  Edit<storage::GenerationRecord>(second, [](auto& record) { record.first_position = 2; });
  EXPECT_THAT(Problems(), Contains(HasSubstr("generation 2 doesn't fit to its neighbours")));
  Put(second, good);
  Edit<storage::GenerationRecord>(storage::GenerationKey(closed.object(), 1),
                                  [](auto& record) { record.last_position = 1; });
  EXPECT_THAT(Problems(), Contains(HasSubstr("generation 2 doesn't fit to its neighbours")));
}

TEST_F(VerifyTest, NamesAppendIdsThatAreMissingOrLeadElsewhere) {
  std::string key;
  const std::string prefix = storage::AppendIdPrefix(closed.object());
  ASSERT_TRUE(store
                  .Scan(Space::kRecords, prefix, storage::PrefixEnd(prefix),
                        [&](std::string_view found, std::string_view) {
                          key = found;
                          return false;
                        })
                  .ok());
  Edit<storage::AppendIdRecord>(key, [](auto& record) { record.position += 1; });
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("append ids are not those")));
  Put(key, "");
  EXPECT_THAT(Problems(), Contains(HasSubstr("an append id is damaged")));
  Delete(key);
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("append ids are not those")));
}

TEST_F(VerifyTest, NamesCountsThatAreOff) {
  const std::string key = storage::MailboxKey(closed.object());
  Edit<storage::MailboxRecord>(key, [](auto& record) { record.used_entries += 1; });
  VerifyReport report = Verified();
  EXPECT_THAT(SentencesOf(report), ElementsAre(HasSubstr("allowance is counted wrong")));
  EXPECT_EQ(report.findings[0].remedy, Remedy::kRecount);
  Edit<storage::MailboxRecord>(key, [](auto& record) {
    record.used_entries -= 1;
    record.stored_bytes += 1;
  });
  EXPECT_THAT(Problems(),
              ElementsAre(HasSubstr("bytes, and says"),
                          AllOf(HasSubstr("sponsor \"sponsor\""), HasSubstr("counted are"))));
}

TEST_F(VerifyTest, NamesSponsorsWhoseUseIsOffOrWhoAreMissing) {
  const storage::SponsorId id = SponsorOf(closed);
  Edit<storage::SponsorRecord>(storage::SponsorKey(id),
                               [](auto& record) { record.used_objects -= 1; });
  EXPECT_THAT(Problems(),
              ElementsAre(AllOf(HasSubstr("sponsor \"sponsor\": its 6 mailboxes and blobs"),
                                HasSubstr("counted are 5"))));
  const storage::SponsorRecord record =
      **GetRecord<storage::SponsorRecord>(store, storage::SponsorKey(id));
  Delete(storage::SponsorTokenKey(record.token_hash));
  EXPECT_THAT(Problems(), Contains(HasSubstr("can't be found by its token")));
  Delete(storage::SponsorKey(id));
  EXPECT_THAT(Problems(), Contains(HasSubstr("the sponsor of 6 mailboxes and blobs is missing")));
  EXPECT_THAT(Problems(),
              Contains(HasSubstr("a sponsor's name leads to a sponsor that is not there")));
}

TEST_F(VerifyTest, NamesChunksThatAreMissingShortOrTooMany) {
  const std::string key = storage::ChunkKey(sealed.object(), 1);
  const std::string good = **store.Get(Space::kChunks, key);
  Change([&](WriteBatch& batch) { batch.Put(Space::kChunks, key, good.substr(1)); });
  EXPECT_THAT(Problems(),
              ElementsAre(AllOf(HasSubstr("blob " + Id(sealed)), HasSubstr("its chunks have"))));
  Change([&](WriteBatch& batch) { batch.Delete(Space::kChunks, key); });
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("chunk 1 of 3 is missing")));
  Change([&](WriteBatch& batch) {
    batch.Put(Space::kChunks, key, good);
    batch.Put(Space::kChunks, storage::ChunkKey(sealed.object(), 3), "more");
  });
  VerifyReport report = Verified();
  EXPECT_THAT(SentencesOf(report), ElementsAre(HasSubstr("chunks behind its last one")));
  EXPECT_EQ(report.findings[0].remedy, Remedy::kLeftover);
}

// A count that is damaged itself isn't worked through.
TEST_F(VerifyTest, NamesABlobWhoseStateIsOff) {
  const std::string key = storage::BlobProgressKey(sealed.object());
  Edit<storage::BlobProgressRecord>(key, [](auto& record) { record.chunks = UINT64_MAX; });
  EXPECT_EQ(Problems().size(), 16U);
  Delete(key);
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("how many chunks it has is missing")));
  Put(key, "x");
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("how far it is uploaded: ")));
  Put(storage::BlobKey(sealed.object()), "x");
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("its state: ")));
}

TEST_F(VerifyTest, NamesWhatBelongsToNothing) {
  TestMailbox gone;
  Put(storage::EntryKey(gone.object(), 1),
      **store.Get(Space::kEntries, storage::EntryKey(closed.object(), 1)));
  Put(storage::GenerationKey(gone.object(), 1),
      **store.Get(Space::kRecords, storage::GenerationKey(closed.object(), 1)));
  TestBlob lost;
  Change([&](WriteBatch& batch) {
    batch.Put(Space::kChunks, storage::ChunkKey(lost.object(), 0), "x");
  });
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("entries of mailbox " + Id(gone)),
                                      HasSubstr("generations of mailbox " + Id(gone)),
                                      HasSubstr("chunks of blob " + Id(lost))));
}

TEST_F(VerifyTest, NamesMailboxesThatAreMissingOrDoNotParse) {
  const std::string key = storage::MailboxKey(closed.object());
  Put(key, "x");
  EXPECT_THAT(Problems(),
              ElementsAre(AllOf(HasSubstr("mailbox " + Id(closed)), HasSubstr("its state"))));
  Delete(key);
  EXPECT_THAT(Problems(), Contains(HasSubstr("entries of mailbox " + Id(closed))));
  EXPECT_THAT(Problems(), Contains(HasSubstr("sponsor \"sponsor\": its 5")));
}

TEST_F(VerifyTest, NamesExpiriesVouchersAndUnknownRecords) {
  Delete(storage::ExpiryKey(expiry, storage::ExpiringKind::kMailbox,
                            storage::IdView(expiring.object())));
  Put(storage::SpentVoucherKey({}), "x");
  Put("\xffz", "x");
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("unknown kind, ff"), HasSubstr("a used voucher: "),
                                      HasSubstr("that it expires isn't noted")));
}

TEST_F(VerifyTest, ListsAThousandProblemsAndCountsTheRest) {
  Change([](WriteBatch& batch) {
    for (int i = 0; i < 1500; ++i) batch.Put(Space::kRecords, "v" + std::to_string(i), "x");
  });
  VerifyReport report = Verified();
  EXPECT_EQ(report.findings.size(), 1000U);
  EXPECT_EQ(report.further_findings, 500U);
}

}  // namespace
}  // namespace parley::server
