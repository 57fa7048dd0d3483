// The proposals that wait for a commit in one epoch, and how many of them anybody may have waiting.
#ifndef PARLEY_CRYPTO_MLS_PENDING_PROPOSALS_H_
#define PARLEY_CRYPTO_MLS_PENDING_PROPOSALS_H_

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "crypto/mls/group.h"

namespace parley::mls {

// How many proposals of one sender wait for a commit, and how many bytes all of them take: 64 Adds
// of the post-quantum suite. The limits are per sender, since all members see one sender's messages
// in the same order and so keep the same ones, while a limit over all would let one member crowd
// out the others.
inline constexpr size_t kMaxPendingProposals = 64;
inline constexpr size_t kMaxPendingBytes = size_t{256} << 10;
// Who isn't a member yet is known by a signature key, and one Add of it is all that can be
// committed. Keys cost nothing, so that there is a limit over all newcomers too: what keeps
// strangers from filling it is the application's judge (leaf_checks.h), who is asked first; and
// what is there can be dropped (Group::DropPendingProposals).
inline constexpr size_t kMaxPendingOfNewcomer = 4;
inline constexpr size_t kMaxPendingOfNewcomers = 256;
inline constexpr size_t kMaxPendingBytesOfNewcomers = size_t{1} << 20;

// Adding and finding take no longer the more of them there are, but for a logarithm.
class PendingProposals {
 public:
  // In the order of their arrival.
  const std::vector<PendingProposal>& all() const { return all_; }
  // The one of this name; null for none. Valid until the next change.
  const PendingProposal* Find(const ProposalRef& ref) const;

  // Keeps a proposal for a commit. One that is there already stays there once: a member that
  // proposes the same removal twice in an epoch makes the same proposal, signature included.
  // Errors: ResourceExhausted over a limit.
  absl::Status Add(PendingProposal proposal);
  // Whether Add would keep it, with its errors.
  absl::Status CheckRoom(const PendingProposal& proposal) const;
  // The same for one that was kept before or has passed CheckRoom; there are no limits.
  void Restore(PendingProposal proposal);
  // Gives up those of these names and the places that they take; the others stay in their order.
  // Returns the place of the first of them; nothing when none was there.
  std::optional<size_t> Drop(const std::set<ProposalRef>& refs);
  void Clear();

 private:
  struct Share {
    size_t proposals = 0;
    size_t bytes = 0;
  };

  std::vector<PendingProposal> all_;
  std::map<ProposalRef, size_t> places_;  // in all_
  std::map<Bytes, Share> shares_;         // by sender
  Share newcomers_;
};

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_PENDING_PROPOSALS_H_
