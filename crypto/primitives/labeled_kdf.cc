#include "crypto/primitives/labeled_kdf.h"

#include "crypto/base/check.h"
#include "crypto/primitives/hkdf.h"

namespace parley::crypto {

ByteArray<2> BigEndian16(uint16_t value) {
  return {static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)};
}

Secret LabeledExtract(HashAlgorithm hash, ByteView suite_id, ByteView salt, std::string_view label,
                      ByteView ikm) {
  return HkdfExtract(hash, salt, {ViewOf(kHpkeVersion), suite_id, ViewOf(label), ikm});
}

Secret LabeledExpand(HashAlgorithm hash, ByteView suite_id, ByteView prk, std::string_view label,
                     ByteView info, size_t length) {
  PARLEY_CHECK(length <= 255 * HashSize(hash));
  const Bytes labeled_info = Concat({BigEndian16(static_cast<uint16_t>(length)),
                                     ViewOf(kHpkeVersion), suite_id, ViewOf(label), info});
  return HkdfExpand(hash, prk, labeled_info, length);
}

Secret LabeledDerive(ByteView suite_id, ByteView ikm, std::string_view label, ByteView context,
                     size_t length) {
  PARLEY_CHECK(length <= UINT16_MAX && label.size() <= UINT16_MAX);
  const Secret labeled_ikm = ConcatSecret(
      {ikm, ViewOf(kHpkeVersion), suite_id, BigEndian16(static_cast<uint16_t>(label.size())),
       ViewOf(label), BigEndian16(static_cast<uint16_t>(length)), context});
  return Shake256(labeled_ikm.Reveal(), length);
}

}  // namespace parley::crypto
