#include "crypto/primitives/aead.h"

#include <sodium.h>

#include <algorithm>

#include "crypto/base/check.h"
#include "crypto/base/status_macros.h"
#include "crypto/primitives/random.h"

namespace parley::crypto {
namespace {

using EncryptFunction = int (*)(unsigned char*, unsigned long long*, const unsigned char*,
                                unsigned long long, const unsigned char*, unsigned long long,
                                const unsigned char*, const unsigned char*, const unsigned char*);
using DecryptFunction = int (*)(unsigned char*, unsigned long long*, unsigned char*,
                                const unsigned char*, unsigned long long, const unsigned char*,
                                unsigned long long, const unsigned char*, const unsigned char*);

struct AeadRow {
  size_t key_size;
  size_t nonce_size;
  size_t tag_size;
  EncryptFunction encrypt;
  DecryptFunction decrypt;
};

constexpr AeadRow kChaCha20Poly1305Row = {
    crypto_aead_chacha20poly1305_ietf_KEYBYTES, crypto_aead_chacha20poly1305_ietf_NPUBBYTES,
    crypto_aead_chacha20poly1305_ietf_ABYTES, crypto_aead_chacha20poly1305_ietf_encrypt,
    crypto_aead_chacha20poly1305_ietf_decrypt};
constexpr AeadRow kXChaCha20Poly1305Row = {
    crypto_aead_xchacha20poly1305_ietf_KEYBYTES, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    crypto_aead_xchacha20poly1305_ietf_ABYTES, crypto_aead_xchacha20poly1305_ietf_encrypt,
    crypto_aead_xchacha20poly1305_ietf_decrypt};
constexpr AeadRow kAegis256Row = {crypto_aead_aegis256_KEYBYTES, crypto_aead_aegis256_NPUBBYTES,
                                  crypto_aead_aegis256_ABYTES, crypto_aead_aegis256_encrypt,
                                  crypto_aead_aegis256_decrypt};

const AeadRow& RowOf(AeadAlgorithm algorithm) {
  switch (algorithm) {
    case AeadAlgorithm::kChaCha20Poly1305:
      return kChaCha20Poly1305Row;
    case AeadAlgorithm::kXChaCha20Poly1305:
      return kXChaCha20Poly1305Row;
    case AeadAlgorithm::kAegis256:
      return kAegis256Row;
  }
  CheckFailed("an AEAD of no known number", __FILE__, __LINE__);
}

const AeadRow& CheckedRow(AeadAlgorithm algorithm, ByteView key, ByteView nonce) {
  InitializeCrypto();
  const AeadRow& row = RowOf(algorithm);
  PARLEY_CHECK(key.size() == row.key_size);
  PARLEY_CHECK(nonce.size() == row.nonce_size);
  return row;
}

// Makes room for the plaintext, opens into it, and hands it over.
template <typename Container, typename SpanOf>
absl::StatusOr<Container> OpenAs(AeadAlgorithm algorithm, ByteView key, ByteView nonce,
                                 ByteView aad, ByteView sealed, SpanOf span_of) {
  const size_t tag_size = AeadTagSize(algorithm);
  if (sealed.size() < tag_size) return DecryptionFailed();
  Container out(sealed.size() - tag_size);
  PARLEY_RETURN_IF_ERROR(OpenInto(algorithm, key, nonce, aad, sealed, span_of(out)));
  return out;
}

}  // namespace

absl::Status DecryptionFailed() {
  return absl::UnauthenticatedError("decryption failed: wrong key, or the data was altered");
}

size_t AeadKeySize(AeadAlgorithm algorithm) { return RowOf(algorithm).key_size; }
size_t AeadNonceSize(AeadAlgorithm algorithm) { return RowOf(algorithm).nonce_size; }
size_t AeadTagSize(AeadAlgorithm algorithm) { return RowOf(algorithm).tag_size; }

void SealInto(AeadAlgorithm algorithm, ByteView key, ByteView nonce, ByteView aad,
              ByteView plaintext, std::span<uint8_t> out) {
  const AeadRow& row = CheckedRow(algorithm, key, nonce);
  PARLEY_CHECK(out.size() == plaintext.size() + row.tag_size);
  const int result = row.encrypt(out.data(), nullptr, plaintext.data(), plaintext.size(),
                                 aad.data(), aad.size(), nullptr, nonce.data(), key.data());
  PARLEY_CHECK(result == 0);
}

absl::Status OpenInto(AeadAlgorithm algorithm, ByteView key, ByteView nonce, ByteView aad,
                      ByteView sealed, std::span<uint8_t> out) {
  const AeadRow& row = CheckedRow(algorithm, key, nonce);
  if (sealed.size() < row.tag_size) {
    WipeBytes(out);
    return DecryptionFailed();
  }
  PARLEY_CHECK(out.size() == sealed.size() - row.tag_size);
  // An empty plaintext still needs a place to point at.
  uint8_t nowhere = 0;
  uint8_t* to = out.empty() ? &nowhere : out.data();
  if (row.decrypt(to, nullptr, nullptr, sealed.data(), sealed.size(), aad.data(), aad.size(),
                  nonce.data(), key.data()) != 0) {
    WipeBytes(out);
    return DecryptionFailed();
  }
  return absl::OkStatus();
}

Bytes Seal(AeadAlgorithm algorithm, ByteView key, ByteView nonce, ByteView aad,
           ByteView plaintext) {
  Bytes out(plaintext.size() + AeadTagSize(algorithm));
  SealInto(algorithm, key, nonce, aad, plaintext, out);
  return out;
}

absl::StatusOr<Bytes> Open(AeadAlgorithm algorithm, ByteView key, ByteView nonce, ByteView aad,
                           ByteView sealed) {
  return OpenAs<Bytes>(algorithm, key, nonce, aad, sealed,
                       [](Bytes& out) { return std::span<uint8_t>(out); });
}

absl::StatusOr<Secret> OpenSecret(AeadAlgorithm algorithm, ByteView key, ByteView nonce,
                                  ByteView aad, ByteView sealed) {
  return OpenAs<Secret>(algorithm, key, nonce, aad, sealed,
                        [](Secret& out) { return out.RevealMutable(); });
}

Bytes SealBox(ByteView key, ByteView aad, ByteView plaintext) {
  Bytes out(kBoxOverhead + plaintext.size());
  std::span<uint8_t> nonce = std::span<uint8_t>(out).first(kXChaChaNonceSize);
  RandomBytes(nonce);
  SealInto(AeadAlgorithm::kXChaCha20Poly1305, key, nonce, aad, plaintext,
           std::span<uint8_t>(out).subspan(kXChaChaNonceSize));
  return out;
}

absl::StatusOr<Bytes> OpenBox(ByteView key, ByteView aad, ByteView box) {
  if (box.size() < kBoxOverhead) return DecryptionFailed();
  return Open(AeadAlgorithm::kXChaCha20Poly1305, key, box.first(kXChaChaNonceSize), aad,
              box.subspan(kXChaChaNonceSize));
}

absl::StatusOr<Secret> OpenBoxSecret(ByteView key, ByteView aad, ByteView box) {
  if (box.size() < kBoxOverhead) return DecryptionFailed();
  return OpenSecret(AeadAlgorithm::kXChaCha20Poly1305, key, box.first(kXChaChaNonceSize), aad,
                    box.subspan(kXChaChaNonceSize));
}

}  // namespace parley::crypto
