#include "crypto/mls/leaf_renewal.h"

namespace parley::mls {

RenewedLeaf RenewLeaf(const LeafNode& old, const SignatureKey& old_key,
                      const LeafRenewal& renewal) {
  RenewedLeaf renewed{old, old_key.Clone(), false};
  if (renewal.signature_key != nullptr) {
    renewed.signature_key = renewal.signature_key->Clone();
    renewed.new_signature_key = true;
  } else if (renewal.new_signature_key) {
    renewed.signature_key = SignatureKey::Generate();
    renewed.new_signature_key = true;
  }
  LeafNode& leaf = renewed.leaf;
  const auto& public_key = renewed.signature_key.public_key();
  leaf.signature_key.assign(public_key.begin(), public_key.end());
  if (renewal.leaf_extensions.has_value()) leaf.extensions = *renewal.leaf_extensions;
  if (renewal.capabilities != nullptr) leaf.capabilities = *renewal.capabilities;
  if (renewal.identity.has_value()) leaf.credential = Credential::Basic(*renewal.identity);
  if (renewal.credential.has_value()) leaf.credential = *renewal.credential;
  return renewed;
}

}  // namespace parley::mls
