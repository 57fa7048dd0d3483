#include "client-lib/procedure/offer_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "client-lib/content/parse.h"
#include "client-lib/procedure/procedure_for_test.h"

namespace parley::client {
namespace {

using namespace testing;  // NOLINT: the people of the case
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Actor kNora = Person(8, "Nora", Role::kParty, "Northline");
const CaseId kCase{crypto::ByteArray<16>{9}};

// One device's reading of a channel: contents in, refusals out.
class Reader {
 public:
  explicit Reader(ChannelKind kind = ChannelKind::kJoint, const std::string& side = {})
      : book_(kind, side) {}

  struct Said {
    Actor author;
    content::v1::Content content;
    std::optional<Actor> carried_by;
  };

  std::string Take(const Said& said, JointPosition at, bool unread = false) {
    OfferEvent event;
    event.author = said.author;
    event.carried_by = said.carried_by;
    event.at = at;
    event.number = at.position;
    event.unread = unread;
    std::optional<ReadOffer> read;
    if (said.carried_by.has_value()) {
      read = ReadOfferOf(kCase, said.author.id, *CarriedOf(said.author, said.content));
    } else {
      read = ReadOfferOf(kCase, said.author.id, said.content);
    }
    event.read = std::move(*read);
    return book_.Apply(event);
  }
  const OfferBook& book() const { return book_; }

  // All that can be seen, in words.
  std::string Picture() const {
    std::string out;
    for (const OfferBook::Thread& thread : book_.threads()) {
      out += crypto::ToHex(thread.id).substr(0, 8) + " " + thread.side + "\n";
      for (const OfferBook::Version& version : thread.versions) {
        out += "  " + std::to_string(version.made.read.terms.version()) + " " +
               NameOf(version.state) + " " + version.closed_by;
        for (const OfferBook::Answer& answer : version.answers) {
          out += " " + answer.by.name + (answer.accepted ? "+" : "-") +
                 std::to_string(answer.alternative);
        }
        out += "\n";
      }
      for (const VersionHash& counter : thread.counters) {
        out += "  < " + crypto::ToHex(counter).substr(0, 8) + "\n";
      }
    }
    return out;
  }

 private:
  OfferBook book_;
};

// A channel in which people say things; `last` is why the latest was passed over.
class Table {
 public:
  explicit Table(ChannelKind kind = ChannelKind::kJoint, const std::string& side = {})
      : reader_(kind, side) {}

  std::string last;
  const OfferBook& book() const { return reader_.book(); }
  const std::vector<Reader::Said>& log() const { return log_; }

  VersionHash Say(const Actor& author, content::v1::Content content,
                  const std::optional<Actor>& carried_by = {}) {
    crypto::ByteArray<16> id{};
    id[0] = static_cast<uint8_t>(++said_);
    id[1] = static_cast<uint8_t>(said_ >> 8);
    if (content.message_id().empty()) content.set_message_id(crypto::ToString(id));
    const ReadOffer read = *ReadOfferOf(kCase, author.id, content);
    const JointPosition place = book().PlaceOfSubject(read);
    if (place.position != 0 && !wrong_place) SetPlace(place, content);
    log_.push_back({author, content, carried_by});
    last = reader_.Take(log_.back(), {1, log_.size()});
    return read.hash;
  }

  static content::v1::OfferTerms Terms(const std::vector<Actor>& to, const std::string& text) {
    content::v1::OfferTerms terms;
    terms.set_text(text);
    terms.set_version(1);
    for (const Actor& person : to) {
      auto& party = *terms.add_parties();
      party.set_participant_id(ToField(person.id));
      party.set_name(person.name);
      party.set_side(person.side);
    }
    return terms;
  }
  VersionHash Offer(const Actor& author, const content::v1::OfferTerms& terms) {
    content::v1::Content content;
    content.mutable_offer()->set_terms(terms.SerializeAsString());
    return Say(author, content);
  }
  VersionHash Offer(const Actor& author, const std::vector<Actor>& to) {
    return Offer(author, Terms(to, "950 thousand"));
  }
  VersionHash Replace(const Actor& author, const VersionHash& first, uint32_t version,
                      const std::vector<Actor>& to) {
    content::v1::OfferTerms terms = Terms(to, "900 thousand");
    terms.set_first_version(crypto::ToString(first));
    terms.set_version(version);
    return Offer(author, terms);
  }
  VersionHash Counter(const Actor& author, const VersionHash& answered,
                      const std::vector<Actor>& to) {
    content::v1::OfferTerms terms = Terms(to, "600 thousand");
    terms.set_answers(crypto::ToString(answered));
    return Offer(author, terms);
  }
  static content::v1::Content AnswerTo(const VersionHash& version, bool accept,
                                       uint32_t alternative = 0) {
    content::v1::Content content;
    content.mutable_offer_answer()->set_version_hash(crypto::ToString(version));
    content.mutable_offer_answer()->set_answer(accept ? content::v1::OfferAnswer::ANSWER_ACCEPT
                                                      : content::v1::OfferAnswer::ANSWER_DECLINE);
    content.mutable_offer_answer()->set_alternative(alternative);
    return content;
  }
  void Accept(const Actor& author, const VersionHash& version, uint32_t alternative = 0) {
    Say(author, AnswerTo(version, true, alternative));
  }
  void Decline(const Actor& author, const VersionHash& version) {
    Say(author, AnswerTo(version, false));
  }
  void End(const Actor& author, const VersionHash& version, bool expired = false) {
    content::v1::Content content;
    content.mutable_offer_end()->set_version_hash(crypto::ToString(version));
    content.mutable_offer_end()->set_reason(expired ? content::v1::OfferEnd::REASON_EXPIRED
                                                    : content::v1::OfferEnd::REASON_WITHDRAWN);
    Say(author, content);
  }
  OfferState StateOf(const VersionHash& version) const { return book().Find(version)->state; }

  bool wrong_place = false;

 private:
  Reader reader_;
  std::vector<Reader::Said> log_;
  uint32_t said_ = 0;
};

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

// Bytes that somebody bent: they are read or refused, and what is read names itself by its hash.
TEST(OfferBook, BentRecordsDoNoHarm) {
  Table table;
  content::v1::OfferTerms terms = Table::Terms({kBen, kNora}, "950 thousand");
  terms.add_conditions("paid by 30 June");
  const VersionHash offer = table.Offer(kAna, terms);
  table.Accept(kBen, offer);
  std::mt19937 random(7);
  size_t read_well = 0;
  size_t faults = 0;
  for (int i = 0; i < 20000; ++i) {
    content::v1::Content content = table.log()[i % 2].content;
    std::string bytes = i % 4 < 2 ? content.SerializeAsString() : content.offer().terms();
    for (size_t bent = 0; bent < 1 + random() % 3 && !bytes.empty(); ++bent) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    if (random() % 8 == 0) bytes.resize(random() % (bytes.size() + 1));
    if (i % 4 >= 2) {
      content.mutable_offer()->set_terms(bytes);
    } else if (!ParseFromPeer(content, crypto::ViewOf(bytes))) {
      continue;
    }
    const std::optional<ReadOffer> read = ReadOfferOf(kCase, kAna.id, content);
    if (!read.has_value()) continue;
    OfferEvent event;
    event.author = kAna;
    event.read = *read;
    event.at = {1, static_cast<uint64_t>(i) + 10};
    Reader reader;
    reader.Take(table.log()[0], {1, 1});
    OfferBook book = reader.book();
    const std::string refusal = book.Apply(event);
    ++(read->fault.empty() ? read_well : faults);
    ASSERT_TRUE(read->fault.empty() || !refusal.empty());
    const std::optional<content::v1::CarriedOffer> carried = CarriedOf(kAna, content);
    ASSERT_TRUE(carried.has_value());
    ASSERT_FALSE(DescribeCarried(*carried).empty());
  }
  EXPECT_GT(read_well, 50u);
  EXPECT_GT(faults, 50u);
}

// Whatever anybody does, all who read the log come to the same picture, and it never breaks what an
// offer promises: an accepted version stays as it is, and has everybody's acceptance of it.
TEST(OfferBook, RandomActsLeaveAllInTheSameState) {
  const std::vector<Actor> people = {kMira, kTomas, kAna, kLee, kBen, kShah, kNora, kEva};
  std::map<OfferState, size_t> seen;
  for (uint32_t seed = 1; seed <= 150; ++seed) {
    std::mt19937 random(seed);
    const auto pick = [&](size_t size) { return random() % size; };
    const bool is_caucus = seed % 3 == 0;
    Table table(is_caucus ? ChannelKind::kCaucus : ChannelKind::kJoint, is_caucus ? "Harbor" : "");
    std::vector<VersionHash> hashes = {VersionHash{7}};
    std::map<VersionHash, std::string> accepted;
    for (int i = 0; i < 60; ++i) {
      const Actor& author = people[pick(people.size())];
      const VersionHash about =
          hashes[hashes.size() - 1 - pick(std::min<size_t>(hashes.size(), 6))];
      std::vector<Actor> to;
      for (const Actor& person : people) {
        const bool is_wanted = person.role == Role::kParty ? pick(2) == 0 : pick(12) == 0;
        if (is_wanted && (person.id != author.id || pick(10) == 0)) to.push_back(person);
      }
      table.wrong_place = pick(12) == 0;
      switch (pick(8)) {
        case 0: {
          content::v1::OfferTerms terms = Table::Terms(to, "a");
          if (pick(2) == 0) terms.set_expires_at(5);
          if (pick(2) == 0) terms.add_alternatives("b");
          hashes.push_back(table.Offer(author, terms));
          break;
        }
        case 1: {
          // Mostly the next version, by who may; else any.
          const OfferBook::Thread* const thread = table.book().ThreadOf(about);
          const bool is_next = thread != nullptr && pick(3) != 0;
          const Actor by = is_next ? thread->current().made.author : author;
          std::erase_if(to, [&](const Actor& person) { return person.id == by.id; });
          const uint32_t version = is_next ? thread->current().made.read.terms.version() + 1
                                           : 1 + static_cast<uint32_t>(pick(4));
          hashes.push_back(table.Replace(by, is_next ? thread->id : about, version, to));
          break;
        }
        case 2:
          hashes.push_back(table.Counter(author, about, to));
          break;
        case 3:
        case 4:
          table.Accept(author, about, static_cast<uint32_t>(pick(2)));
          break;
        case 5:
          table.Decline(author, about);
          break;
        case 6:
          table.End(author, about, pick(2) == 0);
          break;
        default:  // somebody repeats, or carries, what somebody said
          if (table.log().empty()) break;
          const Reader::Said said = table.log()[pick(table.log().size())];
          table.Say(pick(2) == 0 ? said.author : author, said.content,
                    pick(2) == 0 ? std::optional<Actor>(author) : std::nullopt);
      }
      for (const OfferBook::Thread& thread : table.book().threads()) {
        for (const OfferBook::Version& version : thread.versions) {
          // Each person's answer counts once, however often it was said or carried.
          std::set<ParticipantId> answerers;
          for (const OfferBook::Answer& answer : version.answers) {
            ASSERT_TRUE(answerers.insert(answer.by.id).second) << "seed " << seed;
          }
          if (version.state != OfferState::kAccepted) {
            // A copy is decided where it was made.
            ASSERT_TRUE(!accepted.contains(version.hash) || version.made.carried_by.has_value())
                << "seed " << seed;
            continue;
          }
          // It is the latest, and stays that.
          ASSERT_EQ(thread.current().hash, version.hash) << "seed " << seed;
          for (const auto& party : version.made.read.terms.parties()) {
            ASSERT_TRUE(std::any_of(version.answers.begin(), version.answers.end(),
                                    [&](const OfferBook::Answer& answer) {
                                      return answer.accepted &&
                                             ToField(answer.by.id) == party.participant_id() &&
                                             answer.by.role == Role::kParty;
                                    }))
                << "seed " << seed;
          }
          accepted.emplace(version.hash, thread.side);
        }
        ASSERT_TRUE(std::count_if(thread.versions.begin(), thread.versions.end(),
                                  [](const OfferBook::Version& version) {
                                    return version.state == OfferState::kOpen;
                                  }) <= 1);
      }
    }
    // Nothing was taken in twice: neither a version nor a record.
    std::set<VersionHash> made;
    for (const OfferBook::Thread& thread : table.book().threads()) {
      for (const OfferBook::Version& version : thread.versions) {
        ASSERT_TRUE(made.insert(version.hash).second) << "seed " << seed;
      }
    }
    // Others read the same log, one of them in two goes.
    Reader at_once(is_caucus ? ChannelKind::kCaucus : ChannelKind::kJoint,
                   is_caucus ? "Harbor" : "");
    Reader again = at_once;
    std::vector<std::string> refusals;
    for (size_t i = 0; i < table.log().size(); ++i) {
      refusals.push_back(at_once.Take(table.log()[i], {1, i + 1}));
    }
    for (size_t i = 0; i < table.log().size(); ++i) {
      ASSERT_EQ(again.Take(table.log()[i], {1, i + 1}), refusals[i]) << "seed " << seed;
      ASSERT_TRUE(refusals[i].empty() || refusals[i].starts_with("may not ")) << refusals[i];
    }
    ASSERT_EQ(again.Picture(), at_once.Picture()) << "seed " << seed;
    // What was passed over has changed nothing: without it the picture is the same.
    Reader kept(is_caucus ? ChannelKind::kCaucus : ChannelKind::kJoint, is_caucus ? "Harbor" : "");
    for (size_t i = 0; i < table.log().size(); ++i) {
      if (!refusals[i].empty()) continue;
      ASSERT_EQ(kept.Take(table.log()[i], {1, i + 1}), "") << "seed " << seed;
    }
    ASSERT_EQ(kept.Picture(), at_once.Picture()) << "seed " << seed;
    for (const OfferBook::Thread& thread : kept.book().threads()) {
      for (const OfferBook::Version& version : thread.versions) ++seen[version.state];
    }
  }
  // The acts were wild enough.
  for (const OfferState state :
       {OfferState::kOpen, OfferState::kAccepted, OfferState::kDeclined, OfferState::kCountered,
        OfferState::kReplaced, OfferState::kWithdrawn, OfferState::kExpired}) {
    EXPECT_GE(seen[state], 3u) << NameOf(state);
  }
}

}  // namespace
}  // namespace parley::client
