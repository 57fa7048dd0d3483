#include "crypto/mls/leaf_checks.h"

namespace parley::mls {

absl::Status CredentialJudge::JudgeSuccessor(const Credential& before,
                                             const Credential& after) const {
  if (ClientOf(before) == ClientOf(after)) return absl::OkStatus();
  return absl::PermissionDeniedError("a member may not become another client");
}

absl::Status CheckLeaf(const LeafChecks& checks, const LeafNode& leaf) {
  // Only leaves that were made for a key package have a lifetime.
  if (leaf.source == LeafNodeSource::kKeyPackage) {
    const Lifetime& lifetime = leaf.lifetime;
    if (lifetime.not_after < lifetime.not_before ||
        lifetime.not_after - lifetime.not_before > checks.max_lifetime_seconds) {
      return absl::InvalidArgumentError("a leaf with a lifetime that is longer than is allowed");
    }
    if (checks.now_seconds.has_value() && !lifetime.Contains(*checks.now_seconds)) {
      return absl::InvalidArgumentError("a leaf that has expired or isn't valid yet");
    }
  }
  if (checks.judge == nullptr) return absl::OkStatus();
  return checks.judge->Judge(leaf.credential, leaf.signature_key);
}

absl::Status CheckReplacement(const LeafChecks& checks, const LeafNode& before,
                              const LeafNode& after) {
  if (checks.judge == nullptr) return absl::OkStatus();
  // The same credential for the same key says nothing new (section 5.3.1); it may have expired.
  if (before.credential == after.credential && before.signature_key == after.signature_key) {
    return absl::OkStatus();
  }
  PARLEY_RETURN_IF_ERROR(checks.judge->Judge(after.credential, after.signature_key));
  return checks.judge->JudgeSuccessor(before.credential, after.credential);
}

absl::Status CheckExternalSenders(const LeafChecks& checks, const Extensions& extensions) {
  const Extension* found = FindExtension(extensions, ExtensionType::kExternalSenders);
  if (found == nullptr) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ExternalSender> senders,
                          crypto::Parse<std::vector<ExternalSender>>(found->data));
  if (checks.judge == nullptr) return absl::OkStatus();
  for (const ExternalSender& sender : senders) {
    PARLEY_RETURN_IF_ERROR(checks.judge->Judge(sender.credential, sender.signature_key));
  }
  return absl::OkStatus();
}

Bytes CredentialJudge::ClientOf(const Credential& credential) const {
  return crypto::Serialize(credential);
}

Bytes ClientOf(const LeafChecks& checks, const LeafNode& leaf) {
  return checks.judge != nullptr ? checks.judge->ClientOf(leaf.credential)
                                 : crypto::Serialize(leaf.credential);
}

}  // namespace parley::mls
