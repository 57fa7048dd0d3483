// Sessions that our members and ts-mls's share: everybody takes what everybody made, and all agree.
// Where ts-mls departs from RFC 9420 there is a case of its own at the end, and the sessions avoid
// it.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>

#include "crypto/mls/group.h"
#include "crypto/mls/ratchet_tree.h"
#include "tests/interop/ts_mls_peer.h"

namespace parley::interop {
namespace {

using crypto::Bytes;
using crypto::ByteView;
using crypto::Secret;
using crypto::ToBytes;
using crypto::ViewOf;
using mls::Group;

std::string Hex(ByteView bytes) { return bytes.empty() ? "-" : crypto::ToHex(bytes); }
Bytes FromHex(const std::string& hex) {
  return hex == "-" ? Bytes() : crypto::FromHex(hex).value_or(Bytes());
}

// What all members of an epoch must agree on.
struct View {
  uint64_t epoch = 0;
  Bytes authenticator{};
  Bytes exported{};
  Bytes tree_hash{};
  Bytes tree{};
  friend bool operator==(const View&, const View&) = default;
};

struct Commit {
  Bytes message{};
  Bytes welcome{};  // empty for none
};

// A proposal in words, for both.
struct Wanted {
  enum Kind { kAdd, kRemove, kUpdate, kPsk, kResumption, kExtensions } kind = kAdd;
  Bytes bytes{};       // a key package, or the id of a pre-shared key
  uint32_t leaf = 0;   // to remove
  uint64_t epoch = 0;  // of a resumption secret
};

// The extensions that sessions set: what everybody must be able to do, which is nothing.
mls::Extensions NothingRequired() {
  return {{mls::ExtensionType::kRequiredCapabilities, Bytes(3)}};
}

class Participant {
 public:
  virtual ~Participant() = default;
  virtual bool ours() const = 0;
  virtual const std::string& name() const = 0;
  virtual Bytes KeyPackage() = 0;
  virtual void Create(const Bytes& group_id) = 0;
  virtual absl::Status Join(const Bytes& welcome, const Bytes& tree) = 0;
  virtual Bytes Propose(const Wanted& wanted, bool as_public) = 0;
  // Of all proposals that came, and `wanted` by value. Takes effect by Accept().
  virtual Commit MakeCommit(const std::vector<Wanted>& wanted, bool as_public,
                            bool tree_in_welcome) = 0;
  virtual void Accept() = 0;
  virtual Bytes Protect(const std::string& text) = 0;
  // Of an application message its text; of another nothing.
  virtual absl::StatusOr<std::string> Process(const Bytes& message) = 0;
  virtual View Look() = 0;
  virtual uint32_t Leaf() = 0;
};

// ---- Ours -------------------------------------------------------------------------------------

class OurMember final : public Participant {
 public:
  OurMember(std::string name, mls::CipherSuiteId suite, const std::map<Bytes, Bytes>& psks)
      : name_(std::move(name)), suite_(suite) {
    lookup_ = [&psks](const mls::PreSharedKeyId& id) -> std::optional<Secret> {
      const auto found = psks.find(id.psk_id);
      if (found == psks.end()) return std::nullopt;
      return Secret::CopyOf(found->second);
    };
  }

  bool ours() const override { return true; }
  const std::string& name() const override { return name_; }
  Group& group() { return *group_; }

  Bytes KeyPackage() override {
    bundle_ = *mls::KeyPackageBundle::Create({.suite = suite_, .identity = ToBytes(name_)});
    return bundle_->message();
  }
  void Create(const Bytes& group_id) override {
    group_ = *Group::Create({.suite = suite_, .group_id = group_id, .identity = ToBytes(name_)});
  }
  absl::Status Join(const Bytes& welcome, const Bytes& tree) override {
    mls::JoinOptions options{.psks = lookup_};
    if (!tree.empty()) options.ratchet_tree = tree;
    absl::StatusOr<Group> joined = Group::Join(welcome, std::move(*bundle_), options);
    if (joined.ok()) group_ = *std::move(joined);
    return joined.status();
  }

  Bytes Propose(const Wanted& wanted, bool as_public) override {
    const mls::SendOptions send{.public_message = as_public, .padding = as_public ? 0u : 5u};
    const absl::StatusOr<Bytes> message = wanted.kind == Wanted::kUpdate
                                              ? group_->ProposeUpdate({}, send)
                                              : group_->Propose(ProposalOf(wanted), send);
    EXPECT_TRUE(message.ok()) << message.status();
    return message.value_or(Bytes());
  }

  Commit MakeCommit(const std::vector<Wanted>& wanted, bool as_public,
                    bool tree_in_welcome) override {
    mls::CommitOptions options{.public_message = as_public, .tree_in_welcome = tree_in_welcome};
    options.psk_lookup = lookup_;
    for (const Wanted& one : wanted) {
      const mls::Proposal proposal = ProposalOf(one);
      if (one.kind == Wanted::kAdd) options.adds.push_back(one.bytes);
      if (one.kind == Wanted::kRemove) options.removes.push_back(mls::LeafIndex(one.leaf));
      if (one.kind == Wanted::kExtensions) options.extensions = NothingRequired();
      if (one.kind == Wanted::kPsk) {
        const auto& id = std::get<mls::PreSharedKey>(proposal.body).psk;
        options.psks.push_back({id, *lookup_(id)});
      }
    }
    absl::StatusOr<mls::PreparedCommit> made = group_->PrepareCommit(options);
    EXPECT_TRUE(made.ok()) << made.status();
    if (!made.ok()) return {};
    next_ = std::move(made->next);
    return {made->message, made->welcome.value_or(Bytes())};
  }
  void Accept() override { group_ = std::exchange(next_, std::nullopt); }

  Bytes Protect(const std::string& text) override {
    return *group_->Protect(ViewOf(text), ViewOf("beside it"), 11);
  }

  absl::StatusOr<std::string> Process(const Bytes& message) override {
    absl::StatusOr<mls::Received> received = group_->Process(message, {.psks = lookup_});
    if (!received.ok()) return received.status();
    if (auto* staged = std::get_if<mls::StagedCommit>(&*received)) {
      group_ = *std::move(*staged).Next();
    }
    const auto* said = std::get_if<mls::ApplicationMessage>(&*received);
    return said == nullptr ? "" : crypto::ToString(said->plaintext.Reveal());
  }

  View Look() override {
    const Secret exported = *group_->Export("a label", ViewOf("a context"), 40);
    return {group_->epoch(), group_->EpochAuthenticator(),
            Bytes(exported.Reveal().begin(), exported.Reveal().end()), group_->tree_hash(),
            group_->RatchetTreeExtension()};
  }
  uint32_t Leaf() override { return group_->own_leaf().value; }

 private:
  mls::Proposal ProposalOf(const Wanted& wanted) const {
    const mls::CipherSuite& suite = **mls::FindCipherSuite(suite_);
    switch (wanted.kind) {
      case Wanted::kAdd:
        return {mls::Add{*mls::ParseKeyPackageMessage(wanted.bytes)}};
      case Wanted::kRemove:
        return {mls::Remove{mls::LeafIndex(wanted.leaf)}};
      case Wanted::kPsk:
        return {mls::PreSharedKey{mls::PreSharedKeyId::External(suite, wanted.bytes)}};
      case Wanted::kResumption: {
        mls::PreSharedKeyId id = mls::PreSharedKeyId::External(suite, {});
        id.type = mls::PskType::kResumption;
        id.psk_group_id = group_->group_id();
        id.psk_epoch = wanted.epoch;
        return {mls::PreSharedKey{std::move(id)}};
      }
      default:
        return {mls::GroupContextExtensions{NothingRequired()}};
    }
  }

  const std::string name_;
  const mls::CipherSuiteId suite_;
  mls::PskLookup lookup_;
  std::optional<mls::KeyPackageBundle> bundle_;
  std::optional<Group> group_;
  std::optional<Group> next_;
};

// ---- Theirs -----------------------------------------------------------------------------------

class TheirMember final : public Participant {
 public:
  TheirMember(std::string name, TsMlsPeer& peer) : name_(std::move(name)), peer_(peer) {}

  bool ours() const override { return false; }
  const std::string& name() const override { return name_; }
  Bytes KeyPackage() override { return FromHex(peer_.Must("key-package", {name_})[0]); }
  void Create(const Bytes& group_id) override { peer_.Must("create", {name_, Hex(group_id)}); }
  absl::Status Join(const Bytes& welcome, const Bytes& tree) override {
    return peer_.Try("join", {name_, Hex(welcome), Hex(tree)}).status();
  }
  Bytes Propose(const Wanted& wanted, bool as_public) override {
    return FromHex(peer_.Must("propose", {name_, as_public ? "1" : "0", WordsOf(wanted)})[0]);
  }
  Commit MakeCommit(const std::vector<Wanted>& wanted, bool as_public,
                    bool tree_in_welcome) override {
    Words arguments{name_, as_public ? "1" : "0", tree_in_welcome ? "1" : "0"};
    for (const Wanted& one : wanted) arguments.push_back(WordsOf(one));
    const Words made = peer_.Must("commit", arguments);
    return {FromHex(made[0]), FromHex(made[1])};
  }
  void Accept() override { peer_.Must("accept", {name_}); }
  Bytes Protect(const std::string& text) override {
    return FromHex(peer_.Must("protect", {name_, Hex(ViewOf(text)), Hex(ViewOf("beside"))})[0]);
  }
  absl::StatusOr<std::string> Process(const Bytes& message) override {
    absl::StatusOr<Words> taken = peer_.Try("process", {name_, Hex(message)});
    if (!taken.ok()) return taken.status();
    return taken->size() < 2 ? "" : crypto::ToString(FromHex((*taken)[1]));
  }
  View Look() override {
    const Words view = peer_.Must("view", {name_});
    return {std::strtoull(view[0].c_str(), nullptr, 10), FromHex(view[2]), FromHex(view[3]),
            FromHex(view[4]), FromHex(view[5])};
  }
  uint32_t Leaf() override {
    return static_cast<uint32_t>(std::strtoul(peer_.Must("view", {name_})[1].c_str(), nullptr, 10));
  }

 private:
  static std::string WordsOf(const Wanted& wanted) {
    switch (wanted.kind) {
      case Wanted::kAdd:
        return "add=" + Hex(wanted.bytes);
      case Wanted::kRemove:
        return "remove=" + std::to_string(wanted.leaf);
      case Wanted::kPsk:
        return "psk=" + Hex(wanted.bytes);
      case Wanted::kResumption:
        return "resumption=" + std::to_string(wanted.epoch);
      default:
        return "extensions=required_capabilities:000000";
    }
  }

  const std::string name_;
  TsMlsPeer& peer_;
};

// ---- Sessions ---------------------------------------------------------------------------------

class TsMlsTest : public ::testing::TestWithParam<uint16_t> {
 protected:
  void SetUp() override {
    signal(SIGPIPE, SIG_IGN);
    peer_.Must("suite", {std::to_string(GetParam())});
  }

  mls::CipherSuiteId suite() const { return static_cast<mls::CipherSuiteId>(GetParam()); }
  OurMember Ours(const std::string& name) { return OurMember(name, suite(), psks_); }
  TheirMember Theirs(const std::string& name) { return TheirMember(name, peer_); }

  Bytes NewPsk() {
    const Bytes id = ToBytes("psk " + std::to_string(psks_.size()));
    psks_[id] = Bytes(32, static_cast<uint8_t>(psks_.size() + 1));
    peer_.Must("psk", {Hex(id), Hex(psks_[id])});
    return id;
  }

  TsMlsPeer peer_{PARLEY_NODE, PARLEY_TS_MLS_CLIENT};
  std::map<Bytes, Bytes> psks_;
};

constexpr std::string_view kUnmergedLeavesFault = "must list leaf node in its unmerged_leaves";
bool HasThatFault(const absl::Status& status) {
  return std::string(status.message()).find(kUnmergedLeavesFault) != std::string::npos;
}

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
      ASSERT_TRUE(!joiner->ours() && HasThatFault(joined)) << joined;
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

TEST_P(TsMlsTest, LongSessions) {
  for (const bool our_creator : {true, false}) {
    int names = 0;
    Session session(
        suite(), GetParam() * 2u + our_creator,
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

// One of each, ours having created the group.
class TsMlsCasesTest : public TsMlsTest {
 protected:
  void SetUp() override {
    TsMlsTest::SetUp();
    ours_.Create(ToBytes("a group"));
    const Commit commit =
        ours_.MakeCommit({{.kind = Wanted::kAdd, .bytes = theirs_.KeyPackage()}}, true, true);
    ours_.Accept();
    ASSERT_TRUE(theirs_.Join(commit.welcome, {}).ok());
  }

  OurMember ours_ = Ours("ours");
  TheirMember theirs_ = Theirs("theirs");
};

TEST_P(TsMlsCasesTest, ResumptionSecretsOfEarlierEpochs) {
  for (int i = 0; i < 2; ++i) {
    const Commit commit = ours_.MakeCommit({}, true, true);
    ASSERT_TRUE(theirs_.Process(commit.message).ok());
    ours_.Accept();
  }
  const Bytes by_us = ours_.Propose({.kind = Wanted::kResumption, .epoch = 2}, false);
  ASSERT_TRUE(theirs_.Process(by_us).ok());
  const Commit commit =
      theirs_.MakeCommit({{.kind = Wanted::kResumption, .epoch = 3}}, false, true);
  const absl::StatusOr<std::string> taken = ours_.Process(commit.message);
  ASSERT_TRUE(taken.ok()) << taken.status();
  theirs_.Accept();
  EXPECT_TRUE(ours_.Look() == theirs_.Look());
}

// ---- Where ts-mls 1.6.4 departs from RFC 9420 -------------------------------------------------

// Section 12.4: a commit of a GroupContextExtensions proposal needs a path; ts-mls sends none.
TEST_P(TsMlsCasesTest, TheirExtensionsComeWithoutAPath) {
  const Commit commit = theirs_.MakeCommit({{.kind = Wanted::kExtensions}}, true, true);
  EXPECT_EQ(ours_.Process(commit.message).status().code(), absl::StatusCode::kInvalidArgument);
}

// Section 12.1.7: the proposal's list replaces the group's; ts-mls keeps the old one when the new
// one is empty.
TEST_P(TsMlsCasesTest, TheyKeepExtensionsThatWereTakenAway) {
  Commit commit = ours_.MakeCommit({{.kind = Wanted::kExtensions}}, true, true);
  ASSERT_TRUE(theirs_.Process(commit.message).ok());
  ours_.Accept();
  ASSERT_TRUE(ours_.Look() == theirs_.Look());
  const absl::StatusOr<mls::PreparedCommit> without =
      ours_.group().PrepareCommit({.extensions = mls::Extensions(), .public_message = true});
  ASSERT_TRUE(without.ok()) << without.status();
  EXPECT_FALSE(theirs_.Process(without->message).ok());
}

// Section 12.4.3.1 wants each unmerged leaf to be listed by the nodes between; ts-mls wants these
// nodes to have the same list as a whole, and so refuses to join a group with unmerged leaves on
// both sides of a node.
TEST_P(TsMlsCasesTest, TheyRefuseTreesWithUnmergedLeavesHereAndThere) {
  std::vector<OurMember> members;
  std::vector<Wanted> adds;
  for (int i = 0; i < 8; ++i) {
    members.push_back(Ours(std::to_string(i)));
    if (i > 0) adds.push_back({.kind = Wanted::kAdd, .bytes = members.back().KeyPackage()});
  }
  members[0].Create(ToBytes("a group of eight"));
  const Commit first = members[0].MakeCommit(adds, true, true);
  members[0].Accept();
  for (size_t i = 1; i < 8; ++i) ASSERT_TRUE(members[i].Join(first.welcome, {}).ok());
  // Leaf 0 fills the nodes above leaf 1, and leaf 4 those above leaf 5, which have gone.
  const Commit removal = members[0].MakeCommit(
      {{.kind = Wanted::kRemove, .leaf = 1}, {.kind = Wanted::kRemove, .leaf = 5}}, true, true);
  members[0].Accept();
  ASSERT_TRUE(members[4].Process(removal.message).ok());
  members[4].MakeCommit({}, true, true);
  members[4].Accept();
  OurMember ours = Ours("another");
  TheirMember theirs = Theirs("newcomer");
  const Commit adding = members[4].MakeCommit({{.kind = Wanted::kAdd, .bytes = theirs.KeyPackage()},
                                               {.kind = Wanted::kAdd, .bytes = ours.KeyPackage()}},
                                              true, true);
  EXPECT_TRUE(ours.Join(adding.welcome, {}).ok());
  const absl::Status joined = theirs.Join(adding.welcome, {});
  EXPECT_TRUE(HasThatFault(joined)) << joined;
}

// Its processMessage() forgets the pre-shared keys on the way to a PrivateMessage; the sessions
// call the two functions behind it.
TEST_P(TsMlsCasesTest, TheirCommonFunctionLosesPreSharedKeys) {
  for (const bool as_public : {true, false}) {
    const Commit commit =
        ours_.MakeCommit({{.kind = Wanted::kPsk, .bytes = NewPsk()}}, as_public, true);
    EXPECT_EQ(peer_.Try("process-either", {"theirs", Hex(commit.message)}).ok(), as_public);
    EXPECT_TRUE(theirs_.Process(commit.message).ok());
    ours_.Accept();
    EXPECT_TRUE(ours_.Look() == theirs_.Look());
  }
}

// Section 12.4.3.2: `struct { HPKEPublicKey external_pub; }`, and HPKEPublicKey is opaque<V>;
// ts-mls writes and reads the key without its length, so that nobody can join the other's group
// from outside.
TEST_P(TsMlsCasesTest, TheirExternalKeyHasNoLength) {
  const Bytes theirs = FromHex(peer_.Must("group-info", {"theirs"})[0]);
  EXPECT_EQ(
      Group::JoinExternally(theirs, {.suite = suite(), .identity = ToBytes("new")}).status().code(),
      absl::StatusCode::kInvalidArgument);
  const Bytes ours = *ours_.group().GroupInfoMessage(true, true);
  const absl::StatusOr<Words> joined = peer_.Try("join-externally", {"new", Hex(ours)});
  if (joined.ok()) {
    EXPECT_FALSE(ours_.Process(FromHex((*joined)[0])).ok());
  }
}

INSTANTIATE_TEST_SUITE_P(Suites, TsMlsTest, ::testing::Values(0x0003, 0x0054));
INSTANTIATE_TEST_SUITE_P(Suites, TsMlsCasesTest, ::testing::Values(0x0003, 0x0054));

}  // namespace
}  // namespace parley::interop
