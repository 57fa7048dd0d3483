// Heads of logs that members announce to each other in the neutrals' channel, and their comparison
// with the own logs (docs/protocol.md section 5, "Transcript").
//
// Threading: free functions on a transaction.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_HEAD_CLAIMS_H_
#define PARLEY_CLIENT_LIB_CHANNELS_HEAD_CLAIMS_H_

#include <vector>

#include "absl/status/status.h"
#include "client-lib/channels/channel_step.h"

namespace parley::client {

// Takes a claim about this log in: compares it at once, or keeps it until the log has come as far.
absl::Status TakeClaim(ChannelStep& step, HeadClaim claim, ExchangeResult& result);

// Compares the claims that the log has reached.
absl::Status CheckClaims(ChannelStep& step, ExchangeResult& result);

// The relay has said that there is nothing after log().position, when `asked_with` were the claims
// known. Those among them that are beyond that, of members who have seen more, become alarms.
void RefuteClaimsBeyondHead(ChannelStep& step, const std::vector<HeadClaim>& asked_with,
                            ExchangeResult& result);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_HEAD_CLAIMS_H_
