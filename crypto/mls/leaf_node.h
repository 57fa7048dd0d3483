// Leaf nodes (RFC 9420 section 7.2): a member's keys, credential and abilities, signed.
#ifndef PARLEY_CRYPTO_MLS_LEAF_NODE_H_
#define PARLEY_CRYPTO_MLS_LEAF_NODE_H_

#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include "crypto/mls/ciphersuite.h"
#include "crypto/mls/credential.h"
#include "crypto/mls/extension.h"
#include "crypto/mls/tree_math.h"

namespace parley::crypto {
class SignatureKey;
}

namespace parley::mls {

// enum { reserved(0), mls10(1), (65535) } ProtocolVersion;
enum class ProtocolVersion : uint16_t { kMls10 = 1 };

// enum { reserved(0), key_package(1), update(2), commit(3), (255) } LeafNodeSource;
enum class LeafNodeSource : uint8_t { kKeyPackage = 1, kUpdate = 2, kCommit = 3 };

// struct {
//     ProtocolVersion versions<V>;
//     CipherSuite cipher_suites<V>;
//     ExtensionType extensions<V>;
//     ProposalType proposals<V>;
//     CredentialType credentials<V>;
// } Capabilities;
struct Capabilities {
  std::vector<ProtocolVersion> versions{};
  std::vector<CipherSuiteId> cipher_suites{};
  std::vector<ExtensionType> extensions{};
  std::vector<ProposalType> proposals{};
  std::vector<CredentialType> credentials{};

  // What this library can do with `suite`, basic credentials, and `extensions` of the application's
  // own (private-use types that groups or leaves will carry; they must be listed to be allowed).
  static Capabilities Default(CipherSuiteId suite, std::vector<ExtensionType> extensions = {});

  // How many values a list of a leaf in a group may have: far more than exist, few enough that
  // looking through those of all members takes no time.
  static constexpr size_t kMaxListed = 1024;

  bool Supports(ExtensionType type) const;
  bool Supports(ProposalType type) const;
  bool Supports(CredentialType type) const;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.versions, self.cipher_suites, self.extensions, self.proposals,
                    self.credentials);
  }
  friend bool operator==(const Capabilities&, const Capabilities&) = default;
};

// struct {
//     uint64 not_before;
//     uint64 not_after;
// } Lifetime;                       in seconds since 1970
struct Lifetime {
  uint64_t not_before = 0;
  uint64_t not_after = UINT64_MAX;

  bool Contains(uint64_t now_seconds) const {
    return not_before <= now_seconds && now_seconds <= not_after;
  }
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.not_before, self.not_after);
  }
  friend bool operator==(const Lifetime&, const Lifetime&) = default;
};

// struct {
//     HPKEPublicKey encryption_key;
//     SignaturePublicKey signature_key;
//     Credential credential;
//     Capabilities capabilities;
//     LeafNodeSource leaf_node_source;
//     select (LeafNode.leaf_node_source) {
//         case key_package: Lifetime lifetime;
//         case update:      struct{};
//         case commit:      opaque parent_hash<V>;
//     };
//     Extension extensions<V>;
//     opaque signature<V>;          SignWithLabel(., "LeafNodeTBS", LeafNodeTBS)
// } LeafNode;
struct LeafNode {
  Bytes encryption_key{};
  Bytes signature_key{};
  Credential credential{};
  Capabilities capabilities{};
  LeafNodeSource source = LeafNodeSource::kKeyPackage;
  Lifetime lifetime{};  // of a key_package leaf
  Bytes parent_hash{};  // of a commit leaf
  Extensions extensions{};
  Bytes signature{};

  friend bool operator==(const LeafNode&, const LeafNode&) = default;
};

void Encode(crypto::Writer& w, const LeafNode& leaf);
absl::Status Decode(crypto::Reader& r, LeafNode& leaf);

// Where a leaf that was made for an update or a commit belongs; part of what is signed.
struct LeafPlace {
  ByteView group_id;
  LeafIndex index;
};

// Signs `leaf`, replacing its signature. `place` is ignored for a key_package leaf.
void SignLeafNode(const crypto::SignatureKey& key, const LeafPlace& place, LeafNode& leaf);

// Errors: Unauthenticated when the signature doesn't fit.
absl::Status VerifyLeafNodeSignature(const LeafPlace& place, const LeafNode& leaf);

// What of section 7.3 can be said of a leaf by itself: its signature, keys of the suite's form, its
// own credential type, protocol version, suite and extensions among its capabilities, no repeated
// extension. Uniqueness and the group's requirements: see tree_validation.h.
// Errors: Unauthenticated for the signature, InvalidArgument otherwise.
absl::Status ValidateLeafNode(const CipherSuite& suite, const LeafPlace& place,
                              const LeafNode& leaf);
// The same without the signature and the key's form, for a leaf that one has made oneself.
// Errors: InvalidArgument.
absl::Status CheckLeafNodeForm(const CipherSuite& suite, const LeafNode& leaf);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_LEAF_NODE_H_
