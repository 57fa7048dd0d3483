// One thread for what may take long and can wait: trims, and the sweep of what has expired.
//
// Threading: any thread may post. Destruction stops it first.
#ifndef PARLEY_SERVER_CORE_BACKGROUND_H_
#define PARLEY_SERVER_CORE_BACKGROUND_H_

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace parley::server {

class Background {
 public:
  // Runs `sweep` every `interval`, between the jobs.
  Background(std::chrono::milliseconds interval, std::function<void()> sweep);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // Runs `job` after those posted before it. Jobs may wait for the commit queue.
  void Post(std::function<void()> job);

  // Works off what waits and ends the thread; later jobs run on the posting thread.
  void Stop();

 private:
  void Work();

  const std::chrono::milliseconds interval_;
  const std::function<void()> sweep_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_BACKGROUND_H_
