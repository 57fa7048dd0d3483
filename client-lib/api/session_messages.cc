// What of a session concerns a channel's messages: CaseView's part.
#include <algorithm>

#include "client-lib/api/session_view.h"
#include "client-lib/api/views.h"
#include "client-lib/content/parse.h"
#include "client-lib/documents/transfer.h"
#include "client-lib/firewall/quotes.h"

namespace parley::client {
namespace {

using content::v1::Content;

// Of a quoted text so much is shown.
constexpr size_t kMostQuotedBytes = 240;

// The beginning of a text, cut between characters.
std::string Beginning(std::string text) {
  if (text.size() <= kMostQuotedBytes) return text;
  size_t end = kMostQuotedBytes;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text + "…";
}

// Without spaces and ends of lines.
uint64_t CountCharacters(const std::string& text) {
  return static_cast<uint64_t>(std::count_if(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<uint8_t>(c);
    return byte > ' ' && (byte & 0xC0) != 0x80;  // the first byte of a character
  }));
}

}  // namespace

std::vector<SpeakingShare> ShowBalance(const std::vector<Person>& readers,
                                       const std::vector<Message>& messages) {
  std::vector<SpeakingShare> shares;
  for (const Person& reader : readers) shares.push_back({reader, 0, 0, 0});
  uint64_t all = 0;
  for (const Message& message : messages) {
    if (message.kind != MessageKind::kText) continue;
    auto share = std::find_if(shares.begin(), shares.end(), [&](const SpeakingShare& one) {
      return one.person.id == message.author.id;
    });
    if (share == shares.end()) share = shares.insert(share, {message.author, 0, 0, 0});
    const uint64_t characters = CountCharacters(message.text);
    ++share->messages;
    share->characters += characters;
    if (!IsNeutral(message.author.role)) all += characters;
  }
  for (SpeakingShare& share : shares) {
    if (all == 0 || IsNeutral(share.person.role)) continue;
    share.per_mille = static_cast<uint32_t>(share.characters * 1000 / all);
  }
  return shares;
}

bool IsSilent(const ChannelMessage& message) {
  if (message.kind != ContentKind::kSession && message.kind != ContentKind::kRetraction &&
      message.kind != ContentKind::kCalendar) {
    return false;
  }
  Content content;
  if (!ParseFromPeer(content, message.content.Reveal())) return false;
  return content.has_session_standing() || content.has_calendar_standing() ||
         (content.has_retraction() && content.retraction().message_id() != ToField(message.id));
}

absl::StatusOr<QuotedMessage> CaseView::ShowQuote(const ReadTransaction& step, const ChannelId& id,
                                                  const content::v1::Quote& quote) const {
  QuotedMessage shown;
  const std::optional<MessageId> message_id = IdFrom<MessageId>(quote.message_id());
  const std::optional<ParticipantId> author = IdFrom<ParticipantId>(quote.author_id());
  if (!message_id.has_value() || !author.has_value()) return shown;
  shown.id = *message_id;
  PARLEY_ASSIGN_OR_RETURN(const std::optional<ChannelMessage> message,
                          context_.Channel(id).Find(step, *author, *message_id));
  if (!message.has_value()) return shown;
  shown.retracted = message->kind == ContentKind::kRetraction;
  PARLEY_ASSIGN_OR_RETURN(const std::string hash, QuoteHash(step, id, *message));
  shown.found = shown.retracted || (!hash.empty() && hash == quote.hash());
  if (!shown.found) return shown;
  shown.position = message->number;
  shown.author = PersonOf(message->author);
  Content content;
  if (shown.retracted || !ParseFromPeer(content, message->content.Reveal())) return shown;
  shown.text = content.has_document() ? SafeFileName(content.document().name())
                                      : Beginning(content.text().text());
  return shown;
}

absl::Status CaseView::ShowSession(const ReadTransaction& step, const ChannelId& id,
                                   const ChannelMessage& message, const SessionView* session,
                                   Message& view) const {
  if (message.kind == ContentKind::kIssueRanking) {
    view.kind = MessageKind::kNotice;
    view.text = "ranks the issues";
    return absl::OkStatus();
  }
  const bool said = message.kind == ContentKind::kText || message.kind == ContentKind::kDocument;
  if (!said && message.kind != ContentKind::kSession) return absl::OkStatus();
  Content content;
  if (!ParseFromPeer(content, message.content.Reveal())) return absl::OkStatus();
  const JointPosition at{message.incarnation, message.position};
  if (message.kind == ContentKind::kSession) {
    view.kind = MessageKind::kNotice;
    view.text = SessionView::Describe(content);
    // Outside the joint channel nothing of it counts.
    view.note =
        session == nullptr ? "it counts in the joint channel alone" : session->RefusalAt(at);
    view.refused = !view.note.empty();
    return absl::OkStatus();
  }
  if (content.has_quote()) {
    PARLEY_ASSIGN_OR_RETURN(view.quote, ShowQuote(step, id, content.quote()));
  }
  if (session == nullptr) return absl::OkStatus();
  const RosterMember& by = message.author;
  view.without_floor = session->WithoutFloor({by.participant_id, by.name, by.role, by.side}, at,
                                             {message.incarnation, content.seen().position()});
  return absl::OkStatus();
}

}  // namespace parley::client
