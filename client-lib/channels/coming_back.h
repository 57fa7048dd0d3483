// Where this device came into a channel again after it had been out of it, and missed something: what
// it had of the log before that doesn't lead to what comes. A record of the channel
// (channel_records.h), class index: `…/coming-back`.
//
// Threading: free functions on a transaction.
// Errors: the store's.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_COMING_BACK_H_
#define PARLEY_CLIENT_LIB_CHANNELS_COMING_BACK_H_

#include <cstdint>
#include <optional>
#include <tuple>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/channels/channel_ids.h"
#include "client-lib/store/profile_store.h"

namespace parley::client {

struct ComingBack {
  uint8_t version = 1;
  uint32_t incarnation = 0;
  uint64_t position = 0;  // of the entry that let it in

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.incarnation, self.position);
  }
};

absl::Status NoteComingBack(Transaction& tx, const ChannelId& channel, const ComingBack& where);
// The latest; nothing for who was never out, or missed nothing.
absl::StatusOr<std::optional<ComingBack>> LoadComingBack(const ReadTransaction& tx,
                                                         const ChannelId& channel);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_COMING_BACK_H_
