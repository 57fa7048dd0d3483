// The secret tree (RFC 9420 section 9): keys for messages, one ratchet per sender and purpose.
//
// Looking a key up changes nothing; only Consume() does, once a message has been verified. So a
// forged message burns no key. Secrets that have been used are gone (section 9.2).
//
// Threading: const calls may run together.
// Secrets: tree nodes not yet split, ratchet states, and the keys of messages that were skipped.
#ifndef PARLEY_CRYPTO_MLS_SECRET_TREE_H_
#define PARLEY_CRYPTO_MLS_SECRET_TREE_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "crypto/mls/key_schedule.h"
#include "crypto/mls/tree_math.h"

namespace parley::mls {

// Handshake messages (proposals and commits) and application messages have a ratchet each.
enum class RatchetType : uint8_t { kHandshake = 0, kApplication = 1 };

struct MessageKey {
  Secret key;
  Secret nonce;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.key, self.nonce);
  }
};

// One sender's keys for one purpose.
struct Ratchet {
  Secret secret;
  uint32_t generation = 0;                 // of the next key
  std::map<uint32_t, MessageKey> skipped;  // keys of earlier generations that weren't used
};

// A key that was looked up and what consuming it will change.
struct FoundKey {
  LeafIndex leaf{};
  RatchetType type{};
  uint32_t generation = 0;
  MessageKey key{};

  // The node secrets that replace those on the way to the leaf, when its ratchets are new.
  struct Opened {
    std::map<uint32_t, Secret> nodes{};
    std::vector<uint32_t> spent{};
    std::array<Ratchet, 2> ratchets{};
  };
  std::optional<Opened> opened{};
  // The ratchet's state after the key; none for a key from among the skipped ones.
  struct Advanced {
    Secret secret{};
    std::vector<std::pair<uint32_t, MessageKey>> skipped{};
  };
  std::optional<Advanced> advanced{};
};

// What of a secret tree is no longer as it was stored; see group_records.h.
struct SecretTreeChanges {
  bool everything = true;  // it was never stored
  std::set<uint32_t> nodes{};
  std::set<uint32_t> leaves{};  // whose ratchets changed
};

class SecretTree {
 public:
  SecretTree() = default;
  SecretTree(LeafCount leaves, EncryptionSecret encryption_secret);

  // The key of `generation`, nothing changed yet.
  // Errors: InvalidArgument for a leaf outside the tree; ResourceExhausted for a generation more
  // than kMaxRatchetJump ahead (checked before anything is derived), or the last that can be
  // counted; FailedPrecondition for a key that was used, or skipped too long ago.
  absl::StatusOr<FoundKey> Find(const CipherSuite& suite, LeafIndex leaf, RatchetType type,
                                uint32_t generation) const;

  // Uses up a key that Find gave for this very state.
  void Consume(FoundKey&& found);

  // Takes the next key of an own ratchet for sending.
  // Errors: ResourceExhausted when the ratchet has no generations left.
  absl::StatusOr<FoundKey> TakeNext(const CipherSuite& suite, LeafIndex leaf, RatchetType type);

  // The generation that TakeNext would give.
  uint32_t NextGeneration(LeafIndex leaf, RatchetType type) const;

  // For storing it in parts, node by node and sender by sender.
  const SecretTreeChanges& changes() const { return changes_; }
  void ForgetChanges() { changes_ = {.everything = false}; }
  LeafCount leaf_count() const { return leaves_; }
  std::vector<uint32_t> StoredNodes() const;
  std::vector<uint32_t> StoredLeaves() const;
  // None for what isn't there.
  std::optional<Secret> StoreNode(uint32_t node) const;
  std::optional<Secret> StoreRatchets(uint32_t leaf) const;
  // The other direction, into a tree of `leaves` that has neither.
  // Errors: InvalidArgument.
  static SecretTree OfParts(LeafCount leaves);
  absl::Status LoadNode(uint32_t node, ByteView stored);
  absl::Status LoadRatchets(uint32_t leaf, ByteView stored);
  // Of a tree that was read: every leaf has its ratchets, or one node above it has the secret that
  // they come from; all of them, and the keys that were skipped, are of the suite's sizes, and no
  // skipped key is of a generation to come. Errors: InvalidArgument.
  absl::Status CheckComplete(const CipherSuite& suite) const;

 private:
  friend void Encode(crypto::Writer& w, const SecretTree& tree);
  friend absl::Status Decode(crypto::Reader& r, SecretTree& tree);

  const Ratchet* FindRatchet(LeafIndex leaf, RatchetType type) const;
  FoundKey::Opened OpenLeaf(const CipherSuite& suite, LeafIndex leaf) const;

  LeafCount leaves_;
  std::map<uint32_t, Secret> nodes_;                     // by node index
  std::map<uint32_t, std::array<Ratchet, 2>> ratchets_;  // by leaf index
  SecretTreeChanges changes_;
};

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_SECRET_TREE_H_
