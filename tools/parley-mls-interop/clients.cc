#include "tools/parley-mls-interop/clients.h"

#include <algorithm>
#include <utility>

#include "crypto/base/status_macros.h"
#include "tools/parley-mls-interop/clock.h"
#include "tools/parley-mls-interop/group_info.h"

namespace parley::interop {

using crypto::ToBytes;
using crypto::ToString;
using crypto::ViewOf;

namespace {

constexpr uint64_t kHourSeconds = 60 * 60;
// Some implementations refuse key packages that live for much longer than a month.
constexpr uint64_t kKeyPackageLifeSeconds = 28 * 24 * kHourSeconds;

// The leaf of `identity` in the tree that comes with a GroupInfo.
absl::StatusOr<mls::LeafIndex> FindInTree(const mls_client::ExternalJoinRequest& request) {
  PARLEY_ASSIGN_OR_RETURN(const mls::RatchetTree tree,
                          TreeBeside(request.group_info(), request.ratchet_tree()));
  return FindLeaf(tree, ViewOf(request.identity()));
}

}  // namespace

absl::StatusOr<mls::KeyPackageBundle> NewKeyPackage(mls::CipherSuiteId suite, Bytes identity) {
  const uint64_t now = NowSeconds();
  const mls::Lifetime lifetime{.not_before = now - std::min(now, kHourSeconds),
                               .not_after = now + kKeyPackageLifeSeconds};
  return mls::KeyPackageBundle::Create(
      {.suite = suite, .identity = std::move(identity), .lifetime = lifetime});
}

absl::StatusOr<mls::KeyPackageBundle> CopyOf(const mls::KeyPackageBundle& bundle) {
  return mls::KeyPackageBundle::Parse(bundle.SerializeSecret().Reveal());
}

std::optional<Bytes> OptionalBytes(const std::string& field) {
  if (field.empty()) return std::nullopt;
  return ToBytes(field);
}

std::string FieldOf(const Secret& secret) { return ToString(secret.Reveal()); }

absl::StatusOr<Locked<Clients::Transaction>> Clients::LockTransaction(uint32_t id) const {
  PARLEY_ASSIGN_OR_RETURN(Locked<Transaction> transaction, transactions_.Lock(id));
  if (transaction->used) return absl::NotFoundError("this key package was used by another call");
  return transaction;
}

// ---- About the implementation -----------------------------------------------------------------

absl::Status Clients::Name(const mls_client::NameRequest& /*request*/,
                           mls_client::NameResponse& response) {
  response.set_name("Parley");
  return absl::OkStatus();
}

absl::Status Clients::SupportedCiphersuites(
    const mls_client::SupportedCiphersuitesRequest& /*request*/,
    mls_client::SupportedCiphersuitesResponse& response) {
  for (const mls::CipherSuiteId suite : mls::SupportedCipherSuites()) {
    response.add_ciphersuites(static_cast<uint32_t>(suite));
  }
  return absl::OkStatus();
}

// ---- Coming into a group ----------------------------------------------------------------------

absl::Status Clients::CreateGroup(const mls_client::CreateGroupRequest& request,
                                  mls_client::CreateGroupResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const mls::CipherSuiteId suite, ReadSuite(request.cipher_suite()));
  PARLEY_ASSIGN_OR_RETURN(mls::Group group,
                          mls::Group::Create({.suite = suite,
                                              .group_id = ToBytes(request.group_id()),
                                              .identity = ToBytes(request.identity())}));
  response.set_state_id(members_.Add(
      Member(std::move(group), {ToBytes(request.identity()), request.encrypt_handshake()}, {})));
  return absl::OkStatus();
}

absl::Status Clients::CreateKeyPackage(const mls_client::CreateKeyPackageRequest& request,
                                       mls_client::CreateKeyPackageResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const mls::CipherSuiteId suite, ReadSuite(request.cipher_suite()));
  PARLEY_ASSIGN_OR_RETURN(mls::KeyPackageBundle bundle,
                          NewKeyPackage(suite, ToBytes(request.identity())));
  response.set_key_package(ToString(bundle.message()));
  response.set_init_priv(FieldOf(bundle.init_private()));
  response.set_encryption_priv(FieldOf(bundle.leaf_private()));
  response.set_signature_priv(FieldOf(bundle.signature_private()));
  response.set_transaction_id(transactions_.Add({.bundle = std::move(bundle)}));
  return absl::OkStatus();
}

absl::Status Clients::JoinGroup(const mls_client::JoinGroupRequest& request,
                                mls_client::JoinGroupResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const Locked<Transaction> transaction,
                          LockTransaction(request.transaction_id()));
  PARLEY_ASSIGN_OR_RETURN(mls::KeyPackageBundle bundle, CopyOf(transaction->bundle));
  PARLEY_ASSIGN_OR_RETURN(
      mls::Group group, mls::Group::Join(ViewOf(request.welcome()), std::move(bundle),
                                         {.psks = transaction->psks.Lookup(),
                                          .ratchet_tree = OptionalBytes(request.ratchet_tree())}));
  response.set_epoch_authenticator(ToString(group.EpochAuthenticator()));
  response.set_state_id(members_.Add(
      Member(std::move(group), {ToBytes(request.identity()), request.encrypt_handshake()},
             std::move(transaction->psks))));
  transaction->used = true;
  return transactions_.Remove(request.transaction_id());
}

absl::Status Clients::ExternalJoin(const mls_client::ExternalJoinRequest& request,
                                   mls_client::ExternalJoinResponse& response) {
  mls::ExternalJoinOptions options;
  if (request.remove_prior()) {
    PARLEY_ASSIGN_OR_RETURN(options.replaces, FindInTree(request));
  }
  PARLEY_ASSIGN_OR_RETURN(const mls::GroupInfo info, ReadGroupInfo(request.group_info()));
  PARLEY_ASSIGN_OR_RETURN(const mls::CipherSuite* suite,
                          mls::FindCipherSuite(info.group_context.suite));
  PskStore psks;
  for (const mls_client::PreSharedKey& psk : request.psks()) {
    psks.Put(ToBytes(psk.psk_id()), Secret::CopyOf(ViewOf(psk.psk_secret())));
    options.psks.push_back(mls::PreSharedKeyId::External(*suite, ToBytes(psk.psk_id())));
  }
  options.join.psks = psks.Lookup();
  options.join.ratchet_tree = OptionalBytes(request.ratchet_tree());
  PARLEY_ASSIGN_OR_RETURN(
      mls::PreparedCommit commit,
      mls::Group::JoinExternally(
          ViewOf(request.group_info()),
          {.suite = info.group_context.suite, .identity = ToBytes(request.identity())}, options));
  response.set_commit(ToString(commit.message));
  response.set_epoch_authenticator(ToString(commit.next.EpochAuthenticator()));
  response.set_state_id(members_.Add(
      Member(std::move(commit.next), {ToBytes(request.identity()), request.encrypt_handshake()},
             std::move(psks))));
  return absl::OkStatus();
}

// ---- Being in one -----------------------------------------------------------------------------

absl::Status Clients::GroupInfo(const mls_client::GroupInfoRequest& request,
                                mls_client::GroupInfoResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const Locked<Member> member, members_.Lock(request.state_id()));
  const mls::Group& group = member->group();
  PARLEY_ASSIGN_OR_RETURN(const Bytes info, group.GroupInfoMessage(!request.external_tree(), true));
  response.set_group_info(ToString(info));
  if (request.external_tree()) response.set_ratchet_tree(ToString(group.RatchetTreeExtension()));
  return absl::OkStatus();
}

absl::Status Clients::StateAuth(const mls_client::StateAuthRequest& request,
                                mls_client::StateAuthResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const Locked<Member> member, members_.Lock(request.state_id()));
  response.set_state_auth_secret(ToString(member->group().EpochAuthenticator()));
  return absl::OkStatus();
}

absl::Status Clients::Export(const mls_client::ExportRequest& request,
                             mls_client::ExportResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const Locked<Member> member, members_.Lock(request.state_id()));
  PARLEY_ASSIGN_OR_RETURN(
      const Secret secret,
      member->group().Export(request.label(), ViewOf(request.context()), request.key_length()));
  response.set_exported_secret(FieldOf(secret));
  return absl::OkStatus();
}

absl::Status Clients::Protect(const mls_client::ProtectRequest& request,
                              mls_client::ProtectResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const Locked<Member> member, members_.Lock(request.state_id()));
  PARLEY_ASSIGN_OR_RETURN(
      const Bytes message,
      member->Protect(ViewOf(request.plaintext()), ViewOf(request.authenticated_data())));
  response.set_ciphertext(ToString(message));
  return absl::OkStatus();
}

absl::Status Clients::Unprotect(const mls_client::UnprotectRequest& request,
                                mls_client::UnprotectResponse& response) {
  PARLEY_ASSIGN_OR_RETURN(const Locked<Member> member, members_.Lock(request.state_id()));
  PARLEY_ASSIGN_OR_RETURN(const mls::ApplicationMessage message,
                          member->Unprotect(ViewOf(request.ciphertext())));
  response.set_plaintext(FieldOf(message.plaintext));
  response.set_authenticated_data(ToString(message.authenticated_data));
  return absl::OkStatus();
}

absl::Status Clients::StorePSK(const mls_client::StorePSKRequest& request,
                               mls_client::StorePSKResponse& /*response*/) {
  const uint32_t id = request.state_or_transaction_id();
  Bytes psk_id = ToBytes(request.psk_id());
  Secret secret = Secret::CopyOf(ViewOf(request.psk_secret()));
  if (members_.Contains(id)) {
    PARLEY_ASSIGN_OR_RETURN(const Locked<Member> member, members_.Lock(id));
    member->psks().Put(std::move(psk_id), std::move(secret));
    return absl::OkStatus();
  }
  PARLEY_ASSIGN_OR_RETURN(const Locked<Transaction> transaction, LockTransaction(id));
  transaction->psks.Put(std::move(psk_id), std::move(secret));
  return absl::OkStatus();
}

absl::Status Clients::Free(const mls_client::FreeRequest& request,
                           mls_client::FreeResponse& /*response*/) {
  return members_.Remove(request.state_id());
}

}  // namespace parley::interop
