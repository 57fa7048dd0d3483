// Messages that their author takes back: Profile::Impl's part.
#include "client-lib/api/profile_impl.h"
#include "client-lib/content/parse.h"
#include "client-lib/firewall/disclosures.h"
#include "client-lib/firewall/quotes.h"

namespace parley {
namespace {

using client::CaseContext;
using client::ChannelMessage;
using client::ContentKind;
using client::ReadTransaction;
using client::Transaction;

absl::Status CheckRetractable(const ReadTransaction& step, const CaseContext& context,
                              const ChannelRef& channel, const MessageId& id) {
  PARLEY_ASSIGN_OR_RETURN(const std::optional<ChannelMessage> message,
                          client::FindSaid(step, context.Channel(channel.channel_id), id));
  if (!message.has_value()) return absl::NotFoundError("this channel has no such message");
  if (!message->own) {
    return absl::PermissionDeniedError("only " + message->author.name +
                                       ", who said it, can take it back");
  }
  if (message->kind == ContentKind::kRetraction) {
    return absl::FailedPreconditionError("you have taken it back already");
  }
  PARLEY_ASSIGN_OR_RETURN(const client::Disclosures disclosures,
                          client::Disclosures::Load(step, context));
  for (const client::AuthorisationRecord& one : disclosures.authorisations()) {
    if (one.channel != channel.channel_id || one.item != id ||
        one.author.participant_id != message->author.participant_id) {
      continue;
    }
    return absl::FailedPreconditionError(
        "you have authorised the neutrals to carry it, so it can't be taken back: what they carry "
        "is measured by it (parley authorisations)");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SentMessage> Profile::Impl::Retract(const ChannelRef& channel,
                                                   const MessageId& message) {
  const CaseContext context = LocalContext(channel.case_id);
  PARLEY_RETURN_IF_ERROR(CheckWritable(channel));
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    PARLEY_RETURN_IF_ERROR(CheckRetractable(read, context, channel, message));
  }
  content::v1::Content content;
  content.mutable_retraction()->set_message_id(client::ToField(message));
  return QueueAndDeliver(channel, content, /*may_stay_queued=*/true);
}

absl::Status Profile::Impl::Unsend(const ChannelRef& channel, const MessageId& message) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, store_->Begin());
  PARLEY_RETURN_IF_ERROR(
      LocalContext(channel.case_id).Channel(channel.channel_id).Unqueue(step, message));
  return step.Commit();
}

}  // namespace parley
