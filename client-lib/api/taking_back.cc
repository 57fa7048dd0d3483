// Messages that their author takes back: Profile::Impl's part.
#include "client-lib/api/profile_impl.h"
#include "client-lib/content/parse.h"

namespace parley {
namespace {

using client::CaseContext;
using client::ChannelMessage;
using client::ContentKind;
using client::ReadTransaction;
using client::Transaction;

bool IsSaid(const ChannelMessage& message) {
  return message.kind == ContentKind::kText || message.kind == ContentKind::kDocument ||
         message.kind == ContentKind::kRetraction;
}

// Why nothing of the owner's has that id.
absl::Status WhoseIsIt(const ReadTransaction& step, const client::Channel& channel,
                       const MessageId& id) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages, channel.Messages(step, {}));
  for (const ChannelMessage& message : messages) {
    if (message.id != id || !IsSaid(message)) continue;
    return absl::PermissionDeniedError("only " + message.author.name +
                                       ", who said it, can take it back");
  }
  return absl::NotFoundError("this channel has no such message");
}

absl::Status CheckRetractable(const ReadTransaction& step, const CaseContext& context,
                              const ChannelRef& channel, const MessageId& id) {
  const client::Channel log = context.Channel(channel.channel_id);
  PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord record, context.Records().Case(step));
  // Ids are their authors' own: another's message of that id doesn't matter.
  PARLEY_ASSIGN_OR_RETURN(const std::optional<ChannelMessage> message,
                          log.Find(step, record.own_id, id));
  if (!message.has_value() || !IsSaid(*message)) return WhoseIsIt(step, log, id);
  if (message->kind == ContentKind::kRetraction) {
    return absl::FailedPreconditionError("you have taken it back already");
  }
  // The same rule as every client's (message_log.h).
  client::MessageQuery query;
  query.after = message->number;
  query.kinds = {ContentKind::kDisclosureAuthorisation};
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> given, log.Messages(step, query));
  if (given.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "it can't be taken back: since you said it " +
      (given.front().own ? std::string("you have") : given.front().author.name + " has") +
      " authorised the neutrals to carry something from this channel, which is measured by what "
      "was "
      "said before (parley authorisations)");
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
  client::Channel in = LocalContext(channel.case_id).Channel(channel.channel_id);
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> unsent, in.Unsent(step));
  for (const ChannelMessage& waiting : unsent) {
    if (waiting.id == message && waiting.kind == ContentKind::kFirewallOverride) {
      return absl::PermissionDeniedError(
          "the reason why the firewall was overridden belongs to the neutrals' record: it can't be "
          "taken back");
    }
  }
  PARLEY_RETURN_IF_ERROR(in.Unqueue(step, message));
  return step.Commit();
}

}  // namespace parley
