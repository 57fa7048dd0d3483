#include "tests/property/mls_world.h"

#include <algorithm>

#include "crypto/mls/external_proposal.h"

namespace parley::mls::testing {

World::World(CipherSuiteId suite, uint32_t seed, size_t max_members)
    : suite_(suite), random_(seed), max_members_(max_members) {
  people_.emplace("m0", Person{NewGroup("m0", suite)});
  // A history of one member tells little.
  AddSome();
  AddSome();
}

void World::Step() {
  using Act = void (World::*)();
  // How often each thing happens, by how often it is named.
  static constexpr Act kActs[] = {&World::AddSome,
                                  &World::AddSome,
                                  &World::AddSome,
                                  &World::RemoveSome,
                                  &World::RemoveSome,
                                  &World::Talk,
                                  &World::Talk,
                                  &World::Talk,
                                  &World::CommitNothing,
                                  &World::MixInPsk,
                                  &World::BranchOff,
                                  &World::ProposeAndCommit,
                                  &World::ProposeAndCommit,
                                  &World::Restart,
                                  &World::LoseARace,
                                  &World::ChangeExtensions,
                                  &World::JoinFromOutside,
                                  &World::GoAway,
                                  &World::AskToJoin,
                                  &World::Lie,
                                  &World::Lie,
                                  &World::Lie,
                                  &World::Talk};
  (this->*kActs[Pick(std::size(kActs))])();
  counts_.members = std::max(counts_.members, people_.size());
  // Who is away comes back sooner or later.
  for (const auto& [name, person] : people_) {
    if (!person.away || !Chance(20)) continue;
    return Return(std::string(name));
  }
}

void World::Check() {
  const Group& first = GroupOf(Anyone());
  std::set<std::string> expected;
  for (const auto& entry : people_) expected.insert(entry.first);
  for (const auto& [name, person] : people_) {
    const Group& group = person.group;
    if (person.away) continue;
    ASSERT_EQ(group.epoch(), first.epoch()) << name;
    ASSERT_EQ(group.EpochAuthenticator(), first.EpochAuthenticator()) << name;
    ASSERT_EQ(group.tree_hash(), first.tree_hash()) << name;
    ASSERT_EQ(group.extensions(), extensions_) << name;
    std::set<std::string> seen;
    for (const Member& member : group.members()) {
      seen.insert(crypto::ToString(member.credential.identity));
    }
    ASSERT_EQ(seen, expected) << name;
    ASSERT_EQ(crypto::ToString(group.FindMember(group.own_leaf())->credential.identity), name);
  }
}

void World::EveryoneReturns() {
  std::vector<std::string> away;
  for (const auto& [name, person] : people_) {
    if (person.away) away.push_back(name);
  }
  for (const std::string& name : away) Return(name);
}

const std::string& World::Anyone() {
  std::vector<const std::string*> online;
  for (const auto& [name, person] : people_) {
    if (!person.away) online.push_back(&name);
  }
  return *online[Pick(online.size())];
}

CommitOptions World::SomeOptions() {
  CommitOptions options;
  options.force_path = Chance(50);
  options.padding = Pick(100);
  options.public_message = Chance(25);
  options.renewal.new_signature_key = Chance(25);
  options.grease = Chance(25);
  return options;
}

// ---- How messages travel ----------------------------------------------------------------------

// `committer`'s commit goes to all; those in `leaving` go.
void World::Deliver(const std::string& committer, PreparedCommit commit,
                    const std::set<std::string>& leaving) {
  const std::string by = committer;
  ExpectDeafOutsiders(commit.message);
  for (auto& [name, person] : people_) {
    if (name == by) continue;
    if (person.away) {
      person.waiting.push_back({commit.message, {}, leaving.contains(name)});
      continue;
    }
    Group& group = person.group;
    absl::StatusOr<Received> received = group.Process(commit.message);
    ASSERT_TRUE(received.ok()) << name << ": " << received.status();
    StagedCommit* staged = &std::get<StagedCommit>(*received);
    ASSERT_EQ(staged->changes().removes_self, leaving.contains(name));
    // A confirmation tag alone isn't signed; an external commit has no membership tag around it,
    // and who is removed can't compute it: only they can't tell that it is damaged.
    if (!staged->changes().external || !leaving.contains(name)) Attack(group, commit.message);
    if (leaving.contains(name)) continue;
    ASSERT_EQ(staged->next()->EpochAuthenticator(), commit.next.EpochAuthenticator());
    // Sometimes it is refused first, and taken when it comes again.
    if (Chance(10)) {
      received = group.Process(commit.message);
      ASSERT_TRUE(received.ok());
      staged = &std::get<StagedCommit>(*received);
    }
    group = Must(std::move(*staged).Next());
  }
  GroupOf(by) = std::move(commit.next);
  for (const std::string& name : leaving) {
    // Who is away learns of it when it comes back, and is no member meanwhile.
    removed_.push_back(std::move(GroupOf(name)));
    people_.erase(name);
  }
  while (removed_.size() > 4) removed_.erase(removed_.begin());
  late_.clear();
  old_.push_back(std::move(commit.message));
  if (last_.has_value()) old_.push_back(std::move(*last_));
  last_.reset();
  while (old_.size() > 8) old_.erase(old_.begin());
  ++counts_.commits;
}

void World::SayProposal(const std::string& proposer, const Bytes& message) {
  for (auto& [name, person] : people_) {
    if (name == proposer) continue;
    if (person.away) {
      person.waiting.push_back({message, {}, false});
      continue;
    }
    Attack(person.group, message);
    const absl::Status status = person.group.Process(message).status();
    ASSERT_TRUE(status.ok()) << name << ": " << status;
  }
}

void World::Hear(Group& group, const std::string& text, const Bytes& message) {
  absl::StatusOr<Received> received = group.Process(message);
  ASSERT_TRUE(received.ok()) << received.status();
  ASSERT_EQ(TextOf(std::get<ApplicationMessage>(*received).plaintext), text);
  ASSERT_FALSE(group.Process(message).ok());
  ++counts_.heard;
}

void World::Welcome(const Bytes& welcome, std::map<std::string, KeyPackageBundle> joining) {
  for (auto& [name, bundle] : joining) {
    Group joined = Must(Group::Join(welcome, std::move(bundle)));
    // What was said before is not for them.
    for (const Bytes& earlier : old_) ASSERT_FALSE(joined.Process(earlier).ok());
    people_.emplace(name, Person{std::move(joined)});
  }
}

// ---- What people do ---------------------------------------------------------------------------

void World::AddSome() {
  if (Room() == 0) return;
  const std::string committer = Anyone();
  const size_t count = 1 + Pick(std::min<size_t>(1 + max_members_ / 8, Room()));
  std::map<std::string, KeyPackageBundle> joining;
  CommitOptions options = SomeOptions();
  for (size_t i = 0; i < count; ++i) {
    const std::string name = "m" + std::to_string(names_++);
    KeyPackageBundle bundle = NewKeyPackage(name, suite_);
    options.adds.push_back(bundle.message());
    joining.emplace(name, std::move(bundle));
  }
  PreparedCommit commit = Must(GroupOf(committer).PrepareCommit(options));
  const Bytes welcome = *commit.welcome;
  Deliver(committer, std::move(commit));
  Welcome(welcome, std::move(joining));
}

void World::RemoveSome() {
  if (people_.size() < 3) return;
  const std::string committer = Anyone();
  std::set<std::string> leaving;
  CommitOptions options = SomeOptions();
  const size_t count = 1 + Pick(std::max<size_t>(2, people_.size() / 6));
  for (size_t i = 0; i < count; ++i) {
    auto other = std::next(people_.begin(), static_cast<std::ptrdiff_t>(Pick(people_.size())));
    if (other->first == committer || !leaving.insert(other->first).second) continue;
    // Also who is away: a place, as everyone who is here sees it.
    for (const Member& member : GroupOf(committer).members()) {
      if (crypto::ToString(member.credential.identity) == other->first) {
        options.removes.push_back(member.leaf);
      }
    }
  }
  Deliver(committer, Must(GroupOf(committer).PrepareCommit(options)), leaving);
}

void World::CommitNothing() {
  const std::string committer = Anyone();
  Deliver(committer, Must(GroupOf(committer).PrepareCommit(SomeOptions())));
}

// Proposals of several kinds by several members, then a commit of all that can go together.
void World::ProposeAndCommit() {
  const std::string committer = Anyone();
  std::set<std::string> leaving;
  for (size_t i = 0; i < 1 + Pick(4); ++i) {
    const std::string proposer = Anyone();
    Group& group = GroupOf(proposer);
    const SendOptions send{.public_message = Chance(40), .padding = Pick(50)};
    Bytes message;
    if (Chance(70)) {
      message = Must(group.ProposeUpdate({.new_signature_key = Chance(30)}, send));
    } else if (people_.size() > 4) {
      const std::string target = Anyone();
      message = Must(group.Propose(Proposal{Remove{GroupOf(target).own_leaf()}}, send));
      if (target != committer) leaving.insert(target);
    } else {
      continue;
    }
    SayProposal(proposer, message);
  }
  Deliver(committer, Must(GroupOf(committer).PrepareCommit(SomeOptions())), leaving);
}

void World::AskToJoin() {
  if (Room() == 0) return;
  const std::string committer = Anyone();
  const std::string name = "m" + std::to_string(names_++);
  KeyPackageBundle bundle = NewKeyPackage(name, suite_);
  Group& group = GroupOf(committer);
  SayProposal("", Must(ProposeToJoin(bundle, {group.group_id(), group.epoch()})));
  PreparedCommit commit = Must(group.PrepareCommit(SomeOptions()));
  const Bytes welcome = *commit.welcome;
  Deliver(committer, std::move(commit));
  std::map<std::string, KeyPackageBundle> joining;
  joining.emplace(name, std::move(bundle));
  Welcome(welcome, std::move(joining));
}

// A stranger, or a member who has lost everything and comes back under another name.
void World::JoinFromOutside() {
  const Bytes info = Must(GroupOf(Anyone()).GroupInfoMessage(true, true));
  ExternalJoinOptions options;
  std::set<std::string> leaving;
  if (Room() == 0 || (people_.size() > 3 && Chance(40))) {
    const std::string lost = Anyone();
    options.replaces = GroupOf(lost).own_leaf();
    leaving.insert(lost);
  }
  const std::string name = "m" + std::to_string(names_++);
  PreparedCommit commit = Must(
      Group::JoinExternally(info,
                            {.suite = suite_,
                             .identity = ToBytes(name),
                             .capabilities = Capabilities::Default(suite_, {kRosterExtension})},
                            options));
  people_.emplace(name, Person{commit.next.Clone()});
  Deliver(name, std::move(commit), leaving);
}

// The group's own resumption secret: everyone of this epoch has it.
void World::MixInPsk() {
  const std::string committer = Anyone();
  Group& group = GroupOf(committer);
  PreSharedKeyId id{.type = PskType::kResumption,
                    .psk_group_id = group.group_id(),
                    .psk_epoch = group.epoch(),
                    .psk_nonce = Bytes(suite_ == CipherSuiteId::k0x0054 ? 64 : 32, 3)};
  CommitOptions options = SomeOptions();
  options.psks.push_back({id, group.ResumptionPsk()});
  Deliver(committer, Must(group.PrepareCommit(options)));
}

void World::BranchOff() {
  const std::string one = Anyone();
  const std::string other = Anyone();
  if (one == other) return;
  KeyPackageBundle bundle = NewKeyPackage(other, suite_);
  ContinuationOptions options{.adds = {bundle.message()}};
  options.group.group_id = ToBytes("a branch");
  options.group.identity = ToBytes(one);
  PreparedCommit first = Must(GroupOf(one).Branch(options));
  const Group joined =
      Must(Group::Join(*first.welcome, std::move(bundle), {.continues = &GroupOf(other)}));
  ASSERT_EQ(joined.EpochAuthenticator(), first.next.EpochAuthenticator());
}

void World::ChangeExtensions() {
  const std::string committer = Anyone();
  CommitOptions options = SomeOptions();
  options.extensions.emplace();
  if (Chance(70)) options.extensions->push_back({kRosterExtension, Bytes(Pick(40), 7)});
  extensions_ = *options.extensions;
  Deliver(committer, Must(GroupOf(committer).PrepareCommit(options)));
}

// Two commits in one epoch: one wins, the other is too late for everybody.
void World::LoseARace() {
  const std::string winner = Anyone();
  const std::string loser = Anyone();
  if (winner == loser) return;
  const Bytes late = Must(GroupOf(loser).PrepareCommit(SomeOptions())).message;
  Deliver(winner, Must(GroupOf(winner).PrepareCommit(SomeOptions())));
  for (auto& [name, person] : people_) {
    if (person.away) continue;
    ASSERT_FALSE(person.group.Process(late).ok());
  }
  Deliver(loser, Must(GroupOf(loser).PrepareCommit(SomeOptions())));
}

// Messages of one member, in any order, some lost to some, some of them late; each read once.
void World::Talk() {
  const std::string sender = Anyone();
  std::vector<std::pair<std::string, Bytes>> messages;
  for (size_t i = 0; i < 1 + Pick(5); ++i) {
    const std::string text = "message " + std::to_string(random_());
    messages.emplace_back(text, Must(GroupOf(sender).Protect(ViewOf(text), {}, Pick(64))));
  }
  std::shuffle(messages.begin(), messages.end(), random_);
  for (const auto& [text, message] : messages) {
    ExpectDeafOutsiders(message);
    for (auto& [name, person] : people_) {
      if (name == sender) continue;
      if (person.away) {
        person.waiting.push_back({message, text, false});
      } else if (Chance(15)) {
        late_.push_back({name, text, message});
      } else {
        Attack(person.group, message);
        Hear(person.group, text, message);
      }
    }
    last_ = message;
  }
  // What was late before comes now, if the epoch is still that of its sending.
  if (!Chance(50)) return;
  for (const Late& late : late_) {
    auto person = people_.find(late.name);
    if (person == people_.end()) continue;
    if (person->second.away) {
      person->second.waiting.push_back({late.message, late.text, false});
    } else {
      Hear(person->second.group, late.text, late.message);
    }
  }
  late_.clear();
}

void World::Restart() {
  Group& group = GroupOf(Anyone());
  const Secret stored = group.Serialize();
  group = Must(Group::Parse(stored.Reveal()));
  ASSERT_TRUE(crypto::ConstantTimeEquals(stored.Reveal(), group.Serialize().Reveal()));
}

void World::GoAway() {
  size_t online = 0;
  for (const auto& entry : people_) online += entry.second.away ? 0 : 1;
  if (online < 3) return;
  people_.at(Anyone()).away = true;
}

// All that was missed comes in its order, and leads to where the others are.
void World::Return(const std::string& name) {
  Person& person = people_.at(name);
  person.away = false;
  for (const Queued& queued : std::exchange(person.waiting, {})) {
    if (queued.text.has_value()) {
      Hear(person.group, *queued.text, queued.message);
      continue;
    }
    absl::StatusOr<Received> received = person.group.Process(queued.message);
    ASSERT_TRUE(received.ok()) << name << ": " << received.status();
    if (auto* staged = std::get_if<StagedCommit>(&*received)) {
      person.group = Must(std::move(*staged).Next());
    }
  }
}

}  // namespace parley::mls::testing
