// Opening HPKE messages: nothing but what was sealed opens, every failure looks alike, and public
// keys from elsewhere never crash what uses them.
#include <array>

#include "crypto/primitives/hpke.h"
#include "tests/fuzz/fuzz_check.h"

namespace parley::crypto {
namespace {

constexpr std::string_view kPlaintext = "what was sealed";

struct Receiver {
  HpkeSuite suite;
  KemKeyPair keys;
  HpkeSealed sealed;
};

Receiver MakeReceiver(const Kem& kem, HpkeKdf kdf) {
  Receiver out{{&kem, kdf, AeadAlgorithm::kChaCha20Poly1305}, kem.DeriveKeyPair({}), {}};
  out.sealed = HpkeSeal(out.suite, out.keys.public_key, {.info = ViewOf("info")}, ViewOf("aad"),
                        ViewOf(kPlaintext))
                   .value();
  return out;
}

const Receiver& ReceiverFor(uint8_t choice) {
  static const std::array<Receiver, 3> all = {
      MakeReceiver(DhkemX25519(), HpkeKdf::kHkdfSha256),
      MakeReceiver(MlKem768X25519(), HpkeKdf::kHkdfSha256),
      MakeReceiver(XWing(), HpkeKdf::kHkdfSha512),
  };
  return all[choice % all.size()];
}

void CheckOpening(const Receiver& receiver, ByteView enc, ByteView ciphertext) {
  const absl::StatusOr<Bytes> opened =
      HpkeOpen(receiver.suite, enc, receiver.keys.private_key.Reveal(), {.info = ViewOf("info")},
               ViewOf("aad"), ciphertext);
  const bool genuine = PublicEquals(enc, receiver.sealed.enc) &&
                       PublicEquals(ciphertext, receiver.sealed.ciphertext);
  FUZZ_CHECK(opened.ok() == genuine);
  if (opened.ok()) {
    FUZZ_CHECK(ToString(*opened) == kPlaintext);
  } else {
    FUZZ_CHECK(opened.status() == DecryptionFailed());
  }
}

// A key that CheckPublicKey accepts must work, and one that it refuses must be refused everywhere.
void CheckForeignKey(const Receiver& receiver, ByteView public_key) {
  const bool accepted = receiver.suite.kem->CheckPublicKey(public_key).ok();
  const absl::StatusOr<HpkeSealed> sealed = HpkeSeal(receiver.suite, public_key, {}, {}, {});
  FUZZ_CHECK(sealed.ok() == accepted);
  if (!accepted) FUZZ_CHECK(absl::IsInvalidArgument(sealed.status()));
}

}  // namespace
}  // namespace parley::crypto

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace parley::crypto;
  parley::fuzz::Input input(data, size);
  const Receiver& receiver = ReceiverFor(input.Byte());
  switch (input.Byte() % 4) {
    case 0: {  // anything
      const ByteView enc =
          input.Take(input.Byte() % 2 == 0 ? receiver.suite.kem->enc_size() : input.Number());
      CheckOpening(receiver, enc, input.Rest());
      break;
    }
    case 1:  // the genuine message with edits
      CheckOpening(receiver, parley::fuzz::Edited(receiver.sealed.enc, input),
                   receiver.sealed.ciphertext);
      break;
    case 2:
      CheckOpening(receiver, receiver.sealed.enc,
                   parley::fuzz::Edited(receiver.sealed.ciphertext, input));
      break;
    default:
      if (input.Byte() % 2 == 0) {
        CheckForeignKey(receiver, input.Rest());
      } else {
        CheckForeignKey(receiver, parley::fuzz::Edited(receiver.keys.public_key, input));
      }
  }
  return 0;
}
