// Proposals and commits of members.
#include <utility>

#include "crypto/base/status_macros.h"
#include "tools/parley-mls-interop/clients.h"

namespace parley::interop {

using crypto::ToBytes;
using crypto::ToString;
using crypto::ViewOf;

namespace {

std::vector<Bytes> ReadMessages(const google::protobuf::RepeatedPtrField<std::string>& messages) {
  std::vector<Bytes> read;
  for (const std::string& message : messages) read.push_back(ToBytes(message));
  return read;
}

// The group's external senders and `sender` behind them.
absl::StatusOr<mls::Extensions> WithExternalSender(const mls::Extensions& extensions,
                                                   mls::ExternalSender sender) {
  std::vector<mls::ExternalSender> senders;
  mls::Extensions others;
  for (const mls::Extension& extension : extensions) {
    if (extension.type != mls::ExtensionType::kExternalSenders) {
      others.push_back(extension);
      continue;
    }
    PARLEY_ASSIGN_OR_RETURN(senders,
                            crypto::Parse<std::vector<mls::ExternalSender>>(extension.data));
  }
  senders.push_back(std::move(sender));
  others.push_back(mls::ExternalSendersExtension(senders));
  return others;
}

}  // namespace

// ---- Proposals --------------------------------------------------------------------------------

absl::Status Clients::Propose(uint32_t state_id, const absl::StatusOr<mls::Proposal>& proposal,
                              mls_client::ProposalResponse& response) {
  PARLEY_RETURN_IF_ERROR(proposal.status());
  PARLEY_ASSIGN_OR_RETURN(const Locked<Member> member, members_.Lock(state_id));
  PARLEY_ASSIGN_OR_RETURN(const Bytes message, member->Propose(*proposal));
  response.set_proposal(ToString(message));
  return absl::OkStatus();
}

absl::StatusOr<ProposalTarget> Clients::TargetOf(uint32_t state_id) const {
  PARLEY_ASSIGN_OR_RETURN(const Locked<Member> member, members_.Lock(state_id));
  return ProposalTarget{.suite = member->group().suite(), .group_id = member->group().group_id()};
}

absl::Status Clients::AddProposal(const mls_client::AddProposalRequest& request,
                                  mls_client::ProposalResponse& response) {
  return Propose(request.state_id(), AddOf(request.key_package()), response);
}

absl::Status Clients::UpdateProposal(const mls_client::UpdateProposalRequest& request,
                                     mls_client::ProposalResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const Locked<Member> member, members_.Lock(request.state_id()));
  PARLEY_ASSIGN_OR_RETURN(const Bytes message, member->ProposeUpdate());
  response.set_proposal(ToString(message));
  return absl::OkStatus();
}

absl::Status Clients::RemoveProposal(const mls_client::RemoveProposalRequest& request,
                                     mls_client::ProposalResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const Locked<Member> member, members_.Lock(request.state_id()));
  PARLEY_ASSIGN_OR_RETURN(const mls::Proposal proposal,
                          RemoveOf(ProposalTarget::Of(*member), request.removed_id()));
  PARLEY_ASSIGN_OR_RETURN(const Bytes message, member->Propose(proposal));
  response.set_proposal(ToString(message));
  return absl::OkStatus();
}

absl::Status Clients::ExternalPSKProposal(const mls_client::ExternalPSKProposalRequest& request,
                                          mls_client::ProposalResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const ProposalTarget target, TargetOf(request.state_id()));
  return Propose(request.state_id(), ExternalPskOf(target, request.psk_id()), response);
}

absl::Status Clients::ResumptionPSKProposal(const mls_client::ResumptionPSKProposalRequest& request,
                                            mls_client::ProposalResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const ProposalTarget target, TargetOf(request.state_id()));
  return Propose(request.state_id(), ResumptionPskOf(target, request.epoch_id()), response);
}

absl::Status Clients::GroupContextExtensionsProposal(
    const mls_client::GroupContextExtensionsProposalRequest& request,
    mls_client::ProposalResponse& response) {
  return Propose(request.state_id(), ExtensionsOf(request.extensions()), response);
}

absl::Status Clients::ReInitProposal(const mls_client::ReInitProposalRequest& request,
                                     mls_client::ProposalResponse& response) {
  return Propose(request.state_id(),
                 ReInitOf(request.group_id(), request.cipher_suite(), request.extensions()),
                 response);
}

absl::Status Clients::AddExternalSigner(const mls_client::AddExternalSignerRequest& request,
                                        mls_client::ProposalResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(mls::ExternalSender sender,
                          crypto::Parse<mls::ExternalSender>(ViewOf(request.external_sender())));
  PARLEY_ASSIGN_OR_RETURN(const Locked<Member> member, members_.Lock(request.state_id()));
  PARLEY_ASSIGN_OR_RETURN(mls::Extensions wanted,
                          WithExternalSender(member->group().extensions(), std::move(sender)));
  PARLEY_ASSIGN_OR_RETURN(
      const Bytes message,
      member->Propose(mls::Proposal{mls::GroupContextExtensions{std::move(wanted)}}));
  response.set_proposal(ToString(message));
  return absl::OkStatus();
}

// ---- Commits ----------------------------------------------------------------------------------

absl::Status Clients::MakeCommit(const mls_client::CommitRequest& request, bool ends_group,
                                 mls_client::CommitResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const Locked<Member> member, members_.Lock(request.state_id()));
  CommitContents contents{.by_reference = ReadMessages(request.by_reference()),
                          .force_path = request.force_path(),
                          .tree_in_welcome = !request.external_tree(),
                          .ends_group = ends_group};
  for (const mls_client::ProposalDescription& description : request.by_value()) {
    PARLEY_ASSIGN_OR_RETURN(mls::Proposal proposal,
                            ProposalOf(ProposalTarget::Of(*member), description));
    contents.by_value.push_back(std::move(proposal));
  }
  PARLEY_ASSIGN_OR_RETURN(const mls::PreparedCommit* commit, member->Commit(contents));
  response.set_commit(ToString(commit->message));
  if (commit->welcome.has_value()) response.set_welcome(ToString(*commit->welcome));
  if (request.external_tree()) {
    response.set_ratchet_tree(ToString(commit->next.RatchetTreeExtension()));
  }
  return absl::OkStatus();
}

absl::Status Clients::Commit(const mls_client::CommitRequest& request,
                             mls_client::CommitResponse& response) {
  return MakeCommit(request, false, response);
}

absl::Status Clients::HandleCommit(const mls_client::HandleCommitRequest& request,
                                   mls_client::HandleCommitResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const Locked<Member> member, members_.Lock(request.state_id()));
  PARLEY_RETURN_IF_ERROR(
      member->HandleCommit(ReadMessages(request.proposal()), ToBytes(request.commit()), false));
  response.set_state_id(request.state_id());
  response.set_epoch_authenticator(ToString(member->group().EpochAuthenticator()));
  return absl::OkStatus();
}

absl::Status Clients::HandlePendingCommit(const mls_client::HandlePendingCommitRequest& request,
                                          mls_client::HandleCommitResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const Locked<Member> member, members_.Lock(request.state_id()));
  PARLEY_RETURN_IF_ERROR(member->HandlePendingCommit(false));
  response.set_state_id(request.state_id());
  response.set_epoch_authenticator(ToString(member->group().EpochAuthenticator()));
  return absl::OkStatus();
}

// ---- Commits that end the group ---------------------------------------------------------------

absl::Status Clients::ReInitCommit(const mls_client::CommitRequest& request,
                                   mls_client::CommitResponse& response) {
  return MakeCommit(request, true, response);
}

absl::Status Clients::HandleReInitCommit(const mls_client::HandleCommitRequest& request,
                                         mls_client::HandleReInitCommitResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const Locked<Member> member, members_.Lock(request.state_id()));
  PARLEY_RETURN_IF_ERROR(
      member->HandleCommit(ReadMessages(request.proposal()), ToBytes(request.commit()), true));
  return EndGroup(member, response);
}

absl::Status Clients::HandlePendingReInitCommit(
    const mls_client::HandlePendingCommitRequest& request,
    mls_client::HandleReInitCommitResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const Locked<Member> member, members_.Lock(request.state_id()));
  PARLEY_RETURN_IF_ERROR(member->HandlePendingCommit(true));
  return EndGroup(member, response);
}

}  // namespace parley::interop
