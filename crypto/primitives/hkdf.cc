#include "crypto/primitives/hkdf.h"

#include <algorithm>

#include "crypto/base/check.h"
#include "crypto/primitives/hmac_state.h"

namespace parley::crypto {

Secret HkdfExtract(HashAlgorithm algorithm, ByteView salt, ByteView ikm) {
  return HkdfExtract(algorithm, salt, {ikm});
}

Secret HkdfExtract(HashAlgorithm algorithm, ByteView salt, std::initializer_list<ByteView> ikm) {
  // RFC 5869 section 2.2: PRK = HMAC-Hash(salt, IKM). HMAC pads its key with zeros, so an empty
  // salt and HashLen zeros are the same key.
  HmacState hmac(algorithm, salt);
  for (ByteView part : ikm) hmac.Update(part);
  Secret prk(HashSize(algorithm));
  hmac.FinishInto(prk.RevealMutable());
  return prk;
}

Secret HkdfExpand(HashAlgorithm algorithm, ByteView prk, ByteView info, size_t length) {
  const size_t hash_size = HashSize(algorithm);
  PARLEY_CHECK(length <= 255 * hash_size);
  PARLEY_CHECK(prk.size() >= hash_size);
  // RFC 5869 section 2.3: T(n) = HMAC-Hash(PRK, T(n - 1) | info | n), T(0) empty.
  Secret out(length);
  Secret block(hash_size);
  size_t done = 0;
  for (uint8_t n = 1; done < length; ++n) {
    HmacState hmac(algorithm, prk);
    if (n > 1) hmac.Update(block.Reveal());
    hmac.Update(info);
    hmac.Update(ByteView(&n, 1));
    hmac.FinishInto(block.RevealMutable());
    const size_t take = std::min(hash_size, length - done);
    std::copy_n(block.Reveal().begin(), take, out.RevealMutable().begin() + done);
    done += take;
  }
  return out;
}

}  // namespace parley::crypto
