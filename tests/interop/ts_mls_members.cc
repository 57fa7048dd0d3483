#include "tests/interop/ts_mls_members.h"

#include <cstdlib>
#include <utility>

#include "crypto/mls/ratchet_tree.h"

namespace parley::interop {

std::string Hex(ByteView bytes) { return bytes.empty() ? "-" : crypto::ToHex(bytes); }
Bytes FromHex(const std::string& hex) {
  return hex == "-" ? Bytes() : crypto::FromHex(hex).value_or(Bytes());
}

mls::Extensions NothingRequired() {
  return {{mls::ExtensionType::kRequiredCapabilities, Bytes(3)}};
}

bool HasUnmergedLeavesFault(const absl::Status& status) {
  return std::string(status.message()).find("must list leaf node in its unmerged_leaves") !=
         std::string::npos;
}

// ---- Ours -------------------------------------------------------------------------------------

OurMember::OurMember(std::string name, mls::CipherSuiteId suite, const std::map<Bytes, Bytes>& psks)
    : name_(std::move(name)), suite_(suite) {
  lookup_ = [&psks](const mls::PreSharedKeyId& id) -> std::optional<Secret> {
    const auto found = psks.find(id.psk_id);
    if (found == psks.end()) return std::nullopt;
    return Secret::CopyOf(found->second);
  };
}

Bytes OurMember::KeyPackage() {
  bundle_ = *mls::KeyPackageBundle::Create({.suite = suite_, .identity = ToBytes(name_)});
  return bundle_->message();
}
void OurMember::Create(const Bytes& group_id) {
  group_ = *Group::Create({.suite = suite_, .group_id = group_id, .identity = ToBytes(name_)});
}
absl::Status OurMember::Join(const Bytes& welcome, const Bytes& tree) {
  mls::JoinOptions options{.psks = lookup_};
  if (!tree.empty()) options.ratchet_tree = tree;
  absl::StatusOr<Group> joined = Group::Join(welcome, std::move(*bundle_), options);
  if (joined.ok()) group_ = *std::move(joined);
  return joined.status();
}

Bytes OurMember::Propose(const Wanted& wanted, bool as_public) {
  const mls::SendOptions send{.public_message = as_public, .padding = as_public ? 0u : 5u};
  const absl::StatusOr<Bytes> message = wanted.kind == Wanted::kUpdate
                                            ? group_->ProposeUpdate({}, send)
                                            : group_->Propose(ProposalOf(wanted), send);
  EXPECT_TRUE(message.ok()) << message.status();
  return message.value_or(Bytes());
}

Commit OurMember::MakeCommit(const std::vector<Wanted>& wanted, bool as_public,
                             bool tree_in_welcome) {
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
void OurMember::Accept() { group_ = std::exchange(next_, std::nullopt); }

Bytes OurMember::Protect(const std::string& text) {
  return *group_->Protect(ViewOf(text), ViewOf("beside it"), 11);
}

absl::StatusOr<std::string> OurMember::Process(const Bytes& message) {
  absl::StatusOr<mls::Received> received = group_->Process(message, {.psks = lookup_});
  if (!received.ok()) return received.status();
  if (auto* staged = std::get_if<mls::StagedCommit>(&*received)) {
    group_ = *std::move(*staged).Next();
  }
  const auto* said = std::get_if<mls::ApplicationMessage>(&*received);
  return said == nullptr ? "" : crypto::ToString(said->plaintext.Reveal());
}

View OurMember::Look() {
  const Secret exported = *group_->Export("a label", ViewOf("a context"), 40);
  return {group_->epoch(), group_->EpochAuthenticator(),
          Bytes(exported.Reveal().begin(), exported.Reveal().end()), group_->tree_hash(),
          group_->RatchetTreeExtension()};
}
uint32_t OurMember::Leaf() { return group_->own_leaf().value; }

mls::Proposal OurMember::ProposalOf(const Wanted& wanted) const {
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

// ---- Theirs -----------------------------------------------------------------------------------

namespace {

std::string WordsOf(const Wanted& wanted) {
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

}  // namespace

Bytes TheirMember::KeyPackage() { return FromHex(peer_.Must("key-package", {name_})[0]); }
void TheirMember::Create(const Bytes& group_id) { peer_.Must("create", {name_, Hex(group_id)}); }
absl::Status TheirMember::Join(const Bytes& welcome, const Bytes& tree) {
  return peer_.Try("join", {name_, Hex(welcome), Hex(tree)}).status();
}
Bytes TheirMember::Propose(const Wanted& wanted, bool as_public) {
  return FromHex(peer_.Must("propose", {name_, as_public ? "1" : "0", WordsOf(wanted)})[0]);
}
Commit TheirMember::MakeCommit(const std::vector<Wanted>& wanted, bool as_public,
                               bool tree_in_welcome) {
  Words arguments{name_, as_public ? "1" : "0", tree_in_welcome ? "1" : "0"};
  for (const Wanted& one : wanted) arguments.push_back(WordsOf(one));
  const Words made = peer_.Must("commit", arguments);
  return {FromHex(made[0]), FromHex(made[1])};
}
void TheirMember::Accept() { peer_.Must("accept", {name_}); }
Bytes TheirMember::Protect(const std::string& text) {
  return FromHex(peer_.Must("protect", {name_, Hex(ViewOf(text)), Hex(ViewOf("beside"))})[0]);
}
absl::StatusOr<std::string> TheirMember::Process(const Bytes& message) {
  absl::StatusOr<Words> taken = peer_.Try("process", {name_, Hex(message)});
  if (!taken.ok()) return taken.status();
  return taken->size() < 2 ? "" : crypto::ToString(FromHex((*taken)[1]));
}
View TheirMember::Look() {
  const Words view = peer_.Must("view", {name_});
  return {std::strtoull(view[0].c_str(), nullptr, 10), FromHex(view[2]), FromHex(view[3]),
          FromHex(view[4]), FromHex(view[5])};
}
uint32_t TheirMember::Leaf() {
  return static_cast<uint32_t>(std::strtoul(peer_.Must("view", {name_})[1].c_str(), nullptr, 10));
}

}  // namespace parley::interop
