#include "client-lib/procedure/offer_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client-lib/procedure/offer_book_for_test.h"

namespace parley::client {
namespace {

using namespace testing;  // NOLINT: the people of the case
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(OfferBook, IsAcceptedByEachPartyInOneExactVersion) {
  Table table;
  const VersionHash first = table.Offer(kLee, {kAna, kBen, kNora});
  EXPECT_EQ(table.last, "");
  table.Accept(kBen, first);
  table.Accept(kShah, first);
  EXPECT_THAT(table.last, HasSubstr("may not accept version 1: it is put to Ana, Ben, Nora"));
  table.Accept(kNora, first);
  EXPECT_EQ(table.StateOf(first), OfferState::kOpen);
  EXPECT_EQ(WaitsFor(*table.book().Find(first)).size(), 1u);
  const VersionHash second = table.Replace(kAna, first, 2, {kBen, kNora});
  EXPECT_EQ(table.StateOf(first), OfferState::kReplaced);
  table.Accept(kAna, first);
  EXPECT_THAT(table.last, HasSubstr("it was replaced by version 2, which is open"));
  table.Accept(kBen, second);
  EXPECT_EQ(table.StateOf(second), OfferState::kOpen);
  table.Accept(kNora, second);
  EXPECT_EQ(table.StateOf(second), OfferState::kAccepted);
  table.End(kAna, second);
  EXPECT_THAT(table.last, HasSubstr("may not withdraw version 2: everybody has accepted it"));
  table.Replace(kAna, first, 3, {kBen, kNora});
  EXPECT_THAT(table.last, HasSubstr("version 2 has been accepted, and stands"));
}

TEST(OfferBook, TakesNoAnswerWhenItIsClosed) {
  Table table;
  content::v1::OfferTerms terms = Table::Terms({kBen}, "1.2 million");
  terms.set_expires_at(1000);
  const VersionHash expired = table.Offer(kAna, terms);
  table.End(kBen, expired, true);
  EXPECT_THAT(table.last, HasSubstr("only Harbor and the neutrals say that"));
  table.End(kTomas, expired, true);
  EXPECT_EQ(table.last, "");
  table.Accept(kBen, expired);
  EXPECT_EQ(table.last, "may not accept version 1: its time is over");

  const VersionHash withdrawn = table.Offer(kAna, {kBen});
  table.End(kTomas, withdrawn, true);
  EXPECT_THAT(table.last, HasSubstr("it has no time limit"));
  table.End(kBen, withdrawn);
  EXPECT_THAT(table.last, HasSubstr("it is an offer of Harbor, who alone can withdraw it"));
  table.End(kLee, withdrawn);
  table.Accept(kBen, withdrawn);
  EXPECT_EQ(table.last, "may not accept version 1: it was withdrawn");

  const VersionHash countered = table.Offer(kAna, {kBen});
  const VersionHash counter = table.Counter(kShah, countered, {kAna, kBen});
  EXPECT_EQ(table.last, "");
  table.Accept(kBen, countered);
  EXPECT_THAT(table.last, HasSubstr("Shah has answered it by a counter-offer"));
  EXPECT_EQ(table.book().ThreadOf(countered)->counters.front(), counter);
  table.Decline(kAna, counter);
  table.Accept(kAna, counter);
  EXPECT_THAT(table.last, HasSubstr("Ana has declined it"));
  table.Counter(kBen, countered, {kAna});
  EXPECT_THAT(table.last, HasSubstr("it answers version 1, but Shah has answered it"));
}

TEST(OfferBook, SeveralMaySayAtOnceThatItIsOver) {
  Table table;
  content::v1::OfferTerms terms = Table::Terms({kBen}, "1.2 million");
  terms.set_expires_at(1000);
  const VersionHash offer = table.Offer(kAna, terms);
  OfferEvent end;
  end.author = kMira;
  end.read.deed = OfferDeed::kExpire;
  end.read.hash = offer;
  end.read.place = table.book().Find(offer)->made.at;
  EXPECT_FALSE(table.book().IsRepeatedEnd(end));
  table.End(kTomas, offer, true);
  EXPECT_TRUE(table.book().IsRepeatedEnd(end));
  end.author = kBen;
  EXPECT_FALSE(table.book().IsRepeatedEnd(end));
}

TEST(OfferBook, NamesWhoMayNot) {
  Table table;
  table.Offer(kMira, {kBen});
  EXPECT_THAT(table.last, HasSubstr("only parties and counsel make offers"));
  table.Offer(kEva, {kBen});
  EXPECT_THAT(table.last, HasSubstr("only parties and counsel make offers"));
  table.Offer(kAna, std::vector<Actor>{kAna, kBen});
  EXPECT_THAT(table.last, HasSubstr("it is put to somebody twice"));
  table.Offer(kLee, {kAna});
  EXPECT_THAT(table.last, HasSubstr("it is put to no other side"));
  const VersionHash offer = table.Offer(kAna, {kBen});
  table.Replace(kBen, offer, 2, {kAna});
  EXPECT_THAT(table.last, HasSubstr("it is an offer of Harbor, who alone can make a new version"));
  table.Replace(kLee, offer, 3, {kBen});
  EXPECT_THAT(table.last, HasSubstr("version 1 is the latest one"));
  table.Counter(kLee, offer, {kBen});
  EXPECT_THAT(table.last, HasSubstr("what it answers wasn't put to Harbor"));
  table.Accept(kBen, offer, 1);
  EXPECT_THAT(table.last, HasSubstr("it has no alternative 1"));
  // Somebody in whose role and side the roster doesn't show them.
  Actor other = kBen;
  other.side = "Harbor";
  table.Accept(other, offer);
  EXPECT_THAT(table.last, HasSubstr("it is put to Ben"));
  table.Accept(kBen, VersionHash{1});
  EXPECT_EQ(table.last, "may not accept this: this channel has no such offer");
  table.wrong_place = true;
  table.Accept(kBen, offer);
  EXPECT_THAT(table.last, HasSubstr("stands elsewhere than it says"));
  EXPECT_EQ(table.StateOf(offer), OfferState::kOpen);
}

TEST(OfferBook, AllChooseTheSameAlternative) {
  Table table;
  content::v1::OfferTerms terms = Table::Terms({kBen, kNora}, "950 thousand at once");
  terms.add_alternatives("1 million in three parts");
  const VersionHash offer = table.Offer(kAna, terms);
  table.Accept(kBen, offer);
  table.Accept(kNora, offer, 1);
  EXPECT_EQ(table.StateOf(offer), OfferState::kOpen);
  table.Accept(kNora, offer, 1);
  EXPECT_THAT(table.last, HasSubstr("have accepted it already"));
  table.Accept(kBen, offer, 1);
  EXPECT_EQ(table.StateOf(offer), OfferState::kAccepted);
}

TEST(OfferBook, NobodyAcceptsWhatTheyCantBeShown) {
  Table table;
  const content::v1::OfferTerms terms = Table::Terms({kBen}, "950 thousand");
  content::v1::Content content;
  // Field 20, from a newer version.
  content.mutable_offer()->set_terms(terms.SerializeAsString() + std::string("\xa2\x01\x01x", 4));
  const VersionHash offer = table.Say(kAna, content);
  EXPECT_THAT(table.last, HasSubstr("it says more than this version of Parley can show"));
  EXPECT_TRUE(ReadOfferOf(kCase, kAna.id, table.log().back().content)->is_newer);
  // The same field twice in another order is no newer version's.
  content.clear_message_id();
  content.mutable_offer()->set_terms(std::string("\x0a\x01x", 3) + terms.SerializeAsString());
  table.Say(kAna, content);
  EXPECT_FALSE(ReadOfferOf(kCase, kAna.id, table.log().back().content)->is_newer);
  EXPECT_EQ(table.book().Find(offer), nullptr);
}

TEST(OfferBook, WhatWasCarriedIsPlayedByTheSameRules) {
  Table home(ChannelKind::kCaucus, "Harbor");
  Table away(ChannelKind::kCaucus, "Northline");
  const VersionHash offer = home.Offer(kAna, {kBen});
  const content::v1::Content made = home.log().back().content;
  EXPECT_EQ(away.Say(kAna, made, kBen), offer);
  EXPECT_THAT(away.last, HasSubstr("only a neutral carries offers"));
  EXPECT_EQ(away.Say(kAna, made, kMira), offer);
  EXPECT_EQ(away.last, "");
  away.Say(kAna, made, kMira);
  EXPECT_THAT(away.last, HasSubstr("it has been made already"));
  away.Accept(kBen, offer);
  EXPECT_EQ(away.last, "");
  const content::v1::Content answer = away.log().back().content;
  // Nothing of the one channel's log is told in the other.
  const content::v1::CarriedOffer carried = *CarriedOf(kBen, answer);
  EXPECT_FALSE(carried.answer().has_version_place());
  home.Say(kBen, answer, kMira);
  EXPECT_EQ(home.last, "");
  EXPECT_EQ(home.StateOf(offer), OfferState::kAccepted);

  // Who is in the channel isn't spoken for by a neutral.
  const VersionHash next = home.Offer(kAna, {kBen});
  content::v1::Content end;
  end.mutable_offer_end()->set_version_hash(crypto::ToString(next));
  end.mutable_offer_end()->set_reason(content::v1::OfferEnd::REASON_WITHDRAWN);
  home.Say(kAna, end, kMira);
  EXPECT_THAT(home.last, HasSubstr("who is in this channel says it here"));
  Table joint;
  joint.Say(kAna, made, kMira);
  EXPECT_THAT(joint.last, HasSubstr("who is in this channel says it here"));
  // A version that was never carried is no gap.
  const VersionHash second = home.Replace(kAna, next, 2, {kBen});
  const VersionHash third = home.Replace(kAna, next, 3, {kBen});
  away.Say(kAna, home.log().back().content, kMira);
  EXPECT_EQ(away.last, "");
  EXPECT_EQ(away.book().ThreadOf(third)->id, next);
  away.Accept(kBen, second);
  EXPECT_THAT(away.last, HasSubstr("no such offer"));
}

TEST(OfferBook, CounselNamesAPartyOfTheirSide) {
  Table table;
  table.Offer(kLee, {kBen});
  EXPECT_THAT(table.last, HasSubstr("counsel has to name a party of Harbor, who accepts it, too"));
  const VersionHash offer = table.Offer(kLee, {kAna, kBen});
  EXPECT_EQ(table.last, "");
  table.Replace(kLee, offer, 2, {kBen});
  EXPECT_THAT(table.last, HasSubstr("counsel has to name a party of Harbor"));
  table.Replace(kAna, offer, 2, {kBen});
  EXPECT_EQ(table.last, "");
}

TEST(OfferBook, AnEarlierVersionThatArrivesLateReplacesNothing) {
  Table home(ChannelKind::kCaucus, "Harbor");
  Table away(ChannelKind::kCaucus, "Northline");
  const VersionHash first = home.Offer(kAna, {kBen});
  const content::v1::Content made = home.log().back().content;
  const VersionHash second = home.Replace(kAna, first, 2, {kBen});
  away.Say(kAna, home.log().back().content, kMira);
  EXPECT_EQ(away.last, "");
  away.Say(kAna, made, kMira);
  EXPECT_THAT(away.last, HasSubstr("a later version of it has come here before"));
  EXPECT_EQ(away.StateOf(second), OfferState::kOpen);
  EXPECT_EQ(away.book().ThreadOf(second)->current().hash, second);
}

TEST(OfferBook, ACopyFollowsWhatWasDecidedWhereItWasMade) {
  for (const bool is_replaced : {false, true}) {
    Table home(ChannelKind::kCaucus, "Harbor");
    Table away(ChannelKind::kCaucus, "Northline");
    const VersionHash offer = home.Offer(kAna, {kBen});
    away.Say(kAna, home.log().back().content, kMira);
    away.Accept(kBen, offer);
    ASSERT_EQ(away.StateOf(offer), OfferState::kAccepted);
    // Who is there can't undo it; and nobody carries another side's word about it.
    content::v1::Content forged;
    forged.mutable_offer_end()->set_version_hash(crypto::ToString(offer));
    forged.mutable_offer_end()->set_reason(content::v1::OfferEnd::REASON_WITHDRAWN);
    away.Say(kBen, forged);
    EXPECT_THAT(away.last, HasSubstr("it is an offer of Harbor"));
    EXPECT_EQ(away.StateOf(offer), OfferState::kAccepted);
    if (is_replaced) {
      home.Replace(kLee, offer, 2, {kAna, kBen});
      away.Say(kLee, home.log().back().content, kMira);
    } else {
      home.End(kAna, offer);
      away.Say(kAna, home.log().back().content, kMira);
    }
    EXPECT_EQ(away.last, "");
    EXPECT_EQ(away.StateOf(offer), is_replaced ? OfferState::kReplaced : OfferState::kWithdrawn);
  }
}

TEST(OfferBook, NamesFewAndTakesNoTimeThatNeverComes) {
  Table table;
  std::vector<Actor> many;
  for (uint8_t i = 0; i < 9; ++i) {
    many.push_back(
        Person(static_cast<uint8_t>(100 + i), "P" + std::to_string(i), Role::kParty, "Northline"));
  }
  const VersionHash offer = table.Offer(kAna, many);
  table.Accept(kBen, offer);
  EXPECT_THAT(table.last, HasSubstr("it is put to P0, P1, P2 and 6 more, who answer it"));
  content::v1::OfferTerms terms = Table::Terms({kBen}, "950 thousand");
  terms.set_expires_at(uint64_t{1} << 62);
  table.Offer(kAna, terms);
  EXPECT_THAT(table.last, HasSubstr("no time that could ever come"));
  terms.set_expires_at((uint64_t{1} << 62) - 1);
  table.Offer(kAna, terms);
  EXPECT_EQ(table.last, "");
}

TEST(OfferBook, WordsCantPassForThoseOfTheProgram) {
  content::v1::OfferTerms terms = Table::Terms({kBen}, "950”; on condition: “none");
  terms.add_conditions("paid by June");
  EXPECT_EQ(DescribeTerms(terms),
            "offers: “950\"; on condition: \"none”; on condition: “paid by June”");
}

TEST(OfferBook, WhoCameLaterAccusesNobody) {
  Table table;
  const VersionHash offer = table.Offer(kAna, {kBen});
  table.Accept(kBen, offer);
  Reader late;
  EXPECT_EQ(late.Take(table.log()[1], {1, 2}, /*unread=*/true),
            "may not accept this: it is about an offer from before this device came");
  table.Replace(kAna, offer, 2, {kBen});
  EXPECT_EQ(table.last, "may not make this offer: version 1 has been accepted, and stands");
}

}  // namespace
}  // namespace parley::client
