// The caucus rule: who may be in a channel of each kind (docs/protocol.md section 5, rule 5). Every
// client enforces it on every membership that it is shown.
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_CAUCUS_RULE_H_
#define PARLEY_CLIENT_LIB_CHANNELS_CAUCUS_RULE_H_

#include <string>

#include "absl/status/status.h"
#include "client-lib/channels/channel_state.h"

namespace parley::client {

// Whether somebody of this role and side may be in such a channel at all. (That an expert or
// interpreter without a side was admitted is the neutrals' decision.)
bool MayBeIn(ChannelKind kind, const std::string& channel_side, Role role,
             const std::string& member_side);

// Checks the kind's side and every member. Errors: PermissionDenied naming channel and member.
absl::Status CheckCaucusRule(const ChannelState& state);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_CAUCUS_RULE_H_
