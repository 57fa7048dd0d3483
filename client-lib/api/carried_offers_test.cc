// Offers that a neutral carries between caucuses: exactly, with leave, and checked by the others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "client-lib/api/offers_for_test.h"
#include "client-lib/channels/channel_ids.h"
#include "client-lib/procedure/offer_terms.h"

namespace parley::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

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

}  // namespace
}  // namespace parley::testing
