#include "client-lib/cases/controls.h"

#include <algorithm>

#include "client-lib/content/wipe.h"
#include "crypto/primitives/signature.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {
namespace {

using content::v1::CaseSecrets;

// Of one author and channel: the seeds that still can matter are its latest ones.
constexpr size_t kMostOfOne = 4;

bool ConcernsChannel(const ControlRecord& control, const CaseChannel& channel) {
  return control.channel_id == channel.id && control.incarnation == channel.info.state.incarnation;
}

void Note(CaseRecord& record, ControlRecord control) {
  std::vector<ControlRecord>& controls = record.controls;
  // An own one that was on its way has come.
  std::erase_if(controls, [&control](const ControlRecord& other) {
    return other.number == 0 && other.channel_id == control.channel_id &&
           other.incarnation == control.incarnation && other.author == control.author &&
           crypto::ConstantTimeEquals(other.seed.Reveal(), control.seed.Reveal());
  });
  const auto of_author = [&control](const ControlRecord& other) {
    return other.channel_id == control.channel_id && other.author == control.author;
  };
  while (std::count_if(controls.begin(), controls.end(), of_author) >=
         static_cast<ptrdiff_t>(kMostOfOne)) {
    controls.erase(std::find_if(controls.begin(), controls.end(), of_author));
  }
  controls.push_back(std::move(control));
}

void SetConnection(const CaseRecord& record, CaseSecrets& secrets) {
  secrets.set_connection(FormatConnectionString(record.Relay(), record.sponsor_token.Reveal()));
}

}  // namespace

bool NoteNeutrals(CaseRecord& record, const CaseChannel& neutrals) {
  std::vector<ParticipantId> there;
  for (const RosterMember& member : neutrals.info.state.members) {
    there.push_back(member.participant_id);
  }
  if (there == record.neutrals_there) return false;
  const bool gone = std::any_of(record.neutrals_there.begin(), record.neutrals_there.end(),
                                [&there](const ParticipantId& id) {
                                  return std::find(there.begin(), there.end(), id) == there.end();
                                });
  if (gone) record.neutrals_since = neutrals.info.generation_began;
  record.neutrals_there = std::move(there);
  std::erase_if(record.controls, [&](const ControlRecord& control) {
    return control.author != record.own_id &&
           neutrals.info.state.FindMember(control.author) == nullptr;
  });
  return true;
}

absl::Status TakeControls(Transaction& step, const CaseContext& context, CaseRecord& record,
                          const CaseSecrets& secrets, const ChannelState& neutrals,
                          const ParticipantId& author, uint64_t number) {
  const bool there = author == record.own_id || neutrals.FindMember(author) != nullptr;
  for (const CaseSecrets::Control& said : secrets.controls()) {
    const std::optional<ChannelId> channel = IdFrom<ChannelId>(said.channel_id());
    if (!channel.has_value() || said.control_seed().size() != crypto::kSignatureSeedSize) continue;
    ControlRecord control{*channel, said.incarnation(),
                          Secret::CopyOf(crypto::ViewOf(said.control_seed())), author, number};
    // The seed of the key in force is worth knowing whoever said it: it is found by that key.
    if (std::find(record.channels.begin(), record.channels.end(), *channel) !=
        record.channels.end()) {
      PARLEY_RETURN_IF_ERROR(context.Channel(*channel).LearnControlSeed(step, control.seed));
    }
    if (there) Note(record, std::move(control));
  }
  return absl::OkStatus();
}

absl::Status PostControls(Transaction& step, const CaseContext& context, const ChannelId& neutrals,
                          CaseRecord& record, const std::vector<ControlRecord>& controls,
                          WithToken with_token) {
  content::v1::Content content;
  const ScopedMessageWipe wipe(content);
  CaseSecrets& secrets = *content.mutable_case_secrets();
  for (const ControlRecord& control : controls) {
    CaseSecrets::Control& one = *secrets.add_controls();
    one.set_channel_id(ToField(control.channel_id));
    one.set_incarnation(control.incarnation);
    one.set_control_seed(crypto::ToString(control.seed.Reveal()));
    PARLEY_RETURN_IF_ERROR(
        context.Channel(control.channel_id).LearnControlSeed(step, control.seed));
    Note(record, {control.channel_id, control.incarnation, control.seed.Clone(), record.own_id, 0});
  }
  if (with_token == WithToken::kYes) SetConnection(record, secrets);
  return context.Channel(neutrals).Queue(step, content).status();
}

absl::Status PostToken(Transaction& step, const CaseContext& context, const ChannelId& neutrals,
                       const CaseRecord& record) {
  content::v1::Content content;
  const ScopedMessageWipe wipe(content);
  CaseSecrets& secrets = *content.mutable_case_secrets();
  SetConnection(record, secrets);
  secrets.set_renewed(true);
  return context.Channel(neutrals).Queue(step, content).status();
}

absl::StatusOr<const ControlRecord*> NextControl(const CaseRecord& record,
                                                 const ChannelChoice& choice,
                                                 const CaseChannel& channel) {
  const ControlRecord* next = nullptr;
  for (const ControlRecord& control : record.controls) {
    if (!ConcernsChannel(control, channel) || control.number <= record.neutrals_since ||
        control.number == 0 || !choice.IsNeutralNow(control.author)) {
      continue;
    }
    PARLEY_ASSIGN_OR_RETURN(crypto::SignatureKey key,
                            crypto::SignatureKey::FromSeed(control.seed.Reveal()));
    if (key.public_key() == channel.info.state.control_key) continue;
    if (next == nullptr || next->number < control.number) next = &control;
  }
  return next;
}

bool OwnControlWaits(const CaseRecord& record, const CaseChannel& channel) {
  return std::any_of(record.controls.begin(), record.controls.end(),
                     [&](const ControlRecord& control) {
                       return ConcernsChannel(control, channel) && control.number == 0 &&
                              control.author == record.own_id;
                     });
}

absl::StatusOr<bool> ControlIsShared(const CaseRecord& record, const ChannelChoice& choice,
                                     const CaseChannel& channel, const Secret& seed) {
  return std::any_of(
      record.controls.begin(), record.controls.end(), [&](const ControlRecord& control) {
        return ConcernsChannel(control, channel) && choice.IsNeutralNow(control.author) &&
               crypto::ConstantTimeEquals(control.seed.Reveal(), seed.Reveal());
      });
}

}  // namespace parley::client
