// What a participant's device keeps for its side: how its participants pair, and what was decided
// here about the team channel. Neutrals have none of it.
//
// Threading: plain values, and functions on a transaction.
#ifndef PARLEY_CLIENT_LIB_CASES_TEAM_RECORDS_H_
#define PARLEY_CLIENT_LIB_CASES_TEAM_RECORDS_H_

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/cases/case_context.h"
#include "client-lib/cases/naming.h"

namespace parley::client {

// A control key that another steward has sent, until it is the one in force.
struct HeardControl {
  ParticipantId from;
  ChannelId channel_id;
  Secret seed;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.from, self.channel_id, self.seed);
  }
};

// That a steward was sent the control key.
struct ToldControl {
  ParticipantId to;
  PublicKey control_key{};
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.to, self.control_key);
  }
};

// The device by which somebody of the side was first seen.
struct FirstDevice {
  ParticipantId participant_id;
  DeviceId device_id;
  IdentityKey identity_key{};
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.participant_id, self.device_id, self.identity_key);
  }
};

// "case/<id>/team".
struct TeamRecord {
  // ---- Pairing within the side (side_pairing.h)
  std::vector<FirstDevice> first_devices;
  ChannelId caucus;                       // where it is said
  uint64_t cursor = 0;                    // up to which number the caucus was looked at
  std::vector<Secret> introductions;      // own ones, the latest last
  std::vector<ParticipantId> introduced;  // who could read the latest
  // ---- The team
  std::vector<ParticipantId> wanted;           // to be let in
  std::vector<ParticipantId> wanted_stewards;  // to become stewards
  std::vector<ParticipantId> dismissed;        // to be put out
  std::vector<HeardControl> heard;
  std::vector<ToldControl> told;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.first_devices, self.caucus, self.cursor, self.introductions,
                    self.introduced, self.wanted, self.wanted_stewards, self.dismissed, self.heard,
                    self.told);
  }
};

absl::StatusOr<TeamRecord> LoadTeam(const ReadTransaction& step, const CaseContext& context);
absl::Status PutTeam(Transaction& step, const CaseContext& context, const TeamRecord& record);
// Forgets who was to be let in, put out, or made a steward.
absl::Status ForgetDecisions(Transaction& step, const CaseContext& context);

// Adds an id to a list that doesn't have it.
void AddId(std::vector<ParticipantId>& ids, const ParticipantId& id);
bool HasId(const std::vector<ParticipantId>& ids, const ParticipantId& id);

// The case's channels as a participant with a side sees them. The pointers are into what it was
// made of, and null for a channel that isn't active or doesn't count.
struct SideView {
  CaseRecord record;
  std::vector<CaseChannel> channels;
  std::vector<CaseChannel> counting;  // those of them that count
  const CaseChannel* joint = nullptr;
  const CaseChannel* caucus = nullptr;  // of the own side
  const CaseChannel* team = nullptr;    // of the own side
  // Whom the caucus shows with another device than the one that this profile saw first: who has
  // lost a device comes back under another id, so somebody else was put in their place.
  std::vector<ParticipantId> replaced;

  SideView() = default;
  SideView(const SideView&) = delete;
  SideView& operator=(const SideView&) = delete;
  absl::Status Load(const ReadTransaction& step, const CaseContext& context);

  // Whether the owner takes part and stands on a side.
  bool HasSide() const;
  // As the side's caucus shows them; null for who isn't in it, is a neutral there, or was replaced.
  const RosterMember* OnOwnSide(const ParticipantId& id) const;
};

// Notes the devices of those of the own side who are seen for the first time. Whether there were
// any.
bool NoteFirstDevices(const SideView& view, TeamRecord& record);

// The pairing that two of a side have made between themselves. One with a neutral doesn't count,
// whomever its card names: a neutral's introduction could have made it.
absl::StatusOr<std::optional<Pairing>> SidePairingWith(const ReadTransaction& step,
                                                       const CaseContext& context,
                                                       const ParticipantId& id);

// What the case's other channels say of a team's roster, as lines for people.
struct TeamCheck {
  // Somebody in it who is a neutral or of another side, or has another name or key, in the joint
  // channel or the side's caucus; or, of whom neither of the two shows, in any other. Empty for
  // nobody: whoever is in it must be believed to be who they are shown as.
  std::string contradiction;
  // What another channel alone says otherwise of those whom the joint channel or the caucus shows
  // as the team does: one neutral can bring that about, so it is told and ends nothing.
  std::vector<std::string> doubts;
  // Whom no other channel here shows.
  std::vector<std::string> unknown;
};
// `channels`: those that count (ThoseThatCount); what isn't active, or is a team, says nothing.
TeamCheck CheckTeam(const ChannelState& team, const std::vector<CaseChannel>& channels);

std::vector<CaseChannel> ThoseThatCount(const ChannelChoice& choice,
                                        const std::vector<CaseChannel>& channels);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_TEAM_RECORDS_H_
