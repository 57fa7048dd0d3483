#include "server/core/commit_queue.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <utility>

#include "server/log/log.h"

namespace parley::server {
namespace {

// Somebody else's writes can come between only rarely: a chunk stored while its blob is sealed.
constexpr int kMostAttempts = 50;

// Says it once a minute: a disk that is full refuses every append.
void LogFailure(const absl::Status& status) {
  using Clock = std::chrono::steady_clock;
  static std::atomic<Clock::rep> next = Clock::now().time_since_epoch().count();
  const Clock::rep now = Clock::now().time_since_epoch().count();
  Clock::rep due = next;
  const Clock::rep later = now + Clock::duration(std::chrono::minutes(1)).count();
  if (now < due || !next.compare_exchange_strong(due, later)) return;
  Log(LogLevel::kError, "store_failed", "nothing can be stored: " + std::string(status.message()));
}

}  // namespace

CommitQueue::CommitQueue(storage::KeyValueStore& store, const Limits& limits, Metrics* metrics,
                         std::function<Time()> now)
    : store_(store),
      limits_(limits),
      metrics_(metrics),
      now_(now ? std::move(now) : [] { return std::chrono::steady_clock::now(); }),
      thread_([this] { Work(); }) {}

CommitQueue::~CommitQueue() { Stop(); }

void CommitQueue::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool CommitQueue::Enqueue(size_t bytes, Step& step, Done& done,
                          std::unique_lock<std::mutex>& lock) {
  absl::Status refusal = absl::ResourceExhaustedError("the relay is busy: try again in a second");
  lock.lock();
  if (stopping_) {
    refusal = absl::UnavailableError("the relay is shutting down: connect again in a moment");
  } else if (queue_.size() < limits_.max_queued_steps &&
             queued_bytes_ + bytes <= limits_.max_queued_bytes) {
    queued_bytes_ += bytes;
    queue_.push_back({bytes, std::move(step), std::move(done)});
    CountQueued();
    return true;
  }
  lock.unlock();
  done(std::move(refusal));
  return false;
}

void CommitQueue::Submit(size_t bytes, Step step, Done done) {
  std::unique_lock lock(mutex_, std::defer_lock);
  if (!Enqueue(bytes, step, done, lock)) return;
  const bool is_first = queue_.size() == 1 && !is_busy_;  // else it is seen without being told
  lock.unlock();
  if (is_first) wake_.notify_one();
}

void CommitQueue::SubmitEagerly(size_t bytes, Step step, Done done) {
  std::unique_lock lock(mutex_, std::defer_lock);
  if (!Enqueue(bytes, step, done, lock)) return;
  if (is_busy_) return;
  if (queue_.size() == 1 && last_group_size_ <= 1 && !is_slow_) WorkOffGroup(lock);
  // Under the lock: the queue may be destroyed as soon as it has nothing to do.
  if (!queue_.empty() || stopping_) wake_.notify_one();
}

absl::Status CommitQueue::Run(Step step) {
  std::promise<absl::Status> result;
  Submit(0, std::move(step), [&result](absl::Status status) { result.set_value(status); });
  return result.get_future().get();
}

std::vector<CommitQueue::Item> CommitQueue::TakeGroup() {
  std::vector<Item> group;
  size_t bytes = 0;
  while (!queue_.empty() && group.size() < limits_.max_group_steps &&
         (group.empty() || bytes + queue_.front().bytes <= limits_.max_group_bytes)) {
    bytes += queue_.front().bytes;
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queued_bytes_ -= bytes;
  last_group_size_ = group.size();
  CountQueued();
  return group;
}

void CommitQueue::CountQueued() const {
  if (metrics_ == nullptr) return;
  metrics_->queued_steps.Set(queue_.size());
  metrics_->queued_bytes.Set(queued_bytes_);
}

absl::Status CommitQueue::Commit(Transaction& transaction, size_t steps) {
  const Time begun = now_();
  absl::Status committed = store_.Commit(transaction.TakeBatch(), storage::Durability::kSynced);
  const auto took = now_() - begun;
  is_slow_ = took > kShortCommit;
  if (metrics_ == nullptr) return committed;
  if (committed.ok()) {
    metrics_->commit_seconds.Observe(took);
    metrics_->committed_steps.Add(steps);
  } else if (committed.code() != absl::StatusCode::kAborted) {
    metrics_->failed_commits.Add();
    LogFailure(committed);
  }
  return committed;
}

void CommitQueue::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return !is_busy_ && (stopping_ || !queue_.empty()); });
    if (queue_.empty()) return;
    WorkOffGroup(lock);
  }
}

void CommitQueue::WorkOffGroup(std::unique_lock<std::mutex>& lock) noexcept {
  {
    std::vector<Item> group = TakeGroup();
    is_busy_ = true;
    lock.unlock();
    std::vector<absl::Status> results = CommitGroup(group);
    for (size_t i = 0; i < group.size(); ++i) group[i].done(std::move(results[i]));
  }
  lock.lock();
  is_busy_ = false;
}

std::vector<absl::Status> CommitQueue::CommitGroup(const std::vector<Item>& group) {
  std::vector<absl::Status> results(group.size());
  absl::Status committed;
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    Transaction transaction(store_);
    for (size_t i = 0; i < group.size(); ++i) {
      results[i] = group[i].step(transaction);
      if (results[i].ok()) {
        transaction.KeepStep();
      } else {
        transaction.DiscardStep();
      }
    }
    if (!transaction.has_changes()) return results;
    committed = Commit(transaction, static_cast<size_t>(std::count_if(
                                        results.begin(), results.end(),
                                        [](const absl::Status& result) { return result.ok(); })));
    if (committed.code() != absl::StatusCode::kAborted) break;
  }
  if (committed.code() == absl::StatusCode::kAborted) {
    // Aborted means a stale generation to clients: this is something else.
    committed = absl::UnavailableError("the relay is busy with this object: try again");
  }
  if (!committed.ok()) {
    // Refusals too: they may rest on what a neighbour wrote and has now not written.
    for (absl::Status& result : results) result = committed;
  }
  return results;
}

}  // namespace parley::server
