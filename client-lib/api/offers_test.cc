// Offers and option sheets through the public calls, and what every honest client passes over.
#include "parley/offers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "client-lib/api/offers_for_test.h"
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
