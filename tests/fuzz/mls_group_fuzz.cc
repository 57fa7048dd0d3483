// A whole group, driven by the fuzzer's bytes: honest members talk, propose, commit, come and go;
// hostile ones send what they sign themselves, however wrong.
//
// What must hold: everyone agrees after every honest step; what is refused changes nothing; what is
// accepted survives a restart; and whatever proposals were accepted, an honest commit can be made
// and everyone follows it. Each byte of input is an operation, the bytes after it its arguments.
#include <optional>
#include <vector>

#include "crypto/mls/forging.h"
#include "crypto/mls/group.h"
#include "tests/fuzz/fuzz_check.h"

namespace parley::mls {
namespace {

using parley::fuzz::Input;

constexpr CipherSuiteId kSuite = CipherSuiteId::k0x0003;
constexpr ExtensionType kExtension{0xF0A1};
constexpr size_t kMembers = 4;
constexpr size_t kMostMembers = 7;
constexpr size_t kMostSteps = 24;

KeyPackageBundle NewBundle() {
  return *KeyPackageBundle::Create({.suite = kSuite,
                                    .identity = crypto::ToBytes("somebody"),
                                    .capabilities = Capabilities::Default(kSuite, {kExtension})});
}

// Everybody moves on by `commit` of groups[committer]; who is removed goes.
void Deliver(std::vector<Group>& groups, size_t committer, PreparedCommit commit) {
  std::vector<Group> next;
  for (size_t i = 0; i < groups.size(); ++i) {
    if (i == committer) continue;
    absl::StatusOr<Received> received = groups[i].Process(commit.message);
    FUZZ_CHECK(received.ok());
    StagedCommit& staged = std::get<StagedCommit>(*received);
    if (staged.changes().removes_self) continue;
    next.push_back(*std::move(staged).Next());
    FUZZ_CHECK(next.back().EpochAuthenticator() == commit.next.EpochAuthenticator());
    FUZZ_CHECK(next.back().tree_hash() == commit.next.tree_hash());
  }
  next.push_back(std::move(commit.next));
  groups = std::move(next);
}

std::vector<Group> FirstGroups() {
  std::vector<Group> groups;
  groups.push_back(*Group::Create({.suite = kSuite,
                                   .group_id = crypto::ToBytes("a group"),
                                   .identity = crypto::ToBytes("first"),
                                   .capabilities = Capabilities::Default(kSuite, {kExtension})}));
  for (size_t i = 1; i < kMembers; ++i) {
    KeyPackageBundle bundle = NewBundle();
    PreparedCommit commit = *groups[0].PrepareCommit({.adds = {bundle.message()}});
    const Bytes welcome = *commit.welcome;
    Deliver(groups, 0, std::move(commit));
    groups.insert(groups.begin(), *Group::Join(welcome, std::move(bundle)));
  }
  return groups;
}

class Play {
 public:
  explicit Play(Input input) : input_(input) {
    static const std::vector<Group> first = FirstGroups();
    for (const Group& group : first) groups_.push_back(group.Clone());
  }

  void Run() {
    for (size_t step = 0; step < kMostSteps && !input_.empty(); ++step) Step();
    // After everything an honest commit, of all that waits.
    CommitBy(0, {});
  }

 private:
  size_t Someone() { return input_.Byte() % groups_.size(); }

  void Step() {
    switch (input_.Byte() % 10) {
      case 0:
        return Talk(Someone());
      case 1:
        return CommitBy(Someone(), Options());
      case 2:
        return ProposeHonestly(Someone());
      case 3:
        return Add(Someone());
      case 4:
        return RemoveOne(Someone());
      case 5:
        return LieInCommit(Someone());
      case 6:
        return LieInProposal(Someone());
      case 7:
        (void)Send(parley::fuzz::Edited(old_.empty() ? Bytes() : old_.back(), Edits()), {});
        return;
      case 8:
        return Restart(Someone());
      default:
        return JoinFromOutside(Someone());
    }
  }

  // A few edits, in a part of the input of their own.
  Input& Edits() {
    const ByteView part = input_.Take(3 * (1 + input_.Byte() % 4));
    edits_ = Input(part.data(), part.size());
    return edits_;
  }

  CommitOptions Options() {
    const uint8_t bits = input_.Byte();
    CommitOptions options;
    options.force_path = (bits & 1) != 0;
    options.public_message = (bits & 2) != 0;
    options.renewal.new_signature_key = (bits & 4) != 0;
    if ((bits & 8) != 0) options.include = ProposalsToInclude::kNone;
    if ((bits & 16) != 0) options.extensions = Extensions{{kExtension, Bytes(bits, 1)}};
    return options;
  }

  // Whatever has been accepted, it must be possible.
  void CommitBy(size_t who, const CommitOptions& options) {
    absl::StatusOr<PreparedCommit> commit = groups_[who].PrepareCommit(options);
    // Except that others may have left their mark: extensions that some don't support any more.
    if (!commit.ok() && options.extensions.has_value()) return;
    if (groups_[who].ended_by() != nullptr) return;
    FUZZ_CHECK(commit.ok());
    old_.push_back(commit->message);
    Deliver(groups_, who, *std::move(commit));
  }

  void Talk(size_t who) {
    absl::StatusOr<Bytes> message = groups_[who].Protect(crypto::ViewOf("hello"));
    FUZZ_CHECK(message.ok() || groups_[who].ended_by() != nullptr);
    if (!message.ok()) return;
    for (size_t i = 0; i < groups_.size(); ++i) {
      if (i == who) continue;
      FUZZ_CHECK(groups_[i].Process(*message).ok());
      FUZZ_CHECK(!groups_[i].Process(*message).ok());
    }
    old_.push_back(*std::move(message));
  }

  void ProposeHonestly(size_t who) {
    const SendOptions send{.public_message = input_.Byte() % 2 == 0};
    const absl::StatusOr<Bytes> message =
        input_.Byte() % 2 == 0
            ? groups_[who].ProposeUpdate({}, send)
            : groups_[who].Propose(Proposal{Remove{groups_[Someone()].own_leaf()}}, send);
    if (!message.ok()) return;  // too many wait, or the group has ended
    for (size_t i = 0; i < groups_.size(); ++i) {
      if (i != who) FUZZ_CHECK(groups_[i].Process(*message).ok());
    }
    old_.push_back(*message);
  }

  void Add(size_t who) {
    if (groups_.size() >= kMostMembers) return;
    KeyPackageBundle bundle = NewBundle();
    CommitOptions options = Options();
    options.adds = {bundle.message()};
    absl::StatusOr<PreparedCommit> commit = groups_[who].PrepareCommit(options);
    if (!commit.ok()) return;
    const Bytes welcome = *commit->welcome;
    Deliver(groups_, who, *std::move(commit));
    absl::StatusOr<Group> joined = Group::Join(welcome, std::move(bundle));
    FUZZ_CHECK(joined.ok());
    FUZZ_CHECK(joined->EpochAuthenticator() == groups_[0].EpochAuthenticator());
    groups_.push_back(*std::move(joined));
  }

  void RemoveOne(size_t who) {
    CommitOptions options = Options();
    options.removes = {groups_[Someone()].own_leaf()};
    absl::StatusOr<PreparedCommit> commit = groups_[who].PrepareCommit(options);
    if (!commit.ok()) return;
    Deliver(groups_, who, *std::move(commit));
  }

  void JoinFromOutside(size_t who) {
    if (groups_.size() >= kMostMembers) return;
    absl::StatusOr<PreparedCommit> joining =
        Group::JoinExternally(*groups_[who].GroupInfoMessage(true, true),
                              {.identity = crypto::ToBytes("from outside"),
                               .capabilities = Capabilities::Default(kSuite, {kExtension})});
    if (!joining.ok()) return;
    Deliver(groups_, groups_.size(), *std::move(joining));
  }

  void Restart(size_t who) {
    const Secret stored = groups_[who].Serialize();
    groups_[who] = *Group::Parse(stored.Reveal());
    FUZZ_CHECK(crypto::ConstantTimeEquals(stored.Reveal(), groups_[who].Serialize().Reveal()));
  }

  // `message` to everyone but `liar`: refused without a trace, or taken in. Returns whether
  // somebody took in a proposal.
  bool Send(const Bytes& message, std::optional<size_t> liar) {
    bool taken = false;
    for (size_t i = 0; i < groups_.size(); ++i) {
      if (i == liar) continue;
      const Secret before = groups_[i].Serialize();
      const absl::StatusOr<Received> received = groups_[i].Process(message);
      const bool unchanged =
          crypto::ConstantTimeEquals(before.Reveal(), groups_[i].Serialize().Reveal());
      const bool proposal = received.ok() && std::holds_alternative<ReceivedProposal>(*received);
      FUZZ_CHECK(proposal || unchanged);
      taken |= proposal;
    }
    return taken;
  }

  // A commit whose encoding the fuzzer has changed, signed all the same.
  void LieInCommit(size_t liar) {
    if (groups_[liar].ended_by() != nullptr) return;
    CommitOptions options;
    options.include = ProposalsToInclude::kNone;
    options.force_path = true;
    const bool mend = input_.Byte() % 2 == 0;
    Input& edits = Edits();
    (void)Send(testing::ForgeCommit(
                   groups_[liar], options,
                   [&](Commit& commit) {
                     const Bytes changed = parley::fuzz::Edited(crypto::Serialize(commit), edits);
                     const auto parsed = crypto::Parse<Commit>(changed);
                     if (!parsed.ok()) return;
                     const size_t length = commit.path->nodes.size();
                     commit = *parsed;
                     if (mend && commit.path.has_value() && commit.path->nodes.size() == length) {
                       testing::MendPath(groups_[liar], *commit.path);
                     }
                   }),
               liar);
  }

  // A proposal of a genuine kind, with edits to its encoding, signed all the same.
  void LieInProposal(size_t liar) {
    if (groups_.size() < 3) return;
    const GroupState& state = groups_[liar].state();
    Proposal proposal{Remove{groups_[Someone()].own_leaf()}};
    switch (input_.Byte() % 6) {
      case 0: {
        LeafNode leaf = state.own_leaf_node();
        leaf.source = LeafNodeSource::kUpdate;
        const bool fresh = input_.Byte() % 2 == 0;
        leaf.encryption_key = fresh ? state.suite->kem().GenerateKeyPair().public_key
                                    : groups_[Someone()].state().own_leaf_node().encryption_key;
        proposal.body = Update{std::move(leaf)};
        break;
      }
      case 1:
        proposal.body = mls::Add{NewBundle().key_package()};
        break;
      case 2:
        proposal.body = PreSharedKey{PreSharedKeyId::External(*state.suite, Bytes(3, 1))};
        break;
      case 3:
        proposal.body = GroupContextExtensions{{{kExtension, Bytes(2, 1)}}};
        break;
      default:
        break;
    }
    if (input_.Byte() % 2 == 0) {
      const auto parsed =
          crypto::Parse<Proposal>(parley::fuzz::Edited(crypto::Serialize(proposal), Edits()));
      if (parsed.ok()) proposal = *parsed;
    }
    // A group that ends has nothing more to find.
    if (proposal.type() == ProposalType::kReInit) return;
    if (auto* update = std::get_if<Update>(&proposal.body)) {
      LeafNode leaf = *update->leaf_node;
      SignLeafNode(state.signature_key, state.place(state.own_leaf), leaf);
      update->leaf_node = std::move(leaf);
    }
    // Who has lied that successfully may not be able to follow what comes of it, and isn't asked
    // to.
    if (Send(testing::ForgeProposal(groups_[liar], proposal), liar)) {
      groups_.erase(groups_.begin() + static_cast<std::ptrdiff_t>(liar));
    }
  }

  Input input_;
  Input edits_{nullptr, 0};
  std::vector<Group> groups_;
  std::vector<Bytes> old_;
};

}  // namespace
}  // namespace parley::mls

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  parley::mls::Play(parley::fuzz::Input(data, size)).Run();
  return 0;
}
