// Briefs: handed in, held, and released together.
#include <functional>

#include "client-lib/api/carried_shares.h"
#include "client-lib/api/session_for_test.h"
#include "client-lib/channels/document_log.h"
#include "client-lib/documents/transfer.h"
#include "client-lib/firewall/disclosures.h"

namespace parley {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Have;
using ::testing::IsEmpty;
using testing::Must;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kHarborsBrief[] = "CANARY-H: the conveyor was late by nine weeks.";
constexpr char kNorthlinesBrief[] = "CANARY-N: the building was not ready before May.";

class BriefsTest : public testing::SessionTest {
 protected:
  BriefsTest() { LetEverybodyIn(); }

  std::string Write(const std::string& name, const std::string& bytes) {
    const std::string path = folder_ / name;
    testing::WriteFile(path, bytes);
    return path;
  }
  Result<SentMessage> Submit(const std::string& name, const std::string& file,
                             const std::string& bytes, const BriefRequest& request = {}) {
    return Of(name).SubmitBrief(case_, Write(file, bytes), request);
  }
  BriefList Briefs(const std::string& name) { return Must(Of(name).Briefs(case_), "briefs"); }
  std::vector<std::string> States(const std::string& name) {
    std::vector<std::string> states;
    for (const Brief& brief : Briefs(name).briefs) {
      states.push_back(brief.document.author.side + " " + BriefStateName(brief.state));
    }
    return states;
  }
  std::string Fetched(const std::string& name, const Document& document) {
    const std::string path = folder_ / (name + "-" + document.ref.message_id.ToString());
    const Status fetched = Of(name).Fetch(document.ref, path);
    return fetched.ok() ? testing::ReadFile(path) : fetched.message();
  }
  void BothHandIn() {
    Must(Submit("Ana", "harbor.pdf", kHarborsBrief), "handing in");
    Must(Submit("Ben", "northline.pdf", kNorthlinesBrief), "handing in");
    Everybody(1);
  }

  std::vector<MessageId> Uploads(const std::string& name) {
    const auto store = Have(client::ProfileStore::Open(folder_ / name));
    const client::ReadTransaction read = Have(store->Read());
    const auto job = Have(client::GetRecord<client::ReleaseJob>(read, client::RecordClass::kKeys,
                                                                client::ReleaseJobName(case_)));
    std::vector<MessageId> uploads;
    if (job.has_value()) {
      for (const client::ReleaseJob::One& one : job->briefs) uploads.push_back(one.document);
    }
    return uploads;
  }
  bool HasUpload(const std::string& name, const MessageId& upload) {
    const auto store = Have(client::ProfileStore::Open(folder_ / name));
    return Have(client::Transfers(*store).HasUpload(upload.ToString()));
  }

  // What a modified neutral's program would say of the briefs that wait, as `name` has them.
  content::v1::Content Release(const std::string& name, bool marked) {
    content::v1::Content content;
    const MessageId release = client::RandomId<MessageId>();
    content.set_message_id(client::ToField(release));
    for (const Brief& brief : Briefs(name).briefs) {
      if (brief.state != BriefState::kHeld) continue;
      auto& one = *content.mutable_brief_release()->add_briefs();
      one.set_brief_id(client::ToField(brief.document.ref.message_id));
      one.set_author_id(client::ToField(brief.document.author.id));
      one.set_author_name(brief.document.author.name);
      one.set_author_role(static_cast<content::v1::Role>(brief.document.author.role));
      one.set_side(brief.document.author.side);
      one.set_document_id(client::ToField(client::RandomId<MessageId>()));
      client::LogPlace place;
      *one.mutable_document() = Manifest(name, brief.document.ref, place);
      one.mutable_document()->clear_brief();
      one.mutable_document()->clear_brief_sides();
      if (!marked) continue;
      content::v1::Content mark;
      mark.mutable_brief_use()->set_brief_id(one.brief_id());
      mark.mutable_brief_use()->set_author_id(one.author_id());
      *mark.mutable_brief_use()->mutable_place() = client::ToField(place);
      mark.mutable_brief_use()->set_release_id(client::ToField(release));
      Inject(name, "caucus:" + one.side(), mark);
    }
    return content;
  }
  content::v1::Document Manifest(const std::string& name, const DocumentRef& document,
                                 client::LogPlace& place) {
    auto store = Have(client::ProfileStore::Open(folder_ / name));
    client::ReadTransaction read = Have(store->Read());
    content::v1::Content content;
    for (const auto& message : Have(client::ListDocuments(read, document.channel.channel_id))) {
      if (message.id != document.message_id) continue;
      content.ParseFromString(crypto::ToString(message.content.Reveal()));
      place = {message.incarnation, message.position};
    }
    return content.document();
  }
  // All that the profile shows of briefs and releases.
  std::string Shown(const std::string& name) {
    std::string shown = AlarmTexts(name);
    for (const std::string& state : States(name)) shown += state + "\n";
    for (const ReleasedBriefs& release : Briefs(name).released) {
      shown += std::to_string(release.documents.size()) + " released: " + release.note + "\n";
    }
    for (const Message& message : Read(name)) shown += message.text + ": " + message.note + "\n";
    return shown;
  }
  // Without the lists, as in a profile of an earlier build, all documents are read: with the same
  // outcome.
  void ExpectTheSameWithoutLists(const std::string& name) {
    const std::string with_lists = Shown(name);
    {
      auto store = Have(client::ProfileStore::Open(folder_ / name));
      client::Transaction step = Have(store->Begin());
      for (const Channel& channel : Must(Of(name).Channels(case_), "channels")) {
        if (channel.kind != ChannelKind::kCaucus) continue;
        const std::string list = "channel/" + channel.ref.channel_id.ToString() + "/briefs";
        EXPECT_TRUE(Have(step.Has(client::RecordClass::kIndex, list)));
        Have(step.Delete(client::RecordClass::kIndex, list));
      }
      Have(step.Commit());
    }
    EXPECT_EQ(Shown(name), with_lists) << name;
  }
  // That nobody of these shows anything of the last release in the joint channel, and all say why.
  void ExpectRefused(const std::vector<std::string>& names, const std::string& why) {
    for (const std::string& name : names) {
      const ReleasedBriefs release = Briefs(name).released.back();
      EXPECT_TRUE(release.refused) << name;
      EXPECT_THAT(release.note, HasSubstr(why)) << name;
      EXPECT_THAT(release.documents, IsEmpty()) << name;
      EXPECT_TRUE(Last(name).refused) << name;
      EXPECT_THAT(AlarmTexts(name), HasSubstr("a release of briefs by Tomas")) << name;
    }
  }
};

TEST_F(BriefsTest, BriefsAreHeldUntilAllAreInAndReleasedTogether) {
  Must(Submit("Ana", "harbor.pdf", kHarborsBrief, {.document_class = DocumentClass::kPrivileged}),
       "handing in");
  Everybody(1);
  EXPECT_THAT(Briefs("Mira").missing, ElementsAre("Northline"));
  EXPECT_FALSE(Briefs("Mira").can_release);
  const Result<SentMessage> early = Of("Mira").ReleaseBriefs(case_);
  EXPECT_EQ(early.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(early.status().message(), HasSubstr("no exchanged brief from Northline"));
  EXPECT_EQ(Of("Ana").ReleaseBriefs(case_).status().code(), StatusCode::kPermissionDenied);
  // Nobody of the other side learns of it, and the refusal has said nothing anywhere.
  EXPECT_THAT(Briefs("Ben").briefs, IsEmpty());
  EXPECT_THAT(Read("Ben"), IsEmpty());
  EXPECT_THAT(Read("Ana", "caucus"), SizeIs(1));
  Must(Submit("Ben", "northline.pdf", kNorthlinesBrief), "handing in");
  Everybody(1);
  EXPECT_TRUE(Briefs("Tomas").can_release);
  EXPECT_THAT(Read("Ana"), IsEmpty());
  EXPECT_THAT(Briefs("Ana").missing, IsEmpty());  // parties aren't told either way
  EXPECT_THAT(States("Ana"), ElementsAre("Harbor held"));
  Must(Of("Mira").ReleaseBriefs(case_), "releasing");
  Everybody();
  for (const char* name : {"Mira", "Tomas", "Ana", "Lee", "Ben"}) {
    const BriefList list = Briefs(name);
    ASSERT_THAT(list.released, SizeIs(1)) << name;
    EXPECT_FALSE(list.released[0].refused) << list.released[0].note;
    EXPECT_EQ(list.released[0].by.name, "Mira");
    const std::vector<Document>& documents = list.released[0].documents;
    ASSERT_THAT(documents, SizeIs(2));
    EXPECT_EQ(documents[0].name, "harbor.pdf");
    EXPECT_EQ(documents[0].author.name, "Ana");
    EXPECT_EQ(documents[0].document_class, DocumentClass::kPrivileged);
    EXPECT_EQ(Fetched(name, documents[0]), kHarborsBrief);
    EXPECT_EQ(Fetched(name, documents[1]), kNorthlinesBrief);
    EXPECT_THAT(Must(Of(name).Documents(Ref(name, "joint")), "documents"), SizeIs(2));
    EXPECT_THAT(AlarmTexts(name), Not(HasSubstr("release of briefs")));
    EXPECT_THAT(Last(name).text, HasSubstr("releases the briefs of Harbor"));
  }
  EXPECT_THAT(States("Mira"), ElementsAre("Harbor released", "Northline released"));
  // There is nothing left to release, and what all have read may be shared again.
  const Status nothing = Of("Tomas").ReleaseBriefs(case_).status();
  EXPECT_EQ(nothing.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(nothing.message(), HasSubstr("have been released already"));
  PARLEY_ASSERT_OK(
      Of("Mira").Share(Ref("Mira", "caucus:Northline"), Write("again.pdf", kHarborsBrief)));
}

TEST_F(BriefsTest, AHeldBriefStaysBehindTheFirewall) {
  BothHandIn();
  const Result<SentMessage> refused =
      Of("Mira").Share(Ref("Mira", "joint"), Write("copy.pdf", kHarborsBrief));
  EXPECT_EQ(refused.status().code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(refused.status().message(), HasSubstr("caucus:Harbor"));
}

TEST_F(BriefsTest, ALaterOneReplacesAndAWithdrawnOneIsMissing) {
  BothHandIn();
  const MessageId second = Must(Submit("Lee", "better.pdf", "better words"), "handing in").id;
  Everybody(1);
  EXPECT_THAT(States("Mira"), ElementsAre("Harbor replaced", "Harbor held", "Northline held"));
  Must(Of("Lee").Withdraw({Ref("Lee", "caucus"), second}), "withdrawing");
  Everybody(1);
  EXPECT_THAT(Briefs("Mira").missing, ElementsAre("Harbor"));
  EXPECT_EQ(Of("Mira").ReleaseBriefs(case_).status().code(), StatusCode::kFailedPrecondition);
  Must(Submit("Ana", "third.pdf", "third words"), "handing in");
  Must(Of("Tomas").ReleaseBriefs(case_), "releasing");
  Everybody();
  const BriefList list = Briefs("Ben");
  ASSERT_THAT(list.released, SizeIs(1));
  ASSERT_FALSE(list.released[0].refused) << list.released[0].note;
  EXPECT_EQ(Fetched("Ben", list.released[0].documents[0]), "third words");
}

TEST_F(BriefsTest, ABriefForTheNeutralsIsNeverReleased) {
  Must(Submit("Ana", "private.pdf", kHarborsBrief, {.kind = BriefKind::kMediatorOnly}),
       "handing in");
  Must(Submit("Ben", "northline.pdf", kNorthlinesBrief), "handing in");
  Everybody(1);
  EXPECT_THAT(Briefs("Mira").missing, ElementsAre("Harbor"));
  EXPECT_EQ(Of("Mira").ReleaseBriefs(case_).status().code(), StatusCode::kFailedPrecondition);
  // A modified program releases it all the same.
  Inject("Tomas", "joint", Release("Tomas", /*marked=*/true));
  Everybody();
  ExpectRefused({"Mira", "Ana", "Lee"}, "for the neutrals only");
}

TEST_F(BriefsTest, OnlyPartiesAndCounselHandInAndOnlyWhenThereIsAnotherSide) {
  EXPECT_EQ(Submit("Mira", "m.pdf", "words").status().code(), StatusCode::kPermissionDenied);
  PARLEY_ASSERT_OK(Of("Mira").Remove(case_, Id("Mira", "Ben")));
  SyncAll({"Mira", "Tomas", "Ana", "Lee"});
  const Result<SentMessage> alone = Submit("Ana", "harbor.pdf", kHarborsBrief);
  EXPECT_EQ(alone.status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(BriefsTest, AReleaseBeforeAllAreInIsRefusedByThoseWhoKnow) {
  Must(Submit("Ana", "harbor.pdf", kHarborsBrief), "handing in");
  Everybody(1);
  // One alone.
  Inject("Tomas", "joint", Release("Tomas", true));
  Everybody();
  ExpectRefused({"Mira", "Ana", "Lee", "Ben"}, "isn't of two sides");
  // With one that the other side hasn't handed in.
  content::v1::Content made_up = Release("Tomas", true);
  auto& second = *made_up.mutable_brief_release()->add_briefs();
  second = made_up.brief_release().briefs(0);
  second.set_side("Northline");
  second.set_author_id(client::ToField(Id("Mira", "Ben")));
  second.set_author_name("Ben");
  second.set_brief_id(client::ToField(client::RandomId<MessageId>()));
  second.set_document_id(client::ToField(client::RandomId<MessageId>()));
  second.mutable_document()->set_plaintext_root(std::string(32, 'n'));
  const content::v1::BriefRelease::Brief bens = second;
  Inject("Tomas", "joint", made_up);
  Everybody();
  ExpectRefused({"Mira", "Ben"}, "none that was handed in");
  // With one of a side that the brief doesn't name in the place of the one that it does.
  made_up = Release("Tomas", true);
  auto& third = *made_up.mutable_brief_release()->add_briefs();
  third = bens;
  third.set_side("Somebody");
  third.set_document_id(client::ToField(client::RandomId<MessageId>()));
  Inject("Tomas", "joint", made_up);
  Everybody();
  ExpectRefused({"Mira", "Ana", "Lee"}, "only when Northline has handed one in");
  // The others would take the right one: Harbor's program, too, which had to believe the second.
  EXPECT_THAT(States("Mira"), ElementsAre("Harbor held"));
  Must(Submit("Ben", "northline.pdf", kNorthlinesBrief), "handing in");
  Must(Of("Mira").ReleaseBriefs(case_), "releasing");
  Everybody();
  for (const char* name : {"Mira", "Ana", "Ben"}) {
    const ReleasedBriefs release = Briefs(name).released.back();
    ASSERT_FALSE(release.refused) << name << ": " << release.note;
    EXPECT_EQ(Fetched(name, release.documents[1]), kNorthlinesBrief);
  }
}

TEST_F(BriefsTest, AReleaseOfOtherThanWhatWasHandedInIsRefused) {
  BothHandIn();
  Inject("Tomas", "joint", Release("Tomas", /*marked=*/false));
  Everybody();
  ExpectRefused({"Mira", "Ana", "Ben"}, "was not marked for this release");
  content::v1::Content swapped = Release("Tomas", true);
  swapped.mutable_brief_release()->mutable_briefs(0)->mutable_document()->set_name("other.pdf");
  Inject("Tomas", "joint", swapped);
  Everybody();
  ExpectRefused({"Mira", "Ana"}, "is another document");
  // Nor may it say more than the brief: to Ben, too, who has no way of knowing Harbor's.
  const auto add = [&](const std::function<void(content::v1::Document&)>& change,
                       const std::string& what) {
    content::v1::Content more = Release("Tomas", true);
    change(*more.mutable_brief_release()->mutable_briefs(0)->mutable_document());
    Inject("Tomas", "joint", more);
    Everybody(1);
    ExpectRefused({"Mira", "Ana", "Ben"}, what);
  };
  add([](auto& document) { document.set_note("They take 600."); }, "it has a note");
  add([](auto& document) { document.set_preview("a picture"); }, "it has a preview");
  add([](auto& document) { document.set_version(600); }, "it has an earlier version");
  add([](auto& document) { document.set_expires_at(600); }, "it has a time when it ends");
  add([](auto& document) { document.add_brief_sides("600"); }, "it has what briefs have");
  // One that was withdrawn before it was marked.
  const content::v1::Content late = Release("Tomas", false);
  const MessageId harbors = Briefs("Ana").briefs.back().document.ref.message_id;
  Must(Of("Ana").Withdraw({Ref("Ana", "caucus"), harbors}), "withdrawing");
  Everybody(1);
  Inject("Tomas", "joint", late);
  Everybody();
  ExpectRefused({"Mira", "Ana"}, "was withdrawn before");
  // By who is no neutral; nobody is warned of what nobody believes.
  content::v1::Content bens = late;
  bens.set_message_id(client::ToField(client::RandomId<MessageId>()));
  Inject("Ben", "joint", bens);
  Everybody();
  EXPECT_TRUE(Briefs("Ana").released.back().refused);
  EXPECT_THAT(Briefs("Ana").released.back().note, HasSubstr("is no neutral"));
  for (const char* name : {"Mira", "Ana"}) ExpectTheSameWithoutLists(name);
}

TEST_F(BriefsTest, ARetractedBriefDoesntBringBackTheOneThatItReplaced) {
  BothHandIn();
  const MessageId second = Must(Submit("Lee", "better.pdf", "better words"), "handing in").id;
  Must(Of("Lee").Retract(Ref("Lee", "caucus"), second), "retracting");
  Everybody(1);
  EXPECT_THAT(States("Mira"), ElementsAre("Harbor replaced", "Northline held"));
  EXPECT_THAT(Briefs("Mira").missing, ElementsAre("Harbor"));
  EXPECT_EQ(Of("Mira").ReleaseBriefs(case_).status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(BriefsTest, AReleaseStaysRightWhenABriefIsRetractedAfterwards) {
  BothHandIn();
  const MessageId harbors = Briefs("Ana").briefs.front().document.ref.message_id;
  const content::v1::Content late = Release("Tomas", false);
  Must(Of("Mira").ReleaseBriefs(case_), "releasing");
  Must(Of("Ana").Retract(Ref("Ana", "caucus"), harbors), "retracting");
  Everybody();
  for (const char* name : {"Mira", "Ana"}) {
    EXPECT_FALSE(Briefs(name).released.back().refused) << Briefs(name).released.back().note;
  }
  // But no other document passes as the one that was taken back.
  Inject("Tomas", "joint", late);
  Everybody();
  ExpectRefused({"Mira", "Ana"}, "was withdrawn before");
  for (const char* name : {"Mira", "Ana"}) ExpectTheSameWithoutLists(name);
}

// What a side has confided isn't released as another's brief; what it took back may be anybody's.
TEST_F(BriefsTest, AContentIsConfidedAsLongAsOneDocumentHasIt) {
  BothHandIn();
  const std::string ours = Write("ours.txt", "for us alone");
  const ChannelRef caucus = Ref("Ana", "caucus");
  const MessageId first = Must(Of("Ana").Share(caucus, ours), "sharing").id;
  const MessageId second = Must(Of("Lee").Share(Ref("Lee", "caucus"), ours), "sharing").id;
  Everybody(1);
  content::v1::Content content = Release("Tomas", true);
  client::LogPlace place;
  auto& northlines = *content.mutable_brief_release()->mutable_briefs(1);
  northlines.set_brief_id(client::ToField(client::RandomId<MessageId>()));  // unknown to Ana
  northlines.mutable_document()->set_plaintext_root(
      Manifest("Ana", {caucus, first}, place).plaintext_root());
  Inject("Tomas", "joint", content);
  Must(Of("Ana").Retract(caucus, first), "retracting");
  Sync("Ana");
  EXPECT_THAT(Briefs("Ana").released.back().note, HasSubstr("is a document of Harbor's caucus"));
  Must(Of("Lee").Retract(Ref("Lee", "caucus"), second), "retracting");
  Sync("Ana");
  EXPECT_THAT(Briefs("Ana").released.back().note,
              Not(HasSubstr("is a document of Harbor's caucus")));
  ExpectTheSameWithoutLists("Ana");
}

TEST_F(BriefsTest, ARetractedDocumentThatWasNoBriefIsNone) {
  BothHandIn();
  Must(Of("Ana").Share(Ref("Ana", "caucus"), Write("ours.txt", "for us alone")), "sharing");
  const MessageId text = Must(Of("Ana").Send(Ref("Ana", "caucus"), "a slip"), "saying").id;
  Must(Of("Ana").Retract(Ref("Ana", "caucus"), text), "retracting");
  Everybody(1);
  content::v1::Content content = Release("Tomas", true);
  content.mutable_brief_release()->mutable_briefs(0)->set_brief_id(client::ToField(text));
  Inject("Tomas", "joint", content);
  Everybody();
  ExpectRefused({"Mira", "Ana"}, "none that was handed in");
}

TEST_F(BriefsTest, AnotherSidesNameDoesntHideWhatIsReleased) {
  BothHandIn();
  content::v1::Content content = Release("Tomas", true);
  content::v1::BriefRelease::Brief& harbors = *content.mutable_brief_release()->mutable_briefs(0);
  harbors.set_side("Harb0r");
  Inject("Tomas", "joint", content);
  Everybody();
  ExpectRefused({"Mira", "Ana"}, "is given another side");
  content.clear_message_id();
  harbors.set_brief_id(client::ToField(client::RandomId<MessageId>()));
  Inject("Tomas", "joint", content);
  Everybody();
  ExpectRefused({"Ana"}, "is a document of Harbor's caucus");
  ExpectRefused({"Mira"}, "is of a side that isn't in the joint channel");
}

TEST_F(BriefsTest, AnEndThatDidntCountDoesntMakeARightReleaseWrong) {
  BothHandIn();
  const Document harbors = Briefs("Ana").briefs.front().document;
  content::v1::Content end;
  end.mutable_document_end()->set_message_id(client::ToField(harbors.ref.message_id));
  end.mutable_document_end()->set_author_id(client::ToField(harbors.author.id));
  client::LogPlace place;
  Manifest("Ana", harbors.ref, place);
  *end.mutable_document_end()->mutable_place() = client::ToField(place);
  end.mutable_document_end()->set_reason(content::v1::DocumentEnd::REASON_EXPIRED);
  Inject("Ana", "caucus", end);  // it has no time
  Everybody(1);
  Must(Of("Mira").ReleaseBriefs(case_), "releasing");
  Must(Of("Ana").Withdraw(harbors.ref), "withdrawing");
  Everybody();
  for (const char* name : {"Mira", "Ana"}) {
    EXPECT_FALSE(Briefs(name).released.back().refused) << Briefs(name).released.back().note;
  }
}

TEST_F(BriefsTest, WhatAnInterruptedReleaseHasUploadedGoesWithIt) {
  Must(Submit("Ana", "harbor.pdf", kHarborsBrief), "handing in");
  Must(Submit("Ben", "northline.pdf", std::string(9 << 20, 'n')), "handing in");
  Everybody(1);
  // The small one is uploaded; it stops at the large one.
  const Result<SentMessage> stopped =
      Of("Mira").ReleaseBriefs(case_, [](uint64_t, uint64_t total) { return total < (1 << 20); });
  ASSERT_EQ(stopped.status().code(), StatusCode::kCancelled);
  const std::vector<MessageId> uploaded = Uploads("Mira");
  ASSERT_THAT(uploaded, SizeIs(2));
  EXPECT_TRUE(HasUpload("Mira", uploaded[0]));
  Must(Submit("Ana", "harbor.pdf", "CANARY-H: another brief."), "handing in");
  Everybody(1);
  Must(Of("Mira").ReleaseBriefs(case_), "releasing");
  for (const MessageId& upload : uploaded) EXPECT_FALSE(HasUpload("Mira", upload));
}

TEST_F(BriefsTest, AReleaseThatWaitsGoesOutAndNoOtherBesideIt) {
  BothHandIn();
  const content::v1::Content waiting = Release("Mira", true);
  LeaveWaiting("Mira", "joint", waiting);
  const SentMessage sent = Must(Of("Mira").ReleaseBriefs(case_), "releasing");
  EXPECT_EQ(client::ToField(sent.id), waiting.message_id());
  EXPECT_THAT(Briefs("Mira").released, SizeIs(1));
}

TEST_F(BriefsTest, OfAReleaseThatWaitsItIsSaidWhatBecomesOfIt) {
  BothHandIn();
  const content::v1::Content unmarked = Release("Mira", /*marked=*/false);
  LeaveWaiting("Mira", "joint", unmarked);
  EXPECT_TRUE(Briefs("Mira").release_waits);
  EXPECT_FALSE(Briefs("Mira").can_release);
  relay_.Stop();
  const SentMessage waits = Must(Of("Mira").ReleaseBriefs(case_), "releasing");
  EXPECT_TRUE(waits.queued);
  EXPECT_THAT(waits.queued_because, Not(IsEmpty()));
  EXPECT_TRUE(Briefs("Mira").release_waits);
  relay_.Start();
  const Result<SentMessage> sent = Of("Mira").ReleaseBriefs(case_);
  EXPECT_EQ(sent.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(sent.status().message(), HasSubstr("the release doesn't count"));
  EXPECT_FALSE(Briefs("Mira").release_waits);
  EXPECT_TRUE(Briefs("Mira").can_release);
}

TEST_F(BriefsTest, OfAReleaseThatCantGoOutItIsSaidWhy) {
  BothHandIn();
  LeaveWaiting("Mira", "joint", Release("Mira", true));
  EXPECT_THAT(Briefs("Mira").waits_because, IsEmpty());
  {
    auto store = Have(client::ProfileStore::Open(folder_ / "Mira"));
    client::CaseContext context;
    context.store = store.get();
    context.now_seconds = [] { return static_cast<uint64_t>(time(nullptr)); };
    context.id = case_;
    client::Transaction step = Have(store->Begin());
    Have(context.Channel(Ref("Mira", "joint").channel_id).Halt(step, "for the test"));
    Have(step.Commit());
  }
  EXPECT_TRUE(Briefs("Mira").release_waits);
  EXPECT_THAT(Briefs("Mira").waits_because, HasSubstr("has to reopen it"));
}

TEST_F(BriefsTest, ABriefIsHandedInWithItsMetadataWhereThatIsAsked) {
  const std::string scan = "%PDF-1.4\n1 0 obj\n<< /Broken";  // can't be cleaned
  EXPECT_EQ(Submit("Ana", "scan.pdf", scan).status().code(), StatusCode::kFailedPrecondition);
  const SentMessage sent =
      Must(Submit("Ana", "scan.pdf", scan, {.keep_metadata = true}), "handing in");
  EXPECT_EQ(sent.metadata, MetadataOutcome::kKept);
}

TEST_F(BriefsTest, NobodyKeepsOthersFromFetchingWhatWasReleased) {
  BothHandIn();
  Must(Of("Mira").ReleaseBriefs(case_), "releasing");
  Everybody();
  const Document harbors = Briefs("Ben").released.front().documents[0];
  content::v1::Content content;
  content.mutable_brief_release()->add_briefs()->set_document_id(
      client::ToField(harbors.ref.message_id));
  Inject("Ben", "joint", content);
  content.set_message_id(client::ToField(harbors.ref.message_id));
  content.mutable_document()->set_name("in its place.pdf");
  Inject("Ben", "joint", content);
  Everybody();
  EXPECT_EQ(Fetched("Ana", harbors), kHarborsBrief);
}

TEST_F(BriefsTest, TwoNeutralsMayReleaseAtOnce) {
  BothHandIn();
  const content::v1::Content tomas = Release("Tomas", true);
  Must(Of("Mira").ReleaseBriefs(case_), "releasing");
  Inject("Tomas", "joint", tomas);
  Everybody();
  for (const char* name : {"Mira", "Ana", "Ben"}) {
    const BriefList list = Briefs(name);
    ASSERT_THAT(list.released, SizeIs(2));
    EXPECT_FALSE(list.released[0].refused);
    EXPECT_FALSE(list.released[1].refused);
    EXPECT_THAT(list.released[1].note, HasSubstr("was released before"));
    EXPECT_THAT(AlarmTexts(name), Not(HasSubstr("release of briefs")));
  }
}

}  // namespace
}  // namespace parley
