// Vectors of labelled cryptography, the key schedule and the secret tree.
#include <sys/mman.h>

#include "crypto/mls/key_schedule.h"
#include "crypto/mls/message_protection.h"
#include "crypto/mls/psk.h"
#include "crypto/mls/secret_tree.h"
#include "crypto/mls/transcript.h"
#include "tests/vectors/mls_vectors.h"

namespace parley::mls::vectors {
namespace {

void RunEncryptWithLabel(const CipherSuite& suite, const Json& t, Verdict& v) {
  const std::string label = t.at("label");
  const Bytes context = Hex(t.at("context"));
  const Secret priv = HexSecret(t.at("priv"));
  const Bytes pub = Hex(t.at("pub"));
  v.Equal(Need(suite.kem().PublicKeyOf(priv.Reveal()), "public key"), t.at("pub"), "public key");
  const HpkeCiphertext given{Hex(t.at("kem_output")), Hex(t.at("ciphertext"))};
  v.Equal(Need(DecryptWithLabel(suite, priv, label, context, given), "DecryptWithLabel"),
          t.at("plaintext"), "plaintext");
  const HpkeCiphertext own =
      Need(EncryptWithLabel(suite, pub, label, context, Hex(t.at("plaintext"))), "encrypt");
  v.Equal(Need(DecryptWithLabel(suite, priv, label, context, own), "decrypt our own"),
          t.at("plaintext"), "our own plaintext");
}

void RunCryptoBasics(const Json& t, Verdict& v) {
  const CipherSuite* suite = SuiteOf(t, v);
  if (suite == nullptr) return;
  const Json& ref = t.at("ref_hash");
  v.Equal(RefHash(*suite, ref.at("label").get<std::string>(), Hex(ref.at("value"))), ref.at("out"),
          "RefHash");
  const Json& expand = t.at("expand_with_label");
  v.Equal(
      ExpandWithLabel(*suite, HexSecret(expand.at("secret")), expand.at("label").get<std::string>(),
                      Hex(expand.at("context")), expand.at("length")),
      expand.at("out"), "ExpandWithLabel");
  const Json& derive = t.at("derive_secret");
  v.Equal(
      DeriveSecret(*suite, HexSecret(derive.at("secret")), derive.at("label").get<std::string>()),
      derive.at("out"), "DeriveSecret");
  const Json& tree = t.at("derive_tree_secret");
  v.Equal(
      DeriveTreeSecret(*suite, HexSecret(tree.at("secret")), tree.at("label").get<std::string>(),
                       tree.at("generation"), tree.at("length")),
      tree.at("out"), "DeriveTreeSecret");
  const Json& sign = t.at("sign_with_label");
  const std::string label = sign.at("label");
  const Bytes content = Hex(sign.at("content"));
  const Bytes pub = Hex(sign.at("pub"));
  v.Ok(VerifyWithLabel(pub, label, content, Hex(sign.at("signature"))), "VerifyWithLabel");
  const SignatureKey key = Need(SignatureKey::FromSeed(Hex(sign.at("priv"))), "signature key");
  v.Ok(VerifyWithLabel(pub, label, content, SignWithLabel(key, label, content)), "own signature");
  v.True(!VerifyWithLabel(pub, label + "x", content, Hex(sign.at("signature"))).ok(),
         "a signature under another label was accepted");
  RunEncryptWithLabel(*suite, t.at("encrypt_with_label"), v);
}

// One object with lists instead of an array of cases.
void RunXWingBasics(const Json& t, Verdict& v) {
  const CipherSuite* suite = SuiteOf(t, v);
  if (suite == nullptr) return;
  for (const Json& pair : t.at("derive_key_pair")) {
    const crypto::KemKeyPair keys = suite->kem().DeriveKeyPair(Hex(pair.at("ikm")));
    v.Equal(keys.private_key, pair.at("priv"), "derived private key");
    v.Equal(keys.public_key, pair.at("pub"), "derived public key");
  }
  for (const Json& sealed : t.at("encrypt_with_label")) RunEncryptWithLabel(*suite, sealed, v);
}

void RunDeserialization(const Json& t, Verdict& v) {
  const Bytes header = Hex(t.at("vlbytes_header"));
  const size_t length = t.at("length");
  crypto::Writer w;
  w.WriteVectorLength(length);
  v.Equal(w.view(), t.at("vlbytes_header"), "written header");
  // A reader wants all the bytes to be there: zeros that the system makes only when touched.
  const size_t size = header.size() + length;
  void* zeros = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (zeros == MAP_FAILED) throw std::runtime_error("no address space for a long vector");
  std::copy(header.begin(), header.end(), static_cast<uint8_t*>(zeros));
  crypto::Reader r(ByteView(static_cast<uint8_t*>(zeros), size));
  size_t read = 0;
  v.Ok(r.ReadVectorLength(read), "header");
  v.True(read == length, "length is " + std::to_string(read));
  munmap(zeros, size);
}

void RunKeySchedule(const Json& t, Verdict& v) {
  const CipherSuite* suite = SuiteOf(t, v);
  if (suite == nullptr) return;
  InitSecret init(HexSecret(t.at("initial_init_secret")));
  GroupContext context{.suite = suite->id};
  context.group_id = Hex(t.at("group_id"));
  for (const Json& e : t.at("epochs")) {
    context.tree_hash = Hex(e.at("tree_hash"));
    context.confirmed_transcript_hash = Hex(e.at("confirmed_transcript_hash"));
    v.Equal(crypto::Serialize(context), e.at("group_context"), "group_context");
    const CommitSecret commit(HexSecret(e.at("commit_secret")));
    const PskSecret psk(HexSecret(e.at("psk_secret")));
    EpochKeys keys = AdvanceEpoch(*suite, init, commit, psk, context);
    v.Equal(keys.joiner.value, e.at("joiner_secret"), "joiner_secret");
    v.Equal(keys.welcome.value, e.at("welcome_secret"), "welcome_secret");
    v.Equal(keys.encryption.value, e.at("encryption_secret"), "encryption_secret");
    const EpochSecrets& s = keys.secrets;
    v.Equal(s.init.value, e.at("init_secret"), "init_secret");
    v.Equal(s.sender_data.value, e.at("sender_data_secret"), "sender_data_secret");
    v.Equal(s.exporter.value, e.at("exporter_secret"), "exporter_secret");
    v.Equal(s.authenticator.value, e.at("epoch_authenticator"), "epoch_authenticator");
    v.Equal(s.external.value, e.at("external_secret"), "external_secret");
    v.Equal(s.confirmation.value, e.at("confirmation_key"), "confirmation_key");
    v.Equal(s.membership.value, e.at("membership_key"), "membership_key");
    v.Equal(s.resumption.value, e.at("resumption_psk"), "resumption_psk");
    v.Equal(DeriveExternalKeyPair(*suite, s.external).public_key, e.at("external_pub"),
            "external_pub");
    const Json& x = e.at("exporter");
    v.Equal(ExportSecret(*suite, s.exporter, x.at("label").get<std::string>(), Hex(x.at("context")),
                         x.at("length")),
            x.at("secret"), "exported secret");
    init = std::move(keys.secrets.init);
    ++context.epoch;
  }
}

void RunPskSecret(const Json& t, Verdict& v) {
  const CipherSuite* suite = SuiteOf(t, v);
  if (suite == nullptr) return;
  std::vector<Psk> psks;
  for (const Json& p : t.at("psks")) {
    PreSharedKeyId id;
    id.psk_id = Hex(p.at("psk_id"));
    id.psk_nonce = Hex(p.at("psk_nonce"));
    psks.push_back({id, HexSecret(p.at("psk"))});
  }
  v.Equal(ComputePskSecret(*suite, psks), t.at("psk_secret"), "psk_secret");
}

void RunSecretTree(const Json& t, Verdict& v) {
  const CipherSuite* suite = SuiteOf(t, v);
  if (suite == nullptr) return;
  const Json& sender = t.at("sender_data");
  const MessageKey key =
      SenderDataKey(*suite, SenderDataSecret(HexSecret(sender.at("sender_data_secret"))),
                    Hex(sender.at("ciphertext")));
  v.Equal(key.key, sender.at("key"), "sender data key");
  v.Equal(key.nonce, sender.at("nonce"), "sender data nonce");
  const Json& leaves = t.at("leaves");
  SecretTree tree(LeafCount::AtLeast(static_cast<uint32_t>(leaves.size())),
                  EncryptionSecret(HexSecret(t.at("encryption_secret"))));
  for (uint32_t i = 0; i < leaves.size(); ++i) {
    for (const Json& generation : leaves[i]) {
      for (RatchetType type : {RatchetType::kHandshake, RatchetType::kApplication}) {
        const std::string name = type == RatchetType::kHandshake ? "handshake" : "application";
        FoundKey found =
            Need(tree.Find(*suite, LeafIndex(i), type, generation.at("generation")), name);
        v.Equal(found.key.key, generation.at(name + "_key"), name + " key");
        v.Equal(found.key.nonce, generation.at(name + "_nonce"), name + " nonce");
        tree.Consume(std::move(found));
      }
    }
  }
}

void RunTranscriptHashes(const Json& t, Verdict& v) {
  const CipherSuite* suite = SuiteOf(t, v);
  if (suite == nullptr) return;
  const AuthenticatedContent commit =
      Need(crypto::Parse<AuthenticatedContent>(Hex(t.at("authenticated_content"))), "content");
  v.True(commit.content.content_type() == ContentType::kCommit, "the content is no commit");
  // As a group takes it: from what the signature covers, of which the GroupContext is no part.
  const SignedBytes covered(commit.wire_format, commit.content, {});
  const Bytes confirmed = ConfirmedTranscriptHash(
      *suite, Hex(t.at("interim_transcript_hash_before")), covered.framed(), commit.auth.signature);
  v.Equal(confirmed, t.at("confirmed_transcript_hash_after"), "confirmed hash");
  v.Equal(InterimTranscriptHash(*suite, confirmed, commit.auth.confirmation_tag),
          t.at("interim_transcript_hash_after"), "interim hash");
  v.Ok(VerifyConfirmationTag(*suite, ConfirmationKey(HexSecret(t.at("confirmation_key"))),
                             confirmed, commit.auth.confirmation_tag),
       "confirmation tag");
}

}  // namespace

std::vector<Kind> CryptoKinds() {
  return {{"crypto-basics", RunCryptoBasics},
          {"xwing-basics", RunXWingBasics},
          {"deserialization", RunDeserialization},
          {"key-schedule", RunKeySchedule},
          {"psk_secret", RunPskSecret},
          {"secret-tree", RunSecretTree},
          {"transcript-hashes", RunTranscriptHashes}};
}

}  // namespace parley::mls::vectors
