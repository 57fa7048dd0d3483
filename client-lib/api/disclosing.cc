// Disclosure with leave: Profile::Impl's part.
#include <algorithm>
#include <ctime>

#include "client-lib/api/find.h"
#include "client-lib/api/profile_impl.h"
#include "client-lib/api/status_conversion.h"
#include "client-lib/content/folded_text.h"
#include "client-lib/firewall/bound_text.h"
#include "client-lib/firewall/disclosures.h"

namespace parley {
namespace {

using client::AuthorisationRecord;
using client::CaseContext;
using client::CaseView;
using client::ReadTransaction;
using client::Transaction;

struct Audience {
  ChannelKind kind = ChannelKind::kUnknown;
  std::string side;
};

// "joint", "caucus:Northline": as the case spells it. The owner needn't be in that channel.
absl::StatusOr<Audience> ReadAudience(const std::vector<Participant>& participants,
                                      std::string_view text) {
  const std::string folded = client::Folded(text);
  for (const ChannelKind kind :
       {ChannelKind::kJoint, ChannelKind::kNeutrals, ChannelKind::kCounsel}) {
    if (folded == ChannelKindName(kind)) return Audience{kind, ""};
  }
  std::string sides;
  for (const Participant& participant : participants) {
    if (participant.side.empty()) continue;
    const std::string name = std::string("caucus:") + participant.side;
    if (folded == client::Folded(name)) return Audience{ChannelKind::kCaucus, participant.side};
    if (sides.find(name) == std::string::npos) sides += ", " + name;
  }
  return absl::NotFoundError("\"" + std::string(text) +
                             "\" is no audience of this case; there are: joint" + sides);
}

Authorisation Shown(const CaseId& id, const AuthorisationRecord& record, const ParticipantId& own) {
  Authorisation shown;
  shown.id = record.id;
  shown.channel = {id, record.channel};
  shown.channel_name = record.channel_name;
  shown.position = record.number;
  shown.author.id = record.author.participant_id;
  shown.author.name = record.author.name;
  shown.author.role = record.author.role;
  shown.author.side = record.author.side;
  shown.author.self = record.author.participant_id == own;
  shown.item = record.item;
  shown.words = record.words;
  shown.audience = record.Audience();
  shown.anonymous = record.anonymous;
  shown.expires_at = static_cast<int64_t>(record.expires_at);
  shown.state = record.state;
  if (record.used_by.has_value()) shown.used_by = record.used_by->name;
  return shown;
}

absl::StatusOr<AuthorisationRecord> Load(const ReadTransaction& step, const CaseContext& context,
                                         const Authorisation& authorisation) {
  PARLEY_ASSIGN_OR_RETURN(
      std::vector<AuthorisationRecord> records,
      client::AuthorisationsIn(step, context, authorisation.channel.channel_id));
  for (AuthorisationRecord& record : records) {
    if (record.id == authorisation.id) return std::move(record);
  }
  return absl::NotFoundError("there is no such authorisation");
}

absl::Status NotOpen(const AuthorisationRecord& record) {
  std::string why = AuthorisationStateName(record.state);
  if (record.used_by.has_value()) why += " by " + record.used_by->name;
  return absl::FailedPreconditionError("the authorisation isn't open any more: it is " + why +
                                       "; nothing was sent");
}

}  // namespace

absl::StatusOr<SentMessage> Profile::Impl::QueueAndDeliver(const ChannelRef& channel,
                                                           const content::v1::Content& content,
                                                           bool may_stay_queued) {
  PARLEY_RETURN_IF_ERROR(CheckWritable(channel));
  MessageId id;
  {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, store_->Begin());
    PARLEY_ASSIGN_OR_RETURN(
        id, LocalContext(channel.case_id).Channel(channel.channel_id).Queue(step, content));
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
  return Deliver(channel, id, may_stay_queued);
}

absl::StatusOr<SentMessage> Profile::Impl::Authorise(const ChannelRef& channel,
                                                     const AuthorisationRequest& request) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<Participant> people, Participants(channel.case_id));
  PARLEY_ASSIGN_OR_RETURN(const Audience audience, ReadAudience(people, request.audience));
  PARLEY_ASSIGN_OR_RETURN(const Channel here, GetChannel(channel));
  if (here.kind == audience.kind && here.side == audience.side) {
    return absl::InvalidArgumentError(here.name + " has read it already");
  }
  PARLEY_ASSIGN_OR_RETURN(const std::vector<Message> messages, Read(channel, 0));
  const auto item = std::find_if(messages.begin(), messages.end(), [&](const Message& message) {
    return message.id == request.item;
  });
  if (item == messages.end()) return absl::NotFoundError(here.name + " has no such message");
  if (!item->author.self) {
    return absl::PermissionDeniedError("that is " + item->author.name +
                                       "'s message: only who said it can let it be told");
  }
  if (item->kind != MessageKind::kText) {
    return absl::InvalidArgumentError(
        "only the words of a message can be authorised; share a document where it is to be read");
  }
  const std::string words = request.words.empty() ? item->text : request.words;
  if (item->text.find(words) == std::string::npos) {
    return absl::InvalidArgumentError("the message doesn't have exactly these words");
  }
  if (words.size() > client::kMostAuthorisedBytes) {
    return absl::ResourceExhaustedError("these words are too many; authorise a part of them");
  }
  content::v1::Content content;
  content::v1::DisclosureAuthorisation& given = *content.mutable_disclosure_authorisation();
  given.set_item_message_id(client::ToField(item->id));
  given.set_words(words);
  given.set_audience_kind(static_cast<content::v1::ChannelKind>(audience.kind));
  given.set_audience_side(audience.side);
  given.set_anonymous(request.anonymous);
  if (request.valid_for_seconds > 0) {
    given.set_expires_at(static_cast<uint64_t>(std::time(nullptr)) +
                         static_cast<uint64_t>(request.valid_for_seconds));
  }
  return QueueAndDeliver(channel, content, /*may_stay_queued=*/false);
}

absl::StatusOr<std::vector<Authorisation>> Profile::Impl::Authorisations(const CaseId& id) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  const CaseContext context = LocalContext(id);
  PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord record, context.Records().Case(read));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<AuthorisationRecord> records,
                          client::AuthorisationsOf(read, context));
  std::vector<Authorisation> shown;
  for (const AuthorisationRecord& one : records) shown.push_back(Shown(id, one, record.own_id));
  return shown;
}

absl::StatusOr<Authorisation> Profile::Impl::FindAuthorisation(const CaseId& id,
                                                               std::string_view text) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<Authorisation> all, Authorisations(id));
  const std::string beginning = client::Folded(text);
  std::vector<Authorisation> fitting;
  for (Authorisation& one : all) {
    if (!beginning.empty() && one.id.ToString().starts_with(beginning)) {
      fitting.push_back(std::move(one));
    }
  }
  if (fitting.empty()) {
    return absl::NotFoundError("there is no authorisation \"" + std::string(text) +
                               "\"; \"parley authorisations\" shows those that there are");
  }
  if (fitting.size() > 1) {
    return client::AmbiguousError("\"" + std::string(text) +
                                  "\" fits several authorisations; write more of the id");
  }
  return std::move(fitting.front());
}

absl::StatusOr<SentMessage> Profile::Impl::Revoke(const Authorisation& authorisation) {
  const CaseContext context = LocalContext(authorisation.channel.case_id);
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(const AuthorisationRecord record, Load(read, context, authorisation));
    PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord own, context.Records().Case(read));
    if (record.author.participant_id != own.own_id) {
      return absl::PermissionDeniedError("only " + record.author.name +
                                         ", who gave it, can take it back");
    }
    if (record.state != AuthorisationState::kOpen) return NotOpen(record);
  }
  content::v1::Content content;
  content.mutable_authorisation_end()->set_authorisation_id(client::ToField(authorisation.id));
  content.mutable_authorisation_end()->set_reason(content::v1::AuthorisationEnd::REASON_REVOKED);
  PARLEY_ASSIGN_OR_RETURN(SentMessage sent, QueueAndDeliver(authorisation.channel, content, true));
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(const AuthorisationRecord record, Load(read, context, authorisation));
  if (record.state == AuthorisationState::kUsed) return NotOpen(record);  // just before
  return sent;
}

// Marks it as used in the channel where it was given, and gives the id that the disclosure has.
absl::StatusOr<MessageId> Profile::Impl::UseAuthorisation(const Authorisation& authorisation) {
  const ChannelRef& caucus = authorisation.channel;
  const CaseContext context = LocalContext(caucus.case_id);
  PARLEY_ASSIGN_OR_RETURN(Connected connected, Connect(caucus.case_id));
  PARLEY_RETURN_IF_ERROR(client::ExchangeChannel(connected.context, caucus.channel_id).status());
  const MessageId disclosure = client::RandomId<MessageId>();
  content::v1::Content content;
  bool expired = false;
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(const AuthorisationRecord record, Load(read, context, authorisation));
    PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord own, context.Records().Case(read));
    const bool mine = record.used_by.has_value() && record.used_by->participant_id == own.own_id;
    if (mine) return record.disclosure;
    if (record.state != AuthorisationState::kOpen) return NotOpen(record);
    expired = record.expires_at != 0 && record.expires_at <= context.now_seconds();
  }
  if (expired) {
    content.mutable_authorisation_end()->set_authorisation_id(client::ToField(authorisation.id));
    content.mutable_authorisation_end()->set_reason(content::v1::AuthorisationEnd::REASON_EXPIRED);
  } else {
    content.mutable_disclosure_use()->set_authorisation_id(client::ToField(authorisation.id));
    content.mutable_disclosure_use()->set_disclosure_message_id(client::ToField(disclosure));
  }
  PARLEY_ASSIGN_OR_RETURN(const SentMessage sent, QueueAndDeliver(caucus, content, true));
  if (sent.queued) {
    return absl::UnavailableError(
        "the relay can't be reached, and nothing was disclosed; repeat it when it can");
  }
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(const AuthorisationRecord record, Load(read, context, authorisation));
  if (record.state != AuthorisationState::kUsed || record.disclosure != disclosure) {
    return NotOpen(record);  // somebody was faster, or it has expired
  }
  return disclosure;
}

absl::StatusOr<SentMessage> Profile::Impl::Disclose(const Authorisation& authorisation) {
  const CaseId& id = authorisation.channel.case_id;
  PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord own, LoadCase(id));
  if (!own.IsNeutral()) {
    return absl::PermissionDeniedError("only a neutral carries words from one channel to another");
  }
  absl::StatusOr<Channel> audience = FindChannel(id, authorisation.audience);
  if (!audience.ok() || audience->name != authorisation.audience) {
    return absl::NotFoundError("you have no channel " + authorisation.audience +
                               " to disclose it in");
  }
  PARLEY_RETURN_IF_ERROR(CheckWritable(audience->ref));
  PARLEY_ASSIGN_OR_RETURN(const MessageId disclosure, UseAuthorisation(authorisation));
  AuthorisationRecord record;
  content::v1::Content content;
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(record, Load(read, LocalContext(id), authorisation));
    PARLEY_ASSIGN_OR_RETURN(CaseView view, CaseView::Create(read, LocalContext(id)));
    PARLEY_ASSIGN_OR_RETURN(std::vector<Message> there,
                            view.Messages(read, audience->ref.channel_id, 0));
    PARLEY_ASSIGN_OR_RETURN(std::vector<client::ChannelMessage> waiting,
                            LocalContext(id).Channel(audience->ref.channel_id).Unsent(read));
    const bool is_there = std::any_of(there.begin(), there.end(), [&](const Message& message) {
      return message.id == disclosure && message.author.self;
    });
    if (is_there) return NotOpen(record);
    const bool waits = std::any_of(
        waiting.begin(), waiting.end(),
        [&](const client::ChannelMessage& message) { return message.id == disclosure; });
    if (waits) return Deliver(audience->ref, disclosure, /*may_stay_queued=*/true);
  }
  content.set_message_id(client::ToField(disclosure));
  content::v1::Disclosure& said = *content.mutable_disclosure();
  said.set_authorisation_id(client::ToField(record.id));
  said.set_words(record.words);
  said.set_anonymous(record.anonymous);
  if (!record.anonymous) {
    said.set_from_participant_id(client::ToField(record.author.participant_id));
    said.set_from_name(record.author.name);
  }
  return QueueAndDeliver(audience->ref, content, /*may_stay_queued=*/true);
}

}  // namespace parley
