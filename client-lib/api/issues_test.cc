// The joint list of issues, and that a side's ranking stays in its caucus.
#include "client-lib/api/session_for_test.h"

namespace parley {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Must;

class IssuesTest : public testing::SessionTest {
 protected:
  IssuesTest() { LetEverybodyIn(); }

  std::vector<IssueRanking> Rankings(const std::string& name) {
    return Must(Of(name).IssueRankings(case_), "rankings");
  }
};

TEST_F(IssuesTest, SidesProposeAndNeutralsDecide) {
  const MessageId gearbox = Must(Of("Ana").AddIssue(case_, "The gearbox"), "proposing");
  Everybody(1);
  EXPECT_FALSE(Must(Of("Ben").Issues(case_), "issues")[0].listed);
  EXPECT_EQ(Of("Ben").AdmitIssue(case_, gearbox).status().code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(Of("Ben").DropIssue(case_, gearbox).status().code(), StatusCode::kFailedPrecondition);
  Must(Of("Tomas").AdmitIssue(case_, gearbox), "admitting");
  Must(Of("Tomas").RewordIssue(case_, gearbox, "The gearbox's defects"), "rewording");
  Everybody(1);
  const std::vector<Issue> issues = Must(Of("Ben").Issues(case_), "issues");
  ASSERT_EQ(issues.size(), 1u);
  EXPECT_TRUE(issues[0].listed);
  EXPECT_EQ(issues[0].text, "The gearbox's defects");
  EXPECT_EQ(issues[0].by.name, "Ana");
}

TEST_F(IssuesTest, ARankingReachesItsSideAndTheNeutralsAndNobodyElse) {
  const MessageId price = Must(Of("Mira").AddIssue(case_, "The price"), "adding");
  const MessageId delay = Must(Of("Mira").AddIssue(case_, "The delay"), "adding");
  Everybody();
  const uint64_t joint_before = Find("Ben", "joint", 0).head;
  const uint64_t caucus_before = Find("Ben", "caucus", 0).head;
  Must(Of("Ana").RankIssues(case_, {delay, price}), "ranking");
  Everybody();
  EXPECT_EQ(Find("Ben", "joint", 0).head, joint_before);
  EXPECT_EQ(Find("Ben", "caucus", 0).head, caucus_before);
  EXPECT_THAT(Rankings("Ben"), IsEmpty());
  for (const char* name : {"Mira", "Tomas", "Ana", "Lee"}) {
    ASSERT_EQ(Rankings(name).size(), 1u) << name;
    EXPECT_EQ(Rankings(name)[0].side, "Harbor");
    EXPECT_THAT(Rankings(name)[0].issues, ElementsAre(delay, price));
  }
  Must(Of("Ben").RankIssues(case_, {price}), "ranking");
  Must(Of("Lee").RankIssues(case_, {price, delay}), "ranking anew");
  Everybody();
  EXPECT_EQ(Rankings("Mira").size(), 2u);
  ASSERT_EQ(Rankings("Ana").size(), 1u);
  EXPECT_THAT(Rankings("Ana")[0].issues, ElementsAre(price, delay));
  ASSERT_EQ(Rankings("Ben").size(), 1u);
  EXPECT_EQ(Rankings("Ben")[0].side, "Northline");
  for (const Message& message : Read("Ben")) {
    EXPECT_THAT(message.text, ::testing::Not(HasSubstr("ranks")));
  }
}

TEST_F(IssuesTest, OnlyASideRanksItsOwnAndOnlyWhatIsOnTheList) {
  const MessageId price = Must(Of("Mira").AddIssue(case_, "The price"), "adding");
  Everybody(1);
  EXPECT_EQ(Of("Mira").RankIssues(case_, {price}).status().code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(Of("Ana").RankIssues(case_, {price, price}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(Of("Ana").RankIssues(case_, {}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Of("Ana").RankIssues(case_, {MessageId({1})}).status().code(),
            StatusCode::kInvalidArgument);
  // A neutral who ranks in a side's place, with a modified program.
  content::v1::Content forged;
  forged.mutable_issue_ranking()->add_issue_ids(client::ToField(price));
  Inject("Tomas", "caucus:Harbor", forged);
  // Or somebody who puts a ranking where it doesn't belong.
  Inject("Ben", "joint", forged);
  Everybody();
  for (const char* name : {"Mira", "Ana", "Ben"}) EXPECT_THAT(Rankings(name), IsEmpty()) << name;
}

}  // namespace
}  // namespace parley
