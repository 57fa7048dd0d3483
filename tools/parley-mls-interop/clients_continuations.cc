// Groups that continue others: after a ReInit, and branches.
#include <utility>

#include "crypto/base/status_macros.h"
#include "tools/parley-mls-interop/clients.h"

namespace parley::interop {

using crypto::ToBytes;
using crypto::ToString;
using crypto::ViewOf;

namespace {

mls::ContinuationOptions ContinuationOf(
    const Member& member, const google::protobuf::RepeatedPtrField<std::string>& key_packages,
    bool force_path, bool external_tree) {
  mls::ContinuationOptions options{.group = {.identity = member.settings().identity},
                                   .force_path = force_path,
                                   .tree_in_welcome = !external_tree};
  for (const std::string& key_package : key_packages) {
    options.adds.push_back(ToBytes(key_package));
  }
  return options;
}

}  // namespace

absl::StatusOr<Locked<Clients::Ended>> Clients::LockEnded(uint32_t id) const {
  PARLEY_ASSIGN_OR_RETURN(Locked<Ended> ended, ended_.Lock(id));
  if (ended->used) return absl::NotFoundError("this reinitialisation was used by another call");
  return ended;
}

absl::Status Clients::EndGroup(const Locked<Member>& member,
                               mls_client::HandleReInitCommitResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(
      mls::KeyPackageBundle bundle,
      NewKeyPackage(member->group().ended_by()->suite, member->settings().identity));
  response.set_epoch_authenticator(ToString(member->group().EpochAuthenticator()));
  response.set_key_package(ToString(bundle.message()));
  response.set_reinit_id(ended_.Add({.member = member.shared(), .bundle = std::move(bundle)}));
  return absl::OkStatus();
}

void Clients::AddSubgroup(mls::PreparedCommit commit, const Member& parent, bool external_tree,
                          mls_client::CreateSubgroupResponse& response) {
  if (commit.welcome.has_value()) response.set_welcome(ToString(*commit.welcome));
  if (external_tree) response.set_ratchet_tree(ToString(commit.next.RatchetTreeExtension()));
  response.set_epoch_authenticator(ToString(commit.next.EpochAuthenticator()));
  response.set_state_id(
      members_.Add(Member(std::move(commit.next), parent.settings(), parent.psks().Copy())));
}

absl::Status Clients::ReInitWelcome(const mls_client::ReInitWelcomeRequest& request,
                                    mls_client::CreateSubgroupResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const Locked<Ended> ended, LockEnded(request.reinit_id()));
  const Locked<Member> member(ended->member);
  PARLEY_ASSIGN_OR_RETURN(
      mls::PreparedCommit commit,
      member->group().Reinitialize(ContinuationOf(*member, request.key_package(),
                                                  request.force_path(), request.external_tree())));
  AddSubgroup(std::move(commit), *member, request.external_tree(), response);
  ended->used = true;
  return ended_.Remove(request.reinit_id());
}

absl::Status Clients::HandleReInitWelcome(const mls_client::HandleReInitWelcomeRequest& request,
                                          mls_client::JoinGroupResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const Locked<Ended> ended, LockEnded(request.reinit_id()));
  const Locked<Member> member(ended->member);
  PARLEY_ASSIGN_OR_RETURN(mls::KeyPackageBundle bundle, CopyOf(ended->bundle));
  PARLEY_ASSIGN_OR_RETURN(mls::Group group,
                          mls::Group::Join(ViewOf(request.welcome()), std::move(bundle),
                                           {.psks = member->psks().Lookup(),
                                            .ratchet_tree = OptionalBytes(request.ratchet_tree()),
                                            .continues = &member->group()}));
  response.set_epoch_authenticator(ToString(group.EpochAuthenticator()));
  response.set_state_id(
      members_.Add(Member(std::move(group), member->settings(), member->psks().Copy())));
  ended->used = true;
  return ended_.Remove(request.reinit_id());
}

absl::Status Clients::CreateBranch(const mls_client::CreateBranchRequest& request,
                                   mls_client::CreateSubgroupResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const Locked<Member> member, members_.Lock(request.state_id()));
  mls::ContinuationOptions options = ContinuationOf(*member, request.key_packages(),
                                                    request.force_path(), request.external_tree());
  options.group.group_id = ToBytes(request.group_id());
  PARLEY_ASSIGN_OR_RETURN(options.group.extensions, ReadExtensions(request.extensions()));
  PARLEY_ASSIGN_OR_RETURN(mls::PreparedCommit commit, member->group().Branch(options));
  AddSubgroup(std::move(commit), *member, request.external_tree(), response);
  return absl::OkStatus();
}

absl::Status Clients::HandleBranch(const mls_client::HandleBranchRequest& request,
                                   mls_client::HandleBranchResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const Locked<Member> member, members_.Lock(request.state_id()));
  PARLEY_ASSIGN_OR_RETURN(const Locked<Transaction> transaction,
                          LockTransaction(request.transaction_id()));
  PARLEY_ASSIGN_OR_RETURN(mls::KeyPackageBundle bundle, CopyOf(transaction->bundle));
  PARLEY_ASSIGN_OR_RETURN(mls::Group group,
                          mls::Group::Join(ViewOf(request.welcome()), std::move(bundle),
                                           {.psks = transaction->psks.Lookup(),
                                            .ratchet_tree = OptionalBytes(request.ratchet_tree()),
                                            .continues = &member->group()}));
  response.set_epoch_authenticator(ToString(group.EpochAuthenticator()));
  response.set_state_id(
      members_.Add(Member(std::move(group), member->settings(), std::move(transaction->psks))));
  transaction->used = true;
  return transactions_.Remove(request.transaction_id());
}

}  // namespace parley::interop
