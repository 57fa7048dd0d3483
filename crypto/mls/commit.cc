#include "crypto/mls/commit.h"

#include "crypto/mls/bounded_list.h"

namespace parley::mls {
namespace {

constexpr uint8_t kByValue = 1;
constexpr uint8_t kByReference = 2;

}  // namespace

void Encode(crypto::Writer& w, const ProposalOrRef& proposal) {
  if (const auto* value = std::get_if<Proposal>(&proposal.body)) {
    w.WriteUint8(kByValue);
    Encode(w, *value);
  } else {
    w.WriteUint8(kByReference);
    w.WriteOpaque(std::get<ProposalRef>(proposal.body));
  }
}

absl::Status Decode(crypto::Reader& r, ProposalOrRef& proposal) {
  uint8_t type = 0;
  PARLEY_RETURN_IF_ERROR(r.ReadUint8(type));
  switch (type) {
    case kByValue:
      return Decode(r, proposal.body.emplace<Proposal>());
    case kByReference:
      PARLEY_RETURN_IF_ERROR(Decode(r, proposal.body.emplace<ProposalRef>()));
      if (std::get<ProposalRef>(proposal.body).size() >= kMinProposalRefSize) {
        return absl::OkStatus();
      }
      return absl::InvalidArgumentError("a commit names a proposal by less than a hash");
    default:
      return absl::InvalidArgumentError("a commit names a proposal in an unknown way");
  }
}

absl::Status Decode(crypto::Reader& r, std::vector<ProposalOrRef>& proposals) {
  return DecodeAtMost(kMaxProposals, "a commit with too many proposals", r, proposals);
}

absl::Status Decode(crypto::Reader& r, std::vector<UpdatePathNode>& nodes) {
  return DecodeAtMost(kMaxPathNodes, "an update path that is longer than any", r, nodes);
}

absl::Status Decode(crypto::Reader& r, std::vector<HpkeCiphertext>& ciphertexts) {
  return DecodeAtMost(kMaxLeaves, "an update path with too many ciphertexts", r, ciphertexts);
}

}  // namespace parley::mls
