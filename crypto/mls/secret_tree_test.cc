#include "crypto/mls/secret_tree.h"

#include <gtest/gtest.h>

#include <set>

#include "crypto/mls/group.h"
#include "crypto/mls/testing.h"

namespace parley::mls {
namespace {

using testing::Must;

const CipherSuite& Suite() { return *Must(FindCipherSuite(CipherSuiteId::k0x0003)); }

SecretTree NewTree(uint32_t leaves) {
  return SecretTree(LeafCount(leaves), EncryptionSecret(Secret::CopyOf(Bytes(32, 1))));
}

std::string KeyOf(const FoundKey& found) {
  return crypto::ToHex(found.key.key.Reveal()) + crypto::ToHex(found.key.nonce.Reveal());
}

TEST(SecretTree, EveryKeyIsAnother) {
  SecretTree tree = NewTree(8);
  std::set<std::string> keys;
  for (uint32_t leaf = 0; leaf < 8; ++leaf) {
    for (RatchetType type : {RatchetType::kHandshake, RatchetType::kApplication}) {
      for (uint32_t generation = 0; generation < 5; ++generation) {
        FoundKey found = Must(tree.TakeNext(Suite(), LeafIndex(leaf), type));
        EXPECT_EQ(found.generation, generation);
        EXPECT_TRUE(keys.insert(KeyOf(found)).second);
      }
    }
  }
}

TEST(SecretTree, OrderOfOpeningMakesNoDifference) {
  SecretTree forward = NewTree(16);
  SecretTree backward = NewTree(16);
  std::vector<std::string> keys(16);
  for (uint32_t leaf = 0; leaf < 16; ++leaf) {
    keys[leaf] = KeyOf(Must(forward.TakeNext(Suite(), LeafIndex(leaf), RatchetType::kApplication)));
  }
  for (uint32_t leaf = 16; leaf-- > 0;) {
    EXPECT_EQ(KeyOf(Must(backward.TakeNext(Suite(), LeafIndex(leaf), RatchetType::kApplication))),
              keys[leaf]);
  }
}

TEST(SecretTree, LookingUpChangesNothing) {
  SecretTree tree = NewTree(4);
  const Secret before = crypto::SerializeSecret(tree);
  const std::string first =
      KeyOf(Must(tree.Find(Suite(), LeafIndex(2), RatchetType::kApplication, 5)));
  EXPECT_TRUE(crypto::ConstantTimeEquals(before.Reveal(), crypto::SerializeSecret(tree).Reveal()));
  EXPECT_EQ(KeyOf(Must(tree.Find(Suite(), LeafIndex(2), RatchetType::kApplication, 5))), first);
}

TEST(SecretTree, KeysServeOnceAndSkippedOnesWait) {
  SecretTree tree = NewTree(4);
  const auto find = [&](uint32_t generation) {
    return tree.Find(Suite(), LeafIndex(2), RatchetType::kApplication, generation);
  };
  const std::string second = KeyOf(Must(find(2)));
  tree.Consume(Must(find(5)));
  EXPECT_EQ(find(5).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(KeyOf(Must(find(2))), second);
  tree.Consume(Must(find(2)));
  EXPECT_EQ(find(2).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(find(0).ok());
  EXPECT_TRUE(find(6).ok());
  EXPECT_EQ(tree.NextGeneration(LeafIndex(2), RatchetType::kApplication), 6u);
}

TEST(SecretTree, BoundsAreChecked) {
  const SecretTree tree = NewTree(4);
  EXPECT_EQ(tree.Find(Suite(), LeafIndex(4), RatchetType::kApplication, 0).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(tree.Find(Suite(), LeafIndex(0), RatchetType::kHandshake, kMaxRatchetJump).ok());
  for (uint32_t far : {kMaxRatchetJump + 1, UINT32_MAX}) {
    EXPECT_EQ(tree.Find(Suite(), LeafIndex(0), RatchetType::kHandshake, far).status().code(),
              absl::StatusCode::kResourceExhausted);
  }
}

TEST(SecretTree, UsedSecretsAreGone) {
  SecretTree tree = NewTree(2);
  const std::string key = crypto::ToHex(
      Must(tree.TakeNext(Suite(), LeafIndex(0), RatchetType::kApplication)).key.key.Reveal());
  const std::string stored = crypto::ToHex(crypto::SerializeSecret(tree).Reveal());
  EXPECT_EQ(stored.find(key), std::string::npos);
  EXPECT_EQ(stored.find(crypto::ToHex(Bytes(32, 1))), std::string::npos);  // the root's
}

TEST(SecretTree, StoredFormReadsBack) {
  SecretTree tree = NewTree(8);
  tree.Consume(Must(tree.Find(Suite(), LeafIndex(3), RatchetType::kApplication, 4)));
  const Secret stored = crypto::SerializeSecret(tree);
  const SecretTree back = Must(crypto::Parse<SecretTree>(stored.Reveal()));
  EXPECT_TRUE(crypto::ConstantTimeEquals(stored.Reveal(), crypto::SerializeSecret(back).Reveal()));
  EXPECT_EQ(KeyOf(Must(back.Find(Suite(), LeafIndex(3), RatchetType::kApplication, 1))),
            KeyOf(Must(tree.Find(Suite(), LeafIndex(3), RatchetType::kApplication, 1))));
  for (size_t cut = 0; cut < stored.size(); ++cut) {
    EXPECT_FALSE(crypto::Parse<SecretTree>(stored.Reveal().first(cut)).ok());
  }
}

// One leaf's ratchets as they are stored, of secrets of these sizes, with one key that was skipped.
struct StoredRatchet {
  size_t secret = 32;
  uint32_t skipped = 4;
  size_t key = 32;
  size_t nonce = 12;
};

bool IsComplete(const StoredRatchet& ratchet) {
  crypto::Writer w;
  for (int i = 0; i < 2; ++i) {
    Encode(w, Secret(ratchet.secret));
    w.WriteUint32(5);  // of the next key
    w.WriteUint32(1);
    w.WriteUint32(ratchet.skipped);
    Encode(w, MessageKey{Secret(ratchet.key), Secret(ratchet.nonce)});
  }
  SecretTree tree = SecretTree::OfParts(LeafCount(1));
  EXPECT_TRUE(tree.LoadRatchets(0, w.view()).ok());
  return tree.CheckComplete(Suite()).ok();
}

TEST(SecretTree, RatchetsOfAnotherSuiteAreNotComplete) {
  EXPECT_TRUE(IsComplete({}));
  for (const size_t size : {0u, 31u, 33u}) {
    EXPECT_FALSE(IsComplete({.secret = size}));
    EXPECT_FALSE(IsComplete({.key = size}));
  }
  EXPECT_FALSE(IsComplete({.nonce = 0}));
  EXPECT_FALSE(IsComplete({.nonce = 11}));
  EXPECT_FALSE(IsComplete({.skipped = 5})) << "the next one is still to come";
}

// Counting on would begin at 0 again, with keys that have served.
TEST(SecretTree, TheLastGenerationIsNeverReached) {
  const CipherSuite& suite = **FindCipherSuite(CipherSuiteId::k0x0003);
  const auto tree = [] {
    return SecretTree(LeafCount(2), EncryptionSecret(Secret::CopyOf(Bytes(32, 7))));
  };
  SecretTree start = tree();
  const LeafIndex leaf(1);
  ASSERT_TRUE(start.TakeNext(suite, leaf, RatchetType::kHandshake).ok());
  // The handshake ratchet as after some four million of the longest jumps: its record begins with
  // the secret and the generation.
  Secret stored = *start.StoreRatchets(leaf.value);
  crypto::Writer generation;
  generation.WriteUint32(UINT32_MAX - 1);
  std::copy(generation.view().begin(), generation.view().end(),
            stored.RevealMutable().begin() + 1 + 32);
  SecretTree late = SecretTree::OfParts(LeafCount(2));
  ASSERT_TRUE(late.LoadRatchets(leaf.value, stored.Reveal()).ok());
  ASSERT_EQ(late.NextGeneration(leaf, RatchetType::kHandshake), UINT32_MAX - 1);
  EXPECT_EQ(late.Find(suite, leaf, RatchetType::kHandshake, UINT32_MAX).status().code(),
            absl::StatusCode::kResourceExhausted);
  absl::StatusOr<FoundKey> last = late.Find(suite, leaf, RatchetType::kHandshake, UINT32_MAX - 1);
  ASSERT_TRUE(last.ok());
  late.Consume(*std::move(last));
  EXPECT_EQ(late.Find(suite, leaf, RatchetType::kHandshake, UINT32_MAX).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(late.TakeNext(suite, leaf, RatchetType::kHandshake).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(late.Find(suite, leaf, RatchetType::kHandshake, 0).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace parley::mls
