// What must hold of any MLS structure that somebody sends.
#ifndef PARLEY_TESTS_FUZZ_MLS_STRUCTURES_H_
#define PARLEY_TESTS_FUZZ_MLS_STRUCTURES_H_

#include "crypto/mls/framing.h"
#include "crypto/mls/ratchet_tree.h"
#include "crypto/mls/tree_validation.h"
#include "tests/fuzz/fuzz_check.h"

namespace parley::mls::fuzz {

// What parses re-encodes to the same bytes, and is refused with a byte less; what doesn't parse is
// InvalidArgument. Returns whether it parses.
template <typename T>
bool ReadsAndWritesAlike(ByteView wire) {
  const absl::StatusOr<T> value = crypto::Parse<T>(wire);
  if (!value.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(value.status()));
    return false;
  }
  FUZZ_CHECK(crypto::PublicEquals(crypto::Serialize(*value), wire));
  if (!wire.empty()) FUZZ_CHECK(!crypto::Parse<T>(wire.first(wire.size() - 1)).ok());
  return true;
}

// An MLSMessage: the same, and what can be read in full can be peeked at, with the same result.
inline void CheckMessage(ByteView wire) {
  if (!ReadsAndWritesAlike<MlsMessage>(wire)) return;
  const MlsMessage message = *crypto::Parse<MlsMessage>(wire);
  const absl::StatusOr<MessageHead> head = PeekMessage(wire);
  FUZZ_CHECK(head.ok() && head->wire_format == message.wire_format());
  if (const auto* in_private = std::get_if<PrivateMessage>(&message.body)) {
    FUZZ_CHECK(head->group_id == in_private->group_id && head->epoch == in_private->epoch);
  }
  if (const auto* in_public = std::get_if<PublicMessage>(&message.body)) {
    FUZZ_CHECK(head->group_id == in_public->content.group_id);
    FUZZ_CHECK(head->content_type == in_public->content.content_type());
  }
  if (const auto* key_package = std::get_if<KeyPackage>(&message.body)) {
    (void)ValidateKeyPackage(*key_package);
  }
}

// A ratchet_tree extension: trees that parse may be looked at and changed in any way.
inline void CheckTree(ByteView wire) {
  const CipherSuite& suite = **FindCipherSuite(CipherSuiteId::k0x0003);
  const absl::StatusOr<RatchetTree> tree = RatchetTree::Parse(suite, wire);
  if (!tree.ok()) return;
  FUZZ_CHECK(crypto::PublicEquals(tree->Serialize(), wire));
  FUZZ_CHECK(tree->TreeHash().size() == suite.hash_size());
  uint32_t members = 0;
  tree->ForEachLeaf([&](LeafIndex leaf, const LeafNode&) {
    ++members;
    for (const auto& step : tree->FilteredDirectPath(leaf)) {
      FUZZ_CHECK(!tree->Resolution(step.copath_child).empty());
    }
  });
  FUZZ_CHECK(members == tree->member_count());
  (void)ValidateTree(suite, *tree, crypto::ViewOf("a group"));
  RatchetTree changed = *tree;
  (void)changed.AddLeaf(std::make_shared<LeafNode>()).ok();
  FUZZ_CHECK(crypto::PublicEquals(tree->Serialize(), wire));
}

}  // namespace parley::mls::fuzz

#endif  // PARLEY_TESTS_FUZZ_MLS_STRUCTURES_H_
