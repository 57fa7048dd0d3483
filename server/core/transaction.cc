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

absl::StatusOr<const std::optional<std::string>*> Transaction::Guarded(const std::string& key) {
  if (const auto* written = step_.Find(key)) return written;
  if (const auto* written = group_.Find(key)) return written;
  auto guarded = guarded_.find(key);
  if (guarded != guarded_.end()) return &guarded->second;
  absl::StatusOr<std::optional<std::string>> value = store_.Get(storage::SpaceOf(key), key);
  if (!value.ok()) return value.status();
  return &guarded_.emplace(key, *std::move(value)).first->second;
}

absl::StatusOr<std::optional<std::string>> Transaction::Load(const std::string& key) {
  absl::StatusOr<const std::optional<std::string>*> value = Guarded(key);
  if (!value.ok()) return value.status();
  return **value;
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
  group_.values.merge(step_.values);
  // What stays behind is in the group already.
  for (auto& [key, value] : step_.values) group_.values.find(key)->second = std::move(value);
  DiscardStep();
}

void Transaction::DiscardStep() {
  step_.values.clear();
  step_.ranges.clear();
}

storage::WriteBatch Transaction::TakeBatch() {
  storage::WriteBatch batch;
  batch.Reserve(group_.values.size() + group_.ranges.size(), guarded_.size());
  while (!guarded_.empty()) {
    auto guarded = guarded_.extract(guarded_.begin());
    const storage::Space space = storage::SpaceOf(guarded.key());
    batch.Require(space, std::move(guarded.key()), std::move(guarded.mapped()));
  }
  for (Range& range : group_.ranges) {
    const storage::Space space = storage::SpaceOf(range.begin);
    batch.DeleteRange(space, std::move(range.begin), std::move(range.end));
  }
  while (!group_.values.empty()) {
    auto written = group_.values.extract(group_.values.begin());
    const storage::Space space = storage::SpaceOf(written.key());
    if (written.mapped().has_value()) {
      batch.Put(space, std::move(written.key()), *std::move(written.mapped()));
    } else {
      batch.Delete(space, std::move(written.key()));
    }
  }
  group_.ranges.clear();
  return batch;
}

}  // namespace parley::server
