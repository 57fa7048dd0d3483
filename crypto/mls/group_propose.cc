// Making proposals as a member (RFC 9420 section 12.1).
#include "crypto/mls/group_state.h"
#include "crypto/mls/leaf_renewal.h"
#include "crypto/mls/message_protection.h"
#include "crypto/mls/proposal_list.h"

namespace parley::mls {
namespace {

SendOptions Padded(size_t padding) { return {.padding = padding}; }

// Signs and wraps an own proposal, and takes it in.
absl::StatusOr<Bytes> SendProposal(GroupState& state, Proposal proposal, const SendOptions& send) {
  PARLEY_RETURN_IF_ERROR(CheckNotEnded(state));
  const Sender self = Sender::Member(state.own_leaf);
  PARLEY_RETURN_IF_ERROR(ValidateProposal(state, proposal, self));
  FramedContent content = NewContent(state, send.authenticated_data);
  content.body = proposal;
  AuthenticatedContent authenticated =
      SignAs(state, send.public_message ? WireFormat::kPublicMessage : WireFormat::kPrivateMessage,
             std::move(content));
  PendingProposal pending{MakeProposalRef(*state.suite, authenticated), self, std::move(proposal)};
  PARLEY_RETURN_IF_ERROR(state.pending.CheckRoom(pending));
  Bytes message;
  if (send.public_message) {
    message = crypto::Serialize(MlsMessage{ProtectPublic(*state.suite, state.secrets.membership,
                                                         state.context, std::move(authenticated))});
  } else {
    PARLEY_ASSIGN_OR_RETURN(message, SealPrivate(state, authenticated, send.padding));
  }
  // Last, so that one that can't be sent isn't kept.
  state.pending.Restore(std::move(pending));
  return message;
}

// What a member wouldn't commit itself it doesn't propose.
absl::Status CheckWorthProposing(const GroupState& state, const Proposal& proposal,
                                 const LeafChecks& checks) {
  if (const auto* add = std::get_if<Add>(&proposal.body)) {
    return CheckLeaf(checks, add->key_package->leaf_node);
  }
  if (const auto* wanted = std::get_if<GroupContextExtensions>(&proposal.body)) {
    PARLEY_RETURN_IF_ERROR(CheckExternalSenders(checks, wanted->extensions));
    return CheckGroupSupports(state.tree, wanted->extensions);
  }
  if (const auto* reinit = std::get_if<ReInit>(&proposal.body)) {
    return CheckCanFollow(*reinit, checks);
  }
  // Its private key is known to ProposeUpdate only.
  if (proposal.type() == ProposalType::kUpdate) {
    return absl::InvalidArgumentError("an Update is proposed by ProposeUpdate");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Bytes> Group::Propose(const Proposal& proposal, const SendOptions& send,
                                     const LeafChecks& checks) {
  PARLEY_RETURN_IF_ERROR(CheckWorthProposing(*state_, proposal, checks));
  return SendProposal(*state_, proposal, send);
}

absl::StatusOr<Bytes> Group::ProposeAdd(ByteView key_package_message, size_t padding) {
  PARLEY_ASSIGN_OR_RETURN(KeyPackage key_package, ParseKeyPackageMessage(key_package_message));
  return Propose(Proposal{Add{std::move(key_package)}}, Padded(padding));
}

absl::StatusOr<Bytes> Group::ProposeUpdate(const LeafRenewal& renewal, const SendOptions& send) {
  GroupState& state = *state_;
  crypto::KemKeyPair keys = state.suite->kem().GenerateKeyPair();
  RenewedLeaf renewed = RenewLeaf(state.own_leaf_node(), state.signature_key, renewal);
  LeafNode& leaf = renewed.leaf;
  PendingUpdate pending{keys.public_key, std::move(keys.private_key), {}};
  if (renewed.new_signature_key) pending.signature_seed = renewed.signature_key.Seed();
  leaf.encryption_key = std::move(keys.public_key);
  leaf.source = LeafNodeSource::kUpdate;
  SignLeafNode(renewed.signature_key, state.place(state.own_leaf), leaf);
  PARLEY_ASSIGN_OR_RETURN(Bytes message,
                          SendProposal(state, Proposal{Update{std::move(leaf)}}, send));
  state.pending_updates.push_back(std::move(pending));
  return message;
}

absl::StatusOr<Bytes> Group::ProposeUpdate(const LeafRenewal& renewal, size_t padding) {
  return ProposeUpdate(renewal, Padded(padding));
}

absl::StatusOr<Bytes> Group::ProposeRemove(LeafIndex leaf, size_t padding) {
  return Propose(Proposal{Remove{leaf}}, Padded(padding));
}

absl::StatusOr<Bytes> Group::ProposePsk(const PreSharedKeyId& id, size_t padding) {
  return Propose(Proposal{PreSharedKey{id}}, Padded(padding));
}

absl::StatusOr<Bytes> Group::ProposeExtensions(const Extensions& extensions, size_t padding) {
  return Propose(Proposal{GroupContextExtensions{extensions}}, Padded(padding));
}

}  // namespace parley::mls
