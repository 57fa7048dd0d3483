#include "storage/kv/memory_store.h"

#include <mutex>
#include <utility>

namespace parley::storage {

absl::Status MemoryStore::Commit(const WriteBatch& batch, Durability /*durability*/) {
  {
    std::unique_lock lock(mutex_);
    if (!failure_.ok()) return failure_;
    for (const WriteBatch::Requirement& required : batch.requirements()) {
      const Map& map = MapOf(required.space);
      auto found = map.find(required.key);
      const bool holds = required.value.has_value()
                             ? found != map.end() && found->second == *required.value
                             : found == map.end();
      if (!holds) return absl::AbortedError("a precondition does not hold");
    }
    for (const WriteBatch::Change& change : batch.changes()) {
      Map& map = MapOf(change.space);
      switch (change.kind) {
        case WriteBatch::Kind::kPut:
          map.insert_or_assign(change.key, change.value);
          break;
        case WriteBatch::Kind::kDelete:
          map.erase(change.key);
          break;
        case WriteBatch::Kind::kDeleteRange:
          map.erase(map.lower_bound(change.key), map.lower_bound(change.value));
          break;
      }
    }
  }
  watchers_.Notify(batch);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> MemoryStore::Get(Space space,
                                                            std::string_view key) const {
  std::shared_lock lock(mutex_);
  const Map& map = MapOf(space);
  auto found = map.find(key);
  if (found == map.end()) return std::optional<std::string>();
  return std::optional<std::string>(found->second);
}

absl::Status MemoryStore::Scan(Space space, std::string_view begin, std::string_view end,
                               const Visitor& visitor) const {
  std::shared_lock lock(mutex_);
  const Map& map = MapOf(space);
  for (auto it = map.lower_bound(begin); it != map.end() && it->first < end; ++it) {
    if (!visitor(it->first, it->second)) break;
  }
  return absl::OkStatus();
}

uint64_t MemoryStore::Watch(Space space, std::string prefix, WatchCallback callback) {
  return watchers_.Add(space, std::move(prefix), std::move(callback));
}

void MemoryStore::Unwatch(uint64_t watch) { watchers_.Remove(watch); }

void MemoryStore::FailCommits(absl::Status status) {
  std::unique_lock lock(mutex_);
  failure_ = std::move(status);
}

}  // namespace parley::storage
