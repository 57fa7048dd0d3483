// Retention by class, destruction, and the settlement that is confirmed.
#include "client-lib/api/retention.h"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <filesystem>
#include <set>

#include "client-lib/api/retention_for_test.h"
#include "client-lib/cases/procedure_work.h"

namespace parley {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Have;
using ::testing::IsEmpty;
using testing::kAtOnce;
using testing::kMarker;
using testing::Must;
using ::testing::Not;
using testing::RetentionTest;
using ::testing::UnorderedElementsAre;

constexpr uint64_t kDay = 24 * 60 * 60;

TEST_F(RetentionTest, NothingOfWhatIsDueStaysInTheProfileAndTheTimelineDoes) {
  Begin(kAtOnce);
  Say("Ana", "caucus", kMarker);
  Say("Mira", "neutrals", std::string("They told me: ") + kMarker);
  Say("Ben", "joint", "Good morning to everybody here.");
  Must(Of("Ana").MakeOffer(Ref("Ana", "joint"), {.text = "950 thousand within a month"}), "offer");
  const SentMessage brief = Share("Ana", "caucus", "brief.txt");
  Share("Ana", "joint", "final.txt", {.document_class = DocumentClass::kSettlement});
  AuthorisationRequest request;
  request.item = Must(Of("Ana").Read(Ref("Ana", "caucus")), "reading").front().id;
  request.audience = "caucus:Northline";
  const SentMessage leave = Must(Of("Ana").Authorise(Ref("Ana", "caucus"), request), "leave");
  Everybody(1);
  Must(Of("Mira").Disclose(
           Must(Of("Mira").FindAuthorisation(case_, leave.id.ToString()), "finding")),
       "disclosing");
  Everybody();
  // While the case goes on nothing is due.
  EXPECT_EQ(Of("Ana").DestroyRecords(case_).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_FALSE(Kept("Ana").ended);
  EXPECT_EQ(Kept("Ana", "messages").records_due, 0u);
  ASSERT_FALSE(Found("canary").empty());
  const std::string key = FileKeyOf("Mira", "caucus:Harbor", brief.id);
  ASSERT_EQ(key.size(), 32u);
  ASSERT_TRUE(Holds("Mira", key));
  ASSERT_TRUE(Holds("Mira", kMarker));
  const std::string root = DocumentOf("Mira", "caucus:Harbor", brief.id).plaintext_root();
  ASSERT_TRUE(IsConfided("Mira", "caucus:Harbor", root));
  PARLEY_ASSERT_OK(Of("Ben").Act(case_, CaseAct::kWithdraw));
  Everybody();
  EXPECT_EQ(Kept("Mira", "notes").records_due, 1u);
  EXPECT_GE(Kept("Mira", "messages").records_due, 5u);
  EXPECT_EQ(Kept("Mira", "documents").records_due, 1u);
  EXPECT_EQ(Kept("Mira", "settlement").records, 1u);
  EXPECT_EQ(Kept("Mira", "settlement").records_due, 0u);
  EXPECT_FALSE(Kept("Mira", "agreement").destroyable);

  const std::string events = std::to_string([&] {
    size_t count = 0;
    for (const ChannelTimeline& one : Must(Of("Mira").Timeline(case_), "timeline").channels) {
      count += one.events.size();
    }
    return count;
  }());
  for (const char* name : {"Mira", "Ana", "Ben"}) {
    const Destruction done = Must(Of(name).DestroyRecords(case_), "destroying");
    EXPECT_TRUE(done.reported) << name;
    EXPECT_THAT(done.classes, Contains("messages")) << name;
    EXPECT_FALSE(Holds(name, "CANARY-H floor")) << name;
    EXPECT_FALSE(Holds(name, "canary")) << name << "'s index has the word";
    EXPECT_FALSE(Holds(name, "950 thousand")) << name;
    EXPECT_FALSE(Holds(name, key)) << name;
    EXPECT_FALSE(Kept(name).unfinished) << name;
  }
  Everybody();
  EXPECT_THAT(Kinds("Mira", "caucus:Harbor"),
              Contains(MessageKind::kDestroyed).Times(3));  // a text, a brief, a leave
  EXPECT_THAT(Kinds("Ben", "caucus"), ElementsAre(MessageKind::kDestroyed));
  EXPECT_FALSE(IsConfided("Mira", "caucus:Harbor", root)) << "a hash tells who has the file";
  // What is kept longer is there, and can be fetched.
  EXPECT_THAT(Kinds("Ben", "joint"), Contains(MessageKind::kDocument));
  const Document kept = Must(Of("Ben").FindDocument(Ref("Ben", "joint"), "final.txt"), "kept");
  PARLEY_ASSERT_OK(Of("Ben").Fetch(kept.ref, folder_ / "fetched.txt"));
  EXPECT_THAT(Found("canary"), IsEmpty());
  EXPECT_FALSE(Found("final").empty());
  // The timeline has what happened, and its chains are whole; nobody is accused of what is missing.
  size_t count = 0;
  size_t texts = 0;
  for (const ChannelTimeline& one : Must(Of("Mira").Timeline(case_), "timeline").channels) {
    for (const TimelineEvent& event : one.events) {
      ++count;
      texts += event.kind == TimelineKind::kText ? 1 : 0;
    }
  }
  EXPECT_EQ(texts, 3u);
  EXPECT_EQ(count, std::stoul(events) + 3);  // three reports
  for (const char* name : {"Mira", "Ana", "Ben"}) {
    for (const ChainCheck& check : Must(Of(name).VerifyTimeline(case_), "verifying")) {
      EXPECT_TRUE(check.whole) << name << " " << check.channel_name << ": " << check.problem;
    }
    EXPECT_THAT(AlarmKinds(name), Not(Contains(AlarmKind::kRefused))) << AlarmTexts(name);
  }
  EXPECT_THAT(Names(Kept("Ana", "messages").destroyed_by),
              UnorderedElementsAre("Mira", "Ana", "Ben"));
  EXPECT_THAT(Names(Kept("Ana", "notes").destroyed_by), ElementsAre("Mira"));
  EXPECT_THAT(Kept("Ana", "messages").awaited, IsEmpty());
  // What is said afterwards is kept for a period of its own; here it is none.
  Say("Ana", "joint", "One more thing.");
  EXPECT_EQ(Kept("Ana", "messages").records_due, 1u);
  EXPECT_FALSE(Must(Of("Ana").DestroyRecords(case_), "again").reported);
}

// The sealed records themselves are gone from the files, the write-ahead log included.
TEST_F(RetentionTest, TheProfilesFilesHaveNoneOfTheSealedRecords) {
  Begin(kAtOnce);
  for (int i = 0; i < 20; ++i) Say("Ana", "caucus", kMarker + std::to_string(i));
  Share("Ana", "caucus", "brief.txt");
  PARLEY_ASSERT_OK(Of("Ben").Act(case_, CaseAct::kWithdraw));
  Everybody();
  const auto sealed = [&] {
    std::vector<std::string> values;
    sqlite3* db = nullptr;
    const std::string path = (folder_ / "Ana") + "/profile.db";
    if (sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK)
      return values;
    const auto take = [](void* to, int, char** columns, char**) {
      static_cast<std::vector<std::string>*>(to)->emplace_back(columns[0]);
      return 0;
    };
    sqlite3_exec(db, "SELECT lower(hex(value)) FROM record", take, &values, nullptr);
    sqlite3_close(db);
    for (std::string& value : values) value = crypto::ToString(*crypto::FromHex(value));
    return values;
  };
  const std::vector<std::string> before = sealed();
  const std::string files_before = FilesOf("Ana");
  {
    // Without the sync that follows, which replaces other records.
    auto store = Have(client::ProfileStore::Open(folder_ / "Ana"));
    Have(client::DestroyDue(ContextAt(*store, static_cast<uint64_t>(std::time(nullptr)))));
  }
  const std::vector<std::string> after = sealed();
  const std::string files = FilesOf("Ana");
  const std::set<std::string> still(after.begin(), after.end());
  size_t gone = 0;
  size_t was_in_files = 0;
  for (const std::string& value : before) {
    if (still.contains(value)) continue;
    ++gone;
    // The nonce and the first of the sealed bytes, which stand in one piece in any page.
    const std::string beginning = value.substr(0, 32);
    was_in_files += files_before.find(beginning) != std::string::npos ? 1 : 0;
    EXPECT_EQ(files.find(beginning), std::string::npos) << "of a record of " << value.size();
  }
  EXPECT_GT(gone, 21u);
  EXPECT_GT(was_in_files, 21u) << "the test looks in the wrong place";
}

TEST_F(RetentionTest, AnInterruptedDestructionGoesOnAndAccusesNobody) {
  Begin(kAtOnce);
  Say("Ana", "caucus", kMarker);
  Share("Ana", "caucus", "brief.txt");
  PARLEY_ASSERT_OK(Of("Ben").Act(case_, CaseAct::kWithdraw));
  Everybody();
  // As the profile is on disk whenever the clock is asked, which each step does before it commits.
  const auto now = static_cast<uint64_t>(std::time(nullptr));
  int copies = 0;
  const auto copy = [&] {
    std::filesystem::copy(folder_ / "Ana", folder_ / ("Ana-" + std::to_string(++copies)),
                          std::filesystem::copy_options::recursive);
  };
  {
    auto store = Have(client::ProfileStore::Open(folder_ / "Ana"));
    client::CaseContext context = ContextAt(*store, now);
    context.now_seconds = [&] {
      copy();
      return now;
    };
    ASSERT_TRUE(client::DestroyDue(context).ok());
  }
  ASSERT_GE(copies, 3);
  copy();
  int unfinished = 0;
  for (int i = 1; i <= copies; ++i) {
    auto store = Have(client::ProfileStore::Open(folder_ / ("Ana-" + std::to_string(i))));
    const client::CaseContext context = ContextAt(*store, now);
    unfinished += Have(client::IsDestroying(Have(store->Read()), context)) ? 1 : 0;
    Have(client::TendRetention(context));
    const client::ReadTransaction read = Have(store->Read());
    EXPECT_FALSE(Have(client::IsDestroying(read, context))) << i;
    Have(read.ForEachValue([&](const crypto::Secret& value) {
      EXPECT_EQ(crypto::ToString(value.Reveal()).find("CANARY-H"), std::string::npos) << i;
      return absl::OkStatus();
    }));
    const auto procedure = Have(client::LoadProcedure(read, context));
    ASSERT_TRUE(procedure.has_value());
    EXPECT_EQ(Have(context.Channel(*procedure->joint).Unsent(read)).size(), 1u) << i;
  }
  EXPECT_EQ(unfinished, copies - 1);
}

TEST_F(RetentionTest, ProgramsDestroyByThemselvesOnlyWhereAgreedAndAfterADay) {
  Begin("caucus: closed\nkeep messages: 30 days\ndestroy: when due\n");
  Say("Ana", "caucus", kMarker);
  PARLEY_ASSERT_OK(Of("Ben").Act(case_, CaseAct::kWithdraw));
  Everybody();
  auto store = Have(client::ProfileStore::Open(folder_ / "Ana"));
  const auto now = static_cast<uint64_t>(std::time(nullptr));
  const auto holds = [&] { return Holds("Ana", kMarker); };
  const auto tend = [&](uint64_t days) {
    return Have(client::TendRetention(ContextAt(*store, now + days * kDay)));
  };
  EXPECT_FALSE(tend(1));
  // Away for long: it says so first, and does it a day later.
  EXPECT_FALSE(tend(50));
  EXPECT_TRUE(holds());
  const auto notice =
      Have(client::NextDestruction(Have(store->Read()), ContextAt(*store, now + 50 * kDay)));
  ASSERT_TRUE(notice.has_value());
  EXPECT_TRUE(notice->by_itself);
  EXPECT_THAT(notice->classes, ElementsAre("messages"));
  EXPECT_EQ(static_cast<uint64_t>(notice->at), now + 51 * kDay);
  Have(client::HoldRetention(ContextAt(*store, now), "a court's order"));
  EXPECT_FALSE(tend(52));
  EXPECT_TRUE(holds());
  EXPECT_THAT(Of("Ana").DestroyRecords(case_).status().message(), HasSubstr("a court's order"));
  Have(client::HoldRetention(ContextAt(*store, now), ""));
  EXPECT_TRUE(tend(52));
  EXPECT_FALSE(holds());
}

// What an authorisation is about goes first, or the authorisation before what it allowed.
TEST_F(RetentionTest, NobodyIsAccusedForWhatOneHasDestroyedOneself) {
  Begin(
      "caucus: closed\nkeep notes: 30 days\nkeep messages: 0 days\nkeep financial: 0 days\n"
      "keep documents: 30 days\n");
  const auto tell = [&](const MessageId& item, const std::string& audience) {
    AuthorisationRequest request;
    request.item = item;
    request.audience = audience;
    const SentMessage leave = Must(Of("Ana").Authorise(Ref("Ana", "caucus"), request), "leave");
    Everybody(1);
    Must(Of("Mira").Disclose(
             Must(Of("Mira").FindAuthorisation(case_, leave.id.ToString()), "finding")),
         "disclosing");
    Everybody(1);
  };
  Say("Ana", "caucus", kMarker);
  tell(Must(Of("Ana").Read(Ref("Ana", "caucus")), "reading").front().id, "neutrals");
  const SentMessage accounts =
      Share("Ana", "caucus", "accounts.txt", {.document_class = DocumentClass::kFinancial});
  const std::string key = FileKeyOf("Ana", "caucus", accounts.id);
  tell(accounts.id, "joint");
  PARLEY_ASSERT_OK(Of("Ben").Act(case_, CaseAct::kWithdraw));
  Everybody();
  for (const char* name : {"Mira", "Ana", "Ben"}) {
    Must(Of(name).DestroyRecords(case_), "destroying");
  }
  Everybody();
  for (const char* name : {"Mira", "Ana", "Ben"}) {
    EXPECT_THAT(AlarmKinds(name), Not(Contains(AlarmKind::kRefused))) << AlarmTexts(name);
  }
  EXPECT_THAT(Kinds("Mira", "caucus:Harbor"), Not(Contains(MessageKind::kDocument)));
  const std::vector<std::string> notes = Texts("Mira", "neutrals");
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_THAT(notes[0], HasSubstr(kMarker));
  EXPECT_FALSE(Holds("Mira", key));
}

TEST_F(RetentionTest, AHoldThatComesMeanwhileStopsTheDestruction) {
  Begin("caucus: closed\nkeep messages: 0 days\ndestroy: when due\n");
  Say("Ana", "caucus", kMarker);
  PARLEY_ASSERT_OK(Of("Ben").Act(case_, CaseAct::kWithdraw));
  Everybody();
  {
    auto store = Have(client::ProfileStore::Open(folder_ / "Ana"));
    const auto now = static_cast<uint64_t>(std::time(nullptr));
    client::CaseContext context = ContextAt(*store, now);
    EXPECT_FALSE(Have(client::TendRetention(context)));  // it is foreseen
    // As another process of the profile's would, right after this one has begun.
    int asked = 0;
    context.now_seconds = [&] {
      if (++asked == 2) Have(client::HoldRetention(ContextAt(*store, now), "a court's order"));
      return now + 2 * kDay;
    };
    const absl::Status stopped = client::TendRetention(context).status();
    EXPECT_THAT(std::string(stopped.message()), HasSubstr("a court's order"));
  }
  EXPECT_EQ(Kept("Ana").hold, "a court's order");
  EXPECT_TRUE(Kept("Ana").unfinished);
  EXPECT_TRUE(Holds("Ana", kMarker));
  auto store = Have(client::ProfileStore::Open(folder_ / "Ana"));
  const client::CaseContext later =
      ContextAt(*store, static_cast<uint64_t>(std::time(nullptr)) + 9 * kDay);
  EXPECT_FALSE(Have(client::TendRetention(later)));
  EXPECT_TRUE(Holds("Ana", kMarker));
  Have(client::HoldRetention(later, ""));
  EXPECT_TRUE(Have(client::TendRetention(later)));
  EXPECT_FALSE(Holds("Ana", kMarker));
}

// A neutral's list that leaves the others out lets an agreement come into force that they never
// saw.
TEST_F(RetentionTest, AnAgreementThatSomebodyNeverSignedDestroysNothingOfTheirs) {
  Begin("caucus: closed\nkeep messages: 30 days\n");
  Say("Ana", "caucus", kMarker);
  Everybody();
  const std::string hash =
      Must(Of("Mira").ProposeAgreement(case_, "As I like it.",
                                       "caucus: open\nkeep messages: 0 days\ndestroy: when due\n"),
           "proposing");
  Everybody(1);
  {
    auto store = Have(client::ProfileStore::Open(folder_ / "Mira"));
    const client::CaseContext context =
        ContextAt(*store, static_cast<uint64_t>(std::time(nullptr)));
    client::Transaction step = Have(store->Begin());
    const auto procedure = Have(client::LoadProcedure(step, context));
    ASSERT_TRUE(procedure.has_value());
    std::vector<client::Actor> alone = procedure->roster;
    std::erase_if(alone, [](const client::Actor& one) { return one.name != "Mira"; });
    content::v1::Content list;
    *list.mutable_case_overview() = procedure->log.MakeOverview(alone, procedure->head);
    Have(context.Channel(*procedure->joint).Queue(step, list));
    const crypto::Bytes bytes = Have(crypto::FromHex(hash));
    client::DocumentHash document{};
    ASSERT_EQ(bytes.size(), document.size());
    std::copy(bytes.begin(), bytes.end(), document.begin());
    Have(client::QueueSignature(step, context, document));
    Have(step.Commit());
  }
  Everybody();
  ASSERT_EQ(Must(Of("Ana").Progress(case_), "progress").in_force->hash, hash)
      << "the attack doesn't get this far any more";
  PARLEY_ASSERT_OK(Of("Ben").Act(case_, CaseAct::kWithdraw));
  Everybody();
  EXPECT_FALSE(Kept("Ana").automatic);
  EXPECT_EQ(Kept("Ana", "messages").records_due, 0u);
  const auto now = static_cast<uint64_t>(std::time(nullptr));
  {
    auto store = Have(client::ProfileStore::Open(folder_ / "Ana"));
    for (const uint64_t days : {1, 3, 5}) {
      EXPECT_FALSE(Have(client::TendRetention(ContextAt(*store, now + days * kDay)))) << days;
    }
  }
  EXPECT_TRUE(Holds("Ana", kMarker));
}

// Who may not speak in a channel by the policy's list of readers, and where they read.
TEST_F(RetentionTest, NothingIsSaidWhereSomebodyReadsWhoMayNot) {
  Begin("caucus: closed\nkeep notes: 7 days\n");
  LetIn("Lee", Role::kCounsel, "Harbor");
  SyncAll({"Mira", "Ana", "Ben", "Lee"});
  const std::string hash =
      Must(Of("Mira").ProposeAgreement(case_, "We agree to mediate.",
                                       "caucus: closed\nkeep notes: 7 days\n"
                                       "access joint: the neutrals and parties\n"),
           "proposing");
  SyncAll({"Mira", "Ana", "Ben", "Lee"}, 1);
  for (const char* name : {"Mira", "Ana", "Ben", "Lee"}) {
    PARLEY_ASSERT_OK(Of(name).SignAgreement(case_, hash));
  }
  SyncAll({"Mira", "Ana", "Ben", "Lee"});
  EXPECT_THAT(Of("Ana").Send(Ref("Ana", "joint"), "x").status().message(),
              HasSubstr("takes Lee out of joint, who may not read it"));
  Say("Lee", "caucus", "Here nobody minds.");
}

TEST_F(RetentionTest, NobodyIsApprovedWhomTheAgreementDoesntLetRead) {
  Begin("caucus: closed\nkeep notes: 7 days\naccess caucus: the neutrals and parties\n");
  PARLEY_ASSERT_OK(Of("Lee").Join(Invite("Lee", Role::kCounsel, "Harbor")));
  Sync("Mira");
  const Status refused = Of("Mira").Approve(case_, Id("Mira", "Lee"));
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.message(),
              HasSubstr("Lee (counsel, Harbor) may not read caucus by the agreement to mediate"));
  EXPECT_EQ(Find("Mira", "Lee").state, ParticipantState::kWaiting);
  Everybody();
  Say("Ana", "caucus", "Nobody is in the way.");
  // Without a side they come into no channel by themselves.
  LetIn("Eva", Role::kExpert);
}

TEST_F(RetentionTest, NobodyIsAdmittedWhomTheAgreementDoesntLetRead) {
  Begin("caucus: closed\nkeep notes: 7 days\naccess joint: the neutrals and parties\n");
  LetIn("Eva", Role::kExpert);
  Everybody();
  const Status refused = Of("Mira").Admit(Ref("Mira", "joint"), Id("Mira", "Eva"));
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.message(),
              HasSubstr("Eva (expert) may not read joint by the agreement to mediate (access "
                        "joint: the neutrals and parties), and nobody could say anything"));
  Everybody();
  Say("Ana", "joint", "Nobody is in the way.");
  // Once all have signed that she may, she is let in.
  const std::string hash =
      Must(Of("Mira").ProposeAgreement(case_, "We agree to mediate.",
                                       "caucus: closed\nkeep notes: 7 days\n"
                                       "access joint: the neutrals, parties and experts\n"),
           "proposing");
  Everybody(1);
  for (const char* name : {"Mira", "Ana", "Ben"}) {
    PARLEY_ASSERT_OK(Of(name).SignAgreement(case_, hash));
  }
  Everybody();
  PARLEY_ASSERT_OK(Of("Mira").Admit(Ref("Mira", "joint"), Id("Mira", "Eva")));
  // Of closed caucuses there is nothing to be told.
  EXPECT_EQ(Find("Ana", "caucus", 0).caution, "");
}

TEST_F(RetentionTest, PartiesConfirmTheSettlementThatWasNamedAndNoOther) {
  Begin(kAtOnce);
  const SentMessage draft = Share("Ana", "joint", "draft.txt");
  const SentMessage final_text = Share("Mira", "joint", "final.txt");
  const SentOffer open =
      Must(Of("Ana").MakeOffer(Ref("Ana", "joint"), {.text = "950 thousand"}), "offering");
  Everybody(1);
  PARLEY_ASSERT_OK(Of("Mira").Act(case_, CaseAct::kAgreeInPrinciple));
  EXPECT_EQ(Of("Mira").Act(case_, CaseAct::kStartSigning).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_THAT(Of("Mira").Act(case_, CaseAct::kStartSigning, {}, open.sent.id).status().message(),
              HasSubstr("isn't accepted by everybody"));
  PARLEY_ASSERT_OK(Of("Mira").Act(case_, CaseAct::kStartSigning, {}, final_text.id));
  Everybody(1);
  EXPECT_THAT(Of("Ana").Act(case_, CaseAct::kConfirmSettlement, {}, draft.id).status().message(),
              HasSubstr("isn't the settlement that is to be signed"));
  // A program that confirms another text is named by everybody.
  content::v1::Content other;
  other.mutable_case_act()->set_act(static_cast<uint32_t>(CaseAct::kConfirmSettlement));
  other.mutable_case_act()->set_settlement_hash(std::string(32, 'x'));
  {
    auto store = Have(client::ProfileStore::Open(folder_ / "Ben"));
    const client::CaseContext context = ContextAt(*store, 1);
    client::Transaction step = Have(store->Begin());
    Have(context.Channel(Ref("Ben", "joint").channel_id).Queue(step, other));
    Have(step.Commit());
  }
  PARLEY_ASSERT_OK(Of("Ana").Act(case_, CaseAct::kConfirmSettlement));
  Everybody();
  for (const char* name : {"Mira", "Ana", "Ben"}) {
    EXPECT_EQ(Must(Of(name).Progress(case_), "progress").state, CaseState::kSigning) << name;
    EXPECT_THAT(AlarmTexts(name), HasSubstr("Ben may not confirm-settlement: it is another"))
        << name;
  }
  PARLEY_ASSERT_OK(Of("Ben").Act(case_, CaseAct::kConfirmSettlement, {}, final_text.id));
  Everybody();
  EXPECT_EQ(Must(Of("Ana").Progress(case_), "progress").state, CaseState::kSettled);
  // The settlement is kept as one, whatever class it was shared as.
  EXPECT_EQ(Kept("Ana", "settlement").records, 1u);
  EXPECT_EQ(Kept("Ana", "documents").records, 1u);
  // Destroying is done before it is said.
  PARLEY_ASSERT_OK(Of("Mira").Act(case_, CaseAct::kClose));
  EXPECT_EQ(Of("Mira").Act(case_, CaseAct::kDestroy).status().code(),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ(Kept("Mira", "documents").records, 1u) << "a refused act has destroyed something";
  PARLEY_ASSERT_OK(Of("Mira").Act(case_, CaseAct::kRetain));
  PARLEY_ASSERT_OK(Of("Mira").Act(case_, CaseAct::kDestroy));
  EXPECT_EQ(Kept("Mira", "documents").records, 0u);
  EXPECT_EQ(Kept("Mira", "settlement").records, 1u);
  Everybody();
  EXPECT_THAT(Names(Kept("Ana", "documents").awaited), UnorderedElementsAre("Ana", "Ben"));
}

}  // namespace
}  // namespace parley
