// The labelled key derivation functions of RFC 9180 section 4 and draft-ietf-hpke-hpke section 4,
// shared by KEMs and HPKE; inside crypto/primitives only.
#ifndef PARLEY_CRYPTO_PRIMITIVES_LABELED_KDF_H_
#define PARLEY_CRYPTO_PRIMITIVES_LABELED_KDF_H_

#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"
#include "crypto/primitives/hash.h"

namespace parley::crypto {

inline constexpr std::string_view kHpkeVersion = "HPKE-v1";

// I2OSP(value, 2).
ByteArray<2> BigEndian16(uint16_t value);

// def LabeledExtract(salt, label, ikm):
//   labeled_ikm = concat("HPKE-v1", suite_id, label, ikm)
//   return Extract(salt, labeled_ikm)
Secret LabeledExtract(HashAlgorithm hash, ByteView suite_id, ByteView salt, std::string_view label,
                      ByteView ikm);

// def LabeledExpand(prk, label, info, L):
//   labeled_info = concat(I2OSP(L, 2), "HPKE-v1", suite_id, label, info)
//   return Expand(prk, labeled_info, L)
Secret LabeledExpand(HashAlgorithm hash, ByteView suite_id, ByteView prk, std::string_view label,
                     ByteView info, size_t length);

// The one-stage function of draft-ietf-hpke-hpke, with SHAKE256:
// def LabeledDerive(ikm, label, context, L):
//   labeled_ikm = concat(ikm, "HPKE-v1", suite_id, lengthPrefixed(label), I2OSP(L, 2), context)
//   return Derive(labeled_ikm, L)
Secret LabeledDerive(ByteView suite_id, ByteView ikm, std::string_view label, ByteView context,
                     size_t length);

}  // namespace parley::crypto

#endif  // PARLEY_CRYPTO_PRIMITIVES_LABELED_KDF_H_
