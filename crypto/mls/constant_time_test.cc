// Constant time, where the code is ours: run under valgrind with all secrets marked as undefined,
// no branch and no address may depend on them. (Valgrind's memcheck complains when one does.) What
// a protocol makes public (tags, ciphertexts, keys) is marked as defined again; verdicts that are
// branched on where they are made are declared in constant_time.supp.
//
// A program of its own, not GoogleTest: `constant_time_test` alone does nothing and ends with 77;
// `constant_time_test --leak` branches on a secret on purpose, so that the run can be seen to fail.
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_MAKE_MEM_UNDEFINED(address, size) ((void)(address), (void)(size))
#define VALGRIND_MAKE_MEM_DEFINED(address, size) ((void)(address), (void)(size))
#endif

#include <cstdio>
#include <cstring>

#include "crypto/base/check.h"
#include "crypto/mls/group_context.h"
#include "crypto/mls/key_schedule.h"
#include "crypto/mls/message_protection.h"
#include "crypto/mls/psk.h"
#include "crypto/mls/secret_tree.h"
#include "crypto/mls/suite_crypto.h"
#include "crypto/primitives/aead.h"

namespace parley::mls {
namespace {

Secret Undefined(Secret secret) {
  VALGRIND_MAKE_MEM_UNDEFINED(secret.RevealMutable().data(), secret.size());
  return secret;
}
Secret UndefinedRandom(size_t size) { return Undefined(Secret::Random(size)); }

void Publish(const void* data, size_t size) { VALGRIND_MAKE_MEM_DEFINED(data, size); }
void Publish(const Bytes& bytes) { Publish(bytes.data(), bytes.size()); }

void Comparison() {
  const Secret a = UndefinedRandom(32);
  const Secret b = a.Clone();
  bool equal = crypto::ConstantTimeEquals(a.Reveal(), b.Reveal());
  Publish(&equal, sizeof equal);
  PARLEY_CHECK(equal);
}

// Sections 8 and 8.4: an epoch's secrets from the one before and its commit, with a PSK.
void KeySchedule(const CipherSuite& suite) {
  const size_t size = suite.hash_size();
  std::vector<Psk> psks;
  psks.push_back({PreSharedKeyId::External(suite, {1, 2, 3}), UndefinedRandom(size)});
  const PskSecret psk(ComputePskSecret(suite, psks));
  const GroupContext context{.suite = suite.id, .group_id = {1}, .epoch = 7};
  const EpochKeys epoch = AdvanceEpoch(suite, InitSecret(UndefinedRandom(size)),
                                       CommitSecret(UndefinedRandom(size)), psk, context);
  const Secret exported = ExportSecret(suite, epoch.secrets.exporter, "a label", {}, 48);

  // As VerifyConfirmationTag does it, which then branches on the verdict: that is public.
  const Bytes tag = ConfirmationTag(suite, epoch.secrets.confirmation, Bytes(32));
  const Bytes again = ConfirmationTag(suite, epoch.secrets.confirmation, Bytes(32));
  bool same = crypto::ConstantTimeEquals(tag, again);
  Publish(&same, sizeof same);
  PARLEY_CHECK(same);
}

// Section 9: keys of messages out of the secret tree, in order and skipping some.
void Tree(const CipherSuite& suite) {
  SecretTree tree(LeafCount(8), EncryptionSecret(UndefinedRandom(suite.hash_size())));
  for (const uint32_t generation : {0u, 5u, 3u, 6u}) {
    absl::StatusOr<FoundKey> key =
        tree.Find(suite, LeafIndex(5), RatchetType::kApplication, generation);
    PARLEY_CHECK(key.ok());
    tree.Consume(std::move(*key));
  }
  PARLEY_CHECK(tree.TakeNext(suite, LeafIndex(2), RatchetType::kHandshake).ok());
}

FoundKey KeyOf(const CipherSuite& suite, EncryptionSecret secret) {
  SecretTree tree(LeafCount(2), std::move(secret));
  absl::StatusOr<FoundKey> key = tree.TakeNext(suite, LeafIndex(0), RatchetType::kApplication);
  PARLEY_CHECK(key.ok());
  return std::move(*key);
}

AuthenticatedContent ContentOf(Secret text) {
  AuthenticatedContent content{.wire_format = WireFormat::kPrivateMessage};
  content.content.group_id = {1};
  content.content.body = std::move(text);
  content.auth.signature = Bytes(64);
  return content;
}

// Section 6.3: sealing a message with undefined keys, and opening it: up to the text, that is,
// whose form is for its reader to see (see MessageText).
void MessageKeys(const CipherSuite& suite) {
  const FoundKey key = KeyOf(suite, EncryptionSecret(UndefinedRandom(suite.hash_size())));
  const SenderDataSecret sender_data(UndefinedRandom(suite.hash_size()));
  PrivateMessage sealed =
      ProtectPrivate(suite, sender_data, key, ContentOf(Secret::CopyOf(Bytes(100, 7))), 20);
  Publish(sealed.ciphertext);
  Publish(sealed.encrypted_sender_data);

  const MessageKey sender_key = SenderDataKey(suite, sender_data, sealed.ciphertext);
  absl::StatusOr<Secret> sender =
      crypto::OpenSecret(suite.aead, sender_key.key.Reveal(), sender_key.nonce.Reveal(), {},
                         sealed.encrypted_sender_data);
  PARLEY_CHECK(!sender.ok());  // other associated data: refused in constant time too
  absl::StatusOr<Secret> text = crypto::OpenSecret(suite.aead, key.key.key.Reveal(),
                                                   key.key.nonce.Reveal(), {}, sealed.ciphertext);
  PARLEY_CHECK(!text.ok());
}

// The same as a reader goes through it, with an undefined text and all else defined: where the
// parts of a plaintext begin is public, what a member says is not.
void MessageText(const CipherSuite& suite) {
  const Secret root = Secret::Random(suite.hash_size());
  const SenderDataSecret sender_data(Secret::Random(suite.hash_size()));
  Secret text = Secret::CopyOf(Bytes(300, 7));
  VALGRIND_MAKE_MEM_UNDEFINED(text.RevealMutable().data() + 100, 200);
  PrivateMessage sealed =
      ProtectPrivate(suite, sender_data, KeyOf(suite, EncryptionSecret(root.Clone())),
                     ContentOf(std::move(text)), 20);
  // Everything that isn't the text itself: the tag, which is made of it, and the sender data.
  Publish(sealed.ciphertext.data() + sealed.ciphertext.size() - 16, 16);
  absl::StatusOr<SenderData> sender = OpenSenderData(suite, sender_data, sealed);
  PARLEY_CHECK(sender.ok());
  const FoundKey key = KeyOf(suite, EncryptionSecret(root.Clone()));
  absl::StatusOr<AuthenticatedContent> opened = UnprotectPrivate(suite, *sender, key.key, sealed);
  PARLEY_CHECK(opened.ok());
}

// Sections 7.4 to 7.6 and 8.3: a path secret, the key pair of its node, encryption of the next one
// to it and decryption, and the init secret from outside.
void Path(const CipherSuite& suite) {
  const Secret path_secret = UndefinedRandom(suite.hash_size());
  const Secret node_secret = DeriveSecret(suite, path_secret, "node");
  const Secret next = DeriveSecret(suite, path_secret, "path");
  const crypto::KemKeyPair node = suite.kem().DeriveKeyPair(node_secret.Reveal());
  Publish(node.public_key);

  const Secret randomness = UndefinedRandom(suite.kem().encap_randomness_size());
  absl::StatusOr<crypto::Encapsulation> sent =
      suite.kem().EncapDeterministic(node.public_key, randomness.Reveal());
  PARLEY_CHECK(sent.ok());
  Publish(sent->enc);
  absl::StatusOr<Secret> received = suite.kem().Decap(sent->enc, node.private_key.Reveal());
  PARLEY_CHECK(received.ok());
  // An encapsulation for somebody else: what it gives is rejected later, or pseudorandom.
  sent->enc.front() ^= 1;
  PARLEY_CHECK(suite.kem().Decap(sent->enc, node.private_key.Reveal()).ok());

  absl::StatusOr<HpkeCiphertext> sealed =
      EncryptWithLabel(suite, node.public_key, "UpdatePathNode", {}, next.Reveal());
  PARLEY_CHECK(sealed.ok());
  Publish(sealed->ciphertext);
  absl::StatusOr<Secret> opened =
      DecryptWithLabel(suite, node.private_key, "UpdatePathNode", {}, *sealed);
  PARLEY_CHECK(opened.ok());
  absl::StatusOr<ExternalInitSecret> init = SendExternalInit(suite, node.public_key);
  PARLEY_CHECK(init.ok());
  PARLEY_CHECK(ReceiveExternalInit(suite, node.private_key, init->kem_output).ok());
}

// Branches on a secret, for the run that must fail.
void Leak() {
  const Secret secret = UndefinedRandom(1);
  if (secret.Reveal()[0] > 127) std::puts("a large one");
}

int Run(bool leak) {
  if (RUNNING_ON_VALGRIND == 0) {
    std::puts("skipped: only valgrind sees anything here");
    return 77;
  }
  if (leak) Leak();
  Comparison();
  for (const CipherSuiteId id : SupportedCipherSuites()) {
    const CipherSuite& suite = **FindCipherSuite(id);
    KeySchedule(suite);
    Tree(suite);
    MessageKeys(suite);
    MessageText(suite);
    Path(suite);
  }
  std::puts("no branch or address depended on a secret");
  return 0;
}

}  // namespace
}  // namespace parley::mls

int main(int argc, char** argv) {
  return parley::mls::Run(argc > 1 && std::strcmp(argv[1], "--leak") == 0);
}
