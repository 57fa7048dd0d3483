#include "server/core/transaction.h"

namespace parley::server {

const std::optional<std::string>* Transaction::Writes::Find(const std::string& key) const {
  static const std::optional<std::string> kDeleted;
  auto found = values.find(key);
  if (found != values.end()) return &found->second;
  for (const Range& range : ranges) {
    if (key >= range.begin && key < range.end) return &kDeleted;
  }
  return nullptr;
}

absl::StatusOr<std::optional<std::string>> Transaction::Load(const std::string& key) {
  if (const auto* written = step_.Find(key)) return *written;
  if (const auto* written = group_.Find(key)) return *written;
  auto guarded = guarded_.find(key);
  if (guarded != guarded_.end()) return guarded->second;
  absl::StatusOr<std::optional<std::string>> value = store_.Get(storage::SpaceOf(key), key);
  if (value.ok()) guarded_.emplace(key, *value);
  return value;
}

absl::StatusOr<std::optional<std::string>> Transaction::Peek(const std::string& key) {
  if (const auto* written = step_.Find(key)) return *written;
  if (const auto* written = group_.Find(key)) return *written;
  return store_.Get(storage::SpaceOf(key), key);
}

void Transaction::Put(std::string key, std::string value) {
  step_.values.insert_or_assign(std::move(key), std::move(value));
}

void Transaction::Delete(std::string key) {
  step_.values.insert_or_assign(std::move(key), std::nullopt);
}

void Transaction::DeletePrefix(const std::string& prefix) {
  std::erase_if(step_.values, [&](const auto& item) { return item.first.starts_with(prefix); });
  step_.ranges.push_back({prefix, storage::PrefixEnd(prefix)});
}

void Transaction::KeepStep() {
  for (Range& range : step_.ranges) {
    std::erase_if(group_.values, [&](const auto& item) {
      return item.first >= range.begin && item.first < range.end;
    });
    group_.ranges.push_back(std::move(range));
  }
  for (auto& [key, value] : step_.values) group_.values.insert_or_assign(key, std::move(value));
  DiscardStep();
}

void Transaction::DiscardStep() {
  step_.values.clear();
  step_.ranges.clear();
}

storage::WriteBatch Transaction::TakeBatch() {
  storage::WriteBatch batch;
  for (auto& [key, value] : guarded_) {
    batch.Require(storage::SpaceOf(key), key, std::move(value));
  }
  for (Range& range : group_.ranges) {
    const storage::Space space = storage::SpaceOf(range.begin);
    batch.DeleteRange(space, std::move(range.begin), std::move(range.end));
  }
  for (auto& [key, value] : group_.values) {
    if (value.has_value()) {
      batch.Put(storage::SpaceOf(key), key, *std::move(value));
    } else {
      batch.Delete(storage::SpaceOf(key), key);
    }
  }
  group_ = Writes();
  guarded_.clear();
  return batch;
}

}  // namespace parley::server
