// Long sessions that our members and ts-mls's share: everybody takes what everybody made, and all
// agree. Where ts-mls departs from RFC 9420 the sessions avoid it: see ts_mls_cases_test.cc.
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>

#include "crypto/mls/ratchet_tree.h"
#include "tests/interop/ts_mls_members.h"

namespace parley::interop {
namespace {

class Session {
 public:
  using Maker = std::function<std::unique_ptr<Participant>(bool ours)>;

  Session(mls::CipherSuiteId suite, uint64_t seed, Maker maker, std::function<Bytes()> new_psk)
      : suite_(**mls::FindCipherSuite(suite)),
        random_(seed),
        make_(std::move(maker)),
        new_psk_(std::move(new_psk)) {}

  // `operations` are messages, proposals and commits; the creator is ours or theirs.
  void Run(int operations, bool our_creator) {
    members_.push_back(make_(our_creator));
    members_[0]->Create(ToBytes("a group of both"));
    for (const bool ours : {true, false, true, false}) AddNow(ours);
    while (operations_ < operations && !::testing::Test::HasFailure()) {
      switch (Below(8)) {
        case 0:
        case 1:
        case 2:
          Speak();
          break;
        default:
          Change();
      }
      ExpectAgreement();
    }
  }

  int operations() const { return operations_; }

 private:
  size_t Below(size_t limit) { return random_() % limit; }
  size_t Anyone() { return Below(members_.size()); }

  Bytes Flipped(Bytes bytes) {
    const size_t bit = Below(bytes.size() * 8);
    bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] ^ (1 << (bit % 8)));
    return bytes;
  }

  void ExpectAgreement() {
    const View first = members_[0]->Look();
    for (size_t i = 1; i < members_.size(); ++i) {
      EXPECT_TRUE(members_[i]->Look() == first) << i << " in epoch " << first.epoch;
    }
  }

  // To all but `sender`, and to ours first with an error.
  void Deliver(size_t sender, const Bytes& message, const std::string& text) {
    for (size_t i = 0; i < members_.size(); ++i) {
      if (i == sender) continue;
      if (members_[i]->ours()) {
        EXPECT_FALSE(members_[i]->Process(Flipped(message)).ok());
      }
      const absl::StatusOr<std::string> said = members_[i]->Process(message);
      ASSERT_TRUE(said.ok()) << (members_[i]->ours() ? "ours" : "theirs") << " from "
                             << (members_[sender]->ours() ? "ours" : "theirs") << ": "
                             << said.status();
      EXPECT_EQ(*said, text);
      // A proposal that comes again in the clear is the same one.
      if (members_[i]->ours() && !text.empty()) {
        EXPECT_FALSE(members_[i]->Process(message).ok());
      }
    }
  }

  // A few at once, which come in the wrong order.
  void Speak() {
    const size_t speaker = Anyone();
    std::vector<std::pair<Bytes, std::string>> said;
    for (size_t i = 1 + Below(3); i > 0; --i) {
      const std::string text = "message " + std::to_string(operations_);
      said.emplace_back(members_[speaker]->Protect(text), text);
      ++operations_;
    }
    std::shuffle(said.begin(), said.end(), random_);
    for (const auto& [message, text] : said) Deliver(speaker, message, text);
  }

  void AddNow(bool ours) {
    std::unique_ptr<Participant> joiner = make_(ours);
    std::vector<Wanted> wanted{{.kind = Wanted::kAdd, .bytes = joiner->KeyPackage()}};
    CommitBy(Anyone(), wanted, {});
    Welcome(std::move(joiner));
  }

  // Proposals by anybody, which somebody commits with more by value.
  void Change() {
    const size_t committer = Anyone();
    std::vector<std::unique_ptr<Participant>> joiners;
    std::vector<Wanted> by_value;
    std::vector<size_t> touched{committer};
    std::optional<size_t> removed;
    for (size_t i = Below(4); i > 0; --i) {
      Wanted wanted;
      const size_t proposer = Anyone();
      if (Below(3) == 0 && members_.size() < 9) {
        joiners.push_back(make_(Below(2) == 0));
        wanted = {.kind = Wanted::kAdd, .bytes = joiners.back()->KeyPackage()};
      } else if (Below(2) == 0) {
        wanted = {.kind = Wanted::kPsk, .bytes = new_psk_()};
      } else {
        const size_t other = Anyone();
        if (std::count(touched.begin(), touched.end(), other) != 0) continue;
        touched.push_back(other);
        if (!removed.has_value() && members_.size() > 6) {
          removed = other;
          wanted = {.kind = Wanted::kRemove, .leaf = members_[other]->Leaf()};
        } else if (members_[other]->ours()) {  // ts-mls can't propose its own Update
          Deliver(other, members_[other]->Propose({.kind = Wanted::kUpdate}, Below(2) == 0), "");
          ++operations_;
          continue;
        }
      }
      if (wanted.bytes.empty() && wanted.kind == Wanted::kAdd) continue;
      if (Below(2) == 0) {
        by_value.push_back(wanted);
      } else {
        Deliver(proposer, members_[proposer]->Propose(wanted, Below(2) == 0), "");
        ++operations_;
      }
    }
    if (members_[committer]->ours() && Below(4) == 0)
      by_value.push_back({.kind = Wanted::kExtensions});
    CommitBy(committer, by_value, removed);
    for (auto& joiner : joiners) Welcome(std::move(joiner));
    RemoveShutOut();
  }

  void CommitBy(size_t committer, const std::vector<Wanted>& by_value,
                std::optional<size_t> removed) {
    const bool tree_in_welcome = Below(2) == 0;
    const Commit commit = members_[committer]->MakeCommit(by_value, Below(2) == 0, tree_in_welcome);
    ASSERT_FALSE(commit.message.empty());
    ++operations_;
    if (removed.has_value()) {
      members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(*removed));
      if (*removed < committer) --committer;
    }
    Deliver(committer, commit.message, "");
    members_[committer]->Accept();
    welcome_ = commit.welcome;
    tree_ = tree_in_welcome ? Bytes() : members_[committer]->Look().tree;
  }

  void Welcome(std::unique_ptr<Participant> joiner) {
    const absl::Status joined = joiner->Join(welcome_, tree_);
    if (joined.ok()) {
      members_.push_back(std::move(joiner));
    } else {
      ASSERT_TRUE(!joiner->ours() && HasUnmergedLeavesFault(joined)) << joined;
      shut_out_.push_back(joiner->name());
    }
  }

  // See TheyRefuseTreesWithUnmergedLeavesHereAndThere.
  void RemoveShutOut() {
    for (const std::string& name : std::exchange(shut_out_, {})) {
      const auto tree = mls::RatchetTree::Parse(suite_, members_[0]->Look().tree);
      ASSERT_TRUE(tree.ok());
      Wanted wanted{.kind = Wanted::kRemove};
      tree->ForEachLeaf([&](mls::LeafIndex index, const mls::LeafNode& leaf) {
        if (leaf.credential.identity == ToBytes(name)) wanted.leaf = index.value;
      });
      CommitBy(Anyone(), {wanted}, {});
    }
  }

  const mls::CipherSuite& suite_;
  std::mt19937_64 random_;
  const Maker make_;
  const std::function<Bytes()> new_psk_;
  std::vector<std::unique_ptr<Participant>> members_;
  Bytes welcome_;
  Bytes tree_;
  std::vector<std::string> shut_out_;  // members that couldn't join
  int operations_ = 0;
};

// PARLEY_TS_MLS_SEED plays other sessions than the ones that always run.
uint64_t SeedOf(uint64_t otherwise) {
  const char* value = std::getenv("PARLEY_TS_MLS_SEED");
  return value == nullptr || *value == '\0' ? otherwise : std::strtoull(value, nullptr, 10);
}

TEST_P(TsMlsTest, LongSessions) {
  for (const bool our_creator : {true, false}) {
    const uint64_t seed = SeedOf(GetParam() * 2u + our_creator);
    SCOPED_TRACE("PARLEY_TS_MLS_SEED=" + std::to_string(seed));
    int names = 0;
    Session session(
        suite(), seed,
        [&](bool ours) -> std::unique_ptr<Participant> {
          const std::string name =
              "actor" + std::to_string(our_creator) + "-" + std::to_string(names++);
          if (ours) return std::make_unique<OurMember>(name, suite(), psks_);
          return std::make_unique<TheirMember>(name, peer_);
        },
        [&] { return NewPsk(); });
    session.Run(210, our_creator);
    EXPECT_GE(session.operations(), 200);
  }
}

INSTANTIATE_TEST_SUITE_P(Suites, TsMlsTest, ::testing::Values(0x0003, 0x0054));

}  // namespace
}  // namespace parley::interop
