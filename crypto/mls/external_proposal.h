// Proposals from outside a group (RFC 9420 section 12.1.8): by a sender that the group's
// external_senders extension names, or by somebody who asks to be added. They travel as
// PublicMessages; nothing of the group but its id and epoch is needed to make one.
//
//   Bytes message = *ProposeFromOutside(service_key, 0, {group_id, epoch}, Proposal{Remove{leaf}});
//
// Threading: free functions without shared state.
#ifndef PARLEY_CRYPTO_MLS_EXTERNAL_PROPOSAL_H_
#define PARLEY_CRYPTO_MLS_EXTERNAL_PROPOSAL_H_

#include "absl/status/statusor.h"
#include "crypto/mls/extension.h"
#include "crypto/mls/key_package.h"
#include "crypto/mls/proposal.h"

namespace parley::mls {

// Which group is addressed, in which epoch.
struct GroupAddress {
  Bytes group_id{};
  uint64_t epoch = 0;
  // Of a GroupInfo message, read without verifying it.
  // Errors: InvalidArgument for anything else; ResourceExhausted for more than kMaxMessageSize.
  static absl::StatusOr<GroupAddress> OfGroupInfo(ByteView group_info);
};

// A proposal by the external sender at `sender_index` of the extension, signed by its `key`.
// Errors: InvalidArgument for a type that external senders can't propose: they can Add, Remove,
// PreSharedKey, ReInit and GroupContextExtensions.
absl::StatusOr<Bytes> ProposeFromOutside(const crypto::SignatureKey& key, uint32_t sender_index,
                                         const GroupAddress& group, const Proposal& proposal,
                                         const Bytes& authenticated_data = {});

// The proposal to add the owner of `bundle`, by itself (sender type new_member_proposal).
absl::StatusOr<Bytes> ProposeToJoin(const KeyPackageBundle& bundle, const GroupAddress& group,
                                    const Bytes& authenticated_data = {});

// The extension that admits `senders`; their order gives their indices.
Extension ExternalSendersExtension(const std::vector<ExternalSender>& senders);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_EXTERNAL_PROPOSAL_H_
