#include "crypto/mls/proposal.h"

#include <type_traits>

namespace parley::mls {

namespace {

template <typename Body>
absl::Status DecodeBody(crypto::Reader& r, Proposal& proposal) {
  return Decode(r, proposal.body.emplace<Body>());
}

}  // namespace

void Encode(crypto::Writer& w, const Remove& remove) { w.WriteUint32(remove.removed.value); }

absl::Status Decode(crypto::Reader& r, Remove& remove) { return Decode(r, remove.removed.value); }

void Encode(crypto::Writer& w, const Proposal& proposal) {
  Encode(w, proposal.type());
  std::visit([&w](const auto& body) { Encode(w, body); }, proposal.body);
}

absl::Status Decode(crypto::Reader& r, Proposal& proposal) {
  ProposalType type{};
  PARLEY_RETURN_IF_ERROR(Decode(r, type));
  switch (type) {
    case ProposalType::kAdd:
      return DecodeBody<Add>(r, proposal);
    case ProposalType::kUpdate:
      return DecodeBody<Update>(r, proposal);
    case ProposalType::kRemove:
      return DecodeBody<Remove>(r, proposal);
    case ProposalType::kPreSharedKey:
      return DecodeBody<PreSharedKey>(r, proposal);
    case ProposalType::kReInit:
      return DecodeBody<ReInit>(r, proposal);
    case ProposalType::kExternalInit:
      return DecodeBody<ExternalInit>(r, proposal);
    case ProposalType::kGroupContextExtensions:
      return DecodeBody<GroupContextExtensions>(r, proposal);
  }
  return absl::InvalidArgumentError("a proposal of an unknown type");
}

void Encode(crypto::Writer& w, const Sender& sender) {
  Encode(w, sender.type);
  if (sender.type == SenderType::kMember || sender.type == SenderType::kExternal) {
    w.WriteUint32(sender.index);
  }
}

absl::Status Decode(crypto::Reader& r, Sender& sender) {
  PARLEY_RETURN_IF_ERROR(Decode(r, sender.type));
  sender.index = 0;
  switch (sender.type) {
    case SenderType::kMember:
    case SenderType::kExternal:
      return r.ReadUint32(sender.index);
    case SenderType::kNewMemberProposal:
    case SenderType::kNewMemberCommit:
      return absl::OkStatus();
  }
  return absl::InvalidArgumentError("a sender of an unknown type");
}

}  // namespace parley::mls
