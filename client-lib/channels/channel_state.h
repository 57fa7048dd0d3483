// ChannelState: what a channel is and who is in it, as the GroupContext extension 0xF0A0 carries it
// (docs/protocol.md section 5). Here it is checked and typed; the wire form is protobuf.
//
// Threading: plain values and free functions.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_STATE_H_
#define PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_STATE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/channels/channel_ids.h"
#include "client-lib/relay/relay_types.h"
#include "crypto/mls/extension.h"
#include "parley/types.h"

namespace parley::client {

inline constexpr mls::ExtensionType kChannelStateExtension{0xF0A0};

inline constexpr size_t kMaxRosterMembers = 512;
inline constexpr size_t kMaxMemberDevices = 16;

struct RosterDevice {
  DeviceId device_id;
  IdentityKey identity_key{};

  friend bool operator==(const RosterDevice&, const RosterDevice&) = default;
};

struct RosterMember {
  ParticipantId participant_id;
  std::string name;
  Role role = Role::kUnknown;
  std::string side;  // empty for none
  std::vector<RosterDevice> devices;

  friend bool operator==(const RosterMember&, const RosterMember&) = default;
};

struct ChannelState {
  CaseId case_id;
  ChannelId channel_id;
  uint32_t incarnation = 1;
  ChannelKind kind = ChannelKind::kUnknown;
  std::string side;  // of a caucus or team
  ObjectId mailbox_id{};
  PublicKey control_key{};
  std::vector<RosterMember> members;
  std::vector<ParticipantId> stewards;  // of a team

  // The member, or null. Valid while the state is unchanged.
  const RosterMember* FindMember(const ParticipantId& id) const;
  // Whether they may commit: a neutral; in a team, a steward.
  bool IsCommitter(const ParticipantId& id) const;

  friend bool operator==(const ChannelState&, const ChannelState&) = default;
};

// The bytes of the extension. The same state always gives the same bytes.
Bytes SerializeChannelState(const ChannelState& state);

// Reads and checks by itself: version, lengths, roles and kinds that are known, UTF-8 without
// control characters, names within their limit, no participant or device twice, no unknown fields.
// Who may be in the channel is caucus_rule.h's.
// Errors: InvalidArgument, saying what is wrong.
absl::StatusOr<ChannelState> ParseChannelState(ByteView bytes);

// What ParseChannelState checks, for a state that is made here.
absl::Status ValidateChannelState(const ChannelState& state);

// The state that a group's extensions hold. Errors: InvalidArgument, also when there is none.
absl::StatusOr<ChannelState> ChannelStateOf(const mls::Extensions& extensions);

// Those extensions with this state in place of theirs.
mls::Extensions WithChannelState(const mls::Extensions& extensions, const ChannelState& state);

// "Lee (counsel, Harbor)", "Mira Voss (mediator)".
std::string Describe(const RosterMember& member);
// "caucus:Harbor", "joint".
std::string DescribeChannel(ChannelKind kind, const std::string& side);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_STATE_H_
