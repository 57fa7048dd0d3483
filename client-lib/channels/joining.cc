// How a device comes into a channel: it creates it, opens its next incarnation, or takes a Welcome.
#include <algorithm>
#include <string>
#include <utility>

#include "client-lib/channels/caucus_rule.h"
#include "client-lib/channels/channel.h"
#include "client-lib/channels/channel_step.h"
#include "client-lib/channels/commit_policy.h"
#include "client-lib/channels/credential.h"
#include "client-lib/channels/outbox.h"
#include "client-lib/channels/own_commit.h"
#include "client-lib/channels/transcript.h"
#include "crypto/base/status_macros.h"
#include "crypto/mls/group.h"
#include "parley/content/v1/control.pb.h"

namespace parley::client {
namespace {

struct ListRecord {
  uint8_t version = 1;
  std::vector<ChannelId> ids;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.ids);
  }
};

absl::StatusOr<ListRecord> LoadList(const ReadTransaction& tx) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<ListRecord> list,
                          LoadRecord<ListRecord>(tx, RecordClass::kIndex, ChannelNames::List()));
  return list.has_value() ? std::move(*list) : ListRecord();
}

absl::Status Enlist(Transaction& tx, const ChannelId& id) {
  PARLEY_ASSIGN_OR_RETURN(ListRecord list, LoadList(tx));
  if (std::find(list.ids.begin(), list.ids.end(), id) != list.ids.end()) return absl::OkStatus();
  list.ids.push_back(id);
  return StoreRecord(tx, RecordClass::kIndex, ChannelNames::List(), list);
}

// A group of one for `state`, whose control key and mailbox are made here.
struct Founding {
  mls::Group group;
  crypto::Secret control_seed;
};

absl::StatusOr<Founding> Found(ChannelState& state, const ParleyCredential& self) {
  const crypto::SignatureKey control = crypto::SignatureKey::Generate();
  state.control_key = control.public_key();
  state.mailbox_id = crypto::RandomArray<32>();
  PARLEY_RETURN_IF_ERROR(ValidateChannelState(state));
  PARLEY_RETURN_IF_ERROR(CheckCaucusRule(state));
  if (!state.IsCommitter(self.participant_id)) {
    return absl::PermissionDeniedError(Describe(state.members[0]) + " may not open the channel " +
                                       DescribeChannel(state.kind, state.side));
  }
  mls::RequiredCapabilities required;
  required.extensions = {kChannelStateExtension};
  required.credentials = {mls::CredentialType::kBasic};
  mls::GroupOptions options;
  options.suite = mls::CipherSuiteId::kParley;
  options.group_id = crypto::RandomBytes(32);
  options.identity = SerializeCredential(self);
  options.capabilities = ChannelCapabilities();
  options.extensions = WithChannelState(
      {{mls::ExtensionType::kRequiredCapabilities, crypto::Serialize(required)}}, state);
  PARLEY_ASSIGN_OR_RETURN(mls::Group group, mls::Group::Create(options));
  PARLEY_RETURN_IF_ERROR(CheckMembership(state, group));
  return Founding{std::move(group), control.Seed()};
}

IncarnationRecord FirstLog(const ChannelState& state, const ParleyCredential& self, uint64_t now) {
  IncarnationRecord log;
  log.state = SerializeChannelState(state);
  log.self = SerializeCredential(self);
  log.hash = TranscriptStart(state.mailbox_id);
  log.hash_before = log.hash;
  log.joined_hash = log.hash;
  log.leaf_renewed_at = now;
  return log;
}

absl::Status KeepFounding(Transaction& tx, const ChannelId& id, uint64_t now, ChannelRecord channel,
                          IncarnationRecord log, Founding founding, const MailboxPayment& payment) {
  const ChannelNames names(id);
  PaymentRecord record;
  record.kind = static_cast<uint8_t>(payment.kind);
  record.bytes = payment.bytes.Clone();
  PARLEY_RETURN_IF_ERROR(
      StoreRecord(tx, RecordClass::kKeys, names.Payment(channel.incarnation), record));
  PARLEY_RETURN_IF_ERROR(KeepControlSeed(tx, names, founding.control_seed));
  PARLEY_RETURN_IF_ERROR(Enlist(tx, id));
  PARLEY_ASSIGN_OR_RETURN(ChannelStep step,
                          ChannelStep::Begin(tx, id, now, std::move(channel), std::move(log),
                                             std::move(founding.group)));
  return step.Save();
}

// Ends an incarnation that another one follows: what waits goes there, its keys are destroyed.
absl::Status Retire(ChannelStep& step) {
  PARLEY_RETURN_IF_ERROR(TakeBackInFlight(step));
  if (step.standing() == Standing::kActive) {
    PARLEY_RETURN_IF_ERROR(step.Stop(Standing::kHalted, "the channel was opened anew"));
  }
  PARLEY_RETURN_IF_ERROR(step.Save());
  const uint32_t n = step.incarnation();
  for (const std::string& name :
       {step.names().Group(n), step.names().EpochKeys(n), step.names().Commit(n)}) {
    PARLEY_RETURN_IF_ERROR(step.tx().Delete(RecordClass::kRatchet, name));
  }
  for (const std::string& name : {step.names().Change(n), step.names().Payment(n)}) {
    PARLEY_RETURN_IF_ERROR(step.tx().Delete(RecordClass::kKeys, name));
  }
  return absl::OkStatus();
}

// Welcomes of an incarnation that is over lead nowhere.
absl::Status DropDeliveries(ChannelStep& step) {
  ChannelRecord& channel = step.channel();
  for (; channel.deliveries_first < channel.deliveries_next; ++channel.deliveries_first) {
    PARLEY_RETURN_IF_ERROR(
        step.tx().Delete(RecordClass::kContent, step.names().Delivery(channel.deliveries_first)));
  }
  return absl::OkStatus();
}

// ---- Welcomes
// ------------------------------------------------------------------------------------

struct Wrapper {
  ChannelId channel_id;
  LogHead joined;
  std::optional<LogHead> previous;
};

absl::StatusOr<LogHead> ReadPosition(const content::v1::LogPosition& from) {
  LogHead head;
  if (from.transcript_hash().size() != head.hash.size()) {
    return absl::InvalidArgumentError("a Welcome names a position without its hash");
  }
  head.position = from.position();
  const ByteView hash = crypto::ViewOf(from.transcript_hash());
  std::copy(hash.begin(), hash.end(), head.hash.begin());
  return head;
}

absl::StatusOr<Wrapper> ReadWrapper(const content::v1::WelcomeWrapper& from) {
  const std::optional<ChannelId> id = IdFrom<ChannelId>(from.channel_id());
  if (!id.has_value()) return absl::InvalidArgumentError("a Welcome names no channel");
  Wrapper wrapper;
  wrapper.channel_id = *id;
  PARLEY_ASSIGN_OR_RETURN(wrapper.joined, ReadPosition(from.joined()));
  if (wrapper.joined.position == 0) {
    return absl::InvalidArgumentError("a Welcome names no position in the log");
  }
  if (from.has_previous()) {
    PARLEY_ASSIGN_OR_RETURN(wrapper.previous, ReadPosition(from.previous()));
  }
  return wrapper;
}

// Whether a Welcome may follow what the profile has of the channel.
absl::Status CheckFollows(const ChannelStep& old, const ChannelState& state,
                          const Wrapper& wrapper) {
  if (state.incarnation < old.incarnation()) {
    return absl::AlreadyExistsError("a Welcome leads to an incarnation that is over");
  }
  if (state.case_id != old.state().case_id || state.kind != old.state().kind ||
      state.side != old.state().side) {
    return absl::PermissionDeniedError("a Welcome would turn the channel " +
                                       DescribeChannel(old.state().kind, old.state().side) +
                                       " into another one");
  }
  if (state.incarnation > old.incarnation()) return absl::OkStatus();
  if (old.standing() == Standing::kActive || old.standing() == Standing::kHalted) {
    return absl::AlreadyExistsError("the Welcome to the channel " +
                                    DescribeChannel(state.kind, state.side) + " was taken already");
  }
  if (state.mailbox_id != old.state().mailbox_id || wrapper.joined.position < old.log().position) {
    return absl::PermissionDeniedError("a Welcome leads to an earlier state of the channel");
  }
  return absl::OkStatus();
}

// Where the incarnation before ended, compared with what this device had of it.
absl::Status ComparePrevious(ChannelStep& old, const Wrapper& wrapper) {
  if (!wrapper.previous.has_value()) return absl::OkStatus();
  const LogHead& previous = *wrapper.previous;
  if (previous.position > old.log().position || previous.position < old.log().joined_position) {
    return absl::OkStatus();
  }
  PARLEY_ASSIGN_OR_RETURN(const std::optional<TranscriptHash> own,
                          old.hashes().Get(old.tx(), previous.position));
  if (own.has_value() && *own == previous.hash) return absl::OkStatus();
  ExchangeResult result;
  old.Raise({ChannelAlarmKind::kFork, old.incarnation(), previous.position, std::nullopt,
             "who opened the channel anew had another log up to position " +
                 std::to_string(previous.position) + " than this device"},
            result);
  return absl::OkStatus();
}

IncarnationRecord JoinedLog(const ChannelState& state, const ParleyCredential& self,
                            const Wrapper& wrapper) {
  IncarnationRecord log;
  log.state = SerializeChannelState(state);
  log.self = SerializeCredential(self);
  log.mailbox_made = 1;
  log.position = wrapper.joined.position;
  log.hash = wrapper.joined.hash;
  log.hash_before = wrapper.joined.hash;
  log.joined_position = wrapper.joined.position;
  log.joined_hash = wrapper.joined.hash;
  if (wrapper.previous.has_value()) {
    log.previous_position = wrapper.previous->position;
    log.previous_hash = wrapper.previous->hash;
    log.number_base = wrapper.previous->position;
  }
  return log;
}

// What was before goes into what comes: the record of the channel, numbers, the outbox.
absl::StatusOr<ChannelRecord> TakeOver(ChannelStep& old, const ChannelState& state,
                                       const Wrapper& wrapper, IncarnationRecord& log) {
  PARLEY_RETURN_IF_ERROR(CheckFollows(old, state, wrapper));
  if (state.incarnation == old.incarnation()) {
    PARLEY_RETURN_IF_ERROR(TakeBackInFlight(old));
    PARLEY_RETURN_IF_ERROR(DropOwnCommit(old).status());
    PARLEY_RETURN_IF_ERROR(
        old.tx().Delete(RecordClass::kKeys, old.names().Change(old.incarnation())));
    log.number_base = old.log().number_base;
    log.passed_over = old.log().passed_over;
    PARLEY_RETURN_IF_ERROR(old.Save());
  } else {
    PARLEY_RETURN_IF_ERROR(ComparePrevious(old, wrapper));
    log.number_base = std::max(log.number_base, old.log().number_base + old.log().position);
    PARLEY_RETURN_IF_ERROR(DropDeliveries(old));
    PARLEY_RETURN_IF_ERROR(Retire(old));
  }
  ChannelRecord channel = old.channel();
  channel.incarnation = state.incarnation;
  return channel;
}

}  // namespace

absl::StatusOr<std::vector<ChannelId>> Channel::List(const ReadTransaction& tx) {
  PARLEY_ASSIGN_OR_RETURN(ListRecord list, LoadList(tx));
  return std::move(list.ids);
}

absl::Status Channel::Create(Transaction& tx, NewChannel options) {
  PARLEY_ASSIGN_OR_RETURN(const bool exists,
                          tx.Has(RecordClass::kContent, ChannelNames(id_).Channel()));
  if (exists) return absl::AlreadyExistsError("the profile has this channel already");
  ChannelState state;
  state.case_id = options.case_id;
  state.channel_id = id_;
  state.kind = options.kind;
  state.side = options.side;
  state.stewards = options.stewards;
  state.members = {{options.self.participant_id,
                    options.name,
                    options.role,
                    options.own_side,
                    {{options.self.device_id, options.self.identity_key}}}};
  PARLEY_ASSIGN_OR_RETURN(Founding founding, Found(state, options.self));
  const uint64_t now = context_.now_seconds();
  ChannelRecord channel;
  channel.incarnation = 1;
  return KeepFounding(tx, id_, now, std::move(channel), FirstLog(state, options.self, now),
                      std::move(founding), options.payment);
}

absl::Status Channel::Reopen(Transaction& tx, MailboxPayment payment, const ParleyCredential& self,
                             bool even_if_active) {
  const uint64_t now = context_.now_seconds();
  PARLEY_ASSIGN_OR_RETURN(ChannelStep old, ChannelStep::Load(tx, id_, now));
  const RosterMember* own = old.state().FindMember(self.participant_id);
  if (own == nullptr || !old.IsCommitter() || self.participant_id != old.self().participant_id) {
    return absl::FailedPreconditionError(
        "only " + std::string(old.state().kind == ChannelKind::kTeam ? "a steward" : "a neutral") +
        " can open the channel anew");
  }
  if (old.standing() == Standing::kRemoved || old.standing() == Standing::kLeft) {
    return RequireActive(old.log(), old.state());
  }
  if (old.standing() == Standing::kActive && !even_if_active) {
    return absl::FailedPreconditionError(
        "the channel " + DescribeChannel(old.state().kind, old.state().side) + " is not halted");
  }
  ChannelState state = old.state();
  state.incarnation = old.incarnation() + 1;
  state.members = {*own};
  state.members[0].devices = {{self.device_id, self.identity_key}};
  std::erase_if(state.stewards, [&](const ParticipantId& id) { return id != self.participant_id; });
  PARLEY_ASSIGN_OR_RETURN(Founding founding, Found(state, self));
  IncarnationRecord log = FirstLog(state, self, now);
  log.previous_position = old.log().position;
  log.previous_hash = old.log().hash;
  log.number_base = old.log().number_base + old.log().position;
  PARLEY_RETURN_IF_ERROR(DropDeliveries(old));
  PARLEY_RETURN_IF_ERROR(Retire(old));
  ChannelRecord channel = old.channel();
  channel.incarnation = state.incarnation;
  return KeepFounding(tx, id_, now, std::move(channel), std::move(log), std::move(founding),
                      payment);
}

absl::StatusOr<ChannelId> Channel::Join(Transaction& tx, const ChannelContext& context,
                                        const content::v1::WelcomeWrapper& wrapper_message,
                                        mls::KeyPackageBundle&& key_package,
                                        const JoinExpectations& expectations) {
  PARLEY_ASSIGN_OR_RETURN(const Wrapper wrapper, ReadWrapper(wrapper_message));
  PARLEY_ASSIGN_OR_RETURN(
      mls::Group group,
      mls::Group::Join(crypto::ViewOf(wrapper_message.welcome()), std::move(key_package)));
  PARLEY_ASSIGN_OR_RETURN(const ChannelState state,
                          CheckWelcome(group, wrapper.channel_id, expectations.case_id,
                                       expectations.adder, expectations.self));
  if (wrapper_message.generation() != GenerationOf(group.epoch())) {
    return absl::InvalidArgumentError("a Welcome names another generation than its group's");
  }
  IncarnationRecord log = JoinedLog(state, expectations.self, wrapper);
  ChannelRecord channel;
  channel.incarnation = state.incarnation;
  const uint64_t now = context.now_seconds();
  // Committers renew their leaf with their next commit, the others at once.
  if (state.IsCommitter(expectations.self.participant_id)) log.leaf_renewed_at = now;
  absl::StatusOr<ChannelStep> old = ChannelStep::Load(tx, wrapper.channel_id, now);
  if (old.ok()) {
    PARLEY_ASSIGN_OR_RETURN(channel, TakeOver(*old, state, wrapper, log));
  } else if (old.status().code() != absl::StatusCode::kNotFound) {
    return old.status();
  }
  PARLEY_RETURN_IF_ERROR(Enlist(tx, wrapper.channel_id));
  PARLEY_ASSIGN_OR_RETURN(ChannelStep step,
                          ChannelStep::Begin(tx, wrapper.channel_id, now, std::move(channel),
                                             std::move(log), std::move(group)));
  PARLEY_RETURN_IF_ERROR(step.Save());
  return wrapper.channel_id;
}

}  // namespace parley::client
