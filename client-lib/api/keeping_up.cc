// Sync and Watch: Profile::Impl's third part.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "client-lib/api/document_ends.h"
#include "client-lib/api/listening.h"
#include "client-lib/api/news.h"
#include "client-lib/api/profile_impl.h"
#include "client-lib/api/retention.h"
#include "client-lib/api/status_conversion.h"
#include "client-lib/firewall/offer_log.h"

namespace parley {
namespace {

using client::Listening;
using client::ReadTransaction;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How often a waiting call looks whether it was cancelled.
constexpr milliseconds kLook{100};
// A watch syncs at least this often, for what is due by time.
constexpr std::chrono::minutes kSyncAtLeastEvery{5};
constexpr milliseconds kFirstPause{500};
constexpr milliseconds kLongestPause{30'000};

bool IsUnreachable(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

Problem ToProblem(const CaseId& id, const client::CaseProblem& problem) {
  Problem shown;
  shown.case_id = id;
  if (problem.channel.has_value()) shown.channel = ChannelRef{id, *problem.channel};
  shown.status = client::ToPublic(problem.status);
  return shown;
}

// What is over, or to be destroyed, by now. What can't be done now, a later sync does.
void TendCase(const client::CaseContext& context) {
  const absl::StatusOr<bool> reported = client::TendRetention(context);
  if (reported.ok() && *reported) client::SyncCase(context).IgnoreError();
  bool destroying = true;
  if (absl::StatusOr<ReadTransaction> read = context.store->Read(); read.ok()) {
    destroying = client::IsDestroying(*read, context).value_or(true);
  }
  // What is destroyed by half would look as if it were over, or unheard of.
  if (!destroying) {
    client::Disclosures::Keep(context).IgnoreError();
    client::EndExpired(context).IgnoreError();
    client::EndExpiredOffers(context).IgnoreError();
  }
  client::TendDocuments(context).IgnoreError();
}

}  // namespace

// ---- Sync ----

absl::StatusOr<bool> Profile::Impl::SyncOnce(const SyncOptions& options, SyncReport& report) {
  std::vector<CaseId> ids;
  if (options.case_id.has_value()) {
    PARLEY_RETURN_IF_ERROR(LoadCase(*options.case_id).status());
    ids.push_back(*options.case_id);
  } else {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(ids, client::CaseRecords::List(read));
  }
  bool reached = ids.empty();
  bool news = false;
  absl::Status first_failure;
  report.problems.clear();
  report.messages_waiting = 0;
  for (const CaseId& id : ids) {
    absl::StatusOr<client::CaseSyncResult> result = absl::UnknownError("");
    absl::StatusOr<Connected> connected = Connect(id, client::Patience::kBrief);
    if (connected.ok()) {
      result = client::SyncCase(connected->context);
      // What is over by now; what can't be said now, a later sync says.
      if (result.ok()) {
        TendCase(connected->context);
      }
    } else {
      result = connected.status();
    }
    if (!result.ok()) {
      if (first_failure.ok()) first_failure = result.status();
      report.problems.push_back(ToProblem(id, {std::nullopt, result.status()}));
      continue;
    }
    reached = true;
    news = news || result->messages > 0 || result->people_changed || result->channels_changed;
    report.messages_received += result->messages;
    report.messages_sent += result->sent;
    report.messages_waiting += result->waiting;
    report.messages_never_sent += result->given_up;
    for (const client::CaseProblem& problem : result->problems) {
      report.problems.push_back(ToProblem(id, problem));
    }
  }
  // So that no search has to wait for it. A damaged index is the next search's to make anew, and
  // one that somebody else is busy with can wait.
  bool index_damaged = false;
  if (const absl::Status tended = TendIndex(/*merge_only=*/true, index_damaged);
      !index_damaged && !absl::IsUnavailable(tended)) {
    PARLEY_RETURN_IF_ERROR(tended);
  }
  if (!reached) return first_failure;
  return news;
}

absl::Status Profile::Impl::WaitForNews(const SyncOptions& options, double seconds) {
  std::vector<CaseId> ids;
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(ids, client::CaseRecords::List(read));
  }
  if (options.case_id.has_value()) ids = {*options.case_id};
  std::map<client::ConnectedRelay*, std::unique_ptr<Listening>> listening;
  std::vector<Connected> kept;  // the connections live as long as their streams
  for (const CaseId& id : ids) {
    absl::StatusOr<Connected> connected = Connect(id);
    if (!connected.ok()) continue;
    std::unique_ptr<Listening>& stream = listening[connected->relay.get()];
    if (stream == nullptr) {
      stream = std::make_unique<Listening>(connected->relay->client->Subscribe());
    }
    PARLEY_RETURN_IF_ERROR(stream->Follow(connected->context));
    kept.push_back(std::move(*connected));
  }
  const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                        std::chrono::duration<double>(seconds));
  while (Clock::now() < until) {
    if (options.cancellation != nullptr && options.cancellation->cancelled()) break;
    if (listening.empty()) std::this_thread::sleep_for(kLook);
    for (auto& [relay, stream] : listening) {
      const auto left = std::chrono::duration_cast<milliseconds>(until - Clock::now());
      const milliseconds share = std::min(kLook, left) / static_cast<int>(listening.size());
      if (stream->Listen(std::max(share, milliseconds(1))) == Listening::Heard::kNews) {
        return absl::OkStatus();
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<SyncReport> Profile::Impl::Sync(const SyncOptions& options) {
  SyncReport report;
  const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                        std::chrono::duration<double>(options.wait_seconds));
  while (true) {
    PARLEY_ASSIGN_OR_RETURN(bool news, SyncOnce(options, report));
    const double left = std::chrono::duration<double>(until - Clock::now()).count();
    const bool cancelled = options.cancellation != nullptr && options.cancellation->cancelled();
    if (news || left <= 0 || cancelled) return report;
    PARLEY_RETURN_IF_ERROR(WaitForNews(options, left));
  }
}

// ---- Watch ----

// One run of Watch: a connection of its own, which a second thread shuts down when the watch is
// cancelled, so that no call to a relay that hangs delays the end.
class Profile::Impl::Watcher {
 public:
  Watcher(Profile::Impl& profile, const CaseId& id,
          const std::function<void(const Event&)>& on_event, const Cancellation& cancellation)
      : profile_(profile),
        id_(id),
        on_event_(on_event),
        cancellation_(cancellation),
        news_(profile.LocalContext(id)) {}

  absl::Status Run() {
    PARLEY_ASSIGN_OR_RETURN(client::CaseRecord record, profile_.LoadCase(id_));
    PARLEY_RETURN_IF_ERROR(news_.Start());
    PARLEY_ASSIGN_OR_RETURN(client::ChangeWatch changes, profile_.store_->Watch());
    changes_ = &changes;
    milliseconds pause = kFirstPause;
    while (!cancellation_.cancelled()) {
      const auto started = Clock::now();
      const absl::Status ended = Connection(record.Relay());
      if (cancellation_.cancelled()) break;
      if (!IsUnreachable(ended) && !absl::IsCancelled(ended) && !absl::IsDataLoss(ended)) {
        return ended;
      }
      Say(EventKind::kDisconnected, std::string(ended.message()));
      if (Clock::now() - started > kLongestPause) pause = kFirstPause;
      PARLEY_RETURN_IF_ERROR(Wait(pause));
      pause = std::min(pause * 2, kLongestPause);
    }
    return absl::OkStatus();
  }

 private:
  // Shuts the connection down when the watch is cancelled.
  class Guard {
   public:
    Guard(client::RelayClient& relay, const Cancellation& cancellation)
        : thread_([this, &relay, &cancellation] {
            std::unique_lock<std::mutex> lock(mutex_);
            while (!over_.wait_for(lock, kLook, [this] { return done_; })) {
              if (cancellation.cancelled()) {
                relay.Shutdown();
                return;
              }
            }
          }) {}
    ~Guard() {
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        done_ = true;
      }
      over_.notify_all();
      thread_.join();
    }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    std::mutex mutex_;
    std::condition_variable over_;
    bool done_ = false;
    std::thread thread_;  // last: it uses the others
  };

  void Say(EventKind kind, std::string text) {
    Event event;
    event.kind = kind;
    event.case_id = id_;
    event.text = std::move(text);
    on_event_(event);
  }

  // Another process of this profile may have changed something.
  absl::Status ReportChanges() {
    PARLEY_ASSIGN_OR_RETURN(bool changed, changes_->Changed());
    return changed ? news_.Report(on_event_) : absl::OkStatus();
  }

  absl::Status Wait(milliseconds pause) {
    const auto until = Clock::now() + pause;
    while (Clock::now() < until && !cancellation_.cancelled()) {
      std::this_thread::sleep_for(kLook);
      PARLEY_RETURN_IF_ERROR(ReportChanges());
    }
    return absl::OkStatus();
  }

  absl::Status SyncAndReport(const client::CaseContext& context) {
    PARLEY_RETURN_IF_ERROR(client::SyncCase(context).status());
    TendCase(context);
    return news_.Report(on_event_);
  }

  // One connection, until it can't be used any more.
  absl::Status Connection(const client::ConnectionInfo& info) {
    PARLEY_ASSIGN_OR_RETURN(std::shared_ptr<client::ConnectedRelay> relay,
                            profile_.relays_.ConnectAnew(info));
    const Guard guard(*relay->client, cancellation_);
    client::CaseContext context = profile_.LocalContext(id_);
    context.relay = relay->client.get();
    context.mailboxes = &relay->mailboxes;
    PARLEY_RETURN_IF_ERROR(SyncAndReport(context));
    Say(EventKind::kConnected, "connected to " + info.address);
    Listening listening(relay->client->Subscribe());
    PARLEY_RETURN_IF_ERROR(listening.Follow(context));
    auto synced = Clock::now();
    bool broken = false;
    while (!cancellation_.cancelled()) {
      const Listening::Heard heard = listening.Listen(kLook);
      PARLEY_RETURN_IF_ERROR(ReportChanges());
      if (heard == Listening::Heard::kDisconnected && !broken) {
        broken = true;
        Say(EventKind::kDisconnected, std::string(listening.trouble().message()));
      }
      const bool back = heard == Listening::Heard::kConnected && broken;
      const bool due = Clock::now() - synced > kSyncAtLeastEvery;
      if (heard != Listening::Heard::kNews && !back && !due) continue;
      PARLEY_RETURN_IF_ERROR(SyncAndReport(context));
      PARLEY_RETURN_IF_ERROR(listening.Follow(context));
      synced = Clock::now();
      if (back) {
        broken = false;
        Say(EventKind::kConnected, "connected to " + info.address);
      }
    }
    return absl::OkStatus();
  }

  Profile::Impl& profile_;
  const CaseId id_;
  const std::function<void(const Event&)>& on_event_;
  const Cancellation& cancellation_;
  client::News news_;
  client::ChangeWatch* changes_ = nullptr;
};

absl::Status Profile::Impl::Watch(const CaseId& id,
                                  const std::function<void(const Event&)>& on_event,
                                  const Cancellation& cancellation) {
  return Watcher(*this, id, on_event, cancellation).Run();
}

}  // namespace parley
