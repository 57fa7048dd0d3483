// What a new member gets (RFC 9420 section 12.4.3): GroupInfo, GroupSecrets and the Welcome around
// them.
#ifndef PARLEY_CRYPTO_MLS_WELCOME_H_
#define PARLEY_CRYPTO_MLS_WELCOME_H_

#include <optional>
#include <tuple>
#include <vector>

#include "crypto/mls/group_context.h"
#include "crypto/mls/key_schedule.h"
#include "crypto/mls/psk.h"
#include "crypto/mls/suite_crypto.h"

namespace parley::mls {

// struct {
//     GroupContext group_context;
//     Extension extensions<V>;
//     MAC confirmation_tag;
//     uint32 signer;
//     opaque signature<V>;          SignWithLabel(., "GroupInfoTBS", GroupInfoTBS)
// } GroupInfo;
struct GroupInfo {
  GroupContext group_context;
  Extensions extensions;
  Bytes confirmation_tag;
  uint32_t signer = 0;
  Bytes signature;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.group_context, self.extensions, self.confirmation_tag, self.signer,
                    self.signature);
  }
  friend bool operator==(const GroupInfo&, const GroupInfo&) = default;
};

// Signs `info`, replacing its signature.
void SignGroupInfo(const SignatureKey& key, GroupInfo& info);
// Errors: Unauthenticated.
absl::Status VerifyGroupInfo(ByteView signature_key, const GroupInfo& info);

// struct {
//     opaque path_secret<V>;
// } PathSecret;
struct PathSecret {
  Secret path_secret;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.path_secret);
  }
};

// struct {
//     opaque joiner_secret<V>;
//     optional<PathSecret> path_secret;
//     PreSharedKeyID psks<V>;
// } GroupSecrets;
struct GroupSecrets {
  Secret joiner_secret;
  std::optional<PathSecret> path_secret;
  std::vector<PreSharedKeyId> psks;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.joiner_secret, self.path_secret, self.psks);
  }
};

// struct {
//     KeyPackageRef new_member;
//     HPKECiphertext encrypted_group_secrets;
// } EncryptedGroupSecrets;
struct EncryptedGroupSecrets {
  Bytes new_member;
  HpkeCiphertext encrypted_group_secrets;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.new_member, self.encrypted_group_secrets);
  }
  friend bool operator==(const EncryptedGroupSecrets&, const EncryptedGroupSecrets&) = default;
};

// struct {
//     CipherSuite cipher_suite;
//     EncryptedGroupSecrets secrets<V>;
//     opaque encrypted_group_info<V>;
// } Welcome;
struct Welcome {
  CipherSuiteId suite{};
  std::vector<EncryptedGroupSecrets> secrets;
  Bytes encrypted_group_info;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.suite, self.secrets, self.encrypted_group_info);
  }
  friend bool operator==(const Welcome&, const Welcome&) = default;
};

// The GroupInfo under the key and nonce that `welcome_secret` gives.
Bytes SealGroupInfo(const CipherSuite& suite, const WelcomeSecret& welcome_secret,
                    const GroupInfo& info);
// Errors: Unauthenticated; InvalidArgument when what is inside isn't a GroupInfo.
absl::StatusOr<GroupInfo> OpenGroupInfo(const CipherSuite& suite,
                                        const WelcomeSecret& welcome_secret,
                                        const Welcome& welcome);

// What encrypts the secrets for every new member. EncryptWithLabel's context is the whole encrypted
// GroupInfo, with the ratchet tree in it as a rule.
LabelledEncryption WelcomeEncryption(const CipherSuite& suite, ByteView encrypted_group_info);
// The secrets for one new member, under its init key.
absl::StatusOr<EncryptedGroupSecrets> SealGroupSecrets(const LabelledEncryption& encryption,
                                                       ByteView key_package_ref, ByteView init_key,
                                                       const GroupSecrets& secrets);
// The secrets that `welcome` has for `key_package_ref`.
// Errors: NotFound when it has none; Unauthenticated; InvalidArgument for a secret of a size other
// than KDF.Nh.
absl::StatusOr<GroupSecrets> OpenGroupSecrets(const CipherSuite& suite, const Welcome& welcome,
                                              ByteView key_package_ref, const Secret& init_private);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_WELCOME_H_
