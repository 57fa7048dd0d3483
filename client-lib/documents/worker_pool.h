// A few threads that work on pieces of a file side by side, while one thread takes their results in
// order.
//
//   WorkerPool pool;
//   OrderedWork<Sealed> work(pool);
//   work.Submit([=] { return Seal(3); });
//   Sealed first = work.Take();          // of the earliest Submit() that wasn't taken
//
// Threading: an OrderedWork belongs to one thread.
#ifndef PARLEY_CLIENT_LIB_DOCUMENTS_WORKER_POOL_H_
#define PARLEY_CLIENT_LIB_DOCUMENTS_WORKER_POOL_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace parley::client::internal {

class WorkerPool {
 public:
  static constexpr unsigned kThreads = 2;

  WorkerPool();
  // Finishes what was submitted.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void Submit(std::function<void()> job);

 private:
  void Work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

template <typename Result>
class OrderedWork {
 public:
  // How many pieces are worked on or wait to be taken at most; bounds the memory.
  static constexpr size_t kMostPieces = 6;

  explicit OrderedWork(WorkerPool& pool) : pool_(pool) {}
  ~OrderedWork() {
    for (std::future<Result>& result : results_) result.wait();
  }
  OrderedWork(const OrderedWork&) = delete;
  OrderedWork& operator=(const OrderedWork&) = delete;

  template <typename Job>
  void Submit(Job job) {
    auto task = std::make_shared<std::packaged_task<Result()>>(std::move(job));
    results_.push_back(task->get_future());
    pool_.Submit([task] { (*task)(); });
  }
  Result Take() {
    Result result = results_.front().get();
    results_.pop_front();
    return result;
  }
  bool empty() const { return results_.empty(); }
  bool full() const { return results_.size() >= kMostPieces; }

 private:
  WorkerPool& pool_;
  std::deque<std::future<Result>> results_;
};

}  // namespace parley::client::internal

#endif  // PARLEY_CLIENT_LIB_DOCUMENTS_WORKER_POOL_H_
