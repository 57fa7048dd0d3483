// What never got into a log, and files half way there, is destroyed with the rest.
#include "client-lib/api/retention_leftovers.h"

#include <ctime>
#include <filesystem>
#include <functional>

#include "client-lib/api/carried_files.h"
#include "client-lib/api/carried_shares.h"
#include "client-lib/api/retention_for_test.h"
#include "client-lib/api/under_way.h"
#include "client-lib/documents/transfer_records.h"

namespace parley {
namespace {

using ::testing::HasSubstr;
using testing::Have;
using ::testing::IsEmpty;
using testing::kAtOnce;
using testing::Must;
using ::testing::SizeIs;

class LeftoversTest : public testing::RetentionTest {
 protected:
  // Large enough that it isn't uploaded at once.
  std::string LargeFile(const std::string& name) {
    const std::string path = folder_ / name;
    testing::WriteFile(path, std::string(48 << 20, 'x'));
    return path;
  }

  // What the profile has of an upload; nothing for none.
  std::optional<client::internal::UploadRecord> UploadOf(const std::string& name,
                                                         const MessageId& id) {
    auto store = Have(client::ProfileStore::Open(folder_ / name));
    return Have(client::internal::LoadRecord<client::internal::UploadRecord>(
        *store, client::RecordClass::kKeys, client::internal::UploadName(id.ToString())));
  }
  bool RelayHas(const client::internal::UploadRecord& upload) {
    auto relay = Have(client::RelayClient::Connect({relay_.address(), relay_.identity_key()}));
    const crypto::SignatureKey key =
        Have(crypto::SignatureKey::FromSeed(upload.write_seed.Reveal()));
    return relay->StatBlob(upload.blob_id, client::RelayClient::BlobKey::kWrite, key).ok();
  }
  void EndTheCase() {
    PARLEY_ASSERT_OK(Of("Ben").Act(case_, CaseAct::kWithdraw));
    Everybody();
  }
};

TEST_F(LeftoversTest, WhatWaitsAndWhatIsHalfTransferredIsDestroyedToo) {
  Begin(kAtOnce);
  const SentMessage shared = Share("Ana", "joint", "draft.txt");
  Everybody();
  PARLEY_ASSERT_OK(Of("Ben").Act(case_, CaseAct::kWithdraw));
  Everybody();
  const std::string target = folder_ / "fetched.txt";
  testing::WriteFile(target + ".parley-part", "half of it");
  const auto now = static_cast<uint64_t>(std::time(nullptr));
  {
    auto store = Have(client::ProfileStore::Open(folder_ / "Ben"));
    const client::CaseContext context = ContextAt(*store, now);
    client::UnderWay upload;
    upload.id = client::RandomId<MessageId>();
    upload.case_id = case_;
    upload.channel = Ref("Ben", "caucus").channel_id;
    upload.path = folder_ / "CANARY-PATH";
    upload.note = "CANARY-NOTE";
    upload.began_at = now;
    client::internal::UploadRecord keys;
    keys.file_key = crypto::Secret::CopyOf(crypto::ViewOf("CANARY-KEY"));
    Have(client::internal::SaveRecord(*store, client::RecordClass::kKeys,
                                      client::internal::UploadName(upload.id.ToString()), keys));
    client::UnderWay download;
    download.id = client::RandomId<MessageId>();
    download.upload = 0;
    download.case_id = case_;
    download.channel = Ref("Ben", "joint").channel_id;
    download.document = shared.id;
    download.path = target;
    content::v1::Content waiting;
    waiting.mutable_text()->set_text("CANARY-WAITS");
    client::Transaction step = Have(store->Begin());
    Have(client::TransfersUnderWay().Put(step, upload.id.ToString(), upload));
    Have(client::TransfersUnderWay().Put(step, download.id.ToString(), download));
    Have(context.Channel(upload.channel).Queue(step, waiting));
    Have(step.Commit());
    Have(client::DestroyDue(context));
    const client::ReadTransaction read = Have(store->Read());
    EXPECT_THAT(Have(client::TransfersUnderWay().Keys(read)), IsEmpty());
    EXPECT_THAT(Have(context.Channel(upload.channel).Unsent(read)), IsEmpty());
  }
  for (const char* canary : {"CANARY-PATH", "CANARY-NOTE", "CANARY-KEY", "CANARY-WAITS"}) {
    EXPECT_FALSE(Holds("Ben", canary)) << canary;
  }
  EXPECT_FALSE(std::filesystem::exists(target + ".parley-part"));
  // The report waits to be sent: it isn't made twice.
  auto store = Have(client::ProfileStore::Open(folder_ / "Ben"));
  EXPECT_FALSE(Have(client::DestroyDue(ContextAt(*store, now))).reported);
}

TEST_F(LeftoversTest, OfAHalfUploadNothingStaysAtTheRelay) {
  Begin(kAtOnce);
  const Result<SentMessage> stopped = Of("Ana").Share(Ref("Ana", "joint"), LargeFile("large.bin"),
                                                      {}, [](uint64_t, uint64_t) { return false; });
  ASSERT_EQ(stopped.status().code(), StatusCode::kCancelled) << stopped.status().message();
  const std::vector<Transfer> transfers = Must(Of("Ana").Transfers(), "transfers");
  ASSERT_THAT(transfers, SizeIs(1));
  const auto upload = UploadOf("Ana", transfers[0].id);
  ASSERT_TRUE(upload.has_value() && RelayHas(*upload));
  EndTheCase();
  Must(Of("Ana").DestroyRecords(case_), "destroying");
  EXPECT_THAT(Must(Of("Ana").Transfers(), "transfers"), IsEmpty());
  EXPECT_FALSE(UploadOf("Ana", transfers[0].id).has_value());
  EXPECT_FALSE(Holds("Ana", crypto::ToString(upload->file_key.Reveal())));
  EXPECT_FALSE(RelayHas(*upload));
}

// An earlier build's, which can't be read: its keys may not stay either.
TEST_F(LeftoversTest, OfAnUploadThatIsntUnderstoodNothingStaysInTheProfile) {
  Begin(kAtOnce);
  EndTheCase();
  const auto now = static_cast<uint64_t>(std::time(nullptr));
  auto store = Have(client::ProfileStore::Open(folder_ / "Ben"));
  const client::CaseContext context = ContextAt(*store, now);
  client::UnderWay upload;
  upload.id = client::RandomId<MessageId>();
  upload.case_id = case_;
  upload.channel = Ref("Ben", "caucus").channel_id;
  upload.began_at = now;
  client::Transaction step = Have(store->Begin());
  Have(step.Put(client::RecordClass::kKeys, client::internal::UploadName(upload.id.ToString()),
                crypto::Secret::CopyOf(crypto::ViewOf("\xffsomething with CANARY-OLD-KEY"))));
  Have(client::TransfersUnderWay().Put(step, upload.id.ToString(), upload));
  Have(step.Commit());
  ASSERT_TRUE(Holds("Ben", "CANARY-OLD-KEY"));
  Have(client::DestroyDue(context));
  EXPECT_FALSE(Holds("Ben", "CANARY-OLD-KEY"));
}

// Between looking for what is due and dropping it nobody begins to carry it.
TEST_F(LeftoversTest, WhatIsBeingCarriedIsntDroppedAndTheOtherWayRound) {
  const std::string folder = folder_ / "locks";
  std::filesystem::create_directory(folder);
  {
    const auto carries = Have(client::CarriedFiles::Hold(folder));
    EXPECT_FALSE(client::CarriedFiles::HoldAlone(folder).has_value());
  }
  {
    const auto alone = client::CarriedFiles::HoldAlone(folder);
    ASSERT_TRUE(alone.has_value());
    EXPECT_FALSE(client::CarriedFiles::HoldAlone(folder).has_value());
  }
  EXPECT_TRUE(client::CarriedFiles::HoldAlone(folder).has_value());
  // What can't be known isn't taken for free.
  EXPECT_FALSE(client::CarriedFiles::HoldAlone(folder + "/none").has_value());
}

// Its share was destroyed while it was being uploaded.
TEST_F(LeftoversTest, ADisclosureWhoseDocumentIsDestroyedMeanwhileIsntSent) {
  Begin(kAtOnce);
  const SentMessage shared = Share("Ana", "caucus", "plan.txt");
  AuthorisationRequest request;
  request.item = shared.id;
  request.audience = "joint";
  Must(Of("Ana").Authorise(Ref("Ana", "caucus"), request), "authorising");
  Everybody(1);
  const Authorisation leave = Must(Of("Mira").Authorisations(case_), "authorisations").front();
  bool was_there = false;
  const Result<SentMessage> sent = Of("Mira").Disclose(leave, [&](uint64_t, uint64_t) {
    auto store = Have(client::ProfileStore::Open(folder_ / "Mira"));
    client::Transaction step = Have(store->Begin());
    const auto disclosures = Have(client::Disclosures::Load(step, ContextAt(*store, 0)));
    const std::string name = client::DisclosureShareName(disclosures.authorisations().front());
    was_there = was_there || Have(step.Has(client::RecordClass::kKeys, name));
    Have(step.Delete(client::RecordClass::kKeys, name));
    Have(step.Commit());
    return true;
  });
  ASSERT_TRUE(was_there);
  EXPECT_EQ(sent.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(sent.status().message(), HasSubstr("nothing was disclosed"));
  EXPECT_THAT(Kinds("Mira", "joint"), IsEmpty());
}

TEST_F(LeftoversTest, OfAReleaseOfBriefsUnderWayNothingStays) {
  Begin(kAtOnce);
  testing::WriteFile(folder_ / "brief.txt", "CANARY-BRIEF");
  Must(Of("Ana").SubmitBrief(case_, folder_ / "brief.txt", {}), "handing in");
  Must(Of("Ben").SubmitBrief(case_, LargeFile("large.txt"), {}), "handing in");
  Everybody(1);
  const Result<SentMessage> stopped =
      Of("Mira").ReleaseBriefs(case_, [](uint64_t, uint64_t total) { return total < (1 << 20); });
  ASSERT_EQ(stopped.status().code(), StatusCode::kCancelled) << stopped.status().message();
  client::ReleaseJob job;
  {
    auto store = Have(client::ProfileStore::Open(folder_ / "Mira"));
    const client::ReadTransaction read = Have(store->Read());
    const auto begun = Have(client::GetRecord<client::ReleaseJob>(read, client::RecordClass::kKeys,
                                                                  client::ReleaseJobName(case_)));
    ASSERT_TRUE(begun.has_value());
    job = *begun;
  }
  // The small one was uploaded.
  const auto upload = UploadOf("Mira", job.briefs[0].document);
  ASSERT_TRUE(upload.has_value() && RelayHas(*upload));
  EndTheCase();
  Must(Of("Mira").DestroyRecords(case_), "destroying");
  {
    auto store = Have(client::ProfileStore::Open(folder_ / "Mira"));
    const client::ReadTransaction read = Have(store->Read());
    EXPECT_FALSE(Have(read.Has(client::RecordClass::kKeys, client::ReleaseJobName(case_))));
    for (const client::ReleaseJob::One& one : job.briefs) {
      const std::string name = client::ReleaseShareName(one.document);
      EXPECT_FALSE(Have(read.Has(client::RecordClass::kKeys, name)));
    }
  }
  EXPECT_FALSE(UploadOf("Mira", job.briefs[0].document).has_value());
  EXPECT_FALSE(Holds("Mira", crypto::ToString(upload->file_key.Reveal())));
  EXPECT_FALSE(RelayHas(*upload));
}

TEST_F(LeftoversTest, OfADisclosureUnderWayNothingStays) {
  Begin(kAtOnce);
  const SentMessage shared =
      Must(Of("Ana").Share(Ref("Ana", "caucus"), LargeFile("large.txt")), "sharing");
  AuthorisationRequest request;
  request.item = shared.id;
  request.audience = "joint";
  Must(Of("Ana").Authorise(Ref("Ana", "caucus"), request), "authorising");
  Everybody(1);
  const Authorisation leave = Must(Of("Mira").Authorisations(case_), "authorisations").front();
  // It is fetched, and stopped while it is uploaded.
  bool is_fetched = false;
  const Result<SentMessage> stopped = Of("Mira").Disclose(leave, [&](uint64_t done, uint64_t all) {
    is_fetched = is_fetched || done == all;
    return !is_fetched || done == all;
  });
  ASSERT_EQ(stopped.status().code(), StatusCode::kCancelled) << stopped.status().message();
  MessageId disclosure;
  std::string name;
  {
    auto store = Have(client::ProfileStore::Open(folder_ / "Mira"));
    const client::ReadTransaction read = Have(store->Read());
    const auto disclosures = Have(client::Disclosures::Load(read, ContextAt(*store, 0)));
    disclosure = disclosures.authorisations().front().disclosure;
    name = client::DisclosureShareName(disclosures.authorisations().front());
    ASSERT_TRUE(Have(read.Has(client::RecordClass::kKeys, name)));
  }
  const auto upload = UploadOf("Mira", disclosure);
  ASSERT_TRUE(upload.has_value() && RelayHas(*upload));
  EndTheCase();
  Must(Of("Mira").DestroyRecords(case_), "destroying");
  {
    auto store = Have(client::ProfileStore::Open(folder_ / "Mira"));
    const client::ReadTransaction read = Have(store->Read());
    EXPECT_FALSE(Have(read.Has(client::RecordClass::kKeys, name)));
  }
  EXPECT_FALSE(UploadOf("Mira", disclosure).has_value());
  EXPECT_FALSE(Holds("Mira", crypto::ToString(upload->file_key.Reveal())));
  EXPECT_FALSE(RelayHas(*upload));
}

}  // namespace
}  // namespace parley
