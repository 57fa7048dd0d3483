// Welcomes that wait: each leads to a stay in the channel whose turn hasn't come, since the log
// before it isn't read to its end yet. There is one place for each adder and each place in a log,
// so that nobody's Welcome takes the place of another's; and so many are kept, of all and of each
// adder, that whoever may let people in can't fill the profile with them.
//
// Threading: free functions on a transaction.
// Errors: the store's; DataLoss where a record is damaged, or was made by a later version. Others
// are named.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_SUCCESSORS_H_
#define PARLEY_CLIENT_LIB_CHANNELS_SUCCESSORS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/channels/channel_records.h"
#include "client-lib/channels/channel_state.h"
#include "client-lib/store/profile_store.h"
#include "crypto/mls/group.h"

namespace parley::client {

// So many wait in one channel, and so many of one adder among them.
inline constexpr size_t kMostWaiting = 64;
inline constexpr size_t kMostWaitingOfOne = 8;

// Where one leads. Its group is in a place of its own.
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

// Those that wait, by their places and adders. What an earlier version has stored is put into the
// form of this one first; one of them that can't be read is forgotten, and its group deleted.
absl::StatusOr<std::vector<Successor>> LoadWaiting(Transaction& tx, const ChannelNames& names);

// Instead of what waited.
absl::Status StoreWaiting(Transaction& tx, const ChannelNames& names,
                          std::vector<Successor> waiting);

// Adds one, in the place of another one by the same adder to the same place. With `bounded`, it is
// refused where as many wait already as are kept. Errors: PermissionDenied, saying so.
absl::Status AddWaiting(Transaction& tx, const ChannelNames& names, Successor successor,
                        mls::Group& group, bool bounded);

// Drops what leads no further than to this place.
absl::Status DropWaiting(Transaction& tx, const ChannelNames& names, const Successor::Place& place);

absl::StatusOr<mls::Group> LoadGroupOf(const ReadTransaction& tx, const ChannelNames& names,
                                       const Successor& one);
absl::Status DeleteGroupOf(Transaction& tx, const ChannelNames& names, const Successor& one);

// What this device knew of the channel before the stay that began at `place`.
absl::Status StoreStateBefore(Transaction& tx, const ChannelNames& names,
                              const Successor::Place& place, const ChannelState& state);
// Nothing where it isn't stored.
absl::StatusOr<std::optional<ChannelState>> LoadStateBefore(const ReadTransaction& tx,
                                                            const ChannelNames& names,
                                                            const Successor::Place& place);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_SUCCESSORS_H_
