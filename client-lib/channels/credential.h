// ParleyCredential: whose device an MLS leaf is (docs/protocol.md section 5).
#ifndef PARLEY_CLIENT_LIB_CHANNELS_CREDENTIAL_H_
#define PARLEY_CLIENT_LIB_CHANNELS_CREDENTIAL_H_

#include "absl/status/statusor.h"
#include "client-lib/channels/channel_ids.h"
#include "crypto/mls/credential.h"
#include "crypto/mls/extension.h"
#include "crypto/mls/key_package.h"

namespace parley::client {

// struct {
//   uint8  version = 1;
//   opaque participant_id[16];
//   opaque device_id[16];
//   opaque identity_key[32];
//   Extension extensions<V>;
// } ParleyCredential;
struct ParleyCredential {
  ParticipantId participant_id;
  DeviceId device_id;
  IdentityKey identity_key{};
  mls::Extensions extensions;

  friend bool operator==(const ParleyCredential&, const ParleyCredential&) = default;
};

Bytes SerializeCredential(const ParleyCredential& credential);

// Errors: InvalidArgument for other bytes, another version, repeated extensions, trailing bytes.
absl::StatusOr<ParleyCredential> ParseCredential(ByteView bytes);

// The credential of a leaf. Errors: InvalidArgument, also for one that isn't basic.
absl::StatusOr<ParleyCredential> CredentialOf(const mls::Credential& credential);

// What leaves of our channels can do: the first suite, basic credentials, the ChannelState
// extension.
mls::Capabilities ChannelCapabilities();

// A fresh key package for being added to one channel; its private half stays in the profile until
// the Welcome comes. It has no end of its own, and none is asked for by those who are handed it:
// see the end of crypto/mls/VALIDATION.md.
absl::StatusOr<mls::KeyPackageBundle> MakeKeyPackage(const ParleyCredential& credential);

// Whose a key package (MLSMessage) is, after checking it: suite, signatures, capabilities,
// credential. Errors: InvalidArgument, Unauthenticated.
absl::StatusOr<ParleyCredential> CheckKeyPackage(ByteView key_package_message);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_CREDENTIAL_H_
