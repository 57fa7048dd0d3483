#include "crypto/primitives/hpke.h"

#include <algorithm>

#include "crypto/base/check.h"
#include "crypto/base/status_macros.h"
#include "crypto/primitives/labeled_kdf.h"

namespace parley::crypto {
namespace {

enum Mode : uint8_t { kModeBase = 0, kModePsk = 1, kModeAuth = 2, kModeAuthPsk = 3 };

uint16_t AeadId(AeadAlgorithm aead) {
  PARLEY_CHECK(aead == AeadAlgorithm::kChaCha20Poly1305);
  return 0x0003;
}

// RFC 9180 section 5.1:
// suite_id = concat("HPKE", I2OSP(kem_id, 2), I2OSP(kdf_id, 2), I2OSP(aead_id, 2))
Bytes SuiteId(const HpkeSuite& suite) {
  return Concat({ViewOf("HPKE"), BigEndian16(static_cast<uint16_t>(suite.kem->id())),
                 BigEndian16(static_cast<uint16_t>(suite.kdf)), BigEndian16(AeadId(suite.aead))});
}

HashAlgorithm HashOf(HpkeKdf kdf) {
  PARLEY_CHECK(kdf != HpkeKdf::kShake256);
  return kdf == HpkeKdf::kHkdfSha256 ? HashAlgorithm::kSha256 : HashAlgorithm::kSha512;
}

// Nh of draft-ietf-hpke-pq's SHAKE256.
constexpr size_t kShake256Strength = 64;

struct Schedule {
  Secret key;
  Secret base_nonce;
  Secret exporter_secret;
};

// RFC 9180 section 5.1:
//   psk_id_hash = LabeledExtract("", "psk_id_hash", psk_id)
//   info_hash = LabeledExtract("", "info_hash", info)
//   key_schedule_context = concat(mode, psk_id_hash, info_hash)
//   secret = LabeledExtract(shared_secret, "secret", psk)
//   key = LabeledExpand(secret, "key", key_schedule_context, Nk)
//   base_nonce = LabeledExpand(secret, "base_nonce", key_schedule_context, Nn)
//   exporter_secret = LabeledExpand(secret, "exp", key_schedule_context, Nh)
Schedule TwoStageSchedule(const HpkeSuite& suite, uint8_t mode, ByteView shared_secret,
                          ByteView info_hash, ByteView psk, ByteView psk_id) {
  const HashAlgorithm hash = HashOf(suite.kdf);
  const Bytes id = SuiteId(suite);
  const Secret psk_id_hash = LabeledExtract(hash, id, {}, "psk_id_hash", psk_id);
  const Bytes context = Concat({ByteView(&mode, 1), psk_id_hash.Reveal(), info_hash});
  const Secret secret = LabeledExtract(hash, id, shared_secret, "secret", psk);
  const auto expand = [&](std::string_view label, size_t length) {
    return LabeledExpand(hash, id, secret.Reveal(), label, context, length);
  };
  return {expand("key", AeadKeySize(suite.aead)), expand("base_nonce", AeadNonceSize(suite.aead)),
          expand("exp", HashSize(hash))};
}

// draft-ietf-hpke-hpke section 5.1, for a one-stage KDF:
//   secrets = concat(lengthPrefixed(psk), lengthPrefixed(shared_secret))
//   context = concat(mode, lengthPrefixed(psk_id), lengthPrefixed(info))
//   secret = LabeledDerive(secrets, "secret", context, Nk + Nn + Nh)
Schedule OneStageSchedule(const HpkeSuite& suite, uint8_t mode, ByteView shared_secret,
                          ByteView info, ByteView psk, ByteView psk_id) {
  const auto length_of = [](ByteView part) {
    return BigEndian16(static_cast<uint16_t>(part.size()));
  };
  const Secret secrets =
      ConcatSecret({length_of(psk), psk, length_of(shared_secret), shared_secret});
  const Bytes context =
      Concat({ByteView(&mode, 1), length_of(psk_id), psk_id, length_of(info), info});
  const size_t key_size = AeadKeySize(suite.aead);
  const size_t nonce_size = AeadNonceSize(suite.aead);
  const Secret all = LabeledDerive(SuiteId(suite), secrets.Reveal(), "secret", context,
                                   key_size + nonce_size + kShake256Strength);
  return {Secret::CopyOf(all.Reveal().first(key_size)),
          Secret::CopyOf(all.Reveal().subspan(key_size, nonce_size)),
          Secret::CopyOf(all.Reveal().subspan(key_size + nonce_size))};
}

uint8_t ModeOf(const HpkeInputs& inputs, ByteView sender_key) {
  const bool psk = !inputs.psk.empty() || !inputs.psk_id.empty();
  if (sender_key.empty()) return psk ? kModePsk : kModeBase;
  return psk ? kModeAuthPsk : kModeAuth;
}

absl::Status WrongSide() {
  return absl::InvalidArgumentError("the sender's HPKE key is given for the other side");
}

}  // namespace

Bytes HpkeInfoHash(const HpkeSuite& suite, ByteView info) {
  const Secret hash = LabeledExtract(HashOf(suite.kdf), SuiteId(suite), {}, "info_hash", info);
  return Bytes(hash.Reveal().begin(), hash.Reveal().end());
}

absl::StatusOr<HpkeContext> HpkeContext::Create(const HpkeSuite& suite, uint8_t mode,
                                                ByteView shared_secret, ByteView info, ByteView psk,
                                                ByteView psk_id) {
  return CreateFrom(suite, mode, shared_secret, {.info = info, .psk = psk, .psk_id = psk_id});
}

absl::StatusOr<HpkeContext> HpkeContext::CreateFrom(const HpkeSuite& suite, uint8_t mode,
                                                    ByteView shared_secret,
                                                    const HpkeInputs& inputs) {
  const auto& [info, info_hash, psk, psk_id, unused_private, unused_public] = inputs;
  // RFC 9180 section 5.1, VerifyPSKInputs.
  const bool wants_psk = mode == kModePsk || mode == kModeAuthPsk;
  if (mode > kModeAuthPsk || psk.empty() == wants_psk || psk_id.empty() == wants_psk) {
    return absl::InvalidArgumentError("HPKE: a pre-shared key and its id must come together");
  }
  const bool one_stage = suite.kdf == HpkeKdf::kShake256;
  if (one_stage && std::max({info.size(), psk.size(), psk_id.size()}) > UINT16_MAX) {
    return absl::InvalidArgumentError("HPKE: an input over 65535 bytes");
  }
  PARLEY_CHECK(info_hash.empty() || (info.empty() && !one_stage));
  Schedule schedule =
      one_stage ? OneStageSchedule(suite, mode, shared_secret, info, psk, psk_id)
                : TwoStageSchedule(suite, mode, shared_secret,
                                   info_hash.empty() ? HpkeInfoHash(suite, info)
                                                     : Bytes(info_hash.begin(), info_hash.end()),
                                   psk, psk_id);
  HpkeContext context;
  context.suite_ = suite;
  context.key_ = std::move(schedule.key);
  context.base_nonce_ = std::move(schedule.base_nonce);
  context.exporter_secret_ = std::move(schedule.exporter_secret);
  return context;
}

// RFC 9180 section 5.2: xor(base_nonce, I2OSP(seq, Nn)).
Bytes HpkeContext::NextNonce() const {
  const ByteView base = base_nonce_.Reveal();
  Bytes nonce(base.begin(), base.end());
  const ByteArray<8> sequence = BigEndian64(sequence_);
  const size_t offset = nonce.size() - sequence.size();
  for (size_t i = 0; i < sequence.size(); ++i) nonce[offset + i] ^= sequence[i];
  return nonce;
}

void HpkeContext::Advance() {
  // 2^64 messages are out of reach, and a repeated nonce would be fatal.
  PARLEY_CHECK(sequence_ != UINT64_MAX);
  ++sequence_;
}

Bytes HpkeContext::Seal(ByteView aad, ByteView plaintext) {
  Bytes out = crypto::Seal(suite_.aead, key_.Reveal(), NextNonce(), aad, plaintext);
  Advance();
  return out;
}

absl::StatusOr<Bytes> HpkeContext::Open(ByteView aad, ByteView ciphertext) {
  PARLEY_ASSIGN_OR_RETURN(Bytes out,
                          crypto::Open(suite_.aead, key_.Reveal(), NextNonce(), aad, ciphertext));
  Advance();
  return out;
}

absl::StatusOr<Secret> HpkeContext::OpenSecret(ByteView aad, ByteView ciphertext) {
  PARLEY_ASSIGN_OR_RETURN(
      Secret out, crypto::OpenSecret(suite_.aead, key_.Reveal(), NextNonce(), aad, ciphertext));
  Advance();
  return out;
}

Secret HpkeContext::Export(ByteView exporter_context, size_t length) const {
  const Bytes id = SuiteId(suite_);
  if (suite_.kdf == HpkeKdf::kShake256) {
    return LabeledDerive(id, exporter_secret_.Reveal(), "sec", exporter_context, length);
  }
  return LabeledExpand(HashOf(suite_.kdf), id, exporter_secret_.Reveal(), "sec", exporter_context,
                       length);
}

absl::StatusOr<HpkeSender> HpkeSetupSender(const HpkeSuite& suite, ByteView receiver_public_key,
                                           const HpkeInputs& inputs) {
  if (!inputs.sender_public_key.empty()) return WrongSide();
  const ByteView sender_key = inputs.sender_private_key;
  PARLEY_ASSIGN_OR_RETURN(Encapsulation encapsulation,
                          sender_key.empty()
                              ? suite.kem->Encap(receiver_public_key)
                              : suite.kem->AuthEncap(receiver_public_key, sender_key));
  PARLEY_ASSIGN_OR_RETURN(HpkeContext context,
                          HpkeContext::CreateFrom(suite, ModeOf(inputs, sender_key),
                                                  encapsulation.shared_secret.Reveal(), inputs));
  return HpkeSender{std::move(encapsulation.enc), std::move(context)};
}

absl::StatusOr<HpkeContext> HpkeSetupReceiver(const HpkeSuite& suite, ByteView enc,
                                              ByteView receiver_private_key,
                                              const HpkeInputs& inputs) {
  if (!inputs.sender_private_key.empty()) return WrongSide();
  const ByteView sender_key = inputs.sender_public_key;
  PARLEY_ASSIGN_OR_RETURN(const Secret shared_secret,
                          sender_key.empty()
                              ? suite.kem->Decap(enc, receiver_private_key)
                              : suite.kem->AuthDecap(enc, receiver_private_key, sender_key));
  return HpkeContext::CreateFrom(suite, ModeOf(inputs, sender_key), shared_secret.Reveal(), inputs);
}

absl::StatusOr<HpkeSealed> HpkeSeal(const HpkeSuite& suite, ByteView receiver_public_key,
                                    const HpkeInputs& inputs, ByteView aad, ByteView plaintext) {
  PARLEY_ASSIGN_OR_RETURN(HpkeSender sender, HpkeSetupSender(suite, receiver_public_key, inputs));
  Bytes ciphertext = sender.context.Seal(aad, plaintext);
  return HpkeSealed{std::move(sender.enc), std::move(ciphertext)};
}

absl::StatusOr<Bytes> HpkeOpen(const HpkeSuite& suite, ByteView enc, ByteView receiver_private_key,
                               const HpkeInputs& inputs, ByteView aad, ByteView ciphertext) {
  PARLEY_ASSIGN_OR_RETURN(HpkeContext context,
                          HpkeSetupReceiver(suite, enc, receiver_private_key, inputs));
  return context.Open(aad, ciphertext);
}

absl::StatusOr<Secret> HpkeOpenSecret(const HpkeSuite& suite, ByteView enc,
                                      ByteView receiver_private_key, const HpkeInputs& inputs,
                                      ByteView aad, ByteView ciphertext) {
  PARLEY_ASSIGN_OR_RETURN(HpkeContext context,
                          HpkeSetupReceiver(suite, enc, receiver_private_key, inputs));
  return context.OpenSecret(aad, ciphertext);
}

}  // namespace parley::crypto
