// A neutral who prepares, while still one, that something of his stays when he is removed: a second
// channel of a kind, or control keys.
#include <thread>

#include "client-lib/api/attacker_for_test.h"
#include "client-lib/cases/case_sync.h"
#include "crypto/primitives/signature.h"

namespace parley {
namespace {

using testing::Attacker;
using ::testing::Contains;
using ::testing::HasSubstr;
using testing::Have;
using testing::Must;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

const ChannelId kLowestId(ChannelId::Bytes{1});

class PlantingTest : public testing::Mediation {
 protected:
  // Tomas' profile for his own program: the ordinary one is closed.
  Attacker OfTomas() {
    profiles_.erase("Tomas");
    return Attacker(folder_ / "Tomas", relay_, case_);
  }

  // A neutral's profile at a time `seconds` from now.
  void SyncLater(const std::string& name, uint64_t seconds) {
    profiles_.erase(name);
    {
      const auto store = Have(client::ProfileStore::Open(folder_ / name));
      const auto relay =
          Have(client::RelayClient::Connect({relay_.address(), relay_.identity_key()}));
      client::RelayMailboxes mailboxes(*relay);
      client::CaseContext context;
      context.store = store.get();
      context.relay = relay.get();
      context.mailboxes = &mailboxes;
      context.now_seconds = [seconds] { return static_cast<uint64_t>(time(nullptr)) + seconds; };
      context.id = case_;
      Have(client::SyncCase(context).status());
    }
    profiles_.emplace(name, Must(Profile::Open(folder_ / name, std::nullopt), "opening"));
  }

  void RemoveTomas() {
    PARLEY_ASSERT_OK(Of("Mira").Remove(case_, Id("Mira", "Tomas")));
    Sync("Mira");
  }

  void ExpectTomasIsOut(const std::string& name) {
    for (const Channel& channel : Must(Of(name).Channels(case_), "channels")) {
      if (channel.status != ChannelStatus::kActive) continue;
      EXPECT_THAT(Readers(name, channel.name), Not(Contains("Tomas"))) << channel.name;
    }
  }
};

TEST_F(PlantingTest, ASecondNeutralsChannelDoesNotCount) {
  LetEverybodyIn();
  const ChannelRef real = Ref("Mira", "neutrals");
  Attacker tomas = OfTomas();
  const client::PersonRecord mira = tomas.Person(Id("Mira", "Mira"));
  tomas.OpenAnother(kLowestId, ChannelKind::kNeutrals, "", mira);
  tomas.OpenAnother(ChannelId(ChannelId::Bytes{2}), ChannelKind::kJoint, "", mira);
  tomas.Send();
  Sync("Mira");
  EXPECT_EQ(Ref("Mira", "neutrals"), real);
  EXPECT_THAT(AlarmTexts("Mira"),
              HasSubstr("Tomas sent a Welcome into another channel neutrals than the one that "
                        "counts here; it is left aside"));
  EXPECT_THAT(AlarmTexts("Mira"), HasSubstr("another channel joint"));
  RemoveTomas();
  SyncAll({"Ana", "Ben", "Mira"});
  ExpectTomasIsOut("Mira");
  ExpectTomasIsOut("Ana");
  Say("Ana", "caucus", "among us");
  Sync("Mira");
  EXPECT_EQ(Texts("Mira", "caucus:Harbor").back(), "Ana: among us");
}

TEST_F(PlantingTest, ASecondCaucusDoesNotCount) {
  LetEverybodyIn();
  const ChannelRef real = Ref("Ana", "caucus:Harbor");
  const ParticipantId ana = Id("Mira", "Ana");
  Attacker tomas = OfTomas();
  tomas.OpenAnother(kLowestId, ChannelKind::kCaucus, "Harbor", tomas.Person(ana));
  tomas.Send();
  Sync("Ana");
  EXPECT_EQ(Ref("Ana", "caucus:Harbor"), real);
  EXPECT_EQ(ChannelNames("Ana"), (std::vector<std::string>{"joint", "caucus:Harbor"}));
  EXPECT_THAT(AlarmTexts("Ana"), HasSubstr("another channel caucus:Harbor"));
  RemoveTomas();
  SyncAll({"Ana", "Mira"});
  ExpectTomasIsOut("Ana");
  EXPECT_EQ(Ref("Ana", "caucus:Harbor"), real);
  Say("Ana", "caucus", "among us");
  Sync("Mira");
  EXPECT_EQ(Texts("Mira", "caucus:Harbor").back(), "Ana: among us");
}

// He puts the others out of the true caucus, so that he and Ana are alone there.
TEST_F(PlantingTest, ACaucusThatOnlyAGoneNeutralLedIsGivenUpAndOpenedAgain) {
  LetEverybodyIn();
  const ChannelRef real = Ref("Ana", "caucus:Harbor");
  const ParticipantId mira = Id("Mira", "Mira");
  {
    Attacker tomas = OfTomas();
    tomas.PutOut(real.channel_id, mira);
  }
  SyncAll({"Ana", "Mira"}, 1);
  EXPECT_THAT(Readers("Ana", "caucus:Harbor"), UnorderedElementsAre("Tomas", "Ana", "Lee"));
  RemoveTomas();
  Sync("Ana");
  EXPECT_THAT(AlarmTexts("Ana"), HasSubstr("is no neutral of the case any more"));
  SyncAll({"Mira", "Ana", "Lee", "Mira", "Ana", "Lee"});
  EXPECT_NE(Ref("Ana", "caucus:Harbor"), real);
  EXPECT_EQ(Ref("Mira", "caucus:Harbor"), Ref("Ana", "caucus:Harbor"));
  EXPECT_THAT(Readers("Ana", "caucus:Harbor"), UnorderedElementsAre("Mira", "Ana", "Lee"));
  Say("Ana", "caucus:Harbor", "among us");
  Sync("Mira");
  EXPECT_EQ(Texts("Mira", "caucus:Harbor").back(), "Ana: among us");
}

TEST_F(PlantingTest, TwoNeutralsWhoLetASideInAtOnceOpenOneCaucus) {
  OpenCase();
  LetIn("Tomas", Role::kCoMediator);
  SyncAll({"Mira", "Tomas"}, 3);
  const std::string for_ana = Invite("Ana", Role::kParty, "Harbor", "Mira");
  const std::string for_lee = Invite("Lee", Role::kCounsel, "Harbor", "Tomas");
  PARLEY_ASSERT_OK(Of("Ana").Join(for_ana));
  PARLEY_ASSERT_OK(Of("Lee").Join(for_lee));
  SyncAll({"Mira", "Tomas"}, 1);
  std::thread mira([this] { (void)Of("Mira").Approve(case_, Id("Mira", "Ana")); });
  std::thread tomas([this] { (void)Of("Tomas").Approve(case_, Id("Tomas", "Lee")); });
  mira.join();
  tomas.join();
  for (int i = 0; i < 4; ++i) {
    for (const char* name : {"Mira", "Tomas", "Ana", "Lee"}) {
      (void)Of(name).Sync({.case_id = case_});
    }
    SyncLater("Mira", 30);  // each leaves it to the other for a while to add whom they approved
    SyncLater("Tomas", 30);
  }
  const ChannelRef caucus = Ref("Mira", "caucus:Harbor");
  for (const char* name : {"Mira", "Tomas", "Ana", "Lee"}) {
    EXPECT_EQ(Ref(name, "caucus:Harbor"), caucus) << name;
    EXPECT_THAT(Readers(name, "caucus:Harbor"), UnorderedElementsAre("Mira", "Tomas", "Ana", "Lee"))
        << name;
    EXPECT_EQ(Must(Of(name).Channels(case_), "channels").size(),
              std::string(name) == "Mira" || std::string(name) == "Tomas" ? 3u : 2u);
  }
}

// ---- Control keys ----

TEST_F(PlantingTest, ASeedSaidBeforeHisRemovalIsNotPutInForce) {
  LetEverybodyIn();
  const ChannelId joint = Ref("Mira", "joint").channel_id;
  const ChannelId neutrals = Ref("Mira", "neutrals").channel_id;
  const std::string seed(crypto::kSignatureSeedSize, 's');
  const auto key = Have(crypto::SignatureKey::FromSeed(crypto::ViewOf(seed))).public_key();
  {
    Attacker tomas = OfTomas();
    tomas.SayControl(neutrals, joint, 1, seed);
    tomas.SayControl(neutrals, joint, 2, seed);
  }
  RemoveTomas();
  ExpectTomasIsOut("Mira");
  profiles_.erase("Mira");
  EXPECT_NE(Attacker(folder_ / "Mira", relay_, case_).Info(joint).state.control_key, key);
  // The channel is lost, and opened anew: as its second incarnation.
  Attacker(folder_ / "Mira", relay_, case_).ReopenAlone(joint);
  profiles_.emplace("Mira", Must(Profile::Open(folder_ / "Mira", std::nullopt), "opening"));
  SyncAll({"Mira", "Ana", "Ben", "Mira"});
  LetIn("Kim", Role::kCoMediator);
  SyncAll({"Mira", "Kim", "Ana", "Ben"});
  profiles_.erase("Mira");
  const client::ChannelInfo info = Attacker(folder_ / "Mira", relay_, case_).Info(joint);
  EXPECT_EQ(info.state.incarnation, 2u);
  EXPECT_NE(info.state.control_key, key);
  EXPECT_TRUE(info.has_control_key);
}

TEST_F(PlantingTest, HeCannotStayByKeepingTheControlKeysToHimself) {
  LetEverybodyIn();
  {
    const ChannelId neutrals = Ref("Mira", "neutrals").channel_id;
    const ChannelId joint = Ref("Mira", "joint").channel_id;
    Attacker tomas = OfTomas();
    tomas.KeepControl(neutrals);
    tomas.KeepControl(joint);
  }
  SyncAll({"Mira", "Ana"}, 1);
  // The way round takes time: until then it isn't said that he is out.
  const Status waits = Of("Mira").Remove(case_, Id("Mira", "Tomas"));
  EXPECT_EQ(waits.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(waits.message(), HasSubstr("Tomas is still in"));
  Sync("Mira");
  SyncLater("Mira", 60);
  SyncAll({"Ana", "Ben", "Lee", "Mira"});
  for (const char* name : {"Mira", "Ana", "Ben"}) ExpectTomasIsOut(name);
  EXPECT_THAT(AlarmTexts("Mira"), HasSubstr("had kept the control key of neutrals"));
  EXPECT_THAT(AlarmTexts("Mira"), HasSubstr("had kept the control key of joint"));
  Say("Ana", "joint", "still here");
  Sync("Mira");
  EXPECT_EQ(Texts("Mira", "joint").back(), "Ana: still here");
}

// ---- Invitations ----

// A case of his own under the same id keeps Lee waiting for ever.
TEST_F(PlantingTest, AForestallingInvitationKeepsNobodyOut) {
  OpenCase();
  LetIn("Tomas", Role::kCoMediator);
  SyncAll({"Mira", "Tomas"}, 3);
  const std::string his = Invite("Lee", Role::kCounsel, "Harbor", "Tomas");
  const std::string hers = Invite("Lee", Role::kCounsel, "Harbor");
  const std::string another = Invite("Leo", Role::kCounsel, "Harbor");
  PARLEY_ASSERT_OK(Of("Lee").Join(his));
  EXPECT_EQ(Must(Of("Lee").GetCase(case_), "case").invited_by, "Tomas");
  PARLEY_ASSERT_OK(Of("Lee").Join(hers));
  EXPECT_EQ(Must(Of("Lee").GetCase(case_), "case").invited_by, "Mira");
  EXPECT_THAT(AlarmTexts("Lee"), HasSubstr("an earlier invitation to this case, by Tomas, gave way "
                                           "to this one, by Mira"));
  Sync("Mira");
  PARLEY_ASSERT_OK(Of("Mira").Approve(case_, Id("Mira", "Lee")));
  SyncAll({"Lee", "Mira", "Lee"}, 1);
  EXPECT_EQ(ChannelNames("Lee"), (std::vector<std::string>{"joint", "caucus:Harbor"}));
  // Who is in the case isn't led away.
  const Status refused = Of("Lee").Join(another).status();
  EXPECT_EQ(refused.code(), StatusCode::kAlreadyExists);
  EXPECT_THAT(refused.message(), HasSubstr("invited by Mira"));
}

}  // namespace
}  // namespace parley
