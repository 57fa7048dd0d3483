#include "crypto/mls/tree_records.h"

#include <string>
#include <utility>
#include <vector>

#include "crypto/base/codec.h"
#include "crypto/base/status_macros.h"

namespace parley::mls {
namespace {

constexpr uint32_t kPartLevels = 4;

// enum { reserved(0), leaf(1), parent(2), (255) } NodeType;
constexpr uint8_t kLeafType = 1;
constexpr uint8_t kParentType = 2;

// `content` is null for a blank node.
template <typename Content>
void WriteNode(crypto::Writer& part, uint8_t type, const Content* content) {
  if (content == nullptr) return part.WriteUint8(0);
  crypto::Writer node;
  node.WriteUint8(type);
  Encode(node, *content);
  part.WriteUint8(1);
  part.WriteOpaque(node.view());
}

// An optional<opaque<V>>; empty for a blank node.
absl::Status ReadNode(crypto::Reader& part, ByteView& node) {
  uint8_t present = 0;
  node = {};
  PARLEY_RETURN_IF_ERROR(part.ReadUint8(present));
  if (present > 1) return absl::InvalidArgumentError("a damaged part of the tree");
  if (present == 0) return absl::OkStatus();
  PARLEY_RETURN_IF_ERROR(part.ReadOpaque(node));
  if (node.empty()) return absl::InvalidArgumentError("a node without anything in it");
  return absl::OkStatus();
}

}  // namespace

uint32_t TreePartOf(NodeIndex node) {
  const uint32_t top = node.Level() / kPartLevels * kPartLevels + kPartLevels - 1;
  const uint32_t place = node.value >> (top + 1);  // among the nodes of the top's level
  return (((place << 1) | 1) << top) - 1;
}

std::set<uint32_t> TreePartsOf(LeafCount leaves) {
  std::set<uint32_t> parts;
  for (uint32_t i = 0; i < leaves.NodeCount(); ++i) parts.insert(TreePartOf(NodeIndex(i)));
  return parts;
}

std::map<uint32_t, Bytes> SplitTree(const RatchetTree& tree) {
  std::map<uint32_t, crypto::Writer> writers;
  for (uint32_t i = 0; i < tree.leaf_count().NodeCount(); ++i) {
    const NodeIndex index(i);
    crypto::Writer& part = writers[TreePartOf(index)];
    if (index.IsLeaf()) {
      WriteNode(part, kLeafType, tree.leaf(index.ToLeaf()));
    } else {
      WriteNode(part, kParentType, tree.parent(index));
    }
  }
  std::map<uint32_t, Bytes> parts;
  for (auto& [number, writer] : writers) parts.emplace(number, std::move(writer).Take());
  return parts;
}

absl::StatusOr<RatchetTree> JoinTree(const CipherSuite& suite, LeafCount leaves,
                                     const std::map<uint32_t, ByteView>& parts) {
  if (leaves.value == 0 || leaves.value > kMaxLeaves ||
      LeafCount::AtLeast(leaves.value) != leaves) {
    return absl::InvalidArgumentError("a tree of no possible size");
  }
  std::map<uint32_t, crypto::Reader> readers;
  for (const auto& [number, part] : parts) readers.emplace(number, crypto::Reader(part));
  crypto::Writer nodes;
  uint32_t blanks = 0;  // since the last node that wasn't: those at the end aren't written
  for (uint32_t i = 0; i < leaves.NodeCount(); ++i) {
    const auto part = readers.find(TreePartOf(NodeIndex(i)));
    if (part == readers.end()) return absl::InvalidArgumentError("a part of the tree is missing");
    ByteView node;
    PARLEY_RETURN_IF_ERROR(ReadNode(part->second, node));
    if (node.empty()) {
      ++blanks;
      continue;
    }
    for (; blanks > 0; --blanks) nodes.WriteUint8(0);
    nodes.WriteUint8(1);
    nodes.WriteRaw(node);
  }
  for (const auto& [number, reader] : readers) PARLEY_RETURN_IF_ERROR(reader.ExpectEnd());
  crypto::Writer wire;
  wire.WriteOpaque(nodes.view());
  PARLEY_ASSIGN_OR_RETURN(RatchetTree tree, RatchetTree::Parse(suite, wire.view()));
  if (tree.leaf_count() != leaves) return absl::InvalidArgumentError("a tree of another size");
  return tree;
}

}  // namespace parley::mls
