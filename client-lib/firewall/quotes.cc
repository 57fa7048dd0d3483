#include "client-lib/firewall/quotes.h"

#include "client-lib/cases/naming.h"
#include "client-lib/channels/log_hash.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

bool IsSaid(const ChannelMessage& message) {
  return message.kind == ContentKind::kText || message.kind == ContentKind::kDocument ||
         message.kind == ContentKind::kRetraction;
}

// The channel's texts and documents of that id, or what retractions have left of them. Ids are
// their authors' own: somebody can have taken another's.
absl::StatusOr<std::vector<ChannelMessage>> FindSaid(const ReadTransaction& step,
                                                     const Channel& channel, const MessageId& id) {
  std::vector<ChannelMessage> found;
  MessageQuery query;
  query.kinds = {ContentKind::kText, ContentKind::kDocument, ContentKind::kRetraction};
  PARLEY_ASSIGN_OR_RETURN(std::vector<ChannelMessage> messages, channel.Messages(step, query));
  for (ChannelMessage& message : messages) {
    if (message.id == id && IsSaid(message)) found.push_back(std::move(message));
  }
  return found;
}

}  // namespace

absl::StatusOr<std::string> QuoteHash(const ReadTransaction& step, const ChannelId& channel,
                                      const ChannelMessage& message) {
  PARLEY_ASSIGN_OR_RETURN(const std::optional<TranscriptHash> hash,
                          LogHashAt(step, channel, message.incarnation, message.position));
  return hash.has_value() ? crypto::ToString(*hash) : std::string();
}

absl::StatusOr<content::v1::Quote> MakeQuote(const ReadTransaction& step,
                                             const CaseContext& context, const ChannelId& to,
                                             const MessageId& id) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages,
                          FindSaid(step, context.Channel(to), id));
  if (messages.size() > 1) {
    return absl::FailedPreconditionError(
        "several people have used that message id, " + messages.back().author.name +
        " the last of them: what is meant can't be told; nothing was sent. Say it in your words");
  }
  if (!messages.empty() && messages.front().kind == ContentKind::kRetraction) {
    return absl::FailedPreconditionError("that message was retracted; nothing was sent");
  }
  if (!messages.empty()) {
    content::v1::Quote quote;
    quote.set_message_id(ToField(id));
    quote.set_author_id(ToField(messages.front().author.participant_id));
    PARLEY_ASSIGN_OR_RETURN(const std::string hash, QuoteHash(step, to, messages.front()));
    quote.set_hash(hash);
    return quote;
  }
  PARLEY_ASSIGN_OR_RETURN(const std::vector<CaseChannel> channels, ChannelsOf(step, context));
  for (const CaseChannel& channel : channels) {
    if (channel.id == to) continue;
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> others,
                            FindSaid(step, context.Channel(channel.id), id));
    if (others.empty()) continue;
    return absl::PermissionDeniedError(
        "the quote is held back: " + others.front().author.name + " said that in " +
        DescribeChannel(channel.info.state.kind, channel.info.state.side) +
        ", and a message is quoted in its own channel only. Nothing was sent; leave the quote out, "
        "or have its author say it here, or authorise it");
  }
  return absl::NotFoundError("this channel has no such message to quote");
}

}  // namespace parley::client
