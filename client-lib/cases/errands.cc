#include "client-lib/cases/errands.h"

#include <algorithm>

#include "client-lib/cases/calendar_work.h"
#include "client-lib/cases/connection.h"
#include "client-lib/cases/controls.h"
#include "client-lib/cases/inbox_keys.h"
#include "client-lib/cases/inbox_messages.h"
#include "client-lib/cases/neutrals_log.h"
#include "client-lib/cases/procedure_work.h"
#include "client-lib/cases/session_work.h"
#include "client-lib/content/wipe.h"
#include "client-lib/pairing/device.h"

namespace parley::client {
namespace {

using content::v1::InboxMessage;
using content::v1::ParticipantRecord;

constexpr uint32_t kVouchersAtOnce = 16;
constexpr size_t kFewVouchers = 6;
// A voucher makes one blob of at most so many bytes: what one shared file may be.
constexpr uint64_t kVoucherBytes = 8ull << 30;
// What one participant gets of them in a week. Without a bound, one client that asks again and
// again would draw on all of the quota that the relay leaves to vouchers.
constexpr uint64_t kMostVouchersInAWeek = 64;
constexpr uint64_t kWeekSeconds = 7 * 24 * 60 * 60;
constexpr uint64_t kVoucherSeconds = 365 * 24 * 60 * 60;

// One participant's errands, seen from one device.
class Errands {
 public:
  Errands(const CaseContext& context, const std::set<ChannelId>& unread)
      : context_(context), unread_(unread) {}

  absl::StatusOr<ErrandsResult> Run() {
    {
      PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, context_.store->Read());
      PARLEY_ASSIGN_OR_RETURN(record_, context_.Records().Case(read));
      PARLEY_ASSIGN_OR_RETURN(people_, context_.Records().People(read));
    }
    const bool takes_part = record_.own_state == ParticipantState::kApproved;
    if (takes_part && record_.IsNeutral()) PARLEY_RETURN_IF_ERROR(TakeNewToken());
    if (record_.IsNeutral() && (takes_part || !people_.empty())) {
      for (const PersonRecord& person : people_) {
        if (person.id == record_.own_id) continue;
        PARLEY_RETURN_IF_ERROR(ForPerson(person, takes_part));
      }
    } else {
      PARLEY_RETURN_IF_ERROR(
          Step([this](Transaction& step) { return CutOffGoneNeutrals(step, context_); }));
    }
    PARLEY_RETURN_IF_ERROR(
        Step([this](Transaction& step) { return ReportFlooders(step, context_); }));
    if (record_.own_state == ParticipantState::kLeft) {
      PARLEY_RETURN_IF_ERROR(Step([this](Transaction& step) { return SayFarewell(step); }));
    }
    if (takes_part) {
      PARLEY_RETURN_IF_ERROR(Step([this](Transaction& step) { return AskForVouchers(step); }));
      PARLEY_RETURN_IF_ERROR(
          Step([this](Transaction& step) { return HandOutSeeds(step, context_); }));
      PARLEY_RETURN_IF_ERROR(Step([this](Transaction& step) { return TopUp(step); }));
      PARLEY_RETURN_IF_ERROR(
          Step([this](Transaction& step) { return RunProcedureErrands(step, context_, unread_); }));
      PARLEY_RETURN_IF_ERROR(
          Step([this](Transaction& step) { return RunSessionErrands(step, context_); }));
      PARLEY_RETURN_IF_ERROR(
          Step([this](Transaction& step) { return RunCalendarErrands(step, context_); }));
    }
    return std::move(result_);
  }

 private:
  // Runs one errand in a transaction; it says whether it did anything.
  template <typename Errand>
  absl::Status Step(Errand errand) {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, context_.store->Begin());
    absl::StatusOr<bool> did = errand(step);
    PARLEY_RETURN_IF_ERROR(did.status());
    PARLEY_RETURN_IF_ERROR(step.Commit());
    result_.did_something = result_.did_something || *did;
    return absl::OkStatus();
  }

  absl::Status TakeNewToken() {
    const absl::StatusOr<bool> took = TakeOffer(context_);
    if (absl::IsResourceExhausted(took.status()) || absl::IsInternal(took.status())) {
      // The relay's trouble with vouchers keeps no other errand back; the offer stays.
      result_.problems.push_back("the renewed connection string can't be tried yet: " +
                                 std::string(took.status().message()));
      return absl::OkStatus();
    }
    PARLEY_RETURN_IF_ERROR(took.status());
    if (!*took) return absl::OkStatus();
    result_.did_something = true;
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, context_.store->Read());
    PARLEY_ASSIGN_OR_RETURN(record_, context_.Records().Case(read));
    return absl::OkStatus();
  }

  absl::StatusOr<bool> TopUp(Transaction& step) {
    PARLEY_RETURN_IF_ERROR(TopUpKeyPackages(step, context_));
    return false;
  }

  absl::Status ForPerson(const PersonRecord& person, bool takes_part) {
    const ParticipantId id = person.id;
    if (HasGone(person)) {
      if (person.cut_off != 0) return absl::OkStatus();
      return Step([this, id](Transaction& step) { return CutOff(step, context_, id); });
    }
    if (!takes_part || !person.TakesPart()) return absl::OkStatus();
    PARLEY_RETURN_IF_ERROR(
        Step([this, id](Transaction& step) { return TakeNewKey(step, context_, id); }));
    if (person.joined_here != 0 && person.approval_sent == 0) {
      PARLEY_RETURN_IF_ERROR(SendApproval(person));
    }
    if (person.vouchers_wanted != 0) PARLEY_RETURN_IF_ERROR(SendVouchers(person));
    if (person.IsNeutral() && person.joined_here != 0 && person.briefed == 0) {
      PARLEY_RETURN_IF_ERROR(Step([this, id](Transaction& step) { return Brief(step, id); }));
    }
    for (const PersonRecord& neutral : people_) {
      if (!neutral.IsNeutral() || !neutral.TakesPart() || neutral.id == record_.own_id ||
          neutral.id == id || Contains(person.introduced_to, neutral.id) ||
          Contains(neutral.introduced_to, id)) {
        continue;
      }
      PARLEY_RETURN_IF_ERROR(Step([this, id, other = neutral.id](Transaction& step) {
        return Introduce(step, id, other);
      }));
    }
    return absl::OkStatus();
  }

  static bool Contains(const std::vector<ParticipantId>& ids, const ParticipantId& id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  }

  // Vouchers from the own quota; none, and a problem noted, when it is used up.
  absl::StatusOr<std::vector<Bytes>> Vouchers(const PersonRecord& person) {
    if (person.IsNeutral() || record_.sponsor_token.empty()) return std::vector<Bytes>();
    absl::StatusOr<std::vector<Bytes>> vouchers =
        context_.relay->IssueVouchers(record_.sponsor_token.Reveal(), kVouchersAtOnce,
                                      kVoucherBytes, context_.now_seconds() + kVoucherSeconds);
    if (vouchers.ok()) return vouchers;
    if (absl::IsUnavailable(vouchers.status()) || absl::IsDeadlineExceeded(vouchers.status()) ||
        absl::IsCancelled(vouchers.status())) {
      return std::move(vouchers).status();
    }
    result_.problems.push_back(person.name + " gets no vouchers, and can't share documents: " +
                               std::string(vouchers.status().message()));
    return std::vector<Bytes>();
  }

  // Counts what a participant is given.
  void CountVouchers(PersonRecord& person, size_t count) {
    if (context_.now_seconds() >= person.vouchers_since + kWeekSeconds) {
      person.vouchers_since = context_.now_seconds();
      person.vouchers_given = 0;
    }
    person.vouchers_given += count;
  }

  bool HasHadEnough(const PersonRecord& person) const {
    return context_.now_seconds() < person.vouchers_since + kWeekSeconds &&
           person.vouchers_given + kVouchersAtOnce > kMostVouchersInAWeek;
  }

  // Their request stays, and is met when the week is over.
  absl::Status LetWait(const PersonRecord& person) {
    return Step([&](Transaction& step) -> absl::StatusOr<bool> {
      PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context_.Records().Case(step));
      record.Refuse(
          person.name + " has asked for more than " + std::to_string(kMostVouchersInAWeek) +
          " vouchers in a week, each for one document; they get the next when it is over");
      PARLEY_RETURN_IF_ERROR(context_.Records().PutCase(step, record));
      return false;
    });
  }

  // Whether something can be sent to them now. Asked before the relay makes vouchers for them.
  absl::StatusOr<bool> CanBeWrittenTo(const ParticipantId& id) {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, context_.store->Read());
    PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> pairing,
                            context_.Pairings().PairingWith(read, id));
    if (!pairing.has_value()) return false;
    return context_.OwnInbox().HasRoom(read, *pairing);
  }

  absl::Status SendApproval(const PersonRecord& person) {
    PARLEY_ASSIGN_OR_RETURN(const bool now, CanBeWrittenTo(person.id));
    if (!now) return absl::OkStatus();
    PARLEY_ASSIGN_OR_RETURN(std::vector<Bytes> vouchers, Vouchers(person));
    return Step([&](Transaction& step) -> absl::StatusOr<bool> {
      PARLEY_ASSIGN_OR_RETURN(std::optional<PersonRecord> current,
                              context_.Records().Person(step, person.id));
      PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> pairing,
                              context_.Pairings().PairingWith(step, person.id));
      if (!current.has_value() || current->approval_sent != 0 || !pairing.has_value()) return false;
      PARLEY_ASSIGN_OR_RETURN(const bool room, context_.OwnInbox().HasRoom(step, *pairing));
      if (!room) return false;
      InboxMessage message;
      content::v1::Approval& approval = *message.mutable_approval();
      approval.set_name(current->name);
      approval.set_role(ToWire(current->role));
      approval.set_side(current->side);
      for (const Bytes& voucher : vouchers) approval.add_vouchers(crypto::ToString(voucher));
      PARLEY_RETURN_IF_ERROR(context_.OwnInbox().Queue(step, *pairing, std::move(message)));
      current->approval_sent = 1;
      CountVouchers(*current, vouchers.size());
      PARLEY_RETURN_IF_ERROR(context_.Records().PutPerson(step, *current));
      return true;
    });
  }

  absl::Status SendVouchers(const PersonRecord& person) {
    if (HasHadEnough(person)) return LetWait(person);
    PARLEY_ASSIGN_OR_RETURN(const bool now, CanBeWrittenTo(person.id));
    if (!now) return absl::OkStatus();
    PARLEY_ASSIGN_OR_RETURN(std::vector<Bytes> vouchers, Vouchers(person));
    if (vouchers.empty()) return absl::OkStatus();
    return Step([&](Transaction& step) -> absl::StatusOr<bool> {
      PARLEY_ASSIGN_OR_RETURN(std::optional<PersonRecord> current,
                              context_.Records().Person(step, person.id));
      PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> pairing,
                              context_.Pairings().PairingWith(step, person.id));
      if (!current.has_value() || current->vouchers_wanted == 0 || !pairing.has_value()) {
        return false;
      }
      PARLEY_ASSIGN_OR_RETURN(const bool room, context_.OwnInbox().HasRoom(step, *pairing));
      if (!room) return false;
      InboxMessage message;
      for (const Bytes& voucher : vouchers) {
        message.mutable_vouchers()->add_vouchers(crypto::ToString(voucher));
      }
      PARLEY_RETURN_IF_ERROR(context_.OwnInbox().Queue(step, *pairing, std::move(message)));
      current->vouchers_wanted = 0;
      CountVouchers(*current, vouchers.size());
      PARLEY_RETURN_IF_ERROR(context_.Records().PutPerson(step, *current));
      return true;
    });
  }

  // The neutrals' channel, if it can be written to and this neutral is in it; null otherwise.
  static const CaseChannel* WithNeutral(const std::vector<CaseChannel>& channels,
                                        const ParticipantId& id) {
    const CaseChannel* neutrals = FindByKind(channels, ChannelKind::kNeutrals);
    if (neutrals == nullptr || neutrals->info.standing != Standing::kActive ||
        neutrals->info.state.FindMember(id) == nullptr) {
      return nullptr;
    }
    return neutrals;
  }

  // Tells a neutral who has come into the neutrals' channel what was said there before them.
  absl::StatusOr<bool> Brief(Transaction& step, const ParticipantId& id) {
    PARLEY_ASSIGN_OR_RETURN(std::optional<PersonRecord> neutral,
                            context_.Records().Person(step, id));
    PARLEY_ASSIGN_OR_RETURN(std::vector<CaseChannel> channels, ChannelsOf(step, context_));
    const CaseChannel* neutrals = WithNeutral(channels, id);
    if (!neutral.has_value() || neutral->briefed != 0 || neutrals == nullptr) return false;
    std::vector<ControlRecord> controls;
    for (const CaseChannel& channel : channels) {
      if (channel.info.standing != Standing::kActive || !channel.info.has_control_key) continue;
      PARLEY_ASSIGN_OR_RETURN(Secret seed, context_.Channel(channel.id).ControlSeed(step));
      controls.push_back(
          {channel.id, channel.info.state.incarnation, std::move(seed), record_.own_id, 0});
    }
    PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context_.Records().Case(step));
    PARLEY_RETURN_IF_ERROR(
        PostControls(step, context_, neutrals->id, record, controls, WithToken::kYes));
    PARLEY_RETURN_IF_ERROR(context_.Records().PutCase(step, record));
    PARLEY_ASSIGN_OR_RETURN(std::vector<PersonRecord> people, context_.Records().People(step));
    PARLEY_RETURN_IF_ERROR(
        PostAllNames(step, context_, neutrals->id, ChannelChoice(record, people, channels)));
    for (PersonRecord& person : people) {
      if (!person.TakesPart() || person.recorded != ParticipantState::kApproved) continue;
      PARLEY_RETURN_IF_ERROR(PostRecord(step, context_, neutrals->id, person));
      if (person.id == id) person.briefed = 1;
      PARLEY_RETURN_IF_ERROR(context_.Records().PutPerson(step, person));
    }
    return true;
  }

  // Introducing somebody is the duty of the neutral they joined with; when that one has gone, of
  // whoever was given append keys of theirs.
  absl::StatusOr<bool> Introduce(Transaction& step, const ParticipantId& id,
                                 const ParticipantId& neutral_id) {
    PARLEY_ASSIGN_OR_RETURN(std::optional<PersonRecord> person,
                            context_.Records().Person(step, id));
    PARLEY_ASSIGN_OR_RETURN(std::optional<PersonRecord> neutral,
                            context_.Records().Person(step, neutral_id));
    PARLEY_ASSIGN_OR_RETURN(std::vector<CaseChannel> channels, ChannelsOf(step, context_));
    const CaseChannel* neutrals = WithNeutral(channels, neutral_id);
    if (!person.has_value() || !neutral.has_value() || neutrals == nullptr ||
        person->recorded != ParticipantState::kApproved ||
        (neutral->joined_here != 0 && neutral->briefed == 0) ||
        Contains(person->introduced_to, neutral_id) || Contains(neutral->introduced_to, id)) {
      return false;
    }
    // Two who paired by an invitation know each other already: the one who approved the other.
    if (person->approver == neutral_id || neutral->approver == id) return false;
    PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> pairing,
                            context_.Pairings().PairingWith(step, id));
    PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> with_neutral,
                            context_.Pairings().PairingWith(step, neutral_id));
    if (!pairing.has_value() || pairing->reserve_seeds.empty() || !with_neutral.has_value() ||
        with_neutral->reserve_seeds.empty()) {
      return false;
    }
    PARLEY_ASSIGN_OR_RETURN(const bool room, context_.OwnInbox().HasRoom(step, *pairing));
    if (!room) return false;

    const Secret secret = Secret::Random(32);
    std::vector<ParticipantRecord::Introduction> introductions(1);
    ParticipantRecord::Introduction& for_neutral = introductions[0];
    const ScopedMessageWipe wipe(for_neutral);
    for_neutral.set_neutral_participant_id(ToField(neutral_id));
    for_neutral.set_introduction_secret(crypto::ToString(secret.Reveal()));
    for_neutral.set_append_seed(crypto::ToString(pairing->reserve_seeds.back().Reveal()));
    pairing->reserve_seeds.pop_back();
    person->introduced_to.push_back(neutral_id);
    PARLEY_RETURN_IF_ERROR(PostRecord(step, context_, neutrals->id, *person, introductions));

    InboxMessage message;
    content::v1::Introduction& introduction = *message.mutable_introduction();
    PARLEY_ASSIGN_OR_RETURN(*introduction.mutable_card(), ParseCard(neutral->card));
    introduction.set_role(ToWire(neutral->role));
    introduction.set_introduction_secret(crypto::ToString(secret.Reveal()));
    introduction.set_append_seed(crypto::ToString(with_neutral->reserve_seeds.back().Reveal()));
    with_neutral->reserve_seeds.pop_back();
    PARLEY_RETURN_IF_ERROR(context_.Pairings().PutPairing(step, *pairing));
    PARLEY_RETURN_IF_ERROR(context_.Pairings().PutPairing(step, *with_neutral));
    PARLEY_RETURN_IF_ERROR(context_.OwnInbox().Queue(step, *pairing, std::move(message)));
    PARLEY_RETURN_IF_ERROR(context_.Records().PutPerson(step, *person));
    return true;
  }

  // What had no room when the owner left the case.
  absl::StatusOr<bool> SayFarewell(Transaction& step) {
    PARLEY_ASSIGN_OR_RETURN(std::vector<Pairing> pairings, context_.Pairings().pairings.All(step));
    bool did = false;
    for (Pairing& pairing : pairings) {
      if (pairing.ended != 0 || pairing.farewell_due == 0) continue;
      PARLEY_ASSIGN_OR_RETURN(const bool room, context_.OwnInbox().HasRoom(step, pairing));
      if (!room) continue;
      InboxMessage message;
      message.mutable_removal()->set_left(true);
      PARLEY_RETURN_IF_ERROR(context_.OwnInbox().Queue(step, pairing, std::move(message)));
      pairing.farewell_due = 0;
      PARLEY_RETURN_IF_ERROR(context_.Pairings().PutPairing(step, pairing));
      did = true;
    }
    return did;
  }

  absl::StatusOr<bool> AskForVouchers(Transaction& step) {
    PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context_.Records().Case(step));
    if (record.IsNeutral() || record.vouchers_asked != 0 ||
        record.vouchers.size() >= kFewVouchers) {
      return false;
    }
    PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> neutral, MainNeutral(step, context_));
    if (!neutral.has_value()) return false;
    InboxMessage message;
    message.mutable_voucher_request();
    PARLEY_RETURN_IF_ERROR(context_.OwnInbox().Queue(step, *neutral, std::move(message)));
    record.vouchers_asked = 1;
    PARLEY_RETURN_IF_ERROR(context_.Records().PutCase(step, record));
    return true;
  }

  const CaseContext& context_;
  const std::set<ChannelId>& unread_;
  CaseRecord record_;
  std::vector<PersonRecord> people_;
  ErrandsResult result_;
};

}  // namespace

absl::StatusOr<ErrandsResult> RunErrands(const CaseContext& context,
                                         const std::set<ChannelId>& unread) {
  return Errands(context, unread).Run();
}

}  // namespace parley::client
