// Every MLS structure: what parses re-encodes to the same bytes, and is refused with a byte more or
// less. Trees that parse may be looked at in any way.
#include "crypto/mls/framing.h"
#include "crypto/mls/ratchet_tree.h"
#include "crypto/mls/tree_validation.h"
#include "tests/fuzz/fuzz_check.h"

namespace parley::mls {
namespace {

template <typename T>
void ReadsAndWritesAlike(ByteView wire) {
  const absl::StatusOr<T> value = crypto::Parse<T>(wire);
  if (!value.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(value.status()));
    return;
  }
  FUZZ_CHECK(crypto::PublicEquals(crypto::Serialize(*value), wire));
  if (!wire.empty()) FUZZ_CHECK(!crypto::Parse<T>(wire.first(wire.size() - 1)).ok());
}

void Message(ByteView wire) {
  ReadsAndWritesAlike<MlsMessage>(wire);
  const absl::StatusOr<MlsMessage> message = crypto::Parse<MlsMessage>(wire);
  if (!message.ok()) return;
  // What can be read in full can be peeked at, with the same result.
  const absl::StatusOr<MessageHead> head = PeekMessage(wire);
  FUZZ_CHECK(head.ok() && head->wire_format == message->wire_format());
  if (const auto* in_private = std::get_if<PrivateMessage>(&message->body)) {
    FUZZ_CHECK(head->group_id == in_private->group_id && head->epoch == in_private->epoch);
  }
  if (const auto* key_package = std::get_if<KeyPackage>(&message->body)) {
    (void)ValidateKeyPackage(*key_package);
  }
}

void Tree(ByteView wire) {
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

}  // namespace
}  // namespace parley::mls

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace parley::mls;  // NOLINT
  if (size == 0) return 0;
  const ByteView wire(data + 1, size - 1);
  switch (data[0] % 9) {
    case 0:
      Message(wire);
      break;
    case 1:
      Tree(wire);
      break;
    case 2:
      ReadsAndWritesAlike<Proposal>(wire);
      break;
    case 3:
      ReadsAndWritesAlike<Commit>(wire);
      break;
    case 4:
      ReadsAndWritesAlike<GroupSecrets>(wire);
      break;
    case 5:
      ReadsAndWritesAlike<GroupContext>(wire);
      break;
    case 6:
      ReadsAndWritesAlike<AuthenticatedContent>(wire);
      break;
    case 7:
      ReadsAndWritesAlike<RequiredCapabilities>(wire);
      break;
    default:
      ReadsAndWritesAlike<std::vector<ExternalSender>>(wire);
  }
  return 0;
}
