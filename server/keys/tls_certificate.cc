#include "server/keys/tls_certificate.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <utility>

#include "crypto/base/check.h"
#include "crypto/base/status_macros.h"
#include "crypto/primitives/hash.h"

namespace parley::server {
namespace {

constexpr long kTenYears = 10L * 365 * 24 * 60 * 60;

struct OpenSslFree {
  void operator()(BIO* p) const { BIO_free_all(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
  void operator()(BIGNUM* p) const { BN_free(p); }
};
template <typename T>
using OpenSslPtr = std::unique_ptr<T, OpenSslFree>;

// Reads no passphrase from the terminal: an encrypted key is refused.
int NoPassphrase(char* /*buffer*/, int /*size*/, int /*write*/, void* /*user*/) { return -1; }

OpenSslPtr<BIO> ReadFrom(crypto::ByteView bytes) {
  return OpenSslPtr<BIO>(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

absl::StatusOr<OpenSslPtr<EVP_PKEY>> ReadKey(const crypto::Secret& pem) {
  OpenSslPtr<BIO> bio = ReadFrom(pem.Reveal());
  OpenSslPtr<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassphrase, nullptr));
  if (key == nullptr) {
    return absl::InvalidArgumentError("the TLS key is not an unencrypted private key in PEM");
  }
  return key;
}

bool AddExtension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  OpenSslPtr<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool IsIpAddress(const std::string& host) {
  unsigned char buffer[16];
  return inet_pton(AF_INET, host.c_str(), buffer) == 1 ||
         inet_pton(AF_INET6, host.c_str(), buffer) == 1;
}

// Only what can stand in a certificate's name field as it is; OpenSSL's syntax has separators.
bool IsHostName(const std::string& host) {
  return !host.empty() && host.size() <= 253 &&
         host.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") ==
             std::string::npos;
}

std::string AlternativeNames(const std::string& host) {
  std::string names = "IP:127.0.0.1,DNS:localhost";
  if (host == "127.0.0.1" || host == "localhost") return names;
  if (IsIpAddress(host)) return names + ",IP:" + host;
  if (IsHostName(host)) return names + ",DNS:" + host;
  return names;
}

bool FillCertificate(X509* certificate, EVP_PKEY* key, const std::string& host) {
  OpenSslPtr<BIGNUM> serial(BN_new());
  if (serial == nullptr || BN_rand(serial.get(), 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) != 1 ||
      BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) == nullptr) {
    return false;
  }
  X509_NAME* name = X509_get_subject_name(certificate);
  const auto* common_name = reinterpret_cast<const unsigned char*>("parley-relay");
  return X509_set_version(certificate, X509_VERSION_3) == 1 &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(certificate), kTenYears) != nullptr &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
         AddExtension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
         AddExtension(certificate, NID_key_usage, "critical,digitalSignature") &&
         AddExtension(certificate, NID_ext_key_usage, "serverAuth") &&
         AddExtension(certificate, NID_subject_alt_name, AlternativeNames(host)) &&
         X509_sign(certificate, key, EVP_sha256()) > 0;
}

std::string HashOfKey(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  PARLEY_CHECK(size > 0);
  const auto hash = crypto::Sha256({crypto::ByteView(der, static_cast<size_t>(size))});
  OPENSSL_free(der);
  return crypto::ToString(hash);
}

std::string TakeText(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

}  // namespace

crypto::Secret MakeTlsKey() {
  OpenSslPtr<EVP_PKEY> key(EVP_EC_gen("P-256"));
  OpenSslPtr<BIO> bio(BIO_new(BIO_s_secmem()));
  PARLEY_CHECK(key != nullptr && bio != nullptr);
  PARLEY_CHECK(PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                             nullptr) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  crypto::Secret pem = crypto::Secret::CopyOf(
      crypto::ByteView(reinterpret_cast<const uint8_t*>(data), static_cast<size_t>(size)));
  OPENSSL_cleanse(data, static_cast<size_t>(size));
  return pem;
}

absl::StatusOr<TlsCertificate> MakeTlsCertificate(const crypto::Secret& private_key_pem,
                                                  const std::string& host) {
  PARLEY_ASSIGN_OR_RETURN(OpenSslPtr<EVP_PKEY> key, ReadKey(private_key_pem));
  OpenSslPtr<X509> certificate(X509_new());
  if (certificate == nullptr || !FillCertificate(certificate.get(), key.get(), host)) {
    return absl::InternalError("making the TLS certificate failed");
  }
  OpenSslPtr<BIO> bio(BIO_new(BIO_s_mem()));
  PARLEY_CHECK(bio != nullptr && PEM_write_bio_X509(bio.get(), certificate.get()) == 1);
  return TlsCertificate{TakeText(bio.get()), private_key_pem.Clone(), HashOfKey(certificate.get())};
}

absl::StatusOr<TlsCertificate> ParseTlsCertificate(std::string certificate_pem,
                                                   crypto::Secret private_key_pem) {
  PARLEY_ASSIGN_OR_RETURN(OpenSslPtr<EVP_PKEY> key, ReadKey(private_key_pem));
  OpenSslPtr<BIO> bio = ReadFrom(crypto::ViewOf(certificate_pem));
  OpenSslPtr<X509> leaf(PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr));
  if (leaf == nullptr) return absl::InvalidArgumentError("the certificate is not one in PEM");
  if (X509_check_private_key(leaf.get(), key.get()) != 1) {
    return absl::InvalidArgumentError("the certificate is not for this key");
  }
  std::string hash = HashOfKey(leaf.get());
  return TlsCertificate{std::move(certificate_pem), std::move(private_key_pem), std::move(hash)};
}

}  // namespace parley::server
