// The clients behind the MLSClient interface: one function for each call, without gRPC.
//
//   Clients clients;
//   mls_client::CreateGroupResponse created;
//   PARLEY_RETURN_IF_ERROR(clients.CreateGroup(request, created));
//
// One object serves any number of clients and groups; nothing is shared between two states, or two
// key packages, but the numbering. proto/parley/interop/mls_client.proto says what each call does.
//
// On failure nothing has changed: a message that was refused can be handled again in its right
// form. Errors: NotFound for an id, identity or pre-shared key; otherwise those of
// crypto/mls/group.h.
//
// Threading: any thread may call. Secrets: of all groups; test secrets only, since callers get
// them.
#ifndef PARLEY_TOOLS_PARLEY_MLS_INTEROP_CLIENTS_H_
#define PARLEY_TOOLS_PARLEY_MLS_INTEROP_CLIENTS_H_

#include <atomic>
#include <memory>

#include "absl/status/status.h"
#include "crypto/mls/external_proposal.h"
#include "crypto/mls/group.h"
#include "crypto/primitives/signature.h"
#include "parley/interop/mls_client.pb.h"
#include "tools/parley-mls-interop/member.h"
#include "tools/parley-mls-interop/proposals.h"
#include "tools/parley-mls-interop/registry.h"

namespace parley::interop {

class Clients {
 public:
  Clients() = default;
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  // clients.cc
  absl::Status Name(const mls_client::NameRequest& request, mls_client::NameResponse& response);
  absl::Status SupportedCiphersuites(const mls_client::SupportedCiphersuitesRequest& request,
                                     mls_client::SupportedCiphersuitesResponse& response);
  absl::Status CreateGroup(const mls_client::CreateGroupRequest& request,
                           mls_client::CreateGroupResponse& response);
  absl::Status CreateKeyPackage(const mls_client::CreateKeyPackageRequest& request,
                                mls_client::CreateKeyPackageResponse& response);
  absl::Status JoinGroup(const mls_client::JoinGroupRequest& request,
                         mls_client::JoinGroupResponse& response);
  absl::Status ExternalJoin(const mls_client::ExternalJoinRequest& request,
                            mls_client::ExternalJoinResponse& response);
  absl::Status GroupInfo(const mls_client::GroupInfoRequest& request,
                         mls_client::GroupInfoResponse& response);
  absl::Status StateAuth(const mls_client::StateAuthRequest& request,
                         mls_client::StateAuthResponse& response);
  absl::Status Export(const mls_client::ExportRequest& request,
                      mls_client::ExportResponse& response);
  absl::Status Protect(const mls_client::ProtectRequest& request,
                       mls_client::ProtectResponse& response);
  absl::Status Unprotect(const mls_client::UnprotectRequest& request,
                         mls_client::UnprotectResponse& response);
  absl::Status StorePSK(const mls_client::StorePSKRequest& request,
                        mls_client::StorePSKResponse& response);
  absl::Status Free(const mls_client::FreeRequest& request, mls_client::FreeResponse& response);

  // clients_commits.cc
  absl::Status AddProposal(const mls_client::AddProposalRequest& request,
                           mls_client::ProposalResponse& response);
  absl::Status UpdateProposal(const mls_client::UpdateProposalRequest& request,
                              mls_client::ProposalResponse& response);
  absl::Status RemoveProposal(const mls_client::RemoveProposalRequest& request,
                              mls_client::ProposalResponse& response);
  absl::Status ExternalPSKProposal(const mls_client::ExternalPSKProposalRequest& request,
                                   mls_client::ProposalResponse& response);
  absl::Status ResumptionPSKProposal(const mls_client::ResumptionPSKProposalRequest& request,
                                     mls_client::ProposalResponse& response);
  absl::Status GroupContextExtensionsProposal(
      const mls_client::GroupContextExtensionsProposalRequest& request,
      mls_client::ProposalResponse& response);
  absl::Status ReInitProposal(const mls_client::ReInitProposalRequest& request,
                              mls_client::ProposalResponse& response);
  absl::Status AddExternalSigner(const mls_client::AddExternalSignerRequest& request,
                                 mls_client::ProposalResponse& response);
  absl::Status Commit(const mls_client::CommitRequest& request,
                      mls_client::CommitResponse& response);
  absl::Status HandleCommit(const mls_client::HandleCommitRequest& request,
                            mls_client::HandleCommitResponse& response);
  absl::Status HandlePendingCommit(const mls_client::HandlePendingCommitRequest& request,
                                   mls_client::HandleCommitResponse& response);
  absl::Status ReInitCommit(const mls_client::CommitRequest& request,
                            mls_client::CommitResponse& response);
  absl::Status HandlePendingReInitCommit(const mls_client::HandlePendingCommitRequest& request,
                                         mls_client::HandleReInitCommitResponse& response);
  absl::Status HandleReInitCommit(const mls_client::HandleCommitRequest& request,
                                  mls_client::HandleReInitCommitResponse& response);

  // clients_continuations.cc
  absl::Status ReInitWelcome(const mls_client::ReInitWelcomeRequest& request,
                             mls_client::CreateSubgroupResponse& response);
  absl::Status HandleReInitWelcome(const mls_client::HandleReInitWelcomeRequest& request,
                                   mls_client::JoinGroupResponse& response);
  absl::Status CreateBranch(const mls_client::CreateBranchRequest& request,
                            mls_client::CreateSubgroupResponse& response);
  absl::Status HandleBranch(const mls_client::HandleBranchRequest& request,
                            mls_client::HandleBranchResponse& response);

  // clients_outsiders.cc
  absl::Status NewMemberAddProposal(const mls_client::NewMemberAddProposalRequest& request,
                                    mls_client::NewMemberAddProposalResponse& response);
  absl::Status CreateExternalSigner(const mls_client::CreateExternalSignerRequest& request,
                                    mls_client::CreateExternalSignerResponse& response);
  absl::Status ExternalSignerProposal(const mls_client::ExternalSignerProposalRequest& request,
                                      mls_client::ProposalResponse& response);

 private:
  // A key package that waits for a Welcome.
  struct Transaction {
    mls::KeyPackageBundle bundle;
    PskStore psks{};
    bool used = false;  // by a Welcome, while somebody else was waiting for it
  };
  struct Signer {
    crypto::SignatureKey key;
    mls::CipherSuiteId suite{};
  };
  // A member whose group has ended by a ReInit, with the key package for the next one.
  struct Ended {
    std::shared_ptr<Registered<Member>> member;
    mls::KeyPackageBundle bundle;
    bool used = false;
  };

  absl::StatusOr<Locked<Transaction>> LockTransaction(uint32_t id) const;
  absl::StatusOr<Locked<Ended>> LockEnded(uint32_t id) const;
  // Without its members.
  absl::StatusOr<ProposalTarget> TargetOf(uint32_t state_id) const;
  absl::Status Propose(uint32_t state_id, const absl::StatusOr<mls::Proposal>& proposal,
                       mls_client::ProposalResponse& response);
  absl::Status MakeCommit(const mls_client::CommitRequest& request, bool ends_group,
                          mls_client::CommitResponse& response);
  absl::Status EndGroup(const Locked<Member>& member,
                        mls_client::HandleReInitCommitResponse& response);
  // Registers what a first commit of a continuing group gives.
  void AddSubgroup(mls::PreparedCommit commit, const Member& parent, bool external_tree,
                   mls_client::CreateSubgroupResponse& response);

  // Locked in this order.
  std::atomic<uint32_t> last_id_ = 0;
  Registry<Ended> ended_{last_id_, "reinitialisation"};
  Registry<Member> members_{last_id_, "state"};
  Registry<Transaction> transactions_{last_id_, "transaction"};
  Registry<Signer> signers_{last_id_, "signer"};
};

// A fresh key package for a client.
absl::StatusOr<mls::KeyPackageBundle> NewKeyPackage(mls::CipherSuiteId suite, Bytes identity);
// The same keys once more, for a Welcome that may turn out to be wrong.
absl::StatusOr<mls::KeyPackageBundle> CopyOf(const mls::KeyPackageBundle& bundle);
// None for an empty field.
std::optional<Bytes> OptionalBytes(const std::string& field);
std::string FieldOf(const Secret& secret);

}  // namespace parley::interop

#endif  // PARLEY_TOOLS_PARLEY_MLS_INTEROP_CLIENTS_H_
