// Cipher suites (RFC 9420 section 5.1): each is one row of a table, and the row holds the
// algorithms. Nothing else in this folder knows which algorithm is at work.
//
//   absl::StatusOr<const CipherSuite*> suite = FindCipherSuite(CipherSuiteId::kParley);
//
// Threading: rows are constants of the program; every function is free of shared state.
#ifndef PARLEY_CRYPTO_MLS_CIPHERSUITE_H_
#define PARLEY_CRYPTO_MLS_CIPHERSUITE_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"

namespace parley::mls {

using crypto::Bytes;
using crypto::ByteView;
using crypto::Secret;

// Every suite has ChaCha20-Poly1305 and Ed25519; they differ in KEM and hash.
enum class CipherSuiteId : uint16_t {
  // MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519, of RFC 9420.
  k0x0003 = 0x0003,
  // X-Wing with DeriveKeyPair(ikm) = SHAKE256(ikm, 32), SHA-256.
  k0x004D = 0x004D,
  // The same with SHA-512.
  k0x0054 = 0x0054,
  // ML-KEM-768 + X25519 with the labelled DeriveKeyPair of draft-ietf-hpke-pq, SHA-256.
  kParley = 0xF001,
};

struct CipherSuite;  // see suite_crypto.h for what it can do

// The table's row for `id`.
// Errors: InvalidArgument for a suite that the table doesn't have.
absl::StatusOr<const CipherSuite*> FindCipherSuite(CipherSuiteId id);

// Every suite in the table, in the order of their numbers.
std::span<const CipherSuiteId> SupportedCipherSuites();

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_CIPHERSUITE_H_
