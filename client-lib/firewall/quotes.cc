#include "client-lib/firewall/quotes.h"

#include "client-lib/cases/naming.h"
#include "crypto/base/status_macros.h"
#include "crypto/primitives/hash.h"

namespace parley::client {
namespace {

bool IsSaid(const ChannelMessage& message) {
  return message.kind == ContentKind::kText || message.kind == ContentKind::kDocument ||
         message.kind == ContentKind::kRetraction;
}

}  // namespace

Bytes QuoteHash(const ChannelMessage& message) {
  return crypto::Hash(crypto::HashAlgorithm::kSha256, message.content.Reveal());
}

absl::StatusOr<std::optional<ChannelMessage>> FindSaid(const ReadTransaction& step,
                                                       const Channel& channel,
                                                       const MessageId& id) {
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, channel.Info(step));
  for (const RosterMember& member : info.state.members) {
    PARLEY_ASSIGN_OR_RETURN(std::optional<ChannelMessage> message,
                            channel.Find(step, member.participant_id, id));
    if (message.has_value() && IsSaid(*message)) return message;
  }
  // By somebody who isn't in it any more.
  MessageQuery query;
  query.kinds = {ContentKind::kText, ContentKind::kDocument, ContentKind::kRetraction};
  PARLEY_ASSIGN_OR_RETURN(std::vector<ChannelMessage> messages, channel.Messages(step, query));
  for (ChannelMessage& message : messages) {
    if (message.id == id) return std::optional<ChannelMessage>(std::move(message));
  }
  return std::optional<ChannelMessage>();
}

absl::StatusOr<content::v1::Quote> MakeQuote(const ReadTransaction& step,
                                             const CaseContext& context, const ChannelId& to,
                                             const MessageId& id) {
  PARLEY_ASSIGN_OR_RETURN(const std::optional<ChannelMessage> message,
                          FindSaid(step, context.Channel(to), id));
  if (message.has_value() && message->kind == ContentKind::kRetraction) {
    return absl::FailedPreconditionError("that message was retracted; nothing was sent");
  }
  if (message.has_value()) {
    content::v1::Quote quote;
    quote.set_message_id(ToField(id));
    quote.set_author_id(ToField(message->author.participant_id));
    quote.set_hash(crypto::ToString(QuoteHash(*message)));
    return quote;
  }
  PARLEY_ASSIGN_OR_RETURN(const std::vector<CaseChannel> channels, ChannelsOf(step, context));
  for (const CaseChannel& channel : channels) {
    if (channel.id == to) continue;
    PARLEY_ASSIGN_OR_RETURN(const std::optional<ChannelMessage> other,
                            FindSaid(step, context.Channel(channel.id), id));
    if (!other.has_value()) continue;
    return absl::PermissionDeniedError(
        "the quote is held back: " + other->author.name + " said that in " +
        DescribeChannel(channel.info.state.kind, channel.info.state.side) +
        ", and a message is quoted in its own channel only. Nothing was sent; leave the quote out, "
        "or have its author say it here, or authorise it");
  }
  return absl::NotFoundError("this channel has no such message to quote");
}

}  // namespace parley::client
