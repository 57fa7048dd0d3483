#include "client-lib/api/override_view.h"

#include <algorithm>
#include <optional>

#include "client-lib/cases/naming.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

// More isn't shown of what one message repeats.
constexpr int kMostSourcesShown = 32;

std::string ChannelText(content::v1::ChannelKind field, const std::string& side) {
  const auto kind = static_cast<ChannelKind>(field);
  const bool is_known = kind >= ChannelKind::kJoint && kind <= ChannelKind::kGroup;
  return is_known ? DescribeChannel(kind, side) : "another channel";
}

std::string ShortText(const std::optional<MessageId>& message) {
  return message.has_value() ? " (message " + message->ToString().substr(0, 8) + ")" : "";
}

// " (7)", as this device numbers it: others may by another number.
absl::StatusOr<std::string> NumberText(const ReadTransaction& step, const CaseContext& context,
                                       const std::vector<CaseChannel>& channels,
                                       const content::v1::OverriddenSource& source) {
  const std::optional<ParticipantId> author = IdFrom<ParticipantId>(source.author_id());
  const std::optional<MessageId> id = IdFrom<MessageId>(source.message_id());
  if (!author.has_value() || !id.has_value()) return std::string();
  for (const CaseChannel& channel : channels) {
    const ChannelState& state = channel.info.state;
    if (state.kind != static_cast<ChannelKind>(source.kind()) || state.side != source.side()) {
      continue;
    }
    PARLEY_ASSIGN_OR_RETURN(const std::optional<ChannelMessage> message,
                            context.Channel(channel.id).Find(step, *author, *id));
    if (message.has_value()) return " (" + std::to_string(message->number) + ")";
  }
  return ShortText(id);
}

// " (what Ana said in caucus:Harbor (7), and Lee in caucus:Harbor (9))"; nothing for none.
absl::StatusOr<std::string> SourcesText(const ReadTransaction& step, const CaseContext& context,
                                        const content::v1::FirewallOverride& record) {
  if (record.sources().empty()) return std::string();
  PARLEY_ASSIGN_OR_RETURN(const std::vector<CaseChannel> channels, ChannelsOf(step, context));
  std::string text;
  const int shown = std::min(record.sources_size(), kMostSourcesShown);
  for (int i = 0; i < shown; ++i) {
    const content::v1::OverriddenSource& source = record.sources(i);
    PARLEY_ASSIGN_OR_RETURN(const std::string number, NumberText(step, context, channels, source));
    text += (text.empty() ? " (what " + source.author_name() + " said in "
                          : ", and " + source.author_name() + " in ") +
            ChannelText(source.kind(), source.side()) + number;
  }
  const bool has_more = shown < record.sources_size() || record.further_sources() > 0;
  return text + (has_more ? ", and others)" : ")");
}

}  // namespace

absl::StatusOr<std::string> DescribeOverride(const ReadTransaction& step,
                                             const CaseContext& context,
                                             const content::v1::FirewallOverride& record) {
  PARLEY_ASSIGN_OR_RETURN(const std::string sources, SourcesText(step, context, record));
  return "said in " + ChannelText(record.kind(), record.side()) +
         ShortText(IdFrom<MessageId>(record.message_id())) + " what the firewall held back" +
         sources + ", as the agreement has caucuses open: " + record.reason();
}

}  // namespace parley::client
