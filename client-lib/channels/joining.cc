// How a device comes into a channel: it creates it, opens its next incarnation, or takes a Welcome.
#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "client-lib/channels/channel.h"
#include "client-lib/channels/channel_step.h"
#include "client-lib/channels/credential.h"
#include "client-lib/channels/entry_log.h"
#include "client-lib/channels/incarnations.h"
#include "client-lib/channels/outbox.h"
#include "client-lib/channels/own_commit.h"
#include "client-lib/channels/succession.h"
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

// The ids of the groups of this device's other channels. Who follows the channel `id` already goes
// from its group to the one that a Welcome opens, which may be the same, after a removal.
absl::StatusOr<std::set<crypto::Bytes>> GroupsOfOthers(Transaction& tx, const ChannelId& id,
                                                       uint64_t now, const ChannelPolicy& policy) {
  std::set<crypto::Bytes> groups;
  PARLEY_ASSIGN_OR_RETURN(const ListRecord list, LoadList(tx));
  for (const ChannelId& other : list.ids) {
    if (other == id) continue;
    PARLEY_ASSIGN_OR_RETURN(ChannelStep step, ChannelStep::Load(tx, other, now, policy));
    if (step.standing() != Standing::kActive) continue;
    PARLEY_ASSIGN_OR_RETURN(const mls::Group* const group, step.group());
    groups.insert(group->group_id());
  }
  return groups;
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

absl::StatusOr<Founding> Found(ChannelState& state, const ParleyCredential& self,
                               const ChannelPolicy& policy) {
  const crypto::SignatureKey control = crypto::SignatureKey::Generate();
  state.control_key = control.public_key();
  state.mailbox_id = crypto::RandomArray<32>();
  PARLEY_RETURN_IF_ERROR(policy.CheckFounding(state, self.participant_id));
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
  PARLEY_RETURN_IF_ERROR(policy.CheckMembership(state, group));
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
  PARLEY_RETURN_IF_ERROR(KeepOpening(step));
  return step.Save();
}

// ---- Welcomes ----

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
  PARLEY_ASSIGN_OR_RETURN(Founding founding, Found(state, options.self, *context_.policy));
  const uint64_t now = context_.now_seconds();
  ChannelRecord channel;
  channel.incarnation = 1;
  return KeepFounding(tx, id_, now, std::move(channel), FirstLog(state, options.self, now),
                      std::move(founding), options.payment);
}

absl::Status Channel::Reopen(Transaction& tx, MailboxPayment payment, const ParleyCredential& self,
                             bool even_if_active) {
  const uint64_t now = context_.now_seconds();
  PARLEY_ASSIGN_OR_RETURN(ChannelStep old, ChannelStep::Load(tx, id_, now, *context_.policy));
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
  if (old.incarnation() >= kNoIncarnation - 1) {
    return absl::FailedPreconditionError(
        "the channel " + DescribeChannel(old.state().kind, old.state().side) +
        " was opened anew as often as can be: open another one, or a new case");
  }
  ChannelState state = old.state();
  state.incarnation = old.incarnation() + 1;
  state.members = {*own};
  state.members[0].devices = {{self.device_id, self.identity_key}};
  std::erase_if(state.stewards, [&](const ParticipantId& id) { return id != self.participant_id; });
  PARLEY_ASSIGN_OR_RETURN(Founding founding, Found(state, self, *context_.policy));
  IncarnationRecord log = FirstLog(state, self, now);
  log.previous_position = old.log().position;
  log.previous_hash = old.log().hash;
  log.number_base = old.log().number_base + old.log().position;
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
  const uint64_t now = context.now_seconds();
  PARLEY_ASSIGN_OR_RETURN(const std::set<crypto::Bytes> others,
                          GroupsOfOthers(tx, wrapper.channel_id, now, *context.policy));
  mls::JoinOptions options{.checks = {.judge = context.policy}};
  options.in_use = [&](crypto::ByteView id) {
    return others.contains(crypto::Bytes(id.begin(), id.end()));
  };
  PARLEY_ASSIGN_OR_RETURN(
      mls::Group group,
      mls::Group::Join(crypto::ViewOf(wrapper_message.welcome()), std::move(key_package), options));
  PARLEY_ASSIGN_OR_RETURN(
      const ChannelState state,
      context.policy->CheckWelcome(group, wrapper.channel_id, expectations.case_id,
                                   expectations.adder, expectations.self));
  const RosterMember* own = state.FindMember(expectations.self.participant_id);
  if (expectations.role != Role::kUnknown &&
      (own->role != expectations.role || own->side != expectations.side)) {
    return absl::PermissionDeniedError("a Welcome shows this participant as " + Describe(*own));
  }
  if (wrapper_message.generation() != GenerationOf(group.epoch())) {
    return absl::InvalidArgumentError("a Welcome names another generation than its group's");
  }
  IncarnationRecord log = JoinedLog(state, expectations.self, wrapper);
  // Committers renew their leaf with their next commit, the others at once.
  if (context.policy->MayCommit(state, expectations.self.participant_id)) log.leaf_renewed_at = now;
  absl::StatusOr<ChannelStep> old = ChannelStep::Load(tx, wrapper.channel_id, now, *context.policy);
  if (old.ok()) {
    PARLEY_RETURN_IF_ERROR(
        FollowOn(*std::move(old), state, std::move(log), std::move(group), expectations.adder));
    return wrapper.channel_id;
  }
  if (old.status().code() != absl::StatusCode::kNotFound) return old.status();
  PARLEY_RETURN_IF_ERROR(CheckFirstIncarnation(state, expectations.adder));
  if (expectations.may_come) PARLEY_RETURN_IF_ERROR(expectations.may_come(state));
  ChannelRecord channel;
  channel.incarnation = state.incarnation;
  PARLEY_RETURN_IF_ERROR(Enlist(tx, wrapper.channel_id));
  PARLEY_ASSIGN_OR_RETURN(ChannelStep step,
                          ChannelStep::Begin(tx, wrapper.channel_id, now, std::move(channel),
                                             std::move(log), std::move(group)));
  PARLEY_RETURN_IF_ERROR(step.Save());
  return wrapper.channel_id;
}

}  // namespace parley::client
