#include "client-lib/documents/leaf_hash.h"

#include <openssl/evp.h>

#include <memory>

#include "crypto/base/check.h"

namespace parley::client::internal {

crypto::TreeHash LeafOf(crypto::ByteView piece) {
  constexpr uint8_t kLeafPrefix = 0x00;
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  crypto::TreeHash hash;
  PARLEY_CHECK(context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1 &&
               EVP_DigestUpdate(context.get(), &kLeafPrefix, 1) == 1 &&
               EVP_DigestUpdate(context.get(), piece.data(), piece.size()) == 1 &&
               EVP_DigestFinal_ex(context.get(), hash.data(), nullptr) == 1);
  return hash;
}

}  // namespace parley::client::internal
