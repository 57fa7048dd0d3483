#include "client-lib/channels/channel_state.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "client-lib/channels/names.h"
#include "client-lib/content/parse.h"
#include "crypto/base/bytes.h"
#include "crypto/base/status_macros.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {
namespace {

namespace pb = content::v1;

constexpr uint32_t kStateVersion = 1;

absl::Status Invalid(const std::string& what) {
  return absl::InvalidArgumentError("the channel's state is not valid: " + what);
}

template <size_t N>
bool CopyFixed(const std::string& field, crypto::ByteArray<N>& out) {
  if (field.size() != N) return false;
  std::copy(field.begin(), field.end(), out.begin());
  return true;
}

template <typename IdType>
bool CopyId(const std::string& field, IdType& out) {
  const std::optional<IdType> id = IdFrom<IdType>(field);
  if (!id.has_value()) return false;
  out = *id;
  return true;
}

bool IsKnown(Role role) { return role >= Role::kMediator && role <= Role::kSupportPerson; }
bool IsKnown(ChannelKind kind) {
  return kind >= ChannelKind::kJoint && kind <= ChannelKind::kGroup;
}

absl::Status ReadMember(const pb::ChannelState::Member& from, RosterMember& to) {
  if (!CopyId(from.participant_id(), to.participant_id)) return Invalid("a participant's id");
  to.name = from.name();
  to.role = static_cast<Role>(from.role());
  to.side = from.side();
  for (const pb::ChannelState::Device& device : from.devices()) {
    RosterDevice& added = to.devices.emplace_back();
    if (!CopyId(device.device_id(), added.device_id)) return Invalid("a device's id");
    if (!CopyFixed(device.identity_key(), added.identity_key)) return Invalid("an identity key");
  }
  return absl::OkStatus();
}

absl::Status CheckMember(const RosterMember& member, std::set<DeviceId>& devices) {
  if (member.participant_id.is_zero()) return Invalid("a participant's id is zero");
  PARLEY_RETURN_IF_ERROR(CheckName("the channel's state is not valid: a name", member.name));
  if (!IsKnown(member.role)) return Invalid(member.name + " has an unknown role");
  if (!member.side.empty()) {
    PARLEY_RETURN_IF_ERROR(CheckName("the channel's state is not valid: a side", member.side));
  }
  if (member.devices.empty() || member.devices.size() > kMaxMemberDevices) {
    return Invalid(member.name + " has no device, or too many");
  }
  for (const RosterDevice& device : member.devices) {
    if (device.device_id.is_zero()) return Invalid("a device's id is zero");
    if (!devices.insert(device.device_id).second) return Invalid("a device is in it twice");
  }
  return absl::OkStatus();
}

absl::Status CheckStewards(const ChannelState& state) {
  std::set<ParticipantId> seen;
  for (const ParticipantId& steward : state.stewards) {
    if (!seen.insert(steward).second) return Invalid("a steward is in it twice");
    if (state.FindMember(steward) == nullptr) return Invalid("a steward is no member");
  }
  if (!state.stewards.empty() && state.kind != ChannelKind::kTeam) {
    return Invalid("only a team has stewards");
  }
  return absl::OkStatus();
}

}  // namespace

const RosterMember* ChannelState::FindMember(const ParticipantId& id) const {
  const auto found = std::find_if(members.begin(), members.end(), [&](const RosterMember& member) {
    return member.participant_id == id;
  });
  return found == members.end() ? nullptr : &*found;
}

bool ChannelState::IsCommitter(const ParticipantId& id) const {
  const RosterMember* member = FindMember(id);
  if (member == nullptr) return false;
  if (kind == ChannelKind::kTeam) {
    return std::find(stewards.begin(), stewards.end(), id) != stewards.end();
  }
  return IsNeutral(member->role);
}

Bytes SerializeChannelState(const ChannelState& state) {
  pb::ChannelState out;
  out.set_version(kStateVersion);
  out.set_case_id(ToField(state.case_id));
  out.set_channel_id(ToField(state.channel_id));
  out.set_incarnation(state.incarnation);
  out.set_kind(static_cast<pb::ChannelKind>(state.kind));
  out.set_side(state.side);
  out.set_mailbox_id(crypto::ToString(state.mailbox_id));
  out.set_control_key(crypto::ToString(state.control_key));
  for (const RosterMember& member : state.members) {
    pb::ChannelState::Member* added = out.add_members();
    added->set_participant_id(ToField(member.participant_id));
    added->set_name(member.name);
    added->set_role(static_cast<pb::Role>(member.role));
    added->set_side(member.side);
    for (const RosterDevice& device : member.devices) {
      pb::ChannelState::Device* added_device = added->add_devices();
      added_device->set_device_id(ToField(device.device_id));
      added_device->set_identity_key(crypto::ToString(device.identity_key));
    }
  }
  for (const ParticipantId& steward : state.stewards) out.add_stewards(ToField(steward));
  return crypto::ToBytes(out.SerializeAsString());
}

absl::Status ValidateChannelState(const ChannelState& state) {
  if (state.case_id.is_zero() || state.channel_id.is_zero()) return Invalid("an id is zero");
  if (state.incarnation == 0) return Invalid("the incarnation is 0");
  if (!IsKnown(state.kind)) return Invalid("the kind of channel is unknown");
  if (!state.side.empty()) {
    PARLEY_RETURN_IF_ERROR(CheckName("the channel's state is not valid: a side", state.side));
  }
  if (state.members.empty() || state.members.size() > kMaxRosterMembers) {
    return Invalid("it has no member, or more than " + std::to_string(kMaxRosterMembers));
  }
  std::set<ParticipantId> participants;
  std::set<DeviceId> devices;
  for (const RosterMember& member : state.members) {
    PARLEY_RETURN_IF_ERROR(CheckMember(member, devices));
    if (!participants.insert(member.participant_id).second) {
      return Invalid(member.name + " is in it twice");
    }
  }
  return CheckStewards(state);
}

absl::StatusOr<ChannelState> ParseChannelState(ByteView bytes) {
  pb::ChannelState in;
  if (!ParseFromPeer(in, bytes)) {
    return Invalid("it can't be read");
  }
  if (in.version() != kStateVersion) {
    return Invalid("it is of version " + std::to_string(in.version()) +
                   ", which this version of Parley doesn't know");
  }
  if (in.members_size() > static_cast<int>(kMaxRosterMembers)) return Invalid("too many members");
  ChannelState state;
  if (!CopyId(in.case_id(), state.case_id)) return Invalid("the case's id");
  if (!CopyId(in.channel_id(), state.channel_id)) return Invalid("the channel's id");
  state.incarnation = in.incarnation();
  state.kind = static_cast<ChannelKind>(in.kind());
  state.side = in.side();
  if (!CopyFixed(in.mailbox_id(), state.mailbox_id)) return Invalid("the mailbox's id");
  if (!CopyFixed(in.control_key(), state.control_key)) return Invalid("the control key");
  for (const pb::ChannelState::Member& member : in.members()) {
    PARLEY_RETURN_IF_ERROR(ReadMember(member, state.members.emplace_back()));
  }
  for (const std::string& steward : in.stewards()) {
    if (!CopyId(steward, state.stewards.emplace_back())) return Invalid("a steward's id");
  }
  PARLEY_RETURN_IF_ERROR(ValidateChannelState(state));
  // One state, one form: also refuses fields that this version doesn't know.
  if (!crypto::PublicEquals(SerializeChannelState(state), bytes)) {
    return Invalid("it isn't in its one valid form");
  }
  return state;
}

absl::StatusOr<ChannelState> ChannelStateOf(const mls::Extensions& extensions) {
  const mls::Extension* extension = mls::FindExtension(extensions, kChannelStateExtension);
  if (extension == nullptr) return Invalid("the group has none");
  return ParseChannelState(extension->data);
}

mls::Extensions WithChannelState(const mls::Extensions& extensions, const ChannelState& state) {
  mls::Extensions changed = extensions;
  std::erase_if(changed, [](const mls::Extension& e) { return e.type == kChannelStateExtension; });
  changed.push_back({kChannelStateExtension, SerializeChannelState(state)});
  return changed;
}

namespace {

const char* NameOf(Role role) {
  switch (role) {
    case Role::kMediator:
      return "mediator";
    case Role::kCoMediator:
      return "co-mediator";
    case Role::kParty:
      return "party";
    case Role::kCounsel:
      return "counsel";
    case Role::kExpert:
      return "expert";
    case Role::kObserver:
      return "observer";
    case Role::kInterpreter:
      return "interpreter";
    case Role::kSupportPerson:
      return "support person";
    case Role::kUnknown:
      break;
  }
  return "unknown";
}

const char* NameOf(ChannelKind kind) {
  switch (kind) {
    case ChannelKind::kJoint:
      return "joint";
    case ChannelKind::kCaucus:
      return "caucus";
    case ChannelKind::kNeutrals:
      return "neutrals";
    case ChannelKind::kCounsel:
      return "counsel";
    case ChannelKind::kTeam:
      return "team";
    case ChannelKind::kGroup:
      return "group";
    case ChannelKind::kUnknown:
      break;
  }
  return "unknown";
}

}  // namespace

std::string Describe(const RosterMember& member) {
  std::string text = member.name + " (" + NameOf(member.role);
  if (!member.side.empty()) text += ", " + member.side;
  return text + ")";
}

std::string DescribeChannel(ChannelKind kind, const std::string& side) {
  std::string text = NameOf(kind);
  if (!side.empty()) text += ":" + side;
  return text;
}

}  // namespace parley::client
