#include "tools/parley-mls-interop/stage_testing.h"

#include <set>
#include <utility>

namespace parley::interop::testing {

using namespace mls_client;

bool IsRefusal(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::NOT_FOUND:
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::UNAUTHENTICATED:
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return !status.error_message().empty();
    default:
      return false;
  }
}

bool IsOurs(Stub& stub) { return Must(stub, &Stub::Name, NameRequest()).name() == "Parley"; }

// ---- Descriptions -----------------------------------------------------------------------------

mls_client::Extension ExtensionOf(uint32_t type, std::string data) {
  mls_client::Extension extension;
  extension.set_extension_type(type);
  extension.set_extension_data(std::move(data));
  return extension;
}

ProposalDescription Describe(std::string type) {
  ProposalDescription description;
  description.set_proposal_type(std::move(type));
  return description;
}

ProposalDescription DescribeAdd(std::string key_package) {
  ProposalDescription description = Describe("add");
  description.set_key_package(std::move(key_package));
  return description;
}

ProposalDescription DescribeRemove(std::string identity) {
  ProposalDescription description = Describe("remove");
  description.set_removed_id(std::move(identity));
  return description;
}

ProposalDescription DescribePsk(std::string psk_id) {
  ProposalDescription description = Describe("externalPSK");
  description.set_psk_id(std::move(psk_id));
  return description;
}

ProposalDescription DescribeResumption(uint64_t epoch) {
  ProposalDescription description = Describe("resumptionPSK");
  description.set_epoch_id(epoch);
  return description;
}

ProposalDescription DescribeExtensions(std::vector<mls_client::Extension> extensions) {
  ProposalDescription description = Describe("groupContextExtensions");
  for (mls_client::Extension& extension : extensions) {
    *description.add_extensions() = std::move(extension);
  }
  return description;
}

// ---- The stage --------------------------------------------------------------------------------

Stage::Stage(std::vector<Stub*> servers, uint32_t suite, bool encrypt_handshake)
    : servers_(std::move(servers)), suite_(suite), encrypt_handshake_(encrypt_handshake) {}

Stub& Stage::ServerOf(const std::string& actor) {
  const size_t next = server_of_.size() % servers_.size();
  return *servers_[server_of_.try_emplace(actor, next).first->second];
}

std::string Stage::Flipped(std::string bytes) {
  if (bytes.empty()) return bytes;
  const uint64_t bit = random_() % (bytes.size() * 8);
  bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  return bytes;
}

std::string Stage::Authenticator(const std::string& actor) {
  StateAuthRequest request;
  request.set_state_id(state(actor));
  return Must(ServerOf(actor), &Stub::StateAuth, request).state_auth_secret();
}

void Stage::CreateGroup(const std::string& creator, const Names& members) {
  group_id_ = "group " + std::to_string(random_());
  CreateGroupRequest request;
  request.set_group_id(group_id_);
  request.set_cipher_suite(suite_);
  request.set_encrypt_handshake(encrypt_handshake_);
  request.set_identity(creator);
  states_[creator] = Must(ServerOf(creator), &Stub::CreateGroup, request).state_id();
  if (members.empty()) return;
  CommitStep step{.joiners = members};
  for (const std::string& member : members) {
    step.by_value.push_back(DescribeAdd(CreateKeyPackage(member)));
  }
  FullCommit(creator, step);
}

std::string Stage::CreateKeyPackage(const std::string& actor) {
  CreateKeyPackageRequest request;
  request.set_cipher_suite(suite_);
  request.set_identity(actor);
  const auto response = Must(ServerOf(actor), &Stub::CreateKeyPackage, request);
  EXPECT_NE(response.init_priv(), "");
  EXPECT_NE(response.encryption_priv(), "");
  EXPECT_NE(response.signature_priv(), "");
  transactions_[actor] = response.transaction_id();
  return response.key_package();
}

std::string Stage::InstallPsk(const Names& actors) {
  const std::string id = "psk " + std::to_string(psks_.size());
  psks_[id] = "secret " + std::to_string(random_());
  for (const std::string& actor : actors) {
    const auto in_group = states_.find(actor);
    StorePSKRequest request;
    request.set_state_or_transaction_id(in_group == states_.end() ? transactions_.at(actor)
                                                                  : in_group->second);
    request.set_psk_id(id);
    request.set_psk_secret(psks_[id]);
    Must(ServerOf(actor), &Stub::StorePSK, request);
  }
  return id;
}

// ---- Proposals --------------------------------------------------------------------------------

std::string Stage::Proposal(const ProposalResponse& response) {
  EXPECT_NE(response.proposal(), "");
  return response.proposal();
}

std::string Stage::ProposeAdd(const std::string& actor, const std::string& key_package) {
  AddProposalRequest request;
  request.set_state_id(state(actor));
  request.set_key_package(Flipped(key_package));
  MustRefuse(ServerOf(actor), &Stub::AddProposal, request);
  request.set_key_package(key_package);
  return Proposal(Must(ServerOf(actor), &Stub::AddProposal, request));
}

std::string Stage::ProposeUpdate(const std::string& actor) {
  UpdateProposalRequest request;
  request.set_state_id(state(actor));
  return Proposal(Must(ServerOf(actor), &Stub::UpdateProposal, request));
}

std::string Stage::ProposeRemove(const std::string& actor, const std::string& removed) {
  RemoveProposalRequest request;
  request.set_state_id(state(actor));
  request.set_removed_id(removed + " who isn't there");
  MustRefuse(ServerOf(actor), &Stub::RemoveProposal, request);
  request.set_removed_id(removed);
  return Proposal(Must(ServerOf(actor), &Stub::RemoveProposal, request));
}

std::string Stage::ProposePsk(const std::string& actor, const std::string& psk_id) {
  ExternalPSKProposalRequest request;
  request.set_state_id(state(actor));
  request.set_psk_id(psk_id);
  return Proposal(Must(ServerOf(actor), &Stub::ExternalPSKProposal, request));
}

std::string Stage::ProposeResumption(const std::string& actor, uint64_t epoch) {
  ResumptionPSKProposalRequest request;
  request.set_state_id(state(actor));
  request.set_epoch_id(epoch);
  return Proposal(Must(ServerOf(actor), &Stub::ResumptionPSKProposal, request));
}

std::string Stage::ProposeExtensions(const std::string& actor,
                                     const std::vector<mls_client::Extension>& extensions) {
  GroupContextExtensionsProposalRequest request;
  request.set_state_id(state(actor));
  for (const auto& extension : extensions) *request.add_extensions() = extension;
  return Proposal(Must(ServerOf(actor), &Stub::GroupContextExtensionsProposal, request));
}

// ---- Commits ----------------------------------------------------------------------------------

std::string Stage::HandlePending(const std::string& committer) {
  HandlePendingCommitRequest request;
  request.set_state_id(state(committer));
  const auto response = Must(ServerOf(committer), &Stub::HandlePendingCommit, request);
  states_[committer] = response.state_id();
  MustRefuse(ServerOf(committer), &Stub::HandlePendingCommit, request);
  EXPECT_EQ(Authenticator(committer), response.epoch_authenticator());
  return response.epoch_authenticator();
}

void Stage::Handle(const std::string& member, const std::vector<std::string>& proposals,
                   const std::string& commit, const std::string& authenticator) {
  const std::string before = Authenticator(member);
  HandleCommitRequest request;
  request.set_state_id(state(member));
  for (const std::string& proposal : proposals) request.add_proposal(proposal);
  request.set_commit(Flipped(commit));
  MustRefuse(ServerOf(member), &Stub::HandleCommit, request);
  request.set_commit(commit);
  if (!proposals.empty()) {
    const int flipped = static_cast<int>(random_() % proposals.size());
    request.set_proposal(flipped, Flipped(proposals[flipped]));
    MustRefuse(ServerOf(member), &Stub::HandleCommit, request);
    request.set_proposal(flipped, proposals[flipped]);
  }
  EXPECT_EQ(Authenticator(member), before);
  const auto response = Must(ServerOf(member), &Stub::HandleCommit, request);
  EXPECT_EQ(response.epoch_authenticator(), authenticator) << member;
  states_[member] = response.state_id();
  request.set_state_id(response.state_id());
  MustRefuse(ServerOf(member), &Stub::HandleCommit, request);
}

void Stage::Join(const std::string& joiner, const std::string& welcome, const std::string& tree,
                 bool only_joiner, const std::string& authenticator) {
  JoinGroupRequest request;
  request.set_transaction_id(transactions_.at(joiner));
  request.set_encrypt_handshake(encrypt_handshake_);
  request.set_identity(joiner);
  request.set_ratchet_tree(tree);
  // What is in a Welcome for others can't be told from noise.
  if (only_joiner) {
    request.set_welcome(Flipped(welcome));
    MustRefuse(ServerOf(joiner), &Stub::JoinGroup, request);
  }
  request.set_welcome(welcome);
  if (!tree.empty()) {
    request.set_ratchet_tree(Flipped(tree));
    MustRefuse(ServerOf(joiner), &Stub::JoinGroup, request);
    request.set_ratchet_tree(tree);
  }
  const auto response = Must(ServerOf(joiner), &Stub::JoinGroup, request);
  EXPECT_EQ(response.epoch_authenticator(), authenticator) << joiner;
  states_[joiner] = response.state_id();
  MustRefuse(ServerOf(joiner), &Stub::JoinGroup, request);
}

void Stage::FullCommit(const std::string& committer, const CommitStep& step) {
  CommitRequest request;
  request.set_state_id(state(committer));
  for (const std::string& proposal : step.by_reference) request.add_by_reference(proposal);
  for (const auto& description : step.by_value) *request.add_by_value() = description;
  request.set_force_path(step.force_path);
  request.set_external_tree(step.external_tree);
  const CommitResponse made = Must(ServerOf(committer), &Stub::Commit, request);
  EXPECT_TRUE(step.joiners.empty() || !made.welcome().empty());
  EXPECT_EQ(made.ratchet_tree().empty(), !step.external_tree);
  const std::string authenticator = HandlePending(committer);
  for (const std::string& member : step.members) {
    Handle(member, step.by_reference, made.commit(), authenticator);
  }
  for (const std::string& joiner : step.joiners) {
    Join(joiner, made.welcome(), made.ratchet_tree(), step.joiners.size() == 1, authenticator);
  }
}

// ---- From outside -----------------------------------------------------------------------------

GroupInfoResponse Stage::GroupInfoOf(const std::string& actor, bool external_tree) {
  GroupInfoRequest request;
  request.set_state_id(state(actor));
  request.set_external_tree(external_tree);
  const GroupInfoResponse response = Must(ServerOf(actor), &Stub::GroupInfo, request);
  EXPECT_EQ(response.ratchet_tree().empty(), !external_tree);
  return response;
}

void Stage::ExternalJoin(const ExternalJoinStep& step) {
  const GroupInfoResponse info = GroupInfoOf(step.adder, step.external_tree);
  ExternalJoinRequest request;
  request.set_ratchet_tree(info.ratchet_tree());
  request.set_encrypt_handshake(encrypt_handshake_);
  request.set_identity(step.joiner);
  request.set_remove_prior(step.remove_prior);
  for (const std::string& id : step.psk_ids) {
    PreSharedKey& psk = *request.add_psks();
    psk.set_psk_id(id);
    psk.set_psk_secret(psks_.at(id));
  }
  request.set_group_info(Flipped(info.group_info()));
  MustRefuse(ServerOf(step.joiner), &Stub::ExternalJoin, request);
  request.set_group_info(info.group_info());
  const auto joined = Must(ServerOf(step.joiner), &Stub::ExternalJoin, request);
  states_[step.joiner] = joined.state_id();
  Names others = step.members;
  others.push_back(step.adder);
  for (const std::string& member : others) {
    Handle(member, {}, joined.commit(), joined.epoch_authenticator());
  }
}

std::string Stage::ProposeToJoin(const std::string& joiner, const std::string& group_info) {
  NewMemberAddProposalRequest request;
  request.set_group_info(group_info);
  request.set_identity(joiner);
  const auto response = Must(ServerOf(joiner), &Stub::NewMemberAddProposal, request);
  EXPECT_NE(response.init_priv(), "");
  EXPECT_NE(response.encryption_priv(), "");
  EXPECT_NE(response.signature_priv(), "");
  transactions_[joiner] = response.transaction_id();
  return response.proposal();
}

std::string Stage::AddExternalSigner(const std::string& actor, const std::string& signer) {
  CreateExternalSignerRequest create;
  create.set_cipher_suite(suite_);
  create.set_identity(signer);
  const auto created = Must(ServerOf(signer), &Stub::CreateExternalSigner, create);
  signers_[signer] = created.signer_id();
  AddExternalSignerRequest request;
  request.set_state_id(state(actor));
  request.set_external_sender(created.external_sender());
  return Proposal(Must(ServerOf(actor), &Stub::AddExternalSigner, request));
}

std::string Stage::ProposeFromOutside(const std::string& signer, uint32_t index,
                                      const std::string& member,
                                      const ProposalDescription& description) {
  const GroupInfoResponse info = GroupInfoOf(member, true);
  ExternalSignerProposalRequest request;
  request.set_signer_id(signers_.at(signer));
  request.set_signer_index(index);
  request.set_group_info(info.group_info());
  request.set_ratchet_tree(info.ratchet_tree());
  *request.mutable_description() = description;
  return Proposal(Must(ServerOf(signer), &Stub::ExternalSignerProposal, request));
}

// ---- Groups that continue others --------------------------------------------------------------

void Stage::Branch(const std::string& creator, const Names& members,
                   const std::vector<mls_client::Extension>& extensions, bool force_path,
                   bool external_tree) {
  CreateBranchRequest request;
  request.set_state_id(state(creator));
  request.set_group_id(group_id_ + ", branched");
  for (const auto& extension : extensions) *request.add_extensions() = extension;
  for (const std::string& member : members) request.add_key_packages(CreateKeyPackage(member));
  request.set_force_path(force_path);
  request.set_external_tree(external_tree);
  const CreateSubgroupResponse branch = Must(ServerOf(creator), &Stub::CreateBranch, request);
  EXPECT_EQ(branch.ratchet_tree().empty(), !external_tree);
  for (const std::string& member : members) {
    HandleBranchRequest handle;
    handle.set_state_id(state(member));
    handle.set_transaction_id(transactions_.at(member));
    handle.set_welcome(branch.welcome());
    handle.set_ratchet_tree(branch.ratchet_tree());
    const auto joined = Must(ServerOf(member), &Stub::HandleBranch, handle);
    EXPECT_EQ(joined.epoch_authenticator(), branch.epoch_authenticator());
    MustRefuse(ServerOf(member), &Stub::HandleBranch, handle);
    // The old group is still there until it is freed.
    Authenticator(member);
    FreeRequest free;
    free.set_state_id(state(member));
    Must(ServerOf(member), &Stub::Free, free);
    MustRefuse(ServerOf(member), &Stub::Free, free);
    states_[member] = joined.state_id();
  }
  states_[creator] = branch.state_id();
}

HandleReInitCommitResponse Stage::HandleReInit(const std::string& member,
                                               const std::string& proposal,
                                               const std::string& commit) {
  HandleCommitRequest request;
  request.set_state_id(state(member));
  request.add_proposal(proposal);
  request.set_commit(Flipped(commit));
  MustRefuse(ServerOf(member), &Stub::HandleReInitCommit, request);
  request.set_commit(commit);
  MustRefuse(ServerOf(member), &Stub::HandleCommit, request);
  return Must(ServerOf(member), &Stub::HandleReInitCommit, request);
}

void Stage::ReInit(const ReInitStep& step) {
  std::string proposal = step.external_proposal;
  if (!step.proposer.empty()) {
    ReInitProposalRequest request;
    request.set_state_id(state(step.proposer));
    request.set_cipher_suite(step.new_suite);
    request.set_group_id(step.new_group_id);
    for (const auto& extension : step.extensions) *request.add_extensions() = extension;
    proposal = Proposal(Must(ServerOf(step.proposer), &Stub::ReInitProposal, request));
  }

  std::map<std::string, HandleReInitCommitResponse> ended;
  Stub& at_committer = ServerOf(step.committer);
  CommitRequest commit_request;
  commit_request.set_state_id(state(step.committer));
  commit_request.add_by_reference(proposal);
  MustRefuse(at_committer, &Stub::Commit, commit_request);
  const CommitResponse commit = Must(at_committer, &Stub::ReInitCommit, commit_request);
  HandlePendingCommitRequest pending;
  pending.set_state_id(state(step.committer));
  MustRefuse(at_committer, &Stub::HandlePendingCommit, pending);
  ended[step.committer] = Must(at_committer, &Stub::HandlePendingReInitCommit, pending);
  for (const std::string& member : step.members) {
    if (member == step.committer) continue;
    ended[member] = HandleReInit(member, proposal, commit.commit());
    EXPECT_EQ(ended[member].epoch_authenticator(), ended[step.committer].epoch_authenticator());
  }
  // Section 12.1.5: nobody says anything more in the group that has ended.
  for (const std::string& member : step.members) {
    ProtectRequest protect;
    protect.set_state_id(state(member));
    MustRefuse(ServerOf(member), &Stub::Protect, protect);
  }

  ReInitWelcomeRequest request;
  request.set_reinit_id(ended[step.welcomer].reinit_id());
  for (const auto& [member, response] : ended) {
    if (member != step.welcomer) request.add_key_package(response.key_package());
  }
  request.set_force_path(step.force_path);
  request.set_external_tree(step.external_tree);
  const CreateSubgroupResponse next = Must(ServerOf(step.welcomer), &Stub::ReInitWelcome, request);
  MustRefuse(ServerOf(step.welcomer), &Stub::ReInitWelcome, request);
  states_[step.welcomer] = next.state_id();
  for (const auto& [member, response] : ended) {
    if (member == step.welcomer) continue;
    HandleReInitWelcomeRequest handle;
    handle.set_reinit_id(response.reinit_id());
    handle.set_welcome(next.welcome());
    handle.set_ratchet_tree(next.ratchet_tree());
    const auto joined = Must(ServerOf(member), &Stub::HandleReInitWelcome, handle);
    EXPECT_EQ(joined.epoch_authenticator(), next.epoch_authenticator());
    states_[member] = joined.state_id();
  }
}

// ---- Messages ---------------------------------------------------------------------------------

std::string Stage::Protect(const std::string& actor, const std::string& text) {
  ProtectRequest request;
  request.set_state_id(state(actor));
  request.set_plaintext(text);
  request.set_authenticated_data("beside " + text);
  return Must(ServerOf(actor), &Stub::Protect, request).ciphertext();
}

void Stage::Unprotect(const std::string& actor, const std::string& message,
                      const std::string& text) {
  UnprotectRequest request;
  request.set_state_id(state(actor));
  request.set_ciphertext(Flipped(message));
  MustRefuse(ServerOf(actor), &Stub::Unprotect, request);
  request.set_ciphertext(message);
  const auto response = Must(ServerOf(actor), &Stub::Unprotect, request);
  EXPECT_EQ(response.plaintext(), text);
  EXPECT_EQ(response.authenticated_data(), "beside " + text);
  MustRefuse(ServerOf(actor), &Stub::Unprotect, request);
}

void Stage::ExpectTalk(const Names& members) {
  std::set<std::string> authenticators;
  std::set<std::string> exported;
  for (const std::string& member : members) {
    authenticators.insert(Authenticator(member));
    ExportRequest request;
    request.set_state_id(state(member));
    request.set_label("a label");
    request.set_context("a context");
    request.set_key_length(48);
    exported.insert(Must(ServerOf(member), &Stub::Export, request).exported_secret());
  }
  EXPECT_EQ(authenticators.size(), 1u);
  EXPECT_EQ(exported.size(), 1u);
  EXPECT_EQ(exported.begin()->size(), 48u);
  for (const std::string& speaker : members) {
    const std::string message = Protect(speaker, "this is " + speaker);
    for (const std::string& listener : members) {
      if (listener != speaker) Unprotect(listener, message, "this is " + speaker);
    }
  }
}

}  // namespace parley::interop::testing
