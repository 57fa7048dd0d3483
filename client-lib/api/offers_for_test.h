// Offers in a mediation of two sides, as their users see them. Only tests include it.
#ifndef PARLEY_CLIENT_LIB_API_OFFERS_FOR_TEST_H_
#define PARLEY_CLIENT_LIB_API_OFFERS_FOR_TEST_H_

#include <string>
#include <vector>

#include "client-lib/api/attacker_for_test.h"
#include "client-lib/api/firewall_for_test.h"
#include "parley/offers.h"

namespace parley::testing {

class OffersTest : public Mediation {
 protected:
  OffersTest() { LetEverybodyIn(); }

  SentOffer Make(const std::string& name, const std::string& channel, const OfferRequest& request) {
    SentOffer made = Must(Of(name).MakeOffer(Ref(name, channel), request), name + " offers");
    SyncAll({"Mira", "Tomas", "Ana", "Lee", "Ben"}, 1);
    return made;
  }
  Offer Find(const std::string& name, const std::string& id) {
    return Must(Of(name).FindOffer(case_, id), name + " finds the offer");
  }
  OfferState StateOf(const std::string& name, const std::string& id) {
    Sync(name);
    return Find(name, id).current().state;
  }
  std::vector<std::string> StatesOf(const std::string& id,
                                    const std::vector<std::string>& names = {"Mira", "Tomas", "Ana",
                                                                             "Lee", "Ben"}) {
    std::vector<std::string> states;
    for (const std::string& name : names) states.push_back(OfferStateName(StateOf(name, id)));
    return states;
  }
  Result<SentOffer> Answer(const std::string& name, const std::string& id, bool accept,
                           uint32_t version, uint32_t alternative = 0) {
    return Of(name).AnswerOffer(Find(name, id), {accept, version, alternative, ""});
  }
  void Carry(const std::string& neutral, const OfferLeave& leave) {
    Sync(neutral);
    const Authorisation given = Must(
        Of(neutral).FindAuthorisation(case_, leave.authorisation.ToString()), "finding the leave");
    PARLEY_ASSERT_OK(Of(neutral).Disclose(given));
    SyncAll({"Mira", "Tomas", "Ana", "Lee", "Ben"}, 1);
  }
  std::vector<std::string> Refused(const std::string& name) {
    Sync(name);
    std::vector<std::string> texts;
    for (const OfferRefusal& one : Must(Of(name).Offers(case_), "offers").refused) {
      texts.push_back(one.by.name + " " + one.text);
    }
    return texts;
  }
  // A program that asks nobody says it.
  void Inject(const std::string& name, const std::string& channel,
              const content::v1::Content& content) {
    Attacker(folder_ / name, relay_, case_).Say(Ref(name, channel).channel_id, content);
  }
};

}  // namespace parley::testing

#endif  // PARLEY_CLIENT_LIB_API_OFFERS_FOR_TEST_H_
