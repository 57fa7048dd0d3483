#include "client-lib/cases/inbox_messages.h"

#include <algorithm>

#include "client-lib/cases/deferred.h"
#include "client-lib/cases/key_stock.h"
#include "client-lib/cases/naming.h"
#include "client-lib/cases/record_keys.h"
#include "client-lib/cases/team.h"
#include "client-lib/cases/team_records.h"
#include "client-lib/pairing/device.h"
#include "client-lib/pairing/inviting.h"
#include "crypto/primitives/signature.h"

namespace parley::client {
namespace {

using content::v1::InboxMessage;

constexpr size_t kMostVouchers = 256;
constexpr size_t kMostReserveSeeds = 64;

bool FromNeutral(const Pairing& pairing) { return IsNeutral(static_cast<Role>(pairing.peer_role)); }

absl::Status NotTheirs(const char* what) {
  return absl::PermissionDeniedError(std::string("a message that its sender may not send: ") +
                                     what);
}

absl::StatusOr<content::v1::DeviceCard> CardOf(const Pairing& pairing) {
  return ParseCard(pairing.peer_card);
}

template <typename Range>
void AddVouchers(CaseRecord& record, const Range& vouchers) {
  for (const std::string& voucher : vouchers) {
    if (record.vouchers.size() >= kMostVouchers) break;
    if (!voucher.empty() && voucher.size() <= 1024) {
      record.vouchers.push_back(crypto::ToBytes(voucher));
    }
  }
}

absl::Status TakeApproval(Transaction& step, const CaseContext& context, const Pairing& pairing,
                          const content::v1::Approval& approval) {
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  if (pairing.peer != record.inviter) return NotTheirs("an approval");
  const Role role = FromWire(approval.role());
  if (!IsGoodName(approval.name()) || role == Role::kUnknown ||
      (!approval.side().empty() && !IsGoodName(approval.side()))) {
    return absl::InvalidArgumentError("an approval with a malformed name, role or side");
  }
  // It comes once: what one is in the case is not the inviter's to change later.
  if (record.own_state != ParticipantState::kWaiting) return NotTheirs("another approval");
  record.own_state = ParticipantState::kApproved;
  record.own_name = approval.name();
  record.own_role = role;
  record.own_side = approval.side();
  AddVouchers(record, approval.vouchers());
  return context.Records().PutCase(step, record);
}

// Into the team of the own side only its stewards let people, and they into nothing else.
absl::Status CheckMayLetInto(const Pairing& pairing, const CaseRecord& record,
                             const ChannelState& state) {
  const bool own_team = state.kind == ChannelKind::kTeam && state.side == record.own_side;
  const bool may =
      FromNeutral(pairing) ? state.kind != ChannelKind::kTeam : own_team && !record.IsNeutral();
  if (may) return absl::OkStatus();
  return absl::PermissionDeniedError("a Welcome into the channel " +
                                     DescribeChannel(state.kind, state.side) +
                                     " by somebody who may not let anybody into it");
}

// Of a channel that is here already, before anything of a Welcome is taken over.
absl::Status CheckKnownChannel(const ReadTransaction& step, const CaseContext& context,
                               const Pairing& pairing, const CaseRecord& record,
                               const std::string& channel) {
  const std::optional<ChannelId> id = IdFrom<ChannelId>(channel);
  if (!id.has_value() ||
      std::find(record.channels.begin(), record.channels.end(), *id) == record.channels.end()) {
    return absl::OkStatus();
  }
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(*id).Info(step));
  return CheckMayLetInto(pairing, record, info.state);
}

// Several of a side may open a team at the same time, each for all. That counts whose founder has
// the lowest participant id, which nobody picks for this: everybody had theirs before there was a
// side to be on. Who has founded another gives it up, as long as nobody else has been heard in it.
// (Later the side has its team, and who was put out of it can't lead anybody away.) Only to
// somebody for whom the own one was meant, too. The founder is who stands first in the roster;
// since the roster is the word of `peer`, who lets in, their own id has to be lower as well. The
// own one, if it is to give way to the team of this `state`.
std::optional<ChannelId> FoundedAtOnce(const std::vector<CaseChannel>& channels,
                                       const CaseRecord& record, const TeamRecord& team,
                                       const ParticipantId& peer, const ChannelChoice& choice,
                                       const ChannelState& state) {
  if (state.kind != ChannelKind::kTeam) return std::nullopt;
  const ParticipantId& founder = state.members.front().participant_id;
  if (!(founder < record.own_id) || !(peer < record.own_id)) return std::nullopt;
  for (const CaseChannel& own : channels) {
    const ChannelInfo& info = own.info;
    const bool counts = choice.Of(ChannelKind::kTeam, state.side) == own.id;
    const bool founded = info.joined.position == 0 && info.confirmed_at == 0;
    const bool is_for_peer = info.state.FindMember(peer) != nullptr || HasId(team.wanted, peer);
    if (is_for_peer && counts && founded && info.standing == Standing::kActive) return own.id;
  }
  return std::nullopt;
}

// Whether somebody else has been heard in the channel that counts in place of this one.
bool IsConfirmed(const std::vector<CaseChannel>& channels, const ChannelChoice& choice,
                 const ChannelState& state) {
  const std::optional<ChannelId> counts = choice.Of(state.kind, state.side);
  return std::any_of(channels.begin(), channels.end(), [&](const CaseChannel& channel) {
    return counts == channel.id && channel.info.confirmed_at != 0;
  });
}

// It doesn't count from now on, nor does what was decided for it: the other team is others', and
// may be for fewer. The team's work (team_work.h) puts those out whom the owner has let in, so that
// they are free for the team that counts, and halts it.
absl::Status GiveUpOwnTeam(Transaction& step, const CaseContext& context, const ChannelId& own,
                           CaseRecord& record) {
  record.given_up.push_back(own);
  record.Refuse(
      "another of your side opened a team channel at the same time as you: theirs counts now; "
      "what you said in yours has reached only whom you had let in, if anybody");
  return ForgetDecisions(step, context);
}

absl::Status TakeWelcome(Transaction& step, const CaseContext& context, const Pairing& pairing,
                         const content::v1::WelcomeWrapper& wrapper) {
  PARLEY_ASSIGN_OR_RETURN(OwnDevice device, context.Pairings().Device(step));
  PARLEY_ASSIGN_OR_RETURN(mls::KeyPackageBundle bundle,
                          TakeOwnKeyPackage(step, context, crypto::ViewOf(wrapper.welcome())));
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  PARLEY_RETURN_IF_ERROR(CheckKnownChannel(step, context, pairing, record, wrapper.channel_id()));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<CaseChannel> channels, ChannelsOf(step, context));
  JoinExpectations expectations;
  expectations.case_id = context.id;
  expectations.adder = pairing.peer;
  expectations.self = OwnCredential(device);
  if (record.own_state == ParticipantState::kApproved) {
    expectations.role = record.own_role;
    expectations.side = record.own_side;
  }
  PARLEY_ASSIGN_OR_RETURN(const ChannelChoice choice, ChannelChoice::Load(step, context));
  PARLEY_ASSIGN_OR_RETURN(const TeamRecord team, LoadTeam(step, context));
  std::optional<ChannelId> gives_way;
  expectations.may_come = [&](const ChannelState& state) -> absl::Status {
    PARLEY_RETURN_IF_ERROR(CheckMayLetInto(pairing, record, state));
    if (state.kind == ChannelKind::kTeam) {
      const std::string wrong = CheckTeam(state, ThoseThatCount(choice, channels)).contradiction;
      if (!wrong.empty()) {
        return absl::PermissionDeniedError("a Welcome into " +
                                           DescribeChannel(state.kind, state.side) + ": " + wrong);
      }
    }
    switch (JudgeComing(choice, record.IsNeutral(), state)) {
      case Coming::kMayCome:
        return absl::OkStatus();
      case Coming::kNotYet:
        return absl::AbortedError("");
      case Coming::kAnotherCounts:
        break;
    }
    gives_way = FoundedAtOnce(channels, record, team, pairing.peer, choice, state);
    if (gives_way.has_value()) return absl::OkStatus();
    // While several teams that were opened at the same time become one, nobody has done wrong.
    if (state.kind == ChannelKind::kTeam && !IsConfirmed(channels, choice, state)) {
      return absl::AbortedError("");
    }
    return absl::AbortedError(DescribeChannel(state.kind, state.side));
  };
  PARLEY_ASSIGN_OR_RETURN(ChannelId channel, Channel::Join(step, context.Channels(), wrapper,
                                                           std::move(bundle), expectations));
  if (std::find(record.channels.begin(), record.channels.end(), channel) == record.channels.end()) {
    record.channels.push_back(channel);
  }
  if (gives_way.has_value()) {
    PARLEY_RETURN_IF_ERROR(GiveUpOwnTeam(step, context, *gives_way, record));
  }
  // A team that was given up counts again when a steward has opened it anew, and no other does.
  if (!FromNeutral(pairing) && !choice.Of(ChannelKind::kTeam, record.own_side).has_value())
    std::erase(record.given_up, channel);
  for (const ControlRecord& control : record.controls) {
    if (control.channel_id != channel) continue;
    PARLEY_RETURN_IF_ERROR(context.Channel(channel).LearnControlSeed(step, control.seed));
  }
  PARLEY_RETURN_IF_ERROR(context.Records().PutCase(step, record));
  return TopUpKeyPackages(step, context);
}

absl::Status TakeKeyPackages(Transaction& step, const CaseContext& context, const Pairing& pairing,
                             const google::protobuf::RepeatedPtrField<std::string>& packages) {
  if (packages.size() > kMaxKeyPackagesInMessage) {
    return absl::InvalidArgumentError("too many key packages");
  }
  // A participant lets in only people of their side.
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  if (!record.IsNeutral() && FromNeutral(pairing)) return NotTheirs("key packages");
  PARLEY_ASSIGN_OR_RETURN(content::v1::DeviceCard card, CardOf(pairing));
  return StockKeyPackages(step, context, card, packages);
}

// One of the append keys that the peer was given to hand on is in use now.
absl::Status CountSeedOut(Transaction& step, const CaseContext& context,
                          const ParticipantId& introducer) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> pairing,
                          context.Pairings().PairingWith(step, introducer));
  if (!pairing.has_value() || pairing->seeds_out == 0) return absl::OkStatus();
  --pairing->seeds_out;
  return context.Pairings().PutPairing(step, *pairing);
}

// Who is known as somebody else, or as no neutral, isn't introduced as a neutral.
absl::Status CheckIntroduced(const ReadTransaction& step, const CaseContext& context,
                             const content::v1::DeviceCard& card) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<CaseChannel> channels, ChannelsOf(step, context));
  for (const CaseChannel& channel : channels) {
    for (const RosterMember& member : channel.info.state.members) {
      const bool same_id = card.participant_id() == ToField(member.participant_id);
      const bool their_device = std::any_of(
          member.devices.begin(), member.devices.end(), [&card](const RosterDevice& device) {
            return card.device_id() == ToField(device.device_id) ||
                   card.identity_key() == crypto::ToString(device.identity_key);
          });
      if (same_id ? IsNeutral(member.role) : !their_device) continue;
      return absl::PermissionDeniedError("an introduction to a neutral with the id or key of " +
                                         Describe(member));
    }
  }
  return absl::OkStatus();
}

absl::Status TakeIntroduction(Transaction& step, const CaseContext& context, const Pairing& pairing,
                              const content::v1::Introduction& introduction) {
  if (!FromNeutral(pairing)) return NotTheirs("an introduction");
  const Role role = FromWire(introduction.role());
  if (!IsNeutral(role)) return NotTheirs("an introduction to somebody who is no neutral");
  PARLEY_RETURN_IF_ERROR(CheckIntroduced(step, context, introduction.card()));
  const Bytes provisional = crypto::ToBytes(introduction.introduction_secret());
  PARLEY_ASSIGN_OR_RETURN(
      Pairing made,
      context.OwnInbox().AnswerIntroduction(
          step, introduction, [&](Transaction& inner) -> absl::StatusOr<std::vector<Bytes>> {
            PARLEY_ASSIGN_OR_RETURN(OwnDevice device, context.Pairings().Device(inner));
            return MakeKeyPackages(inner, context, device, provisional, kStockSize);
          }));
  PARLEY_RETURN_IF_ERROR(AssignKeyPackages(step, context, provisional, made.id));
  return CountSeedOut(step, context, pairing.peer);
}

absl::Status TakeIntroductionHello(Transaction& step, const CaseContext& context,
                                   const Pairing& pairing,
                                   const content::v1::IntroductionHello& hello) {
  PARLEY_RETURN_IF_ERROR(TakeKeyPackages(step, context, pairing, hello.key_packages()));
  PARLEY_ASSIGN_OR_RETURN(std::optional<PersonRecord> person,
                          context.Records().Person(step, pairing.peer));
  if (!person.has_value()) return absl::OkStatus();
  return CountSeedOut(step, context, person->approver);
}

absl::Status TakeVoucherRequest(Transaction& step, const CaseContext& context,
                                const Pairing& pairing) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<PersonRecord> person,
                          context.Records().Person(step, pairing.peer));
  if (!person.has_value() || !person->TakesPart()) return NotTheirs("a request for vouchers");
  person->vouchers_wanted = 1;
  return context.Records().PutPerson(step, *person);
}

absl::Status TakeVouchers(Transaction& step, const CaseContext& context, const Pairing& pairing,
                          const content::v1::VoucherSupply& supply) {
  if (!FromNeutral(pairing)) return NotTheirs("vouchers");
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  AddVouchers(record, supply.vouchers());
  record.vouchers_asked = 0;
  return context.Records().PutCase(step, record);
}

absl::Status TakeRemoval(Transaction& step, const CaseContext& context, const Pairing& pairing,
                         const content::v1::Removal& removal) {
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(std::optional<PersonRecord> person,
                          context.Records().Person(step, pairing.peer));
  if (removal.left() && person.has_value()) {
    // "I have left": of those who are known here as participants. The record for the other neutrals
    // follows when the channels show it.
    if (person->TakesPart()) person->state = ParticipantState::kLeft;
    return context.Records().PutPerson(step, *person);
  }
  // Of somebody of the own side the channels say it.
  if (removal.left() && !record.IsNeutral() && !FromNeutral(pairing)) return absl::OkStatus();
  if (removal.left() || !FromNeutral(pairing)) return NotTheirs("a removal");
  if (record.own_state != ParticipantState::kLeft) {
    record.own_state = ParticipantState::kRemoved;
  }
  return context.Records().PutCase(step, record);
}

absl::Status TakeAppendSeeds(Transaction& step, const CaseContext& context, const Pairing& pairing,
                             const content::v1::AppendSeeds& seeds) {
  for (const std::string& seed : seeds.append_seeds()) {
    if (seed.size() != crypto::kSignatureSeedSize) {
      return absl::InvalidArgumentError("an append key of the wrong size");
    }
  }
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> current,
                          context.Pairings().PairingWith(step, pairing.peer));
  if (!current.has_value()) return absl::NotFoundError("no such pairing");
  if (record.IsNeutral()) {
    for (const std::string& seed : seeds.append_seeds()) {
      if (current->reserve_seeds.size() >= kMostReserveSeeds) break;
      current->reserve_seeds.push_back(Secret::CopyOf(crypto::ViewOf(seed)));
    }
    return context.Pairings().PutPairing(step, *current);
  }
  // Others have nobody to hand them on to: it is a new key for the sender's inbox.
  if (seeds.append_seeds_size() == 0) return absl::InvalidArgumentError("no append key");
  current->append_seed = Secret::CopyOf(crypto::ViewOf(seeds.append_seeds(0)));
  current->refused = 0;
  return context.Pairings().PutPairing(step, *current);
}

}  // namespace

absl::Status TopUpKeyPackages(Transaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(OwnDevice device, context.Pairings().Device(step));
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  const bool own_is_neutral = record.IsNeutral();
  PARLEY_ASSIGN_OR_RETURN(std::vector<Pairing> pairings, context.Pairings().pairings.All(step));
  for (const Pairing& pairing : pairings) {
    if (pairing.ended != 0 || pairing.append_seed.empty()) continue;
    const bool within_side = !own_is_neutral && !FromNeutral(pairing);
    if (!within_side && !FromNeutral(pairing)) continue;
    const size_t wanted = within_side ? kSideStockSize : kStockSize;
    PARLEY_ASSIGN_OR_RETURN(size_t there, OwnKeyPackagesAt(step, context, pairing.id));
    if (there >= wanted) continue;
    PARLEY_ASSIGN_OR_RETURN(const bool room, context.OwnInbox().HasRoom(step, pairing));
    if (!room) continue;
    PARLEY_ASSIGN_OR_RETURN(std::vector<Bytes> packages,
                            MakeKeyPackages(step, context, device, pairing.id, wanted - there));
    InboxMessage message;
    for (const Bytes& package : packages) {
      message.mutable_key_packages()->add_key_packages(crypto::ToString(package));
    }
    PARLEY_RETURN_IF_ERROR(context.OwnInbox().Queue(step, pairing, std::move(message)));
  }
  return absl::OkStatus();
}

absl::Status TakeInboxMessage(Transaction& step, const CaseContext& context, const Pairing& pairing,
                              const InboxMessage& message) {
  if (IsDeferred(message)) return Defer(step, context, pairing, message);
  switch (message.body_case()) {
    case InboxMessage::kApproval:
      return TakeApproval(step, context, pairing, message.approval());
    case InboxMessage::kKeyPackages:
      return TakeKeyPackages(step, context, pairing, message.key_packages().key_packages());
    case InboxMessage::kIntroductionHello:
      return TakeIntroductionHello(step, context, pairing, message.introduction_hello());
    case InboxMessage::kVoucherRequest:
      return TakeVoucherRequest(step, context, pairing);
    case InboxMessage::kRemoval:
      return TakeRemoval(step, context, pairing, message.removal());
    case InboxMessage::kAppendSeeds:
      return TakeAppendSeeds(step, context, pairing, message.append_seeds());
    case InboxMessage::kControlKey:
      return TakeControlKey(step, context, pairing, message.control_key());
    default:
      return absl::InvalidArgumentError("a message of a kind that this version doesn't know");
  }
}

absl::Status TakeDeferredMessage(Transaction& step, const CaseContext& context,
                                 const Pairing& pairing, const InboxMessage& message) {
  switch (message.body_case()) {
    case InboxMessage::kWelcome:
      return TakeWelcome(step, context, pairing, message.welcome());
    case InboxMessage::kIntroduction:
      return TakeIntroduction(step, context, pairing, message.introduction());
    case InboxMessage::kVouchers:
      return TakeVouchers(step, context, pairing, message.vouchers());
    case InboxMessage::kRemoval:
      return TakeRemoval(step, context, pairing, message.removal());
    case InboxMessage::kRecordKeys:
      return TakeRecordKeys(step, context, pairing, message.record_keys());
    default:
      return absl::InvalidArgumentError("a message of a kind that doesn't wait");
  }
}

}  // namespace parley::client
