// Key packages (RFC 9420 section 10): how somebody can be added to a group while away.
//
//   KeyPackageOptions options{.suite = CipherSuiteId::kParley, .identity = credential_bytes};
//   PARLEY_ASSIGN_OR_RETURN(KeyPackageBundle bundle, KeyPackageBundle::Create(options));
//   Send(bundle.message());                       // public: an MLSMessage
//   Store(bundle.Ref(), bundle.SerializeSecret()); // private: for Group::Join later
#ifndef PARLEY_CRYPTO_MLS_KEY_PACKAGE_H_
#define PARLEY_CRYPTO_MLS_KEY_PACKAGE_H_

#include <optional>
#include <tuple>

#include "crypto/mls/leaf_node.h"

namespace parley::mls {

// struct {
//     ProtocolVersion version;
//     CipherSuite cipher_suite;
//     HPKEPublicKey init_key;
//     LeafNode leaf_node;
//     Extension extensions<V>;
//     opaque signature<V>;          SignWithLabel(., "KeyPackageTBS", KeyPackageTBS)
// } KeyPackage;
struct KeyPackage {
  ProtocolVersion version = ProtocolVersion::kMls10;
  CipherSuiteId suite{};
  Bytes init_key{};
  LeafNode leaf_node{};
  Extensions extensions{};
  Bytes signature{};

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.suite, self.init_key, self.leaf_node, self.extensions,
                    self.signature);
  }
  friend bool operator==(const KeyPackage&, const KeyPackage&) = default;
};

// The key package in an MLSMessage, decoded and not yet validated.
// Errors: InvalidArgument for anything else, trailing bytes included; ResourceExhausted for more
// than kMaxMessageSize (group.h).
absl::StatusOr<KeyPackage> ParseKeyPackageMessage(ByteView message);
// The other direction: an MLSMessage of wire format mls_key_package.
Bytes SerializeKeyPackageMessage(const KeyPackage& key_package);

// Section 5.2: RefHash("MLS 1.0 KeyPackage Reference", key package).
// Errors: InvalidArgument when the suite is not one of ours.
absl::StatusOr<Bytes> KeyPackageRef(const KeyPackage& key_package);

// Section 10.1, as far as the key package alone decides it: version and suite, its leaf
// (ValidateLeafNode, source key_package), its signature, init key different from the leaf's
// encryption key and both valid for the KEM. With `now_seconds`, the lifetime too.
// Errors: Unauthenticated for a signature; InvalidArgument otherwise.
absl::Status ValidateKeyPackage(const KeyPackage& key_package,
                                std::optional<uint64_t> now_seconds = std::nullopt);

// Signs `key_package`, replacing its signature. Its leaf has been signed before.
void SignKeyPackage(const crypto::SignatureKey& key, KeyPackage& key_package);

struct KeyPackageOptions {
  CipherSuiteId suite = CipherSuiteId::kParley;
  Bytes identity{};                            // of the basic credential
  Lifetime lifetime{};                         // by default without end
  std::optional<Capabilities> capabilities{};  // by default Capabilities::Default(suite)
  Extensions leaf_extensions{};                // their types must be among the capabilities
  Extensions key_package_extensions{};         // likewise
  // Another credential than a basic one, and the key that it speaks of; the key is copied.
  std::optional<Credential> credential{};
  const crypto::SignatureKey* signature_key = nullptr;
  // Section 13.5: random values without meaning among capabilities and extensions, so that others
  // stay able to ignore what they don't know.
  bool grease = false;
};

// A key package with its private half. Every key in it is fresh.
//
// Threading: const calls may run together. Secrets: three private keys, wiped when it is destroyed
// or given to Group::Join, which takes it for good: a key package serves once.
class KeyPackageBundle {
 public:
  // Errors: InvalidArgument for an unknown suite or an extension missing from the capabilities.
  static absl::StatusOr<KeyPackageBundle> Create(const KeyPackageOptions& options);

  // Puts a bundle together from parts that were made elsewhere (test vectors, other programs).
  // Errors: InvalidArgument when a private key doesn't fit its public one.
  static absl::StatusOr<KeyPackageBundle> FromParts(KeyPackage key_package, Secret init_private,
                                                    Secret leaf_private, Secret signature_private);

  // Reads what SerializeSecret() wrote.
  // Errors: DataLoss when it is damaged or of a later version.
  static absl::StatusOr<KeyPackageBundle> Parse(ByteView stored);
  // All of it, private keys included, in a versioned format, for the profile's store.
  Secret SerializeSecret() const;

  const KeyPackage& key_package() const { return key_package_; }
  // The public key package as an MLSMessage.
  Bytes message() const { return SerializeKeyPackageMessage(key_package_); }
  // By which a Welcome names it.
  Bytes Ref() const;

  const Secret& init_private() const { return init_private_; }
  const Secret& leaf_private() const { return leaf_private_; }
  const Secret& signature_private() const { return signature_private_; }

  KeyPackageBundle(KeyPackageBundle&&) = default;
  KeyPackageBundle& operator=(KeyPackageBundle&&) = default;

 private:
  KeyPackageBundle() = default;

  KeyPackage key_package_;
  Secret init_private_;
  Secret leaf_private_;
  Secret signature_private_;
};

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_KEY_PACKAGE_H_
