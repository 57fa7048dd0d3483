// A profile's channel taken apart: group, keys, place in the log, without any of the library's
// rules.
//
// Threading: one thread.
#ifndef PARLEY_TESTS_HOSTILE_ROGUE_CHANNEL_H_
#define PARLEY_TESTS_HOSTILE_ROGUE_CHANNEL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/channels/channel_state.h"
#include "client-lib/channels/epoch_keys.h"
#include "client-lib/store/profile_store.h"
#include "crypto/mls/group.h"
#include "crypto/primitives/signature.h"

namespace parley::hostile {

struct RogueChannel {
  client::ChannelState state;
  std::string name;  // "caucus:Harbor"
  mls::Group group;
  client::EpochKeys keys;
  uint64_t generation = 1;
  uint64_t position = 0;
};

// All channels of the profile that are not closed to it.
absl::StatusOr<std::vector<RogueChannel>> LoadChannels(client::ProfileStore& store);

// The channel of that name. Errors: NotFound.
absl::StatusOr<RogueChannel> LoadChannel(client::ProfileStore& store, const std::string& name);

// The private half of the channel's control key. Errors: NotFound where the profile doesn't have
// it.
absl::StatusOr<crypto::SignatureKey> LoadControlKey(client::ProfileStore& store,
                                                    const client::ChannelState& state);

// What a rogue puts into the log.
struct RogueEntry {
  crypto::Bytes message;  // the MLSMessage, to be sealed
  // Of a commit:
  std::optional<client::ChannelState> next_state;
  std::optional<mls::Group> next_group;
};

// Acts, by name:
//   renew               a commit that changes nothing
//   add-stranger        Add of somebody invented, with the roster that says so; of side `about`
//   add-unlisted        the same, but the roster doesn't say so
//   list-only           somebody invented is in the roster, without a leaf
//   remove              Remove of the member called `about`, from the roster too
//   remove-unlisted     Remove of the member called `about`, who stays in the roster
//   promote             the actor is a co-mediator from now on
//   move-mailbox        the channel is said to have another mailbox
//   propose-add         a proposal, not a commit
//   propose-remove      likewise, about the member called `about`
// Errors: InvalidArgument for another act; NotFound when there is no such member; MLS's.
absl::StatusOr<RogueEntry> MakeRogueEntry(RogueChannel& channel, const std::string& act,
                                          const std::string& about);

}  // namespace parley::hostile

#endif  // PARLEY_TESTS_HOSTILE_ROGUE_CHANNEL_H_
