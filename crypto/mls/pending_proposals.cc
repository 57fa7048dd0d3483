#include "crypto/mls/pending_proposals.h"

#include <algorithm>
#include <utility>

namespace parley::mls {
namespace {

bool IsNewcomer(const Sender& sender) { return sender.type == SenderType::kNewMemberProposal; }

// Whose share a proposal counts in. All newcomers have the same Sender.
Bytes ShareOf(const PendingProposal& pending) {
  crypto::Writer w;
  Encode(w, pending.sender);
  const auto* add = std::get_if<Add>(&pending.proposal.body);
  if (IsNewcomer(pending.sender) && add != nullptr) {
    Encode(w, add->key_package->leaf_node.signature_key);
  }
  return std::move(w).Take();
}

}  // namespace

const PendingProposal* PendingProposals::Find(const ProposalRef& ref) const {
  const auto found = places_.find(ref);
  return found == places_.end() ? nullptr : &all_[found->second];
}

absl::Status PendingProposals::Add(PendingProposal proposal) {
  PARLEY_RETURN_IF_ERROR(CheckRoom(proposal));
  Restore(std::move(proposal));
  return absl::OkStatus();
}

absl::Status PendingProposals::CheckRoom(const PendingProposal& proposal) const {
  if (places_.contains(proposal.ref)) return absl::OkStatus();
  const size_t bytes = crypto::Serialize(proposal.proposal).size();
  const bool newcomer = IsNewcomer(proposal.sender);
  const auto found = shares_.find(ShareOf(proposal));
  const Share share = found == shares_.end() ? Share() : found->second;
  if (share.proposals >= (newcomer ? kMaxPendingOfNewcomer : kMaxPendingProposals) ||
      share.bytes + bytes > kMaxPendingBytes) {
    return absl::ResourceExhaustedError("too many proposals of one sender wait for a commit");
  }
  if (newcomer && (newcomers_.proposals >= kMaxPendingOfNewcomers ||
                   newcomers_.bytes + bytes > kMaxPendingBytesOfNewcomers)) {
    return absl::ResourceExhaustedError("too many newcomers wait for a commit");
  }
  return absl::OkStatus();
}

void PendingProposals::Restore(PendingProposal proposal) {
  if (!places_.emplace(proposal.ref, all_.size()).second) return;
  const size_t bytes = crypto::Serialize(proposal.proposal).size();
  Share& share = shares_[ShareOf(proposal)];
  ++share.proposals;
  share.bytes += bytes;
  if (IsNewcomer(proposal.sender)) {
    ++newcomers_.proposals;
    newcomers_.bytes += bytes;
  }
  all_.push_back(std::move(proposal));
}

std::optional<size_t> PendingProposals::Drop(const std::set<ProposalRef>& refs) {
  std::optional<size_t> first;
  for (const ProposalRef& ref : refs) {
    const auto found = places_.find(ref);
    if (found != places_.end()) first = std::min(found->second, first.value_or(SIZE_MAX));
  }
  if (!first.has_value()) return first;
  PendingProposals kept;
  for (PendingProposal& proposal : all_) {
    if (!refs.contains(proposal.ref)) kept.Restore(std::move(proposal));
  }
  *this = std::move(kept);
  return first;
}

void PendingProposals::Clear() { *this = PendingProposals(); }

}  // namespace parley::mls
