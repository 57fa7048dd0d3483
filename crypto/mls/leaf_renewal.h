// A member's leaf with new material, for an Update (RFC 9420 section 12.1.2) or the path of a
// commit (section 7.5).
#ifndef PARLEY_CRYPTO_MLS_LEAF_RENEWAL_H_
#define PARLEY_CRYPTO_MLS_LEAF_RENEWAL_H_

#include "crypto/mls/group_options.h"
#include "crypto/mls/suite_crypto.h"

namespace parley::mls {

// The leaf before it has its new encryption key and is signed, and the key that will sign it.
struct RenewedLeaf {
  LeafNode leaf;
  SignatureKey signature_key;
  bool new_signature_key = false;
};
RenewedLeaf RenewLeaf(const LeafNode& old, const SignatureKey& old_key, const LeafRenewal& renewal);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_LEAF_RENEWAL_H_
