// The numbers of a channel's incarnations. Who opens one names its number, in a Welcome: how far it
// may be from what this device knows is bounded, so that nobody makes a device count for ever, and
// what is stored is found by steps of that length.
//
// Threading: free functions on a transaction.
// Errors: the store's; others are named.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_INCARNATIONS_H_
#define PARLEY_CLIENT_LIB_CHANNELS_INCARNATIONS_H_

#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/channels/channel_ids.h"
#include "client-lib/channels/channel_records.h"
#include "client-lib/channels/channel_state.h"
#include "client-lib/store/profile_store.h"

namespace parley::client {

// So many incarnations on from the latest one that this device knows it takes the next.
inline constexpr uint32_t kMostUnknownIncarnations = 64;
// As far as a channel that this device doesn't know yet may have come.
inline constexpr uint32_t kMostIncarnationsBefore = 65'536;
// No channel comes as far: its incarnation would have no next one.
inline constexpr uint32_t kNoIncarnation = std::numeric_limits<uint32_t>::max();

// Whether a Welcome by `adder`, a member in it, may lead to the state's incarnation: the first one
// of the channel here, or one beyond `known`, the latest. Errors: PermissionDenied, saying who
// wants that.
absl::Status CheckFirstIncarnation(const ChannelState& state, const ParticipantId& adder);
absl::Status CheckLaterIncarnation(const ChannelState& state, uint32_t known,
                                   const ParticipantId& adder);

// Those that this device has records of, in order, `latest` being the last: what these checks let
// in leaves no greater gap than is looked over.
absl::StatusOr<std::vector<uint32_t>> StoredIncarnations(const ReadTransaction& tx,
                                                         const ChannelNames& names,
                                                         uint32_t latest);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_INCARNATIONS_H_
