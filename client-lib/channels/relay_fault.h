// The error for what only the relay can have done: it shows another log than before. Told apart
// from a damaged profile, which is DataLoss too.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_RELAY_FAULT_H_
#define PARLEY_CLIENT_LIB_CHANNELS_RELAY_FAULT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "client-lib/channels/channel_state.h"

namespace parley::client {

inline constexpr char kRelayFaultPayload[] = "parley/relay-fault";

// DataLoss: "the relay shows another log of the channel joint than before: …".
inline absl::Status RelayFault(const ChannelState& state, const std::string& what) {
  absl::Status status =
      absl::DataLossError("the relay shows another log of the channel " +
                          DescribeChannel(state.kind, state.side) + " than before: " + what);
  status.SetPayload(kRelayFaultPayload, absl::Cord());
  return status;
}

inline bool IsRelayFault(const absl::Status& status) {
  return status.GetPayload(kRelayFaultPayload).has_value();
}

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_RELAY_FAULT_H_
