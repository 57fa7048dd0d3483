#include "crypto/mls/suite_crypto.h"

#include <array>
#include <string>

#include "crypto/primitives/hkdf.h"
#include "crypto/primitives/hpke.h"

namespace parley::mls {
namespace {

constexpr std::string_view kLabelPrefix = "MLS 1.0 ";

// The table of section 5.1 and of our own numbers.
constexpr std::array<CipherSuite, 4> kSuites = {{
    {CipherSuiteId::k0x0003, crypto::HashAlgorithm::kSha256, &crypto::DhkemX25519,
     crypto::AeadAlgorithm::kChaCha20Poly1305},
    {CipherSuiteId::k0x004D, crypto::HashAlgorithm::kSha256, &crypto::XWing,
     crypto::AeadAlgorithm::kChaCha20Poly1305},
    {CipherSuiteId::k0x0054, crypto::HashAlgorithm::kSha512, &crypto::XWing,
     crypto::AeadAlgorithm::kChaCha20Poly1305},
    {CipherSuiteId::kParley, crypto::HashAlgorithm::kSha256, &crypto::MlKem768X25519,
     crypto::AeadAlgorithm::kChaCha20Poly1305},
}};
constexpr std::array<CipherSuiteId, 4> kSuiteIds = {CipherSuiteId::k0x0003, CipherSuiteId::k0x004D,
                                                    CipherSuiteId::k0x0054, CipherSuiteId::kParley};

// SignContent and EncryptContext have the same form: a label and opaque bytes. The writer wipes
// them, since what is signed may be a message's text.
void WriteLabelled(crypto::Writer& w, std::string_view label, ByteView content) {
  WriteLabel(w, label);
  w.WriteOpaque(content);
}

crypto::HpkeSuite HpkeOf(const CipherSuite& suite) {
  return {&suite.kem(), crypto::HpkeKdfFor(suite.hash), suite.aead};
}

constexpr std::string_view kExternalInitLabel = "MLS 1.0 external init secret";

}  // namespace

absl::StatusOr<const CipherSuite*> FindCipherSuite(CipherSuiteId id) {
  for (const CipherSuite& suite : kSuites) {
    if (suite.id == id) return &suite;
  }
  return absl::InvalidArgumentError("cipher suite " + std::to_string(static_cast<uint16_t>(id)) +
                                    " is not one of ours");
}

std::span<const CipherSuiteId> SupportedCipherSuites() { return kSuiteIds; }

Bytes SuiteHash(const CipherSuite& suite, std::initializer_list<ByteView> parts) {
  return crypto::Hash(suite.hash, parts);
}

Bytes RefHash(const CipherSuite& suite, std::string_view label, ByteView value) {
  crypto::Writer w;
  w.WriteOpaque(crypto::ViewOf(label));
  w.WriteOpaque(value);
  return crypto::Hash(suite.hash, w.view());
}

Bytes Mac(const CipherSuite& suite, const Secret& key, ByteView data) {
  return crypto::Hmac(suite.hash, key.Reveal(), data);
}

absl::Status VerifyMac(const CipherSuite& suite, const Secret& key, ByteView data, ByteView mac) {
  if (!crypto::VerifyHmac(suite.hash, key.Reveal(), data, mac)) return crypto::DecryptionFailed();
  return absl::OkStatus();
}

Secret Extract(const CipherSuite& suite, ByteView salt, ByteView ikm) {
  return crypto::HkdfExtract(suite.hash, salt, ikm);
}

Secret ZeroSecret(const CipherSuite& suite) { return Secret(suite.hash_size()); }

Secret ExpandWithLabel(const CipherSuite& suite, const Secret& secret, std::string_view label,
                       ByteView context, size_t length) {
  crypto::Writer info;
  info.WriteUint16(static_cast<uint16_t>(length));
  WriteLabel(info, label);
  info.WriteOpaque(context);
  return crypto::HkdfExpand(suite.hash, secret.Reveal(), info.view(), length);
}

Secret DeriveSecret(const CipherSuite& suite, const Secret& secret, std::string_view label) {
  return ExpandWithLabel(suite, secret, label, {}, suite.hash_size());
}

Secret DeriveTreeSecret(const CipherSuite& suite, const Secret& secret, std::string_view label,
                        uint32_t generation, size_t length) {
  return ExpandWithLabel(suite, secret, label, crypto::BigEndian32(generation), length);
}

void WriteLabel(crypto::Writer& w, std::string_view label) {
  w.WriteVectorLength(kLabelPrefix.size() + label.size());
  w.WriteRaw(crypto::ViewOf(kLabelPrefix));
  w.WriteRaw(crypto::ViewOf(label));
}

Bytes SignWithLabel(const SignatureKey& key, std::string_view label, ByteView content) {
  crypto::Writer w;
  WriteLabelled(w, label, content);
  return key.Sign(w.view());
}

absl::Status VerifyWithLabel(ByteView public_key, std::string_view label, ByteView content,
                             ByteView signature) {
  crypto::Writer w;
  WriteLabelled(w, label, content);
  return crypto::VerifySignature(public_key, w.view(), signature);
}

LabelledEncryption::LabelledEncryption(const CipherSuite& suite, std::string_view label,
                                       ByteView context)
    : suite_(suite), info_hash_([&] {
        crypto::Writer info;
        WriteLabelled(info, label, context);
        return crypto::HpkeInfoHash(HpkeOf(suite), info.view());
      }()) {}

absl::StatusOr<HpkeCiphertext> LabelledEncryption::Encrypt(ByteView public_key,
                                                           ByteView plaintext) const {
  PARLEY_ASSIGN_OR_RETURN(
      crypto::HpkeSealed sealed,
      crypto::HpkeSeal(HpkeOf(suite_), public_key, {.info_hash = info_hash_}, {}, plaintext));
  return HpkeCiphertext{std::move(sealed.enc), std::move(sealed.ciphertext)};
}

absl::Status Decode(crypto::Reader& r, HpkeCiphertext& sealed) {
  PARLEY_RETURN_IF_ERROR(Decode(r, sealed.kem_output));
  PARLEY_RETURN_IF_ERROR(Decode(r, sealed.ciphertext));
  if (sealed.kem_output.size() >= 32 && sealed.ciphertext.size() >= 16) return absl::OkStatus();
  return absl::InvalidArgumentError("something encrypted that is shorter than anything can be");
}

absl::StatusOr<HpkeCiphertext> EncryptWithLabel(const CipherSuite& suite, ByteView public_key,
                                                std::string_view label, ByteView context,
                                                ByteView plaintext) {
  return LabelledEncryption(suite, label, context).Encrypt(public_key, plaintext);
}

absl::StatusOr<Secret> DecryptWithLabel(const CipherSuite& suite, const Secret& private_key,
                                        std::string_view label, ByteView context,
                                        const HpkeCiphertext& sealed) {
  crypto::Writer info;
  WriteLabelled(info, label, context);
  return crypto::HpkeOpenSecret(HpkeOf(suite), sealed.kem_output, private_key.Reveal(),
                                {.info = info.view()}, {}, sealed.ciphertext);
}

absl::StatusOr<ExternalInitSecret> SendExternalInit(const CipherSuite& suite,
                                                    ByteView external_pub) {
  PARLEY_ASSIGN_OR_RETURN(crypto::HpkeSender sender,
                          crypto::HpkeSetupSender(HpkeOf(suite), external_pub, {}));
  return ExternalInitSecret{
      std::move(sender.enc),
      sender.context.Export(crypto::ViewOf(kExternalInitLabel), suite.hash_size())};
}

absl::StatusOr<Secret> ReceiveExternalInit(const CipherSuite& suite, const Secret& external_private,
                                           ByteView kem_output) {
  PARLEY_ASSIGN_OR_RETURN(
      crypto::HpkeContext context,
      crypto::HpkeSetupReceiver(HpkeOf(suite), kem_output, external_private.Reveal(), {}));
  return context.Export(crypto::ViewOf(kExternalInitLabel), suite.hash_size());
}

}  // namespace parley::mls
