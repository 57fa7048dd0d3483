// The proposals of one commit: which of them may stand together, and what they do (RFC 9420
// sections 12.1, 12.2 and 12.3).
#ifndef PARLEY_CRYPTO_MLS_PROPOSAL_LIST_H_
#define PARLEY_CRYPTO_MLS_PROPOSAL_LIST_H_

#include <optional>
#include <vector>

#include "crypto/mls/commit.h"
#include "crypto/mls/group_state.h"
#include "crypto/mls/tree_validation.h"

namespace parley::mls {

struct ListedProposal {
  Proposal proposal;
  Sender sender;
  // Validated by ValidateProposal in this epoch already: received, not found in the commit.
  bool validated = false;
};

// The proposals of a commit, as they are written in it and as they are applied.
struct ChosenProposals {
  std::vector<ProposalOrRef> written;
  std::vector<ListedProposal> listed;

  void AddByValue(const Sender& committer, Proposal proposal) {
    listed.push_back({proposal, committer, false});
    written.push_back({std::move(proposal)});
  }
  void AddByReference(const PendingProposal& pending) {
    listed.push_back({pending.proposal, pending.sender, true});
    written.push_back({pending.ref});
  }
};

// Sections 12.1.8 and 12.4.3.2: which kind of sender may make which proposals.
bool SenderMayPropose(const Sender& sender, ProposalType type);

// Section 12.1, for one proposal in this epoch; and whether `sender` may make it at all.
// Errors: InvalidArgument; Unauthenticated for a signature inside.
absl::Status ValidateProposal(const GroupState& state, const Proposal& proposal,
                              const Sender& sender);

// Section 12.2, for the whole list of a commit by `committer`: individual validity included.
// Errors: InvalidArgument; Unauthenticated for a signature inside.
absl::Status ValidateProposalList(const GroupState& state, const std::vector<ListedProposal>& list,
                                  const Sender& committer);

// Whether the group that a valid `reinit` announces could be made and joined here. The RFC allows
// others, but who commits one of those ends the group and has none in its place.
// Errors: InvalidArgument for another version or a suite that isn't ours; what a judge says of the
// external senders.
absl::Status CheckCanFollow(const ReInit& reinit, const LeafChecks& checks);

// Section 12.4: whether a commit of these proposals needs a path.
bool PathRequired(const std::vector<ListedProposal>& list);

// The group after the proposals (section 12.3), before a path.
struct AppliedProposals {
  RatchetTree tree;
  Extensions extensions;
  std::vector<LeafIndex> added;
  CommitChanges changes;
  std::optional<Bytes> external_kem_output;
  NewKeys new_keys;  // views into leaves of `tree`
};

// Requires: the list is valid.
// Errors: ResourceExhausted when the tree is full.
absl::StatusOr<AppliedProposals> ApplyProposals(const GroupState& state,
                                                const std::vector<ListedProposal>& list);

// Of the pending proposals those that `committer` can commit together, in their order: conflicts
// are resolved as section 12.2 recommends, and what is no longer possible is left out. Their
// indices in state.pending.all().
std::vector<size_t> SelectProposals(const GroupState& state, const CommitOptions& options);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_PROPOSAL_LIST_H_
