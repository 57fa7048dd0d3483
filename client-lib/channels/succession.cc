#include "client-lib/channels/succession.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client-lib/channels/coming_back.h"
#include "client-lib/channels/incarnations.h"
#include "client-lib/channels/outbox.h"
#include "client-lib/channels/own_commit.h"
#include "client-lib/channels/relay_fault.h"
#include "client-lib/channels/successors.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

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

// ---- Whose Welcome is believed ----

// Where this device's stay began.
Successor::Place OwnPlace(const ChannelStep& old) {
  return {old.incarnation(), old.log().joined_position};
}

// What was known of the channel before this stay, as long as nothing was read in it. Nobody but who
// sent the Welcome has said what is in the state then.
absl::StatusOr<std::optional<ChannelState>> StateBefore(const ChannelStep& old,
                                                        const ReadTransaction& tx) {
  if (old.log().position != old.log().joined_position) return std::optional<ChannelState>();
  return LoadStateBefore(tx, old.names(), OwnPlace(old));
}

// Keeps it for the stay that is taken over now, which begins at `place`.
absl::Status KeepStateBefore(ChannelStep& old, const Successor::Place& place) {
  PARLEY_ASSIGN_OR_RETURN(const std::optional<ChannelState> before, StateBefore(old, old.tx()));
  return StoreStateBefore(old.tx(), old.names(), place, before.has_value() ? *before : old.state());
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
  const Successor::Place taken(state.incarnation, log.joined_position);
  PARLEY_RETURN_IF_ERROR(KeepStateBefore(old, taken));
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

// Whether it was, and the log can't be read all the same. That isn't known to pass.
bool IsUnreadable(const absl::Status& reading) {
  return absl::IsNotFound(reading) || absl::IsPermissionDenied(reading) || IsRelayFault(reading);
}

std::string NoCommitter(const ChannelStep& old, const ParticipantId& adder) {
  const RosterMember* who = old.state().FindMember(adder);
  return "a Welcome that would lead away from the channel " +
         DescribeChannel(old.state().kind, old.state().side) + " came from " +
         (who == nullptr ? "somebody who is not in it (any more)" : Describe(*who)) +
         ", who may not open it anew";
}

// Whether only a committer's Welcome leads away from what the profile has of the channel. Of a team
// nobody but its stewards decides, halted as it is: whom they have put out, and the others of the
// side, don't open it anew.
bool AsksForCommitter(const ChannelStep& old) {
  return old.standing() == Standing::kActive || old.standing() == Standing::kRestored ||
         (old.standing() == Standing::kHalted && old.state().kind == ChannelKind::kTeam);
}

enum class Turn { kTake, kWait, kDrop };

// What becomes of those that wait, after reading that ended with `reading`.
class Succession {
 public:
  Succession(ChannelStep& old, const absl::Status& reading, ExchangeResult& result)
      : old_(old), reading_(reading), result_(result) {}

  // Whether one was taken over.
  absl::StatusOr<bool> Run() {
    PARLEY_ASSIGN_OR_RETURN(before_, StateBefore(old_, old_.tx()));
    PARLEY_ASSIGN_OR_RETURN(std::vector<Successor> waiting, LoadWaiting(old_.tx(), old_.names()));
    std::vector<Successor> rest;
    std::vector<size_t> ready;  // in `rest`
    for (Successor& one : waiting) {
      PARLEY_ASSIGN_OR_RETURN(const Turn turn, TurnOf(one));
      if (turn == Turn::kDrop) {
        PARLEY_RETURN_IF_ERROR(DeleteGroupOf(old_.tx(), old_.names(), one));
        continue;
      }
      if (turn == Turn::kTake) ready.push_back(rest.size());
      rest.push_back(std::move(one));
    }
    const bool dropped = rest.size() < waiting.size();
    if (dropped) PARLEY_RETURN_IF_ERROR(StoreWaiting(old_.tx(), old_.names(), rest));
    if (!ready.empty()) {
      PARLEY_RETURN_IF_ERROR(Take(rest, ready));
      return true;
    }
    if (!dropped) return false;
    const bool is_out = old_.standing() == Standing::kRemoved || old_.standing() == Standing::kLeft;
    // It has seemed to come back (TakeRemoval, receive.cc), and doesn't.
    if (is_out) PARLEY_RETURN_IF_ERROR(GiveUpWaiting(old_, result_));
    PARLEY_RETURN_IF_ERROR(old_.Save());
    return false;
  }

 private:
  // Whether they may let people in, as this device knows it: where the log of a stay in which
  // nothing was read can't be read, as it was known before, too. Who led this device there may have
  // done it to keep it from the others.
  bool IsBelieved(const ParticipantId& adder) const {
    if (old_.policy().MayCommit(old_.state(), adder)) return true;
    return before_.has_value() && IsUnreadable(reading_) &&
           old_.policy().MayCommit(*before_, adder);
  }

  absl::StatusOr<Turn> TurnOf(const Successor& one) {
    PARLEY_ASSIGN_OR_RETURN(const ChannelState state, ParseChannelState(one.state));
    const absl::Status follows = CheckFollows(old_, state, one.log, one.adder);
    if (absl::IsPermissionDenied(follows)) RaiseRefused(one, std::string(follows.message()));
    // Something later has been taken over meanwhile, or the incarnation has halted for everybody.
    if (!follows.ok()) return Turn::kDrop;
    const bool same = one.incarnation == old_.incarnation();
    const bool is_read = same ? IsUnreadable(reading_) : WasAnswered(reading_);
    if (old_.standing() == Standing::kActive && !is_read) return Turn::kWait;
    if (!AsksForCommitter(old_) || IsBelieved(one.adder)) return Turn::kTake;
    RaiseRefused(one, NoCommitter(old_, one.adder));
    return Turn::kDrop;
  }

  // What leads least far, and in that incarnation first by who is known to let people in: anybody
  // can write a Welcome to a lesser place.
  size_t Choose(const std::vector<Successor>& rest, const std::vector<size_t>& ready) const {
    for (const size_t i : ready) {
      if (rest[i].incarnation != rest[ready.front()].incarnation) break;
      if (IsBelieved(rest[i].adder)) return i;
    }
    return ready.front();
  }

  absl::Status Take(const std::vector<Successor>& rest, const std::vector<size_t>& ready) {
    const size_t chosen = Choose(rest, ready);
    for (const size_t i : ready) {
      const bool is_passed_over =
          i != chosen && rest[i].place() <= rest[chosen].place() && !IsBelieved(rest[i].adder);
      if (is_passed_over) RaiseRefused(rest[i], NoCommitter(old_, rest[i].adder));
    }
    Successor one = rest[chosen];
    one.log.state = one.state;
    PARLEY_ASSIGN_OR_RETURN(const ChannelState state, ParseChannelState(one.log.state));
    RaiseTaken(one, state);
    PARLEY_ASSIGN_OR_RETURN(mls::Group group, LoadGroupOf(old_.tx(), old_.names(), one));
    return TakeOver(old_, state, std::move(one.log), std::move(group), one.adder);
  }

  void RaiseRefused(const Successor& one, const std::string& what) {
    old_.Raise({ChannelAlarmKind::kRefused, old_.incarnation(), old_.log().position, one.adder,
                what + "; it was refused"},
               result_);
  }

  // One that leads away from a log that goes on, or comes from somebody not known to let people in.
  void RaiseTaken(const Successor& one, const ChannelState& state) {
    const bool was_active = old_.standing() == Standing::kActive;
    const bool believed = IsBelieved(one.adder);
    if (!was_active && believed) return;
    const RosterMember* known = old_.state().FindMember(one.adder);
    const std::string who = Describe(known == nullptr ? *state.FindMember(one.adder) : *known);
    std::string what;
    if (!believed) {
      what =
          " has let this device in, although they could let nobody in when it last read the "
          "channel; if nobody else is heard there, have somebody else let you in";
    } else if (one.incarnation != old_.incarnation()) {
      what = " has opened the channel anew, although it was not halted here";
    } else {
      what = " has let this device in again; the log before, which it can't read, was passed over";
    }
    old_.Raise({ChannelAlarmKind::kReopened, old_.incarnation(), old_.log().position, one.adder,
                who + what},
               result_);
  }

  ChannelStep& old_;
  const absl::Status& reading_;
  ExchangeResult& result_;
  std::optional<ChannelState> before_;
};

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
  const bool is_active = old.standing() == Standing::kActive;
  if (!is_active && waiting.empty()) {
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
  PARLEY_RETURN_IF_ERROR(
      AddWaiting(old.tx(), old.names(), std::move(successor), group, /*bounded=*/is_active));
  if (is_active) return absl::OkStatus();
  // There is no log to read to its end first: what waits has its turn now.
  ExchangeResult result;
  return Succession(old, absl::OkStatus(), result).Run().status();
}

absl::StatusOr<bool> TakeSuccessor(Transaction& tx, const ChannelId& id, uint64_t now,
                                   const ChannelPolicy& policy, const absl::Status& reading,
                                   ExchangeResult& result) {
  PARLEY_ASSIGN_OR_RETURN(ChannelStep old, ChannelStep::Load(tx, id, now, policy));
  return Succession(old, reading, result).Run();
}

absl::StatusOr<bool> HasSuccessor(const ReadTransaction& tx, const ChannelId& id) {
  return tx.Has(RecordClass::kRatchet, ChannelNames(id).Successors());
}

}  // namespace parley::client
