// Which of the pending proposals a commit takes in (RFC 9420 section 12.2).
//
// Whatever hostile members propose, what is chosen can be committed: otherwise one member's
// proposal, valid by itself, would keep everybody from committing. So a proposal stays out when it
// might not go together with the group, the caller's own proposals or those chosen before it.
#include <algorithm>
#include <map>
#include <set>

#include "crypto/mls/proposal_list.h"

namespace parley::mls {
namespace {

class Selection {
 public:
  Selection(const GroupState& state, const CommitOptions& options)
      : state_(state),
        options_(options),
        removed_(options.removes.begin(), options.removes.end()),
        extensions_(options.extensions.value_or(state.context.extensions)) {
    for (const Psk& psk : options.psks) psks_.insert(crypto::Serialize(psk.id));
    for (const Bytes& message : options.adds) {
      absl::StatusOr<KeyPackage> given = ParseKeyPackageMessage(message);
      // What can't be read makes the commit fail later.
      if (given.ok()) given_.push_back(std::move(given->leaf_node));
    }
    NoteKeys();
  }

  std::vector<size_t> Choose() {
    const std::vector<PendingProposal>& pending = state_.pending.all();
    ChooseLatest();
    for (size_t i = 0; i < pending.size(); ++i) {
      if (Fits(i, pending[i])) chosen_.push_back(i);
    }
    // "If the committer has received other proposals during the epoch, they SHOULD prefer them over
    // the ReInit proposal".
    const bool nothing_else = options_.adds.empty() && options_.removes.empty() &&
                              options_.psks.empty() && !options_.extensions.has_value() &&
                              !options_.reinit.has_value();
    for (size_t i = 0; i < pending.size() && nothing_else && chosen_.empty(); ++i) {
      const auto* reinit = std::get_if<ReInit>(&pending[i].proposal.body);
      if (reinit != nullptr && CheckCanFollow(*reinit, options_.checks).ok()) chosen_.push_back(i);
    }
    // And nothing goes together with the caller's own.
    if (options_.reinit.has_value()) chosen_.clear();
    return chosen_;
  }

 private:
  // Every key that is taken, and which types of credential everyone supports or uses.
  void NoteKeys() {
    state_.tree.ForEachLeaf([&](LeafIndex leaf, const LeafNode& node) {
      leaves_.push_back(&node);
      encryption_keys_.insert(node.encryption_key);
      signature_keys_.emplace(node.signature_key, leaf);
      types_in_use_.insert(node.credential.type);
      NoteClient(leaf, node);
    });
    state_.tree.ForEachParent(
        [&](NodeIndex, const ParentNode& node) { encryption_keys_.insert(node.encryption_key); });
    for (const LeafNode& leaf : given_) {
      encryption_keys_.insert(leaf.encryption_key);
      signature_keys_.emplace(leaf.signature_key, std::nullopt);
      types_in_use_.insert(leaf.credential.type);
      leaves_.push_back(&leaf);
      NoteClient(std::nullopt, leaf);
    }
  }

  // "They SHOULD prefer any Remove received, or the most recent Update if there are no Removes."
  void ChooseLatest() {
    for (size_t i = 0; i < state_.pending.all().size(); ++i) {
      const PendingProposal& pending = state_.pending.all()[i];
      if (const auto* remove = std::get_if<Remove>(&pending.proposal.body)) {
        if (remove->removed != state_.own_leaf) pending_removes_.insert(remove->removed);
      } else if (pending.proposal.type() == ProposalType::kUpdate) {
        if (UpdateFits(pending)) latest_update_[pending.sender.leaf()] = i;
      } else if (const auto* wanted = std::get_if<GroupContextExtensions>(&pending.proposal.body)) {
        if (options_.extensions.has_value() || !ExtensionsFit(wanted->extensions)) continue;
        latest_extensions_ = i;
        extensions_ = wanted->extensions;
      }
    }
  }

  bool ExtensionsFit(const Extensions& wanted) const {
    return CheckGroupSupports(state_.tree, wanted).ok() &&
           CheckExternalSenders(options_.checks, wanted).ok() &&
           std::all_of(given_.begin(), given_.end(), [&](const LeafNode& leaf) {
             return CheckMemberSupports(leaf, wanted).ok();
           });
  }

  bool Fits(size_t i, const PendingProposal& pending) {
    const Proposal& proposal = pending.proposal;
    switch (proposal.type()) {
      case ProposalType::kAdd:
        return TakeAdd(std::get<Add>(proposal.body).key_package->leaf_node);
      case ProposalType::kUpdate:
        return latest_update_.contains(pending.sender.leaf()) &&
               latest_update_[pending.sender.leaf()] == i && TakeUpdate(pending);
      case ProposalType::kRemove: {
        const LeafIndex leaf = std::get<Remove>(proposal.body).removed;
        return leaf != state_.own_leaf && removed_.insert(leaf).second;
      }
      case ProposalType::kPreSharedKey: {
        const PreSharedKeyId& id = std::get<PreSharedKey>(proposal.body).psk;
        return psks_.size() < kMaxPsks && FindPsks(&state_, {id}, options_.psk_lookup).ok() &&
               psks_.insert(crypto::Serialize(id)).second;
      }
      case ProposalType::kGroupContextExtensions:
        return latest_extensions_ == i;
      default:
        return false;
    }
  }

  // By itself, whatever else is chosen.
  bool UpdateFits(const PendingProposal& pending) const {
    const LeafIndex leaf = pending.sender.leaf();
    const LeafNode& node = *std::get<Update>(pending.proposal.body).leaf_node;
    auto same_key = signature_keys_.find(node.signature_key);
    return leaf != state_.own_leaf && !encryption_keys_.contains(node.encryption_key) &&
           (same_key == signature_keys_.end() || same_key->second == leaf) &&
           CheckReplacement(options_.checks, *state_.tree.leaf(leaf), node).ok();
  }

  bool TakeUpdate(const PendingProposal& pending) {
    const LeafIndex leaf = pending.sender.leaf();
    const LeafNode& node = *std::get<Update>(pending.proposal.body).leaf_node;
    if (removed_.contains(leaf) || pending_removes_.contains(leaf)) return false;
    // Two Updates chosen may not bring the same key: what UpdateFits saw isn't enough.
    return UpdateFits(pending) && CheckMemberSupports(node, extensions_).ok() &&
           TakeLeaf(leaf, node);
  }

  bool TakeAdd(const LeafNode& node) {
    if (encryption_keys_.contains(node.encryption_key) ||
        signature_keys_.contains(node.signature_key) ||
        !CheckMemberSupports(node, extensions_).ok() || !CheckLeaf(options_.checks, node).ok()) {
      return false;
    }
    return TakeLeaf(std::nullopt, node);
  }

  // Whether everybody gets along with the credential of `node`, which replaces a leaf or is added;
  // if so it counts from now on.
  bool TakeLeaf(std::optional<LeafIndex> replaces, const LeafNode& node) {
    const CredentialType type = node.credential.type;
    const bool replaced_lacks_it =
        replaces.has_value() && !state_.tree.leaf(*replaces)->capabilities.Supports(type);
    const bool supported = Lacking(type) == (replaced_lacks_it ? 1 : 0);
    const bool supports =
        std::all_of(types_in_use_.begin(), types_in_use_.end(),
                    [&](CredentialType used) { return node.capabilities.Supports(used); });
    if (!supported || !supports || IsThereAlready(replaces, node)) return false;
    NoteClient(std::nullopt, node);
    leaves_.push_back(&node);
    for (auto& [counted, lacking] : lacking_) {
      if (!node.capabilities.Supports(counted)) ++lacking;
    }
    encryption_keys_.insert(node.encryption_key);
    signature_keys_.emplace(node.signature_key, replaces);
    types_in_use_.insert(node.credential.type);
    return true;
  }

  // How many leaves don't support credentials of this type. Counted once, and kept up to date: with
  // many proposals and many members, all can't be asked each time.
  size_t Lacking(CredentialType type) {
    const auto [found, first] = lacking_.try_emplace(type, 0);
    if (first) {
      found->second = static_cast<size_t>(
          std::count_if(leaves_.begin(), leaves_.end(),
                        [&](const LeafNode* leaf) { return !leaf->capabilities.Supports(type); }));
    }
    return found->second;
  }

  // Whether the client of `node` is a member, but for the one at `replaces`.
  bool IsThereAlready(std::optional<LeafIndex> replaces, const LeafNode& node) const {
    if (options_.checks.judge == nullptr) return false;
    const auto found = places_.find(ClientOf(options_.checks, node));
    return found != places_.end() &&
           std::any_of(found->second.begin(), found->second.end(), [&](const auto& place) {
             return !replaces.has_value() || place != replaces;
           });
  }
  void NoteClient(std::optional<LeafIndex> place, const LeafNode& node) {
    if (options_.checks.judge == nullptr) return;
    places_[ClientOf(options_.checks, node)].push_back(place);
  }

  const GroupState& state_;
  const CommitOptions& options_;
  std::vector<LeafNode> given_;               // of those that the caller adds by value
  std::vector<const LeafNode*> leaves_;       // of the group, of those, and those chosen to come in
  std::map<CredentialType, size_t> lacking_;  // how many of them don't support it
  std::set<Bytes> encryption_keys_;
  std::map<Bytes, std::optional<LeafIndex>> signature_keys_;
  std::map<Bytes, std::vector<std::optional<LeafIndex>>> places_;  // of each client, with a judge
  std::set<CredentialType> types_in_use_;
  std::set<LeafIndex> removed_;
  std::set<LeafIndex> pending_removes_;
  std::map<LeafIndex, size_t> latest_update_;
  std::optional<size_t> latest_extensions_;
  Extensions extensions_;
  std::set<Bytes> psks_;
  std::vector<size_t> chosen_;
};

}  // namespace

std::vector<size_t> SelectProposals(const GroupState& state, const CommitOptions& options) {
  return Selection(state, options).Choose();
}

}  // namespace parley::mls
