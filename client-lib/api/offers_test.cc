// Offers and option sheets through the public calls: in the joint channel, carried between
// caucuses, and what every honest client passes over.
#include "parley/offers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "client-lib/api/attacker_for_test.h"
#include "client-lib/api/firewall_for_test.h"
#include "client-lib/channels/channel_ids.h"
#include "client-lib/procedure/offer_terms.h"

namespace parley::testing {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

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

TEST_F(OffersTest, OneExactVersionIsAcceptedInTheJointChannel) {
  EXPECT_EQ(Of("Mira").MakeOffer(Ref("Mira", "joint"), {.text = "x"}).status().code(),
            StatusCode::kPermissionDenied);
  EXPECT_THAT(
      Of("Ana").MakeOffer(Ref("Ana", "joint"), {.text = "x", .to = {"Nord"}}).status().message(),
      HasSubstr("there are: Harbor, Northline"));
  EXPECT_EQ(Of("Ana").MakeOffer(Ref("Ana", "joint"), {.text = " "}).status().code(),
            StatusCode::kInvalidArgument);
  const SentOffer made = Make("Ana", "joint",
                              {.text = "Northline pays for the conveyor.",
                               .amount = "1.2 million",
                               .conditions = {"paid by 30 June", "no publicity"},
                               .alternatives = {"delivery of a new one"}});
  EXPECT_TRUE(made.sent.position.has_value());
  const Offer seen = Find("Ben", made.offer.substr(0, 10));
  EXPECT_EQ(seen.current().amount, "1.2 million");
  EXPECT_THAT(seen.current().conditions, ElementsAre("paid by 30 June", "no publicity"));
  ASSERT_EQ(seen.current().waits_for.size(), 1u);
  EXPECT_EQ(seen.current().waits_for[0].name, "Ben");

  EXPECT_EQ(Answer("Lee", made.offer, true, 1).status().code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(Answer("Mira", made.offer, true, 1).status().code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(Answer("Ben", made.offer, true, 2).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Answer("Ben", made.offer, true, 1, 2).status().code(), StatusCode::kInvalidArgument);
  Make("Lee", "joint", {.text = "For less.", .amount = "950", .replaces = Find("Lee", made.offer)});
  EXPECT_THAT(StatesOf(made.offer), ElementsAre("open", "open", "open", "open", "open"));
  const Status stale = Answer("Ben", made.offer, true, 1).status();
  EXPECT_EQ(stale.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(stale.message(),
              AllOf(HasSubstr("version 1 is replaced"), HasSubstr("version 2 is open: read it")));
  // Lee, who is counsel, has made it for Harbor: Ana accepts it, too.
  PARLEY_ASSERT_OK(Answer("Ben", made.offer, true, 2));
  EXPECT_EQ(StateOf("Tomas", made.offer), OfferState::kOpen);
  PARLEY_ASSERT_OK(Answer("Ana", made.offer, true, 2));
  EXPECT_THAT(StatesOf(made.offer),
              ElementsAre("accepted", "accepted", "accepted", "accepted", "accepted"));
  EXPECT_THAT(Of("Ana").WithdrawOffer(Find("Ana", made.offer), 2).status().message(),
              HasSubstr("everybody has accepted it"));
  // It stands among the messages, too.
  const std::vector<Message> messages = Must(Of("Ben").Read(Ref("Ben", "joint")), "reading");
  ASSERT_EQ(messages.size(), 4u);
  EXPECT_EQ(messages[0].kind, MessageKind::kOffer);
  EXPECT_THAT(messages[0].text, HasSubstr("offers “1.2 million”: “Northline pays"));
  EXPECT_THAT(messages[2].text,
              HasSubstr("accepts an offer (offer " + made.offer.substr(0, 8) + ", version 2)"));
}

TEST_F(OffersTest, WhatMayNotBeIsPassedOverByAllAndNamed) {
  const SentOffer made = Make("Ana", "joint", {.text = "1.2 million"});
  const Offer first = Find("Ben", made.offer);
  Make("Ana", "joint", {.text = "950 thousand", .replaces = Find("Ana", made.offer)});
  // Ben's program accepts version 1 all the same.
  content::v1::Content stale;
  stale.mutable_offer_answer()->set_version_hash(
      crypto::ToString(*crypto::FromHex(first.current().hash)));
  stale.mutable_offer_answer()->set_answer(content::v1::OfferAnswer::ANSWER_ACCEPT);
  client::SetPlace({1, first.current().position}, stale);
  Inject("Ben", "joint", stale);
  // And Tomas, a neutral, makes an offer in the parties' place.
  content::v1::OfferTerms terms;
  terms.set_text("700");
  terms.set_version(1);
  terms.add_parties()->set_participant_id(client::ToField(Id("Tomas", "Ben")));
  terms.mutable_parties(0)->set_name("Ben");
  terms.mutable_parties(0)->set_side("Northline");
  content::v1::Content forged;
  forged.mutable_offer()->set_terms(terms.SerializeAsString());
  Inject("Tomas", "joint", forged);
  for (const char* name : {"Mira", "Tomas", "Ana", "Lee", "Ben"}) {
    EXPECT_THAT(Refused(name),
                ElementsAre(HasSubstr("Ben may not accept version 1: it was replaced by version 2"),
                            HasSubstr("Tomas may not make this offer: only parties and counsel")))
        << name;
    EXPECT_EQ(Must(Of(name).Offers(case_), "offers").offers.size(), 1u);
    EXPECT_THAT(AlarmTexts(name), AllOf(HasSubstr("Ben may not accept version 1"),
                                        HasSubstr("every client has passed it over in joint")));
  }
  PARLEY_ASSERT_OK(Of("Mira").MarkSeen(case_));
  EXPECT_THAT(AlarmTexts("Mira"), Not(HasSubstr("may not")));
  EXPECT_EQ(Refused("Mira").size(), 2u);
}

TEST_F(OffersTest, ANeutralCarriesItExactlyAndTheAnswerBack) {
  const SentOffer made = Make("Ana", kHarbor,
                              {.text = "We take 950 thousand for everything.",
                               .conditions = {"paid by 30 June"},
                               .to = {"northline"}});
  ASSERT_EQ(made.leaves.size(), 1u) << made.leave_missing;
  EXPECT_THAT(Must(Of("Ben").Offers(case_), "offers").offers, IsEmpty());
  EXPECT_EQ(Find("Mira", made.offer).leaves.size(), 1u);
  // Neither the offer nor its short condition leaves the caucus by a neutral's own hand.
  for (const char* text : {"They take 950 thousand for everything, it seems: we take 950 thousand "
                           "for everything.",
                           "Could it be paid by 30 June?"}) {
    const Status slip = Of("Mira").Send(Ref("Mira", kNorthline), text).status();
    EXPECT_EQ(slip.code(), StatusCode::kPermissionDenied) << text;
    EXPECT_THAT(slip.message(), HasSubstr("Ana (party, Harbor) confided in caucus:Harbor"));
  }
  Carry("Mira", made.leaves[0]);
  const Offer seen = Find("Ben", made.offer);
  EXPECT_TRUE(seen.carried);
  EXPECT_EQ(seen.side, "Harbor");
  EXPECT_EQ(seen.current().author.name, "Ana");
  EXPECT_EQ(seen.current().carried_by, "Mira");
  EXPECT_EQ(seen.current().hash, Find("Ana", made.offer).current().hash);
  EXPECT_THAT(seen.current().conditions, ElementsAre("paid by 30 June"));
  EXPECT_EQ(seen.current().doubt, "");

  // Ben's counter repeats Harbor's words, and goes back to Harbor all the same.
  const SentOffer counter = Make("Ben", kNorthline,
                                 {.text = "You take 600 thousand for everything, and we take "
                                          "nothing back: we take 950 thousand for everything is "
                                          "more than it is worth.",
                                  .counter = seen});
  ASSERT_EQ(counter.leaves.size(), 1u) << counter.leave_missing;
  EXPECT_EQ(counter.leaves[0].audience, kHarbor);
  EXPECT_EQ(StateOf("Ben", made.offer), OfferState::kCountered);
  EXPECT_EQ(StateOf("Ana", made.offer), OfferState::kOpen);
  Carry("Tomas", counter.leaves[0]);
  EXPECT_EQ(StateOf("Ana", made.offer), OfferState::kCountered);
  EXPECT_EQ(Find("Ana", counter.offer).answers_offer, made.offer);
  EXPECT_THAT(Find("Lee", made.offer).counters, ElementsAre(counter.offer));

  // Ana accepts; the answer goes back the same way, and counts where the offer was made.
  const SentOffer answer = Must(Answer("Ana", counter.offer, true, 1), "accepting");
  ASSERT_EQ(answer.leaves.size(), 1u) << answer.leave_missing;
  EXPECT_EQ(StateOf("Ana", counter.offer), OfferState::kAccepted);
  EXPECT_EQ(Find("Ana", counter.offer).current().standing,
            "accepted here; not yet told to where it was made");
  EXPECT_EQ(StateOf("Ben", counter.offer), OfferState::kOpen);
  Carry("Mira", answer.leaves[0]);
  EXPECT_EQ(StateOf("Ben", counter.offer), OfferState::kAccepted);
  EXPECT_EQ(Find("Ben", counter.offer).current().standing, "accepted");
  EXPECT_EQ(Find("Ana", counter.offer).current().standing,
            "accepted here, and carried to where it was made");
  ASSERT_EQ(Find("Ben", counter.offer).current().answers.size(), 1u);
  EXPECT_EQ(Find("Ben", counter.offer).current().answers[0].carried_by, "Mira");
  for (const char* name : {"Mira", "Tomas", "Ana", "Lee", "Ben"}) {
    EXPECT_THAT(Refused(name), IsEmpty()) << name;
    EXPECT_THAT(AlarmTexts(name), Not(HasSubstr("isn't as it was authorised"))) << name;
  }
}

TEST_F(OffersTest, WhatIsOutOfDateIsNotCarried) {
  const SentOffer made = Make("Lee", kHarbor, {.text = "950 thousand", .to = {"Northline"}});
  ASSERT_EQ(made.leaves.size(), 1u) << made.leave_missing;
  const SentOffer second =
      Make("Ana", kHarbor, {.text = "900 thousand", .replaces = Find("Ana", made.offer)});
  ASSERT_EQ(second.leaves.size(), 1u) << second.leave_missing;
  Sync("Mira");
  const Authorisation old =
      Must(Of("Mira").FindAuthorisation(case_, made.leaves[0].authorisation.ToString()), "finding");
  const Status stale = Of("Mira").Disclose(old).status();
  EXPECT_EQ(stale.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(stale.message(), HasSubstr("version 1 of this offer is replaced where it was made"));
  // What Ana withdraws she takes her leave for back with.
  const SentOffer third = Make("Ana", kHarbor, {.text = "Or a new one.", .to = {"Northline"}});
  PARLEY_ASSERT_OK(Of("Ana").WithdrawOffer(Find("Ana", third.offer), 1));
  Sync("Mira");
  EXPECT_THAT(Of("Mira")
                  .Disclose(Must(
                      Of("Mira").FindAuthorisation(case_, third.leaves[0].authorisation.ToString()),
                      "finding"))
                  .status()
                  .message(),
              HasSubstr("it is revoked"));
  Carry("Mira", second.leaves[0]);
  EXPECT_EQ(Find("Ben", made.offer).current().version, 2u);
  const SentOffer answer = Must(Answer("Ben", made.offer, true, 2), "accepting");
  const SentOffer withdrawn =
      Must(Of("Ana").WithdrawOffer(Find("Ana", made.offer), 2), "withdrawing");
  ASSERT_EQ(withdrawn.leaves.size(), 1u) << withdrawn.leave_missing;
  Sync("Mira");
  const Status late =
      Of("Mira")
          .Disclose(Must(
              Of("Mira").FindAuthorisation(case_, answer.leaves[0].authorisation.ToString()), "f"))
          .status();
  EXPECT_THAT(late.message(), AllOf(HasSubstr("Ben may not accept version 2: it was withdrawn"),
                                    HasSubstr("nothing was disclosed")));
  // Leave for an offer is for all of it, and in its author's name.
  AuthorisationRequest request;
  request.item = Find("Ana", made.offer).current().record;
  request.audience = kNorthline;
  request.anonymous = true;
  EXPECT_EQ(Of("Ana").Authorise(Ref("Ana", kHarbor), request).status().code(),
            StatusCode::kInvalidArgument);
}

// Tomas carries something else than was authorised, and an acceptance that nobody gave.
TEST_F(OffersTest, AForgedOfferIsNamedByTheOtherNeutral) {
  const SentOffer made = Make("Ana", kHarbor, {.text = "950 thousand", .to = {"Northline"}});
  Attacker tomas(folder_ / "Tomas", relay_, case_);
  const Authorisation given = Must(
      Of("Tomas").FindAuthorisation(case_, made.leaves[0].authorisation.ToString()), "finding");
  content::v1::Content use;
  use.mutable_disclosure_use()->set_authorisation_id(client::ToField(given.id));
  use.mutable_disclosure_use()->set_disclosure_message_id(std::string(16, 'd'));
  use.mutable_disclosure_use()->mutable_authorisation_place()->set_incarnation(1);
  use.mutable_disclosure_use()->mutable_authorisation_place()->set_position(given.position);
  tomas.Say(Ref("Tomas", kHarbor).channel_id, use);
  content::v1::Content content;
  content.set_message_id(std::string(16, 'd'));
  content::v1::Disclosure& said = *content.mutable_disclosure();
  said.set_authorisation_id(client::ToField(given.id));
  said.set_from_participant_id(client::ToField(Id("Tomas", "Ana")));
  said.set_from_name("Ana");
  said.mutable_offer()->set_message_id(client::ToField(given.item));
  said.mutable_offer()->set_author_role(content::v1::ROLE_PARTY);
  said.mutable_offer()->set_author_side("Harbor");
  content::v1::OfferTerms terms;
  terms.set_text("550 thousand");
  terms.set_version(1);
  terms.add_parties()->set_participant_id(client::ToField(Id("Tomas", "Ben")));
  terms.mutable_parties(0)->set_name("Ben");
  terms.mutable_parties(0)->set_side("Northline");
  said.mutable_offer()->mutable_offer()->set_terms(terms.SerializeAsString());
  tomas.Say(Ref("Tomas", kNorthline).channel_id, content);
  SyncAll({"Mira", "Ben"}, 1);
  EXPECT_THAT(AlarmTexts("Mira"), HasSubstr("is for another offer, or answer, than this"));
  bool found = false;
  for (const Offer& offer : Must(Of("Mira").Offers(case_), "offers").offers) {
    if (offer.channel_name != kNorthline) continue;
    found = true;
    EXPECT_THAT(offer.current().doubt, HasSubstr("isn't as it was authorised"));
    EXPECT_EQ(offer.current().text, "");
  }
  EXPECT_TRUE(found);

  // "Ben accepts", by Tomas, in Harbor's caucus: Mira, who reads both, knows better.
  content::v1::Content acceptance;
  acceptance.set_message_id(std::string(16, 'e'));
  content::v1::Disclosure& forged = *acceptance.mutable_disclosure();
  forged.set_authorisation_id(std::string(16, 'f'));
  forged.set_from_participant_id(client::ToField(Id("Tomas", "Ben")));
  forged.set_from_name("Ben");
  forged.mutable_offer()->set_message_id(std::string(16, 'g'));
  forged.mutable_offer()->set_author_role(content::v1::ROLE_PARTY);
  forged.mutable_offer()->set_author_side("Northline");
  forged.mutable_offer()->mutable_answer()->set_version_hash(
      crypto::ToString(*crypto::FromHex(Find("Ana", made.offer).current().hash)));
  forged.mutable_offer()->mutable_answer()->set_answer(content::v1::OfferAnswer::ANSWER_ACCEPT);
  tomas.Say(Ref("Tomas", kHarbor).channel_id, acceptance);
  Sync("Mira");
  const std::vector<OfferAnswer> answers = Find("Mira", made.offer).current().answers;
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_THAT(answers[0].doubt, HasSubstr("names no authorisation that this device knows"));
  const OfferVersion doubted = Find("Mira", made.offer).current();
  EXPECT_TRUE(doubted.doubted);
  EXPECT_EQ(doubted.standing, "accepted by a record that this device doesn't believe");
  EXPECT_THAT(AlarmTexts("Mira"), HasSubstr("a disclosure by Tomas"));
}

// Leave is its author's: nobody else's, and no earlier one, makes the next version travel.
TEST_F(OffersTest, OnlyLeaveThatStandsGoesOnWithTheNextVersion) {
  const SentOffer made = Make("Ana", kHarbor, {.text = "950 thousand"});
  EXPECT_THAT(made.leaves, IsEmpty());
  // Tomas "gives leave" for an end of it that nobody said.
  content::v1::Content forged;
  content::v1::DisclosureAuthorisation& given = *forged.mutable_disclosure_authorisation();
  given.set_item_message_id(std::string(16, 'i'));
  given.mutable_item_place()->set_incarnation(1);
  given.mutable_item_place()->set_position(1);
  given.set_audience_kind(content::v1::CHANNEL_KIND_CAUCUS);
  given.set_audience_side("Northline");
  given.mutable_offer()->set_message_id(std::string(16, 'i'));
  given.mutable_offer()->mutable_end()->set_version_hash(
      crypto::ToString(*crypto::FromHex(made.offer)));
  given.mutable_offer()->mutable_end()->set_reason(content::v1::OfferEnd::REASON_WITHDRAWN);
  Inject("Tomas", kHarbor, forged);
  SyncAll({"Mira", "Ana", "Lee"}, 1);
  EXPECT_THAT(Find("Ana", made.offer).leaves, IsEmpty());
  const SentOffer second =
      Make("Ana", kHarbor, {.text = "900 thousand", .replaces = Find("Ana", made.offer)});
  EXPECT_THAT(second.leaves, IsEmpty());
  const SentOffer third =
      Make("Ana", kHarbor,
           {.text = "850 thousand", .to = {"Northline"}, .replaces = Find("Ana", made.offer)});
  ASSERT_EQ(third.leaves.size(), 1u);
  PARLEY_ASSERT_OK(Of("Ana").Revoke(Must(
      Of("Ana").FindAuthorisation(case_, third.leaves[0].authorisation.ToString()), "finding")));
  const SentOffer fourth =
      Make("Ana", kHarbor, {.text = "800 thousand", .replaces = Find("Ana", made.offer)});
  EXPECT_THAT(fourth.leaves, IsEmpty());
}

TEST_F(OffersTest, AnAnswerThatWasTakenBackIsNotCarried) {
  LetIn("Nora", Role::kParty, "Northline");
  SyncAll({"Mira", "Tomas", "Ana", "Lee", "Ben", "Nora"}, 2);
  const SentOffer made =
      Make("Ana", kHarbor,
           {.text = "950 thousand", .alternatives = {"in three parts"}, .to = {"Northline"}});
  ASSERT_EQ(made.leaves.size(), 1u) << made.leave_missing;
  Carry("Mira", made.leaves[0]);
  const SentOffer first = Must(Answer("Ben", made.offer, true, 1), "accepting");
  ASSERT_EQ(first.leaves.size(), 1u) << first.leave_missing;
  PARLEY_ASSERT_OK(Answer("Ben", made.offer, true, 1, 1));
  Sync("Mira");
  const auto leave = [&](const MessageId& id) {
    return Must(Of("Mira").FindAuthorisation(case_, id.ToString()), "finding");
  };
  EXPECT_EQ(leave(first.leaves[0].authorisation).state, AuthorisationState::kRevoked);
  // And if Ben gives leave for it once more: it isn't his answer any more.
  AuthorisationRequest request;
  request.item = first.sent.id;
  request.audience = kHarbor;
  const SentMessage again = Must(Of("Ben").Authorise(Ref("Ben", kNorthline), request), "leave");
  Sync("Mira");
  const Status stale = Of("Mira").Disclose(leave(again.id)).status();
  EXPECT_EQ(stale.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(stale.message(), AllOf(HasSubstr("isn't what Ben answers to version 1"),
                                     HasSubstr("nothing was disclosed")));
}

TEST_F(OffersTest, PeopleAreShownAsTheCaseHasThem) {
  LetIn("Nora", Role::kParty, "Northline");
  SyncAll({"Mira", "Tomas", "Ana", "Lee", "Ben", "Nora"}, 2);
  content::v1::OfferTerms terms;
  terms.set_text("950 thousand");
  terms.set_version(1);
  terms.add_parties()->set_participant_id(client::ToField(Id("Ana", "Ben")));
  terms.mutable_parties(0)->set_name("Nora");
  terms.mutable_parties(0)->set_side("Northline");
  content::v1::Content content;
  content.mutable_offer()->set_terms(terms.SerializeAsString());
  Inject("Ana", "joint", content);
  Sync("Ben");
  const Offer seen = Must(Of("Ben").Offers(case_), "offers").offers.at(0);
  EXPECT_EQ(seen.current().parties.at(0).name, "Ben");
  EXPECT_FALSE(seen.current().parties[0].unknown);
  ASSERT_EQ(seen.current().unnamed.size(), 1u);
  EXPECT_EQ(seen.current().unnamed[0].name, "Nora");
  // What is answered is what was shown.
  Offer other = seen;
  other.versions[0].hash = std::string(64, 'a');
  const Status wrong = Of("Ben").AnswerOffer(other, {true, 1, 0, ""}).status();
  EXPECT_EQ(wrong.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(wrong.message(), HasSubstr("isn't the one that you were shown; nothing was sent"));
  const SentOffer accepted = Must(Of("Ben").AnswerOffer(seen, {true, 1, 0, ""}), "accepting");
  ASSERT_EQ(accepted.unnamed.size(), 1u);
  EXPECT_EQ(accepted.unnamed[0].name, "Nora");
}

// Recipients know by the joint channel's roster who is who.
TEST_F(OffersTest, ACarriedAuthorsSideIsCompared) {
  content::v1::OfferTerms terms;
  terms.set_text("550 thousand");
  terms.set_version(1);
  terms.add_parties()->set_participant_id(client::ToField(Id("Tomas", "Ben")));
  terms.mutable_parties(0)->set_name("Ben");
  terms.mutable_parties(0)->set_side("Northline");
  content::v1::Content content;
  content::v1::Disclosure& said = *content.mutable_disclosure();
  said.set_authorisation_id(std::string(16, 'f'));
  said.set_from_participant_id(client::ToField(Id("Tomas", "Ana")));
  said.set_from_name("Ana");
  said.mutable_offer()->set_message_id(std::string(16, 'g'));
  said.mutable_offer()->set_author_role(content::v1::ROLE_PARTY);
  said.mutable_offer()->set_author_side("Eastline");
  said.mutable_offer()->mutable_offer()->set_terms(terms.SerializeAsString());
  Inject("Tomas", kNorthline, content);
  Sync("Ben");
  const Offer seen = Must(Of("Ben").Offers(case_), "offers").offers.at(0);
  EXPECT_THAT(seen.current().doubt, HasSubstr("it gives Ana another role or side than theirs"));
  EXPECT_EQ(seen.current().text, "");
}

TEST_F(OffersTest, WhatANewerVersionMadeAccusesNobody) {
  content::v1::OfferTerms terms;
  terms.set_text("950 thousand");
  terms.set_version(1);
  terms.add_parties()->set_participant_id(client::ToField(Id("Ana", "Ben")));
  terms.mutable_parties(0)->set_name("Ben");
  terms.mutable_parties(0)->set_side("Northline");
  content::v1::Content content;
  content.set_message_id(std::string(16, 'n'));
  const std::string bytes = terms.SerializeAsString() + std::string("\xa2\x01\x01x", 4);
  content.mutable_offer()->set_terms(bytes);
  Inject("Ana", "joint", content);
  const client::VersionHash hash = client::HashOfOffer(
      case_, Id("Ana", "Ana"), *client::IdFrom<MessageId>(std::string(16, 'n')), bytes);
  content::v1::Content answer;
  answer.mutable_offer_answer()->set_version_hash(crypto::ToString(hash));
  answer.mutable_offer_answer()->set_answer(content::v1::OfferAnswer::ANSWER_ACCEPT);
  Inject("Ben", "joint", answer);
  EXPECT_THAT(Refused("Mira"), ElementsAre(HasSubstr("made this with a newer version of Parley"),
                                           HasSubstr("this channel has no such offer")));
  EXPECT_THAT(AlarmTexts("Mira"),
              Not(AnyOf(HasSubstr("newer version of Parley; bring"), HasSubstr("no such offer"))));
}

TEST_F(OffersTest, WithThreeSidesItIsSaidToWhom) {
  LetIn("Nora", Role::kParty, "Eastline");
  SyncAll({"Mira", "Tomas", "Ana", "Lee", "Ben", "Nora"}, 2);
  const Status to_all = Of("Ana").MakeOffer(Ref("Ana", kHarbor), {.text = "950"}).status();
  EXPECT_EQ(to_all.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(to_all.message(), HasSubstr("say to which it is put (--to)"));
  const SentOffer made = Make("Ana", kHarbor, {.text = "950 thousand", .to = {"Northline"}});
  ASSERT_EQ(made.leaves.size(), 1u) << made.leave_missing;
  Carry("Mira", made.leaves[0]);
  const Offer seen = Find("Ben", made.offer);
  EXPECT_THAT(seen.current().unnamed, IsEmpty());
  const Status third =
      Of("Ben")
          .MakeOffer(Ref("Ben", kNorthline), {.text = "600", .to = {"Eastline"}, .counter = seen})
          .status();
  EXPECT_EQ(third.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(third.message(), HasSubstr("a counter-offer to it goes there alone"));
}

TEST_F(OffersTest, ItsTimeIsOverByAnEntry) {
  // No neutral syncs before Ben has tried.
  const SentOffer made = Must(
      Of("Ana").MakeOffer(Ref("Ana", "joint"), {.text = "Until tomorrow.", .valid_for_seconds = 1}),
      "offering");
  Sync("Ben");
  std::this_thread::sleep_for(std::chrono::seconds(2));
  // Ben's own clock keeps him from it; for all others it is open until somebody has said so.
  const Status late = Answer("Ben", made.offer, true, 1).status();
  EXPECT_EQ(late.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(late.message(), HasSubstr("by this device's clock; nothing was sent. Ask Harbor"));
  EXPECT_EQ(Find("Ben", made.offer).current().state, OfferState::kOpen);
  Sync("Tomas");
  EXPECT_THAT(StatesOf(made.offer),
              ElementsAre("expired", "expired", "expired", "expired", "expired"));
  EXPECT_THAT(Answer("Ben", made.offer, true, 1).status().message(),
              HasSubstr("version 1 is expired and takes no answer"));
  for (const char* name : {"Mira", "Ben"}) EXPECT_THAT(Refused(name), IsEmpty()) << name;
}

TEST_F(OffersTest, WhoComesLaterGoesOnFromThere) {
  const SentOffer made = Make("Ana", "joint", {.text = "1.2 million"});
  const SentOffer other = Make("Ana", "joint", {.text = "Or 1.1 million"});
  LetIn("Shah", Role::kCounsel, "Northline");
  SyncAll({"Mira", "Shah"}, 2);
  PARLEY_ASSERT_OK(Answer("Ben", other.offer, false, 1));
  Make("Ana", "joint", {.text = "950 thousand", .replaces = Find("Ana", made.offer)});
  EXPECT_EQ(StateOf("Shah", made.offer), OfferState::kOpen);
  EXPECT_EQ(Find("Shah", made.offer).current().version, 2u);
  EXPECT_THAT(Refused("Shah"), ElementsAre(HasSubstr("from before this device came")));
  EXPECT_THAT(AlarmTexts("Shah"), Not(HasSubstr("may not")));
  PARLEY_ASSERT_OK(Answer("Ben", made.offer, true, 2));
  EXPECT_EQ(StateOf("Shah", made.offer), OfferState::kAccepted);
}

TEST_F(OffersTest, EvaluationsStayWithTheirSide) {
  const SentMessage sheet = Must(
      Of("Mira").MakeOptionSheet(Ref("Mira", "joint"), "How to pay", {"at once", "in three parts"}),
      "options");
  EXPECT_TRUE(sheet.position.has_value());
  SyncAll({"Mira", "Tomas", "Ana", "Lee", "Ben"}, 1);
  const OptionSheet seen = Must(Of("Ana").OptionSheets(case_), "sheets").at(0);
  EXPECT_THAT(seen.options, ElementsAre("at once", "in three parts"));
  const std::vector<OptionRating> ratings = {{1, 9, "the covenant falls due soon"}, {2, 2, ""}};
  const Status leak =
      Of("Ana").EvaluateOptions(Ref("Ana", "joint"), seen, ratings, "secret").status();
  EXPECT_EQ(leak.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(leak.message(), HasSubstr("stays in its own caucus"));
  EXPECT_EQ(Of("Mira").EvaluateOptions(Ref("Mira", kHarbor), seen, ratings).status().code(),
            StatusCode::kPermissionDenied);
  EXPECT_EQ(Of("Ana").EvaluateOptions(Ref("Ana", kHarbor), seen, {{3, 1, ""}}).status().code(),
            StatusCode::kInvalidArgument);
  PARLEY_ASSERT_OK(Of("Ana").EvaluateOptions(Ref("Ana", kHarbor), seen, ratings));
  PARLEY_ASSERT_OK(Of("Ben").EvaluateOptions(Ref("Ben", kNorthline), seen, {{2, 8, ""}}, "Fine."));
  SyncAll({"Mira", "Tomas", "Ana", "Lee", "Ben"}, 1);
  const auto evaluations = [&](const char* name) {
    std::vector<std::string> texts;
    for (const OptionSheet& one : Must(Of(name).OptionSheets(case_), "sheets")) {
      for (const OptionEvaluation& evaluation : one.evaluations) {
        texts.push_back(evaluation.by.name + " " + evaluation.channel_name);
      }
    }
    return texts;
  };
  EXPECT_THAT(evaluations("Lee"), ElementsAre("Ana caucus:Harbor"));
  EXPECT_THAT(evaluations("Ben"), ElementsAre("Ben caucus:Northline"));
  EXPECT_THAT(evaluations("Mira"), ElementsAre("Ana caucus:Harbor", "Ben caucus:Northline"));
  const Status slip =
      Of("Mira").Send(Ref("Mira", kNorthline), "For them the covenant falls due soon.").status();
  EXPECT_EQ(slip.code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(Of("Mira")
                .MakeOptionSheet(Ref("Mira", kNorthline), "Ways",
                                 {"wait until the covenant falls due soon", "pay"})
                .status()
                .code(),
            StatusCode::kPermissionDenied);
  // An evaluation is nobody's to have told.
  AuthorisationRequest request;
  request.item = Must(Of("Ana").Read(Ref("Ana", kHarbor)), "reading").back().id;
  request.audience = kNorthline;
  EXPECT_EQ(Of("Ana").Authorise(Ref("Ana", kHarbor), request).status().code(),
            StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace parley::testing
