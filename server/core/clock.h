// The time as the relay sees it; tests bring their own.
#ifndef PARLEY_SERVER_CORE_CLOCK_H_
#define PARLEY_SERVER_CORE_CLOCK_H_

#include <atomic>
#include <chrono>
#include <cstdint>

namespace parley::server {

// Threading: any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  // Seconds since 1970-01-01T00:00:00Z.
  virtual uint64_t NowSeconds() const = 0;
};

class SystemClock : public Clock {
 public:
  uint64_t NowSeconds() const override {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
  }
};

// A clock that moves when it is told to.
class ManualClock : public Clock {
 public:
  explicit ManualClock(uint64_t now) : now_(now) {}
  uint64_t NowSeconds() const override { return now_.load(); }
  void Advance(uint64_t seconds) { now_ += seconds; }
  void StepBack(uint64_t seconds) { now_ -= seconds; }

 private:
  std::atomic<uint64_t> now_;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_CLOCK_H_
