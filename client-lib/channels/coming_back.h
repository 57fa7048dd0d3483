// What this device has missed of a channel's log: where it came in again after it had been out of
// it, or after others had opened it anew from a later place than it had read to. What it had before
// doesn't lead to what comes. A record of the channel (channel_records.h), class index:
// `…/coming-back`.
//
// Threading: free functions on a transaction.
// Errors: the store's.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_COMING_BACK_H_
#define PARLEY_CLIENT_LIB_CHANNELS_COMING_BACK_H_

#include <cstdint>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/channels/channel_ids.h"
#include "client-lib/store/profile_store.h"

namespace parley::client {

struct ComingBack {
  // Of the last entry that it had read.
  uint32_t left_incarnation = 0;
  uint64_t left_position = 0;
  // Of the entry that let it in again.
  uint32_t incarnation = 0;
  uint64_t position = 0;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.left_incarnation, self.left_position, self.incarnation, self.position);
  }
};

absl::Status NoteComingBack(Transaction& tx, const ChannelId& channel, const ComingBack& where);
// In order; none for who has missed nothing.
absl::StatusOr<std::vector<ComingBack>> LoadComingsBack(const ReadTransaction& tx,
                                                        const ChannelId& channel);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_COMING_BACK_H_
