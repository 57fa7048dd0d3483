// Exactly once, whatever fails: every network call of a scenario fails in turn, before or after it
// took effect, and each time the process is gone; and random members do random things with a relay
// that fails at random.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <tuple>

#include "client-lib/channels/test_insider.h"
#include "crypto/mls/group_state.h"
#include "crypto/mls/message_protection.h"

namespace parley::client {
namespace {

// Watches what leaves the machines, with keys of every epoch that Mira has been in.
class KeyUse {
 public:
  // Remembers the keys of Mira's current epoch.
  void Note(Person& mira, const ChannelId& id) {
    const uint64_t generation = mira.Info(id).generation;
    if (insiders_.contains(generation)) return;
    insiders_.emplace(generation, InsiderOf(mira, id));
  }

  // No seal's nonce and no key of a ratchet was used for two different messages.
  void Check(const TestRelay& relay) const {
    std::map<Bytes, Bytes> by_nonce;
    std::map<std::tuple<uint64_t, int, uint32_t, uint32_t>, Bytes> by_key;
    size_t opened = 0;
    for (const TestRelay::Attempt& attempt : relay.attempts) {
      const Bytes nonce(attempt.payload.begin(), attempt.payload.begin() + 24);
      const auto [same_nonce, is_new] = by_nonce.emplace(nonce, attempt.payload);
      EXPECT_EQ(same_nonce->second, attempt.payload) << "a nonce for two entries";
      const auto insider = insiders_.find(attempt.generation);
      ASSERT_NE(insider, insiders_.end());
      const Bytes sealed =
          Must(OpenEntry(insider->second.entry_key, insider->second.state.mailbox_id,
                         attempt.generation, attempt.payload));
      const auto message = Must(crypto::Parse<mls::MlsMessage>(sealed));
      const auto& inner = std::get<mls::PrivateMessage>(message.body);
      const mls::GroupState& state = insider->second.group.state();
      const mls::SenderData sender =
          Must(mls::OpenSenderData(*state.suite, state.secrets.sender_data, inner));
      const auto ratchet = static_cast<int>(mls::RatchetFor(inner.content_type));
      const auto [same_key, first] = by_key.emplace(
          std::tuple(attempt.generation, ratchet, sender.leaf_index, sender.generation), sealed);
      EXPECT_EQ(same_key->second, sealed) << "a key for two messages";
      ++opened;
    }
    EXPECT_EQ(opened, relay.attempts.size());
  }

 private:
  std::map<uint64_t, Insider> insiders_;
};

class CrashTest : public Room {
 protected:
  // Ana says two things across a commit, Mira adds Ben and renews: with failures in every place.
  void Play(Person& committer) {
    Must(ana.Queue(id, TextContent("first")));
    MembershipChange change;
    change.adds = {ben_member};
    Must(committer.Prepare(id, change));
    Finish({&ana, &committer});
    DeliverWelcomes(committer, id, case_id, {&ben});
    Must(ana.Queue(id, TextContent("second")));
    Must(committer.Queue(id, TextContent("third")));
    Finish({&committer, &ana, &ben});
  }

  // Exchanges until all has gone through and nothing happens any more; after a failure the process
  // is gone.
  void Finish(const std::vector<Person*>& people) {
    for (int round = 0; round < 30; ++round) {
      bool quiet = true;
      for (Person* person : people) {
        const uint64_t before = Head();
        const absl::StatusOr<ExchangeResult> result = person->In(id).Exchange();
        if (!result.ok()) person->Restart();
        quiet = quiet && result.ok() && result->entries == 0 && Head() == before;
      }
      if (quiet) return;
    }
    ADD_FAILURE() << "the room doesn't settle";
  }

  NewMember ben_member;
};

TEST_F(CrashTest, EveryCallFailsOnce) {
  // One set of people for all rounds: Ben comes and goes.
  Open(ChannelKind::kJoint, "", {&ana});
  Settle({&mira, &ana});
  KeyUse keys;
  relay.attempts.clear();
  keys.Note(mira, id);
  std::vector<std::string> expected;
  int calls_of_a_round = 1;
  for (int failing = 0; failing < calls_of_a_round; ++failing) {
    for (const bool after : {false, true}) {
      int calls = 0;
      const auto fail = [&](bool is_after) {
        if (!is_after) ++calls;
        const bool now = is_after == after && calls == failing + 1;
        return now ? absl::UnavailableError("crash") : absl::OkStatus();
      };
      relay.before_append = [&] { return fail(false); };
      relay.after_append = [&] { return fail(true); };
      relay.before_read = [&] {
        keys.Note(mira, id);
        return fail(false);
      };
      ben_member = ben.AsNewMember();
      Play(mira);
      calls_of_a_round = std::max(calls_of_a_round, std::min(calls, 40));
      relay.before_append = nullptr;
      relay.after_append = nullptr;
      relay.before_read = [&] {
        keys.Note(mira, id);
        return absl::OkStatus();
      };
      const std::vector<std::string> heard = mira.Heard(id);
      ASSERT_EQ(heard.size(), expected.size() + 3) << "call " << failing << " after: " << after;
      std::vector<std::string> news(heard.end() - 3, heard.end());
      EXPECT_EQ(std::set<std::string>(news.begin(), news.end()),
                (std::set<std::string>{"Ana: first", "Ana: second", "Mira: third"}));
      expected = heard;
      EXPECT_EQ(ana.Heard(id), heard);
      Must(Remove(mira, ben));
      Settle({&mira, &ana, &ben});
      EXPECT_EQ(mira.Info(id).passed_over, 0u);
    }
  }
  EXPECT_GT(calls_of_a_round, 10);
  keys.Check(relay);
}

// ---- Random members, random failures ----

class RandomRun : public Room, public ::testing::WithParamInterface<uint32_t> {
 protected:
  absl::Status Maybe(int percent) {
    return Below(100) < percent ? absl::UnavailableError("cut") : absl::OkStatus();
  }
  int Below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); }

  bool IsIn(Person& person) {
    return mira.Info(id).state.FindMember(person.self.participant_id) != nullptr;
  }

  // Another device may be in another state after this: nothing is asserted here but that errors are
  // those of a failing relay.
  void Exchange(Person& person) {
    const absl::StatusOr<ExchangeResult> result = person.In(id).Exchange();
    if (result.ok()) return;
    EXPECT_TRUE(absl::IsUnavailable(result.status()) || absl::IsAborted(result.status()))
        << result.status();
    if (Below(2) == 0) person.Restart();
  }

  void Say(Person& person) {
    const std::string text = person.name + std::to_string(++said);
    if (person.Queue(id, TextContent(text)).ok()) queued[person.name].push_back(text);
  }

  void ChangeMembership(Person& committer) {
    Person& other = *movers[static_cast<size_t>(Below(static_cast<int>(movers.size())))];
    const ChannelInfo info = committer.Info(id);
    if (info.standing != Standing::kActive || !info.has_control_key) return;
    MembershipChange change;
    if (info.state.FindMember(other.self.participant_id) != nullptr) {
      if (Below(3) == 0) change.removes = {other.self.participant_id};
    } else {
      change.adds = {other.AsNewMember()};
    }
    (void)committer.Prepare(id, change);  // fails when another change waits
  }

  // Welcomes of two committers may come in another order than their commits.
  void Deliver(Person& committer) {
    std::vector<WelcomeDelivery> pending;
    {
      const ReadTransaction tx = Must(committer.store->Read());
      pending = Must(committer.In(id).PendingWelcomes(tx));
    }
    for (const WelcomeDelivery& delivery : pending) {
      for (Person* person : movers) {
        if (person->self.device_id != delivery.device_id) continue;
        const absl::Status joined =
            person->Join(case_id, committer.self.participant_id, delivery.wrapper).status();
        EXPECT_TRUE(joined.ok() || absl::IsAlreadyExists(joined)) << joined;
      }
      Transaction tx = Must(committer.store->Begin());
      Must(committer.In(id).WelcomeDelivered(tx, delivery.id));
      Must(tx.Commit());
    }
  }

  void CheckAll(const std::vector<Person*>& staying) {
    const std::vector<std::string> all = mira.Heard(id);
    EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size()) << "doubled";
    std::map<std::string, std::vector<std::string>> by_author;
    for (const std::string& line : all) {
      const size_t colon = line.find(": ");
      by_author[line.substr(0, colon)].push_back(line.substr(colon + 2));
    }
    for (Person* person : staying) {
      EXPECT_EQ(by_author[person->name], queued[person->name]) << "lost, or out of order";
      EXPECT_EQ(person->Heard(id), all);
      EXPECT_EQ(person->Info(id).head, mira.Info(id).head);
    }
    for (Person* person : movers) {
      const std::vector<std::string> heard = person->Heard(id);
      EXPECT_TRUE(std::includes(all.begin(), all.end(), heard.begin(), heard.end(),
                                [&](const std::string& a, const std::string& b) {
                                  return PlaceOf(all, a) < PlaceOf(all, b);
                                }))
          << person->name;
    }
  }
  static size_t PlaceOf(const std::vector<std::string>& all, const std::string& line) {
    return static_cast<size_t>(std::find(all.begin(), all.end(), line) - all.begin());
  }

  std::mt19937 random{GetParam()};
  int said = 0;
  std::map<std::string, std::vector<std::string>> queued;
  std::vector<Person*> movers = {&lee, &ben};
};

TEST_P(RandomRun, EverythingArrivesOnceAndInOrder) {
  Open(ChannelKind::kJoint, "", {&tomas, &ana});
  KeyUse keys;
  relay.attempts.clear();
  keys.Note(mira, id);
  relay.entries_per_page = 1 + static_cast<size_t>(Below(5));
  relay.before_append = [&] { return Maybe(12); };
  relay.after_append = [&] { return Maybe(12); };
  relay.before_read = [&] {
    keys.Note(mira, id);
    return Maybe(6);
  };
  const std::vector<Person*> staying = {&mira, &tomas, &ana};
  std::vector<Person*> everybody = staying;
  everybody.insert(everybody.end(), movers.begin(), movers.end());
  const auto has_channel = [&](Person& person) {
    const ReadTransaction tx = Must(person.store->Read());
    return !Must(Channel::List(tx)).empty();
  };
  for (int step = 0; step < 120; ++step) {
    Person& person = *everybody[static_cast<size_t>(Below(static_cast<int>(everybody.size())))];
    Person& committer = Below(2) == 0 ? mira : tomas;
    switch (Below(8)) {
      case 0:
        ChangeMembership(committer);
        Exchange(committer);
        break;
      case 1:
        Deliver(committer);
        break;
      case 2:
        person.Restart();
        break;
      case 3:
        clock.now += static_cast<uint64_t>(Below(3)) * 24 * 60 * 60;
        break;
      default:
        if (!has_channel(person)) break;
        if (Below(2) == 0) Say(person);
        Exchange(person);
    }
  }
  relay.before_append = nullptr;
  relay.after_append = nullptr;
  relay.before_read = [&] {
    keys.Note(mira, id);
    return absl::OkStatus();
  };
  Settle(staying);
  Deliver(mira);
  Deliver(tomas);
  Settle(staying);
  for (Person* mover : movers) {
    if (has_channel(*mover)) Must(mover->In(id).Exchange());
  }
  Settle(staying);
  CheckAll(staying);
  EXPECT_GT(relay.attempts.size(), 40u);
  for (Person* person : staying) {
    EXPECT_EQ(person->Info(id).passed_over, 0u);
    EXPECT_TRUE(person->Info(id).alarms.empty()) << person->Info(id).alarms[0].text;
  }
  keys.Check(relay);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomRun, ::testing::Range(1u, 9u));

}  // namespace
}  // namespace parley::client
