#include "crypto/mls/secret_tree.h"

#include <algorithm>
#include <utility>

#include "crypto/base/check.h"
#include "crypto/mls/group.h"

namespace parley::mls {
namespace {

// Section 9.1:
// ratchet_key_[N]_[j] = DeriveTreeSecret(ratchet_secret, "key", j, AEAD.Nk), the nonce likewise.
MessageKey KeyAt(const CipherSuite& suite, const Secret& secret, uint32_t generation) {
  return {DeriveTreeSecret(suite, secret, "key", generation, suite.key_size()),
          DeriveTreeSecret(suite, secret, "nonce", generation, suite.nonce_size())};
}

Secret SecretAfter(const CipherSuite& suite, const Secret& secret, uint32_t generation) {
  return DeriveTreeSecret(suite, secret, "secret", generation, suite.hash_size());
}

}  // namespace

SecretTree::SecretTree(LeafCount leaves, EncryptionSecret encryption_secret) : leaves_(leaves) {
  nodes_.emplace(RootOf(leaves).value, std::move(encryption_secret.value));
}

const Ratchet* SecretTree::FindRatchet(LeafIndex leaf, RatchetType type) const {
  auto found = ratchets_.find(leaf.value);
  return found == ratchets_.end() ? nullptr : &found->second[static_cast<size_t>(type)];
}

uint32_t SecretTree::NextGeneration(LeafIndex leaf, RatchetType type) const {
  const Ratchet* ratchet = FindRatchet(leaf, type);
  return ratchet == nullptr ? 0 : ratchet->generation;
}

// Section 9: left_secret = ExpandWithLabel(tree_node_secret, "tree", "left", Nh), the right one
// likewise; at the leaf, handshake_ratchet_secret_[N]_[0] = ExpandWithLabel(., "handshake", "", Nh)
// and application_ratchet_secret_[N]_[0] = ExpandWithLabel(., "application", "", Nh).
FoundKey::Opened SecretTree::OpenLeaf(const CipherSuite& suite, LeafIndex leaf) const {
  NodeIndex node(leaf);
  auto known = nodes_.find(node.value);
  // The leaf hasn't been opened yet, so that its secret or that of a node above it is still there.
  while (known == nodes_.end()) {
    const std::optional<NodeIndex> parent = ParentOf(node, leaves_);
    PARLEY_CHECK(parent.has_value());
    node = *parent;
    known = nodes_.find(node.value);
  }
  FoundKey::Opened opened;
  opened.spent.push_back(node.value);
  Secret secret = known->second.Clone();
  while (!node.IsLeaf()) {
    Secret left = ExpandWithLabel(suite, secret, "tree", crypto::ViewOf("left"), suite.hash_size());
    Secret right =
        ExpandWithLabel(suite, secret, "tree", crypto::ViewOf("right"), suite.hash_size());
    const bool go_left = IsInLeftSubtree(leaf, node);
    const NodeIndex aside = go_left ? RightOf(node) : LeftOf(node);
    node = go_left ? LeftOf(node) : RightOf(node);
    opened.nodes.emplace(aside.value, go_left ? std::move(right) : std::move(left));
    secret = go_left ? std::move(left) : std::move(right);
  }
  opened.ratchets[0].secret = DeriveSecret(suite, secret, "handshake");
  opened.ratchets[1].secret = DeriveSecret(suite, secret, "application");
  return opened;
}

absl::StatusOr<FoundKey> SecretTree::Find(const CipherSuite& suite, LeafIndex leaf,
                                          RatchetType type, uint32_t generation) const {
  if (!leaves_.Contains(leaf)) {
    return absl::InvalidArgumentError("a sender that is outside the group's tree");
  }
  FoundKey found{.leaf = leaf, .type = type, .generation = generation};
  const Ratchet* ratchet = FindRatchet(leaf, type);
  const uint32_t next = NextGeneration(leaf, type);
  if (generation < next) {
    auto skipped = ratchet->skipped.find(generation);
    if (skipped == ratchet->skipped.end()) {
      return absl::FailedPreconditionError("the key of this message was used or given up");
    }
    found.key = {skipped->second.key.Clone(), skipped->second.nonce.Clone()};
    return found;
  }
  // The last generation has no next: counting on would begin at 0 again, and keys serve twice.
  if (generation == UINT32_MAX || generation - next > kMaxRatchetJump) {
    return absl::ResourceExhaustedError("a message is too far ahead of its sender's last one");
  }
  if (ratchet == nullptr) {
    found.opened = OpenLeaf(suite, leaf);
    ratchet = &found.opened->ratchets[static_cast<size_t>(type)];
  }
  FoundKey::Advanced advanced{.secret = ratchet->secret.Clone(), .skipped = {}};
  for (uint32_t g = next; g < generation; ++g) {
    advanced.skipped.emplace_back(g, KeyAt(suite, advanced.secret, g));
    advanced.secret = SecretAfter(suite, advanced.secret, g);
  }
  found.key = KeyAt(suite, advanced.secret, generation);
  advanced.secret = SecretAfter(suite, advanced.secret, generation);
  found.advanced = std::move(advanced);
  return found;
}

void SecretTree::Consume(FoundKey&& found) {
  changes_.leaves.insert(found.leaf.value);
  if (found.opened.has_value()) {
    for (uint32_t spent : found.opened->spent) {
      nodes_.erase(spent);
      changes_.nodes.insert(spent);
    }
    for (const auto& [node, secret] : found.opened->nodes) changes_.nodes.insert(node);
    nodes_.merge(found.opened->nodes);
    ratchets_.emplace(found.leaf.value, std::move(found.opened->ratchets));
  }
  Ratchet& ratchet = ratchets_.at(found.leaf.value)[static_cast<size_t>(found.type)];
  if (!found.advanced.has_value()) {
    ratchet.skipped.erase(found.generation);
    return;
  }
  ratchet.secret = std::move(found.advanced->secret);
  ratchet.generation = found.generation + 1;
  for (auto& [generation, key] : found.advanced->skipped) {
    ratchet.skipped.emplace(generation, std::move(key));
  }
  while (ratchet.skipped.size() > kMaxSkippedKeys) ratchet.skipped.erase(ratchet.skipped.begin());
}

absl::StatusOr<FoundKey> SecretTree::TakeNext(const CipherSuite& suite, LeafIndex leaf,
                                              RatchetType type) {
  const uint32_t generation = NextGeneration(leaf, type);
  // The last generation is never given, so that `generation + 1` doesn't wrap around.
  if (generation == UINT32_MAX) {
    return absl::ResourceExhaustedError("this epoch has no message keys left");
  }
  PARLEY_ASSIGN_OR_RETURN(FoundKey found, Find(suite, leaf, type, generation));
  FoundKey taken{.leaf = leaf, .type = type, .generation = generation};
  taken.key = std::move(found.key);
  Consume(std::move(found));
  return taken;
}

// ---- Stored form ------------------------------------------------------------------------------

namespace {

void EncodeRatchet(crypto::Writer& w, const Ratchet& ratchet) {
  Encode(w, ratchet.secret);
  Encode(w, ratchet.generation);
  w.WriteUint32(static_cast<uint32_t>(ratchet.skipped.size()));
  for (const auto& [generation, key] : ratchet.skipped) {
    w.WriteUint32(generation);
    Encode(w, key);
  }
}

absl::Status DecodeRatchet(crypto::Reader& r, Ratchet& ratchet) {
  PARLEY_RETURN_IF_ERROR(Decode(r, ratchet.secret));
  PARLEY_RETURN_IF_ERROR(Decode(r, ratchet.generation));
  uint32_t count = 0;
  PARLEY_RETURN_IF_ERROR(r.ReadUint32(count));
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t generation = 0;
    MessageKey key;
    PARLEY_RETURN_IF_ERROR(r.ReadUint32(generation));
    PARLEY_RETURN_IF_ERROR(Decode(r, key));
    ratchet.skipped.emplace(generation, std::move(key));
  }
  return absl::OkStatus();
}

}  // namespace

void Encode(crypto::Writer& w, const SecretTree& tree) {
  w.WriteUint32(tree.leaves_.value);
  w.WriteUint32(static_cast<uint32_t>(tree.nodes_.size()));
  for (const auto& [node, secret] : tree.nodes_) {
    w.WriteUint32(node);
    Encode(w, secret);
  }
  w.WriteUint32(static_cast<uint32_t>(tree.ratchets_.size()));
  for (const auto& [leaf, ratchets] : tree.ratchets_) {
    w.WriteUint32(leaf);
    for (const Ratchet& ratchet : ratchets) EncodeRatchet(w, ratchet);
  }
}

absl::Status Decode(crypto::Reader& r, SecretTree& tree) {
  tree.changes_ = {};
  PARLEY_RETURN_IF_ERROR(r.ReadUint32(tree.leaves_.value));
  uint32_t count = 0;
  PARLEY_RETURN_IF_ERROR(r.ReadUint32(count));
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t node = 0;
    Secret secret;
    PARLEY_RETURN_IF_ERROR(r.ReadUint32(node));
    PARLEY_RETURN_IF_ERROR(Decode(r, secret));
    tree.nodes_.emplace(node, std::move(secret));
  }
  PARLEY_RETURN_IF_ERROR(r.ReadUint32(count));
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t leaf = 0;
    PARLEY_RETURN_IF_ERROR(r.ReadUint32(leaf));
    std::array<Ratchet, 2> ratchets;
    for (Ratchet& ratchet : ratchets) PARLEY_RETURN_IF_ERROR(DecodeRatchet(r, ratchet));
    tree.ratchets_.emplace(leaf, std::move(ratchets));
  }
  return absl::OkStatus();
}

// ---- Stored in parts --------------------------------------------------------------------------

namespace {

template <typename Map>
std::vector<uint32_t> KeysOf(const Map& map) {
  std::vector<uint32_t> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

}  // namespace

std::vector<uint32_t> SecretTree::StoredNodes() const { return KeysOf(nodes_); }
std::vector<uint32_t> SecretTree::StoredLeaves() const { return KeysOf(ratchets_); }

std::optional<Secret> SecretTree::StoreNode(uint32_t node) const {
  const auto found = nodes_.find(node);
  if (found == nodes_.end()) return std::nullopt;
  return found->second.Clone();
}

std::optional<Secret> SecretTree::StoreRatchets(uint32_t leaf) const {
  const auto found = ratchets_.find(leaf);
  if (found == ratchets_.end()) return std::nullopt;
  crypto::Writer w;
  for (const Ratchet& ratchet : found->second) EncodeRatchet(w, ratchet);
  return std::move(w).TakeSecret();
}

SecretTree SecretTree::OfParts(LeafCount leaves) {
  SecretTree tree;
  tree.leaves_ = leaves;
  return tree;
}

absl::Status SecretTree::LoadNode(uint32_t node, ByteView stored) {
  if (!nodes_.emplace(node, Secret::CopyOf(stored)).second) {
    return absl::InvalidArgumentError("a node that is stored twice");
  }
  return absl::OkStatus();
}

absl::Status SecretTree::LoadRatchets(uint32_t leaf, ByteView stored) {
  crypto::Reader r(stored);
  std::array<Ratchet, 2> ratchets;
  for (Ratchet& ratchet : ratchets) PARLEY_RETURN_IF_ERROR(DecodeRatchet(r, ratchet));
  PARLEY_RETURN_IF_ERROR(r.ExpectEnd());
  if (!leaves_.Contains(LeafIndex(leaf)) || !ratchets_.emplace(leaf, std::move(ratchets)).second) {
    return absl::InvalidArgumentError("ratchets of a leaf that is stored twice, or not there");
  }
  return absl::OkStatus();
}

namespace {

bool HasSizesOf(const CipherSuite& suite, const Ratchet& ratchet) {
  return ratchet.secret.size() == suite.hash_size() &&
         std::all_of(ratchet.skipped.begin(), ratchet.skipped.end(), [&](const auto& skipped) {
           const auto& [generation, key] = skipped;
           return generation < ratchet.generation && key.key.size() == suite.key_size() &&
                  key.nonce.size() == suite.nonce_size();
         });
}

}  // namespace

absl::Status SecretTree::CheckComplete(const CipherSuite& suite) const {
  std::vector<bool> covered(leaves_.value, false);
  for (const auto& [leaf, ratchets] : ratchets_) {
    if (leaf >= covered.size()) return absl::InvalidArgumentError("ratchets of another tree");
    covered[leaf] = true;
    for (const Ratchet& ratchet : ratchets) {
      if (!HasSizesOf(suite, ratchet)) {
        return absl::InvalidArgumentError("ratchets that this suite can't have");
      }
    }
  }
  for (const auto& [node, secret] : nodes_) {
    if (secret.size() != suite.hash_size()) {
      return absl::InvalidArgumentError("a node's secret that isn't as long as its suite's are");
    }
    const uint64_t below = uint64_t{1} << NodeIndex(node).Level();
    const uint64_t first = (uint64_t{node} + 1 - below) / 2;
    if (first + below > covered.size()) return absl::InvalidArgumentError("a node of another tree");
    for (uint64_t leaf = first; leaf < first + below; ++leaf) {
      if (covered[leaf]) return absl::InvalidArgumentError("a secret that was used up");
      covered[leaf] = true;
    }
  }
  for (const bool one : covered) {
    if (!one) return absl::InvalidArgumentError("a record with keys of a member is missing");
  }
  return absl::OkStatus();
}

}  // namespace parley::mls
