// Who takes part by the neutrals' list, and by the channel; and the history for who comes (back).
#include "client-lib/api/agreed_case_for_test.h"

namespace parley {
namespace {

using ::testing::HasSubstr;
using testing::Must;
using ::testing::Not;

class ListingTest : public testing::AgreedCase {
 protected:
  CaseProgress Progress(const std::string& name) {
    return Must(Of(name).Progress(case_), "progress");
  }
  std::string Missing(const std::string& name) {
    std::string text;
    for (const CaseMissing& one : Progress(name).missing) text += one.who + " " + one.what + "\n";
    return text;
  }
  std::string Propose(const std::string& text) {
    return Must(Of("Mira").ProposeAgreement(case_, text, "caucus: closed\nkeep notes: 7 days\n"), "proposing");
  }
  void WithEva(int rounds = 2) { SyncAll({"Mira", "Ana", "Ben", "Eva"}, rounds); }
  void LetEvaIntoJoint() {
    PARLEY_ASSERT_OK(Of("Mira").Admit(Ref("Mira", "joint"), Id("Mira", "Eva")));
  }
  void PutEvaOutOfJoint() {
    PARLEY_ASSERT_OK(Of("Mira").Dismiss(Ref("Mira", "joint"), Id("Mira", "Eva")));
  }
  // She has signed that version, speaks, and nobody is accused.
  void ExpectEvaTakesPart(const std::string& hash) {
    ASSERT_TRUE(Progress("Eva").in_force.has_value()) << Missing("Eva");
    EXPECT_EQ(Progress("Eva").in_force->hash, hash);
    PARLEY_ASSERT_OK(Of("Eva").SignAgreement(case_, hash));
    WithEva();
    Say("Eva", "joint", "The conveyor's bearings are of the wrong kind.");
    for (const char* name : {"Mira", "Ana", "Ben", "Eva"}) {
      EXPECT_THAT(AlarmTexts(name), Not(HasSubstr("passed it over"))) << name;
      EXPECT_THAT(AlarmTexts(name), Not(HasSubstr("the neutrals' list"))) << name;
    }
  }
};

TEST_F(ListingTest, AListThatIsntTheChannelsIsToldToEverybodyUntilItIsMended) {
  Begin("caucus: closed\nkeep notes: 7 days\n");
  content::v1::Content list;
  for (const char* name : {"Mira", "Ana"}) {
    const Participant who = Find("Mira", name);
    auto& listed = *list.mutable_case_overview()->add_participants();
    listed.set_participant_id(client::ToField(who.id));
    listed.set_name(who.name);
    listed.set_role(static_cast<content::v1::Role>(who.role));
    // Of another side than she is.
    listed.set_side(who.side.empty() ? "" : "Northline");
  }
  Inject("Mira", "joint", list);
  SyncAll({"Ana", "Ben"}, 1);
  for (const char* name : {"Ana", "Ben"}) {
    for (const std::string& told : {AlarmTexts(name), Missing(name)}) {
      EXPECT_THAT(told, HasSubstr("lists Ben (party, Northline) among the case's participants"));
      EXPECT_THAT(told, HasSubstr("lists Ana (party, Harbor) as what they are"));
    }
    EXPECT_THAT(AlarmTexts(name), HasSubstr("agreements come into force by it"));
  }
  // An honest program of a neutral mends it.
  Everybody();
  for (const char* name : {"Mira", "Ana", "Ben"}) {
    EXPECT_THAT(AlarmTexts(name), Not(HasSubstr("the neutrals' list"))) << name;
    EXPECT_THAT(Missing(name), Not(HasSubstr("lists"))) << name;
  }
}

TEST_F(ListingTest, WhoIsPutOutAndComesBackLearnsWhatWasDoneMeanwhileAndSigns) {
  Begin("caucus: closed\nkeep notes: 7 days\n");
  LetIn("Eva", Role::kExpert);
  LetEvaIntoJoint();
  WithEva();
  PARLEY_ASSERT_OK(Of("Eva").SignAgreement(case_, Progress("Eva").in_force->hash));
  WithEva();
  PutEvaOutOfJoint();
  WithEva();
  const std::string amended = Propose("We agree to mediate, by the end of May.");
  Everybody(1);
  for (const char* name : {"Mira", "Ana", "Ben"}) {
    PARLEY_ASSERT_OK(Of(name).SignAgreement(case_, amended));
  }
  Everybody();
  LetEvaIntoJoint();
  WithEva();
  ExpectEvaTakesPart(amended);
}

}  // namespace
}  // namespace parley
