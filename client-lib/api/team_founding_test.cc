// Several of a side open a team at the same time: one is left, and it is nobody's to choose.
#include "client-lib/api/team_for_test.h"

namespace parley {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Must;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class TeamFoundingTest : public testing::TeamCase {
 protected:
  void LetThreeIn() {
    LetEverybodyIn();
    LetIn("Kim", Role::kCounsel, "Harbor");
    SyncAll({"Mira", "Lee", "Ana", "Kim"});
    // The team of who comes first in this order counts.
    if (Id("Mira", "Lee") < Id("Mira", "Ana")) {
      first_ = "Lee";
      second_ = "Ana";
    }
  }

  std::string first_ = "Ana";
  std::string second_ = "Lee";
};

TEST_F(TeamFoundingTest, OfTwoTeamsThatAreOpenedAtOnceOneCounts) {
  LetEverybodyIn();
  OpenTeam("Lee");
  OpenTeam("Ana");
  SyncAll({"Lee", "Ana"}, 4);
  const ChannelRef team = Ref("Lee", "team");
  EXPECT_EQ(Ref("Ana", "team"), team);
  EXPECT_THAT(Readers("Ana", "team"), UnorderedElementsAre("Lee", "Ana"));
  Say("Ana", "team", "One of the two is enough.");
  Sync("Lee");
  EXPECT_THAT(Texts("Lee", "team"), ElementsAre("Ana: One of the two is enough."));
}

// Kim, for whom both were opened, may have come into either.
TEST_F(TeamFoundingTest, OfTwoTeamsForThreeThatAreOpenedAtOnceOneCounts) {
  LetThreeIn();
  OpenTeam("Lee");
  OpenTeam("Ana");
  SyncAll({"Kim", "Lee", "Ana"}, 6);
  ExpectOneTeam({"Lee", "Ana", "Kim"});
}

TEST_F(TeamFoundingTest, OfThreeTeamsThatAreOpenedAtOnceOneCounts) {
  LetThreeIn();
  for (const char* name : {"Lee", "Ana", "Kim"}) OpenTeam(name);
  SyncAll({"Lee", "Ana", "Kim"}, 8);
  for (const char* name : {"Lee", "Ana", "Kim"}) {
    EXPECT_THAT(AlarmTexts(name), Not(HasSubstr("left aside"))) << "colleagues did nothing wrong";
  }
  ExpectOneTeam({"Lee", "Ana", "Kim"});
}

// What was decided for the one that gives way isn't carried out in the other.
TEST_F(TeamFoundingTest, TheTeamThatCountsIsForThoseForWhomItWasOpened) {
  LetThreeIn();
  OpenTeam(first_, {Id(first_, second_)});
  OpenTeam(second_);
  SyncAll({first_, second_, "Kim"}, 6);
  ExpectOneTeam({first_, second_});
  EXPECT_THAT(ChannelNames("Kim"), ::testing::Not(::testing::Contains("team:Harbor")));
}

// Channels' ids are their founders' to choose.
TEST_F(TeamFoundingTest, NobodyEndsAnothersTeamByAnId) {
  LetThreeIn();
  const ChannelRef team = OpenTeam(first_);
  SyncAll({second_, "Kim", first_}, 3);
  ASSERT_THAT(Readers(first_, "team"), UnorderedElementsAre("Lee", "Ana", "Kim"));
  const Participant victim = Find(second_, first_);
  client::PersonRecord person;
  person.id = victim.id;
  person.name = victim.name;
  person.role = victim.role;
  person.side = victim.side;
  const auto open_another = [&](uint8_t id) {
    testing::Attacker attacker = As(second_);
    attacker.OpenTeam(ChannelId(ChannelId::Bytes{id}), person);
    attacker.Send();
  };
  open_another(1);
  SyncAll({first_, "Kim"}, 2);
  EXPECT_EQ(Must(Of(first_).GetChannel(team), "team").status, ChannelStatus::kActive);
  EXPECT_EQ(Ref(first_, "team"), team);
  EXPECT_THAT(Readers("Kim", "team"), UnorderedElementsAre("Lee", "Ana", "Kim"));
  // Whoever does so is named once the side has its team; before, colleagues may do so by chance.
  Say("Kim", "team", "Here we are.");
  Sync(first_);
  open_another(2);
  Sync(first_);
  EXPECT_THAT(AlarmTexts(first_), HasSubstr(second_ + " sent a Welcome into another channel"));
}

}  // namespace
}  // namespace parley
