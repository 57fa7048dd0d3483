#include "crypto/mls/leaf_node.h"

#include <algorithm>

#include "crypto/mls/suite_crypto.h"

namespace parley::mls {

namespace {

constexpr std::string_view kLeafNodeTbsLabel = "LeafNodeTBS";

template <typename T>
bool Has(const std::vector<T>& list, T value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// All fields but the signature.
void EncodeUnsigned(crypto::Writer& w, const LeafNode& leaf) {
  Encode(w, leaf.encryption_key);
  Encode(w, leaf.signature_key);
  Encode(w, leaf.credential);
  Encode(w, leaf.capabilities);
  Encode(w, leaf.source);
  switch (leaf.source) {
    case LeafNodeSource::kKeyPackage:
      Encode(w, leaf.lifetime);
      break;
    case LeafNodeSource::kUpdate:
      break;
    case LeafNodeSource::kCommit:
      Encode(w, leaf.parent_hash);
      break;
  }
  Encode(w, leaf.extensions);
}

// struct {
//     … all fields of LeafNode but the signature …
//     select (LeafNodeTBS.leaf_node_source) {
//         case key_package: struct{};
//         case update:
//         case commit:      opaque group_id<V>; uint32 leaf_index;
//     };
// } LeafNodeTBS;
Bytes ToBeSigned(const LeafPlace& place, const LeafNode& leaf) {
  crypto::Writer w;
  EncodeUnsigned(w, leaf);
  if (leaf.source != LeafNodeSource::kKeyPackage) {
    w.WriteOpaque(place.group_id);
    w.WriteUint32(place.index.value);
  }
  return std::move(w).Take();
}

}  // namespace

Capabilities Capabilities::Default(CipherSuiteId suite, std::vector<ExtensionType> extensions) {
  return {.versions = {ProtocolVersion::kMls10},
          .cipher_suites = {suite},
          .extensions = std::move(extensions),
          .proposals = {},
          .credentials = {CredentialType::kBasic}};
}

// Section 7.2: the default types "MUST NOT be listed" and are understood by everyone.
bool Capabilities::Supports(ExtensionType type) const {
  return IsDefaultExtension(type) || Has(extensions, type);
}
bool Capabilities::Supports(ProposalType type) const {
  return IsDefaultProposal(type) || Has(proposals, type);
}
bool Capabilities::Supports(CredentialType type) const { return Has(credentials, type); }

void Encode(crypto::Writer& w, const LeafNode& leaf) {
  EncodeUnsigned(w, leaf);
  Encode(w, leaf.signature);
}

absl::Status Decode(crypto::Reader& r, LeafNode& leaf) {
  PARLEY_RETURN_IF_ERROR(Decode(r, leaf.encryption_key));
  PARLEY_RETURN_IF_ERROR(Decode(r, leaf.signature_key));
  PARLEY_RETURN_IF_ERROR(Decode(r, leaf.credential));
  PARLEY_RETURN_IF_ERROR(Decode(r, leaf.capabilities));
  PARLEY_RETURN_IF_ERROR(Decode(r, leaf.source));
  switch (leaf.source) {
    case LeafNodeSource::kKeyPackage:
      PARLEY_RETURN_IF_ERROR(Decode(r, leaf.lifetime));
      break;
    case LeafNodeSource::kUpdate:
      break;
    case LeafNodeSource::kCommit:
      PARLEY_RETURN_IF_ERROR(Decode(r, leaf.parent_hash));
      break;
    default:
      return absl::InvalidArgumentError("a leaf node of an unknown source");
  }
  PARLEY_RETURN_IF_ERROR(Decode(r, leaf.extensions));
  return Decode(r, leaf.signature);
}

void SignLeafNode(const SignatureKey& key, const LeafPlace& place, LeafNode& leaf) {
  leaf.signature = SignWithLabel(key, kLeafNodeTbsLabel, ToBeSigned(place, leaf));
}

absl::Status VerifyLeafNodeSignature(const LeafPlace& place, const LeafNode& leaf) {
  return VerifyWithLabel(leaf.signature_key, kLeafNodeTbsLabel, ToBeSigned(place, leaf),
                         leaf.signature);
}

absl::Status CheckLeafNodeForm(const CipherSuite& suite, const LeafNode& leaf) {
  PARLEY_RETURN_IF_ERROR(CheckExtensionsUnique(leaf.extensions));
  const Capabilities& can = leaf.capabilities;
  for (size_t size : {can.versions.size(), can.cipher_suites.size(), can.extensions.size(),
                      can.proposals.size(), can.credentials.size()}) {
    if (size > Capabilities::kMaxListed) {
      return absl::InvalidArgumentError("a leaf node with too many capabilities");
    }
  }
  // Section 7.2: the group's version and suite must be among those of the leaf.
  if (!Has(can.versions, ProtocolVersion::kMls10) || !Has(can.cipher_suites, suite.id)) {
    return absl::InvalidArgumentError("a leaf node doesn't support the group's version or suite");
  }
  // Section 7.3: "the ID for each extension in the extensions field is listed in the
  // capabilities.extensions field of the LeafNode".
  for (const Extension& extension : leaf.extensions) {
    if (!can.Supports(extension.type)) {
      return absl::InvalidArgumentError("a leaf node has an extension it doesn't support");
    }
  }
  if (!can.Supports(leaf.credential.type)) {
    return absl::InvalidArgumentError("a leaf node has a credential it doesn't support");
  }
  return absl::OkStatus();
}

absl::Status ValidateLeafNode(const CipherSuite& suite, const LeafPlace& place,
                              const LeafNode& leaf) {
  PARLEY_RETURN_IF_ERROR(CheckLeafNodeForm(suite, leaf));
  PARLEY_RETURN_IF_ERROR(suite.kem().CheckPublicKey(leaf.encryption_key));
  return VerifyLeafNodeSignature(place, leaf);
}

}  // namespace parley::mls
