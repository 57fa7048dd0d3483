// The hostile half of the world: relays, outsiders, and members with valid keys.
#include "crypto/mls/forging.h"
#include "tests/property/mls_world.h"

namespace parley::mls::testing {

bool World::Refuses(Group& group, const Bytes& message) {
  const Secret before = group.Serialize();
  const absl::StatusOr<Received> received = group.Process(message);
  ++counts_.refused;
  // What says that it is one's own, of a generation that one has used, is passed over unopened.
  const auto* own = received.ok() ? std::get_if<OwnMessage>(&*received) : nullptr;
  const bool refused = !received.ok() || (own != nullptr && !own->unknown_to_this_state);
  return refused && crypto::ConstantTimeEquals(before.Reveal(), group.Serialize().Reveal());
}

void World::Attack(Group& group, const Bytes& message) {
  // Comparing whole states costs more than all the rest: the larger the group, the rarer.
  if (!Chance(1 + 400 / (8 + people_.size()))) return;
  Bytes damaged = message;
  if (Chance(20)) {
    damaged.resize(Pick(damaged.size()));
  } else {
    damaged[Pick(damaged.size())] ^= static_cast<uint8_t>(1u << Pick(8));
  }
  ASSERT_TRUE(Refuses(group, damaged));
}

// Who was removed gets everything that is sent afterwards, and can read none of it.
void World::ExpectDeafOutsiders(const Bytes& message) {
  for (Group& outsider : removed_) ASSERT_FALSE(outsider.Process(message).ok());
}

void World::ExpectRefused(const std::string& liar, const Bytes& message) {
  for (auto& [name, person] : people_) {
    if (name == liar || person.away) continue;
    ASSERT_TRUE(Refuses(person.group, message)) << name;
  }
}

void World::Lie() {
  using Act = void (World::*)();
  static constexpr Act kLies[] = {&World::LieInAnothersName,
                                  &World::LieAboutGenerations,
                                  &World::LieInACommit,
                                  &World::SplitTheGroup,
                                  &World::Replay,
                                  &World::LieAfterRemoval,
                                  &World::LieToNewcomers};
  (this->*kLies[Pick(std::size(kLies))])();
}

void World::LieInAnothersName() {
  const std::string liar = Anyone();
  const std::string victim = Anyone();
  if (liar == victim) return;
  ExpectRefused(liar, ForgeApplication(GroupOf(liar), GroupOf(victim).own_leaf(),
                                       static_cast<uint32_t>(Pick(20)), "not me"));
}

void World::LieAboutGenerations() {
  const std::string liar = Anyone();
  const auto claimed = LeafIndex(static_cast<uint32_t>(Pick(70)));
  const uint32_t generation = UINT32_MAX - static_cast<uint32_t>(Pick(1000));
  ExpectRefused(liar, ForgeSenderData(GroupOf(liar), claimed, generation));
}

namespace {

// One of the many ways in which a signed commit can be wrong; one is a Remove of `leaf`,
// which needn't be wrong by itself.
constexpr size_t kWaysToLie = 11;
constexpr size_t kRemoveAnyone = 6;
void MakeWrong(const Group& group, size_t way, LeafIndex leaf, Commit& commit) {
  UpdatePath& path = *commit.path;
  // Keys of somebody else's, where `leaf` is one.
  const LeafNode* other = group.FindLeafNode(leaf);
  const LeafNode& foreign = other != nullptr ? *other : group.state().own_leaf_node();
  const auto add = [&commit](Proposal proposal) {
    commit.proposals.emplace_back().body = std::move(proposal);
  };
  switch (way) {
    case 0:
      path.leaf_node.parent_hash.push_back(1);
      return MendPath(group, path, false);
    case 1:
      path.leaf_node.encryption_key = group.state().own_leaf_node().encryption_key;
      return MendPath(group, path);
    case 2:
      return commit.path.reset();
    case 3:
      return add(Proposal{Remove{group.own_leaf()}});
    case 4:
      commit.proposals.emplace_back().body = ProposalRef(32, static_cast<uint8_t>(leaf.value));
      return;
    case 5:
      path.nodes.emplace_back();
      return;
    case 7:
      path.leaf_node.encryption_key = foreign.encryption_key;
      return MendPath(group, path);
    case 8:
      if (path.nodes.empty()) return commit.path.reset();
      path.nodes.front().encryption_key = foreign.encryption_key;
      return MendPath(group, path);
    case 9: {
      const SignatureKey taken = group.state().signature_key.Clone();
      return add(Proposal{Add{
          Must(KeyPackageBundle::Create(
                   {.suite = group.suite(), .identity = ToBytes("twin"), .signature_key = &taken}))
              .key_package()}});
    }
    case kRemoveAnyone:
      return add(Proposal{Remove{leaf}});
    default:
      return add(Proposal{ExternalInit{Bytes(32, 9)}});
  }
}

}  // namespace

void World::LieInACommit() {
  const std::string liar = Anyone();
  Group& group = GroupOf(liar);
  const size_t way = Pick(kWaysToLie);
  const LeafIndex leaf(static_cast<uint32_t>(Pick(2 * people_.size())));
  CommitOptions options;
  options.include = ProposalsToInclude::kNone;
  options.force_path = true;
  const Bytes forged =
      ForgeCommit(group, options, [&](Commit& commit) { MakeWrong(group, way, leaf, commit); });
  for (auto& [name, person] : people_) {
    if (person.away || name == liar) continue;
    if (way == kRemoveAnyone && person.group.own_leaf() == leaf) {
      // Who is removed can't know the confirmation tag, the only thing that is wrong here.
      (void)person.group.Process(forged).status();
      continue;
    }
    ASSERT_TRUE(Refuses(person.group, forged)) << name << ", way " << way;
  }
}

// A commit that only some can tell to be wrong: they do, and nobody is moved by it.
void World::SplitTheGroup() {
  const std::string liar = Anyone();
  const GroupState& state = GroupOf(liar).state();
  const auto steps = state.tree.FilteredDirectPath(state.own_leaf);
  if (steps.empty()) return;
  const size_t step = Pick(steps.size());
  const Bytes forged = ForgeSplitCommit(GroupOf(liar), step);
  for (auto& [name, person] : people_) {
    if (name == liar || person.away) continue;
    const bool deceived = IsInSubtree(NodeIndex(person.group.own_leaf()), steps[step].copath_child);
    if (deceived) {
      ASSERT_TRUE(Refuses(person.group, forged)) << name;
    } else {
      const absl::Status status = person.group.Process(forged).status();
      ASSERT_TRUE(status.ok()) << name << ": " << status;
    }
  }
}

// Who was removed still has the keys of an epoch that is over.
void World::LieAfterRemoval() {
  if (removed_.empty()) return;
  Group outsider = removed_[Pick(removed_.size())].Clone();
  ExpectRefused("", Must(outsider.Protect(ViewOf("still here"))));
  ExpectRefused("", Must(outsider.PrepareCommit({.include = ProposalsToInclude::kNone,
                                                 .force_path = true,
                                                 .public_message = true}))
                        .message);
}

// A relay's copies of a Welcome and a GroupInfo: nobody joins by one that is damaged, and the key
// package still serves for the genuine Welcome.
void World::LieToNewcomers() {
  const auto damage = [&](Bytes message) {
    message[Pick(message.size())] ^= static_cast<uint8_t>(1u << Pick(8));
    return message;
  };
  Group& group = GroupOf(Anyone());
  KeyPackageBundle bundle = NewKeyPackage("newcomer", suite_);
  const PreparedCommit made =
      Must(group.PrepareCommit({.adds = {bundle.message()}, .include = ProposalsToInclude::kNone}));
  ASSERT_FALSE(Group::Join(damage(*made.welcome), std::move(bundle)).ok());
  // NOLINTNEXTLINE(bugprone-use-after-move)
  ASSERT_TRUE(Group::Join(*made.welcome, std::move(bundle)).ok());
  const Bytes info = Must(group.GroupInfoMessage(true, true));
  const GroupOptions stranger{.suite = suite_,
                              .identity = ToBytes("stranger"),
                              .capabilities = Capabilities::Default(suite_, {kRosterExtension})};
  ASSERT_FALSE(Group::JoinExternally(damage(info), stranger).ok());
  // And who joins sends a commit of which every bit counts.
  const Bytes joining = Must(Group::JoinExternally(info, stranger)).message;
  ExpectRefused("", damage(joining));
}

void World::Replay() {
  if (old_.empty()) return;
  ExpectRefused("", old_[Pick(old_.size())]);
}

}  // namespace parley::mls::testing
