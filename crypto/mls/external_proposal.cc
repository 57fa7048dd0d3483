#include "crypto/mls/external_proposal.h"

#include "crypto/mls/framing.h"
#include "crypto/mls/message_protection.h"
#include "crypto/mls/proposal_list.h"

namespace parley::mls {
namespace {

Bytes SignedOutside(const crypto::SignatureKey& key, const Sender& sender,
                    const GroupAddress& group, const Proposal& proposal,
                    const Bytes& authenticated_data) {
  PublicMessage message;
  message.content.group_id = group.group_id;
  message.content.epoch = group.epoch;
  message.content.sender = sender;
  message.content.authenticated_data = authenticated_data;
  message.content.body = proposal;
  // Section 6.1: what senders outside the group sign has no GroupContext in it, nor is there a
  // membership tag.
  message.auth.signature = SignContent(key, WireFormat::kPublicMessage, message.content, {});
  return crypto::Serialize(MlsMessage{std::move(message)});
}

}  // namespace

absl::StatusOr<GroupAddress> GroupAddress::OfGroupInfo(ByteView group_info) {
  PARLEY_ASSIGN_OR_RETURN(MlsMessage message, ParseMessage(group_info));
  const auto* info = std::get_if<GroupInfo>(&message.body);
  if (info == nullptr) return absl::InvalidArgumentError("this message is not a GroupInfo");
  return GroupAddress{info->group_context.group_id, info->group_context.epoch};
}

absl::StatusOr<Bytes> ProposeFromOutside(const crypto::SignatureKey& key, uint32_t sender_index,
                                         const GroupAddress& group, const Proposal& proposal,
                                         const Bytes& authenticated_data) {
  const Sender sender{.type = SenderType::kExternal, .index = sender_index};
  if (!SenderMayPropose(sender, proposal.type())) {
    return absl::InvalidArgumentError("an external sender can't make a proposal of this type");
  }
  return SignedOutside(key, sender, group, proposal, authenticated_data);
}

absl::StatusOr<Bytes> ProposeToJoin(const KeyPackageBundle& bundle, const GroupAddress& group,
                                    const Bytes& authenticated_data) {
  PARLEY_ASSIGN_OR_RETURN(const SignatureKey key,
                          SignatureKey::FromSeed(bundle.signature_private().Reveal()));
  return SignedOutside(key, {.type = SenderType::kNewMemberProposal, .index = 0}, group,
                       Proposal{Add{bundle.key_package()}}, authenticated_data);
}

Extension ExternalSendersExtension(const std::vector<ExternalSender>& senders) {
  return {ExtensionType::kExternalSenders, crypto::Serialize(senders)};
}

}  // namespace parley::mls
