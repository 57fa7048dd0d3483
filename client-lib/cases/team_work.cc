#include "client-lib/cases/team_work.h"

#include <algorithm>

#include "client-lib/cases/key_stock.h"
#include "client-lib/cases/side_pairing.h"
#include "client-lib/cases/team_records.h"
#include "client-lib/cases/welcomes.h"
#include "crypto/primitives/signature.h"

namespace parley::client {
namespace {

// So that the side goes on when one of them goes.
constexpr size_t kFewestStewards = 2;

class TeamReconciler {
 public:
  TeamReconciler(Transaction& step, const CaseContext& context, const std::set<ChannelId>& unread)
      : step_(step), context_(context), unread_(unread) {}

  absl::StatusOr<TeamWork> Run() {
    PARLEY_ASSIGN_OR_RETURN(work_.touched, PairWithinSide(step_, context_));
    PARLEY_RETURN_IF_ERROR(view_.Load(step_, context_));
    if (!view_.HasSide()) return std::move(work_);
    PARLEY_RETURN_IF_ERROR(EndGivenUp());
    if (view_.team == nullptr) return std::move(work_);
    PARLEY_ASSIGN_OR_RETURN(team_, LoadTeam(step_, context_));
    PARLEY_RETURN_IF_ERROR(LearnControls());
    PARLEY_ASSIGN_OR_RETURN(leavers_, context_.Channel(view_.team->id).Leavers(step_));
    PARLEY_ASSIGN_OR_RETURN(const bool over, EndIfLost());
    if (over) return std::move(work_);
    if (view_.team->info.committer) PARLEY_RETURN_IF_ERROR(DoStewardsWork());
    return std::move(work_);
  }

 private:
  const ChannelInfo& info() const { return view_.team->info; }
  const ChannelState& state() const { return view_.team->info.state; }

  // Whether the rosters by which people are judged are there and were read to their heads.
  bool KnowsTheCase() const {
    return view_.joint != nullptr && view_.caucus != nullptr &&
           !unread_.contains(view_.joint->id) && !unread_.contains(view_.caucus->id);
  }

  // In neither the caucus nor the joint channel any more. (In one only: they come or go.)
  bool HasGone(const ParticipantId& id) const {
    return KnowsTheCase() && view_.caucus->info.state.FindMember(id) == nullptr &&
           view_.joint->info.state.FindMember(id) == nullptr;
  }

  // Of a team of the owner's that gave way to another one (inbox_messages.h): puts everybody else
  // out, so that no other team counts for them any more, and then halts it.
  absl::Status EndGivenUp() {
    const std::vector<ChannelId>& given_up = view_.record.given_up;
    for (const CaseChannel& channel : view_.channels) {
      const ChannelInfo& info = channel.info;
      const bool is_it = info.state.kind == ChannelKind::kTeam &&
                         info.standing == Standing::kActive &&
                         std::find(given_up.begin(), given_up.end(), channel.id) != given_up.end();
      if (!is_it || info.commit_in_flight) continue;
      const bool can_put_out = info.committer && info.has_control_key && !info.leaving;
      if (info.state.members.size() > 1 && can_put_out) {
        MembershipChange change;
        for (const RosterMember& member : info.state.members) {
          const ParticipantId& id = member.participant_id;
          if (id == view_.record.own_id) continue;
          change.removes.push_back(id);
          if (!info.state.IsCommitter(id) || change.new_control_seed.has_value()) continue;
          change.new_control_seed = Secret::Random(crypto::kSignatureSeedSize);
        }
        PARLEY_RETURN_IF_ERROR(context_.Channel(channel.id).PrepareCommit(step_, change));
        work_.touched.insert(channel.id);
        continue;
      }
      PARLEY_RETURN_IF_ERROR(context_.Channel(channel.id)
                                 .Halt(step_,
                                       "another of your side opened a team at the same time, and "
                                       "theirs counts"));
    }
    return absl::OkStatus();
  }

  bool AllOthersLeave() const {
    const std::vector<ParticipantId>& stewards = state().stewards;
    return std::all_of(stewards.begin(), stewards.end(), [this](const ParticipantId& id) {
      return id == view_.record.own_id || HasId(leavers_, id);
    });
  }

  absl::Status Stop(const std::string& reason, bool give_up) {
    PARLEY_RETURN_IF_ERROR(context_.Channel(view_.team->id).Halt(step_, reason));
    if (!give_up) return absl::OkStatus();
    view_.record.given_up.push_back(view_.team->id);
    return context_.Records().PutCase(step_, view_.record);
  }

  // Nothing is said any more in a team that shows somebody who doesn't belong in it, nor in one
  // that nobody can put anybody out of. Whether it is over.
  absl::StatusOr<bool> EndIfLost() {
    const std::string wrong = CheckTeam(state(), view_.counting).contradiction;
    if (!wrong.empty()) {
      PARLEY_RETURN_IF_ERROR(Stop("somebody is in it who doesn't belong: " + wrong +
                                      "; ask its stewards, and open "
                                      "another one",
                                  /*give_up=*/true));
      return true;
    }
    // Stewards who leave at once, each believing that the other stays, could put each other out,
    // but who leaves commits nothing any more. A steward who stays doesn't give up for that: who
    // leaves still tells them the control key.
    const bool stays = info().committer && !info().leaving;
    const std::vector<ParticipantId>& stewards = state().stewards;
    const bool others_gone =
        std::all_of(stewards.begin(), stewards.end(), [this, stays](const ParticipantId& id) {
          return id == view_.record.own_id || HasGone(id) || (!stays && HasId(leavers_, id));
        });
    // A steward who was never told the control key can't do more than others.
    const bool can_commit = info().committer && info().has_control_key && !info().leaving;
    if (!others_gone && stays && !can_commit && AllOthersLeave()) {
      work_.waiting.push_back(
          "the control key of " + DescribeChannel(state().kind, state().side) +
          " hasn't come from the stewards who leave; without it nobody can be let in or put out. "
          "If it doesn't come, leave the team (parley channel leave), and open another one");
    }
    if (!others_gone || can_commit) return false;
    PARLEY_RETURN_IF_ERROR(
        Stop("the stewards who could put people out of it have left; open another one with "
             "\"parley channel create\"",
             /*give_up=*/true));
    return true;
  }

  // Control keys that other stewards have sent.
  absl::Status LearnControls() {
    for (auto heard = team_.heard.begin(); heard != team_.heard.end(); ++heard) {
      PARLEY_ASSIGN_OR_RETURN(const crypto::SignatureKey key,
                              crypto::SignatureKey::FromSeed(heard->seed.Reveal()));
      if (heard->channel_id != view_.team->id || key.public_key() != state().control_key) continue;
      PARLEY_RETURN_IF_ERROR(context_.Channel(view_.team->id).LearnControlSeed(step_, heard->seed));
      // The others may be of a commit that hasn't been read yet.
      team_.heard.erase(heard);
      PARLEY_RETURN_IF_ERROR(PutTeam(step_, context_, team_));
      return view_.Load(step_, context_);
    }
    return absl::OkStatus();
  }

  absl::Status DoStewardsWork() {
    PARLEY_RETURN_IF_ERROR(ForgetWhatIsDone());
    PARLEY_ASSIGN_OR_RETURN(const bool said,
                            IntroduceToSide(step_, context_, view_, team_, PeopleToKnow()));
    if (said) work_.touched.insert(view_.caucus->id);
    PARLEY_RETURN_IF_ERROR(Commit());
    PARLEY_RETURN_IF_ERROR(TellControl());
    return DeliverWelcomes(step_, context_, view_.team->id);
  }

  // Whom a steward must be able to write to: who is to come in, and other stewards. Pairing with
  // all who are in it lets this device carry on alone.
  std::vector<ParticipantId> PeopleToKnow() const {
    std::vector<ParticipantId> people = team_.wanted;
    for (const RosterMember& member : state().members) AddId(people, member.participant_id);
    std::erase(people, view_.record.own_id);
    return people;
  }

  // Who is in, or has gone, needn't be let in any more; and the like.
  absl::Status ForgetWhatIsDone() {
    size_t done = std::erase_if(team_.wanted, [this](const ParticipantId& id) {
      return state().FindMember(id) != nullptr || HasGone(id);
    });
    done += std::erase_if(team_.dismissed, [this](const ParticipantId& id) {
      return state().FindMember(id) == nullptr;
    });
    done += std::erase_if(team_.wanted_stewards, [this](const ParticipantId& id) {
      return state().IsCommitter(id) ||
             (state().FindMember(id) == nullptr && !HasId(team_.wanted, id));
    });
    done += std::erase_if(team_.told, [this](const ToldControl& told) {
      return told.control_key != state().control_key;
    });
    return done == 0 ? absl::OkStatus() : PutTeam(step_, context_, team_);
  }

  absl::Status Commit() {
    if (!info().has_control_key || info().commit_in_flight || info().leaving) {
      return absl::OkStatus();
    }
    for (const RosterMember& member : state().members) {
      PARLEY_RETURN_IF_ERROR(
          SettleReserved(step_, context_, member.participant_id, view_.team->id, true));
    }
    MembershipChange change;
    PARLEY_RETURN_IF_ERROR(PutOut(change));
    PARLEY_RETURN_IF_ERROR(LetIn(change));
    NameStewards(change);
    if (change.empty()) return absl::OkStatus();
    const absl::Status prepared = context_.Channel(view_.team->id).PrepareCommit(step_, change);
    if (prepared.code() == absl::StatusCode::kInvalidArgument && !change.adds.empty()) {
      return CommitWhatFits(std::move(change));
    }
    PARLEY_RETURN_IF_ERROR(prepared);
    work_.touched.insert(view_.team->id);
    return absl::OkStatus();
  }

  absl::Status PutOut(MembershipChange& change) {
    for (const RosterMember& member : state().members) {
      const ParticipantId& id = member.participant_id;
      if (id == view_.record.own_id) continue;
      // Others who leave are put out by the channel itself; a steward knows the control key.
      const bool steward_leaves = state().IsCommitter(id) && HasId(leavers_, id);
      if (!HasGone(id) && !HasId(team_.dismissed, id) && !steward_leaves) continue;
      change.removes.push_back(id);
      if (state().IsCommitter(id)) {
        change.new_control_seed = Secret::Random(crypto::kSignatureSeedSize);
      }
    }
    return absl::OkStatus();
  }

  absl::Status LetIn(MembershipChange& change) {
    for (const ParticipantId& id : team_.wanted) {
      const RosterMember* member = view_.OnOwnSide(id);
      if (member == nullptr || state().FindMember(id) != nullptr) continue;
      PARLEY_RETURN_IF_ERROR(SettleReserved(step_, context_, id, view_.team->id, false));
      PARLEY_ASSIGN_OR_RETURN(const std::optional<Pairing> paired,
                              SidePairingWith(step_, context_, id));
      absl::StatusOr<Bytes> package = absl::NotFoundError("not paired");
      if (paired.has_value()) package = ReserveKeyPackage(step_, context_, id, view_.team->id);
      if (absl::IsNotFound(package.status())) {
        work_.waiting.push_back(member->name + " can't be let into " +
                                DescribeChannel(state().kind, state().side) +
                                " before their device has been online again");
        continue;
      }
      PARLEY_RETURN_IF_ERROR(package.status());
      change.adds.push_back({id, member->name, member->role, member->side, {std::move(*package)}});
    }
    return absl::OkStatus();
  }

  // Those who were decided on and, where too few would be left, a counsel or else a party.
  void NameStewards(MembershipChange& change) const {
    std::vector<const RosterMember*> members;
    size_t stewards = 0;
    for (const RosterMember& member : state().members) {
      if (HasId(change.removes, member.participant_id)) continue;
      members.push_back(&member);
      stewards += state().IsCommitter(member.participant_id) ? 1 : 0;
      if (HasId(team_.wanted_stewards, member.participant_id)) {
        change.new_stewards.push_back(member.participant_id);
      }
    }
    for (const NewMember& member : change.adds) {
      if (HasId(team_.wanted_stewards, member.participant_id)) {
        change.new_stewards.push_back(member.participant_id);
      }
    }
    // While some are still to come, those who were named may be among them.
    if (!team_.wanted_stewards.empty()) return;
    for (const Role role : {Role::kCounsel, Role::kParty}) {
      for (const RosterMember* member : members) {
        if (stewards + change.new_stewards.size() >= kFewestStewards) return;
        if (member->role != role || state().IsCommitter(member->participant_id)) continue;
        change.new_stewards.push_back(member->participant_id);
      }
    }
  }

  // Takes in those whose key packages fit, one after another; one that doesn't is thrown away.
  absl::Status CommitWhatFits(MembershipChange change) {
    std::vector<NewMember> adds = std::move(change.adds);
    change.adds.clear();
    change.new_stewards.clear();
    if (!change.empty()) {
      PARLEY_RETURN_IF_ERROR(context_.Channel(view_.team->id).PrepareCommit(step_, change));
      work_.touched.insert(view_.team->id);
      return absl::OkStatus();
    }
    for (NewMember& member : adds) {
      const ParticipantId id = member.participant_id;
      const std::string name = member.name;
      MembershipChange one;
      one.adds.push_back(std::move(member));
      const absl::Status prepared = context_.Channel(view_.team->id).PrepareCommit(step_, one);
      if (prepared.ok()) {
        work_.touched.insert(view_.team->id);
        return absl::OkStatus();
      }
      if (prepared.code() != absl::StatusCode::kInvalidArgument) return prepared;
      PARLEY_RETURN_IF_ERROR(SettleReserved(step_, context_, id, view_.team->id, true));
      work_.waiting.push_back("a key package of " + name +
                              " was thrown away: " + std::string(prepared.message()));
    }
    return absl::OkStatus();
  }

  // The control key in force, to each other steward once.
  absl::Status TellControl() {
    if (!info().has_control_key || info().commit_in_flight) return absl::OkStatus();
    bool told = false;
    for (const ParticipantId& steward : state().stewards) {
      const bool has_it = std::any_of(team_.told.begin(), team_.told.end(),
                                      [&](const ToldControl& one) { return one.to == steward; });
      if (steward == view_.record.own_id || has_it) continue;
      PARLEY_ASSIGN_OR_RETURN(const std::optional<Pairing> pairing,
                              SidePairingWith(step_, context_, steward));
      if (!pairing.has_value()) continue;
      PARLEY_ASSIGN_OR_RETURN(const bool room, context_.OwnInbox().HasRoom(step_, *pairing));
      if (!room) continue;
      PARLEY_ASSIGN_OR_RETURN(const Secret seed,
                              context_.Channel(view_.team->id).ControlSeed(step_));
      content::v1::InboxMessage message;
      message.mutable_control_key()->set_channel_id(ToField(view_.team->id));
      message.mutable_control_key()->set_control_seed(crypto::ToString(seed.Reveal()));
      PARLEY_RETURN_IF_ERROR(context_.OwnInbox().Queue(step_, *pairing, std::move(message)));
      team_.told.push_back({steward, state().control_key});
      told = true;
    }
    return told ? PutTeam(step_, context_, team_) : absl::OkStatus();
  }

  Transaction& step_;
  const CaseContext& context_;
  const std::set<ChannelId>& unread_;
  SideView view_;
  TeamRecord team_;
  std::vector<ParticipantId> leavers_;  // who has said in the team that they leave it
  TeamWork work_;
};

}  // namespace

absl::StatusOr<TeamWork> ReconcileTeam(Transaction& step, const CaseContext& context,
                                       const std::set<ChannelId>& unread) {
  return TeamReconciler(step, context, unread).Run();
}

}  // namespace parley::client
