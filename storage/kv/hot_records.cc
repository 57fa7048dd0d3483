#include "storage/kv/hot_records.h"

namespace parley::storage {

std::optional<std::string> HotRecords::Find(std::string_view key) const {
  std::lock_guard lock(mutex_);
  const auto found = values_.find(key);
  if (found == values_.end()) return std::nullopt;
  return found->second;
}

std::optional<bool> HotRecords::Is(std::string_view key,
                                   const std::optional<std::string>& value) const {
  std::lock_guard lock(mutex_);
  const auto found = values_.find(key);
  if (found == values_.end()) return std::nullopt;
  return value.has_value() && found->second == *value;
}

void HotRecords::Keep(const std::string& key, const std::string& value) {
  if (value.size() > kMostValueBytes) {
    values_.erase(key);
    return;
  }
  if (values_.size() >= kMostRecords && !values_.contains(key)) values_.clear();
  values_.insert_or_assign(key, value);
}

void HotRecords::Replace(const std::string& key, const std::string& value) {
  const auto found = values_.find(key);
  if (found == values_.end()) return;
  if (value.size() > kMostValueBytes) {
    values_.erase(found);
  } else {
    found->second = value;
  }
}

void HotRecords::Follow(const WriteBatch& batch) {
  std::lock_guard lock(mutex_);
  for (const WriteBatch::Requirement& required : batch.requirements()) {
    if (required.space != Space::kRecords || !required.value.has_value()) continue;
    // What is there already has been compared with it.
    if (!values_.contains(required.key)) Keep(required.key, *required.value);
  }
  for (const WriteBatch::Change& change : batch.changes()) {
    if (change.space != Space::kRecords) continue;
    switch (change.kind) {
      case WriteBatch::Kind::kPut:
        Replace(change.key, change.value);
        break;
      case WriteBatch::Kind::kDelete:
        values_.erase(change.key);
        break;
      case WriteBatch::Kind::kDeleteRange:
        values_.clear();  // rare: a mailbox or blob is deleted
        break;
    }
  }
}

void HotRecords::Forget() {
  std::lock_guard lock(mutex_);
  values_.clear();
}

}  // namespace parley::storage
