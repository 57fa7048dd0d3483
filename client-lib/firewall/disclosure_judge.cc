// What Disclosures says of single records: docs/protocol.md section 6.
#include <algorithm>
#include <tuple>

#include "client-lib/content/parse.h"
#include "client-lib/firewall/disclosures.h"
#include "client-lib/procedure/offer_terms.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

namespace pb = content::v1;

std::string Quoted(const std::string& words) { return "“" + words + "”"; }

std::string ShortId(const std::string& field) {
  const std::optional<MessageId> id = IdFrom<MessageId>(field);
  return id.has_value() ? id->ToString().substr(0, 8) : "?";
}

}  // namespace

bool IsSame(const pb::AuthorisedDocument& authorised, const pb::Document& document) {
  return authorised.name() == document.name() && authorised.media_type() == document.media_type() &&
         authorised.size() == document.size() &&
         authorised.plaintext_root() == document.plaintext_root();
}

std::string AddedTo(const pb::Document& share) {
  if (!share.preview().empty()) return "a preview";
  if (!share.note().empty()) return "a note";
  if (!share.replaces_message_id().empty() || !share.replaces_author_id().empty() ||
      share.has_replaces_place() || share.version() != 0) {
    return "an earlier version";
  }
  if (share.expires_at() != 0) return "a time when it ends";
  if (share.brief() != pb::BRIEF_KIND_UNSPECIFIED || share.brief_sides_size() != 0) {
    return "what briefs have";
  }
  return "";
}

bool IsSame(const pb::CarriedOffer& a, const pb::CarriedOffer& b) {
  return a.SerializeAsString() == b.SerializeAsString();
}

bool IsSame(const pb::CarriedOffer& authorised, const ChannelMessage& item,
            const pb::Content& content) {
  const std::optional<pb::CarriedOffer> record = CarriedOf(
      {item.author.participant_id, item.author.name, item.author.role, item.author.side}, content);
  return record.has_value() && IsSame(authorised, *record);
}

std::string Disclosures::FaultBy(const AuthorisationRecord& record, const ChannelId& channel,
                                 const ChannelMessage& message, const pb::Disclosure& said) const {
  const std::string of =
      "the authorisation by " + record.author.name + " in " + record.channel_name + " ";
  switch (record.state) {
    case AuthorisationState::kInvalid:
      return of + record.fault;
    case AuthorisationState::kRevoked:
      return of + "was revoked before";
    case AuthorisationState::kExpired:
      return of + "had expired before";
    case AuthorisationState::kAuthorGone:
      return of + "ended when they left that channel";
    case AuthorisationState::kOpen:
      return of + "was not marked as used";
    case AuthorisationState::kUsed:
      break;
  }
  if (record.disclosure != message.id ||
      record.used_by->participant_id != message.author.participant_id) {
    return of + "was used already";
  }
  const ChannelState& place = channels_.at(channel);
  if (record.audience_kind != place.kind || record.audience_side != place.side) {
    return of + "is for " + record.Audience();
  }
  if (record.words != said.words()) return of + "is for other words";
  const bool same_document = record.document.has_value()
                                 ? said.has_document() && IsSame(*record.document, said.document())
                                 : !said.has_document();
  if (!same_document) return of + "is for another document";
  const bool same_offer = record.offer.has_value()
                              ? said.has_offer() && IsSame(*record.offer, said.offer())
                              : !said.has_offer();
  if (!same_offer) return of + "is for another offer, or answer, than this";
  const bool names_author =
      IdFrom<ParticipantId>(said.from_participant_id()) == record.author.participant_id &&
      said.from_name() == record.author.name;
  const bool names_nobody = said.from_participant_id().empty() && said.from_name().empty();
  if (record.anonymous && !(said.anonymous() && names_nobody)) {
    return of + "is without saying from whom";
  }
  if (!record.anonymous && (said.anonymous() || !names_author)) {
    return of + "is to be shown as theirs";
  }
  return "";
}

const std::string* Disclosures::NameOf(const ParticipantId& id) const {
  const auto found = std::find_if(people_.people.begin(), people_.people.end(),
                                  [&](const KnownPerson& person) { return person.id == id; });
  return found == people_.people.end() ? nullptr : &found->name;
}

std::string Disclosures::FaultOfNaming(const pb::Disclosure& said) const {
  if (said.anonymous()) {
    const bool names_nobody = said.from_participant_id().empty() && said.from_name().empty();
    return names_nobody ? "" : "it is without a name, and has one";
  }
  const std::optional<ParticipantId> id = IdFrom<ParticipantId>(said.from_participant_id());
  if (!id.has_value()) return "it doesn't say from whom it is";
  const std::string* const name = NameOf(*id);
  if (name == nullptr) {
    return has_joint_ ? "it is from somebody who isn't in this case" : "";
  }
  const bool is_theirs =
      std::any_of(people_.people.begin(), people_.people.end(), [&](const KnownPerson& person) {
        return person.id == *id && person.name == said.from_name();
      });
  if (!is_theirs) return "it gives " + *name + " another name";
  return said.has_offer() ? FaultOfStanding(*id, said.offer()) : "";
}

std::string Disclosures::FaultOfStanding(const ParticipantId& id,
                                         const pb::CarriedOffer& said) const {
  const Actor claimed = AuthorOfCarried(id, "", said);
  const RosterMember* known = nullptr;
  for (const auto& [channel, state] : channels_) {
    const RosterMember* const member = state.FindMember(id);
    if (member == nullptr) continue;
    if (member->role == claimed.role && member->side == claimed.side) return "";
    known = member;
  }
  return known == nullptr ? "" : "it gives " + known->name + " another role or side than theirs";
}

std::string Disclosures::FaultOf(const ChannelId& channel, const ChannelMessage& message,
                                 const pb::Disclosure& said, bool& unchecked) const {
  if (!IsNeutral(message.author.role)) return Describe(message.author) + " is no neutral";
  if (said.has_document() && !said.words().empty()) return "it has both words and a document";
  const std::string added = AddedTo(said.document());
  if (!added.empty()) return "it has " + added + ", which nobody authorised";
  if (said.has_offer() && (said.has_document() || !said.words().empty())) {
    return "it has more than an offer's record";
  }
  const std::optional<MessageId> id = IdFrom<MessageId>(said.authorisation_id());
  const auto named = IdFrom<ParticipantId>(said.from_participant_id());
  // Others may have given leave under the same id: one that fits is enough, and who is no neutral
  // minds only whose name is used, and their own.
  std::string fault;
  for (const AuthorisationRecord& record : authorisations_) {
    if (record.id != id) continue;
    std::string by_this = FaultBy(record, channel, message, said);
    if (by_this.empty()) {
      unchecked = record.unchecked;
      return "";
    }
    const ParticipantId& author = record.author.participant_id;
    const bool counts = is_neutral_ || (said.anonymous() ? author == own_id_ : author == named);
    const bool is_its_use = record.used_by.has_value() && record.disclosure == message.id;
    if (counts && (fault.empty() || is_its_use)) fault = std::move(by_this);
  }
  const std::string unknown = "it names no authorisation that this device knows";
  bool was_destroyed = false;
  bool is_unknown = false;
  for (const UnknownUse& use : unknown_uses_) {
    const bool is_it = use.authorisation == id && use.disclosure == message.id &&
                       use.used_by == message.author.participant_id;
    is_unknown = is_unknown || is_it;
    was_destroyed = was_destroyed || (is_it && use.was_destroyed);
  }
  // Whose name is used knows what leave they gave, wherever they came late; unless they have
  // destroyed it.
  if (named == own_id_) {
    unchecked = was_destroyed && fault.empty();
    if (!unchecked) return fault.empty() ? unknown : fault;
  } else if (is_neutral_) {
    unchecked = is_unknown;
    if (!unchecked) return fault.empty() ? unknown : fault;
  } else if (!fault.empty()) {
    return fault;
  }
  // Who wasn't in the channel when leave was given knows no more than what the neutral attests.
  return FaultOfNaming(said);
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
  } else if (said.has_offer()) {
    shown.offer = said.offer();
    shown.text = said.from_name() + " " + DescribeCarried(said.offer());
  } else {
    shown.text = said.words();
  }
  const auto from = IdFrom<ParticipantId>(said.from_participant_id());
  const std::string* const name = from.has_value() ? NameOf(*from) : nullptr;
  shown.note = "attested by " + message.author.name + ", from " +
               (said.anonymous()  ? "a confidential caucus"
                : name != nullptr ? *name + " in confidence, with leave"
                                  : "somebody whom this device doesn't know, in confidence, with "
                                    "leave");
  if (unchecked)
    shown.note +=
        "; this device came later than that leave, or has destroyed what it was for, and can't "
        "check "
        "it";
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
    const std::string what =
        given.has_document() ? "the document " + Quoted(given.document().name())
        : given.has_offer()  ? "that " + message.author.name + " " + DescribeCarried(given.offer())
                             : Quoted(given.words());
    shown.text = "lets the neutrals tell " + DescribeChannel(kind, given.audience_side()) +
                 ", once" + (given.anonymous() ? " and without saying from whom: " : ": ") + what +
                 " (authorisation " + message.id.ToString().substr(0, 8) + ")";
    const AuthorisationRecord* const record =
        Find(channel, message.author.participant_id, message.id);
    if (record == nullptr || record->state == AuthorisationState::kInvalid) {
      shown.text += ", which isn't theirs to tell: it counts for nothing";
    } else if (record->unchecked) {
      shown.text +=
          "; it was said before this device came, or destroyed since, and can't be checked by it";
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

// ---- Warnings ----

namespace {

// Up to which number of a channel refused disclosures have been seen.
struct SeenRefused {
  uint64_t number = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.number);
  }
};

std::string RefusedSeenName(const ChannelId& channel) { return "leave-seen/" + channel.ToString(); }

}  // namespace

absl::StatusOr<std::vector<std::pair<ChannelId, std::string>>> RefusedDisclosures(
    const ReadTransaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  std::vector<std::pair<ChannelId, std::string>> refused;
  std::optional<Disclosures> disclosures;
  for (const ChannelId& channel : record.channels) {
    PARLEY_ASSIGN_OR_RETURN(
        const std::optional<SeenRefused> seen,
        GetRecord<SeenRefused>(step, RecordClass::kContent, RefusedSeenName(channel)));
    MessageQuery query;
    query.kinds = {ContentKind::kDisclosure};
    query.after = seen.has_value() ? seen->number : 0;
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages,
                            context.Channel(channel).Messages(step, query));
    struct OfAuthor {
      std::string first;
      size_t count = 0;
    };
    std::map<ParticipantId, OfAuthor> by_author;
    for (const ChannelMessage& message : messages) {
      // Nobody believes one of others: it is shown as refused in its place.
      if (!IsNeutral(message.author.role)) continue;
      if (!disclosures.has_value()) {
        PARLEY_ASSIGN_OR_RETURN(disclosures, Disclosures::Load(step, context));
      }
      ShownRecord shown = disclosures->Show(channel, message);
      if (!shown.refused) continue;
      OfAuthor& of = by_author[message.author.participant_id];
      if (of.count++ == 0) of.first = std::move(shown.note);
    }
    for (const auto& [author, of] : by_author) {
      refused.emplace_back(channel, of.count == 1
                                        ? of.first
                                        : of.first + "; and " + std::to_string(of.count - 1) +
                                              " more by them in this channel");
    }
  }
  return refused;
}

absl::Status SettleRefusedDisclosures(const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(const auto refused, RefusedDisclosures(step, context));
  for (const auto& [channel, text] : refused) {
    PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(channel).Info(step));
    PARLEY_RETURN_IF_ERROR(
        PutRecord(step, RecordClass::kContent, RefusedSeenName(channel), SeenRefused{info.number}));
  }
  return step.Commit();
}

}  // namespace parley::client
