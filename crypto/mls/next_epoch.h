// From one epoch to the next: what creating and processing a commit have in common.
#ifndef PARLEY_CRYPTO_MLS_NEXT_EPOCH_H_
#define PARLEY_CRYPTO_MLS_NEXT_EPOCH_H_

#include <memory>

#include "crypto/mls/group_state.h"
#include "crypto/mls/proposal_list.h"

namespace parley::mls {

// Section 12.4.1's provisional GroupContext: the new epoch, tree and extensions with the old
// confirmed transcript hash.
GroupContext ProvisionalContext(const GroupState& before, const AppliedProposals& applied);

// Checks on the tree after proposals and path (sections 7.3 and 12.2): no key appears twice, and
// every member supports what the group requires.
// Errors: InvalidArgument.
absl::Status CheckNewTree(const AppliedProposals& applied);

// What the application says of those who come in or change (section 5.3.1): leaves of Adds, Updates
// and the committer's path, a joiner's leaf (null for a member's commit), external senders.
// Errors: see leaf_checks.h; InvalidArgument for a client that would be in the group twice.
absl::Status CheckArrivals(const LeafChecks& checks, const AppliedProposals& applied,
                           const LeafNode* external_joiner);

// The private keys that a member keeps through the proposals: those of nodes that are still there,
// and for an own Update that is being committed the new ones.
// Errors: FailedPrecondition when an own Update's private key isn't there any more.
struct KeptKeys {
  PrivateKeys keys;
  SignatureKey signature_key;
};
absl::StatusOr<KeptKeys> KeepKeys(const GroupState& before, const AppliedProposals& applied);

// What the next state is made of, besides the state before.
struct NextEpochInput {
  AppliedProposals applied;
  LeafIndex own_leaf;
  PrivateKeys keys;
  SignatureKey signature_key;
  CommitSecret commit_secret;
  PskSecret psk_secret;
  const InitSecret& init_secret;
};

struct NextEpoch {
  std::unique_ptr<GroupState> state;  // its confirmation_tag is what the commit must carry
  JoinerSecret joiner;
  WelcomeSecret welcome;
};

// The state after the commit of which `framed` (SignedBytes::framed()) and `signature` are parts.
NextEpoch MakeNextEpoch(const GroupState& before, NextEpochInput input, ByteView framed,
                        const Bytes& signature);

// Signs the commit as its sender does in the epoch before, and makes the epoch after.
struct SignedCommit {
  AuthenticatedContent content;
  NextEpoch next;
};
SignedCommit SignCommit(const GroupState& before, const SignatureKey& signer, FramedContent content,
                        WireFormat wire_format, NextEpochInput input);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_NEXT_EPOCH_H_
