#include "client-lib/firewall/disclosures.h"

#include <algorithm>
#include <map>

#include "client-lib/cases/naming.h"
#include "client-lib/content/parse.h"
#include "client-lib/firewall/bound_text.h"
#include "crypto/base/status_macros.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {
namespace {

namespace pb = content::v1;

constexpr char kAnonymous[] = "a confidential caucus";

std::string Quoted(const std::string& words) { return "“" + words + "”"; }

// Follows one channel's records in their order.
class Follower {
 public:
  Follower(const ReadTransaction& step, const CaseContext& context, const ChannelId& channel)
      : step_(step), context_(context), channel_(channel) {}

  absl::StatusOr<std::vector<AuthorisationRecord>> Run() {
    PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context_.Channel(channel_).Info(step_));
    name_ = DescribeChannel(info.state.kind, info.state.side);
    MessageQuery query;
    query.kinds = DisclosureKinds();
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages,
                            context_.Channel(channel_).Messages(step_, query));
    for (const ChannelMessage& message : messages) {
      pb::Content content;
      if (!ParseFromPeer(content, message.content.Reveal())) continue;
      if (content.has_disclosure_authorisation()) {
        PARLEY_RETURN_IF_ERROR(Take(message, content.disclosure_authorisation()));
      } else if (content.has_authorisation_end()) {
        Take(message, content.authorisation_end());
      } else if (content.has_disclosure_use()) {
        Take(message, content.disclosure_use());
      }
    }
    return std::move(list_);
  }

 private:
  absl::Status Take(const ChannelMessage& message, const pb::DisclosureAuthorisation& given) {
    const std::optional<MessageId> item = IdFrom<MessageId>(given.item_message_id());
    if (!item.has_value() || Find(message.id) != nullptr) return absl::OkStatus();
    AuthorisationRecord record;
    record.channel = channel_;
    record.channel_name = name_;
    record.id = message.id;
    record.number = message.number;
    record.author = message.author;
    record.item = *item;
    record.words = given.words();
    record.audience_kind = static_cast<ChannelKind>(given.audience_kind());
    record.audience_side = given.audience_side();
    record.anonymous = given.anonymous();
    record.expires_at = given.expires_at();
    PARLEY_ASSIGN_OR_RETURN(const bool own_words, AreOwnWords(message, given, *item));
    if (!own_words) record.state = AuthorisationState::kInvalid;
    list_.push_back(std::move(record));
    return absl::OkStatus();
  }

  // Whether the words are from a text of the author's, said before in this channel.
  absl::StatusOr<bool> AreOwnWords(const ChannelMessage& message,
                                   const pb::DisclosureAuthorisation& given,
                                   const MessageId& item) {
    if (given.words().empty() || given.words().size() > kMostAuthorisedBytes) return false;
    MessageQuery query;
    query.kinds = {ContentKind::kText};
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> texts,
                            context_.Channel(channel_).Messages(step_, query));
    for (const ChannelMessage& text : texts) {
      if (text.number >= message.number) break;
      if (text.id != item || text.author.participant_id != message.author.participant_id) continue;
      return ReadBound(text).text.find(given.words()) != std::string::npos;
    }
    // Said before this device came into the channel: their word for it.
    PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context_.Channel(channel_).Info(step_));
    return info.joined.position > 0 && texts.empty();
  }

  void Take(const ChannelMessage& message, const pb::AuthorisationEnd& end) {
    AuthorisationRecord* const record = Open(end.authorisation_id());
    if (record == nullptr) return;
    const bool by_author = message.author.participant_id == record->author.participant_id;
    if (end.reason() == pb::AuthorisationEnd::REASON_REVOKED && by_author) {
      record->state = AuthorisationState::kRevoked;
    } else if (end.reason() == pb::AuthorisationEnd::REASON_EXPIRED && record->expires_at != 0 &&
               (by_author || IsNeutral(message.author.role))) {
      record->state = AuthorisationState::kExpired;
    }
  }

  void Take(const ChannelMessage& message, const pb::DisclosureUse& use) {
    AuthorisationRecord* const record = Open(use.authorisation_id());
    const std::optional<MessageId> disclosure = IdFrom<MessageId>(use.disclosure_message_id());
    if (record == nullptr || !disclosure.has_value() || !IsNeutral(message.author.role)) return;
    record->state = AuthorisationState::kUsed;
    record->used_by = message.author;
    record->disclosure = *disclosure;
  }

  AuthorisationRecord* Find(const MessageId& id) {
    const auto found = std::find_if(list_.begin(), list_.end(),
                                    [&](const AuthorisationRecord& one) { return one.id == id; });
    return found == list_.end() ? nullptr : &*found;
  }
  AuthorisationRecord* Open(const std::string& id_field) {
    const std::optional<MessageId> id = IdFrom<MessageId>(id_field);
    AuthorisationRecord* const record = id.has_value() ? Find(*id) : nullptr;
    return record != nullptr && record->state == AuthorisationState::kOpen ? record : nullptr;
  }

  const ReadTransaction& step_;
  const CaseContext& context_;
  const ChannelId channel_;
  std::string name_;
  std::vector<AuthorisationRecord> list_;
};

// What is wrong with a disclosure; empty for nothing. `record` is what it names, if known here.
std::string FaultOf(const ChannelMessage& message, const pb::Disclosure& said,
                    const AuthorisationRecord* record, const ChannelState& place) {
  if (record == nullptr) return "it names no authorisation that this device knows";
  const std::string of =
      "the authorisation of " + record->author.name + "'s words in " + record->channel_name + " ";
  if (record->state == AuthorisationState::kInvalid) return of + "isn't for words of theirs";
  if (record->state == AuthorisationState::kRevoked) return of + "was revoked before";
  if (record->state == AuthorisationState::kExpired) return of + "had expired before";
  if (record->state == AuthorisationState::kOpen) return of + "was not marked as used";
  if (record->disclosure != message.id ||
      record->used_by->participant_id != message.author.participant_id) {
    return of + "was used already";
  }
  if (record->audience_kind != place.kind || record->audience_side != place.side) {
    return of + "is for " + record->Audience();
  }
  if (record->words != said.words()) return of + "is for other words";
  const bool names_author =
      IdFrom<ParticipantId>(said.from_participant_id()) == record->author.participant_id &&
      said.from_name() == record->author.name;
  const bool names_nobody = said.from_participant_id().empty() && said.from_name().empty();
  if (record->anonymous && !(said.anonymous() && names_nobody)) {
    return of + "is without saying from whom";
  }
  if (!record->anonymous && (said.anonymous() || !names_author)) {
    return of + "is to be shown as theirs";
  }
  return "";
}

absl::StatusOr<ShownRecord> ShowDisclosure(const ReadTransaction& step, const CaseContext& context,
                                           const ChannelId& channel, const ChannelMessage& message,
                                           const pb::Disclosure& said) {
  ShownRecord shown;
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord own, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(channel).Info(step));
  std::string fault;
  if (!IsNeutral(message.author.role)) {
    fault = Describe(message.author) + " is no neutral";
  } else {
    PARLEY_ASSIGN_OR_RETURN(const std::vector<AuthorisationRecord> all,
                            AuthorisationsOf(step, context));
    const std::optional<MessageId> id = IdFrom<MessageId>(said.authorisation_id());
    const auto found = std::find_if(all.begin(), all.end(), [&](const AuthorisationRecord& one) {
      return id.has_value() && one.id == *id;
    });
    // Who reads neither caucus can't know more than what the neutral attests.
    if (found != all.end() || own.IsNeutral()) {
      fault = FaultOf(message, said, found == all.end() ? nullptr : &*found, info.state);
    }
  }
  if (!fault.empty()) {
    shown.refused = true;
    shown.note = "a disclosure by " + Describe(message.author) +
                 " that isn't as it was authorised: " + fault;
    return shown;
  }
  shown.text = said.words();
  shown.note = "attested by " + message.author.name + ", from " +
               (said.anonymous() ? kAnonymous : said.from_name() + " in confidence, with leave");
  return shown;
}

}  // namespace

std::string AuthorisationRecord::Audience() const {
  return DescribeChannel(audience_kind, audience_side);
}

std::vector<ContentKind> DisclosureKinds() {
  return {ContentKind::kDisclosureAuthorisation, ContentKind::kAuthorisationEnd,
          ContentKind::kDisclosureUse, ContentKind::kDisclosure};
}

bool IsDisclosureKind(ContentKind kind) {
  const std::vector<ContentKind> kinds = DisclosureKinds();
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

absl::StatusOr<std::vector<AuthorisationRecord>> AuthorisationsIn(const ReadTransaction& step,
                                                                  const CaseContext& context,
                                                                  const ChannelId& channel) {
  return Follower(step, context, channel).Run();
}

absl::StatusOr<std::vector<AuthorisationRecord>> AuthorisationsOf(const ReadTransaction& step,
                                                                  const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  std::vector<AuthorisationRecord> all;
  for (const ChannelId& channel : record.channels) {
    PARLEY_ASSIGN_OR_RETURN(std::vector<AuthorisationRecord> some,
                            AuthorisationsIn(step, context, channel));
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  return all;
}

absl::StatusOr<ShownRecord> ShowRecord(const ReadTransaction& step, const CaseContext& context,
                                       const ChannelId& channel, const ChannelMessage& message) {
  ShownRecord shown;
  pb::Content content;
  if (!ParseFromPeer(content, message.content.Reveal())) return shown;
  if (content.has_disclosure()) {
    return ShowDisclosure(step, context, channel, message, content.disclosure());
  }
  const auto short_id = [](const std::string& field) {
    const std::optional<MessageId> id = IdFrom<MessageId>(field);
    return id.has_value() ? id->ToString().substr(0, 8) : std::string("?");
  };
  if (content.has_disclosure_authorisation()) {
    const pb::DisclosureAuthorisation& given = content.disclosure_authorisation();
    AuthorisationRecord audience;
    audience.audience_kind = static_cast<ChannelKind>(given.audience_kind());
    audience.audience_side = given.audience_side();
    shown.text = "lets the neutrals tell " + audience.Audience() + ", once" +
                 (given.anonymous() ? " and without saying from whom: " : ": ") +
                 Quoted(given.words()) + " (authorisation " + message.id.ToString().substr(0, 8) +
                 ")";
  } else if (content.has_authorisation_end()) {
    const pb::AuthorisationEnd& end = content.authorisation_end();
    shown.text = std::string(end.reason() == pb::AuthorisationEnd::REASON_EXPIRED
                                 ? "says that the time is over of"
                                 : "takes back") +
                 " authorisation " + short_id(end.authorisation_id());
  } else if (content.has_disclosure_use()) {
    shown.text = "uses authorisation " + short_id(content.disclosure_use().authorisation_id());
  }
  return shown;
}

absl::StatusOr<std::vector<std::pair<ChannelId, std::string>>> RefusedDisclosures(
    const ReadTransaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  std::vector<std::pair<ChannelId, std::string>> refused;
  for (const ChannelId& channel : record.channels) {
    MessageQuery query;
    query.kinds = {ContentKind::kDisclosure};
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages,
                            context.Channel(channel).Messages(step, query));
    for (const ChannelMessage& message : messages) {
      PARLEY_ASSIGN_OR_RETURN(const ShownRecord shown, ShowRecord(step, context, channel, message));
      if (shown.refused) refused.emplace_back(channel, shown.note);
    }
  }
  return refused;
}

}  // namespace parley::client
