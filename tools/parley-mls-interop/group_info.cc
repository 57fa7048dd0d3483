#include "tools/parley-mls-interop/group_info.h"

#include <optional>
#include <utility>
#include <variant>

#include "crypto/base/status_macros.h"
#include "crypto/mls/framing.h"
#include "crypto/mls/group_join.h"

namespace parley::interop {

using crypto::ViewOf;

absl::StatusOr<mls::GroupInfo> ReadGroupInfo(const std::string& message) {
  PARLEY_ASSIGN_OR_RETURN(mls::MlsMessage parsed, crypto::Parse<mls::MlsMessage>(ViewOf(message)));
  if (auto* info = std::get_if<mls::GroupInfo>(&parsed.body)) return std::move(*info);
  return absl::InvalidArgumentError("this message is not a GroupInfo");
}

absl::StatusOr<mls::GroupInfo> CheckedGroupInfo(const std::string& message,
                                                const std::string& tree) {
  PARLEY_ASSIGN_OR_RETURN(mls::GroupInfo info, ReadGroupInfo(message));
  PARLEY_ASSIGN_OR_RETURN(const mls::CipherSuite* suite,
                          mls::FindCipherSuite(info.group_context.suite));
  mls::JoinOptions options;
  if (!tree.empty()) options.ratchet_tree = crypto::ToBytes(tree);
  if (options.ratchet_tree.has_value() ||
      mls::FindExtension(info.extensions, mls::ExtensionType::kRatchetTree) != nullptr) {
    PARLEY_RETURN_IF_ERROR(mls::TreeOfGroupInfo(*suite, info, options).status());
  }
  return info;
}

absl::StatusOr<mls::RatchetTree> TreeBeside(const std::string& group_info,
                                            const std::string& tree) {
  PARLEY_ASSIGN_OR_RETURN(const mls::GroupInfo info, ReadGroupInfo(group_info));
  PARLEY_ASSIGN_OR_RETURN(const mls::CipherSuite* suite,
                          mls::FindCipherSuite(info.group_context.suite));
  if (!tree.empty()) return mls::RatchetTree::Parse(*suite, ViewOf(tree));
  const mls::Extension* extension =
      mls::FindExtension(info.extensions, mls::ExtensionType::kRatchetTree);
  if (extension != nullptr) return mls::RatchetTree::Parse(*suite, extension->data);
  return absl::InvalidArgumentError("a GroupInfo without the group's tree, in it or beside it");
}

absl::StatusOr<mls::LeafIndex> FindLeaf(const mls::RatchetTree& tree, mls::ByteView identity) {
  std::optional<mls::LeafIndex> found;
  tree.ForEachLeaf([&](mls::LeafIndex index, const mls::LeafNode& leaf) {
    if (!found.has_value() && crypto::PublicEquals(leaf.credential.identity, identity)) {
      found = index;
    }
  });
  if (found.has_value()) return *found;
  return absl::NotFoundError("nobody in the group has this identity");
}

}  // namespace parley::interop
