// The counsel channel and groups: who opens them, who is in them, what may be carried into them.
#include "client-lib/cases/further_channels.h"

#include "client-lib/api/attacker_for_test.h"

namespace parley {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Must;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class FurtherChannelsTest : public testing::Mediation {
 protected:
  // With counsel on both sides, and an expert without one.
  void LetCounselIn() {
    LetEverybodyIn();
    LetIn("Priya", Role::kCounsel, "Northline");
    LetIn("Keller", Role::kExpert);
    SyncAll({"Mira", "Tomas", "Lee", "Priya", "Ben"}, 1);
  }

  Result<Channel> Open(const std::string& name, ChannelKind kind, const std::string& called = {},
                       const std::vector<ParticipantId>& members = {}) {
    return Of(name).CreateChannel(case_, {.kind = kind, .name = called, .members = members});
  }
};

TEST_F(FurtherChannelsTest, CounselSpeakWithTheNeutralsAndTheChannelFollowsWhoIsCounsel) {
  LetCounselIn();
  const Status refused = Open("Lee", ChannelKind::kCounsel).status();
  EXPECT_EQ(refused.code(), StatusCode::kPermissionDenied);
  PARLEY_ASSERT_OK(Open("Mira", ChannelKind::kCounsel));
  EXPECT_EQ(Open("Mira", ChannelKind::kCounsel).status().code(), StatusCode::kAlreadyExists);
  SyncAll({"Mira", "Tomas", "Lee", "Priya", "Ana", "Keller"});
  EXPECT_THAT(Readers("Lee", "counsel"), UnorderedElementsAre("Mira", "Tomas", "Lee", "Priya"));
  EXPECT_THAT(ChannelNames("Ana"), Not(Contains("counsel")));
  Say("Lee", "counsel", "Shall we agree the bundle?");
  SyncAll({"Priya", "Tomas"}, 1);
  EXPECT_THAT(Texts("Priya", "counsel"), ElementsAre("Lee: Shall we agree the bundle?"));
  // An expert is admitted, and dismissed, without leaving the case.
  const ChannelRef counsel = Ref("Mira", "counsel");
  PARLEY_ASSERT_OK(Of("Mira").Admit(counsel, Id("Mira", "Keller")));
  const Status party = Of("Mira").Admit(counsel, Id("Mira", "Ana"));
  EXPECT_EQ(party.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(party.message(), HasSubstr("Ana (party, Harbor) may not be in counsel"));
  SyncAll({"Mira", "Keller"});
  EXPECT_THAT(Readers("Keller", "counsel"), Contains("Keller"));
  PARLEY_ASSERT_OK(Of("Mira").Dismiss(counsel, Id("Mira", "Keller")));
  EXPECT_EQ(Of("Mira").Dismiss(counsel, Id("Mira", "Lee")).code(), StatusCode::kInvalidArgument);
  SyncAll({"Mira", "Tomas", "Keller", "Mira"});
  EXPECT_THAT(Readers("Mira", "counsel"), Not(Contains("Keller")));
  EXPECT_EQ(Find("Mira", "Keller").state, ParticipantState::kApproved);
  EXPECT_EQ(Find("Tomas", "Keller").state, ParticipantState::kApproved);
  EXPECT_THAT(ChannelNames("Keller"), Not(Contains("counsel")));
  // Who is admitted again is in again, and has never left the case.
  PARLEY_ASSERT_OK(Of("Tomas").Admit(counsel, Id("Tomas", "Keller")));
  SyncAll({"Mira", "Tomas", "Keller"});
  EXPECT_EQ(Find("Mira", "Keller").state, ParticipantState::kApproved);
  EXPECT_THAT(Readers("Keller", "counsel"), Contains("Keller"));
  PARLEY_ASSERT_OK(Of("Tomas").Dismiss(counsel, Id("Tomas", "Keller")));
  // Lee is replaced.
  PARLEY_ASSERT_OK(Of("Mira").Remove(case_, Id("Mira", "Lee")));
  LetIn("Kim", Role::kCounsel, "Harbor");
  SyncAll({"Mira", "Tomas", "Priya", "Kim"});
  EXPECT_THAT(Readers("Priya", "counsel"), UnorderedElementsAre("Mira", "Tomas", "Priya", "Kim"));
}

TEST_F(FurtherChannelsTest, AGroupIsWhomTheNeutralsNameAndTheFirewallKnowsIt) {
  LetCounselIn();
  EXPECT_EQ(Open("Mira", ChannelKind::kGroup, "Principals").status().code(),
            StatusCode::kInvalidArgument);  // without members
  EXPECT_EQ(Open("Mira", ChannelKind::kGroup, " ", {Id("Mira", "Ana")}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(Open("Ana", ChannelKind::kGroup, "Principals", {Id("Ana", "Ben")}).status().code(),
            StatusCode::kPermissionDenied);
  PARLEY_ASSERT_OK(
      Open("Mira", ChannelKind::kGroup, "Principals", {Id("Mira", "Ana"), Id("Mira", "Ben")}));
  EXPECT_EQ(Open("Tomas", ChannelKind::kGroup, "principals", {Id("Tomas", "Ana")}).status().code(),
            StatusCode::kAlreadyExists);
  SyncAll({"Mira", "Tomas", "Ana", "Ben", "Lee"});
  EXPECT_THAT(Readers("Ana", "group:Principals"),
              UnorderedElementsAre("Mira", "Tomas", "Ana", "Ben"));
  EXPECT_THAT(ChannelNames("Lee"), Not(Contains("group:Principals")));
  Say("Ben", "group:Principals", "Can the two of us settle the schedule ourselves?");
  // What Ana confided in her caucus stays there, as anywhere.
  Say("Ana", "caucus", "Our floor is six hundred and ninety thousand for the whole yard.");
  Sync("Mira");
  const Status held =
      Of("Mira")
          .Send(Ref("Mira", "group:Principals"),
                "As I hear, our floor is six hundred and ninety thousand for the whole yard.")
          .status();
  EXPECT_EQ(held.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(held.message(), HasSubstr("caucus:Harbor"));
  EXPECT_THAT(held.message(), HasSubstr("Ben"));
  // Nor does it get out as the name of a group.
  const Status named =
      Open("Mira", ChannelKind::kGroup,
           "our floor is six hundred and ninety thousand for the whole yard", {Id("Mira", "Ben")})
          .status();
  EXPECT_EQ(named.code(), StatusCode::kPermissionDenied) << named.message();
  EXPECT_THAT(named.message(), HasSubstr("caucus:Harbor"));
  for (const char* name : {"Team", "joint", "team:Harbor"}) {
    EXPECT_EQ(Open("Mira", ChannelKind::kGroup, name, {Id("Mira", "Ben")}).status().code(),
              StatusCode::kInvalidArgument)
        << name;
  }
  // Nor by letting somebody into a group whose name was let pass by another program.
  Say("Ana", "caucus",
      "The covenant falls due on the thirtieth of June this year, and not before.");
  SyncAll({"Mira", "Tomas"});
  const std::string said = "covenant falls due on the thirtieth of June this year";
  const ParticipantId ana = Id("Mira", "Ana");
  profiles_.erase("Mira");
  {
    const auto store = testing::Have(client::ProfileStore::Open(folder_ / "Mira"));
    client::CaseContext mira;
    mira.store = store.get();
    mira.now_seconds = [] { return static_cast<uint64_t>(time(nullptr)); };
    mira.id = case_;
    testing::Have(client::CreateFurtherChannel(
                      mira, {.kind = ChannelKind::kGroup, .name = said, .members = {ana}})
                      .status());
  }
  profiles_.emplace("Mira", Another("Mira"));
  SyncAll({"Mira", "Tomas"}, 3);
  const Status passed_on = Of("Tomas").Admit(Ref("Tomas", "group:" + said), Id("Tomas", "Ben"));
  EXPECT_EQ(passed_on.code(), StatusCode::kPermissionDenied) << passed_on.message();
  EXPECT_THAT(passed_on.message(), HasSubstr("caucus:Harbor"));
  PARLEY_ASSERT_OK(Of("Tomas").Dismiss(Ref("Tomas", "group:Principals"), Id("Tomas", "Ben")));
  SyncAll({"Tomas", "Mira", "Ben"});
  EXPECT_THAT(Readers("Mira", "group:Principals"), UnorderedElementsAre("Mira", "Tomas", "Ana"));
  EXPECT_EQ(Find("Mira", "Ben").state, ParticipantState::kApproved);
}

}  // namespace
}  // namespace parley
