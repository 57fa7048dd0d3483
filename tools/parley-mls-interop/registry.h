// What a server keeps for its callers under numbers.
//
//   std::atomic<uint32_t> last_id = 0;
//   Registry<Member> members(last_id, "state");
//   uint32_t id = members.Add(std::move(member));
//   PARLEY_ASSIGN_OR_RETURN(Locked<Member> member, members.Lock(id));
//   member->Protect(...);
//
// Threading: any thread may call. A thing is used by one thread at a time; who locks things of two
// registries does it in the same order everywhere.
#ifndef PARLEY_TOOLS_PARLEY_MLS_INTEROP_REGISTRY_H_
#define PARLEY_TOOLS_PARLEY_MLS_INTEROP_REGISTRY_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace parley::interop {

template <typename T>
struct Registered {
  explicit Registered(T v) : value(std::move(v)) {}
  std::mutex mutex;
  T value;
};

// Something registered, for one thread alone while this lives.
template <typename T>
class Locked {
 public:
  explicit Locked(std::shared_ptr<Registered<T>> thing)
      : thing_(std::move(thing)), lock_(thing_->mutex) {}

  T& operator*() const { return thing_->value; }
  T* operator->() const { return &thing_->value; }
  const std::shared_ptr<Registered<T>>& shared() const { return thing_; }

 private:
  std::shared_ptr<Registered<T>> thing_;
  std::unique_lock<std::mutex> lock_;
};

template <typename T>
class Registry {
 public:
  // Registries that share `last_id` never give the same number twice. `what` is for errors.
  Registry(std::atomic<uint32_t>& last_id, std::string what)
      : last_id_(last_id), what_(std::move(what)) {}

  // Numbers begin at 1.
  uint32_t Add(T value) {
    auto thing = std::make_shared<Registered<T>>(std::move(value));
    const uint32_t id = ++last_id_;
    const std::lock_guard lock(mutex_);
    things_.emplace(id, std::move(thing));
    return id;
  }

  // Waits until nobody else uses it. Errors: NotFound.
  absl::StatusOr<Locked<T>> Lock(uint32_t id) const {
    std::shared_ptr<Registered<T>> thing;
    {
      const std::lock_guard lock(mutex_);
      const auto found = things_.find(id);
      if (found == things_.end()) {
        return absl::NotFoundError("there is no " + what_ + " " + std::to_string(id));
      }
      thing = found->second;
    }
    return Locked<T>(std::move(thing));
  }

  bool Contains(uint32_t id) const {
    const std::lock_guard lock(mutex_);
    return things_.contains(id);
  }

  // Who has it locked may go on using it. Errors: NotFound.
  absl::Status Remove(uint32_t id) {
    const std::lock_guard lock(mutex_);
    if (things_.erase(id) == 1) return absl::OkStatus();
    return absl::NotFoundError("there is no " + what_ + " " + std::to_string(id));
  }

 private:
  std::atomic<uint32_t>& last_id_;
  const std::string what_;
  mutable std::mutex mutex_;
  std::map<uint32_t, std::shared_ptr<Registered<T>>> things_;
};

}  // namespace parley::interop

#endif  // PARLEY_TOOLS_PARLEY_MLS_INTEROP_REGISTRY_H_
