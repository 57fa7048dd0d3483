// Extensions (RFC 9420 section 13): typed byte strings on groups, leaves, key packages and
// GroupInfos, and the few that the protocol itself defines.
#ifndef PARLEY_CRYPTO_MLS_EXTENSION_H_
#define PARLEY_CRYPTO_MLS_EXTENSION_H_

#include <cstdint>
#include <tuple>
#include <vector>

#include "crypto/base/codec.h"
#include "crypto/mls/credential.h"

namespace parley::mls {

// uint16 ExtensionType;
// 0xF000 … 0xFFFF are for private use; 0x?A?A are GREASE (section 13.5) and never mean anything.
enum class ExtensionType : uint16_t {
  kApplicationId = 1,
  kRatchetTree = 2,
  kRequiredCapabilities = 3,
  kExternalPub = 4,
  kExternalSenders = 5,
};

// uint16 ProposalType;
enum class ProposalType : uint16_t {
  kAdd = 1,
  kUpdate = 2,
  kRemove = 3,
  kPreSharedKey = 4,
  kReInit = 5,
  kExternalInit = 6,
  kGroupContextExtensions = 7,
};

// struct {
//     ExtensionType extension_type;
//     opaque extension_data<V>;
// } Extension;
struct Extension {
  ExtensionType type{};
  Bytes data{};
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.type, self.data);
  }
  friend bool operator==(const Extension&, const Extension&) = default;
};
using Extensions = std::vector<Extension>;

// Errors: InvalidArgument also for more than kMaxExtensions.
absl::Status Decode(crypto::Reader& r, Extensions& extensions);

// The extension of this type, or null.
const Extension* FindExtension(const Extensions& extensions, ExtensionType type);

// How many extensions a list may have, and how many types required_capabilities may name: far more
// than any group uses, few enough that checking them against all members takes no time.
inline constexpr size_t kMaxExtensions = 256;
// How many services a group may admit from outside (ours).
inline constexpr size_t kMaxExternalSenders = 256;

// Section 13.4: "Any field containing a list of extensions MUST NOT have more than one extension of
// any given type."
// Errors: InvalidArgument when one does, or has more than kMaxExtensions.
absl::Status CheckExtensionsUnique(const Extensions& extensions);

// Whether `type` is one of RFC 9420's own for this kind of list, which every member supports.
bool IsDefaultExtension(ExtensionType type);
bool IsDefaultProposal(ProposalType type);

// struct {
//     ExtensionType extension_types<V>;
//     ProposalType proposal_types<V>;
//     CredentialType credential_types<V>;
// } RequiredCapabilities;
struct RequiredCapabilities {
  std::vector<ExtensionType> extensions{};
  std::vector<ProposalType> proposals{};
  std::vector<CredentialType> credentials{};
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.extensions, self.proposals, self.credentials);
  }
  friend bool operator==(const RequiredCapabilities&, const RequiredCapabilities&) = default;
};

// struct {
//     SignaturePublicKey signature_key;
//     Credential credential;
// } ExternalSender;
struct ExternalSender {
  Bytes signature_key{};
  Credential credential{};
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.signature_key, self.credential);
  }
  friend bool operator==(const ExternalSender&, const ExternalSender&) = default;
};

// Errors: InvalidArgument also for more than kMaxExternalSenders.
absl::Status Decode(crypto::Reader& r, std::vector<ExternalSender>& senders);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_EXTENSION_H_
