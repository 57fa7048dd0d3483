// The end of an incarnation that this device has read and nobody goes by any more: the channel was
// opened anew from an earlier place, since whoever did that hadn't read as far.
//
// Threading: free functions on a transaction.
// Errors: DataLoss for a damaged record; the store's.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_LOST_END_H_
#define PARLEY_CLIENT_LIB_CHANNELS_LOST_END_H_

#include <cstdint>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/channels/channel_ids.h"
#include "client-lib/store/profile_store.h"

namespace parley::client {

struct LostEnd {
  uint32_t incarnation = 0;
  uint64_t after = 0;  // from this place of it the next one goes on

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.incarnation, self.after);
  }
  friend bool operator==(const LostEnd&, const LostEnd&) = default;
};

// Those that a Welcome into the very next incarnation names, in order. None where this device had
// another log up to that place, which is a fork and has an alarm of its own, or can't tell.
absl::StatusOr<std::vector<LostEnd>> FindLostEnds(const ReadTransaction& tx,
                                                  const ChannelId& channel);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_LOST_END_H_
