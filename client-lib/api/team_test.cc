// A side's team channel: without the neutrals, whatever they try.
#include <algorithm>

#include "client-lib/api/team_for_test.h"
#include "client-lib/channels/relay_mailboxes.h"

namespace parley {
namespace {

using testing::Attacker;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Have;
using ::testing::IsEmpty;
using testing::Must;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class TeamTest : public testing::TeamCase {};

TEST_F(TeamTest, ASideSpeaksWithoutTheNeutrals) {
  LetEverybodyIn();
  const ChannelRef team = OpenTeam("Lee");
  EXPECT_THAT(Readers("Lee", "team"), ElementsAre("Lee"));
  SyncAll({"Ana", "Lee", "Ana"});
  EXPECT_THAT(Readers("Ana", "team"), UnorderedElementsAre("Lee", "Ana"));
  EXPECT_THAT(Stewards("Ana"), UnorderedElementsAre("Lee", "Ana"));
  Say("Lee", "team", "The yard's walk-away figure is 410,000.");
  Sync("Ana");
  Say("Ana", "team", "Agreed, and not a word of that upstairs.");
  SyncAll({"Lee", "Mira", "Tomas", "Ben"}, 1);
  EXPECT_THAT(Texts("Lee", "team"), ElementsAre("Lee: The yard's walk-away figure is 410,000.",
                                                "Ana: Agreed, and not a word of that upstairs."));
  // Both see the same safety number, which no neutral in between could bring about.
  EXPECT_FALSE(Find("Lee", "Ana").safety_number.empty());
  EXPECT_EQ(Find("Lee", "Ana").safety_number, Find("Ana", "Lee").safety_number);
  for (const char* other : {"Mira", "Tomas", "Ben"}) {
    EXPECT_THAT(ChannelNames(other), Not(Contains(HasSubstr("team")))) << other;
    EXPECT_FALSE(Of(other).Read(team).ok()) << other;
    EXPECT_THAT(Found(other, "walk-away"), IsEmpty()) << other;
  }
  EXPECT_EQ(Found("Ana", "walk-away").size(), 1u);
  const auto in_timeline = [&](const std::string& name) {
    const CaseTimeline timeline = Must(Of(name).Timeline(case_), "timeline");
    return std::any_of(
        timeline.channels.begin(), timeline.channels.end(),
        [](const ChannelTimeline& one) { return one.channel_name == "team:Harbor"; });
  };
  EXPECT_TRUE(in_timeline("Ana"));
  EXPECT_FALSE(in_timeline("Mira"));
  // Nor has a neutral's profile anything of it: no group, no key, no pairing between the two.
  Attacker mira = As("Mira");
  EXPECT_FALSE(mira.HasChannel(team.channel_id));
}

TEST_F(TeamTest, ANeutralCanOpenNoneNorComeIn) {
  LetEverybodyIn();
  const Result<Channel> opened = Of("Mira").CreateChannel(case_, {.kind = ChannelKind::kTeam});
  EXPECT_EQ(opened.status().code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(opened.status().message(), HasSubstr("without the neutrals"));
  const ChannelRef team = OpenTeam("Lee");
  SyncAll({"Ana", "Lee", "Ana"});
  EXPECT_FALSE(Of("Mira").Admit(team, Id("Mira", "Mira")).ok());
  // The side can't let them in either, nor somebody of the other side.
  const Status neutral = Of("Lee").Admit(team, Id("Lee", "Mira"));
  EXPECT_EQ(neutral.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(neutral.message(), HasSubstr("Mira (mediator) may not be in team:Harbor"));
  const Status other = Of("Lee").Admit(team, Id("Lee", "Ben"));
  EXPECT_EQ(other.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(other.message(), HasSubstr("Ben (party, Northline) may not be in team:Harbor"));
  EXPECT_EQ(Of("Ben")
                .CreateChannel(case_, {.kind = ChannelKind::kTeam, .members = {Id("Ben", "Ana")}})
                .status()
                .code(),
            StatusCode::kInvalidArgument);
}

TEST_F(TeamTest, ANeutralDisguisedAsOneOfTheSideIsRefused) {
  LetEverybodyIn();
  const ParticipantId ana = Id("Tomas", "Ana");
  const ChannelId planted(ChannelId::Bytes{7});
  Attacker tomas = As("Tomas");
  tomas.OpenTeamDisguised(planted, "Harbor", tomas.Person(ana));
  tomas.Send();
  Sync("Ana");
  EXPECT_THAT(ChannelNames("Ana"), Not(Contains("team:Harbor")));
  EXPECT_THAT(AlarmTexts("Ana"), HasSubstr("Tomas"));
  EXPECT_THAT(AlarmTexts("Ana"), HasSubstr("may not let anybody into it"));
  OpenTeam("Lee");
  SyncAll({"Ana", "Lee", "Ana"});
  EXPECT_THAT(Readers("Ana", "team"), UnorderedElementsAre("Lee", "Ana"));
}

// Who would be paired with Ana as Lee would be sent what is for Lee.
TEST_F(TeamTest, ANeutralIntroducedAsOneOfTheSideIsRefused) {
  LetEverybodyIn();
  const ParticipantId ana = Id("Tomas", "Ana");
  const ParticipantId lee = Id("Tomas", "Lee");
  {
    Attacker tomas = As("Tomas");
    tomas.IntroduceAs(tomas.Person(lee), tomas.Person(ana));
    tomas.Send();
  }
  PARLEY_ASSERT_OK(Of("Ana").Sync({}));
  EXPECT_THAT(AlarmTexts("Ana"), HasSubstr("with the id or key of Lee (counsel, Harbor)"));
  EXPECT_FALSE(As("Ana").IsPairedWith(lee));
  Resume("Ana");
  OpenTeam("Ana");
  SyncAll({"Lee", "Ana", "Lee"});
  EXPECT_THAT(Readers("Lee", "team"), UnorderedElementsAre("Lee", "Ana"));
  EXPECT_EQ(Find("Lee", "Ana").safety_number, Find("Ana", "Lee").safety_number);
}

// Nor does it help to come before any roster shows Lee.
TEST_F(TeamTest, ANeutralIntroducedAsSomebodyStillToComeGivesWayToThem) {
  OpenCase();
  LetIn("Ana", Role::kParty, "Harbor");
  PARLEY_ASSERT_OK(Of("Lee").Join(Invite("Lee", Role::kCounsel, "Harbor")));
  SyncAll({"Mira", "Ana"});
  const ParticipantId ana = Id("Mira", "Ana");
  const ParticipantId lee = Id("Mira", "Lee");
  {
    Attacker mira = As("Mira");
    mira.IntroduceAs(mira.Person(lee), mira.Person(ana));
    mira.Send();
  }
  PARLEY_ASSERT_OK(Of("Ana").Sync({}));
  ASSERT_TRUE(As("Ana").IsPairedWith(lee));
  Resume("Ana");
  Resume("Mira");
  PARLEY_ASSERT_OK(Of("Mira").Approve(case_, lee));
  for (int i = 0; i < 2; ++i) {
    for (const char* name : {"Lee", "Mira", "Ana"}) PARLEY_ASSERT_OK(Of(name).Sync({}));
  }
  OpenTeam("Ana");
  for (int i = 0; i < 3; ++i) {
    for (const char* name : {"Lee", "Ana"}) PARLEY_ASSERT_OK(Of(name).Sync({}));
  }
  EXPECT_THAT(AlarmTexts("Ana"), HasSubstr("had introduced somebody as Lee (counsel, Harbor)"));
  EXPECT_THAT(Readers("Lee", "team"), UnorderedElementsAre("Lee", "Ana"));
  EXPECT_EQ(Find("Lee", "Ana").safety_number, Find("Ana", "Lee").safety_number);
}

// A neutral can put Lee out, and bring a device of his own in under Lee's id and name.
TEST_F(TeamTest, WhoIsShownWithAnotherDeviceThanBeforeIsNotLetIn) {
  LetEverybodyIn();
  SyncAll({"Lee", "Ana"});
  As("Ana").HaveSeenAnotherDeviceOf(Id("Tomas", "Lee"));
  Resume("Ana");
  OpenTeam("Ana");
  SyncAll({"Lee", "Ana", "Lee", "Ana", "Lee"});
  EXPECT_THAT(Readers("Ana", "team"), UnorderedElementsAre("Ana"));
  EXPECT_THAT(AlarmTexts("Ana"), HasSubstr("shows Lee (counsel, Harbor) with another device"));
}

// A neutral can give a leaf of his own the credential that every roster shows as Lee's, and say
// Lee's card from it, with his own inbox: without Lee's identity key he isn't paired.
TEST_F(TeamTest, ACardWithAnothersIdentityKeyMakesNoPairing) {
  LetEverybodyIn();
  const ParticipantId lee_id = Id("Tomas", "Lee");
  Attacker ana = As("Ana");
  Attacker tomas = As("Tomas");
  Attacker lee = As("Lee");
  const crypto::Secret secret = crypto::Secret::Random(32);
  const auto real = ana.AnswerInChannel(lee.CardAs(), secret);
  EXPECT_TRUE(
      crypto::PublicEquals(lee.TakeAnswer(lee.CardAs(), secret, real.sealed).secret.Reveal(),
                           real.pairing.secret.Reveal()));
  const client::PersonRecord person = tomas.Person(lee_id);
  const crypto::Bytes card = tomas.CardAs(&person);
  const auto planted = ana.AnswerInChannel(card, secret);
  EXPECT_FALSE(crypto::PublicEquals(tomas.TakeAnswer(card, secret, planted.sealed).secret.Reveal(),
                                    planted.pairing.secret.Reveal()));
}

TEST_F(TeamTest, AStewardWhoLetsANeutralInUnderAnotherRoleIsFoundOut) {
  LetEverybodyIn();
  const ChannelRef team = OpenTeam("Lee");
  SyncAll({"Ana", "Lee", "Ana"});
  LetInDisguised("Lee", team, Ref("Lee", "joint"), Id("Lee", "Mira"));
  Sync("Ana");
  const Channel channel = Must(Of("Ana").GetChannel(team), "team");
  EXPECT_EQ(channel.status, ChannelStatus::kHalted);
  EXPECT_THAT(channel.halted_reason,
              HasSubstr("Mira (support person, Harbor), who is Mira (mediator)"));
  EXPECT_EQ(Of("Ana").Send(team, "Between us.").status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(TeamTest, WhomTheNeutralsPutOutOfTheCaseTheStewardsPutOutOfTheTeam) {
  OpenTeamOfThree();
  EXPECT_THAT(Readers("Ana", "team"), UnorderedElementsAre("Lee", "Ana", "Kim"));
  EXPECT_THAT(Stewards("Ana"), UnorderedElementsAre("Lee", "Kim"));  // counsel before parties
  PARLEY_ASSERT_OK(Of("Mira").Remove(case_, Id("Mira", "Kim")));
  // Until a steward's program hears of it Kim reads on.
  Sync("Ana");
  EXPECT_THAT(Readers("Ana", "team"), Contains("Kim"));
  SyncAll({"Lee", "Ana"});
  EXPECT_THAT(Readers("Ana", "team"), UnorderedElementsAre("Lee", "Ana"));
  // Kim was a steward: another one is named, with a control key that Kim doesn't know.
  EXPECT_THAT(Stewards("Ana"), UnorderedElementsAre("Lee", "Ana"));
  Say("Ana", "team", "Without Kim.");
  PARLEY_ASSERT_OK(Of("Kim").Sync({}));
  EXPECT_THAT(Texts("Kim", "team"), IsEmpty());
  EXPECT_THAT(ChannelNames("Kim"), IsEmpty());
  // Ana carries on alone.
  SyncAll({"Ana", "Lee"});
  PARLEY_ASSERT_OK(Of("Mira").Remove(case_, Id("Mira", "Lee")));
  SyncAll({"Ana"});
  EXPECT_THAT(Readers("Ana", "team"), ElementsAre("Ana"));
}

TEST_F(TeamTest, VouchersThatTheRelayTakesNoMoreKeepNobodyFromATeam) {
  LetEverybodyIn();
  relay_.RenewSponsorToken();
  PARLEY_ASSERT_OK(Of("Mira").ChangeConnection(
      case_, client::FormatConnectionString({relay_.address(), relay_.identity_key()},
                                            relay_.sponsor_token().Reveal())));
  OpenTeam("Lee");
  for (int i = 0; i < 4; ++i) {
    PARLEY_ASSERT_OK(
        Of("Lee").Sync({}));  // each old voucher is refused, and new ones are asked for
    Sync("Mira");
  }
  SyncAll({"Ana", "Lee", "Ana"}, 1);
  EXPECT_THAT(Readers("Ana", "team"), UnorderedElementsAre("Lee", "Ana"));
}

TEST_F(TeamTest, UntilTheAgreementIsSignedNothingIsSaidInItEither) {
  case_ = Must(Of("Mira").CreateCase("Harbor v Northline", connection_, {.with_procedure = true}),
               "case");
  LetIn("Ana", Role::kParty, "Harbor");
  LetIn("Lee", Role::kCounsel, "Harbor");
  SyncAll({"Mira", "Ana", "Lee"});
  const ChannelRef team = OpenTeam("Lee");
  SyncAll({"Ana", "Lee", "Ana"});
  EXPECT_THAT(Readers("Ana", "team"), UnorderedElementsAre("Lee", "Ana"));
  const Status said = Of("Lee").Send(team, "Before anything is signed.").status();
  EXPECT_EQ(said.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(said.message(), HasSubstr("agreement to mediate"));
}

TEST_F(TeamTest, WhoLeavesTheTeamIsPutOutAndComesInAgain) {
  OpenTeamOfThree();
  const ChannelRef team = Ref("Ana", "team");
  PARLEY_ASSERT_OK(Of("Ana").LeaveTeam(team));
  EXPECT_EQ(Of("Ana").Send(team, "Still here?").status().code(), StatusCode::kFailedPrecondition);
  SyncAll({"Lee", "Kim", "Ana"}, 3);
  EXPECT_THAT(Readers("Lee", "team"), UnorderedElementsAre("Lee", "Kim"));
  EXPECT_THAT(ChannelNames("Ana"), Contains("caucus:Harbor"));
  EXPECT_EQ(Find("Mira", "Ana").state, ParticipantState::kApproved);
  PARLEY_ASSERT_OK(Of("Kim").LeaveTeam(team));
  SyncAll({"Lee", "Kim"}, 2);
  EXPECT_THAT(Stewards("Lee"), ElementsAre("Lee"));
  EXPECT_EQ(Of("Lee").LeaveTeam(Ref("Lee", "caucus")).code(), StatusCode::kInvalidArgument);
  PARLEY_ASSERT_OK(Of("Lee").Admit(team, Id("Lee", "Ana")));
  SyncAll({"Ana", "Lee", "Ana"}, 2);
  EXPECT_THAT(Readers("Ana", "team"), UnorderedElementsAre("Lee", "Ana"));
}

TEST_F(TeamTest, WhoIsAloneInATeamGivesItUpForAnother) {
  LetEverybodyIn();
  const ChannelRef first = OpenTeam("Lee");
  ASSERT_THAT(Readers("Lee", "team"), ElementsAre("Lee"));
  PARLEY_ASSERT_OK(Of("Lee").LeaveTeam(first));
  EXPECT_EQ(Must(Of("Lee").GetChannel(first), "team").status, ChannelStatus::kHalted);
  EXPECT_EQ(Of("Lee").LeaveTeam(first).code(), StatusCode::kFailedPrecondition);
  OpenTeam("Ana");
  SyncAll({"Lee", "Ana"}, 3);
  EXPECT_NE(Ref("Lee", "team"), first);
  ExpectOneTeam({"Lee", "Ana"});
}

// What was looked at for pairing isn't looked at again with every sync.
TEST_F(TeamTest, TheCaucusIsReadForPairingOnce) {
  LetEverybodyIn();
  Say("Ana", "caucus", "Nothing about pairing.");
  SyncAll({"Lee", "Ana"});
  const uint64_t position = Must(Of("Ana").Read(Ref("Ana", "caucus")), "reading").back().position;
  EXPECT_GE(As("Ana").TeamCursor(), position);
}

TEST_F(TeamTest, TheFirstStewardGoesAndTheSideGoesOn) {
  OpenTeamOfThree();
  PARLEY_ASSERT_OK(Of("Lee").Leave(case_));
  SyncAll({"Mira", "Kim", "Ana"}, 3);
  EXPECT_THAT(Readers("Ana", "team"), UnorderedElementsAre("Kim", "Ana"));
  EXPECT_THAT(Stewards("Ana"), UnorderedElementsAre("Kim", "Ana"));
  Say("Ana", "team", "We two go on.");
  Sync("Kim");
  EXPECT_THAT(Texts("Kim", "team"), ElementsAre("Ana: We two go on."));
}

TEST_F(TeamTest, WithoutAnyStewardTheTeamIsOverAndAnotherIsOpened) {
  OpenTeamOfThree();
  const ChannelRef first = Ref("Ana", "team");
  PARLEY_ASSERT_OK(Of("Mira").Remove(case_, Id("Mira", "Lee")));
  PARLEY_ASSERT_OK(Of("Mira").Remove(case_, Id("Mira", "Kim")));
  SyncAll({"Ana"});
  EXPECT_EQ(Must(Of("Ana").GetChannel(first), "team").status, ChannelStatus::kHalted);
  LetIn("Noor", Role::kCounsel, "Harbor");
  SyncAll({"Mira", "Ana", "Noor"});
  const ChannelRef second = OpenTeam("Ana");
  SyncAll({"Noor", "Ana", "Noor"});
  EXPECT_NE(first.channel_id, second.channel_id);
  EXPECT_THAT(Readers("Noor", "team"), UnorderedElementsAre("Ana", "Noor"));
}

// Neither knows that the other goes, too.
TEST_F(TeamTest, WhereAllStewardsLeaveAtOnceTheTeamIsOverAndAnotherIsOpened) {
  OpenTeamOfThree();
  const ChannelRef first = Ref("Ana", "team");
  relay_.Stop();
  EXPECT_EQ(Of("Lee").LeaveTeam(first).code(), StatusCode::kUnavailable);
  EXPECT_EQ(Of("Kim").LeaveTeam(first).code(), StatusCode::kUnavailable);
  relay_.Start();
  SyncAll({"Lee", "Kim", "Ana"}, 3);
  for (const char* name : {"Lee", "Kim", "Ana"}) {
    const Channel team = Must(Of(name).GetChannel(first), "team");
    EXPECT_EQ(team.status, ChannelStatus::kHalted) << name;
    EXPECT_THAT(team.halted_reason, HasSubstr("have left; open another one")) << name;
  }
  OpenTeam("Ana");
  SyncAll({"Lee", "Kim", "Ana"}, 3);
  EXPECT_NE(Ref("Ana", "team"), first);
  EXPECT_THAT(Readers("Ana", "team"), UnorderedElementsAre("Ana", "Lee", "Kim"));
}

// One steward goes while the other, just named, doesn't have the control key yet.
TEST_F(TeamTest, AStewardWhoStaysAndIsntToldYetGivesNothingUp) {
  OpenTeamOfThree();
  const ChannelRef team = Ref("Ana", "team");
  ASSERT_THAT(Stewards("Ana"), UnorderedElementsAre("Lee", "Kim"));
  // As after a commit of which word hasn't reached Kim's inbox.
  As("Lee").KeepControl(team.channel_id);
  Sync("Kim");
  As("Lee").AskToLeave(team.channel_id);
  const SyncReport told = Must(Of("Kim").Sync({.case_id = case_}), "Kim syncs");
  ASSERT_EQ(told.problems.size(), 1u);
  EXPECT_THAT(told.problems[0].status.message(),
              HasSubstr("the control key of team:Harbor hasn't come"));
  Sync("Ana");
  for (const char* name : {"Kim", "Ana"}) {
    EXPECT_EQ(Must(Of(name).GetChannel(team), "team").status, ChannelStatus::kActive) << name;
  }
  Resume("Lee");
  SyncAll({"Lee", "Kim", "Ana"}, 3);
  EXPECT_EQ(Ref("Ana", "team"), team);
  EXPECT_THAT(Readers("Ana", "team"), UnorderedElementsAre("Ana", "Kim"));
  EXPECT_THAT(Stewards("Ana"), UnorderedElementsAre("Ana", "Kim"));
}

TEST_F(TeamTest, WhoComesToTheSideIsLetInByAStewardAlone) {
  LetEverybodyIn();
  const ChannelRef team = OpenTeam("Lee");
  SyncAll({"Ana", "Lee", "Ana"});
  LetIn("Kim", Role::kCounsel, "Harbor");
  SyncAll({"Mira", "Lee", "Ana", "Kim"});
  EXPECT_THAT(Readers("Lee", "team"), UnorderedElementsAre("Lee", "Ana"));
  EXPECT_EQ(Of("Kim").Admit(team, Id("Kim", "Kim")).code(), StatusCode::kNotFound);
  PARLEY_ASSERT_OK(Of("Lee").Admit(team, Id("Lee", "Kim")));
  SyncAll({"Kim", "Lee", "Kim", "Ana"});
  EXPECT_THAT(Readers("Kim", "team"), UnorderedElementsAre("Lee", "Ana", "Kim"));
  EXPECT_EQ(Of("Kim").Dismiss(team, Id("Kim", "Ana")).code(), StatusCode::kPermissionDenied);
  PARLEY_ASSERT_OK(Of("Ana").NameSteward(team, Id("Ana", "Kim")));
  SyncAll({"Ana", "Lee", "Kim"});
  EXPECT_THAT(Stewards("Kim"), UnorderedElementsAre("Lee", "Ana", "Kim"));
  PARLEY_ASSERT_OK(Of("Kim").Dismiss(team, Id("Kim", "Ana")));
  SyncAll({"Kim", "Lee", "Ana"});
  EXPECT_THAT(Readers("Kim", "team"), UnorderedElementsAre("Lee", "Kim"));
  EXPECT_THAT(ChannelNames("Ana"), Not(Contains("team:Harbor")));
  EXPECT_THAT(ChannelNames("Ana"), Contains("caucus:Harbor"));
}

}  // namespace
}  // namespace parley
