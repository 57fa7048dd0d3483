#include "crypto/mls/next_epoch.h"

#include <algorithm>
#include <map>
#include <set>

#include "crypto/mls/message_protection.h"
#include "crypto/mls/transcript.h"

namespace parley::mls {

GroupContext ProvisionalContext(const GroupState& before, const AppliedProposals& applied) {
  return {.version = before.context.version,
          .suite = before.context.suite,
          .group_id = before.context.group_id,
          .epoch = before.context.epoch + 1,
          .tree_hash = applied.tree.TreeHash(),
          .confirmed_transcript_hash = before.context.confirmed_transcript_hash,
          .extensions = applied.extensions};
}

absl::Status CheckNewTree(const AppliedProposals& applied) {
  PARLEY_RETURN_IF_ERROR(CheckKeysUnique(applied.tree, applied.new_keys));
  return CheckGroupSupports(applied.tree, applied.extensions);
}

namespace {

// Section 12.2: no commit adds "a client already in the group", nor one client twice. Who is the
// same client as another only a judge can say.
class ClientsOnce {
 public:
  ClientsOnce(const LeafChecks& checks, const RatchetTree& tree) : checks_(checks) {
    if (checks.judge == nullptr) return;
    tree.ForEachLeaf([&](LeafIndex, const LeafNode& leaf) {
      keys_of_[checks.judge->ClientOf(leaf.credential)].insert(leaf.signature_key);
    });
  }

  // Of a leaf that may be in the tree already; a signature key is there once only.
  absl::Status Check(const LeafNode& arrival) const {
    if (checks_.judge == nullptr) return absl::OkStatus();
    const auto found = keys_of_.find(checks_.judge->ClientOf(arrival.credential));
    if (found == keys_of_.end() ||
        found->second.size() == found->second.count(arrival.signature_key)) {
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError("a commit by which one client is in the group twice");
  }

 private:
  const LeafChecks& checks_;
  std::map<Bytes, std::set<Bytes>> keys_of_;
};

}  // namespace

absl::Status CheckArrivals(const LeafChecks& checks, const AppliedProposals& applied,
                           const LeafNode* external_joiner) {
  const CommitChanges& changes = applied.changes;
  const ClientsOnce clients(checks, applied.tree);
  for (const AddedMember& added : changes.adds) {
    PARLEY_RETURN_IF_ERROR(CheckLeaf(checks, added.key_package.leaf_node));
    PARLEY_RETURN_IF_ERROR(clients.Check(added.key_package.leaf_node));
  }
  for (const UpdatedMember& updated : changes.updates) {
    PARLEY_RETURN_IF_ERROR(CheckReplacement(checks, updated.before, updated.after));
  }
  if (external_joiner != nullptr) {
    PARLEY_RETURN_IF_ERROR(CheckLeaf(checks, *external_joiner));
    PARLEY_RETURN_IF_ERROR(clients.Check(*external_joiner));
    // Section 12.2: the leaf "MUST meet the same criteria as would the LeafNode in an Update for
    // the removed leaf".
    for (const RemovedMember& removed : changes.removes) {
      if (external_joiner->encryption_key == removed.leaf_node.encryption_key) {
        return absl::InvalidArgumentError("a resync that keeps the old leaf's encryption key");
      }
      PARLEY_RETURN_IF_ERROR(CheckReplacement(checks, removed.leaf_node, *external_joiner));
    }
  }
  if (!changes.extensions.has_value()) return absl::OkStatus();
  return CheckExternalSenders(checks, changes.extensions->after);
}

absl::StatusOr<KeptKeys> KeepKeys(const GroupState& before, const AppliedProposals& applied) {
  KeptKeys kept{ClonePrivateKeys(before.keys), before.signature_key.Clone()};
  const std::vector<UpdatedMember>& updates = applied.changes.updates;
  auto own = std::find_if(updates.begin(), updates.end(), [&](const UpdatedMember& update) {
    return update.leaf == before.own_leaf;
  });
  if (own != updates.end()) {
    auto pending = std::find_if(before.pending_updates.begin(), before.pending_updates.end(),
                                [&](const PendingUpdate& update) {
                                  return update.encryption_key == own->after.encryption_key;
                                });
    if (pending == before.pending_updates.end()) {
      return absl::FailedPreconditionError("a commit of an own Update whose keys are gone");
    }
    kept.keys.insert_or_assign(NodeIndex(before.own_leaf), pending->leaf_private.Clone());
    if (!pending->signature_seed.empty()) {
      PARLEY_ASSIGN_OR_RETURN(kept.signature_key,
                              SignatureKey::FromSeed(pending->signature_seed.Reveal()));
    }
  }
  PrunePrivateKeys(applied.tree, kept.keys);
  return kept;
}

NextEpoch MakeNextEpoch(const GroupState& before, NextEpochInput input, ByteView framed,
                        const Bytes& signature) {
  const CipherSuite& suite = *before.suite;
  GroupContext context = ProvisionalContext(before, input.applied);
  context.confirmed_transcript_hash =
      ConfirmedTranscriptHash(suite, before.interim_transcript_hash, framed, signature);
  EpochKeys keys =
      mls::AdvanceEpoch(suite, input.init_secret, input.commit_secret, input.psk_secret, context);

  auto state = std::make_unique<GroupState>(suite, std::move(input.applied.tree),
                                            std::move(input.signature_key));
  state->own_leaf = input.own_leaf;
  state->keys = std::move(input.keys);
  state->confirmation_tag =
      ConfirmationTag(suite, keys.secrets.confirmation, context.confirmed_transcript_hash);
  state->interim_transcript_hash =
      InterimTranscriptHash(suite, context.confirmed_transcript_hash, state->confirmation_tag);
  state->context = std::move(context);
  state->secrets = std::move(keys.secrets);
  state->secret_tree = SecretTree(state->tree.leaf_count(), std::move(keys.encryption));
  state->reinit = std::move(input.applied.changes.reinit);
  for (const auto& [epoch, secret] : before.past_resumption) {
    state->past_resumption.emplace(epoch, secret.Clone());
  }
  if (!before.secrets.resumption.value.empty()) {
    state->past_resumption.emplace(before.context.epoch, before.secrets.resumption.value.Clone());
  }
  while (state->past_resumption.size() > kKeptResumptionSecrets) {
    state->past_resumption.erase(state->past_resumption.begin());
  }
  return {std::move(state), std::move(keys.joiner), std::move(keys.welcome)};
}

SignedCommit SignCommit(const GroupState& before, const SignatureKey& signer, FramedContent content,
                        WireFormat wire_format, NextEpochInput input) {
  AuthenticatedContent authenticated{.wire_format = wire_format, .content = std::move(content)};
  const SignedBytes covered(wire_format, authenticated.content, before.context);
  authenticated.auth.signature = covered.Sign(signer);
  NextEpoch next =
      MakeNextEpoch(before, std::move(input), covered.framed(), authenticated.auth.signature);
  authenticated.auth.confirmation_tag = next.state->confirmation_tag;
  return {std::move(authenticated), std::move(next)};
}

}  // namespace parley::mls
