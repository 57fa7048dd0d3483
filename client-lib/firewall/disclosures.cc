#include "client-lib/firewall/disclosures.h"

#include <algorithm>
#include <set>

#include "client-lib/cases/case_sync.h"
#include "client-lib/cases/naming.h"
#include "client-lib/content/folded_text.h"
#include "client-lib/content/parse.h"
#include "client-lib/firewall/authorship.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

namespace pb = content::v1;

// So many authorisations are compared with a channel's messages at once.
constexpr size_t kMostAtOnce = 16;
// Of so many people names are kept.
constexpr size_t kMostPeople = 4096;

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

std::string VerdictName(const ChannelId& channel, uint64_t index) {
  return "leave/" + channel.ToString() + "/" + std::to_string(index);
}

std::string PeopleName(const CaseId& id) { return "leave-people/" + id.ToString(); }

}  // namespace

pb::LogPlace ToField(const LogPlace& place) {
  pb::LogPlace field;
  field.set_incarnation(place.incarnation);
  field.set_position(place.position);
  return field;
}

LogPlace PlaceFrom(const pb::LogPlace& field) { return {field.incarnation(), field.position()}; }

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
                   ContentKind::kDisclosureUse, ContentKind::kDocumentEnd, ContentKind::kDestroyed};
    query.records_alone = true;
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages,
                            channel_.Messages(step_, query));
    for (const ChannelMessage& message : messages) {
      pb::Content content;
      if (message.kind == ContentKind::kDestroyed) destroyed_.emplace(PlaceOf(message), message.id);
      if (!ParseFromPeer(content, message.content.Reveal())) continue;
      if (content.has_disclosure_authorisation()) {
        PARLEY_RETURN_IF_ERROR(Take(message, content.disclosure_authorisation()));
      }
    }
    PARLEY_RETURN_IF_ERROR(Compare());
    for (const ChannelMessage& message : messages) {
      pb::Content content;
      if (!ParseFromPeer(content, message.content.Reveal())) continue;
      if (content.has_authorisation_end()) {
        Take(message, content.authorisation_end());
      } else if (content.has_document_end()) {
        Take(message, content.document_end());
      } else if (content.has_disclosure_use()) {
        PARLEY_RETURN_IF_ERROR(Take(message, content.disclosure_use()));
      }
    }
    const bool is_over = info_.standing != Standing::kActive;
    for (auto& [place, record] : records_) {
      const bool author_is_out =
          !is_over && info_.state.FindMember(record.author.participant_id) == nullptr;
      if (record.state == AuthorisationState::kOpen && author_is_out) {
        record.state = AuthorisationState::kAuthorGone;
      }
      all_.authorisations_.push_back(std::move(record));
    }
    return absl::OkStatus();
  }

 private:
  // An authorisation whose words are to be compared with what was said before.
  struct Waiting {
    LogPlace place;
    uint64_t index = 0;
    ChannelMessage item;
  };

  absl::Status Take(const ChannelMessage& message, const pb::DisclosureAuthorisation& given) {
    AuthorisationRecord record;
    record.channel = channel_.id();
    record.channel_name = name_;
    record.id = message.id;
    record.number = message.number;
    record.place = PlaceOf(message);
    record.author = message.author;
    record.item = IdFrom<MessageId>(given.item_message_id()).value_or(MessageId());
    record.words = given.words();
    if (given.has_document()) record.document = given.document();
    if (given.has_offer()) record.offer = given.offer();
    record.audience_kind = static_cast<ChannelKind>(given.audience_kind());
    record.audience_side = given.audience_side();
    record.anonymous = given.anonymous();
    record.expires_at = given.expires_at();
    PARLEY_ASSIGN_OR_RETURN(const bool is_own,
                            IsForOwn(record, PlaceFrom(given.item_place()), message.index));
    if (!is_own) {
      SetInvalid(record, "isn't for what they said there");
    } else if (!IsAudience(record.audience_kind, record.audience_side) ||
               (record.offer.has_value() &&
                (record.audience_kind != ChannelKind::kCaucus || record.anonymous))) {
      SetInvalid(record, "is for no audience");
    }
    records_.emplace(record.place, std::move(record));
    return absl::OkStatus();
  }

  static void SetInvalid(AuthorisationRecord& record, std::string fault) {
    record.state = AuthorisationState::kInvalid;
    record.fault = std::move(fault);
  }

  // Whether it is for something that its author said before in this channel.
  absl::StatusOr<bool> IsForOwn(AuthorisationRecord& record, const LogPlace& place,
                                uint64_t index) {
    const bool has_words = !IsBlank(record.words) && record.words.size() <= kMostAuthorisedBytes;
    const bool has_document = record.document.has_value();
    const bool has_offer = record.offer.has_value();
    if (has_document && has_offer) return false;
    if (has_document || has_offer ? !record.words.empty() : !has_words) return false;
    if (place.incarnation == 0 || place.position == 0 || place >= record.place) return false;
    PARLEY_ASSIGN_OR_RETURN(std::optional<ChannelMessage> item,
                            channel_.Find(step_, record.author.participant_id, record.item));
    if (!item.has_value()) {
      // Said before this device came into the channel: their word for it.
      PARLEY_ASSIGN_OR_RETURN(const bool has_read,
                              channel_.HasRead(step_, place.incarnation, place.position));
      record.unchecked = !has_read;
      return !has_read;
    }
    if (PlaceOf(*item) != place) return false;
    if (item->kind == ContentKind::kDestroyed) {
      record.unchecked = true;
      return true;
    }
    pb::Content content;
    if (!ParseFromPeer(content, item->content.Reveal())) return false;
    const bool is_it =
        has_document ? content.has_document() && IsSame(*record.document, content.document())
        : has_offer
            ? IsSame(*record.offer, *item, content)
            : content.has_text() && content.text().text().find(record.words) != std::string::npos;
    if (is_it) waiting_.push_back({record.place, index, std::move(*item)});
    return is_it;
  }

  // Whether somebody else had said it before.
  absl::Status Compare() {
    std::vector<Waiting> unknown;
    for (Waiting& one : waiting_) {
      PARLEY_ASSIGN_OR_RETURN(
          const std::optional<Verdict> known,
          GetRecord<Verdict>(step_, RecordClass::kIndex, VerdictName(channel_.id(), one.index)));
      if (known.has_value()) {
        Apply(one.place, *known);
      } else {
        unknown.push_back(std::move(one));
      }
    }
    for (size_t first = 0; first < unknown.size(); first += kMostAtOnce) {
      const size_t count = std::min(kMostAtOnce, unknown.size() - first);
      std::vector<OwnSaying> sayings;
      for (size_t i = first; i < first + count; ++i) {
        const AuthorisationRecord& record = records_.at(unknown[i].place);
        sayings.push_back({&unknown[i].item, record.words, record.audience_side});
      }
      PARLEY_ASSIGN_OR_RETURN(const std::vector<std::optional<EarlierSaying>> found,
                              SaidBefore(step_, channel_, sayings));
      for (size_t i = 0; i < count; ++i) {
        Verdict verdict;
        if (found[i].has_value()) verdict = {1, found[i]->author.name, found[i]->number};
        Apply(unknown[first + i].place, verdict);
        all_.new_verdicts_.emplace_back(VerdictName(channel_.id(), unknown[first + i].index),
                                        std::move(verdict));
      }
    }
    return absl::OkStatus();
  }

  void Apply(const LogPlace& place, const Verdict& verdict) {
    if (verdict.said_before == 0) return;
    SetInvalid(records_.at(place), "isn't for words or a document of their own: " + verdict.by +
                                       " said it before, in " + std::to_string(verdict.number));
  }

  void Take(const ChannelMessage& message, const pb::AuthorisationEnd& end) {
    AuthorisationRecord* const record =
        Open(message, end.authorisation_id(), PlaceFrom(end.authorisation_place()));
    if (record == nullptr) return;
    const bool by_author = message.author.participant_id == record->author.participant_id;
    if (end.reason() == pb::AuthorisationEnd::REASON_REVOKED && by_author) {
      record->state = AuthorisationState::kRevoked;
    } else if (end.reason() == pb::AuthorisationEnd::REASON_EXPIRED && record->expires_at != 0 &&
               (by_author || IsNeutral(message.author.role))) {
      record->state = AuthorisationState::kExpired;
    }
  }

  // Whose document is gone can't be carried any more.
  void Take(const ChannelMessage& message, const pb::DocumentEnd& end) {
    for (auto& [place, record] : records_) {
      const bool is_it = record.state == AuthorisationState::kOpen && record.document.has_value() &&
                         place < PlaceOf(message) &&
                         record.item == IdFrom<MessageId>(end.message_id()) &&
                         message.author.participant_id == record.author.participant_id;
      if (is_it) record.state = AuthorisationState::kRevoked;
    }
  }

  absl::Status Take(const ChannelMessage& message, const pb::DisclosureUse& use) {
    const std::optional<MessageId> id = IdFrom<MessageId>(use.authorisation_id());
    const std::optional<MessageId> disclosure = IdFrom<MessageId>(use.disclosure_message_id());
    const LogPlace place = PlaceFrom(use.authorisation_place());
    if (!id.has_value() || !disclosure.has_value() || !IsNeutral(message.author.role) ||
        place.incarnation == 0 || place.position == 0 || place >= PlaceOf(message)) {
      return absl::OkStatus();
    }
    PARLEY_ASSIGN_OR_RETURN(const bool has_read,
                            channel_.HasRead(step_, place.incarnation, place.position));
    const auto destroyed = destroyed_.find(place);
    const bool was_destroyed = destroyed != destroyed_.end() && destroyed->second == *id;
    if (!has_read || was_destroyed) {
      all_.unknown_uses_.push_back(
          {*id, message.author.participant_id, *disclosure, was_destroyed});
    }
    AuthorisationRecord* const record = Open(message, use.authorisation_id(), place);
    if (record == nullptr) return absl::OkStatus();
    PARLEY_ASSIGN_OR_RETURN(
        const bool author_is_in,
        channel_.WasPresent(step_, message.index, record->author.participant_id));
    if (!author_is_in) {
      record->state = AuthorisationState::kAuthorGone;
      return absl::OkStatus();
    }
    record->state = AuthorisationState::kUsed;
    record->used_by = message.author;
    record->disclosure = *disclosure;
    return absl::OkStatus();
  }

  // The open authorisation that `message` names by its id and place; null when there is none.
  AuthorisationRecord* Open(const ChannelMessage& message, const std::string& id_field,
                            const LogPlace& place) {
    const auto found = records_.find(place);
    if (found == records_.end() || found->second.id != IdFrom<MessageId>(id_field) ||
        found->second.state != AuthorisationState::kOpen || place >= PlaceOf(message)) {
      return nullptr;
    }
    return &found->second;
  }

  Disclosures& all_;
  const ReadTransaction& step_;
  const Channel& channel_;
  const ChannelInfo info_;
  const std::string name_;
  std::map<LogPlace, AuthorisationRecord> records_;
  std::map<LogPlace, MessageId> destroyed_;  // what this device hasn't kept
  std::vector<Waiting> waiting_;
};

absl::StatusOr<Disclosures> Disclosures::Load(const ReadTransaction& step,
                                              const CaseContext& context) {
  Disclosures all;
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord own, context.Records().Case(step));
  all.own_id_ = own.own_id;
  all.is_neutral_ = own.IsNeutral();
  all.Meet(own.own_id, own.own_name);
  for (const ChannelId& id : own.channels) {
    const Channel channel = context.Channel(id);
    PARLEY_ASSIGN_OR_RETURN(ChannelInfo info, channel.Info(step));
    all.channels_.emplace(id, info.state);
    if (info.state.kind == ChannelKind::kJoint) all.has_joint_ = true;
    for (const RosterMember& member : info.state.members) {
      all.Meet(member.participant_id, member.name);
    }
    PARLEY_RETURN_IF_ERROR(Follower(all, step, channel, std::move(info)).Run());
  }
  PARLEY_RETURN_IF_ERROR(all.LoadPeople(step, context));
  return all;
}

void Disclosures::Meet(const ParticipantId& id, const std::string& name) {
  const KnownPerson person{id, name};
  std::vector<KnownPerson>& people = people_.people;
  if (people.size() >= kMostPeople) return;
  if (std::find(people.begin(), people.end(), person) == people.end()) people.push_back(person);
}

absl::Status Disclosures::LoadPeople(const ReadTransaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(
      const std::optional<KnownPeople> before,
      GetRecord<KnownPeople>(step, RecordClass::kContent, PeopleName(context.id)));
  const std::vector<KnownPerson> known =
      before.has_value() ? before->people : std::vector<KnownPerson>();
  new_people_ =
      std::any_of(people_.people.begin(), people_.people.end(), [&](const KnownPerson& person) {
        return std::find(known.begin(), known.end(), person) == known.end();
      });
  for (const KnownPerson& person : known) Meet(person.id, person.name);
  PARLEY_ASSIGN_OR_RETURN(const std::vector<PersonRecord> people, context.Records().People(step));
  for (const PersonRecord& person : people) Meet(person.id, person.name);
  return absl::OkStatus();
}

const AuthorisationRecord* Disclosures::Find(const ChannelId& channel, const ParticipantId& author,
                                             const MessageId& id) const {
  const auto found = std::find_if(
      authorisations_.begin(), authorisations_.end(), [&](const AuthorisationRecord& one) {
        return one.id == id && one.channel == channel && one.author.participant_id == author;
      });
  return found == authorisations_.end() ? nullptr : &*found;
}

absl::Status Disclosures::Keep(const CaseContext& context) {
  {
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, context.store->Read());
    PARLEY_ASSIGN_OR_RETURN(const Disclosures all, Load(read, context));
    if (all.new_verdicts_.empty() && !all.new_people_) return absl::OkStatus();
  }
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(const Disclosures all, Load(step, context));
  for (const auto& [name, verdict] : all.new_verdicts_) {
    PARLEY_RETURN_IF_ERROR(PutRecord(step, RecordClass::kIndex, name, verdict));
  }
  PARLEY_RETURN_IF_ERROR(
      PutRecord(step, RecordClass::kContent, PeopleName(context.id), all.people_));
  return step.Commit();
}

// ---- Expiry ----

namespace {

// Those whose end this device may say, and has to.
absl::StatusOr<std::vector<AuthorisationRecord>> ExpiredLeave(const ReadTransaction& step,
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
    if (info.standing != Standing::kActive || info.leaving) continue;
    // An end that waits may be that very one; what the floor holds may wait for long.
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> unsent,
                            context.Channel(one.channel).Unsent(step));
    const bool waits = std::any_of(unsent.begin(), unsent.end(), [](const ChannelMessage& message) {
      return message.kind == ContentKind::kAuthorisationEnd;
    });
    if (!waits) due.push_back(one);
  }
  return due;
}

}  // namespace

absl::Status EndExpired(const CaseContext& context) {
  {
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, context.store->Read());
    PARLEY_ASSIGN_OR_RETURN(const std::vector<AuthorisationRecord> due,
                            ExpiredLeave(read, context));
    if (due.empty()) return absl::OkStatus();
  }
  std::set<ChannelId> channels;
  {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
    PARLEY_ASSIGN_OR_RETURN(const std::vector<AuthorisationRecord> due,
                            ExpiredLeave(step, context));
    for (const AuthorisationRecord& one : due) {
      pb::Content content;
      content.mutable_authorisation_end()->set_authorisation_id(ToField(one.id));
      content.mutable_authorisation_end()->set_reason(pb::AuthorisationEnd::REASON_EXPIRED);
      *content.mutable_authorisation_end()->mutable_authorisation_place() = ToField(one.place);
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
