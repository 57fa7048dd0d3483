#include "client-lib/channels/channel.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "client-lib/channels/channel_step.h"
#include "client-lib/channels/credential.h"
#include "client-lib/channels/destruction.h"
#include "client-lib/channels/exchange.h"
#include "client-lib/channels/group_store.h"
#include "client-lib/channels/message_log.h"
#include "client-lib/channels/outbox.h"
#include "client-lib/channels/own_commit.h"
#include "client-lib/channels/sync.h"
#include "crypto/base/status_macros.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {
namespace {

// The records that looking needs.
struct View {
  ChannelNames names;
  ChannelRecord channel;
  IncarnationRecord log;
  ChannelState state;
};

absl::StatusOr<View> LoadView(const ReadTransaction& tx, const ChannelId& id) {
  View view{ChannelNames(id), {}, {}, {}};
  PARLEY_ASSIGN_OR_RETURN(view.channel, LoadChannel(tx, view.names));
  PARLEY_ASSIGN_OR_RETURN(view.log, LoadIncarnation(tx, view.names, view.channel.incarnation));
  absl::StatusOr<ChannelState> state = ParseChannelState(view.log.state);
  if (!state.ok()) return absl::DataLossError("a channel's record in the profile is damaged");
  view.state = *std::move(state);
  return view;
}

std::vector<ChannelAlarm> AlarmsOf(const ChannelRecord& channel) {
  std::vector<ChannelAlarm> alarms;
  for (const AlarmRecord& record : channel.alarms) {
    ChannelAlarm& alarm = alarms.emplace_back();
    alarm.kind = static_cast<ChannelAlarmKind>(record.kind);
    alarm.incarnation = record.incarnation;
    alarm.position = record.position;
    if (!record.author.is_zero()) alarm.author = record.author;
    alarm.text = record.text;
  }
  return alarms;
}

absl::Status RequireCommitter(ChannelStep& step) {
  PARLEY_RETURN_IF_ERROR(RequireActive(step.log(), step.state()));
  if (!step.IsCommitter()) {
    return absl::FailedPreconditionError(
        step.state().kind == ChannelKind::kTeam
            ? "only a team's stewards change its membership"
            : "only a neutral changes the membership of a channel");
  }
  PARLEY_ASSIGN_OR_RETURN(
      const bool has_key,
      step.tx().Has(RecordClass::kKeys, step.names().Control(step.state().control_key)));
  if (!has_key) {
    return absl::FailedPreconditionError(
        "the channel's control key hasn't come yet from the other neutrals");
  }
  const uint32_t n = step.incarnation();
  PARLEY_ASSIGN_OR_RETURN(const bool in_flight,
                          step.tx().Has(RecordClass::kRatchet, step.names().Commit(n)));
  PARLEY_ASSIGN_OR_RETURN(const bool waits,
                          step.tx().Has(RecordClass::kKeys, step.names().Change(n)));
  if (in_flight || waits) {
    return absl::FailedPreconditionError("an earlier change of the membership isn't finished yet");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ChannelInfo> Channel::Info(const ReadTransaction& tx) const {
  PARLEY_ASSIGN_OR_RETURN(View view, LoadView(tx, id_));
  const IncarnationRecord& log = view.log;
  const uint32_t n = view.channel.incarnation;
  ChannelInfo info;
  info.state = std::move(view.state);
  info.standing = static_cast<Standing>(log.standing);
  info.reason = log.reason;
  info.head = {log.position, log.hash};
  info.joined = {log.joined_position, log.joined_hash};
  info.generation = log.generation;
  info.generation_began = log.number_base + log.generation_start;
  info.epoch = log.generation - 1;
  PARLEY_ASSIGN_OR_RETURN(info.self, ParseCredential(log.self));
  info.committer = context_.policy->MayCommit(info.state, info.self.participant_id);
  PARLEY_ASSIGN_OR_RETURN(info.has_control_key,
                          tx.Has(RecordClass::kKeys, view.names.Control(info.state.control_key)));
  info.mailbox_made = log.mailbox_made != 0;
  PARLEY_ASSIGN_OR_RETURN(const bool commit, tx.Has(RecordClass::kRatchet, view.names.Commit(n)));
  PARLEY_ASSIGN_OR_RETURN(const bool change, tx.Has(RecordClass::kKeys, view.names.Change(n)));
  info.commit_in_flight = commit || change;
  info.leaving = log.leave_wanted != 0;
  info.passed_over = log.passed_over;
  info.unsent = view.channel.unsent;
  info.never_sent = view.channel.never_sent;
  info.company_since = log.company_since;
  info.confirmed_at = log.confirmed_by_others_at;
  info.number = log.number_base + log.position;
  info.alarms = AlarmsOf(view.channel);
  info.since = log.since;
  return info;
}

absl::StatusOr<std::vector<ChannelMessage>> Channel::Messages(const ReadTransaction& tx,
                                                              const MessageQuery& query) const {
  const ChannelNames names(id_);
  PARLEY_ASSIGN_OR_RETURN(const ChannelRecord channel, LoadChannel(tx, names));
  return ListMessages(tx, names, channel, query);
}

absl::StatusOr<ChannelMessage> Channel::At(const ReadTransaction& tx, uint64_t index) const {
  const ChannelNames names(id_);
  PARLEY_ASSIGN_OR_RETURN(const ChannelRecord channel, LoadChannel(tx, names));
  if (index == 0 || index > channel.messages) {
    return absl::NotFoundError("the channel has no such message");
  }
  return MessageAt(tx, names, index);
}

absl::StatusOr<std::optional<ChannelMessage>> Channel::Find(const ReadTransaction& tx,
                                                            const ParticipantId& author,
                                                            const MessageId& id) const {
  const ChannelNames names(id_);
  PARLEY_ASSIGN_OR_RETURN(const ChannelRecord channel, LoadChannel(tx, names));
  return FindMessage(tx, names, channel, author, id);
}

absl::StatusOr<bool> Channel::WasPresent(const ReadTransaction& tx, uint64_t index,
                                         const ParticipantId& participant) const {
  PARLEY_ASSIGN_OR_RETURN(
      const std::optional<PresentRecord> present,
      LoadRecord<PresentRecord>(tx, RecordClass::kIndex, ChannelNames(id_).Present(index)));
  return present.has_value() && std::find(present->members.begin(), present->members.end(),
                                          participant) != present->members.end();
}

absl::StatusOr<bool> Channel::HasRead(const ReadTransaction& tx, uint32_t incarnation,
                                      uint64_t position) const {
  PARLEY_ASSIGN_OR_RETURN(
      const std::optional<IncarnationRecord> log,
      LoadRecord<IncarnationRecord>(tx, RecordClass::kContent,
                                    ChannelNames(id_).Incarnation(incarnation)));
  return log.has_value() && position > log->joined_position && position <= log->position;
}

absl::StatusOr<std::vector<ChannelMessage>> Channel::Unsent(const ReadTransaction& tx) const {
  PARLEY_ASSIGN_OR_RETURN(const View view, LoadView(tx, id_));
  return ListOutbox(tx, view.names, view.channel, view.log, OutboxKind::kContent);
}

absl::StatusOr<std::vector<ChannelMessage>> Channel::NeverSent(const ReadTransaction& tx) const {
  PARLEY_ASSIGN_OR_RETURN(const View view, LoadView(tx, id_));
  return ListOutbox(tx, view.names, view.channel, view.log, OutboxKind::kNeverSent);
}

absl::StatusOr<std::optional<SubscriptionTarget>> Channel::Subscription(
    const ReadTransaction& tx) const {
  PARLEY_ASSIGN_OR_RETURN(const View view, LoadView(tx, id_));
  if (static_cast<Standing>(view.log.standing) != Standing::kActive || view.log.mailbox_made == 0) {
    return std::optional<SubscriptionTarget>();
  }
  PARLEY_ASSIGN_OR_RETURN(EpochKeysRecord keys,
                          LoadEpochKeys(tx, view.names, view.channel.incarnation));
  return std::optional<SubscriptionTarget>(
      SubscriptionTarget{view.state.mailbox_id, view.log.generation, std::move(keys.read_seed),
                         view.log.position + 1});
}

absl::StatusOr<MessageId> Channel::Queue(Transaction& tx, const content::v1::Content& content,
                                         Readers readers) {
  PARLEY_ASSIGN_OR_RETURN(ChannelStep step,
                          ChannelStep::Load(tx, id_, context_.now_seconds(), *context_.policy));
  PARLEY_RETURN_IF_ERROR(RequireActive(step.log(), step.state()));
  PARLEY_ASSIGN_OR_RETURN(const MessageId id, QueueContent(step, content, readers));
  PARLEY_RETURN_IF_ERROR(step.Save());
  return id;
}

absl::Status Channel::Unqueue(Transaction& tx, const MessageId& id) {
  PARLEY_ASSIGN_OR_RETURN(ChannelStep step,
                          ChannelStep::Load(tx, id_, context_.now_seconds(), *context_.policy));
  PARLEY_RETURN_IF_ERROR(UnqueueContent(step, id));
  return step.Save();
}

absl::Status Channel::Destroy(Transaction& tx, const std::vector<uint64_t>& indices) {
  PARLEY_ASSIGN_OR_RETURN(ChannelStep step,
                          ChannelStep::Load(tx, id_, context_.now_seconds(), *context_.policy));
  PARLEY_RETURN_IF_ERROR(DestroyMessages(step, indices));
  return step.Save();
}

absl::Status Channel::Leave(Transaction& tx) {
  PARLEY_ASSIGN_OR_RETURN(ChannelStep step,
                          ChannelStep::Load(tx, id_, context_.now_seconds(), *context_.policy));
  PARLEY_RETURN_IF_ERROR(RequireActive(step.log(), step.state()));
  step.log().leave_wanted = 1;
  return step.Save();
}

absl::Status Channel::Halt(Transaction& tx, const std::string& reason) {
  PARLEY_ASSIGN_OR_RETURN(ChannelStep step,
                          ChannelStep::Load(tx, id_, context_.now_seconds(), *context_.policy));
  PARLEY_RETURN_IF_ERROR(RequireActive(step.log(), step.state()));
  ExchangeResult told;  // the alarm stays with the channel
  step.Raise(
      {ChannelAlarmKind::kHalted, step.incarnation(), step.log().position, std::nullopt, reason},
      told);
  PARLEY_RETURN_IF_ERROR(step.Stop(Standing::kHalted, reason));
  return step.Save();
}

absl::Status Channel::PrepareCommit(Transaction& tx, const MembershipChange& change) {
  PARLEY_ASSIGN_OR_RETURN(ChannelStep step,
                          ChannelStep::Load(tx, id_, context_.now_seconds(), *context_.policy));
  PARLEY_RETURN_IF_ERROR(RequireCommitter(step));
  PARLEY_RETURN_IF_ERROR(KeepChange(step, change));
  return step.Save();
}

absl::StatusOr<std::vector<ParticipantId>> Channel::Leavers(const ReadTransaction& tx) const {
  PARLEY_ASSIGN_OR_RETURN(const View view, LoadView(tx, id_));
  PARLEY_ASSIGN_OR_RETURN(const std::optional<mls::Group> group,
                          LoadGroup(tx, view.names.Group(view.channel.incarnation)));
  if (!group.has_value()) return std::vector<ParticipantId>();
  return ListLeavers(*group, *context_.policy);
}

absl::StatusOr<std::vector<WelcomeDelivery>> Channel::PendingWelcomes(
    const ReadTransaction& tx) const {
  const ChannelNames names(id_);
  PARLEY_ASSIGN_OR_RETURN(const ChannelRecord channel, LoadChannel(tx, names));
  std::vector<WelcomeDelivery> pending;
  for (uint64_t id = channel.deliveries_first; id < channel.deliveries_next; ++id) {
    PARLEY_ASSIGN_OR_RETURN(
        std::optional<DeliveryRecord> record,
        LoadRecord<DeliveryRecord>(tx, RecordClass::kContent, names.Delivery(id)));
    if (!record.has_value()) continue;
    pending.push_back({id, record->addressee.participant_id, record->addressee.device_id,
                       std::move(record->wrapper)});
  }
  return pending;
}

absl::Status Channel::WelcomeDelivered(Transaction& tx, uint64_t delivery_id) {
  const ChannelNames names(id_);
  PARLEY_ASSIGN_OR_RETURN(ChannelRecord channel, LoadChannel(tx, names));
  PARLEY_RETURN_IF_ERROR(tx.Delete(RecordClass::kContent, names.Delivery(delivery_id)));
  while (channel.deliveries_first < channel.deliveries_next) {
    PARLEY_ASSIGN_OR_RETURN(
        const bool there, tx.Has(RecordClass::kContent, names.Delivery(channel.deliveries_first)));
    if (there) break;
    ++channel.deliveries_first;
  }
  return StoreRecord(tx, RecordClass::kContent, names.Channel(), channel);
}

absl::Status Channel::LearnControlSeed(Transaction& tx, const crypto::Secret& seed) {
  return KeepControlSeed(tx, ChannelNames(id_), seed);
}

absl::StatusOr<crypto::Secret> Channel::ControlSeed(const ReadTransaction& tx) const {
  PARLEY_ASSIGN_OR_RETURN(const View view, LoadView(tx, id_));
  return LoadControlSeed(tx, view.names, view.state.control_key);
}

absl::StatusOr<ExchangeResult> Channel::Sync() {
  ExchangeResult result;
  PARLEY_RETURN_IF_ERROR(SyncToHead(context_, id_, result));
  return result;
}

absl::StatusOr<ExchangeResult> Channel::Exchange() {
  ExchangeResult result;
  PARLEY_RETURN_IF_ERROR(ExchangeAll(context_, id_, result));
  return result;
}

}  // namespace parley::client
