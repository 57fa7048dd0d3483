#include "crypto/mls/commit.h"

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
      return Decode(r, proposal.body.emplace<ProposalRef>());
    default:
      return absl::InvalidArgumentError("a commit names a proposal in an unknown way");
  }
}

}  // namespace parley::mls
