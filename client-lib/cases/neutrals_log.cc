#include "client-lib/cases/neutrals_log.h"

#include <algorithm>

#include "client-lib/cases/connection.h"
#include "client-lib/cases/controls.h"
#include "client-lib/cases/identity.h"
#include "client-lib/content/wipe.h"
#include "client-lib/pairing/device.h"
#include "client-lib/pairing/handshake.h"
#include "crypto/primitives/signature.h"

namespace parley::client {
namespace {

using content::v1::CaseSecrets;
using content::v1::Content;
using content::v1::ParticipantRecord;

constexpr size_t kMostAdmitted = 256;

ParticipantState StateOf(ParticipantRecord::State state) {
  switch (state) {
    case ParticipantRecord::STATE_APPROVED:
      return ParticipantState::kApproved;
    case ParticipantRecord::STATE_REMOVED:
      return ParticipantState::kRemoved;
    case ParticipantRecord::STATE_LEFT:
      return ParticipantState::kLeft;
    default:
      return ParticipantState::kUnknown;
  }
}

ParticipantRecord::State WireState(ParticipantState state) {
  switch (state) {
    case ParticipantState::kApproved:
      return ParticipantRecord::STATE_APPROVED;
    case ParticipantState::kRemoved:
      return ParticipantRecord::STATE_REMOVED;
    case ParticipantState::kLeft:
      return ParticipantRecord::STATE_LEFT;
    default:
      return ParticipantRecord::STATE_UNSPECIFIED;
  }
}

content::v1::DeviceCard CardOf(const ParticipantRecord& record) {
  content::v1::DeviceCard card;
  card.set_participant_id(record.participant_id());
  card.set_device_id(record.device_id());
  card.set_name(record.name());
  card.set_identity_key(record.identity_key());
  card.set_inbox_kem_key(record.inbox_kem_key());
  card.set_inbox_id(record.inbox_id());
  card.set_record_key(record.record_key());
  return card;
}

// Whether a record can be taken as it is. What is wrong is ignored, not fatal: its author is
// another neutral, whose program may be newer.
bool IsGoodRecord(const ParticipantRecord& record) {
  const Role role = FromWire(record.role());
  return CheckCard(CardOf(record)).ok() && role != Role::kUnknown &&
         StateOf(record.state()) != ParticipantState::kUnknown &&
         (record.side().empty() || (!IsNeutral(role) && IsGoodName(record.side()))) &&
         static_cast<size_t>(record.admitted_channel_ids_size()) <= kMostAdmitted;
}

// What pairs this neutral with the participant, once they say hello.
absl::Status TakeIntroductions(Transaction& step, const CaseContext& context,
                               const ParticipantRecord& record, const PersonRecord& person,
                               const ParticipantId& author) {
  PARLEY_ASSIGN_OR_RETURN(OwnDevice device, context.Pairings().Device(step));
  for (const ParticipantRecord::Introduction& introduction : record.introductions()) {
    if (introduction.neutral_participant_id() != ToField(device.participant_id) ||
        introduction.introduction_secret().size() != 32 ||
        introduction.append_seed().size() != crypto::kSignatureSeedSize) {
      continue;
    }
    PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> known,
                            context.Pairings().PairingWith(step, person.id));
    if (known.has_value()) continue;
    AwaitedIntroduction awaited;
    awaited.secret = Secret::CopyOf(crypto::ViewOf(introduction.introduction_secret()));
    awaited.peer = person.id;
    awaited.peer_card = person.card;
    awaited.peer_role = static_cast<uint8_t>(person.role);
    awaited.append_seed = Secret::CopyOf(crypto::ViewOf(introduction.append_seed()));
    awaited.introducer = author;
    const std::string key = crypto::ToHex(IntroductionKeyOf(awaited.secret).id);
    PARLEY_RETURN_IF_ERROR(context.Pairings().introductions.Put(step, key, awaited));
  }
  return absl::OkStatus();
}

absl::Status TakeRecord(Transaction& step, const CaseContext& context, CaseRecord& own,
                        const ParticipantRecord& record, const ParticipantId& author) {
  const std::optional<ParticipantId> id = IdFrom<ParticipantId>(record.participant_id());
  if (!id.has_value() || !IsGoodRecord(record)) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(std::optional<PersonRecord> known, context.Records().Person(step, *id));
  PersonRecord person = known.has_value() ? std::move(*known) : PersonRecord();
  person.id = *id;
  person.name = record.name();
  person.role = FromWire(record.role());
  person.side = record.side();
  person.state = StateOf(record.state());
  person.recorded = person.state;
  person.recorded_at = context.now_seconds();
  person.approver = author;
  if (person.card.empty()) {
    PARLEY_ASSIGN_OR_RETURN(const std::string other, WhoseCard(step, context, *id, CardOf(record)));
    if (!other.empty()) {
      own.Refuse("a record of " + record.name() +
                 " in the neutrals' channel shows an id or a key of " + other +
                 "'s; it was refused");
      return absl::OkStatus();
    }
  }
  if (person.card.empty()) person.card = crypto::ToBytes(CardOf(record).SerializeAsString());
  const std::vector<ChannelId> before = std::move(person.admitted);
  person.admitted.clear();
  for (const std::string& channel : record.admitted_channel_ids()) {
    if (const auto admitted = IdFrom<ChannelId>(channel)) person.admitted.push_back(*admitted);
  }
  // Out of what they were dismissed from they are by that, and not since they have left.
  std::erase_if(person.seen_in, [&](const SeenIn& seen) {
    const auto names = [&seen](const std::vector<ChannelId>& ids) {
      return std::find(ids.begin(), ids.end(), seen.channel_id) != ids.end();
    };
    return names(before) && !names(person.admitted);
  });
  PARLEY_RETURN_IF_ERROR(context.Records().PutPerson(step, person));
  if (*id == own.own_id && person.state == ParticipantState::kRemoved) {
    own.own_state = ParticipantState::kRemoved;
  }
  if (!person.TakesPart() || author == own.own_id) return absl::OkStatus();
  return TakeIntroductions(step, context, record, person, author);
}

absl::Status TakeSecrets(Transaction& step, const CaseContext& context, CaseRecord& own,
                         const CaseSecrets& secrets, const CaseChannel& neutrals,
                         const ChannelMessage& message) {
  PARLEY_RETURN_IF_ERROR(TakeControls(step, context, own, secrets, neutrals.info.state,
                                      message.author.participant_id, message.number));
  if (secrets.connection().empty()) return absl::OkStatus();
  const absl::StatusOr<ConnectionString> said = ParseConnectionString(secrets.connection());
  if (!said.ok() || said->relay.identity_key != own.relay_identity) return absl::OkStatus();
  if (own.sponsor_token.empty()) {
    own.sponsor_token = said->sponsor_token.Clone();
    return absl::OkStatus();
  }
  // What a neutral is briefed with may be behind; and who has gone has no say in what pays.
  const bool there =
      neutrals.info.state.FindMember(message.author.participant_id) != nullptr && !message.own;
  if (!secrets.renewed() || !there ||
      crypto::ConstantTimeEquals(said->sponsor_token.Reveal(), own.sponsor_token.Reveal())) {
    return absl::OkStatus();
  }
  return KeepOffer(step, context, said->sponsor_token, message.author.participant_id);
}

absl::Status TakeContent(Transaction& step, const CaseContext& context, CaseRecord& own,
                         const CaseChannel& neutrals, const ChannelMessage& message) {
  Content content;  // control keys, the sponsor token, introductions' secrets
  const ScopedMessageWipe wipe(content);
  const ByteView bytes = message.content.Reveal();
  if (!content.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::OkStatus();
  }
  if (content.has_participant()) {
    return TakeRecord(step, context, own, content.participant(), message.author.participant_id);
  }
  if (content.has_case_secrets()) {
    return TakeSecrets(step, context, own, content.case_secrets(), neutrals, message);
  }
  if (content.has_case_channels()) {
    TakeNames(own, content.case_channels(), message.author.participant_id);
    return absl::OkStatus();
  }
  if (content.has_channel_heads() && !message.own) {
    return Channel::CompareHeads(step, content.channel_heads(), message.author,
                                 context.now_seconds());
  }
  return absl::OkStatus();
}

}  // namespace

const CaseChannel* FindByKind(const std::vector<CaseChannel>& channels, ChannelKind kind) {
  const auto found =
      std::find_if(channels.begin(), channels.end(),
                   [kind](const CaseChannel& channel) { return channel.info.state.kind == kind; });
  return found == channels.end() ? nullptr : &*found;
}

absl::StatusOr<NeutralsNews> TakeNeutralsLog(Transaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<CaseChannel> channels, ChannelsOf(step, context));
  const CaseChannel* neutrals = FindByKind(channels, ChannelKind::kNeutrals);
  NeutralsNews news;
  if (neutrals == nullptr) return news;
  PARLEY_ASSIGN_OR_RETURN(CaseRecord own, context.Records().Case(step));
  news.anything = NoteNeutrals(own, *neutrals);
  MessageQuery query;
  query.after = own.neutrals_cursor;
  query.kinds = {ContentKind::kParticipantRecord, ContentKind::kCaseSecrets,
                 ContentKind::kChannelHeads, ContentKind::kCaseChannels};
  PARLEY_ASSIGN_OR_RETURN(std::vector<ChannelMessage> messages,
                          context.Channel(neutrals->id).Messages(step, query));
  for (const ChannelMessage& message : messages) {
    PARLEY_RETURN_IF_ERROR(TakeContent(step, context, own, *neutrals, message));
    own.neutrals_cursor = message.number;
    news.anything = true;
    news.about_people =
        news.about_people || (!message.own && message.kind != ContentKind::kChannelHeads);
  }
  if (news.anything) PARLEY_RETURN_IF_ERROR(context.Records().PutCase(step, own));
  return news;
}

absl::Status PostRecord(Transaction& step, const CaseContext& context, const ChannelId& neutrals,
                        PersonRecord& person,
                        const std::vector<ParticipantRecord::Introduction>& introductions) {
  PARLEY_ASSIGN_OR_RETURN(content::v1::DeviceCard card, ParseCard(person.card));
  Content content;
  const ScopedMessageWipe wipe(content);
  ParticipantRecord& record = *content.mutable_participant();
  record.set_participant_id(ToField(person.id));
  record.set_name(person.name);
  record.set_role(ToWire(person.role));
  record.set_side(person.side);
  record.set_state(WireState(person.state));
  record.set_device_id(card.device_id());
  record.set_identity_key(card.identity_key());
  record.set_inbox_kem_key(card.inbox_kem_key());
  record.set_inbox_id(card.inbox_id());
  record.set_record_key(card.record_key());
  for (const ParticipantRecord::Introduction& introduction : introductions) {
    *record.add_introductions() = introduction;
  }
  for (const ChannelId& channel : person.admitted) {
    record.add_admitted_channel_ids(ToField(channel));
  }
  person.recorded = person.state;
  return context.Channel(neutrals).Queue(step, content).status();
}

}  // namespace parley::client
