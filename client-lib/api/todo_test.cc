// What waits for somebody, from a case's beginning to its end: nothing that the program would
// refuse, and each with the command for it.
#include "client-lib/api/session_for_test.h"
#include "parley/procedure.h"

namespace parley {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Must;

class TodoTest : public testing::SessionTest {
 protected:
  TodoTest() {
    case_ = Must(Of("Mira").CreateCase("Harbor v Northline", connection_,
                                       CaseOptions{.with_procedure = true}),
                 "case");
    LetIn("Ana", Role::kParty, "Harbor");
    LetIn("Ben", Role::kParty, "Northline");
    All();
  }
  void All() { SyncAll({"Mira", "Ana", "Ben"}); }
  void Do(const std::string& name, CaseAct act, const std::string& words = "") {
    PARLEY_ASSERT_OK(Of(name).Act(case_, act, words));
    All();
  }
  std::string Propose(const std::string& text) {
    const std::string hash =
        Must(Of("Mira").ProposeAgreement(case_, text, AgreementTemplates()[0].policy), "proposing");
    All();
    return hash;
  }
  void SignAll(const std::string& hash) {
    for (const char* const name : {"Mira", "Ana", "Ben"}) {
      PARLEY_ASSERT_OK(Of(name).SignAgreement(case_, hash));
    }
    All();
  }
  std::vector<TodoItem> Items(const std::string& name) {
    return Must(Of(name).Todo(case_), "todo");
  }
  std::string Todo(const std::string& name) {
    std::string text;
    for (const TodoItem& item : Items(name)) text += item.text + "\n";
    return text;
  }
  std::string Missing(const std::string& name) {
    std::string text;
    for (const CaseMissing& one : Must(Of(name).Progress(case_), "progress").missing) {
      text += one.who + " " + one.what + "\n";
    }
    return text;
  }
};

TEST_F(TodoTest, NobodyIsAskedForASignatureThatIsRefused) {
  const std::string early = Propose("We agree.");
  EXPECT_FALSE(Of("Ana").SignAgreement(case_, early).ok());
  EXPECT_EQ(Todo("Ana"), "a side requests mediation (parley case request)\n");
  EXPECT_THAT(Todo("Mira"), IsEmpty());
  EXPECT_THAT(Missing("Ana"), HasSubstr("Ana signs the agreement to mediate (version 1)"));
  Do("Ana", CaseAct::kRequest);
  EXPECT_THAT(Todo("Ana"), IsEmpty());
  EXPECT_EQ(Todo("Ben"), "Northline accepts the request (parley case accept, decline)\n");
  Do("Ben", CaseAct::kAccept);
  for (const char* const name : {"Mira", "Ana", "Ben"}) {
    EXPECT_EQ(Todo(name),
              "sign the agreement to mediate, version 1 (parley case agreement sign)\n");
    EXPECT_EQ(Items(name)[0].id, early);
    EXPECT_EQ(Items(name)[0].about, early.substr(0, 8));
  }
  Do("Mira", CaseAct::kTerminate);
  EXPECT_FALSE(Of("Ana").SignAgreement(case_, early).ok());
  EXPECT_THAT(Todo("Ana"), IsEmpty());
  EXPECT_EQ(Missing("Ana"),
            "an agreement to mediate that everybody has signed; the case has ended without one\n");
}

TEST_F(TodoTest, EachHasTheCommandForIt) {
  Do("Ana", CaseAct::kRequest);
  Do("Ben", CaseAct::kAccept);
  EXPECT_EQ(Todo("Mira"),
            "a neutral proposes the agreement to mediate (parley case agreement propose)\n");
  EXPECT_THAT(Todo("Ana"), IsEmpty());
  Do("Mira", CaseAct::kDiscloseConflict, "A lecture in May.");
  EXPECT_EQ(Todo("Ana"), "Harbor answers what Mira has disclosed (parley case waive, object)\n");
  const MessageId lecture = Must(Of("Ana").Progress(case_), "progress").disclosures.at(0).id;
  PARLEY_ASSERT_OK(Of("Ana").Act(case_, CaseAct::kObject, "We object.", lecture));
  All();
  EXPECT_EQ(Todo("Ana"),
            "Harbor waives its objection to Mira, or Mira leaves (parley case waive)\n");
  for (const char* const name : {"Ana", "Ben"}) {
    PARLEY_ASSERT_OK(Of(name).Act(case_, CaseAct::kWaive, "", lecture));
  }
  SignAll(Propose("We agree."));
  Do("Mira", CaseAct::kBeginSession);
  Must(Of("Mira").SetSessionText(case_, SessionTextKind::kAgenda, "1. The conveyor."), "agenda");
  All();
  EXPECT_EQ(Todo("Ben"), "answer the agenda, version 1 (parley agenda ack, correct)\n");
  const MessageId second =
      Must(Of("Mira").SetSessionText(case_, SessionTextKind::kAgenda, "1. The money."), "agenda");
  All();
  // From the second version on an answer that doesn't name it is refused.
  EXPECT_EQ(Todo("Ben"), "answer the agenda, version 2 (parley agenda ack, correct --version 2)\n");
  EXPECT_EQ(Items("Ben")[0].id, second.ToString());
  PARLEY_ASSERT_OK(Of("Ben").AnswerSessionText(case_, second, true, ""));
  for (const char* const text : {"It stood still.", "For eleven days."}) {
    Must(Of("Mira").SetSessionText(case_, SessionTextKind::kSummary, text), "summary");
  }
  All();
  EXPECT_EQ(Todo("Ben"),
            "answer summary 1, version 1 (parley summary confirm, correct --of 1)\n"
            "answer summary 2, version 1 (parley summary confirm, correct --of 2)\n");
}

TEST_F(TodoTest, WhoWaitsToBeLetInIsToldByTheirId) {
  PARLEY_ASSERT_OK(Of("Kim").Join(Invite("Kim", Role::kExpert)));
  Sync("Mira");
  bool told = false;
  for (const TodoItem& item : Items("Mira")) {
    if (item.kind != TodoKind::kApprove) continue;
    told = true;
    EXPECT_EQ(item.about, "Kim");
    EXPECT_EQ(item.id, Id("Mira", "Kim").ToString());
  }
  EXPECT_TRUE(told);
}

}  // namespace
}  // namespace parley
