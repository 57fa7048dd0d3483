#include "tools/parley-mls-interop/service.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "parley/interop/mls_client.grpc.pb.h"
#include "tools/parley-mls-interop/clients.h"

namespace parley::interop {
namespace {

// Trees and Welcomes of groups of thousands.
constexpr int kMaxMessageBytes = 64 << 20;

// The two libraries number their codes alike.
grpc::Status ToGrpc(const absl::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()));
}

}  // namespace

class InteropServer::Service final : public mls_client::MLSClient::Service {
 public:
// One override, which calls the function of the same name.
#define PARLEY_INTEROP_CALL(name, Request, Response)                          \
  grpc::Status name(grpc::ServerContext*, const mls_client::Request* request, \
                    mls_client::Response* response) override {                \
    return ToGrpc(clients_.name(*request, *response));                        \
  }
  PARLEY_INTEROP_CALL(Name, NameRequest, NameResponse)
  PARLEY_INTEROP_CALL(SupportedCiphersuites, SupportedCiphersuitesRequest,
                      SupportedCiphersuitesResponse)
  PARLEY_INTEROP_CALL(CreateGroup, CreateGroupRequest, CreateGroupResponse)
  PARLEY_INTEROP_CALL(CreateKeyPackage, CreateKeyPackageRequest, CreateKeyPackageResponse)
  PARLEY_INTEROP_CALL(JoinGroup, JoinGroupRequest, JoinGroupResponse)
  PARLEY_INTEROP_CALL(ExternalJoin, ExternalJoinRequest, ExternalJoinResponse)
  PARLEY_INTEROP_CALL(GroupInfo, GroupInfoRequest, GroupInfoResponse)
  PARLEY_INTEROP_CALL(StateAuth, StateAuthRequest, StateAuthResponse)
  PARLEY_INTEROP_CALL(Export, ExportRequest, ExportResponse)
  PARLEY_INTEROP_CALL(Protect, ProtectRequest, ProtectResponse)
  PARLEY_INTEROP_CALL(Unprotect, UnprotectRequest, UnprotectResponse)
  PARLEY_INTEROP_CALL(StorePSK, StorePSKRequest, StorePSKResponse)
  PARLEY_INTEROP_CALL(AddProposal, AddProposalRequest, ProposalResponse)
  PARLEY_INTEROP_CALL(UpdateProposal, UpdateProposalRequest, ProposalResponse)
  PARLEY_INTEROP_CALL(RemoveProposal, RemoveProposalRequest, ProposalResponse)
  PARLEY_INTEROP_CALL(ExternalPSKProposal, ExternalPSKProposalRequest, ProposalResponse)
  PARLEY_INTEROP_CALL(ResumptionPSKProposal, ResumptionPSKProposalRequest, ProposalResponse)
  PARLEY_INTEROP_CALL(GroupContextExtensionsProposal, GroupContextExtensionsProposalRequest,
                      ProposalResponse)
  PARLEY_INTEROP_CALL(Commit, CommitRequest, CommitResponse)
  PARLEY_INTEROP_CALL(HandleCommit, HandleCommitRequest, HandleCommitResponse)
  PARLEY_INTEROP_CALL(HandlePendingCommit, HandlePendingCommitRequest, HandleCommitResponse)
  PARLEY_INTEROP_CALL(ReInitProposal, ReInitProposalRequest, ProposalResponse)
  PARLEY_INTEROP_CALL(ReInitCommit, CommitRequest, CommitResponse)
  PARLEY_INTEROP_CALL(HandlePendingReInitCommit, HandlePendingCommitRequest,
                      HandleReInitCommitResponse)
  PARLEY_INTEROP_CALL(HandleReInitCommit, HandleCommitRequest, HandleReInitCommitResponse)
  PARLEY_INTEROP_CALL(ReInitWelcome, ReInitWelcomeRequest, CreateSubgroupResponse)
  PARLEY_INTEROP_CALL(HandleReInitWelcome, HandleReInitWelcomeRequest, JoinGroupResponse)
  PARLEY_INTEROP_CALL(CreateBranch, CreateBranchRequest, CreateSubgroupResponse)
  PARLEY_INTEROP_CALL(HandleBranch, HandleBranchRequest, HandleBranchResponse)
  PARLEY_INTEROP_CALL(NewMemberAddProposal, NewMemberAddProposalRequest,
                      NewMemberAddProposalResponse)
  PARLEY_INTEROP_CALL(CreateExternalSigner, CreateExternalSignerRequest,
                      CreateExternalSignerResponse)
  PARLEY_INTEROP_CALL(AddExternalSigner, AddExternalSignerRequest, ProposalResponse)
  PARLEY_INTEROP_CALL(ExternalSignerProposal, ExternalSignerProposalRequest, ProposalResponse)
  PARLEY_INTEROP_CALL(Free, FreeRequest, FreeResponse)
#undef PARLEY_INTEROP_CALL

 private:
  Clients clients_;
};

InteropServer::InteropServer(std::unique_ptr<Service> service, std::unique_ptr<grpc::Server> server,
                             int port)
    : service_(std::move(service)), server_(std::move(server)), port_(port) {}
InteropServer::InteropServer(InteropServer&&) noexcept = default;
InteropServer& InteropServer::operator=(InteropServer&&) noexcept = default;
InteropServer::~InteropServer() {
  if (server_ != nullptr) server_->Shutdown();
}

absl::StatusOr<InteropServer> InteropServer::Start(const std::string& host, int port) {
  auto service = std::make_unique<Service>();
  int bound = 0;
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  // Two servers on one port would each get half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(host + ":" + std::to_string(port), grpc::InsecureServerCredentials(),
                           &bound);
  builder.RegisterService(service.get());
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || bound == 0) {
    return absl::UnavailableError("can't listen on " + host + ":" + std::to_string(port) +
                                  ": choose another port, or 0 for any");
  }
  return InteropServer(std::move(service), std::move(server), bound);
}

void InteropServer::Wait() { server_->Wait(); }

}  // namespace parley::interop
