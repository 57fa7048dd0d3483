// Receipts, and what waits for the profile's owner: Profile::Impl's part.
#include <algorithm>
#include <ctime>
#include <tuple>
#include <utility>

#include "client-lib/api/profile_impl.h"
#include "client-lib/api/retention.h"
#include "client-lib/channels/receipts.h"
#include "client-lib/procedure/case_procedure.h"
#include "client-lib/procedure/procedure_table.h"
#include "client-lib/procedure/session_log.h"

namespace parley {
namespace {

using client::CaseView;
using client::ReadTransaction;
using client::Transaction;

constexpr size_t kShownId = 8;
// So many messages are looked at at once for one that is unread.
constexpr size_t kUnreadBatch = 64;
// An offer of the own side is shown from so long before its end on.
constexpr int64_t kOfferEndsSoonSeconds = 3 * 24 * 60 * 60;
constexpr int64_t kSecondsPerMinute = 60;

// Collects the items of one case.
class Todos {
 public:
  Todos(const Case& info, int64_t now) : info_(info), now_(now) {}

  // What is found by its id.
  void Add(TodoKind kind, const std::string& channel, const std::string& text,
           const std::string& id = {}, int64_t due = 0) {
    AddNamed(kind, channel, text, id.substr(0, kShownId), id, due);
  }
  // What is found by something else.
  void AddNamed(TodoKind kind, const std::string& channel, const std::string& text,
                const std::string& about, const std::string& id, int64_t due = 0) {
    items_.push_back({kind, channel, text, about, due, due != 0 && due <= now_, id});
  }

  bool answers_for_side() const {
    return (info_.own_role == Role::kParty || info_.own_role == Role::kCounsel) &&
           !info_.own_side.empty();
  }

  void AddProgress(const CaseProgress& progress) {
    const auto unsigned_by_owner = [](const Agreement& agreement) {
      return std::any_of(agreement.signers.begin(), agreement.signers.end(),
                         [](const auto& one) { return one.person.self && !one.signed_it; });
    };
    // Before the sides have consented, and after the case has ended, nobody's signature is taken.
    const bool may_sign = client::IsOpenTo(CaseAct::kSign, progress.state);
    bool signs = false;
    for (const std::optional<Agreement>* agreement : {&progress.in_force, &progress.proposed}) {
      if (!may_sign || !agreement->has_value() || !unsigned_by_owner(**agreement)) continue;
      signs = true;
      Add(TodoKind::kSign, "",
          "sign the agreement to mediate, version " + std::to_string((*agreement)->version) + " (" +
              client::kSignCommand + ")",
          (*agreement)->hash);
    }
    for (const CaseMissing& missing : progress.missing) {
      const bool of_side = missing.who == info_.own_side || missing.who == client::kAnySide;
      const bool own = missing.who == info_.own_name || (answers_for_side() && of_side) ||
                       (IsNeutral(info_.own_role) && missing.who == client::kAnyNeutral);
      const bool told = signs && missing.command == client::kSignCommand;
      if (!own || told || missing.command.empty()) continue;
      Add(TodoKind::kAct, "", missing.who + " " + missing.what + " (" + missing.command + ")");
    }
  }

  void AddWaiting(const std::vector<Participant>& people) {
    for (const Participant& person : people) {
      if (person.state != ParticipantState::kWaiting) continue;
      AddNamed(TodoKind::kApprove, "", person.name + " waits to be let in (parley case approve)",
               person.name, person.id.ToString());
    }
  }

  void AddTexts(const std::vector<SessionText>& texts, const std::string& what,
                const std::string& command) {
    const bool several = std::any_of(texts.begin(), texts.end(),
                                     [](const SessionText& text) { return text.number > 1; });
    for (const SessionText& text : texts) {
      const bool waits = text.latest && std::find(text.unanswered.begin(), text.unanswered.end(),
                                                  info_.own_side) != text.unanswered.end();
      if (!waits) continue;
      const bool summary = text.kind == SessionTextKind::kSummary;
      const std::string number = std::to_string(text.number);
      const std::string version = std::to_string(text.version);
      const std::string options =
          (several ? " --of " + number : "") + (text.version > 1 ? " --version " + version : "");
      AddNamed(TodoKind::kText, "joint",
               "answer " + what + (summary ? " " + number : "") + ", version " + version +
                   " (parley " + command + options + ")",
               summary ? number : "", text.id.ToString());
    }
  }

  void AddOffers(const std::vector<Offer>& offers, const ParticipantId& self) {
    for (const Offer& offer : offers) {
      const OfferVersion& current = offer.current();
      if (current.state != OfferState::kOpen) continue;
      const std::string id = offer.id.substr(0, kShownId);
      const std::string version = "version " + std::to_string(current.version);
      const bool waits = std::any_of(current.waits_for.begin(), current.waits_for.end(),
                                     [&](const OfferParty& party) { return party.id == self; });
      if (waits) {
        Add(TodoKind::kOffer, offer.channel_name,
            "answer the offer " + id + " of " + offer.side + ", " + version +
                " (parley offer accept, decline)",
            offer.id, current.expires_at);
      }
      const bool own = answers_for_side() && offer.side == info_.own_side && !offer.carried;
      if (own && current.expires_at != 0 && current.expires_at <= now_ + kOfferEndsSoonSeconds) {
        Add(TodoKind::kOfferEnds, offer.channel_name,
            "the offer " + id + " of your side, " + version +
                ", ends (parley offer make --replaces)",
            offer.id, current.expires_at);
      }
    }
  }

  // `must_share`: the agreement has facts shared that are told in caucus.
  void AddDisclosures(const std::vector<Authorisation>& authorisations, bool must_share) {
    for (const Authorisation& one : authorisations) {
      if (one.state != AuthorisationState::kOpen) continue;
      Add(TodoKind::kDisclosure, one.channel_name,
          one.author.name + " lets you carry something to " + one.audience +
              (must_share ? ", and by the agreement facts are to be shared" : "") +
              " (parley disclose)",
          one.id.ToString(), one.expires_at);
    }
  }

  void AddRetention(const std::optional<client::RetentionNotice>& notice) {
    if (!notice.has_value() || (notice->classes.empty() && !notice->by_itself)) return;
    std::string classes;
    for (const std::string& name : notice->classes) classes += (classes.empty() ? "" : ", ") + name;
    if (classes.empty()) classes = "records";
    Add(TodoKind::kRetention, "",
        notice->by_itself ? "this program destroys what isn't to be kept any longer: " + classes +
                                " (parley case retention, --hold)"
                          : "these aren't to be kept any longer: " + classes +
                                " (parley case retention, destroy)",
        "", notice->at);
  }

  void AddCalendar(const std::vector<CalendarEntry>& entries) {
    for (const CalendarEntry& entry : entries) {
      if (entry.cancelled || !entry.asked || entry.own != CalendarReply::kNone ||
          !entry.rests.empty()) {
        continue;
      }
      const std::string id = entry.id.ToString();
      if (entry.kind == CalendarKind::kReminder) {
        Add(TodoKind::kReminder, entry.channel_name, entry.title + " (parley reminder done)", id,
            entry.start);
      } else if (!entry.changed_by.self && entry.start + entry.minutes * kSecondsPerMinute > now_) {
        Add(TodoKind::kMeeting, entry.channel_name,
            "say whether you come: " + entry.title + " (parley meeting yes, maybe, no)", id,
            entry.start);
      }
    }
  }

  // What is due first; what has no time comes last, in the order in which it was added.
  std::vector<TodoItem> Take() && {
    std::stable_sort(items_.begin(), items_.end(), [](const TodoItem& a, const TodoItem& b) {
      return std::pair(a.due == 0, a.due) < std::pair(b.due == 0, b.due);
    });
    return std::move(items_);
  }

 private:
  const Case& info_;
  int64_t now_;
  std::vector<TodoItem> items_;
};

}  // namespace

absl::StatusOr<bool> Profile::Impl::HasUnreadBefore(const ChannelRef& channel, uint64_t position) {
  PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(const CaseView view,
                          CaseView::Create(read, LocalContext(channel.case_id)));
  Page page = {.first = kUnreadBatch};
  PARLEY_ASSIGN_OR_RETURN(page.after, client::ReadSoFar(read, channel.channel_id));
  for (;;) {
    PARLEY_ASSIGN_OR_RETURN(const std::vector<Message> messages,
                            view.Messages(read, channel.channel_id, page));
    for (const Message& message : messages) {
      if (message.position >= position) return false;
      if (!message.author.self) return true;
    }
    if (messages.size() < page.first) return false;
    page.after = messages.back().position;
  }
}

absl::Status Profile::Impl::NoteRead(const ChannelRef& channel, uint64_t position, uint64_t from) {
  PARLEY_RETURN_IF_ERROR(GetChannel(channel).status());
  if (from > 0) {
    PARLEY_ASSIGN_OR_RETURN(const bool skipped, HasUnreadBefore(channel, from));
    if (skipped) return absl::OkStatus();
  }
  PARLEY_ASSIGN_OR_RETURN(Transaction step, store_->Begin());
  PARLEY_RETURN_IF_ERROR(client::NoteReading(step, channel.channel_id, position,
                                             static_cast<uint64_t>(std::time(nullptr))));
  return step.Commit();
}

absl::StatusOr<std::vector<ReadReceipt>> Profile::Impl::Receipts(const ChannelRef& channel) {
  PARLEY_ASSIGN_OR_RETURN(const parley::Channel shown, GetChannel(channel));
  PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(const std::vector<client::ReadUpTo> told,
                          client::ReceiptsOf(read, channel.channel_id));
  std::vector<ReadReceipt> receipts;
  for (const Person& reader : shown.readers) {
    if (reader.self) continue;
    ReadReceipt& receipt = receipts.emplace_back();
    receipt.reader = reader;
    for (const client::ReadUpTo& one : told) {
      if (one.participant != reader.id) continue;
      receipt.position = one.number;
      receipt.time = static_cast<int64_t>(one.time);
    }
  }
  return receipts;
}

absl::StatusOr<bool> Profile::Impl::SendsReceipts() {
  PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, store_->Read());
  return client::SendsReceipts(read);
}

absl::Status Profile::Impl::SetSendsReceipts(bool sends) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, store_->Begin());
  PARLEY_RETURN_IF_ERROR(client::SetSendsReceipts(step, sends));
  return step.Commit();
}

absl::StatusOr<std::vector<TodoItem>> Profile::Impl::Todo(const CaseId& id) {
  PARLEY_ASSIGN_OR_RETURN(const Case info, GetCase(id));
  if (info.own_state != ParticipantState::kApproved) return std::vector<TodoItem>();
  Todos todos(info, std::time(nullptr));
  PARLEY_ASSIGN_OR_RETURN(const CaseProgress progress, Progress(id));
  todos.AddProgress(progress);
  if (IsNeutral(info.own_role)) {
    PARLEY_ASSIGN_OR_RETURN(const std::vector<Participant> people, Participants(id));
    todos.AddWaiting(people);
    PARLEY_ASSIGN_OR_RETURN(const std::vector<Authorisation> leaves, Authorisations(id));
    bool must_share = false;
    {
      PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, store_->Read());
      PARLEY_ASSIGN_OR_RETURN(const auto policy, client::PolicyInForce(read, LocalContext(id)));
      must_share = policy.has_value() && policy->caucus == client::CaucusRule::kMustShareFacts;
    }
    todos.AddDisclosures(leaves, must_share);
  }
  if (todos.answers_for_side() && !client::IsAtRest(progress.state)) {
    PARLEY_ASSIGN_OR_RETURN(auto texts, SessionTexts(id, SessionTextKind::kAgenda));
    todos.AddTexts(texts, "the agenda", "agenda ack, correct");
    PARLEY_ASSIGN_OR_RETURN(texts, SessionTexts(id, SessionTextKind::kGroundRules));
    todos.AddTexts(texts, "the ground rules", "ground-rules ack, correct");
    PARLEY_ASSIGN_OR_RETURN(texts, SessionTexts(id, SessionTextKind::kSummary));
    todos.AddTexts(texts, "summary", "summary confirm, correct");
  }
  if (todos.answers_for_side()) {
    PARLEY_ASSIGN_OR_RETURN(const OfferList offers, Offers(id));
    PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord own, LoadCase(id));
    todos.AddOffers(offers.offers, own.own_id);
  }
  PARLEY_ASSIGN_OR_RETURN(const std::vector<CalendarEntry> entries, Calendar(id));
  todos.AddCalendar(entries);
  {
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(const auto notice, client::NextDestruction(read, LocalContext(id)));
    todos.AddRetention(notice);
  }
  return std::move(todos).Take();
}

}  // namespace parley
