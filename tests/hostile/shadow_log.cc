#include "tests/hostile/shadow_log.h"

#include <algorithm>

namespace parley::hostile {

uint64_t ShadowLog::generation() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

std::variant<uint64_t, ShadowLog::Stale> ShadowLog::Append(
    const relay::v1::AppendRequest& request) {
  const std::lock_guard lock(mutex_);
  for (const relay::v1::Entry& entry : entries_) {
    if (entry.append_id() == request.append_id()) return entry.position();
  }
  if (request.generation() != generation_) return Stale{generation_};
  relay::v1::Entry& entry = entries_.emplace_back();
  entry.set_position(from_ + entries_.size() - 1);
  entry.set_generation(generation_);
  entry.set_append_id(request.append_id());
  entry.set_payload(request.payload());
  if (request.has_closing()) {
    *entry.mutable_closing() = request.closing();
    ++generation_;
  }
  return entry.position();
}

void ShadowLog::Complete(uint64_t generation, uint64_t from,
                         relay::v1::ReadResponse& response) const {
  const std::lock_guard lock(mutex_);
  auto& shown = *response.mutable_entries();
  shown.erase(std::remove_if(shown.begin(), shown.end(),
                             [&](const auto& entry) { return entry.position() >= from_; }),
              shown.end());
  if (generation < fork_generation_) return;
  uint64_t head = generation == fork_generation_ ? from_ - 1 : 0;
  for (const relay::v1::Entry& entry : entries_) {
    if (entry.generation() != generation) continue;
    head = entry.position();
    if (entry.position() >= from) *response.add_entries() = entry;
  }
  if (head == 0 && !entries_.empty()) head = from_ + entries_.size() - 1;
  response.set_generation_head(head);
  response.set_closed(generation < generation_);
  if (response.first_position() == 0) response.set_first_position(1);
}

}  // namespace parley::hostile
