// Lies about a blob's chunks, told to who downloads it. A rule's `chunk=N` is the first chunk that
// it is about (by default 0).
//
// Threading: a ChunkBook is safe from any thread.
#ifndef PARLEY_TESTS_HOSTILE_BLOB_MUTATORS_H_
#define PARLEY_TESTS_HOSTILE_BLOB_MUTATORS_H_

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "parley/relay/v1/relay.pb.h"
#include "tests/hostile/rules.h"

namespace parley::hostile {

// Chunks that have passed through the relay; at most kMost of them, the first ones.
class ChunkBook {
 public:
  void Note(const std::string& blob_id, uint64_t index, const std::string& data);
  std::optional<std::string> Find(const std::string& blob_id, uint64_t index) const;

 private:
  static constexpr size_t kMost = 64;

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, uint64_t>, std::string> chunks_;
};

enum class BlobLie {
  kNone,
  kChanged,
  kEnd,  // the download ends before this chunk, as if it were complete
};

struct BlobMutator {
  std::string_view kind;
  BlobLie (*apply)(const Rule& rule, const ChunkBook& book, const std::string& blob_id,
                   relay::v1::DownloadBlobResponse& chunk);
};

// The mutator of that kind, or null.
const BlobMutator* FindBlobMutator(std::string_view kind);

}  // namespace parley::hostile

#endif  // PARLEY_TESTS_HOSTILE_BLOB_MUTATORS_H_
