#include "storage/kv/key_value_store.h"

#include <cstdlib>
#include <mutex>
#include <utility>

#include "storage/kv/watchers.h"

namespace parley::storage {

void WriteBatch::Put(Space space, std::string key, std::string value) {
  changes_.push_back({Kind::kPut, space, std::move(key), std::move(value)});
}

void WriteBatch::Delete(Space space, std::string key) {
  changes_.push_back({Kind::kDelete, space, std::move(key), std::string()});
}

void WriteBatch::DeleteRange(Space space, std::string begin, std::string end) {
  if (begin >= end) return;
  changes_.push_back({Kind::kDeleteRange, space, std::move(begin), std::move(end)});
}

void WriteBatch::Require(Space space, std::string key, std::optional<std::string> value) {
  requirements_.push_back({space, std::move(key), std::move(value)});
}

absl::StatusOr<std::optional<std::string>> KeyValueStore::GetChecked(Space space,
                                                                     std::string_view key) const {
  return Get(space, key);
}

absl::StatusOr<DamagedFiles> KeyValueStore::CheckFiles() const { return DamagedFiles(); }

absl::StatusOr<std::optional<PinnedValue>> KeyValueStore::GetPinned(Space space,
                                                                    std::string_view key) const {
  absl::StatusOr<std::optional<std::string>> value = Get(space, key);
  if (!value.ok()) return value.status();
  if (!value->has_value()) return std::optional<PinnedValue>();
  auto owner = std::make_shared<const std::string>(**std::move(value));
  return std::optional<PinnedValue>({owner, *owner});
}

std::string PrefixEnd(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xFF) end.pop_back();
  if (end.empty()) std::abort();  // a bug: our prefixes begin with a letter
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

uint64_t Watchers::Add(Space space, std::string prefix, KeyValueStore::WatchCallback callback) {
  std::unique_lock lock(mutex_);
  entries_.emplace(next_, Entry{space, std::move(prefix), std::move(callback)});
  return next_++;
}

void Watchers::Remove(uint64_t watch) {
  // The callbacks run under the shared lock, so this waits for them.
  std::unique_lock lock(mutex_);
  entries_.erase(watch);
}

void Watchers::Notify(const WriteBatch& batch) const {
  std::shared_lock lock(mutex_);
  for (const auto& [number, entry] : entries_) {
    std::vector<std::string_view> keys;
    for (const WriteBatch::Change& change : batch.changes()) {
      if (change.kind == WriteBatch::Kind::kDeleteRange || change.space != entry.space) continue;
      if (std::string_view(change.key).starts_with(entry.prefix)) keys.push_back(change.key);
    }
    if (!keys.empty()) entry.callback(keys);
  }
}

}  // namespace parley::storage
