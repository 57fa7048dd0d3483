#include "client-lib/cases/case_sync.h"

#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "client-lib/cases/deferred.h"
#include "client-lib/cases/errands.h"
#include "client-lib/cases/identity.h"
#include "client-lib/cases/inbox_messages.h"
#include "client-lib/cases/key_stock.h"
#include "client-lib/cases/neutrals_log.h"
#include "client-lib/cases/reconcile.h"
#include "client-lib/cases/team.h"
#include "client-lib/cases/team_work.h"
#include "client-lib/channels/succession.h"
#include "client-lib/pairing/device.h"
#include "client-lib/pairing/inviting.h"
#include "client-lib/pairing/rendezvous.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {
namespace {

// Rounds of exchanging and carrying out in one sync: an approval takes three (record, commit,
// Welcome). What isn't done by then is done by the next sync.
constexpr int kMostRounds = 8;
constexpr size_t kMostThreads = 6;
// An invitation whose making was interrupted was never handed out.
constexpr uint64_t kMakingTakesSeconds = 600;

// Invitations that are asked for in vain before the others are left to the next sync.
constexpr int kMostSilentInvitations = 2;

// Nothing came back: the relay isn't there, or is silent about this one object.
bool IsSilence(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsCancelled(status);
}

class CaseSync {
 public:
  explicit CaseSync(const CaseContext& context) : context_(context) {}

  absl::StatusOr<CaseSyncResult> Run() {
    PARLEY_RETURN_IF_ERROR(LoadCase());
    if (record_.inbox_made == 0) {
      result_.problems.push_back(
          {std::nullopt,
           absl::FailedPreconditionError("joining \"" + record_.title +
                                         "\" was interrupted; join again with the invitation")});
      return std::move(result_);
    }
    PARLEY_ASSIGN_OR_RETURN(const uint64_t waited, CountWaiting());
    if (record_.IsNeutral() && record_.own_state == ParticipantState::kApproved) {
      PARLEY_RETURN_IF_ERROR(ReadInvitations());
    }
    PARLEY_RETURN_IF_ERROR(ReadInbox());
    PARLEY_RETURN_IF_ERROR(LoadCase());
    PARLEY_RETURN_IF_ERROR(ExchangeAll());
    // Nothing has answered, so nothing will.
    if (!answered_ && !silence_.ok()) return silence_;
    if (record_.IsNeutral()) PARLEY_RETURN_IF_ERROR(HearNeutrals());
    PARLEY_RETURN_IF_ERROR(TakeWhatWaited());
    for (int round = 0; round < kMostRounds; ++round) {
      PARLEY_ASSIGN_OR_RETURN(bool more, CarryOut());
      if (!more) break;
    }
    PARLEY_RETURN_IF_ERROR(AnswerInbox());
    PARLEY_ASSIGN_OR_RETURN(result_.waiting, CountWaiting());
    const uint64_t left = result_.waiting + result_.given_up;
    result_.sent = waited > left ? waited - left : 0;
    return std::move(result_);
  }

 private:
  absl::Status LoadCase() {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, context_.store->Read());
    PARLEY_ASSIGN_OR_RETURN(record_, context_.Records().Case(read));
    return absl::OkStatus();
  }

  // Notes what the relay had to say about something.
  void Heard(const std::optional<ChannelId>& channel, const absl::Status& status) {
    if (!IsSilence(status)) {
      answered_ = true;
    } else if (silence_.ok()) {
      silence_ = status;
    }
    Note(channel, status);
  }

  // Notes a problem, with which the rest goes on.
  void Note(const std::optional<ChannelId>& channel, const absl::Status& status) {
    if (status.ok()) return;
    for (const CaseProblem& problem : result_.problems) {
      if (problem.channel == channel && problem.status == status) return;
    }
    result_.problems.push_back({channel, status});
  }

  // ---- Invitations ---------------------------------------------------------------------------

  absl::Status ReadInvitations() {
    std::vector<MadeInvitation> invitations;
    {
      PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, context_.store->Read());
      PARLEY_ASSIGN_OR_RETURN(invitations, context_.Pairings().invitations.All(read));
    }
    int silent = 0;
    for (const MadeInvitation& invitation : invitations) {
      if (invitation.watching == 0) continue;
      if (silent >= kMostSilentInvitations) break;
      if (invitation.state == InvitationState::kMaking) {
        if (context_.now_seconds() < invitation.created_at + kMakingTakesSeconds) continue;
        PARLEY_ASSIGN_OR_RETURN(Transaction step, context_.store->Begin());
        PARLEY_RETURN_IF_ERROR(
            context_.Pairings().invitations.Delete(step, crypto::ToHex(invitation.rendezvous_id)));
        PARLEY_RETURN_IF_ERROR(step.Commit());
        continue;
      }
      if (invitation.state == InvitationState::kWithdrawn) {
        const absl::Status withdrawn = Withdraw(invitation);
        silent += IsSilence(withdrawn) ? 1 : 0;
        Heard(std::nullopt, withdrawn);
        continue;
      }
      absl::StatusOr<std::vector<Entry>> answers = ReadAnswers(*context_.relay, invitation);
      if (absl::IsNotFound(answers.status())) {
        PARLEY_RETURN_IF_ERROR(EndWatching(invitation));
        continue;
      }
      silent += IsSilence(answers.status()) ? 1 : 0;
      Heard(std::nullopt, answers.status());
      if (!answers.ok()) continue;
      for (const Entry& answer : *answers) {
        PARLEY_RETURN_IF_ERROR(TakeAnswer(invitation.rendezvous_id, answer));
      }
    }
    return absl::OkStatus();
  }

  absl::Status Withdraw(const MadeInvitation& invitation) {
    const absl::Status deleted = DeleteRendezvous(*context_.relay, invitation);
    if (!deleted.ok() && !absl::IsNotFound(deleted)) return deleted;
    return EndWatching(invitation);
  }

  // The relay has forgotten the rendezvous: nobody can use the invitation any more.
  absl::Status EndWatching(const MadeInvitation& seen) {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, context_.store->Begin());
    const std::string key = crypto::ToHex(seen.rendezvous_id);
    PARLEY_ASSIGN_OR_RETURN(std::optional<MadeInvitation> invitation,
                            context_.Pairings().invitations.Get(step, key));
    if (!invitation.has_value()) return absl::OkStatus();
    if (invitation->state == InvitationState::kOpen) {
      if (context_.now_seconds() < invitation->expires_at) {
        invitation->alarms.push_back("the relay has lost the invitation for " + invitation->name +
                                     "; make a new one");
      }
      invitation->state = InvitationState::kExpired;
    }
    invitation->watching = 0;
    PARLEY_RETURN_IF_ERROR(context_.Pairings().invitations.Put(step, key, *invitation));
    return step.Commit();
  }

  absl::Status TakeAnswer(ByteView rendezvous_id, const Entry& answer) {
    const PairingRecords records = context_.Pairings();
    const std::string key = crypto::ToHex(rendezvous_id);
    PARLEY_ASSIGN_OR_RETURN(Transaction step, context_.store->Begin());
    PARLEY_ASSIGN_OR_RETURN(std::optional<MadeInvitation> invitation,
                            records.invitations.Get(step, key));
    if (!invitation.has_value() || invitation->next != answer.position) return absl::OkStatus();
    PARLEY_ASSIGN_OR_RETURN(OwnDevice device, records.Device(step));
    std::optional<JoinedPeer> joined =
        TakeRendezvousEntry(*invitation, device, answer.payload, context_.now_seconds());
    if (joined.has_value()) {
      PARLEY_ASSIGN_OR_RETURN(std::optional<PersonRecord> known,
                              context_.Records().Person(step, joined->pairing.peer));
      std::string other = known.has_value() ? known->name : std::string();
      if (other.empty()) {
        PARLEY_ASSIGN_OR_RETURN(
            other, WhoseCard(step, context_, joined->pairing.peer, joined->hello.card()));
      }
      if (other.empty()) {
        PARLEY_RETURN_IF_ERROR(AddWaiting(step, *invitation, *joined));
      } else {
        invitation->alarms.push_back("whoever used the invitation for " + invitation->name +
                                     " showed an id or a key of " + other +
                                     "'s, and was refused; make a new invitation");
        invitation->participant = ParticipantId();
        PlanInboxClosing(device, joined->pairing.id, 0);
      }
    }
    PARLEY_RETURN_IF_ERROR(records.PutDevice(step, device));
    PARLEY_RETURN_IF_ERROR(records.invitations.Put(step, key, *invitation));
    result_.people_changed = true;
    return step.Commit();
  }

  absl::Status AddWaiting(Transaction& step, const MadeInvitation& invitation,
                          const JoinedPeer& joined) {
    PersonRecord person;
    person.id = joined.pairing.peer;
    person.name = invitation.name;
    person.role = static_cast<Role>(invitation.role);
    person.side = invitation.side;
    person.state = ParticipantState::kWaiting;
    person.card = joined.pairing.peer_card;
    person.joined_here = 1;
    PARLEY_RETURN_IF_ERROR(context_.Pairings().PutPairing(step, joined.pairing));
    PARLEY_RETURN_IF_ERROR(context_.Records().PutPerson(step, person));
    return StockKeyPackages(step, context_, joined.hello.card(), joined.hello.key_packages());
  }

  // ---- Inbox ---------------------------------------------------------------------------------

  InboxHandler Handler() {
    return [this](Transaction& step, const Pairing& pairing,
                  const content::v1::InboxMessage& message) {
      return TakeInboxMessage(step, context_, pairing, message);
    };
  }

  absl::Status ReadInbox() {
    absl::StatusOr<uint64_t> taken = context_.OwnInbox().Receive(*context_.relay, Handler());
    Heard(std::nullopt, taken.status());
    if (taken.ok() && *taken > 0) {
      result_.people_changed = true;
      result_.channels_changed = true;
    }
    return absl::OkStatus();
  }

  // Last, since other messages say by the way how far this device has received.
  absl::Status AnswerInbox() {
    PARLEY_ASSIGN_OR_RETURN(const bool queued, context_.OwnInbox().Answer());
    if (!queued) return absl::OkStatus();
    const absl::StatusOr<FlushResult> flushed = context_.OwnInbox().Flush(*context_.relay);
    Heard(std::nullopt, flushed.ok() ? flushed->problem : flushed.status());
    return absl::OkStatus();
  }

  // ---- Channels ------------------------------------------------------------------------------

  absl::StatusOr<std::vector<ChannelId>> Usable(const std::set<ChannelId>& wanted) {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, context_.store->Read());
    std::vector<ChannelId> usable;
    for (const ChannelId& id : wanted) {
      if (silent_.contains(id)) continue;  // once is enough in one sync
      PARLEY_ASSIGN_OR_RETURN(ChannelInfo info, context_.Channel(id).Info(read));
      // One that stands still goes on where a Welcome that waits leads.
      PARLEY_ASSIGN_OR_RETURN(const bool goes_on, HasSuccessor(read, id));
      if (goes_on || info.standing == Standing::kActive || info.standing == Standing::kRestored) {
        usable.push_back(id);
        names_[id] = DescribeChannel(info.state.kind, info.state.side);
      }
    }
    return usable;
  }

  absl::Status ExchangeAll() {
    return Exchange(std::set<ChannelId>(record_.channels.begin(), record_.channels.end()));
  }

  // Exchanges with several channels at once. One that fails doesn't stop the others.
  absl::Status Exchange(const std::set<ChannelId>& wanted) {
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelId> ids, Usable(wanted));
    std::vector<absl::StatusOr<ExchangeResult>> results(ids.size(), absl::UnknownError(""));
    std::atomic<size_t> next{0};
    const auto work = [&] {
      for (size_t i = next++; i < ids.size(); i = next++) {
        results[i] = context_.Channel(ids[i]).Exchange();
      }
    };
    std::vector<std::thread> threads;
    for (size_t i = 1; i < std::min(ids.size(), kMostThreads); ++i) threads.emplace_back(work);
    work();
    for (std::thread& thread : threads) thread.join();
    for (size_t i = 0; i < ids.size(); ++i) {
      absl::Status status = results[i].status();
      if (IsSilence(status)) {
        silent_.insert(ids[i]);
        status =
            absl::Status(status.code(), "the relay gives no answer about the channel " +
                                            names_[ids[i]] + ": " + std::string(status.message()));
      }
      Heard(ids[i], status);
      if (!status.ok()) {
        unread_.insert(ids[i]);
        if (absl::IsUnauthenticated(status)) PARLEY_RETURN_IF_ERROR(PayForTeam(ids[i]));
        continue;
      }
      unread_.erase(ids[i]);
      result_.messages += results[i]->messages;
      result_.given_up += results[i]->given_up;
      moved_ = moved_ || results[i]->entries > 0 || results[i]->sent > 0 ||
               results[i]->commit_merged || results[i]->commit_lost;
      result_.channels_changed = result_.channels_changed || results[i]->roster_changed ||
                                 results[i]->standing_changed || results[i]->commit_merged;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<bool> ReadNeutralsLog() {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, context_.store->Begin());
    PARLEY_ASSIGN_OR_RETURN(NeutralsNews news, TakeNeutralsLog(step, context_));
    if (!news.anything) return false;
    PARLEY_RETURN_IF_ERROR(step.Commit());
    result_.people_changed = result_.people_changed || news.about_people;
    return true;
  }

  absl::StatusOr<ReconcileResult> ReconcileOnce(bool log_is_fresh) {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, context_.store->Begin());
    PARLEY_ASSIGN_OR_RETURN(ReconcileResult reconciled, Reconcile(step, context_, log_is_fresh));
    PARLEY_RETURN_IF_ERROR(step.Commit());
    return reconciled;
  }

  // The channels that have something to send, beside those named.
  absl::StatusOr<std::set<ChannelId>> Dirty(std::set<ChannelId> dirty) {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, context_.store->Read());
    PARLEY_ASSIGN_OR_RETURN(std::vector<CaseChannel> channels, ChannelsOf(read, context_));
    for (const CaseChannel& channel : channels) {
      if (channel.info.standing != Standing::kActive) continue;
      if (channel.info.unsent > 0 || channel.info.commit_in_flight || !channel.info.mailbox_made) {
        dirty.insert(channel.id);
      }
    }
    return dirty;
  }

  // Tells the other neutrals how far the logs have come, if that is due.
  absl::Status AnnounceHeads() {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, context_.store->Begin());
    PARLEY_ASSIGN_OR_RETURN(std::vector<CaseChannel> channels, ChannelsOf(step, context_));
    const CaseChannel* neutrals = FindByKind(channels, ChannelKind::kNeutrals);
    if (neutrals == nullptr || neutrals->info.standing != Standing::kActive ||
        neutrals->info.state.members.size() < 2) {
      return absl::OkStatus();
    }
    PARLEY_ASSIGN_OR_RETURN(std::optional<content::v1::ChannelHeads> heads,
                            client::Channel::DueHeads(step, record_.channels));
    if (!heads.has_value()) return absl::OkStatus();
    content::v1::Content content;
    *content.mutable_channel_heads() = std::move(*heads);
    PARLEY_RETURN_IF_ERROR(context_.Channel(neutrals->id).Queue(step, content).status());
    return step.Commit();
  }

  // Works through the neutrals' channel, and tries again what it may open.
  absl::Status HearNeutrals() {
    PARLEY_ASSIGN_OR_RETURN(bool news, ReadNeutralsLog());
    if (!news) return absl::OkStatus();
    heard_ = true;
    absl::StatusOr<uint64_t> opened = context_.OwnInbox().TryUnopened(Handler());
    Note(std::nullopt, opened.status());
    return LoadCase();
  }

  // Messages that only neutrals may send, now that the channels have been read.
  absl::Status TakeWhatWaited() {
    for (int round = 0; round < kMostRounds; ++round) {
      absl::StatusOr<DeferredResult> deferred = TakeDeferred(context_, unread_);
      Note(std::nullopt, deferred.status());
      if (!deferred.ok() || !deferred->took) break;
      result_.people_changed = true;
      result_.channels_changed = true;
      PARLEY_RETURN_IF_ERROR(LoadCase());
      PARLEY_RETURN_IF_ERROR(ExchangeAll());
      if (record_.IsNeutral()) PARLEY_RETURN_IF_ERROR(HearNeutrals());
    }
    return absl::OkStatus();
  }

  // One round: works with what came, sends what follows from it. Whether another one may be needed.
  absl::StatusOr<bool> CarryOut() {
    bool more = false;
    std::set<ChannelId> touched;
    const bool neutral = record_.IsNeutral() && record_.own_state == ParticipantState::kApproved;
    if (record_.IsNeutral()) {
      PARLEY_RETURN_IF_ERROR(HearNeutrals());
      if (heard_) {
        PARLEY_RETURN_IF_ERROR(TakeWhatWaited());
        more = true;
        heard_ = false;
      }
    }
    if (neutral && record_.own_state == ParticipantState::kApproved) {
      absl::StatusOr<ReconcileResult> reconciled = ReconcileOnce(false);
      if (reconciled.ok() && reconciled->read_the_log_first) {
        PARLEY_ASSIGN_OR_RETURN(std::set<ChannelId> neutrals, NeutralsChannels());
        PARLEY_RETURN_IF_ERROR(Exchange(neutrals));
        PARLEY_RETURN_IF_ERROR(ReadNeutralsLog().status());
        reconciled = ReconcileOnce(true);
      }
      Note(std::nullopt, reconciled.status());
      if (reconciled.ok()) {
        touched = reconciled->touched;
        for (const std::string& line : reconciled->waiting) {
          Note(std::nullopt, absl::FailedPreconditionError(line));
        }
      }
    }
    if (!record_.IsNeutral()) PARLEY_RETURN_IF_ERROR(WorkForTeam(touched));
    absl::StatusOr<ErrandsResult> errands = RunErrands(context_, unread_);
    Note(std::nullopt, errands.status());
    if (errands.ok()) {
      more = more || errands->did_something;
      for (const std::string& line : errands->problems) {
        Note(std::nullopt, absl::ResourceExhaustedError(line));
      }
    }
    if (neutral) Note(std::nullopt, AnnounceHeads());
    PARLEY_ASSIGN_OR_RETURN(std::set<ChannelId> dirty, Dirty(std::move(touched)));
    moved_ = false;
    PARLEY_RETURN_IF_ERROR(Exchange(dirty));
    absl::StatusOr<FlushResult> flushed = context_.OwnInbox().Flush(*context_.relay);
    Heard(std::nullopt, flushed.ok() ? flushed->problem : flushed.status());
    more = more || moved_ || (flushed.ok() && flushed->sent > 0);
    PARLEY_RETURN_IF_ERROR(LoadCase());
    return more;
  }

  absl::Status PayForTeam(const ChannelId& channel) {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, context_.store->Begin());
    PARLEY_ASSIGN_OR_RETURN(const bool pays, PayAnew(step, context_, channel));
    if (!pays) return absl::OkStatus();
    moved_ = true;
    return step.Commit();
  }

  absl::Status WorkForTeam(std::set<ChannelId>& touched) {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, context_.store->Begin());
    absl::StatusOr<TeamWork> work = ReconcileTeam(step, context_, unread_);
    Note(std::nullopt, work.status());
    if (!work.ok()) return absl::OkStatus();
    PARLEY_RETURN_IF_ERROR(step.Commit());
    touched.insert(work->touched.begin(), work->touched.end());
    for (const std::string& line : work->waiting) {
      Note(std::nullopt, absl::FailedPreconditionError(line));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::set<ChannelId>> NeutralsChannels() {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, context_.store->Read());
    PARLEY_ASSIGN_OR_RETURN(std::vector<CaseChannel> channels, ChannelsOf(read, context_));
    const CaseChannel* neutrals = FindByKind(channels, ChannelKind::kNeutrals);
    return neutrals == nullptr ? std::set<ChannelId>() : std::set<ChannelId>{neutrals->id};
  }

  // Texts and documents that wait to be sent.
  absl::StatusOr<uint64_t> CountWaiting() {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, context_.store->Read());
    PARLEY_ASSIGN_OR_RETURN(std::vector<CaseChannel> channels, ChannelsOf(read, context_));
    uint64_t waiting = 0;
    for (const CaseChannel& channel : channels) {
      if (channel.info.unsent == 0) continue;
      PARLEY_ASSIGN_OR_RETURN(std::vector<ChannelMessage> unsent,
                              context_.Channel(channel.id).Unsent(read));
      for (const ChannelMessage& message : unsent) {
        const bool for_people =
            message.kind == ContentKind::kText || message.kind == ContentKind::kDocument;
        waiting += for_people ? 1 : 0;
      }
    }
    return waiting;
  }

  const CaseContext& context_;
  CaseRecord record_;
  CaseSyncResult result_;
  std::set<ChannelId> unread_;  // channels whose log could not be read to its head
  std::map<ChannelId, std::string> names_;
  std::set<ChannelId> silent_;  // those of them about which the relay gave no answer
  bool answered_ = false;       // whether the relay has answered about anything
  absl::Status silence_;        // the first time when it didn't
  bool heard_ = false;  // whether the neutrals' channel had something new since the last round
  bool moved_ = false;  // whether the latest exchange received or sent anything
};

}  // namespace

absl::StatusOr<CaseSyncResult> SyncCase(const CaseContext& context) {
  return CaseSync(context).Run();
}

absl::StatusOr<ExchangeResult> ExchangeChannel(const CaseContext& context,
                                               const ChannelId& channel) {
  return context.Channel(channel).Exchange();
}

}  // namespace parley::client
