// Ranges of keys in which something was deleted.
//
// Threading: free functions and plain values.
#ifndef PARLEY_STORAGE_KV_DELETED_RANGES_H_
#define PARLEY_STORAGE_KV_DELETED_RANGES_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace parley::storage {

// The keys in [begin, end).
struct KeyRange {
  std::string begin;
  std::string end;
  friend bool operator==(const KeyRange&, const KeyRange&) = default;
};

// Gathers ranges within bounded memory: what is more than 512 of them become fewer and wider ones.
class DeletedRanges {
 public:
  void Add(std::string_view begin, std::string_view end);
  void AddKey(std::string_view key);

  // In order, none touching another.
  std::vector<KeyRange> Take() &&;

 private:
  std::vector<KeyRange> ranges_;
};

// As ordered ranges that don't touch.
std::vector<KeyRange> Merged(std::vector<KeyRange> ranges);

std::string SerializeRanges(const std::vector<KeyRange>& ranges);
// nullopt: these bytes are no ranges.
std::optional<std::vector<KeyRange>> ParseRanges(std::string_view bytes);

}  // namespace parley::storage

#endif  // PARLEY_STORAGE_KV_DELETED_RANGES_H_
