#include "client-lib/channels/succession.h"

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "client-lib/channels/coming_back.h"
#include "client-lib/channels/group_store.h"
#include "client-lib/channels/incarnations.h"
#include "client-lib/channels/outbox.h"
#include "client-lib/channels/own_commit.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

// Where a Welcome leads that was taken while the log that it follows on wasn't read to its end yet.
// Its group is in the place SuccessorGroup() of that place.
struct Successor {
  using Place = std::pair<uint32_t, uint64_t>;  // incarnation, joined position

  uint32_t incarnation = 0;
  ParticipantId adder;  // whose pairing brought it
  IncarnationRecord log;
  Bytes state;  // ChannelState

  Place place() const { return {incarnation, log.joined_position}; }

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.incarnation, self.adder, self.log, self.state);
  }
};
// All that wait, by their places: who was away while the channel was opened anew several times, or
// was put out and let in again, reads each of these stays.
struct SuccessorsRecord {
  uint8_t version = 3;
  std::vector<Successor> waiting;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.waiting);
  }
};

// Whether the Welcome's state may follow on what the profile has of the channel.
absl::Status CheckFollows(const ChannelStep& old, const ChannelState& state,
                          const IncarnationRecord& log, const ParticipantId& adder) {
  const std::string channel = DescribeChannel(old.state().kind, old.state().side);
  if (state.case_id != old.state().case_id || state.kind != old.state().kind ||
      state.side != old.state().side) {
    return absl::PermissionDeniedError("a Welcome would turn the channel " + channel +
                                       " into another one");
  }
  if (state.incarnation > old.incarnation()) {
    return CheckLaterIncarnation(state, old.incarnation(), adder);
  }
  // In a log that was read as far, one leaf goes before another one comes.
  const bool can_come_back =
      old.standing() != Standing::kHalted &&
      (old.standing() != Standing::kActive || log.joined_position > old.log().position);
  if (state.incarnation < old.incarnation() || !can_come_back ||
      log.joined_position < old.log().position) {
    return absl::AlreadyExistsError("a Welcome leads to where the channel " + channel +
                                    " has been already");
  }
  if (state.mailbox_id != old.state().mailbox_id) {
    return absl::PermissionDeniedError("a Welcome would move the channel " + channel +
                                       " to another mailbox");
  }
  return absl::OkStatus();
}

// Where the incarnation before ended, compared with what this device had of it. After one that it
// wasn't in there is nothing to compare: positions in that one's log say nothing of an earlier one.
absl::Status ComparePrevious(ChannelStep& old, const ChannelState& state,
                             const IncarnationRecord& log) {
  const bool was_in_it = state.incarnation == old.incarnation() + 1;
  if (!was_in_it || !log.previous_position.has_value()) return absl::OkStatus();
  const uint64_t previous = *log.previous_position;
  if (previous > old.log().position || previous < old.log().joined_position) {
    return absl::OkStatus();
  }
  PARLEY_ASSIGN_OR_RETURN(const std::optional<TranscriptHash> own,
                          old.hashes().Get(old.tx(), previous));
  if (own.has_value() && *own == log.previous_hash) return absl::OkStatus();
  ExchangeResult result;
  old.Raise({ChannelAlarmKind::kFork, old.incarnation(), previous, std::nullopt,
             "who opened the channel anew had another log up to position " +
                 std::to_string(previous) + " than this device"},
            result);
  return absl::OkStatus();
}

// Where the incarnation began stays as the first Welcome into it said: a later one is said to this
// device alone, and nothing in the log confirms it.
void KeepBeginning(ChannelStep& old, const ParticipantId& adder, IncarnationRecord& log) {
  const std::optional<uint64_t> known = old.log().previous_position;
  const std::optional<uint64_t> said = log.previous_position;
  const bool is_other =
      said.has_value() && (said != known || log.previous_hash != old.log().previous_hash);
  log.previous_position = known;
  log.previous_hash = old.log().previous_hash;
  if (!is_other) return;
  const RosterMember* who = old.state().FindMember(adder);
  ExchangeResult result;
  old.Raise({ChannelAlarmKind::kFork, old.incarnation(), *said, adder,
             (who == nullptr ? "who let this device in again" : Describe(*who)) +
                 " says that the channel was opened anew from another log, up to position " +
                 std::to_string(*said) + ", than this device was told first" +
                 (known.has_value() ? ", up to position " + std::to_string(*known) : "")},
            result);
}

absl::Status DropDeliveries(ChannelStep& step) {
  ChannelRecord& channel = step.channel();
  for (; channel.deliveries_first < channel.deliveries_next; ++channel.deliveries_first) {
    PARLEY_RETURN_IF_ERROR(
        step.tx().Delete(RecordClass::kContent, step.names().Delivery(channel.deliveries_first)));
  }
  return absl::OkStatus();
}

// The old leaf's part in the same log is over.
absl::Status LeaveLeaf(ChannelStep& old) {
  PARLEY_RETURN_IF_ERROR(TakeBackInFlight(old));
  PARLEY_RETURN_IF_ERROR(DropOwnCommit(old).status());
  PARLEY_RETURN_IF_ERROR(
      old.tx().Delete(RecordClass::kKeys, old.names().Change(old.incarnation())));
  return old.Save();
}

// ---- What waits ----

absl::StatusOr<std::vector<Successor>> LoadWaiting(const ReadTransaction& tx,
                                                   const ChannelNames& names) {
  PARLEY_ASSIGN_OR_RETURN(
      std::optional<SuccessorsRecord> record,
      LoadRecord<SuccessorsRecord>(tx, RecordClass::kRatchet, names.Successors()));
  return record.has_value() ? std::move(record->waiting) : std::vector<Successor>();
}

absl::Status StoreWaiting(Transaction& tx, const ChannelNames& names,
                          std::vector<Successor> waiting) {
  if (waiting.empty()) return tx.Delete(RecordClass::kRatchet, names.Successors());
  SuccessorsRecord record;
  record.waiting = std::move(waiting);
  return StoreRecord(tx, RecordClass::kRatchet, names.Successors(), record);
}

GroupPlace GroupOf(const ChannelNames& names, const Successor& one) {
  return names.SuccessorGroup(one.incarnation, one.log.joined_position);
}

// Adds one, in the place of another one to the same place.
absl::Status AddWaiting(Transaction& tx, const ChannelNames& names, Successor successor,
                        mls::Group& group) {
  PARLEY_RETURN_IF_ERROR(StoreGroup(tx, GroupOf(names, successor), group));
  PARLEY_ASSIGN_OR_RETURN(std::vector<Successor> waiting, LoadWaiting(tx, names));
  const auto is_earlier = [&successor](const Successor& one) {
    return one.place() < successor.place();
  };
  auto at = std::find_if_not(waiting.begin(), waiting.end(), is_earlier);
  if (at != waiting.end() && at->place() == successor.place()) at = waiting.erase(at);
  waiting.insert(at, std::move(successor));
  return StoreWaiting(tx, names, std::move(waiting));
}

// Drops what leads no further than to this place.
absl::Status DropWaiting(Transaction& tx, const ChannelNames& names,
                         const Successor::Place& place) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<Successor> waiting, LoadWaiting(tx, names));
  const auto rest = std::find_if(waiting.begin(), waiting.end(),
                                 [&place](const Successor& one) { return one.place() > place; });
  if (rest == waiting.begin()) return absl::OkStatus();
  for (auto one = waiting.begin(); one != rest; ++one) {
    PARLEY_RETURN_IF_ERROR(DeleteGroup(tx, GroupOf(names, *one)));
  }
  waiting.erase(waiting.begin(), rest);
  return StoreWaiting(tx, names, std::move(waiting));
}

// Up to where this device has everything. A restored profile has read on, but for what it said
// itself after the copy was made, also where it was put out since, or the log has halted.
uint64_t ReadTo(ChannelStep& old) {
  for (const AlarmRecord& alarm : old.channel().alarms) {
    if (alarm.kind == static_cast<uint8_t>(ChannelAlarmKind::kRestored) &&
        alarm.incarnation == old.incarnation() && alarm.position > old.log().joined_position) {
      return alarm.position - 1;
    }
  }
  return old.standing() == Standing::kRestored ? old.log().joined_position : old.log().position;
}

// Whether something was said, as far as the Welcome tells, that this device hasn't read and won't.
bool HasMissed(ChannelStep& old, const ChannelState& state, const IncarnationRecord& log) {
  const uint64_t read_to = ReadTo(old);
  if (state.incarnation == old.incarnation()) return log.joined_position > read_to + 1;
  const bool was_out = old.standing() == Standing::kRemoved || old.standing() == Standing::kLeft;
  // Incarnations in between have nothing that it could have read either.
  return was_out || state.incarnation > old.incarnation() + 1 ||
         log.previous_position.value_or(0) > read_to;
}

absl::Status TakeOver(ChannelStep& old, const ChannelState& state, IncarnationRecord log,
                      mls::Group group, const ParticipantId& adder) {
  if (HasMissed(old, state, log)) {
    PARLEY_RETURN_IF_ERROR(NoteComingBack(old.tx(), old.id(),
                                          {.left_incarnation = old.incarnation(),
                                           .left_position = ReadTo(old),
                                           .incarnation = state.incarnation,
                                           .position = log.joined_position}));
  }
  if (state.incarnation == old.incarnation()) {
    log.number_base = old.log().number_base;
    log.passed_over = old.log().passed_over;
    KeepBeginning(old, adder, log);
    PARLEY_RETURN_IF_ERROR(LeaveLeaf(old));
  } else {
    log.number_base = std::max(log.number_base, old.log().number_base + old.log().position);
    PARLEY_RETURN_IF_ERROR(ComparePrevious(old, state, log));
    PARLEY_RETURN_IF_ERROR(Retire(old));
  }
  const Successor::Place taken(state.incarnation, log.joined_position);
  ChannelRecord channel = old.channel();
  channel.incarnation = state.incarnation;
  PARLEY_ASSIGN_OR_RETURN(ChannelStep step,
                          ChannelStep::Begin(old.tx(), old.id(), old.now(), std::move(channel),
                                             std::move(log), std::move(group), old.policy()));
  PARLEY_RETURN_IF_ERROR(DropWaiting(old.tx(), old.names(), taken));
  return step.Save();
}

// Whether the relay was reached, and said what it had to say.
bool WasAnswered(const absl::Status& reading) {
  return !absl::IsUnavailable(reading) && !absl::IsDeadlineExceeded(reading) &&
         !absl::IsCancelled(reading) && !absl::IsUnauthenticated(reading);
}

std::string NoCommitter(const ChannelStep& old, const ParticipantId& adder) {
  const RosterMember* who = old.state().FindMember(adder);
  return "a Welcome that would lead away from the channel " +
         DescribeChannel(old.state().kind, old.state().side) + " came from " +
         (who == nullptr ? "somebody who is not in it (any more)" : Describe(*who)) +
         ", who may not open it anew";
}

// A Welcome that leads away from a log that goes on, or comes from who may not send it.
void RaiseAboutSuccessor(ChannelStep& old, const ParticipantId& adder, bool allowed,
                         ExchangeResult& result) {
  if (!allowed) {
    old.Raise({ChannelAlarmKind::kRefused, old.incarnation(), old.log().position, adder,
               NoCommitter(old, adder) + "; it was refused"},
              result);
    return;
  }
  if (old.standing() != Standing::kActive) return;
  old.Raise({ChannelAlarmKind::kReopened, old.incarnation(), old.log().position, adder,
             Describe(*old.state().FindMember(adder)) +
                 " has opened the channel anew, although it was not halted here"},
            result);
}

// Whether only a committer's Welcome leads away from what the profile has of the channel. Of a team
// nobody but its stewards decides, halted as it is: whom they have put out, and the others of the
// side, don't open it anew.
bool AsksForCommitter(const ChannelStep& old) {
  return old.standing() == Standing::kActive || old.standing() == Standing::kRestored ||
         (old.standing() == Standing::kHalted && old.state().kind == ChannelKind::kTeam);
}

enum class Turn { kTake, kWait, kDrop };

// What becomes of one that waits, after reading that ended with `reading`.
Turn TurnOf(ChannelStep& old, const ChannelState& state, const Successor& one,
            const absl::Status& reading, ExchangeResult& result) {
  // Something later has been taken over meanwhile, or the incarnation has halted for everybody.
  if (!CheckFollows(old, state, one.log, one.adder).ok()) return Turn::kDrop;
  const bool same = state.incarnation == old.incarnation();
  if (old.standing() == Standing::kActive && (same || !WasAnswered(reading))) return Turn::kWait;
  const bool allowed = !AsksForCommitter(old) || old.policy().MayCommit(old.state(), one.adder);
  RaiseAboutSuccessor(old, one.adder, allowed, result);
  return allowed ? Turn::kTake : Turn::kDrop;
}

}  // namespace

absl::Status Retire(ChannelStep& old) {
  PARLEY_RETURN_IF_ERROR(TakeBackInFlight(old));
  PARLEY_RETURN_IF_ERROR(DropDeliveries(old));
  if (old.standing() == Standing::kActive) {
    PARLEY_RETURN_IF_ERROR(old.Stop(Standing::kHalted, "the channel was opened anew"));
  }
  PARLEY_RETURN_IF_ERROR(old.Save());
  const uint32_t n = old.incarnation();
  PARLEY_RETURN_IF_ERROR(DeleteKeys(old.tx(), old.names(), n));
  for (const std::string& name : {old.names().Change(n), old.names().Payment(n)}) {
    PARLEY_RETURN_IF_ERROR(old.tx().Delete(RecordClass::kKeys, name));
  }
  return absl::OkStatus();
}

absl::Status FollowOn(ChannelStep old, const ChannelState& state, IncarnationRecord log,
                      mls::Group group, const ParticipantId& adder) {
  PARLEY_RETURN_IF_ERROR(CheckFollows(old, state, log, adder));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<Successor> waiting, LoadWaiting(old.tx(), old.names()));
  const bool has_earlier =
      !waiting.empty() &&
      waiting.front().place() < Successor::Place(state.incarnation, log.joined_position);
  if (old.standing() != Standing::kActive && !has_earlier) {
    if (AsksForCommitter(old) && !old.policy().MayCommit(old.state(), adder)) {
      return absl::PermissionDeniedError(NoCommitter(old, adder));
    }
    return TakeOver(old, state, std::move(log), std::move(group), adder);
  }
  Successor successor;
  successor.incarnation = state.incarnation;
  successor.adder = adder;
  successor.state = log.state;
  successor.log = std::move(log);
  return AddWaiting(old.tx(), old.names(), std::move(successor), group);
}

absl::StatusOr<bool> TakeSuccessor(Transaction& tx, const ChannelId& id, uint64_t now,
                                   const ChannelPolicy& policy, const absl::Status& reading,
                                   ExchangeResult& result) {
  PARLEY_ASSIGN_OR_RETURN(ChannelStep old, ChannelStep::Load(tx, id, now, policy));
  PARLEY_ASSIGN_OR_RETURN(std::vector<Successor> waiting, LoadWaiting(tx, old.names()));
  const size_t before = waiting.size();
  for (auto one = waiting.begin(); one != waiting.end();) {
    one->log.state = one->state;
    PARLEY_ASSIGN_OR_RETURN(const ChannelState state, ParseChannelState(one->log.state));
    const Turn turn = TurnOf(old, state, *one, reading, result);
    if (turn == Turn::kTake) {
      PARLEY_ASSIGN_OR_RETURN(const std::optional<mls::Group> group,
                              LoadGroup(tx, GroupOf(old.names(), *one)));
      if (!group.has_value()) {
        return absl::DataLossError("the group of a Welcome that waits is missing in the profile");
      }
      // A clone: it is stored in another place than it was loaded from.
      PARLEY_RETURN_IF_ERROR(TakeOver(old, state, std::move(one->log), group->Clone(), one->adder));
      return true;
    }
    if (turn == Turn::kWait) {
      ++one;
      continue;
    }
    PARLEY_RETURN_IF_ERROR(DeleteGroup(tx, GroupOf(old.names(), *one)));
    one = waiting.erase(one);
  }
  if (waiting.size() == before) return false;
  PARLEY_RETURN_IF_ERROR(StoreWaiting(tx, old.names(), std::move(waiting)));
  PARLEY_RETURN_IF_ERROR(old.Save());
  return false;
}

}  // namespace parley::client
