#include "crypto/mls/key_package.h"

#include "crypto/mls/framing.h"
#include "crypto/mls/grease.h"
#include "crypto/mls/suite_crypto.h"

namespace parley::mls {
namespace {

constexpr std::string_view kKeyPackageTbsLabel = "KeyPackageTBS";
constexpr std::string_view kRefLabel = "MLS 1.0 KeyPackage Reference";

// The stored form: this version, the key package, the three private keys.
constexpr uint16_t kStoredVersion = 1;

// struct { … all fields of KeyPackage but the signature … } KeyPackageTBS;
Bytes ToBeSigned(const KeyPackage& key_package) {
  crypto::Writer w;
  Encode(w, key_package.version);
  Encode(w, key_package.suite);
  Encode(w, key_package.init_key);
  Encode(w, key_package.leaf_node);
  Encode(w, key_package.extensions);
  return std::move(w).Take();
}

absl::Status CheckPrivateKey(const CipherSuite& suite, const Secret& private_key,
                             const Bytes& public_key) {
  PARLEY_ASSIGN_OR_RETURN(Bytes fitting, suite.kem().PublicKeyOf(private_key.Reveal()));
  if (fitting != public_key) {
    return absl::InvalidArgumentError("a private key doesn't fit its key package");
  }
  return absl::OkStatus();
}

// Section 10: "Extensions included in the extensions or leaf_node.extensions fields MUST be
// included in the leaf_node.capabilities field." GREASE may be there all the same: see
// VALIDATION.md.
absl::Status CheckKeyPackageExtensions(const Extensions& extensions, const LeafNode& leaf) {
  PARLEY_RETURN_IF_ERROR(CheckExtensionsUnique(extensions));
  for (const Extension& extension : extensions) {
    if (!IsGrease(static_cast<uint16_t>(extension.type)) &&
        !leaf.capabilities.Supports(extension.type)) {
      return absl::InvalidArgumentError("a key package has an extension its leaf doesn't support");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<KeyPackage> ParseKeyPackageMessage(ByteView message) {
  PARLEY_ASSIGN_OR_RETURN(MlsMessage parsed, ParseMessage(message));
  if (auto* key_package = std::get_if<KeyPackage>(&parsed.body)) return std::move(*key_package);
  return absl::InvalidArgumentError("this message is not a key package");
}

Bytes SerializeKeyPackageMessage(const KeyPackage& key_package) {
  return crypto::Serialize(MlsMessage{key_package});
}

absl::StatusOr<Bytes> KeyPackageRef(const KeyPackage& key_package) {
  PARLEY_ASSIGN_OR_RETURN(const CipherSuite* suite, FindCipherSuite(key_package.suite));
  return RefHash(*suite, kRefLabel, crypto::Serialize(key_package));
}

absl::Status ValidateKeyPackage(const KeyPackage& key_package,
                                std::optional<uint64_t> now_seconds) {
  if (key_package.version != ProtocolVersion::kMls10) {
    return absl::InvalidArgumentError("a key package of another protocol version");
  }
  PARLEY_ASSIGN_OR_RETURN(const CipherSuite* suite, FindCipherSuite(key_package.suite));
  const LeafNode& leaf = key_package.leaf_node;
  // Section 7.3: "If the LeafNode appears in a KeyPackage, verify that leaf_node_source is set to
  // key_package."
  if (leaf.source != LeafNodeSource::kKeyPackage) {
    return absl::InvalidArgumentError("a key package's leaf wasn't made for a key package");
  }
  if (now_seconds.has_value() && !leaf.lifetime.Contains(*now_seconds)) {
    return absl::InvalidArgumentError("a key package has expired or isn't valid yet");
  }
  // Section 10.1: "Verify that the value of leaf_node.encryption_key is different from the value
  // of the init_key field."
  if (key_package.init_key == leaf.encryption_key) {
    return absl::InvalidArgumentError("a key package uses one key for two purposes");
  }
  PARLEY_RETURN_IF_ERROR(CheckKeyPackageExtensions(key_package.extensions, leaf));
  PARLEY_RETURN_IF_ERROR(suite->kem().CheckPublicKey(key_package.init_key));
  PARLEY_RETURN_IF_ERROR(ValidateLeafNode(*suite, {}, leaf));
  return VerifyWithLabel(leaf.signature_key, kKeyPackageTbsLabel, ToBeSigned(key_package),
                         key_package.signature);
}

void SignKeyPackage(const crypto::SignatureKey& key, KeyPackage& key_package) {
  key_package.signature = SignWithLabel(key, kKeyPackageTbsLabel, ToBeSigned(key_package));
}

absl::StatusOr<KeyPackageBundle> KeyPackageBundle::Create(const KeyPackageOptions& options) {
  PARLEY_ASSIGN_OR_RETURN(const CipherSuite* suite, FindCipherSuite(options.suite));
  KeyPackageBundle bundle;
  crypto::KemKeyPair init = suite->kem().GenerateKeyPair();
  crypto::KemKeyPair leaf_keys = suite->kem().GenerateKeyPair();
  const SignatureKey signature_key =
      options.signature_key != nullptr ? options.signature_key->Clone() : SignatureKey::Generate();

  LeafNode leaf;
  leaf.encryption_key = std::move(leaf_keys.public_key);
  leaf.signature_key.assign(signature_key.public_key().begin(), signature_key.public_key().end());
  leaf.credential = options.credential.value_or(Credential::Basic(options.identity));
  leaf.capabilities = options.capabilities.value_or(Capabilities::Default(options.suite));
  leaf.source = LeafNodeSource::kKeyPackage;
  leaf.lifetime = options.lifetime;
  leaf.extensions = options.leaf_extensions;
  Extensions extensions = options.key_package_extensions;
  if (options.grease) {
    GreaseExtensions(extensions);
    GreaseLeaf(leaf, extensions);
  }
  PARLEY_RETURN_IF_ERROR(CheckLeafNodeForm(*suite, leaf));
  PARLEY_RETURN_IF_ERROR(CheckKeyPackageExtensions(extensions, leaf));
  SignLeafNode(signature_key, {}, leaf);

  bundle.key_package_ = {.version = ProtocolVersion::kMls10,
                         .suite = options.suite,
                         .init_key = std::move(init.public_key),
                         .leaf_node = std::move(leaf),
                         .extensions = std::move(extensions),
                         .signature = {}};
  SignKeyPackage(signature_key, bundle.key_package_);
  bundle.init_private_ = std::move(init.private_key);
  bundle.leaf_private_ = std::move(leaf_keys.private_key);
  bundle.signature_private_ = signature_key.Seed();
  return bundle;
}

absl::StatusOr<KeyPackageBundle> KeyPackageBundle::FromParts(KeyPackage key_package,
                                                             Secret init_private,
                                                             Secret leaf_private,
                                                             Secret signature_private) {
  PARLEY_ASSIGN_OR_RETURN(const CipherSuite* suite, FindCipherSuite(key_package.suite));
  PARLEY_RETURN_IF_ERROR(CheckPrivateKey(*suite, init_private, key_package.init_key));
  PARLEY_RETURN_IF_ERROR(
      CheckPrivateKey(*suite, leaf_private, key_package.leaf_node.encryption_key));
  PARLEY_ASSIGN_OR_RETURN(SignatureKey signature_key,
                          SignatureKey::FromSeed(signature_private.Reveal()));
  if (!crypto::PublicEquals(signature_key.public_key(), key_package.leaf_node.signature_key)) {
    return absl::InvalidArgumentError("a private key doesn't fit its key package");
  }
  KeyPackageBundle bundle;
  bundle.key_package_ = std::move(key_package);
  bundle.init_private_ = std::move(init_private);
  bundle.leaf_private_ = std::move(leaf_private);
  bundle.signature_private_ = std::move(signature_private);
  return bundle;
}

absl::StatusOr<KeyPackageBundle> KeyPackageBundle::Parse(ByteView stored) {
  crypto::Reader r(stored);
  uint16_t version = 0;
  KeyPackage key_package;
  Secret init, leaf, signature;
  const bool readable = Decode(r, version).ok() && version == kStoredVersion &&
                        Decode(r, key_package).ok() && Decode(r, init).ok() &&
                        Decode(r, leaf).ok() && Decode(r, signature).ok() && r.ExpectEnd().ok();
  if (readable) {
    absl::StatusOr<KeyPackageBundle> bundle =
        FromParts(std::move(key_package), std::move(init), std::move(leaf), std::move(signature));
    if (bundle.ok()) return bundle;
  }
  return absl::DataLossError("a stored key package is damaged or from a later version");
}

Secret KeyPackageBundle::SerializeSecret() const {
  crypto::Writer w;
  Encode(w, kStoredVersion);
  Encode(w, key_package_);
  Encode(w, init_private_);
  Encode(w, leaf_private_);
  Encode(w, signature_private_);
  return std::move(w).TakeSecret();
}

Bytes KeyPackageBundle::Ref() const {
  // The constructors accept none but our own suites.
  return KeyPackageRef(key_package_).value();
}

}  // namespace parley::mls
