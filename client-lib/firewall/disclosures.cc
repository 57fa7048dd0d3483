#include "client-lib/firewall/disclosures.h"

#include <algorithm>
#include <set>

#include "client-lib/cases/case_sync.h"
#include "client-lib/cases/naming.h"
#include "client-lib/content/folded_text.h"
#include "client-lib/content/parse.h"
#include "client-lib/firewall/bound_text.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

namespace pb = content::v1;

std::string Quoted(const std::string& words) { return "“" + words + "”"; }

bool IsAudience(ChannelKind kind, const std::string& side) {
  switch (kind) {
    case ChannelKind::kJoint:
    case ChannelKind::kNeutrals:
    case ChannelKind::kCounsel:
      return side.empty();
    case ChannelKind::kCaucus:
      return !side.empty();
    default:
      return false;
  }
}

bool IsSame(const pb::AuthorisedDocument& authorised, const pb::Document& document) {
  return authorised.name() == document.name() && authorised.media_type() == document.media_type() &&
         authorised.size() == document.size() &&
         authorised.plaintext_root() == document.plaintext_root();
}

std::string ShortId(const std::string& field) {
  const std::optional<MessageId> id = IdFrom<MessageId>(field);
  return id.has_value() ? id->ToString().substr(0, 8) : "?";
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

// ---- Authorisations ----

// Follows one channel's records in their order.
class Disclosures::Follower {
 public:
  Follower(Disclosures& all, const ReadTransaction& step, const Channel& channel, ChannelInfo info)
      : all_(all),
        step_(step),
        channel_(channel),
        info_(std::move(info)),
        name_(DescribeChannel(info_.state.kind, info_.state.side)) {}

  absl::Status Run() {
    MessageQuery query;
    query.kinds = {ContentKind::kDisclosureAuthorisation, ContentKind::kAuthorisationEnd,
                   ContentKind::kDisclosureUse};
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages,
                            channel_.Messages(step_, query));
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
    for (auto& [id, record] : records_) list_.emplace(record.number, std::move(record));
    for (auto& [number, record] : list_) all_.authorisations_.push_back(std::move(record));
    return absl::OkStatus();
  }

 private:
  absl::Status Take(const ChannelMessage& message, const pb::DisclosureAuthorisation& given) {
    const std::optional<MessageId> item = IdFrom<MessageId>(given.item_message_id());
    if (!item.has_value() || records_.contains(message.id)) return absl::OkStatus();
    AuthorisationRecord record;
    record.channel = channel_.id();
    record.channel_name = name_;
    record.id = message.id;
    record.number = message.number;
    record.author = message.author;
    record.item = *item;
    record.words = given.words();
    if (given.has_document()) record.document = given.document();
    record.audience_kind = static_cast<ChannelKind>(given.audience_kind());
    record.audience_side = given.audience_side();
    record.anonymous = given.anonymous();
    record.expires_at = given.expires_at();
    PARLEY_ASSIGN_OR_RETURN(const bool is_own, IsForOwn(record));
    if (!is_own || !IsAudience(record.audience_kind, record.audience_side)) {
      record.state = AuthorisationState::kInvalid;
    }
    records_.emplace(record.id, std::move(record));
    return absl::OkStatus();
  }

  // Whether it is for something that its author said before in this channel.
  absl::StatusOr<bool> IsForOwn(const AuthorisationRecord& record) const {
    const bool has_words = !IsBlank(record.words) && record.words.size() <= kMostAuthorisedBytes;
    const bool has_document = record.document.has_value() && record.words.empty();
    if (!has_words && !has_document) return false;
    PARLEY_ASSIGN_OR_RETURN(const std::optional<ChannelMessage> item,
                            channel_.Find(step_, record.author.participant_id, record.item));
    if (!item.has_value()) {
      // Said before this device came into the channel: their word for it, unless somebody else has
      // said it.
      if (info_.joined.position == 0) return false;
      for (const RosterMember& member : info_.state.members) {
        PARLEY_ASSIGN_OR_RETURN(const std::optional<ChannelMessage> other,
                                channel_.Find(step_, member.participant_id, record.item));
        if (other.has_value()) return false;
      }
      return true;
    }
    if (item->number >= record.number) return false;
    pb::Content content;
    if (!ParseFromPeer(content, item->content.Reveal())) return false;
    if (has_document) return content.has_document() && IsSame(*record.document, content.document());
    return content.has_text() && content.text().text().find(record.words) != std::string::npos;
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
    const std::optional<MessageId> id = IdFrom<MessageId>(use.authorisation_id());
    const std::optional<MessageId> disclosure = IdFrom<MessageId>(use.disclosure_message_id());
    if (!id.has_value() || !disclosure.has_value() || !IsNeutral(message.author.role)) return;
    if (!records_.contains(*id) && info_.joined.position > 0) {
      all_.unknown_uses_.push_back({*id, message.author.participant_id, *disclosure});
    }
    AuthorisationRecord* const record = Open(use.authorisation_id());
    if (record == nullptr) return;
    record->state = AuthorisationState::kUsed;
    record->used_by = message.author;
    record->disclosure = *disclosure;
  }

  AuthorisationRecord* Open(const std::string& id_field) {
    const std::optional<MessageId> id = IdFrom<MessageId>(id_field);
    const auto found = id.has_value() ? records_.find(*id) : records_.end();
    if (found == records_.end() || found->second.state != AuthorisationState::kOpen) return nullptr;
    return &found->second;
  }

  Disclosures& all_;
  const ReadTransaction& step_;
  const Channel& channel_;
  const ChannelInfo info_;
  const std::string name_;
  std::map<MessageId, AuthorisationRecord> records_;
  std::map<uint64_t, AuthorisationRecord> list_;
};

absl::StatusOr<Disclosures> Disclosures::Load(const ReadTransaction& step,
                                              const CaseContext& context) {
  Disclosures all;
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord own, context.Records().Case(step));
  all.own_id_ = own.own_id;
  all.is_neutral_ = own.IsNeutral();
  for (const ChannelId& id : own.channels) {
    const Channel channel = context.Channel(id);
    PARLEY_ASSIGN_OR_RETURN(ChannelInfo info, channel.Info(step));
    all.channels_.emplace(id, info.state);
    PARLEY_RETURN_IF_ERROR(Follower(all, step, channel, std::move(info)).Run());
  }
  return all;
}

const AuthorisationRecord* Disclosures::Find(const MessageId& id) const {
  const auto found = std::find_if(authorisations_.begin(), authorisations_.end(),
                                  [&](const AuthorisationRecord& one) { return one.id == id; });
  return found == authorisations_.end() ? nullptr : &*found;
}

// ---- Disclosures ----

// What is wrong with a disclosure; empty for nothing. `unchecked`: this device can't know, since
// leave was given before it came.
std::string Disclosures::FaultOf(const ChannelId& channel, const ChannelMessage& message,
                                 const pb::Disclosure& said, bool& unchecked) const {
  if (!IsNeutral(message.author.role)) return Describe(message.author) + " is no neutral";
  const std::optional<MessageId> id = IdFrom<MessageId>(said.authorisation_id());
  const AuthorisationRecord* const record = id.has_value() ? Find(*id) : nullptr;
  if (record == nullptr) {
    // Who isn't in the channel where leave was given knows no more than what the neutral attests.
    const bool ought_to_know = is_neutral_ || said.from_participant_id() == ToField(own_id_);
    if (!ought_to_know) return "";
    unchecked = std::any_of(unknown_uses_.begin(), unknown_uses_.end(), [&](const UnknownUse& use) {
      return use.authorisation == id && use.disclosure == message.id &&
             use.used_by == message.author.participant_id;
    });
    return unchecked ? "" : "it names no authorisation that this device knows";
  }
  const std::string of =
      "the authorisation by " + record->author.name + " in " + record->channel_name + " ";
  if (record->state == AuthorisationState::kInvalid) return of + "isn't for what they said there";
  if (record->state == AuthorisationState::kRevoked) return of + "was revoked before";
  if (record->state == AuthorisationState::kExpired) return of + "had expired before";
  if (record->state == AuthorisationState::kOpen) return of + "was not marked as used";
  if (record->disclosure != message.id ||
      record->used_by->participant_id != message.author.participant_id) {
    return of + "was used already";
  }
  const ChannelState& place = channels_.at(channel);
  if (record->audience_kind != place.kind || record->audience_side != place.side) {
    return of + "is for " + record->Audience();
  }
  if (record->words != said.words()) return of + "is for other words";
  const bool same_document = record->document.has_value()
                                 ? said.has_document() && IsSame(*record->document, said.document())
                                 : !said.has_document();
  if (!same_document) return of + "is for another document";
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

ShownRecord Disclosures::ShowDisclosure(const ChannelId& channel, const ChannelMessage& message,
                                        const pb::Disclosure& said) const {
  ShownRecord shown;
  bool unchecked = false;
  const std::string fault = FaultOf(channel, message, said, unchecked);
  if (!fault.empty()) {
    shown.refused = true;
    shown.note = "a disclosure by " + Describe(message.author) +
                 " that isn't as it was authorised: " + fault;
    return shown;
  }
  if (said.has_document()) {
    shown.document = said.document();
  } else {
    shown.text = said.words();
  }
  shown.note = "attested by " + message.author.name + ", from " +
               (said.anonymous() ? "a confidential caucus"
                                 : said.from_name() + " in confidence, with leave");
  if (unchecked) shown.note += "; this device came later than that leave, and can't check it";
  return shown;
}

ShownRecord Disclosures::Show(const ChannelId& channel, const ChannelMessage& message) const {
  ShownRecord shown;
  pb::Content content;
  if (!ParseFromPeer(content, message.content.Reveal())) return shown;
  if (content.has_disclosure()) return ShowDisclosure(channel, message, content.disclosure());
  if (content.has_disclosure_authorisation()) {
    const pb::DisclosureAuthorisation& given = content.disclosure_authorisation();
    const auto kind = static_cast<ChannelKind>(given.audience_kind());
    const std::string what = given.has_document()
                                 ? "the document " + Quoted(given.document().name())
                                 : Quoted(given.words());
    shown.text = "lets the neutrals tell " + DescribeChannel(kind, given.audience_side()) +
                 ", once" + (given.anonymous() ? " and without saying from whom: " : ": ") + what +
                 " (authorisation " + message.id.ToString().substr(0, 8) + ")";
    const AuthorisationRecord* const record = Find(message.id);
    if (record == nullptr || record->state == AuthorisationState::kInvalid) {
      shown.text += ", which isn't theirs to tell: it counts for nothing";
    }
  } else if (content.has_authorisation_end()) {
    const pb::AuthorisationEnd& end = content.authorisation_end();
    shown.text = std::string(end.reason() == pb::AuthorisationEnd::REASON_EXPIRED
                                 ? "says that the time is over of"
                                 : "takes back") +
                 " authorisation " + ShortId(end.authorisation_id());
  } else if (content.has_disclosure_use()) {
    shown.text = "uses authorisation " + ShortId(content.disclosure_use().authorisation_id());
  }
  return shown;
}

absl::StatusOr<std::vector<std::pair<ChannelId, std::string>>> RefusedDisclosures(
    const ReadTransaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  std::vector<std::pair<ChannelId, std::string>> refused;
  std::optional<Disclosures> disclosures;
  for (const ChannelId& channel : record.channels) {
    MessageQuery query;
    query.kinds = {ContentKind::kDisclosure};
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages,
                            context.Channel(channel).Messages(step, query));
    if (messages.empty()) continue;
    if (!disclosures.has_value()) {
      PARLEY_ASSIGN_OR_RETURN(disclosures, Disclosures::Load(step, context));
    }
    for (const ChannelMessage& message : messages) {
      const ShownRecord shown = disclosures->Show(channel, message);
      if (shown.refused) refused.emplace_back(channel, shown.note);
    }
  }
  return refused;
}

// ---- Expiry ----

namespace {

// Those whose end this device may say, and has to.
absl::StatusOr<std::vector<AuthorisationRecord>> DueEnds(const ReadTransaction& step,
                                                         const CaseContext& context) {
  std::vector<AuthorisationRecord> due;
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord own, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(const Disclosures all, Disclosures::Load(step, context));
  for (const AuthorisationRecord& one : all.authorisations()) {
    const bool may_end = own.IsNeutral() || one.author.participant_id == own.own_id;
    if (one.state != AuthorisationState::kOpen || one.expires_at == 0 || !may_end ||
        one.expires_at > context.now_seconds()) {
      continue;
    }
    PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(one.channel).Info(step));
    // What waits may be that very end.
    if (info.standing == Standing::kActive && !info.leaving && info.unsent == 0) due.push_back(one);
  }
  return due;
}

}  // namespace

absl::Status EndExpired(const CaseContext& context) {
  {
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, context.store->Read());
    PARLEY_ASSIGN_OR_RETURN(const std::vector<AuthorisationRecord> due, DueEnds(read, context));
    if (due.empty()) return absl::OkStatus();
  }
  std::set<ChannelId> channels;
  {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
    PARLEY_ASSIGN_OR_RETURN(const std::vector<AuthorisationRecord> due, DueEnds(step, context));
    for (const AuthorisationRecord& one : due) {
      pb::Content content;
      content.mutable_authorisation_end()->set_authorisation_id(ToField(one.id));
      content.mutable_authorisation_end()->set_reason(pb::AuthorisationEnd::REASON_EXPIRED);
      PARLEY_RETURN_IF_ERROR(context.Channel(one.channel).Queue(step, content).status());
      channels.insert(one.channel);
    }
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
  for (const ChannelId& channel : channels) {
    PARLEY_RETURN_IF_ERROR(ExchangeChannel(context, channel).status());
  }
  return absl::OkStatus();
}

}  // namespace parley::client
