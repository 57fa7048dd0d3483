#include "client-lib/procedure/procedure_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace parley::client {
namespace {

using ::testing::HasSubstr;

TEST(ProcedureTable, HasOneRuleForEachAct) {
  std::set<CaseAct> acts;
  std::set<std::string> names;
  for (const ActRule& rule : ActRules()) {
    EXPECT_TRUE(acts.insert(rule.act).second) << rule.name;
    EXPECT_TRUE(names.insert(rule.name).second) << rule.name;
    EXPECT_EQ(ActOf(rule.name), rule.act);
    EXPECT_NE(rule.who, 0u) << rule.name;
    EXPECT_NE(rule.from, 0u) << rule.name;
  }
  EXPECT_EQ(acts.size(), static_cast<size_t>(CaseAct::kReportDestruction));
  EXPECT_EQ(ActOf("unknown"), std::nullopt);
}

// The order that DESIGN's page fixes: "requested → consented → engaged → in session ⇄ suspended …".
TEST(ProcedureTable, HasTheWaysThatTheDesignNames) {
  using enum CaseState;
  const std::pair<CaseState, CaseState> ways[] = {{kOpened, kRequested},
                                                  {kRequested, kConsented},
                                                  {kConsented, kEngaged},
                                                  {kEngaged, kInSession},
                                                  {kInSession, kSuspended},
                                                  {kSuspended, kInSession},
                                                  {kInSession, kAgreedInPrinciple},
                                                  {kAgreedInPrinciple, kSigning},
                                                  {kSigning, kSettled},
                                                  {kInSession, kWithdrawn},
                                                  {kInSession, kImpasse},
                                                  {kInSession, kTerminated},
                                                  {kSettled, kClosed},
                                                  {kClosed, kRetained},
                                                  {kRetained, kDestroyed},
                                                  {kClosed, kFollowUp},
                                                  {kClosed, kReopened},
                                                  {kReopened, kInSession}};
  for (const auto& [from, to] : ways) {
    EXPECT_TRUE(MayFollow(from, to)) << NameOf(from) << " to " << NameOf(to);
  }
  for (const auto& [from, to] : {std::pair{kOpened, kEngaged},
                                 {kRequested, kEngaged},
                                 {kConsented, kInSession},
                                 {kInSession, kSettled},
                                 {kDestroyed, kReopened},
                                 {kWithdrawn, kInSession},
                                 {kRetained, kReopened}}) {
    EXPECT_FALSE(MayFollow(from, to)) << NameOf(from) << " to " << NameOf(to);
  }
}

TEST(ProcedureTable, NobodyButTheMediatorOpensAndNoNeutralSpeaksForASide) {
  for (const Role role : {Role::kCoMediator, Role::kParty, Role::kCounsel, Role::kExpert}) {
    EXPECT_EQ(FindRule(CaseAct::kOpen)->who & SetOf(role), 0u);
  }
  for (const CaseAct act : {CaseAct::kRequest, CaseAct::kAccept, CaseAct::kWaive, CaseAct::kObject,
                            CaseAct::kConfirmSettlement, CaseAct::kWithdraw}) {
    EXPECT_EQ(FindRule(act)->who & (SetOf(Role::kMediator) | SetOf(Role::kCoMediator)), 0u);
  }
}

TEST(ProcedureTable, HelpNamesWhatPeopleDo) {
  const std::string help = ActsHelp();
  EXPECT_THAT(help, HasSubstr("begin-session (mediator or co-mediator; while the case is: "));
  EXPECT_EQ(help.find("list-participants"), std::string::npos);
  EXPECT_EQ(help.find("propose-agreement"), std::string::npos);
}

TEST(ProcedureTable, TheDocumentIsTheTables) {
  if (std::getenv("PARLEY_WRITE_DOCUMENT") != nullptr) {
    std::ofstream(PARLEY_PROCEDURE_DOCUMENT) << ProcedureDocument();
  }
  std::ifstream file(PARLEY_PROCEDURE_DOCUMENT);
  std::stringstream document;
  document << file.rdbuf();
  EXPECT_EQ(document.str(), ProcedureDocument())
      << "run this test with PARLEY_WRITE_DOCUMENT=1 to write docs/procedure.md anew";
}

}  // namespace
}  // namespace parley::client
