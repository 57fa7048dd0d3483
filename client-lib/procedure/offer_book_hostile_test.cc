// Offers' records bent at random, and random acts: no harm, and one state for all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "client-lib/procedure/offer_book_for_test.h"

namespace parley::client {
namespace {

using namespace testing;  // NOLINT: the people of the case

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
