// Who takes part by the neutrals' list, and by the channel; and the history for who comes (back).
#include <algorithm>
#include <ctime>
#include <set>
#include <string>

#include "client-lib/api/agreed_case_for_test.h"

namespace parley {
namespace {

using testing::Attacker;
using ::testing::HasSubstr;
using testing::Must;
using ::testing::Not;

class ListingTest : public testing::AgreedCase {
 protected:
  CaseProgress Progress(const std::string& name) {
    return Must(Of(name).Progress(case_), "progress");
  }
  std::string Missing(const std::string& name) {
    std::string text;
    for (const CaseMissing& one : Progress(name).missing) text += one.who + " " + one.what + "\n";
    return text;
  }
  std::string Propose(const std::string& text) {
    return Must(Of("Mira").ProposeAgreement(
                    case_, text, "caucus: closed\nkeep notes: 7 days\nkeep messages: 90 days\n"),
                "proposing");
  }
  void WithEva(int rounds = 2) { SyncAll({"Mira", "Ana", "Ben", "Eva"}, rounds); }
  void LetEvaIntoJoint() {
    PARLEY_ASSERT_OK(Of("Mira").Admit(Ref("Mira", "joint"), Id("Mira", "Eva")));
  }
  void PutEvaOutOfJoint() {
    PARLEY_ASSERT_OK(Of("Mira").Dismiss(Ref("Mira", "joint"), Id("Mira", "Eva")));
  }
  // By a changed program of Mira's, which lists nobody; gives the joint channel. Mira's own is
  // away.
  ChannelId LetEvaIntoJointUnlisted() {
    LetIn("Eva", Role::kExpert);
    const ChannelId joint = Ref("Mira", "joint").channel_id;
    const ParticipantId eva = Id("Mira", "Eva");
    profiles_.erase("Mira");
    Attacker mira(folder_ / "Mira", relay_, case_);
    mira.LetInto(joint, mira.Person(eva));
    return joint;
  }
  // As what she isn't: of another side than she is.
  void ListAnaWrongly(int made_up = 0) {
    content::v1::Content list;
    content::v1::CaseOverview& overview = *list.mutable_case_overview();
    for (const char* name : {"Mira", "Ana"}) {
      const Participant who = Find("Mira", name);
      auto& listed = *overview.add_participants();
      listed.set_participant_id(client::ToField(who.id));
      listed.set_name(who.name);
      listed.set_role(static_cast<content::v1::Role>(who.role));
      listed.set_side(who.side.empty() ? "" : "Northline");
    }
    for (int i = 0; i < made_up; ++i) {
      auto& listed = *overview.add_participants();
      listed.set_participant_id(client::ToField(client::RandomId<ParticipantId>()));
      listed.set_name("Nobody");
      listed.set_role(content::v1::ROLE_EXPERT);
    }
    Inject("Mira", "joint", list);
  }
  // As a sync does that finds nothing new, so many seconds from now.
  void ReadLater(const std::string& name, int64_t seconds, const std::set<ChannelId>& unread = {}) {
    auto store = testing::Have(client::ProfileStore::Open(folder_ / name));
    client::CaseContext context;
    context.store = store.get();
    context.now_seconds = [seconds] { return static_cast<uint64_t>(std::time(nullptr) + seconds); };
    context.id = case_;
    client::Transaction step = testing::Have(store->Begin());
    testing::Have(client::RunProcedureErrands(step, context, unread));
    testing::Have(step.Commit());
  }
  static size_t TextsWith(const std::string& text, const std::string& part) {
    size_t count = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
      ++count;
    }
    return count;
  }
  void EverybodyWithEvaSigns(const std::string& hash) {
    for (const char* name : {"Mira", "Ana", "Ben", "Eva"}) {
      PARLEY_ASSERT_OK(Of(name).SignAgreement(case_, hash));
    }
    WithEva();
  }
  // How long their device keeps messages.
  std::string Kept(const std::string& name) {
    for (const RetentionClass& one : Must(Of(name).RecordsKept(case_), "kept").classes) {
      if (one.name == "messages") return one.how_long;
    }
    return "nothing is agreed";
  }
  // She has signed that version, speaks, and nobody is accused.
  void ExpectEvaTakesPart(const std::string& hash) {
    const bool in_force = Progress("Eva").in_force.has_value();
    const bool proposed = Progress("Eva").proposed.has_value();
    ASSERT_TRUE(in_force || proposed) << Missing("Eva");
    EXPECT_EQ(proposed ? Progress("Eva").proposed->hash : Progress("Eva").in_force->hash, hash);
    PARLEY_ASSERT_OK(Of("Eva").SignAgreement(case_, hash));
    WithEva();
    Say("Eva", "joint", "The conveyor's bearings are of the wrong kind.");
    for (const char* name : {"Mira", "Ana", "Ben", "Eva"}) {
      EXPECT_THAT(AlarmTexts(name), Not(HasSubstr("passed it over"))) << name;
      EXPECT_THAT(AlarmTexts(name), Not(HasSubstr("the neutrals' list"))) << name;
    }
  }
};

TEST_F(ListingTest, AListThatIsntTheChannelsIsToldToEverybodyUntilItIsMended) {
  Begin("caucus: closed\nkeep notes: 7 days\n");
  ListAnaWrongly();
  SyncAll({"Ana", "Ben"}, 1);
  for (const char* name : {"Ana", "Ben"}) {
    for (const std::string& told : {AlarmTexts(name), Missing(name)}) {
      EXPECT_THAT(told, HasSubstr("lists Ben (party, Northline) among the case's participants"));
      EXPECT_THAT(told, HasSubstr("lists Ana (party, Harbor) as what they are"));
    }
    EXPECT_THAT(AlarmTexts(name), HasSubstr("agreements come into force by it"));
  }
  // A commit that changes nobody mends nothing.
  Attacker(folder_ / "Mira", relay_, case_).KeepControl(Ref("Mira", "joint").channel_id);
  SyncAll({"Ana", "Ben"}, 1);
  for (const char* name : {"Ana", "Ben"}) {
    EXPECT_THAT(AlarmTexts(name), HasSubstr("lists Ana (party, Harbor) as what they are")) << name;
  }
  // An honest program of a neutral mends it.
  Everybody();
  for (const char* name : {"Mira", "Ana", "Ben"}) {
    EXPECT_THAT(AlarmTexts(name), Not(HasSubstr("the neutrals' list"))) << name;
    EXPECT_THAT(Missing(name), Not(HasSubstr("lists"))) << name;
  }
}

TEST_F(ListingTest, WhoeverIsMadeUpIsCounted) {
  Begin("caucus: closed\nkeep notes: 7 days\n");
  ListAnaWrongly(/*made_up=*/300);
  SyncAll({"Ana"}, 1);
  EXPECT_EQ(TextsWith(AlarmTexts("Ana"), "Nobody"), 30u);
  EXPECT_THAT(AlarmTexts("Ana"), HasSubstr("mends 270 more entries"));
  EXPECT_EQ(TextsWith(Missing("Ana"), "\n"), 129u);
  EXPECT_THAT(Missing("Ana"), HasSubstr("more things that are missing"));
}

// Whom the channel has let in, or put out, since the list needs no warning yet.
TEST_F(ListingTest, WhoHasJustComeOrGoneIsNoWrongList) {
  Begin("caucus: closed\nkeep notes: 7 days\n");
  LetIn("Eva", Role::kExpert);
  LetEvaIntoJoint();
  WithEva();
  const ChannelId joint = Ref("Mira", "joint").channel_id;
  {
    Attacker mira(folder_ / "Mira", relay_, case_);
    mira.PutOut(joint, Id("Mira", "Eva"));
  }
  SyncAll({"Ana"}, 1);
  EXPECT_THAT(Missing("Ana"), HasSubstr("takes Eva, who isn't in the joint channel, off"));
  EXPECT_THAT(AlarmTexts("Ana"), Not(HasSubstr("the neutrals' list")));
}

// Nothing more is said in a quiet case: then time makes a list overdue, once the channel was read
// after it.
TEST_F(ListingTest, WhoIsLetInAndNeverListedIsToldAfterADayInAQuietCase) {
  Begin("caucus: closed\nkeep notes: 7 days\n");
  const ChannelId joint = LetEvaIntoJointUnlisted();
  Sync("Ana");
  EXPECT_THAT(Missing("Ana"), HasSubstr("lists Eva (expert) among the case's participants"));
  constexpr int64_t kHour = 60 * 60;
  ReadLater("Ana", 23 * kHour);
  EXPECT_THAT(AlarmTexts("Ana"), Not(HasSubstr("the neutrals' list")));
  ReadLater("Ana", 25 * kHour, {joint});  // and it couldn't be read
  EXPECT_THAT(AlarmTexts("Ana"), Not(HasSubstr("the neutrals' list")));
  ReadLater("Ana", 25 * kHour);
  EXPECT_THAT(AlarmTexts("Ana"), HasSubstr("lists Eva (expert) among the case's participants"));
  EXPECT_THAT(AlarmTexts("Ana"), HasSubstr("the relay may also be keeping back"));
  profiles_.emplace("Mira", Another("Mira"));
  LetEvaIntoJoint();  // as her own program knows it
  WithEva();
  EXPECT_THAT(AlarmTexts("Ana"), Not(HasSubstr("the neutrals' list")));
}

// The clock was ten days ahead when it was noted, and has been set right.
TEST_F(ListingTest, AClockThatWasAheadPutsOffNoWarningOfTheList) {
  Begin("caucus: closed\nkeep notes: 7 days\n");
  LetEvaIntoJointUnlisted();
  Sync("Ana");
  constexpr int64_t kHour = 60 * 60;
  ReadLater("Ana", -240 * kHour);
  ReadLater("Ana", -217 * kHour);
  EXPECT_THAT(AlarmTexts("Ana"), Not(HasSubstr("the neutrals' list")));
  ReadLater("Ana", -215 * kHour);
  EXPECT_THAT(AlarmTexts("Ana"), HasSubstr("lists Eva (expert) among the case's participants"));
}

TEST_F(ListingTest, WhoIsPutOutAndComesBackLearnsWhatWasDoneMeanwhileAndSigns) {
  Begin("caucus: closed\nkeep notes: 7 days\n");
  LetIn("Eva", Role::kExpert);
  LetEvaIntoJoint();
  WithEva();
  PARLEY_ASSERT_OK(Of("Eva").SignAgreement(case_, Progress("Eva").in_force->hash));
  WithEva();
  PutEvaOutOfJoint();
  WithEva();
  const std::string amended = Propose("We agree to mediate, by the end of May.");
  Everybody(1);
  for (const char* name : {"Mira", "Ana", "Ben"}) {
    PARLEY_ASSERT_OK(Of(name).SignAgreement(case_, amended));
  }
  Everybody();
  LetEvaIntoJoint();
  WithEva();
  ExpectEvaTakesPart(amended);
}

// A mediator dismisses her, and lets her in again with a history without what she signed last.
TEST_F(ListingTest, WhoComesBackIsntToldAnotherPastThanTheirOwn) {
  Begin("caucus: closed\nkeep notes: 7 days\n");
  LetIn("Eva", Role::kExpert);
  LetEvaIntoJoint();
  WithEva();
  const std::string amended = Propose("We agree to mediate, by the end of May.");
  WithEva(1);
  EverybodyWithEvaSigns(amended);
  ASSERT_EQ(Progress("Eva").in_force->hash, amended);
  ASSERT_THAT(Kept("Eva"), HasSubstr("90 days"));
  PutEvaOutOfJoint();
  WithEva();
  const ChannelId joint = Ref("Mira", "joint").channel_id;
  const ParticipantId eva = Id("Mira", "Eva");
  profiles_.erase("Mira");
  {
    Attacker mira(folder_ / "Mira", relay_, case_);
    mira.LetInto(joint, mira.Person(eva));
    mira.Send();
    content::v1::Content lie = mira.Overview();
    auto& history = *lie.mutable_case_overview()->mutable_history();
    int kept = 0;
    while (history[kept].content().find("by the end of May") == std::string::npos) ++kept;
    history.DeleteSubrange(kept, history.size() - kept);
    mira.Say(joint, lie);
  }
  SyncAll({"Eva", "Ana"}, 2);
  for (const char* name : {"Eva", "Ana"}) {
    EXPECT_THAT(AlarmTexts(name), HasSubstr("another history of the case")) << name;
  }
  EXPECT_THAT(Missing("Eva"), HasSubstr("tells what was done before"));
  EXPECT_FALSE(Progress("Eva").may_speak);
  EXPECT_THAT(Kept("Eva"), HasSubstr("90 days"));  // by what she has signed
  profiles_.emplace("Mira", Another("Mira"));
  LetEvaIntoJoint();  // as her own program knows it
  WithEva();
  ASSERT_TRUE(Progress("Eva").in_force.has_value()) << Missing("Eva");
  EXPECT_EQ(Progress("Eva").in_force->hash, amended);
  EXPECT_TRUE(Progress("Eva").may_speak) << Missing("Eva");
}

// A true list without the history, or with one that ends before she came, tells her nothing: an
// honest program of a neutral still owes it, also when it has nothing to let in or to list.
TEST_F(ListingTest, AListThatTellsNothingLeavesNobodyWithoutTheHistory) {
  Begin("caucus: closed\nkeep notes: 7 days\n");
  LetIn("Eva", Role::kExpert);
  LetEvaIntoJoint();
  WithEva();
  const ChannelId joint = Ref("Mira", "joint").channel_id;
  const ParticipantId eva = Id("Mira", "Eva");
  for (const bool is_early : {false, true}) {
    profiles_.erase("Mira");
    {
      Attacker mira(folder_ / "Mira", relay_, case_);
      mira.PutOut(joint, eva);
      content::v1::Content unread;
      unread.mutable_text()->set_text("Eva isn't here to read this.");
      mira.Say(joint, unread);
      content::v1::Content list = mira.Overview();
      mira.LetInto(joint, mira.Person(eva));
      mira.Send();
      content::v1::CaseOverview& overview = *list.mutable_case_overview();
      *overview.mutable_participants() = mira.Overview().case_overview().participants();
      if (!is_early) overview.clear_history();
      mira.Say(joint, list);
    }
    Sync("Eva");
    EXPECT_THAT(Missing("Eva"), HasSubstr("tells what was done before"));
    profiles_.emplace("Mira", Another("Mira"));
    WithEva();
    EXPECT_TRUE(Progress("Eva").in_force.has_value()) << is_early << Missing("Eva");
  }
}

// The relay loses the mailbox before she has read that something was proposed and signed.
TEST_F(ListingTest, WhoHasMissedSomethingWhereTheChannelIsOpenedAnewLearnsIt) {
  Begin("caucus: closed\nkeep notes: 7 days\n");
  LetIn("Eva", Role::kExpert);
  LetEvaIntoJoint();
  WithEva();
  const std::string amended = Propose("We agree to mediate, by the end of May.");
  Everybody(1);
  for (const char* name : {"Mira", "Ana", "Ben"}) {
    PARLEY_ASSERT_OK(Of(name).SignAgreement(case_, amended));
  }
  Everybody();
  const ChannelRef joint = Ref("Mira", "joint");
  Attacker(folder_ / "Mira", relay_, case_).Lose(joint.channel_id);
  PARLEY_ASSERT_OK(Of("Mira").Reopen(joint));
  for (const char* name : {"Eva", "Ana", "Ben"}) {
    PARLEY_ASSERT_OK(Of(name).Sync({.case_id = case_}));
  }
  WithEva();
  EXPECT_THAT(AlarmTexts("Eva"), Not(HasSubstr("passed it over")));
  ExpectEvaTakesPart(amended);
}

// Nor does a history that goes on without it.
TEST_F(ListingTest, OpeningTheChannelAnewFromBeforeTakesFromNobodyWhatTheyHaveRead) {
  Begin("caucus: closed\nkeep notes: 7 days\n");
  const std::string amended = Propose("We agree to mediate, by the end of May.");
  Everybody(1);
  const ChannelId joint = Ref("Mira", "joint").channel_id;
  const ParticipantId ana = Id("Mira", "Ana");
  profiles_.erase("Mira");
  PARLEY_ASSERT_OK(Of("Ana").SignAgreement(case_, amended));
  Sync("Ana");
  Attacker mira(folder_ / "Mira", relay_, case_);
  mira.Reopen(joint, mira.Person(ana));
  mira.Send();
  mira.Say(joint, mira.Overview());
  Sync("Ana");
  EXPECT_THAT(AlarmTexts("Ana"), HasSubstr("has opened the channel anew"));
  EXPECT_THAT(AlarmTexts("Ana"), HasSubstr("another history"));
  const CaseProgress progress = Progress("Ana");
  ASSERT_TRUE(progress.proposed.has_value());
  EXPECT_EQ(progress.proposed->hash, amended);
  const auto& signers = progress.proposed->signers;
  const auto own = std::find_if(signers.begin(), signers.end(),
                                [&](const AgreementSigner& one) { return one.person.id == ana; });
  ASSERT_NE(own, signers.end());
  EXPECT_TRUE(own->signed_it);
}

}  // namespace
}  // namespace parley
