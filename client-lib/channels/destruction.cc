#include "client-lib/channels/destruction.h"

#include <string>
#include <utility>

#include "client-lib/channels/document_log.h"
#include "client-lib/channels/entry_log.h"
#include "client-lib/channels/message_log.h"
#include "client-lib/content/parse.h"
#include "crypto/base/status_macros.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {
namespace {

bool HoldsDocument(const ChannelMessage& message) {
  if (message.kind == ContentKind::kDocument) return true;
  content::v1::Content content;
  return message.kind == ContentKind::kDisclosure &&
         ParseFromPeer(content, message.content.Reveal()) && content.disclosure().has_document();
}

absl::Status Destroy(ChannelStep& step, uint64_t index) {
  const std::string name = step.names().Message(index);
  PARLEY_ASSIGN_OR_RETURN(MessageRecord record,
                          LoadExisting<MessageRecord>(step.tx(), RecordClass::kContent, name));
  content::v1::Content left;
  left.set_message_id(crypto::ToString(record.message_id.bytes()));
  left.set_claimed_time(record.claimed_time);
  record.kind = static_cast<uint8_t>(ContentKind::kDestroyed);
  record.content = crypto::Secret::CopyOf(crypto::ViewOf(left.SerializeAsString()));
  PARLEY_RETURN_IF_ERROR(StoreRecord(step.tx(), RecordClass::kContent, name, record));
  return ForgetContentHash(step, record.incarnation, record.position, record.content.Reveal());
}

}  // namespace

bool HoldsWords(ContentKind kind) {
  switch (kind) {
    case ContentKind::kText:
    case ContentKind::kDocument:
    case ContentKind::kUnknown:
    case ContentKind::kBriefRelease:
    case ContentKind::kDisclosureAuthorisation:
    case ContentKind::kDisclosure:
    case ContentKind::kFirewallOverride:
    case ContentKind::kOffer:
    case ContentKind::kOfferAnswer:
    case ContentKind::kOfferEnd:
    case ContentKind::kOptionSheet:
    case ContentKind::kOptionEvaluation:
    case ContentKind::kSession:
    case ContentKind::kIssueRanking:
    case ContentKind::kCalendar:
      return true;
    default:
      return false;
  }
}

absl::Status DestroyMessages(ChannelStep& step, const std::vector<uint64_t>& indices) {
  std::vector<ChannelMessage> documents;
  for (const uint64_t index : indices) {
    if (index == 0 || index > step.channel().messages) {
      return absl::NotFoundError("the channel has no such message");
    }
    PARLEY_ASSIGN_OR_RETURN(ChannelMessage message, MessageAt(step.tx(), step.names(), index));
    if (!HoldsWords(message.kind)) continue;
    PARLEY_RETURN_IF_ERROR(Destroy(step, index));
    if (HoldsDocument(message)) documents.push_back(std::move(message));
  }
  return NoteDocumentsGone(step, documents);
}

}  // namespace parley::client
