#include "crypto/mls/welcome.h"

#include <algorithm>

namespace parley::mls {
namespace {

constexpr std::string_view kGroupInfoLabel = "GroupInfoTBS";
constexpr std::string_view kWelcomeLabel = "Welcome";

// struct { … all fields of GroupInfo but the signature … } GroupInfoTBS;
Bytes ToBeSigned(const GroupInfo& info) {
  crypto::Writer w;
  Encode(w, info.group_context);
  Encode(w, info.extensions);
  Encode(w, info.confirmation_tag);
  Encode(w, info.signer);
  return std::move(w).Take();
}

struct KeyAndNonce {
  Secret key;
  Secret nonce;
};

// welcome_nonce = ExpandWithLabel(welcome_secret, "nonce", "", AEAD.Nn)
// welcome_key = ExpandWithLabel(welcome_secret, "key", "", AEAD.Nk)
KeyAndNonce WelcomeKey(const CipherSuite& suite, const WelcomeSecret& welcome_secret) {
  return {ExpandWithLabel(suite, welcome_secret.value, "key", {}, suite.key_size()),
          ExpandWithLabel(suite, welcome_secret.value, "nonce", {}, suite.nonce_size())};
}

}  // namespace

void SignGroupInfo(const SignatureKey& key, GroupInfo& info) {
  info.signature = SignWithLabel(key, kGroupInfoLabel, ToBeSigned(info));
}

absl::Status VerifyGroupInfo(ByteView signature_key, const GroupInfo& info) {
  return VerifyWithLabel(signature_key, kGroupInfoLabel, ToBeSigned(info), info.signature);
}

Bytes SealGroupInfo(const CipherSuite& suite, const WelcomeSecret& welcome_secret,
                    const GroupInfo& info) {
  const KeyAndNonce key = WelcomeKey(suite, welcome_secret);
  return crypto::Seal(suite.aead, key.key.Reveal(), key.nonce.Reveal(), {},
                      crypto::Serialize(info));
}

absl::StatusOr<GroupInfo> OpenGroupInfo(const CipherSuite& suite,
                                        const WelcomeSecret& welcome_secret,
                                        const Welcome& welcome) {
  const KeyAndNonce key = WelcomeKey(suite, welcome_secret);
  PARLEY_ASSIGN_OR_RETURN(const Bytes plaintext,
                          crypto::Open(suite.aead, key.key.Reveal(), key.nonce.Reveal(), {},
                                       welcome.encrypted_group_info));
  return crypto::Parse<GroupInfo>(plaintext);
}

LabelledEncryption WelcomeEncryption(const CipherSuite& suite, ByteView encrypted_group_info) {
  return LabelledEncryption(suite, kWelcomeLabel, encrypted_group_info);
}

absl::StatusOr<EncryptedGroupSecrets> SealGroupSecrets(const LabelledEncryption& encryption,
                                                       ByteView key_package_ref, ByteView init_key,
                                                       const GroupSecrets& secrets) {
  const Secret plaintext = crypto::SerializeSecret(secrets);
  PARLEY_ASSIGN_OR_RETURN(HpkeCiphertext sealed, encryption.Encrypt(init_key, plaintext.Reveal()));
  return EncryptedGroupSecrets{Bytes(key_package_ref.begin(), key_package_ref.end()),
                               std::move(sealed)};
}

absl::StatusOr<GroupSecrets> OpenGroupSecrets(const CipherSuite& suite, const Welcome& welcome,
                                              ByteView key_package_ref,
                                              const Secret& init_private) {
  auto entry = std::find_if(welcome.secrets.begin(), welcome.secrets.end(), [&](const auto& e) {
    return crypto::PublicEquals(e.new_member, key_package_ref);
  });
  if (entry == welcome.secrets.end()) {
    return absl::NotFoundError("this Welcome is not for this key package");
  }
  PARLEY_ASSIGN_OR_RETURN(
      const Secret plaintext,
      DecryptWithLabel(suite, init_private, kWelcomeLabel, welcome.encrypted_group_info,
                       entry->encrypted_group_secrets));
  PARLEY_ASSIGN_OR_RETURN(GroupSecrets secrets, crypto::Parse<GroupSecrets>(plaintext.Reveal()));
  const bool sizes_fit = secrets.joiner_secret.size() == suite.hash_size() &&
                         (!secrets.path_secret.has_value() ||
                          secrets.path_secret->path_secret.size() == suite.hash_size());
  if (!sizes_fit) return absl::InvalidArgumentError("a Welcome holds a secret of the wrong size");
  return secrets;
}

}  // namespace parley::mls
