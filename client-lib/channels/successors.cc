#include "client-lib/channels/successors.h"

#include <algorithm>
#include <string>

#include "client-lib/channels/group_store.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

struct SuccessorsRecord {
  uint8_t version = 3;
  std::vector<Successor> waiting;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.waiting);
  }
};

// Version 2: the only one that waited; its group in one place for all.
struct SuccessorRecord2 {
  uint8_t version = 2;
  ParticipantId adder;
  IncarnationRecord log;
  Bytes state;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.adder, self.log, self.state);
  }
};

struct StateBeforeRecord {
  uint8_t version = 1;
  uint32_t incarnation = 0;  // of the stay that it was before
  uint64_t joined_position = 0;
  Bytes state;  // ChannelState

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.incarnation, self.joined_position, self.state);
  }
};

std::string BeforeName(const ChannelNames& names) { return names.Successors() + "/before"; }

GroupPlace PlaceAt(const std::string& name) { return {name, name}; }

std::string PlaceName(const ChannelNames& names, const Successor& one) {
  return names.Successors() + "/" + std::to_string(one.incarnation) + "/" +
         std::to_string(one.log.joined_position);
}

GroupPlace GroupOf(const ChannelNames& names, const Successor& one) {
  return PlaceAt(PlaceName(names, one) + "/" + one.adder.ToString() + "/group");
}

bool IsBefore(const Successor& one, const Successor& other) {
  return std::pair(one.place(), one.adder) < std::pair(other.place(), other.adder);
}

// ---- Records of earlier versions ----

absl::Status ForgetGroup(Transaction& tx, const GroupPlace& place) {
  const absl::Status deleted = DeleteGroup(tx, place);
  return absl::IsDataLoss(deleted) ? absl::OkStatus() : deleted;
}

// Takes one over with its group from where that version had it.
absl::Status TakeEarlier(Transaction& tx, const ChannelNames& names, Successor one,
                         const GroupPlace& place, std::vector<Successor>& waiting) {
  absl::StatusOr<std::optional<mls::Group>> group = LoadGroup(tx, place);
  const bool readable = one.log.version == IncarnationRecord().version &&
                        ParseChannelState(one.state).ok() && group.ok() && group->has_value();
  if (readable) {
    // A clone: it is stored in another place than it was loaded from.
    mls::Group moved = (*group)->Clone();
    PARLEY_RETURN_IF_ERROR(StoreGroup(tx, GroupOf(names, one), moved));
    waiting.push_back(std::move(one));
  }
  return ForgetGroup(tx, place);
}

absl::StatusOr<std::vector<Successor>> TakeEarlierRecord(Transaction& tx, const ChannelNames& names,
                                                         ByteView record) {
  std::vector<Successor> waiting;
  const GroupPlace only = PlaceAt(names.Successors() + "/group");
  absl::StatusOr<SuccessorRecord2> second = crypto::Parse<SuccessorRecord2>(record);
  if (record[0] == 2 && second.ok()) {
    Successor one;
    const absl::StatusOr<ChannelState> state = ParseChannelState(second->state);
    one.incarnation = state.ok() ? state->incarnation : 0;
    one.adder = second->adder;
    one.log = std::move(second->log);
    one.state = std::move(second->state);
    PARLEY_RETURN_IF_ERROR(TakeEarlier(tx, names, std::move(one), only, waiting));
  } else {
    PARLEY_RETURN_IF_ERROR(ForgetGroup(tx, only));
  }
  PARLEY_RETURN_IF_ERROR(StoreWaiting(tx, names, waiting));
  return waiting;
}

}  // namespace

absl::StatusOr<std::vector<Successor>> LoadWaiting(Transaction& tx, const ChannelNames& names) {
  PARLEY_ASSIGN_OR_RETURN(const std::optional<crypto::Secret> stored,
                          tx.Get(RecordClass::kRatchet, names.Successors()));
  if (!stored.has_value()) return std::vector<Successor>();
  const ByteView bytes = stored->Reveal();
  if (!bytes.empty() && bytes[0] < SuccessorsRecord().version) {
    return TakeEarlierRecord(tx, names, bytes);
  }
  PARLEY_ASSIGN_OR_RETURN(
      SuccessorsRecord record,
      LoadExisting<SuccessorsRecord>(tx, RecordClass::kRatchet, names.Successors()));
  return std::move(record.waiting);
}

absl::Status StoreWaiting(Transaction& tx, const ChannelNames& names,
                          std::vector<Successor> waiting) {
  if (waiting.empty()) return tx.Delete(RecordClass::kRatchet, names.Successors());
  SuccessorsRecord record;
  record.waiting = std::move(waiting);
  return StoreRecord(tx, RecordClass::kRatchet, names.Successors(), record);
}

absl::Status AddWaiting(Transaction& tx, const ChannelNames& names, Successor successor,
                        mls::Group& group, bool bounded) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<Successor> waiting, LoadWaiting(tx, names));
  auto at = std::lower_bound(waiting.begin(), waiting.end(), successor, IsBefore);
  const bool replaces = at != waiting.end() && !IsBefore(successor, *at);
  const auto is_theirs = [&](const Successor& one) { return one.adder == successor.adder; };
  const auto theirs = static_cast<size_t>(std::count_if(waiting.begin(), waiting.end(), is_theirs));
  if (bounded && !replaces && (theirs >= kMostWaitingOfOne || waiting.size() >= kMostWaiting)) {
    return absl::PermissionDeniedError(
        "a Welcome that must wait until the channel's log is read would be one more than the " +
        (theirs >= kMostWaitingOfOne ? std::to_string(kMostWaitingOfOne) + " that one person"
                                     : std::to_string(kMostWaiting) + " that all together") +
        " may have waiting; whoever sent it can remove you from the channel and let you in again "
        "when your device has read it");
  }
  PARLEY_RETURN_IF_ERROR(StoreGroup(tx, GroupOf(names, successor), group));
  if (replaces) at = waiting.erase(at);
  waiting.insert(at, std::move(successor));
  return StoreWaiting(tx, names, std::move(waiting));
}

absl::Status DropWaiting(Transaction& tx, const ChannelNames& names,
                         const Successor::Place& place) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<Successor> waiting, LoadWaiting(tx, names));
  const auto rest = std::find_if(waiting.begin(), waiting.end(),
                                 [&place](const Successor& one) { return one.place() > place; });
  if (rest == waiting.begin()) return absl::OkStatus();
  for (auto one = waiting.begin(); one != rest; ++one) {
    PARLEY_RETURN_IF_ERROR(DeleteGroupOf(tx, names, *one));
  }
  waiting.erase(waiting.begin(), rest);
  return StoreWaiting(tx, names, std::move(waiting));
}

absl::StatusOr<mls::Group> LoadGroupOf(const ReadTransaction& tx, const ChannelNames& names,
                                       const Successor& one) {
  PARLEY_ASSIGN_OR_RETURN(const std::optional<mls::Group> group,
                          LoadGroup(tx, GroupOf(names, one)));
  if (!group.has_value()) {
    return absl::DataLossError("the group of a Welcome that waits is missing in the profile");
  }
  // A clone: it is stored in another place than it was loaded from.
  return group->Clone();
}

absl::Status DeleteGroupOf(Transaction& tx, const ChannelNames& names, const Successor& one) {
  return DeleteGroup(tx, GroupOf(names, one));
}

absl::Status StoreStateBefore(Transaction& tx, const ChannelNames& names,
                              const Successor::Place& place, const ChannelState& state) {
  StateBeforeRecord record;
  record.incarnation = place.first;
  record.joined_position = place.second;
  record.state = SerializeChannelState(state);
  return StoreRecord(tx, RecordClass::kRatchet, BeforeName(names), record);
}

absl::StatusOr<std::optional<ChannelState>> LoadStateBefore(const ReadTransaction& tx,
                                                            const ChannelNames& names,
                                                            const Successor::Place& place) {
  PARLEY_ASSIGN_OR_RETURN(
      const std::optional<StateBeforeRecord> record,
      LoadRecord<StateBeforeRecord>(tx, RecordClass::kRatchet, BeforeName(names)));
  if (!record.has_value() ||
      Successor::Place(record->incarnation, record->joined_position) != place) {
    return std::optional<ChannelState>();
  }
  PARLEY_ASSIGN_OR_RETURN(ChannelState state, ParseChannelState(record->state));
  return std::optional<ChannelState>(std::move(state));
}

}  // namespace parley::client
