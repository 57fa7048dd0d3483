// Group commit: what has gathered while the disk was busy becomes one synced batch.
//
//   queue.Submit(bytes, [..](Transaction& t) { ... return absl::OkStatus(); },
//                [..](absl::Status status) { ... });
//
// All of the relay's changes but chunks go through one queue, one after the other, so each step
// sees the state that all before it left. A step that returns an error changes nothing and doesn't
// disturb its neighbours. `done` is called once it is on disk, or with the error.
//
// Steps may be run again when somebody else's write came between (KeyValueStore's Aborted), so they
// must set their results anew each time. Steps and callbacks run one after the other, on the
// queue's thread or that of an eager submission: neither may wait for the queue. One that throws
// ends the process: nothing would be committed any more, and nobody told.
//
// Threading: any thread may submit. Destruction stops it first.
#ifndef PARLEY_SERVER_CORE_COMMIT_QUEUE_H_
#define PARLEY_SERVER_CORE_COMMIT_QUEUE_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "server/core/limits.h"
#include "server/core/metrics.h"
#include "server/core/transaction.h"
#include "storage/kv/key_value_store.h"

namespace parley::server {

class CommitQueue {
 public:
  using Step = std::function<absl::Status(Transaction&)>;
  using Done = std::function<void(absl::Status)>;
  using Time = std::chrono::steady_clock::time_point;
  // A commit on the thread of whoever submits may be expected to take no longer.
  static constexpr std::chrono::milliseconds kShortCommit{2};

  // `metrics` may be null, else it outlives the queue.
  // `now`: for tests.
  CommitQueue(storage::KeyValueStore& store, const Limits& limits, Metrics* metrics = nullptr,
              std::function<Time()> now = {});
  ~CommitQueue();
  CommitQueue(const CommitQueue&) = delete;
  CommitQueue& operator=(const CommitQueue&) = delete;

  // Queues a step of about `bytes` of data. `done` gets ResourceExhausted, at once and on the
  // calling thread, when too much waits already.
  void Submit(size_t bytes, Step step, Done done);

  // The same, but while nothing else is under way the step is committed on the calling thread, and
  // `done` called there before this returns, which spares two changes of thread. As soon as steps
  // come together, the queue's thread takes them as groups; and as soon as the last commit took
  // longer than kShortCommit, it takes them all: a slow disk must not hold those who call. From a
  // step or a callback this is like Submit. Not to be called under a lock that these take.
  void SubmitEagerly(size_t bytes, Step step, Done done);

  // Submits and waits. Not to be called from a step or a callback.
  absl::Status Run(Step step);

  // Works off what waits and ends the thread; later steps are refused with Unavailable.
  void Stop();

 private:
  struct Item {
    size_t bytes;
    Step step;
    Done done;
  };

  // Queues the step, unless it is refused, which `done` is told. Returns whether it was queued,
  // with the lock held in that case.
  bool Enqueue(size_t bytes, Step& step, Done& done, std::unique_lock<std::mutex>& lock);
  void Work();
  // Under the lock, which is released meanwhile: commits and answers a group of what waits.
  void WorkOffGroup(std::unique_lock<std::mutex>& lock) noexcept;
  // Under the lock.
  std::vector<Item> TakeGroup();
  // Says how much waits. Under the lock.
  void CountQueued() const;
  absl::Status Commit(Transaction& transaction, size_t steps);
  // The status of each item, after as many attempts as it takes.
  std::vector<absl::Status> CommitGroup(const std::vector<Item>& group);

  storage::KeyValueStore& store_;
  const Limits limits_;
  Metrics* const metrics_;
  const std::function<Time()> now_;
  std::atomic<bool> is_slow_ = false;  // the last commit took longer than kShortCommit
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Item> queue_;
  size_t queued_bytes_ = 0;
  bool stopping_ = false;
  bool is_busy_ = false;  // a group is being committed, here or on an eager submitter's thread
  size_t last_group_size_ = 0;  // whether steps come one by one
  std::thread thread_;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_COMMIT_QUEUE_H_
