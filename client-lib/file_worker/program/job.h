// What the file worker's jobs take and give. A job computes over bytes that somebody hostile may
// have written; it opens nothing, and may be killed at any point.
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_JOB_H_
#define PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_JOB_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "client-lib/file_worker/frame.h"

namespace parley::file_worker {

// The texts of a document have at most so many bytes.
inline constexpr size_t kMostTextBytes = size_t{16} << 20;

struct JobResult {
  std::optional<Failure> failure;
  std::string data;      // for the answer
  std::string output;    // cleaning: the clean file
  uint32_t removed = 0;  // cleaning: RemovedBit
  bool unchanged = false;
};

// Takes a part of the answer's data before the job has ended. After that it can't fail any more.
using Emit = std::function<void(std::string_view)>;

inline JobResult Failed(Failure failure) {
  JobResult result;
  result.failure = failure;
  return result;
}

// A job's input or a part of it, read front to back without ever going past its end.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  size_t size() const { return rest_.size(); }
  std::string_view rest() const { return rest_; }
  // The next `count` bytes; nothing when there are fewer.
  std::optional<std::string_view> Take(size_t count) {
    if (count > rest_.size()) return std::nullopt;
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

 private:
  std::string_view rest_;
};

inline uint64_t BigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

inline uint64_t LittleEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i > 0; --i) value = value << 8 | static_cast<uint8_t>(bytes[i - 1]);
  return value;
}

}  // namespace parley::file_worker

#endif  // PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_JOB_H_
