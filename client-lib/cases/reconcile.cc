#include "client-lib/cases/reconcile.h"

#include <algorithm>
#include <optional>

#include "client-lib/cases/controls.h"
#include "client-lib/cases/inbox_keys.h"
#include "client-lib/cases/key_stock.h"
#include "client-lib/cases/procedure_work.h"
#include "client-lib/cases/welcomes.h"
#include "client-lib/channels/caucus_rule.h"
#include "crypto/primitives/signature.h"

namespace parley::client {
namespace {

// How long a neutral leaves it to the one who approved somebody to add them, so that the two don't
// get into each other's way.
constexpr uint64_t kApproverGoesFirstSeconds = 20;
// How long a control key in force may take to be said by whoever put it in force.
constexpr uint64_t kKeyMayComeSeconds = 20;

class Reconciler {
 public:
  Reconciler(Transaction& step, const CaseContext& context, bool log_is_fresh)
      : step_(step), context_(context), log_is_fresh_(log_is_fresh) {}

  absl::StatusOr<ReconcileResult> Run() {
    PARLEY_ASSIGN_OR_RETURN(record_, context_.Records().Case(step_));
    PARLEY_ASSIGN_OR_RETURN(people_, context_.Records().People(step_));
    PARLEY_RETURN_IF_ERROR(LoadChannels());
    if (neutrals_ == nullptr) return std::move(result_);
    PARLEY_RETURN_IF_ERROR(NoteWhoIsSeen());
    PARLEY_RETURN_IF_ERROR(RecordLeavers());
    PARLEY_RETURN_IF_ERROR(NameChannels());
    PARLEY_RETURN_IF_ERROR(OpenCaucuses());
    PARLEY_RETURN_IF_ERROR(ReopenWhatTheyHold());
    PARLEY_RETURN_IF_ERROR(RenewControls());
    PARLEY_RETURN_IF_ERROR(ShareControls());
    for (const CaseChannel& channel : channels_) {
      PARLEY_RETURN_IF_ERROR(CommitMembership(channel));
      PARLEY_RETURN_IF_ERROR(DeliverWelcomes(step_, context_, channel.id));
    }
    return std::move(result_);
  }

 private:
  absl::Status LoadChannels() {
    PARLEY_ASSIGN_OR_RETURN(channels_, ChannelsOf(step_, context_));
    neutrals_ = FindByKind(channels_, ChannelKind::kNeutrals);
    choice_.emplace(record_, people_, channels_);
    PARLEY_ASSIGN_OR_RETURN(signing_in_, SigningIn(step_, context_, *choice_));
    return absl::OkStatus();
  }

  bool Belongs(const PersonRecord& person, const CaseChannel& channel) const {
    return BelongsIn(person, channel.id, channel.info.state, signing_in_);
  }

  bool NeutralsWritable() const { return neutrals_->info.standing == Standing::kActive; }
  bool OtherNeutralsPresent() const { return neutrals_->info.state.members.size() > 1; }

  PersonRecord* FindPerson(const ParticipantId& id) {
    for (PersonRecord& person : people_) {
      if (person.id == id) return &person;
    }
    return nullptr;
  }

  // Whether what concerns this person is this device's to do: the one who wrote their record, or,
  // if that one has gone, the first of the neutrals.
  bool IsResponsible(const PersonRecord& person) {
    if (person.approver == record_.own_id) return true;
    const PersonRecord* approver = FindPerson(person.approver);
    if (approver != nullptr && approver->TakesPart()) return false;
    for (const PersonRecord& other : people_) {
      if (other.IsNeutral() && other.TakesPart() && other.id < record_.own_id) return false;
    }
    return true;
  }

  absl::Status Post(PersonRecord& person) {
    if (!NeutralsWritable()) return absl::OkStatus();
    PARLEY_RETURN_IF_ERROR(PostRecord(step_, context_, neutrals_->id, person));
    result_.touched.insert(neutrals_->id);
    return context_.Records().PutPerson(step_, person);
  }

  absl::Status NoteWhoIsSeen() {
    for (PersonRecord& person : people_) {
      bool changed = false;
      for (const CaseChannel& channel : channels_) {
        if (channel.info.standing != Standing::kActive) continue;
        if (!Belongs(person, channel)) {
          // Who was dismissed hasn't left the case; and may be let in again.
          const size_t forgotten = std::erase_if(
              person.seen_in, [&](const SeenIn& other) { return other.channel_id == channel.id; });
          changed = changed || forgotten > 0;
          continue;
        }
        if (channel.info.state.FindMember(person.id) == nullptr) continue;
        const SeenIn seen{channel.id, channel.info.state.incarnation};
        if (std::find(person.seen_in.begin(), person.seen_in.end(), seen) != person.seen_in.end()) {
          continue;
        }
        std::erase_if(person.seen_in,
                      [&](const SeenIn& other) { return other.channel_id == channel.id; });
        person.seen_in.push_back(seen);
        changed = true;
      }
      if (changed) PARLEY_RETURN_IF_ERROR(context_.Records().PutPerson(step_, person));
    }
    return absl::OkStatus();
  }

  bool WasPutOut(const PersonRecord& person) const {
    return std::any_of(channels_.begin(), channels_.end(), [&](const CaseChannel& channel) {
      const SeenIn seen{channel.id, channel.info.state.incarnation};
      return channel.info.standing == Standing::kActive && choice_->Counts(channel) &&
             Belongs(person, channel) && channel.info.state.FindMember(person.id) == nullptr &&
             std::find(person.seen_in.begin(), person.seen_in.end(), seen) != person.seen_in.end();
    });
  }

  // Those who asked to be put out, or are out already without a record that says why.
  absl::Status RecordLeavers() {
    std::set<ParticipantId> leavers;
    for (const CaseChannel& channel : channels_) {
      if (channel.info.standing != Standing::kActive) continue;
      PARLEY_ASSIGN_OR_RETURN(std::vector<ParticipantId> asked,
                              context_.Channel(channel.id).Leavers(step_));
      leavers.insert(asked.begin(), asked.end());
    }
    for (PersonRecord& person : people_) {
      if (person.id == record_.own_id) continue;
      if (person.TakesPart()) {
        const bool out = WasPutOut(person);
        if (out && !log_is_fresh_) result_.read_the_log_first = true;
        if (leavers.contains(person.id) || (out && log_is_fresh_)) {
          person.state = ParticipantState::kLeft;
          person.approver = record_.own_id;
        }
      }
      if (person.state == ParticipantState::kLeft &&
          person.recorded == ParticipantState::kApproved) {
        PARLEY_RETURN_IF_ERROR(Post(person));
      }
    }
    return absl::OkStatus();
  }

  absl::Status Say(const std::vector<NamedChannel>& names, bool withdrawn = false) {
    if (names.empty()) return absl::OkStatus();
    PARLEY_RETURN_IF_ERROR(PostNames(step_, context_, neutrals_->id, record_, names, withdrawn));
    result_.touched.insert(neutrals_->id);
    return context_.Records().PutCase(step_, record_);
  }

  // Whether another neutral who takes part was in the channel when this device saw it last.
  bool HasOtherNeutral(const CaseChannel& channel) const {
    return std::any_of(channel.info.state.members.begin(), channel.info.state.members.end(),
                       [this](const RosterMember& member) {
                         return member.participant_id != record_.own_id &&
                                choice_->IsNeutralNow(member.participant_id);
                       });
  }

  // Vouches for the channels that count and are here; and no more for those that this device was
  // put out of while no other neutral is left in them: they are lost, and others can be opened.
  absl::Status NameChannels() {
    if (!NeutralsWritable() || !choice_->Briefed()) return absl::OkStatus();
    std::vector<NamedChannel> vouched;
    std::vector<NamedChannel> lost;
    for (const CaseChannel& channel : channels_) {
      const NamedChannel* name = choice_->NameOf(channel.id);
      if (name == nullptr || NameWaits(record_, channel.id)) continue;
      const bool own = std::find(name->authors.begin(), name->authors.end(), record_.own_id) !=
                       name->authors.end();
      const Standing standing = channel.info.standing;
      const bool out = standing == Standing::kRemoved || standing == Standing::kLeft;
      if (own && out && !HasOtherNeutral(channel)) lost.push_back(*name);
      if (!own && standing == Standing::kActive && choice_->Counts(channel)) {
        vouched.push_back(*name);
      }
    }
    PARLEY_RETURN_IF_ERROR(Say(vouched));
    return Say(lost, /*withdrawn=*/true);
  }

  bool IsHere(const ChannelId& id) const {
    return std::find(record_.channels.begin(), record_.channels.end(), id) !=
           record_.channels.end();
  }

  // Names a caucus for each side that has none, and opens it once it is known to be the first.
  absl::Status OpenCaucuses() {
    if (!choice_->Briefed() || record_.sponsor_token.empty()) return absl::OkStatus();
    std::set<std::string> sides;
    for (const PersonRecord& person : people_) {
      if (person.side.empty() || !person.TakesPart() || sides.contains(person.side)) continue;
      const std::optional<ChannelId> counts = choice_->Of(ChannelKind::kCaucus, person.side);
      if (counts.has_value()) {
        sides.insert(person.side);
        PARLEY_RETURN_IF_ERROR(OpenIfNamedHere(*counts));
      } else if (NeutralsWritable() && IsResponsible(person)) {
        sides.insert(person.side);
        PARLEY_RETURN_IF_ERROR(NameCaucus(person.side));
      }
    }
    // What a neutral has decided to open.
    for (const NamedChannel& name : choice_->Names()) {
      const auto kind = static_cast<ChannelKind>(name.kind);
      if (kind != ChannelKind::kCounsel && kind != ChannelKind::kGroup) continue;
      PARLEY_RETURN_IF_ERROR(OpenIfNamedHere(name.channel_id));
    }
    return NoteWhoIsSeen();
  }

  // Opens a channel that counts, if it isn't here and this device was the first to name it.
  absl::Status OpenIfNamedHere(const ChannelId& id) {
    const NamedChannel* name = choice_->NameOf(id);
    if (name == nullptr || IsHere(id) || name->authors.front() != record_.own_id) {
      return absl::OkStatus();
    }
    return OpenChannel(id, static_cast<ChannelKind>(name->kind), name->side);
  }

  absl::Status NameCaucus(const std::string& side) {
    const bool waits = std::any_of(
        record_.naming.begin(), record_.naming.end(), [&side](const NamedChannel& name) {
          return name.side == side && static_cast<ChannelKind>(name.kind) == ChannelKind::kCaucus;
        });
    if (waits) return absl::OkStatus();
    NamedChannel name;
    name.channel_id = RandomId<ChannelId>();
    name.kind = static_cast<uint8_t>(ChannelKind::kCaucus);
    name.side = side;
    return Say({name});
  }

  // By value: the channels are loaded anew.
  absl::Status OpenChannel(ChannelId id, ChannelKind kind, std::string side) {
    PARLEY_ASSIGN_OR_RETURN(OwnDevice device, context_.Pairings().Device(step_));
    NewChannel options;
    options.case_id = record_.id;
    options.kind = kind;
    options.side = std::move(side);
    options.self = OwnCredential(device);
    options.name = record_.own_name;
    options.role = record_.own_role;
    options.payment = {Credential::Kind::kSponsorToken, record_.sponsor_token.Clone()};
    PARLEY_RETURN_IF_ERROR(context_.Channel(id).Create(step_, std::move(options)));
    record_.channels.push_back(id);
    result_.touched.insert(id);
    PARLEY_RETURN_IF_ERROR(context_.Records().PutCase(step_, record_));
    return LoadChannels();
  }

  const PersonRecord* GoneNeutralIn(const CaseChannel& channel) {
    for (const RosterMember& member : channel.info.state.members) {
      const PersonRecord* person = FindPerson(member.participant_id);
      if (person != nullptr && person->IsNeutral() && HasGone(*person)) return person;
    }
    return nullptr;
  }

  // Whether another channel counts for this one's kind and side.
  bool Superseded(const CaseChannel& channel) const {
    const ChannelState& state = channel.info.state;
    const std::optional<ChannelId> counts = choice_->Of(state.kind, state.side);
    return counts.has_value() && *counts != channel.id;
  }

  // Whether somebody who has gone can't be put out of the channel, since nobody has said its
  // control key; and whether that is this device's to mend.
  bool IsHeld(const CaseChannel& channel) {
    const ChannelInfo& info = channel.info;
    if (info.standing != Standing::kActive || info.has_control_key || info.leaving) return false;
    const PersonRecord* gone = GoneNeutralIn(channel);
    if (gone == nullptr || !IsResponsible(*gone) || Superseded(channel)) return false;
    if (channel.id != neutrals_->id && GoneNeutralIn(*neutrals_) != nullptr) return false;
    return gone->recorded_at != 0 &&
           context_.now_seconds() >= gone->recorded_at + kKeyMayComeSeconds;
  }

  // A neutral who has gone may have been the last to renew a channel's control key, and have kept
  // it: nobody could put them out. Such a channel is opened anew without them.
  absl::Status ReopenWhatTheyHold() {
    if (record_.sponsor_token.empty()) return absl::OkStatus();
    for (const CaseChannel& channel : std::vector<CaseChannel>(channels_)) {
      if (!IsHeld(channel)) continue;
      PARLEY_ASSIGN_OR_RETURN(OwnDevice device, context_.Pairings().Device(step_));
      PARLEY_RETURN_IF_ERROR(
          context_.Channel(channel.id)
              .Reopen(step_, {Credential::Kind::kSponsorToken, record_.sponsor_token.Clone()},
                      OwnCredential(device), /*even_if_active=*/true));
      const ChannelState& state = channel.info.state;
      record_.Refuse(GoneNeutralIn(channel)->name +
                     ", who is no neutral of the case any more, had kept the control key of " +
                     DescribeChannel(state.kind, state.side) +
                     " to themselves; it was opened anew without them");
      PARLEY_RETURN_IF_ERROR(context_.Records().PutCase(step_, record_));
      result_.touched.insert(channel.id);
      PARLEY_RETURN_IF_ERROR(LoadChannels());
    }
    return NoteWhoIsSeen();
  }

  // A neutral who has gone knows the control keys. Once they are out of the neutrals' channel, new
  // ones are said there, which the removal commits of the other channels put in force.
  absl::Status RenewControls() {
    if (!NeutralsWritable() || GoneNeutralIn(*neutrals_) != nullptr) return absl::OkStatus();
    std::vector<ControlRecord> fresh;
    for (const CaseChannel& channel : channels_) {
      if (channel.id == neutrals_->id || channel.info.standing != Standing::kActive) continue;
      const PersonRecord* gone = GoneNeutralIn(channel);
      if (gone == nullptr || !IsResponsible(*gone) || OwnControlWaits(record_, channel)) continue;
      PARLEY_ASSIGN_OR_RETURN(const ControlRecord* next, NextControl(record_, *choice_, channel));
      if (next != nullptr) continue;
      fresh.push_back({channel.id, channel.info.state.incarnation,
                       Secret::Random(crypto::kSignatureSeedSize), record_.own_id, 0});
    }
    return Share(fresh);
  }

  // Control keys in force that the other neutrals may not know.
  absl::Status ShareControls() {
    if (!NeutralsWritable() || !OtherNeutralsPresent()) return absl::OkStatus();
    std::vector<ControlRecord> unknown;
    for (const CaseChannel& channel : channels_) {
      if (channel.info.standing != Standing::kActive || !channel.info.has_control_key) continue;
      if (channel.info.commit_in_flight) continue;
      PARLEY_ASSIGN_OR_RETURN(Secret seed, context_.Channel(channel.id).ControlSeed(step_));
      PARLEY_ASSIGN_OR_RETURN(bool shared, ControlIsShared(record_, *choice_, channel, seed));
      if (shared) continue;
      unknown.push_back(
          {channel.id, channel.info.state.incarnation, std::move(seed), record_.own_id, 0});
    }
    return Share(unknown);
  }

  absl::Status Share(const std::vector<ControlRecord>& controls) {
    if (controls.empty()) return absl::OkStatus();
    PARLEY_RETURN_IF_ERROR(
        PostControls(step_, context_, neutrals_->id, record_, controls, WithToken::kNo));
    PARLEY_RETURN_IF_ERROR(context_.Records().PutCase(step_, record_));
    result_.touched.insert(neutrals_->id);
    return LoadChannels();
  }

  // What others' key packages were taken for an earlier commit in the channel is settled now.
  absl::Status SettlePackages(const CaseChannel& channel) {
    for (const PersonRecord& person : people_) {
      const bool used = channel.info.state.FindMember(person.id) != nullptr;
      PARLEY_RETURN_IF_ERROR(SettleReserved(step_, context_, person.id, channel.id, used));
    }
    return absl::OkStatus();
  }

  absl::Status AddMissing(const CaseChannel& channel, MembershipChange& change) {
    for (const PersonRecord& person : people_) {
      if (person.id == record_.own_id || !Belongs(person, channel) ||
          person.recorded != ParticipantState::kApproved ||
          channel.info.state.FindMember(person.id) != nullptr) {
        continue;
      }
      // In the race of two neutrals a key package would be lost.
      if (!IsResponsible(person) &&
          context_.now_seconds() < person.recorded_at + kApproverGoesFirstSeconds) {
        continue;
      }
      absl::StatusOr<Bytes> package = ReserveKeyPackage(step_, context_, person.id, channel.id);
      if (absl::IsNotFound(package.status())) {
        result_.waiting.push_back(
            person.name + " can't be let into " +
            DescribeChannel(channel.info.state.kind, channel.info.state.side) +
            " before their device has been online again");
        continue;
      }
      PARLEY_RETURN_IF_ERROR(package.status());
      change.adds.push_back(
          {person.id, person.name, person.role, person.side, {std::move(*package)}});
    }
    return absl::OkStatus();
  }

  absl::Status CommitMembership(const CaseChannel& channel) {
    const ChannelInfo& info = channel.info;
    if (info.standing != Standing::kActive || !info.committer || !info.has_control_key ||
        info.commit_in_flight || info.leaving) {
      return absl::OkStatus();
    }
    PARLEY_RETURN_IF_ERROR(SettlePackages(channel));
    MembershipChange change;
    // Everybody is put out of a caucus beside the one that counts, and comes into that one.
    const bool superseded = Superseded(channel);
    for (const RosterMember& member : info.state.members) {
      const PersonRecord* person = FindPerson(member.participant_id);
      const bool gone = person != nullptr && HasGone(*person);
      // Whom another neutral has just admitted is known once the log has been read.
      const bool dismissed = person != nullptr && person->TakesPart() && !Belongs(*person, channel);
      if (dismissed && !log_is_fresh_) result_.read_the_log_first = true;
      const bool out = gone || superseded || (dismissed && log_is_fresh_);
      if (out && member.participant_id != record_.own_id) {
        change.removes.push_back(member.participant_id);
      }
    }
    if (GoneNeutralIn(channel) != nullptr) {
      if (channel.id == neutrals_->id) {
        change.new_control_seed = Secret::Random(crypto::kSignatureSeedSize);
      } else {
        PARLEY_ASSIGN_OR_RETURN(const ControlRecord* next, NextControl(record_, *choice_, channel));
        if (next == nullptr) return absl::OkStatus();  // until new control keys were said
        change.new_control_seed = next->seed.Clone();
      }
    }
    if (choice_->Counts(channel)) PARLEY_RETURN_IF_ERROR(AddMissing(channel, change));
    if (change.empty()) return absl::OkStatus();
    const absl::Status prepared = context_.Channel(channel.id).PrepareCommit(step_, change);
    if (prepared.code() == absl::StatusCode::kInvalidArgument && !change.adds.empty()) {
      return CommitWhatFits(channel, std::move(change));
    }
    PARLEY_RETURN_IF_ERROR(prepared);
    result_.touched.insert(channel.id);
    return absl::OkStatus();
  }

  // After a change was refused: takes in those whose key packages fit, one after another, so that
  // one bad key package keeps nobody else out. It is thrown away, and the next one tried.
  absl::Status CommitWhatFits(const CaseChannel& channel, MembershipChange change) {
    std::vector<NewMember> adds = std::move(change.adds);
    change.adds.clear();
    if (!change.empty()) {
      PARLEY_RETURN_IF_ERROR(context_.Channel(channel.id).PrepareCommit(step_, change));
      result_.touched.insert(channel.id);
    }
    for (NewMember& member : adds) {
      const ParticipantId id = member.participant_id;
      const std::string name = member.name;
      change.adds.push_back(std::move(member));
      const absl::Status prepared = context_.Channel(channel.id).PrepareCommit(step_, change);
      if (prepared.ok()) {
        result_.touched.insert(channel.id);
        continue;
      }
      if (prepared.code() != absl::StatusCode::kInvalidArgument) return prepared;
      change.adds.pop_back();
      PARLEY_RETURN_IF_ERROR(SettleReserved(step_, context_, id, channel.id, true));
      result_.waiting.push_back("a key package of " + name +
                                " was thrown away: " + std::string(prepared.message()));
    }
    return absl::OkStatus();
  }

  Transaction& step_;
  const CaseContext& context_;
  const bool log_is_fresh_;
  CaseRecord record_;
  std::vector<PersonRecord> people_;
  std::vector<CaseChannel> channels_;
  std::optional<ChannelChoice> choice_;
  std::optional<ChannelId> signing_in_;
  const CaseChannel* neutrals_ = nullptr;
  ReconcileResult result_;
};

}  // namespace

absl::StatusOr<std::optional<ChannelId>> SigningIn(const ReadTransaction& step,
                                                   const CaseContext& context,
                                                   const ChannelChoice& choice) {
  PARLEY_ASSIGN_OR_RETURN(const bool keeps, KeepsProcedure(step, context));
  return keeps ? choice.Of(ChannelKind::kJoint) : std::nullopt;
}

bool BelongsIn(const PersonRecord& person, const ChannelId& id, const ChannelState& channel,
               const std::optional<ChannelId>& signing_in) {
  if (!person.TakesPart()) return false;
  if (!MayBeIn(channel.kind, channel.side, person.role, person.side)) return false;
  if (person.IsNeutral()) return channel.kind != ChannelKind::kTeam;
  switch (channel.kind) {
    case ChannelKind::kJoint:
    case ChannelKind::kCaucus:
      if (!person.side.empty()) return true;
      break;
    case ChannelKind::kCounsel:
      if (person.role == Role::kCounsel) return true;
      break;
    default:
      break;
  }
  const auto is_admitted = [&person](const ChannelId& to) {
    return std::find(person.admitted.begin(), person.admitted.end(), to) != person.admitted.end();
  };
  const bool signs = !signing_in.has_value() || !person.side.empty() || is_admitted(*signing_in);
  return signs && is_admitted(id);
}

absl::StatusOr<ReconcileResult> Reconcile(Transaction& step, const CaseContext& context,
                                          bool log_is_fresh) {
  return Reconciler(step, context, log_is_fresh).Run();
}

}  // namespace parley::client
