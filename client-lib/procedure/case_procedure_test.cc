#include "client-lib/procedure/case_procedure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client-lib/procedure/procedure_for_test.h"

namespace parley::client {
namespace {

using namespace testing;  // NOLINT: the people of the case
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Waits(const Log& log) {
  std::vector<std::string> lines;
  for (const CaseProcedure::Missing& missing : log.Play().procedure().WaitsFor()) {
    lines.push_back(missing.who + " " + missing.what);
  }
  return lines;
}

TEST(CaseProcedure, BeginsAsTheStoryDoes) {
  Log log;
  log.Do(kMira, CaseAct::kOpen);
  EXPECT_EQ(log.State(), CaseState::kOpened);
  log.List(kMira, {kMira, kAna});
  log.Do(kAna, CaseAct::kRequest);
  EXPECT_EQ(log.State(), CaseState::kRequested);
  EXPECT_THAT(Waits(log), ElementsAre("another side joins the case",
                                      "a neutral proposes the agreement to mediate"));
  log.List(kMira, Everybody());
  EXPECT_THAT(Waits(log), ElementsAre("Northline accepts the request",
                                      "a neutral proposes the agreement to mediate"));
  const DocumentHash document = log.Propose(kMira, "We agree.");
  log.Sign(kAna, document);
  EXPECT_THAT(log.LastRefusal(), HasSubstr("the case is requested"));
  log.Do(kShah, CaseAct::kAccept);  // counsel speaks for the side
  EXPECT_EQ(log.State(), CaseState::kConsented);
  for (const Actor& person : {kMira, kTomas, kAna, kLee, kBen}) log.Sign(person, document);
  EXPECT_EQ(log.State(), CaseState::kConsented);
  EXPECT_THAT(Waits(log), ElementsAre("Shah signs the agreement to mediate (version 1)"));
  log.Sign(kShah, document);
  EXPECT_EQ(log.State(), CaseState::kEngaged);
  EXPECT_THAT(Waits(log), IsEmpty());
  log.Do(kTomas, CaseAct::kBeginSession);
  EXPECT_EQ(log.State(), CaseState::kInSession);
}

TEST(CaseProcedure, NamesWhoMayNotAndWhy) {
  Log log;
  log.Do(kTomas, CaseAct::kOpen);
  EXPECT_EQ(log.State(), CaseState::kNone);
  log.Do(kMira, CaseAct::kOpen);
  log.List(kMira, Everybody());
  log.Do(kMira, CaseAct::kRequest);
  EXPECT_EQ(log.LastRefusal(), "may not request: only party or counsel may");
  log.Do(kAna, CaseAct::kBeginSession);
  EXPECT_EQ(log.LastRefusal(), "may not begin-session: only mediator or co-mediator may");
  log.Do(kMira, CaseAct::kBeginSession);
  EXPECT_THAT(log.LastRefusal(), HasSubstr("the case is opened, and this can be done while it is "
                                           "engaged, suspended, reopened"));
  log.Do(kMira, static_cast<CaseAct>(99));
  EXPECT_THAT(log.LastRefusal(), HasSubstr("no such act"));
  log.Do(Person(8, "Noor", Role::kParty), CaseAct::kRequest);
  EXPECT_THAT(log.LastRefusal(), HasSubstr("no side"));
  EXPECT_EQ(log.State(), CaseState::kOpened);
}

TEST(CaseProcedure, ASideThatDeclinesEndsIt) {
  Log log;
  log.Do(kMira, CaseAct::kOpen);
  log.List(kMira, Everybody());
  log.Do(kAna, CaseAct::kRequest);
  log.Do(kLee, CaseAct::kAccept);
  EXPECT_THAT(log.LastRefusal(), HasSubstr("Harbor has accepted already"));
  log.Do(kBen, CaseAct::kDecline);
  EXPECT_EQ(log.State(), CaseState::kWithdrawn);
  EXPECT_FALSE(log.Play().procedure().KeepsFromTalk(kAna.id, ChannelKind::kJoint, {}).empty());
}

TEST(CaseProcedure, AConflictHoldsTheBeginningAndSuspendsLater) {
  Log log;
  log.Do(kMira, CaseAct::kOpen);
  log.List(kMira, Everybody());
  const MessageId lecture = log.Do(kTomas, CaseAct::kDiscloseConflict);
  log.Do(kAna, CaseAct::kRequest);
  log.Do(kBen, CaseAct::kAccept);
  const DocumentHash document = log.Propose(kMira, "We agree.");
  for (const Actor& person : Everybody()) log.Sign(person, document);
  EXPECT_EQ(log.State(), CaseState::kConsented);
  log.Do(kAna, CaseAct::kWaive, lecture);
  EXPECT_THAT(Waits(log), ElementsAre("Northline answers what Tomas has disclosed"));
  log.Do(kLee, CaseAct::kWaive, lecture);
  EXPECT_THAT(log.LastRefusal(), HasSubstr("has waived already, and that stands"));
  log.Do(kLee, CaseAct::kObject, lecture);
  EXPECT_THAT(log.LastRefusal(), HasSubstr("has waived already, and that stands"));
  log.Do(kMira, CaseAct::kWaive, lecture);
  EXPECT_THAT(log.LastRefusal(), HasSubstr("only party or counsel"));
  log.Do(kShah, CaseAct::kWaive, MessageId(crypto::ByteArray<16>{77}));
  EXPECT_THAT(log.LastRefusal(), HasSubstr("no such disclosure"));
  log.Do(kShah, CaseAct::kWaive, lecture);
  EXPECT_EQ(log.State(), CaseState::kEngaged);
  log.Do(kMira, CaseAct::kBeginSession);

  const MessageId late = log.Do(kTomas, CaseAct::kDiscloseConflict);
  EXPECT_EQ(log.State(), CaseState::kSuspended);
  log.Do(kBen, CaseAct::kWaive, late);
  log.Do(kAna, CaseAct::kObject, late);
  log.Do(kMira, CaseAct::kBeginSession);
  EXPECT_THAT(log.LastRefusal(), HasSubstr("Harbor waives its objection to Tomas"));
  // The neutral who is objected to goes.
  log.List(kMira, {kMira, kAna, kLee, kBen, kShah});
  log.Do(kMira, CaseAct::kBeginSession);
  EXPECT_EQ(log.State(), CaseState::kInSession);
}

TEST(CaseProcedure, AnAmendmentNeedsAllSignaturesAndTheOldOneHoldsUntilThen) {
  Log log;
  const DocumentHash first = Engage(log);
  const DocumentHash second = log.Propose(kTomas, "We agree, and more.");
  EXPECT_EQ(log.Play().procedure().in_force()->version, 1u);
  EXPECT_THAT(log.Play().procedure().KeepsFromTalk(kAna.id, ChannelKind::kJoint, {}), IsEmpty());
  log.Propose(kMira, "We agree.");
  EXPECT_THAT(log.LastRefusal(), HasSubstr("version 1 already"));
  log.Propose(kMira, "Another.", "caucus: perhaps");
  EXPECT_THAT(log.LastRefusal(), HasSubstr("line 1 of the policy"));
  for (const Actor& person : Everybody()) log.Sign(person, second);
  EXPECT_EQ(log.Play().procedure().in_force()->version, 2u);
  log.Sign(kAna, first);
  EXPECT_THAT(log.LastRefusal(), HasSubstr("version 1 was replaced by version 2"));
  EXPECT_EQ(log.State(), CaseState::kEngaged);
}

TEST(CaseProcedure, WhoComesLaterSignsBeforeAnybodySpeaksBeforeThem) {
  Log log;
  const DocumentHash document = Engage(log);
  std::vector<Actor> with_eva = Everybody();
  with_eva.push_back(kEva);
  const Actor noor = Person(8, "Noor", Role::kParty, "Harbor");
  with_eva.push_back(noor);
  log.List(kMira, with_eva);
  const CaseProcedure procedure = log.Play().procedure();
  EXPECT_EQ(procedure.KeepsFromTalk(kBen.id, ChannelKind::kJoint, {}).size(), 2u);
  EXPECT_EQ(procedure.KeepsFromTalk(kBen.id, ChannelKind::kCaucus, "Northline").size(), 0u);
  EXPECT_EQ(procedure.KeepsFromTalk(kAna.id, ChannelKind::kCaucus, "Harbor").size(), 1u);
  EXPECT_EQ(procedure.KeepsFromTalk(kEva.id, ChannelKind::kCounsel, {}).size(), 1u);
  log.Sign(kEva, document);
  log.Sign(noor, document);
  EXPECT_THAT(log.Play().procedure().KeepsFromTalk(kEva.id, ChannelKind::kJoint, {}), IsEmpty());
  // Somebody whom no list names.
  const Actor stranger = Person(88, "Stranger", Role::kObserver);
  EXPECT_FALSE(log.Play().procedure().KeepsFromTalk(stranger.id, ChannelKind::kJoint, {}).empty());
}

TEST(CaseProcedure, SaysWhoHasNotConfirmedTheSettlementYet) {
  Log log;
  Engage(log);
  log.Do(kMira, CaseAct::kBeginSession);
  log.Do(kMira, CaseAct::kAgreeInPrinciple);
  EXPECT_THAT(Waits(log), IsEmpty());
  log.SetSettlement('s');
  log.Do(kMira, CaseAct::kStartSigning);
  const std::string confirms = " confirms the settlement that is to be signed";
  EXPECT_THAT(Waits(log), ElementsAre(kAna.name + confirms, kBen.name + confirms));
  log.Do(kAna, CaseAct::kConfirmSettlement);
  EXPECT_THAT(Waits(log), ElementsAre(kBen.name + confirms));
  log.Do(kMira, CaseAct::kRevise);
  EXPECT_THAT(Waits(log), IsEmpty());
}

TEST(CaseProcedure, EndsInEveryWay) {
  Log log;
  Engage(log);
  log.Do(kMira, CaseAct::kBeginSession);
  log.Do(kMira, CaseAct::kAgreeInPrinciple);
  log.SetSettlement('\0');
  log.Do(kMira, CaseAct::kStartSigning);
  EXPECT_THAT(log.LastRefusal(), HasSubstr("doesn't name the settlement"));
  log.SetSettlement('s');
  log.Do(kMira, CaseAct::kStartSigning);
  log.Do(kAna, CaseAct::kConfirmSettlement);
  log.Do(kLee, CaseAct::kConfirmSettlement);
  EXPECT_THAT(log.LastRefusal(), HasSubstr("only a party may"));
  log.Do(kMira, CaseAct::kRevise);
  log.SetSettlement('t');
  log.Do(kMira, CaseAct::kStartSigning);  // what Ana confirmed was another text
  log.SetSettlement('s');
  log.Do(kBen, CaseAct::kConfirmSettlement);
  EXPECT_THAT(log.LastRefusal(), HasSubstr("another settlement than is to be signed"));
  log.SetSettlement('t');
  log.Do(kBen, CaseAct::kConfirmSettlement);
  EXPECT_EQ(log.State(), CaseState::kSigning);
  log.Do(kAna, CaseAct::kConfirmSettlement);
  EXPECT_EQ(log.State(), CaseState::kSettled);
  EXPECT_EQ(log.Play().procedure().settlement()[0], 't');
  log.Do(kShah, CaseAct::kReportDestruction);
  EXPECT_EQ(log.LastRefusal(), "");
  EXPECT_THAT(log.Play().procedure().DestroyedBy(kShah.id), ElementsAre("notes"));
  log.Do(kShah, CaseAct::kReportDestruction);
  EXPECT_THAT(log.LastRefusal(), HasSubstr("has reported it already"));
  log.Do(kAna, CaseAct::kWithdraw);
  EXPECT_EQ(log.State(), CaseState::kSettled);
  log.Do(kMira, CaseAct::kClose);
  log.Do(kMira, CaseAct::kFollowUp);
  log.Do(kMira, CaseAct::kClose);
  log.Do(kAna, CaseAct::kReopen);
  EXPECT_EQ(log.State(), CaseState::kClosed);
  log.Do(kShah, CaseAct::kReopen);
  EXPECT_EQ(log.State(), CaseState::kReopened);
  EXPECT_THAT(log.Play().procedure().DestroyedBy(kShah.id), IsEmpty());
  log.Do(kShah, CaseAct::kReportDestruction);
  EXPECT_THAT(log.LastRefusal(), HasSubstr("the case is reopened"));
  log.Do(kMira, CaseAct::kTerminate);
  log.Do(kMira, CaseAct::kClose);
  log.Do(kMira, CaseAct::kRetain);
  log.Do(kMira, CaseAct::kDestroy);
  EXPECT_EQ(log.State(), CaseState::kDestroyed);
}

}  // namespace
}  // namespace parley::client
