#include "server/core/background.h"

#include <utility>

namespace parley::server {

Background::Background(std::chrono::milliseconds interval, std::function<void()> sweep)
    : interval_(interval), sweep_(std::move(sweep)), thread_([this] { Work(); }) {}

Background::~Background() { Stop(); }

void Background::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Background::Post(std::function<void()> job) {
  {
    std::unique_lock lock(mutex_);
    if (stopping_) {
      lock.unlock();
      return job();
    }
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
}

void Background::Work() {
  auto next_sweep = std::chrono::steady_clock::now() + interval_;
  while (true) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_until(lock, next_sweep, [this] { return stopping_ || !jobs_.empty(); });
      if (!jobs_.empty()) {
        job = std::move(jobs_.front());
        jobs_.pop_front();
      } else if (stopping_) {
        return;
      }
    }
    if (job) job();
    if (std::chrono::steady_clock::now() >= next_sweep) {
      sweep_();
      next_sweep = std::chrono::steady_clock::now() + interval_;
    }
  }
}

}  // namespace parley::server
