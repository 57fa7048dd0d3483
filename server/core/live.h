// A number that may be changed while others work with it.
//
//   Limits limits;
//   Relay relay(..., limits);                     // has a copy
//   limits.max_connections.Change(4096);          // in every copy
//   limits.max_connections = 10;                  // in this one alone, from now on
//
// Threading: any thread may read and Change; assigning is for its owner.
#ifndef PARLEY_SERVER_CORE_LIVE_H_
#define PARLEY_SERVER_CORE_LIVE_H_

#include <atomic>
#include <memory>

namespace parley::server {

template <typename T>
class Live {
 public:
  using Value = T;

  // Implicit both ways, so that it reads as the number that it is.
  Live(T value) : value_(std::make_shared<std::atomic<T>>(value)) {}
  operator T() const { return value_->load(std::memory_order_relaxed); }

  // A number of its own, apart from the copies that were made before.
  Live& operator=(T value) {
    value_ = std::make_shared<std::atomic<T>>(value);
    return *this;
  }

  // In this and all its copies.
  void Change(T value) const { value_->store(value, std::memory_order_relaxed); }

 private:
  std::shared_ptr<std::atomic<T>> value_;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_LIVE_H_
