// A cipher suite's row and the functions that RFC 9420 builds on its algorithms: labelled hashes,
// derivations, signatures and encryption (sections 5.1, 5.2, 8 and 9).
//
// For this folder's files; others see ciphersuite.h.
// Threading: free functions without shared state.
#ifndef PARLEY_CRYPTO_MLS_SUITE_CRYPTO_H_
#define PARLEY_CRYPTO_MLS_SUITE_CRYPTO_H_

#include <initializer_list>
#include <string_view>
#include <tuple>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/base/codec.h"
#include "crypto/mls/ciphersuite.h"
#include "crypto/primitives/aead.h"
#include "crypto/primitives/hash.h"
#include "crypto/primitives/kem.h"
#include "crypto/primitives/signature.h"

namespace parley::mls {

using crypto::SignatureKey;

struct CipherSuite {
  CipherSuiteId id;
  crypto::HashAlgorithm hash;  // also of HKDF and HMAC
  const crypto::Kem& (*kem_object)();
  crypto::AeadAlgorithm aead;

  const crypto::Kem& kem() const { return kem_object(); }
  size_t hash_size() const { return crypto::HashSize(hash); }  // KDF.Nh
  size_t key_size() const { return crypto::AeadKeySize(aead); }
  size_t nonce_size() const { return crypto::AeadNonceSize(aead); }
};

Bytes SuiteHash(const CipherSuite& suite, std::initializer_list<ByteView> parts);

// Section 5.2: Hash(RefHashInput { label, value }).
Bytes RefHash(const CipherSuite& suite, std::string_view label, ByteView value);

// HMAC under the suite's hash, for confirmation and membership tags.
Bytes Mac(const CipherSuite& suite, const Secret& key, ByteView data);
// Errors: Unauthenticated.
absl::Status VerifyMac(const CipherSuite& suite, const Secret& key, ByteView data, ByteView mac);

Secret Extract(const CipherSuite& suite, ByteView salt, ByteView ikm);
// KDF.Nh zero bytes: section 8's `0`.
Secret ZeroSecret(const CipherSuite& suite);

// Section 8: KDF.Expand(secret, KDFLabel { length, "MLS 1.0 " + label, context }, length).
// Requires: `secret` of at least KDF.Nh bytes; 0 < length <= 255 * KDF.Nh.
Secret ExpandWithLabel(const CipherSuite& suite, const Secret& secret, std::string_view label,
                       ByteView context, size_t length);
// Section 8: ExpandWithLabel(secret, label, "", KDF.Nh).
Secret DeriveSecret(const CipherSuite& suite, const Secret& secret, std::string_view label);
// Section 9: ExpandWithLabel(secret, label, uint32 generation, length).
Secret DeriveTreeSecret(const CipherSuite& suite, const Secret& secret, std::string_view label,
                        uint32_t generation, size_t length);

// opaque label<V> = "MLS 1.0 " + label: what every signature and derivation begins with.
void WriteLabel(crypto::Writer& w, std::string_view label);

// Section 5.1.2: a signature over SignContent { "MLS 1.0 " + label, content }.
Bytes SignWithLabel(const SignatureKey& key, std::string_view label, ByteView content);
// Errors: Unauthenticated.
absl::Status VerifyWithLabel(ByteView public_key, std::string_view label, ByteView content,
                             ByteView signature);

// struct {
//     opaque kem_output<V>;
//     opaque ciphertext<V>;
// } HPKECiphertext;
struct HpkeCiphertext {
  Bytes kem_output;
  Bytes ciphertext;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.kem_output, self.ciphertext);
  }
  friend bool operator==(const HpkeCiphertext&, const HpkeCiphertext&) = default;
};

// Errors: InvalidArgument also for what no KEM and no AEAD of any suite puts out: a kem_output of
// less than 32 bytes, a ciphertext of less than its tag of 16.
absl::Status Decode(crypto::Reader& r, HpkeCiphertext& sealed);

// Section 5.1.3: HPKE base mode with info = EncryptContext { "MLS 1.0 " + label, context }.
// Errors: InvalidArgument for a public key that the KEM refuses.
absl::StatusOr<HpkeCiphertext> EncryptWithLabel(const CipherSuite& suite, ByteView public_key,
                                                std::string_view label, ByteView context,
                                                ByteView plaintext);
// The same for many receivers: what label and context contribute is computed once, so that a
// context that grows with the group isn't hashed for every member.
class LabelledEncryption {
 public:
  // `suite` must outlive it, as the table's rows do.
  LabelledEncryption(const CipherSuite& suite, std::string_view label, ByteView context);
  absl::StatusOr<HpkeCiphertext> Encrypt(ByteView public_key, ByteView plaintext) const;

 private:
  const CipherSuite& suite_;
  const Bytes info_hash_;
};
// Errors: Unauthenticated; InvalidArgument for a private key of the wrong size.
absl::StatusOr<Secret> DecryptWithLabel(const CipherSuite& suite, const Secret& private_key,
                                        std::string_view label, ByteView context,
                                        const HpkeCiphertext& sealed);

// Section 8.3: the init secret that a joiner from outside sends to the group, by HPKE's exporter.
struct ExternalInitSecret {
  Bytes kem_output;
  Secret init_secret;
};
// Errors: InvalidArgument for an external_pub that the KEM refuses.
absl::StatusOr<ExternalInitSecret> SendExternalInit(const CipherSuite& suite,
                                                    ByteView external_pub);
// Errors: Unauthenticated for a `kem_output` of another form.
absl::StatusOr<Secret> ReceiveExternalInit(const CipherSuite& suite, const Secret& external_private,
                                           ByteView kem_output);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_SUITE_CRYPTO_H_
