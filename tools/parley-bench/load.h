// A constant number of calls in flight: whenever one ends, the next begins.
//
// Threading: Run() from one thread; the calls end on gRPC's own.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_LOAD_H_
#define PARLEY_TOOLS_PARLEY_BENCH_LOAD_H_

#include <grpcpp/client_context.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "tools/parley-bench/must.h"
#include "tools/parley-bench/rows.h"

namespace parley::bench {

struct LoadResult {
  double calls_per_second = 0;
  double median_us = 0;  // from a call's beginning to its end
  double p99_us = 0;     // of a hundred calls, one takes longer
};

// One of the calls in flight; kept for the next one when it has ended.
class Caller {
 public:
  virtual ~Caller() = default;
  // Begins a call and returns; `done` is called, from any thread, when it has ended.
  virtual void Start(grpc::ClientContext& context, std::function<void(grpc::Status)> done) = 0;
};

class Load {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Load(std::vector<std::unique_ptr<Caller>> callers) {
    for (auto& caller : callers) {
      slots_.push_back(std::make_unique<Slot>());
      slots_.back()->caller = std::move(caller);
    }
  }

  // With all callers at work. A call that fails ends the load, and the program.
  LoadResult Run(std::chrono::duration<double> time) {
    running_ = slots_.size();
    const auto begin = Clock::now();
    end_ = begin + std::chrono::duration_cast<Clock::duration>(time);
    for (auto& slot : slots_) {
      slot->micros.clear();
      Next(*slot);
    }
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return running_ == 0; });
    Must(failure_);
    const std::chrono::duration<double> took = Clock::now() - begin;
    std::vector<double> micros;
    for (auto& slot : slots_) {
      micros.insert(micros.end(), slot->micros.begin(), slot->micros.end());
    }
    const double calls = static_cast<double>(micros.size());
    std::sort(micros.begin(), micros.end());
    const double p99 = micros[micros.size() * 99 / 100];
    return {calls / took.count(), Median(std::move(micros)), p99};
  }

 private:
  struct Slot {
    std::unique_ptr<Caller> caller;
    std::optional<grpc::ClientContext> context;
    Clock::time_point begin;
    std::vector<double> micros;
  };

  void Next(Slot& slot) {
    slot.context.emplace();
    slot.begin = Clock::now();
    slot.caller->Start(*slot.context, [this, &slot](const grpc::Status& status) {
      const auto now = Clock::now();
      slot.micros.push_back(std::chrono::duration<double, std::micro>(now - slot.begin).count());
      if (status.ok() && now < end_) return Next(slot);
      std::lock_guard lock(mutex_);
      if (!status.ok())
        failure_ = absl::UnavailableError("a call failed: " + status.error_message());
      if (--running_ == 0) ended_.notify_one();
    });
  }

  std::vector<std::unique_ptr<Slot>> slots_;
  Clock::time_point end_;
  std::mutex mutex_;
  std::condition_variable ended_;
  size_t running_ = 0;
  absl::Status failure_;
};

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_LOAD_H_
