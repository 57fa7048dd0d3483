// Proposals from outside a group.
#include <utility>

#include "crypto/base/status_macros.h"
#include "crypto/mls/external_proposal.h"
#include "tools/parley-mls-interop/clients.h"
#include "tools/parley-mls-interop/group_info.h"

namespace parley::interop {

using crypto::ToBytes;
using crypto::ToString;
using crypto::ViewOf;

absl::Status Clients::NewMemberAddProposal(const mls_client::NewMemberAddProposalRequest& request,
                                           mls_client::NewMemberAddProposalResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const mls::GroupInfo info, CheckedGroupInfo(request.group_info(), {}));
  PARLEY_ASSIGN_OR_RETURN(mls::KeyPackageBundle bundle,
                          NewKeyPackage(info.group_context.suite, ToBytes(request.identity())));
  PARLEY_ASSIGN_OR_RETURN(
      const Bytes proposal,
      mls::ProposeToJoin(bundle, {info.group_context.group_id, info.group_context.epoch}));
  response.set_proposal(ToString(proposal));
  response.set_init_priv(FieldOf(bundle.init_private()));
  response.set_encryption_priv(FieldOf(bundle.leaf_private()));
  response.set_signature_priv(FieldOf(bundle.signature_private()));
  response.set_transaction_id(transactions_.Add({.bundle = std::move(bundle)}));
  return absl::OkStatus();
}

absl::Status Clients::CreateExternalSigner(const mls_client::CreateExternalSignerRequest& request,
                                           mls_client::CreateExternalSignerResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const mls::CipherSuiteId suite, ReadSuite(request.cipher_suite()));
  Signer signer{.key = crypto::SignatureKey::Generate(), .suite = suite};
  const auto& public_key = signer.key.public_key();
  const mls::ExternalSender sender{
      .signature_key = Bytes(public_key.begin(), public_key.end()),
      .credential = mls::Credential::Basic(ToBytes(request.identity()))};
  response.set_external_sender(ToString(crypto::Serialize(sender)));
  response.set_signer_id(signers_.Add(std::move(signer)));
  return absl::OkStatus();
}

absl::Status Clients::ExternalSignerProposal(
    const mls_client::ExternalSignerProposalRequest& request,
    mls_client::ProposalResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const Locked<Signer> signer, signers_.Lock(request.signer_id()));
  PARLEY_ASSIGN_OR_RETURN(const mls::GroupInfo info,
                          CheckedGroupInfo(request.group_info(), request.ratchet_tree()));
  const mls::GroupContext& group = info.group_context;
  if (group.suite != signer->suite) {
    return absl::InvalidArgumentError("the signer was made for another cipher suite");
  }
  const ProposalTarget target{
      .suite = group.suite,
      .group_id = group.group_id,
      .find_member = [&](ByteView identity) -> absl::StatusOr<mls::LeafIndex> {
        PARLEY_ASSIGN_OR_RETURN(const mls::RatchetTree tree,
                                TreeBeside(request.group_info(), request.ratchet_tree()));
        return FindLeaf(tree, identity);
      }};
  PARLEY_ASSIGN_OR_RETURN(const mls::Proposal proposal, ProposalOf(target, request.description()));
  PARLEY_ASSIGN_OR_RETURN(const Bytes message,
                          mls::ProposeFromOutside(signer->key, request.signer_index(),
                                                  {group.group_id, group.epoch}, proposal));
  response.set_proposal(ToString(message));
  return absl::OkStatus();
}

}  // namespace parley::interop
