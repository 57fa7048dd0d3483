#include "crypto/mls/extension.h"

#include <algorithm>

#include "crypto/mls/bounded_list.h"

namespace parley::mls {

absl::Status Decode(crypto::Reader& r, Extensions& extensions) {
  return DecodeAtMost(kMaxExtensions, "a list of extensions that is too long", r, extensions);
}

absl::Status Decode(crypto::Reader& r, std::vector<ExternalSender>& senders) {
  return DecodeAtMost(kMaxExternalSenders, "a list of external senders that is too long", r,
                      senders);
}

const Extension* FindExtension(const Extensions& extensions, ExtensionType type) {
  auto found = std::find_if(extensions.begin(), extensions.end(),
                            [type](const Extension& e) { return e.type == type; });
  return found == extensions.end() ? nullptr : &*found;
}

absl::Status CheckExtensionsUnique(const Extensions& extensions) {
  if (extensions.size() > kMaxExtensions) {
    return absl::InvalidArgumentError("a list of extensions that is too long");
  }
  std::vector<ExtensionType> types;
  types.reserve(extensions.size());
  for (const Extension& extension : extensions) types.push_back(extension.type);
  std::sort(types.begin(), types.end());
  if (std::adjacent_find(types.begin(), types.end()) != types.end()) {
    return absl::InvalidArgumentError("a list of extensions has one type twice");
  }
  return absl::OkStatus();
}

bool IsDefaultExtension(ExtensionType type) {
  return type >= ExtensionType::kApplicationId && type <= ExtensionType::kExternalSenders;
}

bool IsDefaultProposal(ProposalType type) {
  return type >= ProposalType::kAdd && type <= ProposalType::kGroupContextExtensions;
}

}  // namespace parley::mls
