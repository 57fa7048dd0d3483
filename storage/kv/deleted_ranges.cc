#include "storage/kv/deleted_ranges.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace parley::storage {
namespace {

constexpr size_t kMostRanges = 512;

void AppendSized(std::string& out, const std::string& bytes) {
  const auto size = static_cast<uint32_t>(bytes.size());
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(size >> shift));
  out += bytes;
}

std::optional<std::string> TakeSized(std::string_view& bytes) {
  if (bytes.size() < 4) return std::nullopt;
  uint32_t size = 0;
  for (size_t i = 0; i < 4; ++i) size = size << 8 | static_cast<uint8_t>(bytes[i]);
  bytes.remove_prefix(4);
  if (size > bytes.size()) return std::nullopt;
  std::string taken(bytes.substr(0, size));
  bytes.remove_prefix(size);
  return taken;
}

}  // namespace

void DeletedRanges::Add(std::string_view begin, std::string_view end) {
  if (begin >= end) return;
  ranges_.push_back({std::string(begin), std::string(end)});
  if (ranges_.size() <= kMostRanges) return;
  // Neighbours become one, so that a table with very many deletions is written anew in pieces that
  // are larger than they need be.
  ranges_ = Merged(std::move(ranges_));
  std::vector<KeyRange> wider;
  for (size_t i = 0; i < ranges_.size(); i += 2) {
    const KeyRange& last = ranges_[std::min(i + 1, ranges_.size() - 1)];
    wider.push_back({ranges_[i].begin, last.end});
  }
  ranges_ = std::move(wider);
}

void DeletedRanges::AddKey(std::string_view key) {
  std::string next(key);
  next.push_back('\0');  // the first key after it
  Add(key, next);
}

std::vector<KeyRange> DeletedRanges::Take() && { return Merged(std::move(ranges_)); }

std::vector<KeyRange> Merged(std::vector<KeyRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const KeyRange& a, const KeyRange& b) { return a.begin < b.begin; });
  std::vector<KeyRange> merged;
  for (KeyRange& range : ranges) {
    if (!merged.empty() && range.begin <= merged.back().end) {
      merged.back().end = std::max(merged.back().end, range.end);
    } else {
      merged.push_back(std::move(range));
    }
  }
  return merged;
}

std::string SerializeRanges(const std::vector<KeyRange>& ranges) {
  std::string out;
  for (const KeyRange& range : ranges) {
    AppendSized(out, range.begin);
    AppendSized(out, range.end);
  }
  return out;
}

std::optional<std::vector<KeyRange>> ParseRanges(std::string_view bytes) {
  std::vector<KeyRange> ranges;
  while (!bytes.empty()) {
    std::optional<std::string> begin = TakeSized(bytes);
    std::optional<std::string> end = TakeSized(bytes);
    if (!begin.has_value() || !end.has_value() || *begin >= *end) return std::nullopt;
    ranges.push_back({*std::move(begin), *std::move(end)});
  }
  return ranges;
}

}  // namespace parley::storage
