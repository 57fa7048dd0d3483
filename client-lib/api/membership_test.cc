// Who takes part: removal, leaving, replacement, admission, neutrals who come and go.
#include "client-lib/cases/membership.h"

#include "client-lib/api/attacker_for_test.h"
#include "client-lib/api/mediation_for_test.h"
#include "client-lib/cases/case_sync.h"
#include "client-lib/cases/neutrals_log.h"
#include "client-lib/channels/channel_step.h"
#include "client-lib/channels/relay_mailboxes.h"
#include "client-lib/channels/succession.h"
#include "client-lib/channels/successors.h"

namespace parley {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Must;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

using MembershipTest = testing::Mediation;

TEST_F(MembershipTest, ARemovedCounselReadsNothingLaterAndANewOneNothingEarlier) {
  LetEverybodyIn();
  Say("Ana", "caucus", "before");
  SyncAll({"Lee"}, 1);
  PARLEY_ASSERT_OK(Of("Mira").Remove(case_, Id("Mira", "Lee")));
  Say("Ana", "caucus", "between");
  LetIn("Kim", Role::kCounsel, "Harbor");
  SyncAll({"Mira", "Tomas", "Ana", "Kim"});
  Say("Ana", "caucus", "after");
  SyncAll({"Mira", "Tomas", "Ana", "Kim"}, 1);
  const Result<SyncReport> report = Of("Lee").Sync({});
  PARLEY_ASSERT_OK(report);
  EXPECT_THAT(Texts("Lee", "caucus"), ElementsAre("Ana: before"));
  EXPECT_THAT(ChannelNames("Lee"), IsEmpty());
  EXPECT_EQ(Must(Of("Lee").GetCase(case_), "case").own_state, ParticipantState::kRemoved);
  EXPECT_EQ(Of("Lee").Send(Ref("Lee", "caucus"), "x").status().code(),
            StatusCode::kFailedPrecondition);
  EXPECT_THAT(Texts("Kim", "caucus"), ElementsAre("Ana: after"));
  EXPECT_THAT(Readers("Ana", "caucus"), UnorderedElementsAre("Mira", "Tomas", "Ana", "Kim"));
  EXPECT_THAT(Readers("Ana", "joint"), UnorderedElementsAre("Mira", "Tomas", "Ana", "Ben", "Kim"));
  EXPECT_EQ(Find("Tomas", "Lee").state, ParticipantState::kRemoved);
  EXPECT_EQ(Of("Mira").Remove(case_, Id("Mira", "Mira")).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Of("Ana").Remove(case_, Id("Ana", "Ben")).code(), StatusCode::kPermissionDenied);
}

TEST_F(MembershipTest, WhoLeavesIsPutOutByAnyNeutral) {
  LetEverybodyIn();
  PARLEY_ASSERT_OK(Of("Lee").Leave(case_));
  EXPECT_EQ(Must(Of("Lee").GetCase(case_), "case").own_state, ParticipantState::kLeft);
  EXPECT_EQ(Of("Lee").Leave(case_).code(), StatusCode::kFailedPrecondition);
  SyncAll({"Tomas", "Mira", "Ana"});
  EXPECT_EQ(Find("Mira", "Lee").state, ParticipantState::kLeft);
  EXPECT_EQ(Find("Tomas", "Lee").state, ParticipantState::kLeft);
  EXPECT_THAT(Readers("Ana", "caucus"), UnorderedElementsAre("Mira", "Tomas", "Ana"));
  EXPECT_THAT(Readers("Ana", "joint"), UnorderedElementsAre("Mira", "Tomas", "Ana", "Ben"));
  SyncAll({"Mira", "Tomas"});  // nobody lets Lee in again
  EXPECT_THAT(Readers("Mira", "joint"), UnorderedElementsAre("Mira", "Tomas", "Ana", "Ben"));
  // The last neutral stays.
  testing::TemporaryFolder other;
  EXPECT_EQ(Of("Mira").Remove(case_, Id("Mira", "Lee")).code(), StatusCode::kFailedPrecondition);
}

TEST_F(MembershipTest, TheLastNeutralStays) {
  OpenCase();
  const Status left = Of("Mira").Leave(case_);
  EXPECT_EQ(left.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(left.message(), HasSubstr("last neutral"));
}

TEST_F(MembershipTest, WithoutMiraTomasCarriesOnAlone) {
  LetEverybodyIn();
  profiles_.erase("Mira");
  std::filesystem::remove_all(folder_ / "Mira");
  Say("Tomas", "joint", "I carry on.");
  PARLEY_ASSERT_OK(Of("Tomas").Remove(case_, Id("Tomas", "Lee")));
  LetIn("Kim", Role::kCounsel, "Harbor", "Tomas");
  LetIn("Shah", Role::kCounsel, "Northline", "Tomas");
  SyncAll({"Tomas", "Kim", "Shah", "Ana", "Ben"});
  EXPECT_THAT(ChannelNames("Kim"), ElementsAre("joint", "caucus:Harbor"));
  EXPECT_THAT(Readers("Ana", "caucus"), UnorderedElementsAre("Mira", "Tomas", "Ana", "Kim"));
  PARLEY_ASSERT_OK(Of("Tomas").Remove(case_, Id("Tomas", "Mira")));
  SyncAll({"Tomas", "Ana", "Ben", "Kim"});
  for (const char* channel : {"joint", "caucus:Harbor", "caucus:Northline", "neutrals"}) {
    EXPECT_THAT(Readers("Tomas", channel), Not(Contains("Mira"))) << channel;
  }
  Say("Tomas", "caucus:Harbor", "Only us.");
  Say("Kim", "caucus", "Yes.");
  SyncAll({"Tomas", "Ana"}, 1);
  EXPECT_THAT(Texts("Ana", "caucus"), ElementsAre("Tomas: Only us.", "Kim: Yes."));
  // Someone can still be let in, also after Ana's inbox keys were renewed.
  LetIn("Noor", Role::kParty, "Harbor", "Tomas");
  SyncAll({"Tomas", "Ana", "Noor"});
  EXPECT_THAT(Readers("Ana", "caucus"), Contains("Noor"));
}

TEST_F(MembershipTest, ANeutralLeavesAndTheControlKeysChange) {
  LetEverybodyIn();
  PARLEY_ASSERT_OK(Of("Tomas").Leave(case_));
  SyncAll({"Mira", "Ana", "Ben", "Mira"});
  for (const char* channel : {"joint", "caucus:Harbor", "caucus:Northline", "neutrals"}) {
    EXPECT_THAT(Readers("Mira", channel), Not(Contains("Tomas"))) << channel;
  }
  EXPECT_EQ(Find("Mira", "Tomas").state, ParticipantState::kLeft);
  Say("Ana", "caucus", "still here");
  Sync("Mira");
  EXPECT_THAT(Texts("Mira", "caucus:Harbor"), ElementsAre("Ana: still here"));
  LetIn("Kim", Role::kCoMediator);
  SyncAll({"Mira", "Kim"});
  EXPECT_THAT(ChannelNames("Kim"),
              ElementsAre("joint", "caucus:Harbor", "caucus:Northline", "neutrals"));
}

TEST_F(MembershipTest, ANewNeutralIsIntroducedToEverybody) {
  OpenCase();
  LetIn("Ana", Role::kParty, "Harbor");
  LetIn("Ben", Role::kParty, "Northline");
  LetIn("Tomas", Role::kCoMediator);
  SyncAll({"Mira", "Tomas", "Ana", "Ben"}, 3);
  for (const char* name : {"Ana", "Ben", "Mira"}) {
    const Participant seen = Find("Tomas", name);
    EXPECT_EQ(seen.state, ParticipantState::kApproved) << name;
    EXPECT_FALSE(seen.safety_number.empty()) << name;
    EXPECT_EQ(seen.safety_number, Find(name, "Tomas").safety_number) << name;
  }
  // Whom Tomas invites is introduced to Mira.
  LetIn("Kim", Role::kCounsel, "Harbor", "Tomas");
  SyncAll({"Tomas", "Mira", "Kim"}, 3);
  EXPECT_FALSE(Find("Mira", "Kim").safety_number.empty());
  EXPECT_EQ(Find("Mira", "Kim").safety_number, Find("Kim", "Mira").safety_number);
  PARLEY_ASSERT_OK(Of("Mira").Remove(case_, Id("Mira", "Kim")));
  EXPECT_THAT(Readers("Mira", "caucus:Harbor"), UnorderedElementsAre("Mira", "Tomas", "Ana"));
}

TEST_F(MembershipTest, AnExpertIsAdmittedOneChannelAtATime) {
  OpenCase();
  LetIn("Ana", Role::kParty, "Harbor");
  LetIn("Eva", Role::kExpert);
  SyncAll({"Mira", "Ana", "Eva"});
  EXPECT_THAT(ChannelNames("Eva"), IsEmpty());
  PARLEY_ASSERT_OK(Of("Mira").Admit(Ref("Mira", "joint"), Id("Mira", "Eva")));
  SyncAll({"Mira", "Eva"});
  EXPECT_THAT(ChannelNames("Eva"), ElementsAre("joint"));
  EXPECT_EQ(Of("Mira").Admit(Ref("Mira", "caucus:Harbor"), Id("Mira", "Eva")).code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(Of("Mira").Admit(Ref("Mira", "joint"), Id("Mira", "Ana")).code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(Of("Ana").Admit(Ref("Ana", "joint"), Id("Mira", "Eva")).code(),
            StatusCode::kPermissionDenied);
  // An interpreter of one side is in that side's caucus.
  LetIn("Ivo", Role::kInterpreter, "Harbor");
  SyncAll({"Mira", "Ivo"});
  EXPECT_THAT(ChannelNames("Ivo"), ElementsAre("joint", "caucus:Harbor"));
}

// Mira's machine dies after the first of the many things that a removal takes: the record.
TEST_F(MembershipTest, AnyNeutralFinishesWhatARecordAsksFor) {
  LetEverybodyIn();
  {
    auto store = client::ProfileStore::Open(folder_ / "Mira");
    auto relay = client::RelayClient::Connect({relay_.address(), relay_.identity_key()});
    ASSERT_TRUE(store.ok() && relay.ok());
    client::RelayMailboxes mailboxes(**relay);
    client::CaseContext mira;
    mira.store = store->get();
    mira.relay = relay->get();
    mira.mailboxes = &mailboxes;
    mira.now_seconds = [] { return static_cast<uint64_t>(time(nullptr)); };
    mira.id = case_;
    ASSERT_TRUE(client::RemoveParticipant(mira, Id("Mira", "Lee")).ok());
    ASSERT_TRUE(client::ExchangeChannel(mira, Ref("Mira", "neutrals").channel_id).ok());
  }
  profiles_.erase("Mira");
  std::filesystem::remove_all(folder_ / "Mira");
  EXPECT_THAT(Readers("Tomas", "joint"), Contains("Lee"));
  Sync("Tomas");
  EXPECT_THAT(Readers("Tomas", "joint"), Not(Contains("Lee")));
  EXPECT_THAT(Readers("Tomas", "caucus:Harbor"), Not(Contains("Lee")));
  EXPECT_EQ(Find("Tomas", "Lee").state, ParticipantState::kRemoved);
}

// A decision is stored also when the relay is away.
TEST_F(MembershipTest, DecisionsWaitForTheRelay) {
  OpenCase();
  LetIn("Ana", Role::kParty, "Harbor");
  const std::string text = Invite("Ben", Role::kParty, "Northline");
  PARLEY_ASSERT_OK(Of("Ben").Join(text));
  Sync("Mira");
  relay_.Stop();
  const Status approved = Of("Mira").Approve(case_, Id("Mira", "Ben"));
  EXPECT_EQ(approved.code(), StatusCode::kUnavailable);
  EXPECT_THAT(approved.message(), HasSubstr("the decision is stored"));
  EXPECT_EQ(Of("Mira").Remove(case_, Id("Mira", "Ana")).code(), StatusCode::kUnavailable);
  relay_.Start();
  SyncAll({"Mira", "Ben"});
  EXPECT_THAT(ChannelNames("Ben"), ElementsAre("joint", "caucus:Northline"));
  EXPECT_THAT(Readers("Ben", "joint"), UnorderedElementsAre("Mira", "Ben"));
  EXPECT_EQ(Find("Mira", "Ana").state, ParticipantState::kRemoved);
}

TEST_F(MembershipTest, ManyJoinOneInviter) {
  OpenCase();
  // More than the inbox had append keys for in its first generation.
  for (int i = 0; i < 20; ++i) {
    LetIn("P" + std::to_string(i), Role::kParty, i % 2 == 0 ? "Harbor" : "Northline");
  }
  Sync("Mira");
  EXPECT_EQ(Readers("Mira", "joint").size(), 21u);
  EXPECT_EQ(Readers("Mira", "caucus:Harbor").size(), 11u);
  Say("P19", "joint", "here");
  Sync("P0");
  EXPECT_THAT(Texts("P0", "joint"), ElementsAre("P19: here"));
}

TEST_F(MembershipTest, WhoWasAwayWhileAChannelWasOpenedAnewTwiceReadsAllOfIt) {
  LetEverybodyIn();
  const ChannelRef caucus = Ref("Mira", "caucus:Harbor");
  for (const char* word : {"in the second", "in the third"}) {
    testing::Attacker(folder_ / "Mira", relay_, case_).ReopenAlone(caucus.channel_id);
    SyncAll({"Mira", "Tomas"});
    Say("Mira", "caucus:Harbor", word);
  }
  SyncAll({"Ana"});
  EXPECT_THAT(Texts("Ana", "caucus"), ElementsAre("Mira: in the second", "Mira: in the third"));
  EXPECT_THAT(AlarmTexts("Ana"), Not(HasSubstr("had another log")));
  EXPECT_THAT(Readers("Ana", "caucus"), UnorderedElementsAre("Mira", "Tomas", "Ana", "Lee"));
  Say("Ana", "caucus", "back");
  Sync("Mira");
  EXPECT_EQ(Texts("Mira", "caucus:Harbor").back(), "Ana: back");
}

// Its program ended after it had read that the channel is halted, and before what waits had its
// turn.
TEST_F(MembershipTest, WhatWaitsInAChannelThatStandsStillHasItsTurn) {
  LetEverybodyIn();
  const ChannelId caucus = Ref("Ana", "caucus").channel_id;
  const auto store = testing::Have(client::ProfileStore::Open(folder_ / "Ana"));
  {
    client::Transaction step = testing::Have(store->Begin());
    client::Successor one;
    one.incarnation = 1;
    one.adder = Id("Ana", "Mira");
    one.log = testing::Have(client::LoadIncarnation(step, client::ChannelNames(caucus), 1));
    one.state = one.log.state;
    testing::Have(client::StoreWaiting(step, client::ChannelNames(caucus), {one}));
    client::ChannelContext context;
    context.store = store.get();
    context.now_seconds = [] { return static_cast<uint64_t>(time(nullptr)); };
    testing::Have(client::Channel(context, caucus).Halt(step, "halted"));
    testing::Have(step.Commit());
  }
  Sync("Ana");
  const client::ReadTransaction read = testing::Have(store->Read());
  EXPECT_FALSE(testing::Have(client::HasSuccessor(read, caucus)));
}

}  // namespace
}  // namespace parley
