// A case whose participants have signed an agreement to mediate with a policy, and that is in
// session.
#ifndef PARLEY_CLIENT_LIB_API_AGREED_CASE_FOR_TEST_H_
#define PARLEY_CLIENT_LIB_API_AGREED_CASE_FOR_TEST_H_

#include <string>

#include "client-lib/api/session_for_test.h"

namespace parley::testing {

class AgreedCase : public SessionTest {
 protected:
  // As far as "in session".
  void Begin(const std::string& policy) {
    case_ = Must(Of("Mira").CreateCase("Harbor v Northline", connection_,
                                       CaseOptions{.with_procedure = true}),
                 "case");
    LetIn("Ana", Role::kParty, "Harbor");
    PARLEY_ASSERT_OK(Of("Ana").Act(case_, CaseAct::kRequest, "The conveyor."));
    LetIn("Ben", Role::kParty, "Northline");
    Everybody();
    PARLEY_ASSERT_OK(Of("Ben").Act(case_, CaseAct::kAccept));
    Everybody(1);
    const std::string hash =
        Must(Of("Mira").ProposeAgreement(case_, "We agree to mediate.", policy), "proposing");
    Everybody(1);
    for (const char* name : {"Mira", "Ana", "Ben"}) {
      PARLEY_ASSERT_OK(Of(name).SignAgreement(case_, hash));
    }
    Everybody();
    PARLEY_ASSERT_OK(Of("Mira").Act(case_, CaseAct::kBeginSession));
    Everybody(1);
  }
  void Everybody(int rounds = 2) { SyncAll({"Mira", "Ana", "Ben"}, rounds); }
};

}  // namespace parley::testing

#endif  // PARLEY_CLIENT_LIB_API_AGREED_CASE_FOR_TEST_H_
