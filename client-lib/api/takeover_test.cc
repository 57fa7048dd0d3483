// A neutral who was removed, and uses what they still have before everybody has read of it.
#include "client-lib/api/attacker_for_test.h"

namespace parley {
namespace {

using testing::Attacker;
using ::testing::Contains;
using ::testing::HasSubstr;
using testing::Must;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class TakeoverTest : public testing::Mediation {
 protected:
  // Tomas is removed, and then does all of it to `victim`, who is away.
  void Attack(const std::string& victim, const std::string& channel, ChannelKind kind,
              const std::string& side) {
    const ChannelId real = Ref("Tomas", channel).channel_id;
    PARLEY_ASSERT_OK(Of("Mira").Remove(case_, Id("Mira", "Tomas")));
    Sync("Mira");
    const ParticipantId id = Id("Mira", victim);
    profiles_.erase("Tomas");
    Attacker tomas(folder_ / "Tomas", relay_, case_);
    const client::PersonRecord person = tomas.Person(id);
    tomas.TellOfRemoval(person);
    tomas.Introduce(person);
    tomas.Reopen(real, person);
    tomas.OpenAnother(ChannelId(ChannelId::Bytes{1}), kind, side, person);
    tomas.Send();
  }

  std::string RefusalTexts(const std::string& name) {
    std::string texts;
    for (const Alarm& alarm : Must(Of(name).Alarms(case_), "alarms")) {
      if (alarm.kind == AlarmKind::kRefused) texts += alarm.text + "\n";
    }
    return texts;
  }

  void ExpectUnharmed(const std::string& name, const std::string& channel,
                      const std::vector<std::string>& channels) {
    const ChannelRef before = Ref(name, channel);
    SyncAll({name}, 2);
    EXPECT_EQ(Ref(name, channel), before);
    EXPECT_EQ(ChannelNames(name), channels);
    EXPECT_EQ(Must(Of(name).GetCase(case_), "case").own_state, ParticipantState::kApproved);
    EXPECT_THAT(Readers(name, channel), Not(Contains("Tomas")));
    Say(name, channel, "among us");
    Sync("Mira");
    EXPECT_EQ(Texts("Mira", channel).back(), name + ": among us");
    const std::string alarms = RefusalTexts(name);
    EXPECT_THAT(alarms, HasSubstr("Tomas, who is no neutral of the case any more, sent a Welcome"));
    EXPECT_THAT(alarms, HasSubstr("sent an introduction"));
    EXPECT_THAT(alarms, HasSubstr("sent word that you were removed"));
  }
};

TEST_F(TakeoverTest, ARemovedNeutralTakesNoCaucusOver) {
  LetEverybodyIn();
  Attack("Ana", "caucus:Harbor", ChannelKind::kCaucus, "Harbor");
  ExpectUnharmed("Ana", "caucus:Harbor", {"joint", "caucus:Harbor"});
  EXPECT_THAT(Readers("Ana", "caucus:Harbor"), UnorderedElementsAre("Mira", "Ana", "Lee"));
  // A genuine removal still counts.
  PARLEY_ASSERT_OK(Of("Mira").Remove(case_, Id("Mira", "Ana")));
  Sync("Ana");
  EXPECT_EQ(Must(Of("Ana").GetCase(case_), "case").own_state, ParticipantState::kRemoved);
}

TEST_F(TakeoverTest, NorTheNeutralsChannel) {
  OpenCase();
  LetIn("Tomas", Role::kCoMediator);
  LetIn("Kim", Role::kCoMediator);
  LetIn("Ana", Role::kParty, "Harbor");
  SyncAll({"Mira", "Tomas", "Kim", "Ana"}, 3);
  Attack("Kim", "neutrals", ChannelKind::kNeutrals, "");
  ExpectUnharmed("Kim", "neutrals", {"joint", "caucus:Harbor", "neutrals"});
}

// Ana is away while Tomas goes, Kim comes, and Kim alone adds her to what she isn't in yet.
TEST_F(TakeoverTest, ANewNeutralIsHeardByWhoWasAway) {
  LetEverybodyIn();
  PARLEY_ASSERT_OK(Of("Mira").Remove(case_, Id("Mira", "Tomas")));
  Sync("Mira");
  LetIn("Kim", Role::kCoMediator);
  SyncAll({"Mira", "Kim"}, 3);
  LetIn("Eva", Role::kParty, "Harbor", "Kim");
  SyncAll({"Kim", "Ana", "Kim", "Eva", "Ana", "Mira"}, 2);
  EXPECT_THAT(Readers("Ana", "caucus"), UnorderedElementsAre("Mira", "Kim", "Ana", "Lee", "Eva"));
  EXPECT_EQ(Find("Ana", "Kim").safety_number, Find("Kim", "Ana").safety_number);
  EXPECT_FALSE(Find("Ana", "Kim").safety_number.empty());
  EXPECT_EQ(RefusalTexts("Ana"), "");
}

}  // namespace
}  // namespace parley
