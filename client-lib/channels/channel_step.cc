#include "client-lib/channels/channel_step.h"

#include <algorithm>
#include <utility>

#include "client-lib/channels/credential.h"
#include "client-lib/channels/group_store.h"
#include "client-lib/channels/incarnations.h"
#include "client-lib/channels/message_log.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

// Alarms are for people: a relay or member that causes more than these has made its point. What
// one member says of the log fills only its own part, and what the relay did doesn't push out that
// the channel is halted.
constexpr size_t kMaxOfOne = 2;  // of each kind, in one incarnation
constexpr size_t kMaxOfMembers = 64;
constexpr size_t kMaxOfRelay = 96;
constexpr size_t kMaxAlarms = 128;

size_t MostAlarms(const ChannelAlarm& alarm) {
  // A member can say anything, also of the relay.
  if (alarm.author.has_value()) return kMaxOfMembers;
  switch (alarm.kind) {
    case ChannelAlarmKind::kHalted:
    case ChannelAlarmKind::kRestored:
      return kMaxAlarms;
    case ChannelAlarmKind::kRelayLog:
      return kMaxOfRelay;
    default:
      return kMaxOfMembers;
  }
}

// Whether its author has raised enough alarms by then.
bool IsRepetition(const std::vector<AlarmRecord>& alarms, const ChannelAlarm& alarm) {
  if (!alarm.author.has_value()) return false;
  return std::count_if(alarms.begin(), alarms.end(), [&alarm](const AlarmRecord& other) {
           return other.kind == static_cast<uint8_t>(alarm.kind) &&
                  other.incarnation == alarm.incarnation && other.author == *alarm.author;
         }) >= static_cast<ptrdiff_t>(kMaxOfOne);
}

// Puts a content record, unless it is there as it is: most steps find nothing new.
template <typename Record>
absl::Status StoreChanged(Transaction& tx, const std::string& name, const Record& record) {
  const crypto::Secret now = crypto::SerializeSecret(record);
  PARLEY_ASSIGN_OR_RETURN(const std::optional<crypto::Secret> stored,
                          tx.Get(RecordClass::kContent, name));
  if (stored.has_value() && crypto::ConstantTimeEquals(stored->Reveal(), now.Reveal())) {
    return absl::OkStatus();
  }
  return tx.Put(RecordClass::kContent, name, now);
}

// From when on members are there, after the entry `number`: of who was a member before, what was
// noted. When the channel is opened anew all are let in again: while nothing was said there
// (`fresh`) they have missed nothing.
std::vector<MemberSince> SinceOf(const ChannelState& before, const ChannelState& after,
                                 const std::vector<MemberSince>& noted, bool fresh,
                                 uint64_t number) {
  std::vector<MemberSince> since;
  for (const MemberSince& one : noted) {
    const bool was_in = before.FindMember(one.participant_id) != nullptr;
    const bool is_in = after.FindMember(one.participant_id) != nullptr;
    if (was_in ? is_in : fresh) since.push_back(one);
  }
  for (const RosterMember& member : after.members) {
    const auto is_it = [&member](const MemberSince& one) {
      return one.participant_id == member.participant_id;
    };
    if (std::none_of(since.begin(), since.end(), is_it)) {
      since.push_back({member.participant_id, number});
    }
  }
  return since;
}

TranscriptHash AuthenticatorOf(const mls::Group& group) {
  TranscriptHash value{};
  const Bytes authenticator = group.EpochAuthenticator();
  std::copy_n(authenticator.begin(), std::min(authenticator.size(), value.size()), value.begin());
  return value;
}

}  // namespace

absl::StatusOr<ChannelRecord> LoadChannel(const ReadTransaction& tx, const ChannelNames& names) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<ChannelRecord> channel,
                          LoadRecord<ChannelRecord>(tx, RecordClass::kContent, names.Channel()));
  if (!channel.has_value()) return absl::NotFoundError("the profile doesn't have this channel");
  return std::move(*channel);
}

absl::StatusOr<IncarnationRecord> LoadIncarnation(const ReadTransaction& tx,
                                                  const ChannelNames& names, uint32_t incarnation) {
  PARLEY_ASSIGN_OR_RETURN(
      IncarnationRecord log,
      LoadExisting<IncarnationRecord>(tx, RecordClass::kContent, names.Incarnation(incarnation)));
  PARLEY_ASSIGN_OR_RETURN(StateRecord state, LoadExisting<StateRecord>(tx, RecordClass::kContent,
                                                                       names.State(incarnation)));
  log.state = std::move(state.state);
  log.since = std::move(state.since);
  return log;
}

absl::StatusOr<EpochKeysRecord> LoadEpochKeys(const ReadTransaction& tx, const ChannelNames& names,
                                              uint32_t incarnation) {
  return LoadExisting<EpochKeysRecord>(tx, RecordClass::kRatchet, names.EpochKeys(incarnation));
}

absl::Status DeleteCommit(Transaction& tx, const ChannelNames& names, uint32_t incarnation) {
  const GroupPlace current = names.Group(incarnation);
  PARLEY_RETURN_IF_ERROR(DeleteGroup(tx, names.NextGroup(incarnation), &current));
  PARLEY_RETURN_IF_ERROR(tx.Delete(RecordClass::kRatchet, names.CommitOutcome(incarnation)));
  return tx.Delete(RecordClass::kRatchet, names.Commit(incarnation));
}

absl::Status DeleteKeys(Transaction& tx, const ChannelNames& names, uint32_t incarnation) {
  PARLEY_RETURN_IF_ERROR(DeleteCommit(tx, names, incarnation));
  PARLEY_RETURN_IF_ERROR(DeleteGroup(tx, names.Group(incarnation)));
  return tx.Delete(RecordClass::kRatchet, names.EpochKeys(incarnation));
}

absl::Status RequireActive(const IncarnationRecord& log, const ChannelState& state) {
  const auto standing = static_cast<Standing>(log.standing);
  if (standing == Standing::kActive) return absl::OkStatus();
  return absl::FailedPreconditionError("the channel " + DescribeChannel(state.kind, state.side) +
                                       " is " + StandingName(standing) + ": " + log.reason);
}

const char* StandingName(Standing standing) {
  switch (standing) {
    case Standing::kActive:
      return "active";
    case Standing::kHalted:
      return "halted";
    case Standing::kRemoved:
    case Standing::kLeft:
      return "closed";
    case Standing::kRestored:
      return "restored from an old copy";
  }
  return "unknown";
}

ChannelStep::ChannelStep(Transaction& tx, const ChannelId& id, uint64_t now, ChannelRecord channel,
                         const ChannelPolicy& policy)
    : tx_(&tx),
      id_(id),
      names_(id),
      now_(now),
      policy_(&policy),
      channel_(std::move(channel)),
      hashes_([names = names_, n = channel_.incarnation](uint64_t block) {
        return names.Hashes(n, block);
      }),
      authenticators_([names = names_, n = channel_.incarnation](uint64_t block) {
        return names.Authenticators(n, block);
      }) {}

absl::StatusOr<ChannelStep> ChannelStep::Load(Transaction& tx, const ChannelId& id, uint64_t now,
                                              const ChannelPolicy& policy) {
  PARLEY_ASSIGN_OR_RETURN(ChannelRecord channel, LoadChannel(tx, ChannelNames(id)));
  ChannelStep step(tx, id, now, std::move(channel), policy);
  PARLEY_ASSIGN_OR_RETURN(step.log_, LoadIncarnation(tx, step.names_, step.incarnation()));
  PARLEY_RETURN_IF_ERROR(step.ReadLog());
  return step;
}

absl::StatusOr<ChannelStep> ChannelStep::Begin(Transaction& tx, const ChannelId& id, uint64_t now,
                                               ChannelRecord channel, IncarnationRecord log,
                                               mls::Group group, const ChannelPolicy& policy) {
  ChannelStep step(tx, id, now, std::move(channel), policy);
  step.log_ = std::move(log);
  PARLEY_RETURN_IF_ERROR(step.ReadLog());
  PARLEY_RETURN_IF_ERROR(step.TakeSinceBefore());
  PARLEY_RETURN_IF_ERROR(step.EnterEpoch(std::move(group), step.state_));
  step.state_changed_ = true;
  PARLEY_RETURN_IF_ERROR(step.hashes_.Set(tx, step.log_.position, step.log_.hash));
  return step;
}

absl::Status ChannelStep::TakeSinceBefore() {
  for (uint32_t n = incarnation(); n > 0; --n) {
    PARLEY_ASSIGN_OR_RETURN(std::optional<StateRecord> before,
                            LoadRecord<StateRecord>(*tx_, RecordClass::kContent, names_.State(n)));
    if (!before.has_value() && n + kMostUnknownIncarnations > incarnation()) continue;
    if (before.has_value()) log_.since = std::move(before->since);
    break;
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> ChannelStep::NothingWasSaid() const {
  if (channel_.messages == 0) return true;
  PARLEY_ASSIGN_OR_RETURN(const ChannelMessage last, MessageAt(*tx_, names_, channel_.messages));
  return last.incarnation < channel_.incarnation;
}

absl::Status ChannelStep::ReadLog() {
  absl::StatusOr<ChannelState> state = ParseChannelState(log_.state);
  absl::StatusOr<ParleyCredential> self = ParseCredential(log_.self);
  if (!state.ok() || !self.ok()) {
    return absl::DataLossError("a channel's record in the profile is damaged");
  }
  state_ = *std::move(state);
  self_ = *std::move(self);
  return absl::OkStatus();
}

absl::StatusOr<mls::Group*> ChannelStep::group() {
  if (group_.has_value()) return &*group_;
  PARLEY_ASSIGN_OR_RETURN(group_, LoadGroup(*tx_, names_.Group(incarnation())));
  if (group_.has_value()) return &*group_;
  if (standing() == Standing::kRemoved || standing() == Standing::kLeft) {
    return absl::FailedPreconditionError("the keys of this channel are gone: " + log_.reason);
  }
  return absl::DataLossError("the group of the channel " +
                             DescribeChannel(state_.kind, state_.side) +
                             " is missing in the profile");
}

absl::Status ChannelStep::KeepGroup() {
  if (!group_changed_) return absl::OkStatus();
  PARLEY_RETURN_IF_ERROR(StoreGroup(*tx_, names_.Group(incarnation()), *group_));
  group_changed_ = false;
  return absl::OkStatus();
}

void ChannelStep::RevertGroup() {
  group_.reset();
  group_changed_ = false;
}

absl::StatusOr<const EpochKeysRecord*> ChannelStep::keys() {
  if (!keys_.has_value()) {
    PARLEY_ASSIGN_OR_RETURN(EpochKeysRecord loaded, LoadEpochKeys(*tx_, names_, incarnation()));
    keys_.emplace(std::move(loaded));
  }
  return &*keys_;
}

absl::Status ChannelStep::EnterEpoch(mls::Group next, ChannelState state) {
  PARLEY_ASSIGN_OR_RETURN(EpochKeys keys, DeriveEpochKeys(next, state.mailbox_id));
  log_.generation = GenerationOf(next.epoch());
  log_.generation_start = log_.position;
  Bytes serialized = SerializeChannelState(state);
  state_changed_ = state_changed_ || serialized != log_.state;
  log_.state = std::move(serialized);
  PARLEY_ASSIGN_OR_RETURN(const bool fresh, NothingWasSaid());
  std::vector<MemberSince> since =
      SinceOf(state_, state, log_.since, fresh, log_.number_base + log_.position);
  state_changed_ = state_changed_ || since != log_.since;
  log_.since = std::move(since);
  const bool alone = state.members.size() < 2;
  if (alone || log_.company_since == 0) log_.company_since = alone ? 0 : now_;
  state_ = std::move(state);
  keys_.emplace();
  keys_->generation = log_.generation;
  keys_->entry_key = std::move(keys.entry_key);
  keys_->read_seed = std::move(keys.read_seed);
  keys_->append_seed = std::move(keys.append_seed);
  keys_changed_ = true;
  PARLEY_RETURN_IF_ERROR(authenticators_.Set(*tx_, next.epoch(), AuthenticatorOf(next)));
  group_.emplace(std::move(next));
  group_changed_ = true;
  return absl::OkStatus();
}

absl::Status ChannelStep::Stop(Standing standing, const std::string& reason) {
  log_.standing = static_cast<uint8_t>(standing);
  log_.reason = reason;
  if (standing != Standing::kRemoved && standing != Standing::kLeft) return absl::OkStatus();
  RevertGroup();
  keys_.reset();
  keys_changed_ = false;
  PARLEY_RETURN_IF_ERROR(DeleteKeys(*tx_, names_, incarnation()));
  return tx_->Delete(RecordClass::kKeys, names_.Change(incarnation()));
}

void ChannelStep::Raise(const ChannelAlarm& alarm, ExchangeResult& result) {
  AlarmRecord record;
  record.kind = static_cast<uint8_t>(alarm.kind);
  record.incarnation = alarm.incarnation;
  record.position = alarm.position;
  record.author = alarm.author.value_or(ParticipantId());
  record.text = alarm.text;
  std::vector<AlarmRecord>& alarms = channel_.alarms;
  if (std::find(alarms.begin(), alarms.end(), record) != alarms.end()) return;
  if (alarms.size() >= MostAlarms(alarm) || IsRepetition(alarms, alarm)) return;
  alarms.push_back(std::move(record));
  result.new_alarms.push_back(alarm);
}

absl::Status ChannelStep::Save() {
  PARLEY_RETURN_IF_ERROR(KeepGroup());
  if (keys_changed_) {
    PARLEY_RETURN_IF_ERROR(
        StoreRecord(*tx_, RecordClass::kRatchet, names_.EpochKeys(incarnation()), *keys_));
    keys_changed_ = false;
  }
  PARLEY_RETURN_IF_ERROR(hashes_.Flush(*tx_));
  PARLEY_RETURN_IF_ERROR(authenticators_.Flush(*tx_));
  if (state_changed_) {
    StateRecord state;
    state.state = log_.state;
    state.since = log_.since;
    PARLEY_RETURN_IF_ERROR(
        StoreRecord(*tx_, RecordClass::kContent, names_.State(incarnation()), state));
    state_changed_ = false;
  }
  PARLEY_RETURN_IF_ERROR(StoreChanged(*tx_, names_.Incarnation(incarnation()), log_));
  return StoreChanged(*tx_, names_.Channel(), channel_);
}

}  // namespace parley::client
