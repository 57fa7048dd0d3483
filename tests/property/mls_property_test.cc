// Random histories of an MLS group against a model of it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "crypto/mls/testing.h"

namespace parley::mls {
namespace {

using namespace testing;  // NOLINT

constexpr size_t kMaxMembers = 16;

uint32_t FromEnvironment(const char* name, uint32_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : static_cast<uint32_t>(std::strtoul(value, nullptr, 10));
}

// The world: everyone's real groups by name, and beside them what must be true.
class World {
 public:
  World(CipherSuiteId suite, uint32_t seed) : suite_(suite), random_(seed) {
    members_.emplace("m0", NewGroup("m0", suite));
    names_ = 1;
    // A history of one member tells little.
    AddSome();
    AddSome();
  }

  void Step() {
    switch (Pick(12)) {
      case 0:
      case 1:
        return AddSome();
      case 2:
        return RemoveSome();
      case 3:
        return CommitNothing();
      case 4:
        return ProposeAndCommit();
      case 5:
        return LoseARace();
      case 6:
        return Restart();
      case 7:
        return ChangeExtensions();
      case 8:
        return JoinFromOutside();
      default:
        return Talk();
    }
  }

  // Everyone agrees with the model and with everyone else.
  void Check() {
    const Group& first = members_.begin()->second;
    for (const auto& [name, group] : members_) {
      ASSERT_EQ(group.epoch(), first.epoch()) << name;
      ASSERT_EQ(group.EpochAuthenticator(), first.EpochAuthenticator()) << name;
      ASSERT_EQ(group.tree_hash(), first.tree_hash()) << name;
      ASSERT_EQ(group.extensions(), extensions_) << name;
      std::set<std::string> seen;
      for (const Member& member : group.members()) {
        seen.insert(crypto::ToString(member.credential.identity));
      }
      std::set<std::string> expected;
      for (const auto& entry : members_) expected.insert(entry.first);
      ASSERT_EQ(seen, expected) << name;
      ASSERT_EQ(crypto::ToString(group.FindMember(group.own_leaf())->credential.identity), name);
    }
  }

  size_t commits() const { return commits_; }
  size_t refused() const { return refused_; }
  size_t heard() const { return heard_; }

 private:
  size_t Pick(size_t below) { return random_() % below; }
  bool Chance(size_t percent) { return Pick(100) < percent; }

  std::map<std::string, Group>::iterator Anyone() {
    return std::next(members_.begin(), static_cast<std::ptrdiff_t>(Pick(members_.size())));
  }

  // A hostile relay: a copy with a flipped bit, or cut short, must be refused without a trace.
  void Attack(Group& group, const Bytes& message) {
    if (!Chance(50)) return;
    const Secret before = group.Serialize();
    Bytes damaged = message;
    if (Chance(20)) {
      damaged.resize(Pick(damaged.size()));
    } else {
      damaged[Pick(damaged.size())] ^= static_cast<uint8_t>(1u << Pick(8));
    }
    ASSERT_FALSE(group.Process(damaged).ok());
    ASSERT_TRUE(crypto::ConstantTimeEquals(before.Reveal(), group.Serialize().Reveal()));
    ++refused_;
  }

  // Who was removed gets everything that is sent afterwards, and must be able to read none of it.
  void ExpectDeafOutsiders(const Bytes& message) {
    for (Group& outsider : removed_) ASSERT_FALSE(outsider.Process(message).ok());
  }

  // `committer`'s commit goes to all; those in `leaving` go.
  void Deliver(const std::string& committer, PreparedCommit commit,
               const std::set<std::string>& leaving = {}) {
    ExpectDeafOutsiders(commit.message);
    for (auto& [name, group] : members_) {
      if (name == committer) continue;
      Attack(group, commit.message);
      absl::StatusOr<Received> received = group.Process(commit.message);
      ASSERT_TRUE(received.ok()) << name << ": " << received.status();
      StagedCommit& staged = std::get<StagedCommit>(*received);
      ASSERT_EQ(staged.changes().removes_self, leaving.contains(name));
      if (leaving.contains(name)) continue;
      ASSERT_EQ(staged.next()->EpochAuthenticator(), commit.next.EpochAuthenticator());
      // Sometimes it is refused first, and taken when it comes again.
      if (Chance(10)) {
        received = group.Process(commit.message);
        ASSERT_TRUE(received.ok());
      }
      group = Must(std::move(std::get<StagedCommit>(*received)).Next());
      ASSERT_FALSE(group.Process(commit.message).ok());
    }
    members_.at(committer) = std::move(commit.next);
    for (const std::string& name : leaving) {
      removed_.push_back(std::move(members_.at(name)));
      members_.erase(name);
    }
    if (removed_.size() > 4) removed_.erase(removed_.begin());
    late_.clear();
    ++commits_;
  }

  CommitOptions SometimesPadded() {
    CommitOptions options;
    options.force_path = Chance(50);
    options.padding = Pick(100);
    options.public_message = Chance(25);
    options.renewal.new_signature_key = Chance(25);
    return options;
  }

  void AddSome() {
    if (members_.size() >= kMaxMembers) return;
    auto [committer, group] = *MovableAnyone();
    const size_t count = 1 + Pick(std::min<size_t>(3, kMaxMembers - members_.size()));
    std::map<std::string, KeyPackageBundle> joining;
    CommitOptions options = SometimesPadded();
    for (size_t i = 0; i < count; ++i) {
      const std::string name = "m" + std::to_string(names_++);
      KeyPackageBundle bundle = NewKeyPackage(name, suite_);
      options.adds.push_back(bundle.message());
      joining.emplace(name, std::move(bundle));
    }
    const Bytes earlier = Must(group->Protect(ViewOf("before they came")));
    PreparedCommit commit = Must(group->PrepareCommit(options));
    const Bytes welcome = *commit.welcome;
    Deliver(committer, std::move(commit));
    for (auto& [name, bundle] : joining) {
      Group joined = Must(Group::Join(welcome, std::move(bundle)));
      ASSERT_FALSE(joined.Process(earlier).ok());
      members_.emplace(name, std::move(joined));
    }
  }

  void RemoveSome() {
    if (members_.size() < 3) return;
    auto [committer, group] = *MovableAnyone();
    std::set<std::string> leaving;
    CommitOptions options = SometimesPadded();
    for (size_t i = 0; i < 1 + Pick(2); ++i) {
      auto other = Anyone();
      if (other->first == committer || !leaving.insert(other->first).second) continue;
      options.removes.push_back(other->second.own_leaf());
    }
    Deliver(committer, Must(group->PrepareCommit(options)), leaving);
  }

  void CommitNothing() {
    auto [committer, group] = *MovableAnyone();
    Deliver(committer, Must(group->PrepareCommit(SometimesPadded())));
  }

  // Proposals of all kinds by several members, then a commit of all that can go together.
  void ProposeAndCommit() {
    auto [committer, group] = *MovableAnyone();
    std::set<std::string> leaving;
    for (size_t i = 0; i < 1 + Pick(4); ++i) {
      auto proposer = Anyone();
      Bytes message;
      if (Chance(70)) {
        message = Must(proposer->second.ProposeUpdate({.new_signature_key = Chance(30)}));
      } else if (members_.size() > 3) {
        auto target = Anyone();
        message = Must(proposer->second.ProposeRemove(target->second.own_leaf()));
        if (target->first != committer) leaving.insert(target->first);
      } else {
        continue;
      }
      for (auto& [name, other] : members_) {
        if (name == proposer->first) continue;
        Attack(other, message);
        const absl::Status status = other.Process(message).status();
        ASSERT_TRUE(status.ok()) << name << ": " << status;
      }
    }
    if (members_.size() < leaving.size() + 1) return;
    Deliver(committer, Must(group->PrepareCommit(SometimesPadded())), leaving);
  }

  // Two commits in one epoch: one wins, the other is too late for everybody.
  void LoseARace() {
    if (members_.size() < 2) return;
    auto [winner, group] = *MovableAnyone();
    auto loser = Anyone();
    if (loser->first == winner) return;
    const std::string loser_name = loser->first;
    const Bytes late = Must(loser->second.PrepareCommit(SometimesPadded())).message;
    Deliver(winner, Must(group->PrepareCommit(SometimesPadded())));
    for (auto& [name, other] : members_) ASSERT_FALSE(other.Process(late).ok());
    Deliver(loser_name, Must(members_.at(loser_name).PrepareCommit(SometimesPadded())));
  }

  void Restart() {
    auto [name, group] = *MovableAnyone();
    const Secret stored = group->Serialize();
    *group = Must(Group::Parse(stored.Reveal()));
    ASSERT_TRUE(crypto::ConstantTimeEquals(stored.Reveal(), group->Serialize().Reveal()));
  }

  void ChangeExtensions() {
    auto [committer, group] = *MovableAnyone();
    CommitOptions options = SometimesPadded();
    options.extensions.emplace();
    if (Chance(70)) options.extensions->push_back({kRosterExtension, Bytes(Pick(40), 7)});
    extensions_ = *options.extensions;
    Deliver(committer, Must(group->PrepareCommit(options)));
  }

  void JoinFromOutside() {
    if (members_.size() >= kMaxMembers) return;
    const Bytes info = Must(Anyone()->second.GroupInfoMessage(true, true));
    const std::string name = "m" + std::to_string(names_++);
    PreparedCommit commit = Must(Group::JoinExternally(
        info, {.suite = suite_,
               .identity = ToBytes(name),
               .capabilities = Capabilities::Default(suite_, {kRosterExtension})}));
    members_.emplace(name, commit.next.Clone());
    Deliver(name, std::move(commit));
  }

  // Messages of one member, in any order, some lost to some, some of them late; each read once.
  void Talk() {
    auto [sender, group] = *MovableAnyone();
    std::vector<std::pair<std::string, Bytes>> messages;
    for (size_t i = 0; i < 1 + Pick(5); ++i) {
      const std::string text = "message " + std::to_string(random_());
      messages.emplace_back(text, Must(group->Protect(ViewOf(text), {}, Pick(64))));
    }
    std::shuffle(messages.begin(), messages.end(), random_);
    for (const auto& [text, message] : messages) {
      ExpectDeafOutsiders(message);
      for (auto& [name, other] : members_) {
        if (name == sender) continue;
        if (Chance(15)) {
          late_.push_back({name, text, message});
          continue;
        }
        Attack(other, message);
        Hear(other, text, message, group->own_leaf());
      }
    }
    // What was late before comes now, if the epoch is still that of its sending.
    if (Chance(50)) {
      for (const Late& late : late_) Hear(members_.at(late.name), late.text, late.message, {});
      late_.clear();
    }
  }

  void Hear(Group& group, const std::string& text, const Bytes& message,
            std::optional<LeafIndex> sender) {
    absl::StatusOr<Received> received = group.Process(message);
    ASSERT_TRUE(received.ok()) << received.status();
    const auto& said = std::get<ApplicationMessage>(*received);
    ASSERT_EQ(TextOf(said.plaintext), text);
    if (sender.has_value()) {
      ASSERT_EQ(said.sender, *sender);
    }
    ASSERT_FALSE(group.Process(message).ok());
    ++heard_;
  }

  // A name and its group, whose place in the map stays while others come and go.
  std::optional<std::pair<std::string, Group*>> MovableAnyone() {
    auto chosen = Anyone();
    return std::pair(chosen->first, &chosen->second);
  }

  struct Late {
    std::string name;
    std::string text;
    Bytes message;
  };

  CipherSuiteId suite_;
  std::mt19937 random_;
  std::map<std::string, Group> members_;
  std::vector<Group> removed_;
  std::vector<Late> late_;
  Extensions extensions_;
  size_t names_ = 0;
  size_t commits_ = 0;
  size_t refused_ = 0;
  size_t heard_ = 0;
};

void Live(CipherSuiteId suite, uint32_t seed, uint32_t steps) {
  SCOPED_TRACE("PARLEY_SEED=" + std::to_string(seed));
  World world(suite, seed);
  for (uint32_t step = 0; step < steps; ++step) {
    world.Step();
    world.Check();
    if (::testing::Test::HasFatalFailure()) {
      ADD_FAILURE() << "at step " << step;
      return;
    }
  }
  std::printf("seed %u: %zu commits, %zu messages read, %zu attacks refused\n", seed,
              world.commits(), world.heard(), world.refused());
  // A history in which nothing happens proves nothing.
  EXPECT_GT(world.commits(), steps / 8);
  EXPECT_GT(world.heard(), steps / 4);
  EXPECT_GT(world.refused(), steps / 8);
}

TEST(MlsProperty, MembersAgreeWhateverHappens) {
  const uint32_t seed = FromEnvironment("PARLEY_SEED", std::random_device{}());
  Live(CipherSuiteId::k0x0003, seed, FromEnvironment("PARLEY_STEPS", 300));
}

TEST(MlsProperty, FixedHistories) {
  for (uint32_t seed : {1u, 2u, 3u}) Live(CipherSuiteId::k0x0003, seed, 150);
}

TEST(MlsProperty, WithTheSuiteOfRealChannels) {
  Live(CipherSuiteId::kParley, FromEnvironment("PARLEY_SEED", std::random_device{}()), 60);
}

}  // namespace
}  // namespace parley::mls
