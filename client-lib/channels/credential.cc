#include "client-lib/channels/credential.h"

#include <string>
#include <utility>

#include "client-lib/channels/channel_state.h"
#include "client-lib/store/id_codec.h"
#include "crypto/base/codec.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

constexpr uint8_t kCredentialVersion = 1;

struct Wire {
  uint8_t version = kCredentialVersion;
  ParleyCredential credential;

  template <typename F>
  static auto Fields(F& self) {
    auto& c = self.credential;
    return std::tie(self.version, c.participant_id, c.device_id, c.identity_key, c.extensions);
  }
};

}  // namespace

Bytes SerializeCredential(const ParleyCredential& credential) {
  return crypto::Serialize(Wire{kCredentialVersion, credential});
}

absl::StatusOr<ParleyCredential> ParseCredential(ByteView bytes) {
  if (bytes.empty() || bytes[0] != kCredentialVersion) {
    return absl::InvalidArgumentError("a leaf's credential is not of version 1");
  }
  PARLEY_ASSIGN_OR_RETURN(Wire wire, crypto::Parse<Wire>(bytes));
  PARLEY_RETURN_IF_ERROR(mls::CheckExtensionsUnique(wire.credential.extensions));
  return std::move(wire.credential);
}

absl::StatusOr<ParleyCredential> CredentialOf(const mls::Credential& credential) {
  if (credential.type != mls::CredentialType::kBasic) {
    return absl::InvalidArgumentError("a leaf's credential is not a basic one");
  }
  return ParseCredential(credential.identity);
}

mls::Capabilities ChannelCapabilities() {
  return mls::Capabilities::Default(mls::CipherSuiteId::kParley, {kChannelStateExtension});
}

absl::StatusOr<mls::KeyPackageBundle> MakeKeyPackage(const ParleyCredential& credential) {
  mls::KeyPackageOptions options;
  options.suite = mls::CipherSuiteId::kParley;
  options.identity = SerializeCredential(credential);
  options.capabilities = ChannelCapabilities();
  return mls::KeyPackageBundle::Create(options);
}

absl::StatusOr<ParleyCredential> CheckKeyPackage(ByteView key_package_message) {
  PARLEY_ASSIGN_OR_RETURN(mls::KeyPackage key_package,
                          mls::ParseKeyPackageMessage(key_package_message));
  if (key_package.suite != mls::CipherSuiteId::kParley) {
    return absl::InvalidArgumentError("a key package is of another cipher suite");
  }
  PARLEY_RETURN_IF_ERROR(mls::ValidateKeyPackage(key_package));
  if (!key_package.leaf_node.capabilities.Supports(kChannelStateExtension)) {
    return absl::InvalidArgumentError("a key package is of a client that has no Parley channels");
  }
  return CredentialOf(key_package.leaf_node.credential);
}

}  // namespace parley::client
