#include "tests/hostile/rogue_channel.h"

#include <algorithm>
#include <utility>

#include "client-lib/channels/channel.h"
#include "client-lib/channels/channel_records.h"
#include "client-lib/channels/credential.h"
#include "client-lib/channels/group_store.h"
#include "crypto/base/status_macros.h"

namespace parley::hostile {
namespace {

using client::ChannelNames;
using client::ChannelState;
using client::RecordClass;
using client::RosterMember;
using crypto::Bytes;

absl::StatusOr<std::optional<RogueChannel>> LoadOne(const client::ReadTransaction& tx,
                                                    const ChannelId& id) {
  const ChannelNames names(id);
  PARLEY_ASSIGN_OR_RETURN(const auto channel, client::LoadExisting<client::ChannelRecord>(
                                                  tx, RecordClass::kContent, names.Channel()));
  PARLEY_ASSIGN_OR_RETURN(const auto incarnation,
                          client::LoadExisting<client::IncarnationRecord>(
                              tx, RecordClass::kContent, names.Incarnation(channel.incarnation)));
  PARLEY_ASSIGN_OR_RETURN(std::optional<mls::Group> stored,
                          client::LoadGroup(tx, names.Group(channel.incarnation)));
  if (!stored.has_value()) return std::optional<RogueChannel>();
  mls::Group group = *std::move(stored);
  PARLEY_ASSIGN_OR_RETURN(ChannelState state, client::ChannelStateOf(group.extensions()));
  PARLEY_ASSIGN_OR_RETURN(client::EpochKeys keys, client::DeriveEpochKeys(group, state.mailbox_id));
  std::string name = client::DescribeChannel(state.kind, state.side);
  return std::optional<RogueChannel>(RogueChannel{.state = std::move(state),
                                                  .name = std::move(name),
                                                  .group = std::move(group),
                                                  .keys = std::move(keys),
                                                  .generation = incarnation.generation,
                                                  .position = incarnation.position});
}

absl::StatusOr<RosterMember> Find(const ChannelState& state, const std::string& name) {
  for (const RosterMember& member : state.members) {
    if (member.name.starts_with(name)) return member;
  }
  return absl::NotFoundError("no member called " + name);
}

absl::StatusOr<mls::LeafIndex> LeafOf(const mls::Group& group, const RosterMember& member) {
  for (const mls::Member& leaf : group.members()) {
    PARLEY_ASSIGN_OR_RETURN(const auto credential, client::CredentialOf(leaf.credential));
    if (credential.participant_id == member.participant_id) return leaf.leaf;
  }
  return absl::NotFoundError("no leaf of " + member.name);
}

struct Stranger {
  RosterMember member;
  Bytes key_package;
};

absl::StatusOr<Stranger> MakeStranger(const std::string& side) {
  client::ParleyCredential credential;
  credential.participant_id = client::RandomId<ParticipantId>();
  credential.device_id = client::RandomId<client::DeviceId>();
  const crypto::Secret identity = crypto::Secret::Random(credential.identity_key.size());
  std::copy(identity.Reveal().begin(), identity.Reveal().end(), credential.identity_key.begin());
  PARLEY_ASSIGN_OR_RETURN(const mls::KeyPackageBundle bundle, client::MakeKeyPackage(credential));
  return Stranger{.member = {.participant_id = credential.participant_id,
                             .name = "Mallory",
                             .role = Role::kParty,
                             .side = side,
                             .devices = {{.device_id = credential.device_id,
                                          .identity_key = credential.identity_key}}},
                  .key_package = bundle.message()};
}

absl::StatusOr<RogueEntry> Commit(RogueChannel& channel, mls::CommitOptions options,
                                  const ChannelState& next_state) {
  if (!(next_state == channel.state)) {
    options.extensions = client::WithChannelState(channel.group.extensions(), next_state);
  }
  options.include = mls::ProposalsToInclude::kNone;
  options.force_path = true;
  PARLEY_ASSIGN_OR_RETURN(mls::PreparedCommit prepared, channel.group.PrepareCommit(options));
  return RogueEntry{.message = std::move(prepared.message),
                    .next_state = next_state,
                    .next_group = std::move(prepared.next)};
}

absl::StatusOr<RogueEntry> Propose(absl::StatusOr<Bytes> message) {
  if (!message.ok()) return message.status();
  return RogueEntry{.message = *std::move(message), .next_state = {}, .next_group = {}};
}

absl::StatusOr<RogueEntry> AddStranger(RogueChannel& channel, const std::string& act,
                                       const std::string& side) {
  PARLEY_ASSIGN_OR_RETURN(Stranger stranger, MakeStranger(side));
  if (act == "propose-add") return Propose(channel.group.ProposeAdd(stranger.key_package));
  ChannelState next = channel.state;
  mls::CommitOptions options;
  if (act != "list-only") options.adds.push_back(stranger.key_package);
  if (act != "add-unlisted") next.members.push_back(stranger.member);
  return Commit(channel, std::move(options), next);
}

absl::StatusOr<RogueEntry> RemoveMember(RogueChannel& channel, const std::string& act,
                                        const std::string& name) {
  PARLEY_ASSIGN_OR_RETURN(const RosterMember member, Find(channel.state, name));
  PARLEY_ASSIGN_OR_RETURN(const mls::LeafIndex leaf, LeafOf(channel.group, member));
  if (act == "propose-remove") return Propose(channel.group.ProposeRemove(leaf));
  ChannelState next = channel.state;
  if (act == "remove") std::erase(next.members, member);
  mls::CommitOptions options;
  options.removes.push_back(leaf);
  return Commit(channel, std::move(options), next);
}

}  // namespace

absl::StatusOr<std::vector<RogueChannel>> LoadChannels(client::ProfileStore& store) {
  PARLEY_ASSIGN_OR_RETURN(const client::ReadTransaction tx, store.Read());
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelId> ids, client::Channel::List(tx));
  std::vector<RogueChannel> channels;
  for (const ChannelId& id : ids) {
    PARLEY_ASSIGN_OR_RETURN(std::optional<RogueChannel> channel, LoadOne(tx, id));
    if (channel.has_value()) channels.push_back(*std::move(channel));
  }
  return channels;
}

absl::StatusOr<RogueChannel> LoadChannel(client::ProfileStore& store, const std::string& name) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<RogueChannel> channels, LoadChannels(store));
  for (RogueChannel& channel : channels) {
    if (channel.name == name) return std::move(channel);
  }
  return absl::NotFoundError("the profile has no channel " + name);
}

absl::StatusOr<crypto::SignatureKey> LoadControlKey(client::ProfileStore& store,
                                                    const ChannelState& state) {
  PARLEY_ASSIGN_OR_RETURN(const client::ReadTransaction tx, store.Read());
  PARLEY_ASSIGN_OR_RETURN(
      const std::optional<crypto::Secret> seed,
      tx.Get(RecordClass::kKeys, ChannelNames(state.channel_id).Control(state.control_key)));
  if (!seed.has_value()) return absl::NotFoundError("the profile doesn't have the control key");
  return crypto::SignatureKey::FromSeed(seed->Reveal());
}

absl::StatusOr<RogueEntry> MakeRogueEntry(RogueChannel& channel, const std::string& act,
                                          const std::string& about) {
  if (act == "renew") return Commit(channel, {}, channel.state);
  if (act == "add-stranger" || act == "add-unlisted" || act == "list-only" ||
      act == "propose-add") {
    return AddStranger(channel, act, about);
  }
  if (act == "remove" || act == "remove-unlisted" || act == "propose-remove") {
    return RemoveMember(channel, act, about);
  }
  ChannelState next = channel.state;
  if (act == "promote") {
    PARLEY_ASSIGN_OR_RETURN(const RosterMember self, Find(next, about));
    for (RosterMember& member : next.members) {
      if (member == self) {
        member.role = Role::kCoMediator;
        member.side.clear();
      }
    }
    return Commit(channel, {}, next);
  }
  if (act == "move-mailbox") {
    next.mailbox_id[0] ^= 1;
    return Commit(channel, {}, next);
  }
  return absl::InvalidArgumentError("no such act: " + act);
}

}  // namespace parley::hostile
