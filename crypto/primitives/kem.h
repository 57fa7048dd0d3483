// Key encapsulation mechanisms, as HPKE uses them (RFC 9180 section 4). Each is a constant object,
// so that a cipher suite is a table row that points to one.
//
//   const Kem& kem = MlKem768X25519();
//   KemKeyPair keys = kem.GenerateKeyPair();
//   absl::StatusOr<Encapsulation> sent = kem.Encap(keys.public_key);
//   absl::StatusOr<Secret> same = kem.Decap(sent->enc, keys.private_key.Reveal());
//
// A tampered encapsulation of ML-KEM decapsulates to another secret without an error (implicit
// rejection): what follows must confirm the secret, as every AEAD does.
//
// Threading: the objects have no state; their functions may run together.
// Lifetime: the objects live as long as the program.
#ifndef PARLEY_CRYPTO_PRIMITIVES_KEM_H_
#define PARLEY_CRYPTO_PRIMITIVES_KEM_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"

namespace parley::crypto {

// Identifiers of the HPKE KEM registry.
enum class KemId : uint16_t {
  kDhkemX25519HkdfSha256 = 0x0020,
  kMlKem768X25519 = 0x647A,  // X-Wing
};

struct KemKeyPair {
  Secret private_key;
  Bytes public_key;
};

struct Encapsulation {
  Secret shared_secret;
  Bytes enc;
};

class Kem {
 public:
  virtual ~Kem() = default;

  virtual KemId id() const = 0;
  virtual size_t public_key_size() const = 0;
  virtual size_t private_key_size() const = 0;
  virtual size_t enc_size() const = 0;
  // Whether AuthEncap and AuthDecap exist.
  virtual bool has_auth() const { return false; }

  KemKeyPair GenerateKeyPair() const;
  // The key pair that `ikm` (any length; at least private_key_size() bytes of entropy) stands for.
  virtual KemKeyPair DeriveKeyPair(ByteView ikm) const = 0;
  // The public key of `private_key`. Errors: InvalidArgument for a private key of the wrong size.
  virtual absl::StatusOr<Bytes> PublicKeyOf(ByteView private_key) const = 0;

  // To be called when a public key arrives from elsewhere: its size; for X25519 that it isn't of
  // small order; for ML-KEM the modulus check (FIPS 203 section 7.2).
  // Errors: InvalidArgument.
  virtual absl::Status CheckPublicKey(ByteView public_key) const = 0;

  // A fresh secret and its encapsulation for the holder of `public_key`.
  // Errors: InvalidArgument for a public key that CheckPublicKey refuses.
  absl::StatusOr<Encapsulation> Encap(ByteView public_key) const;
  // Errors: Unauthenticated (the AEAD's one message) for whatever is wrong with `enc`;
  // InvalidArgument for a private key of the wrong size.
  virtual absl::StatusOr<Secret> Decap(ByteView enc, ByteView private_key) const = 0;

  // The same, authenticated by the sender's key pair. Errors: also Unimplemented without
  // has_auth().
  absl::StatusOr<Encapsulation> AuthEncap(ByteView public_key, ByteView sender_private_key) const;
  virtual absl::StatusOr<Secret> AuthDecap(ByteView enc, ByteView private_key,
                                           ByteView sender_public_key) const;

  // Bytes of randomness that one encapsulation consumes.
  virtual size_t encap_randomness_size() const = 0;
  // Encap with given randomness (RFC 9180's ikmE; ML-KEM's m || X25519's scalar), for known-answer
  // tests only. Never use a value twice.
  virtual absl::StatusOr<Encapsulation> EncapDeterministic(ByteView public_key,
                                                           ByteView randomness) const = 0;
  virtual absl::StatusOr<Encapsulation> AuthEncapDeterministic(ByteView public_key,
                                                               ByteView sender_private_key,
                                                               ByteView randomness) const;
};

// DHKEM(X25519, HKDF-SHA256), RFC 9180 section 4.1. Has auth.
const Kem& DhkemX25519();

// MLKEM768-X25519 as draft-ietf-hpke-pq has it: X-Wing, where DeriveKeyPair(ikm) takes its seed
// from SHAKE256's LabeledDerive(ikm, "DeriveKeyPair", "", 32). The private key is the 32-byte seed.
const Kem& MlKem768X25519();

// X-Wing (draft-connolly-cfrg-xwing-kem) where DeriveKeyPair(ikm) takes its seed from
// SHAKE256(ikm, 32), as MLS suites 0x004D and 0x0054 do. All else is as in MlKem768X25519, the id
// too.
const Kem& XWing();

}  // namespace parley::crypto

#endif  // PARLEY_CRYPTO_PRIMITIVES_KEM_H_
