// What the file worker answers, byte by byte (docs/hostile-files.md, "The answer").
//
//   answer = ready ( failed | data* done )          or: refused
//   frame  = type (1 byte)  length (4 bytes, big-endian)  payload
//
//   ready    payload: version (1 byte)                     the sandbox is closed
//   refused  payload: reason (1 byte)                      it couldn't be; nothing was read
//   failed   payload: reason (1 byte)
//   data     payload: 1 to kMostFrameBytes bytes
//   done     payload: bytes of data in all (8 bytes), removed (4 bytes), flags (1 byte)
//
// Whoever reads an answer believes nothing of it: the worker may be in the hands of the file that
// it read. An answer carries no words for people but the data that was asked for.
//
// Threading: free functions; an AnswerReader is used by one thread at a time.
#ifndef PARLEY_CLIENT_LIB_FILE_WORKER_FRAME_H_
#define PARLEY_CLIENT_LIB_FILE_WORKER_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace parley::file_worker {

inline constexpr uint8_t kAnswerVersion = 1;
inline constexpr size_t kFrameHeaderBytes = 5;
inline constexpr size_t kMostFrameBytes = 64 * 1024;

enum class FrameType : uint8_t { kReady = 1, kRefused = 2, kFailed = 3, kData = 4, kDone = 5 };

// Why a sandbox couldn't be closed.
enum class Refusal : uint8_t { kArguments = 1, kLimits = 2, kPrivileges = 3, kFilter = 4 };
inline constexpr uint8_t kLastRefusal = 4;

// Why a job failed.
enum class Failure : uint8_t {
  kNotReadable = 1,  // it breaks the rules of its kind, or is of none that is known
  kTooLarge = 2,     // it, or what comes of it, is over the limits
  kEncrypted = 3,    // it takes a password
  kSigned = 4,       // cleaning it would break its signatures
  kMemory = 5,
  kNoRoom = 6,  // on the disk, for the copy
};
inline constexpr uint8_t kLastFailure = 6;

// What was taken out of a file: bits of the done frame's `removed`.
enum RemovedBit : uint32_t {
  kRemovedPlace = 1u << 0,        // GPS
  kRemovedCamera = 1u << 1,       // the rest of Exif
  kRemovedXmp = 1u << 2,          // XMP
  kRemovedIptc = 1u << 3,         // IPTC, Photoshop's
  kRemovedComments = 1u << 4,     // comments and texts
  kRemovedThumbnails = 1u << 5,   // embedded small pictures
  kRemovedInformation = 1u << 6,  // a PDF's author, title, dates, program
  kRemovedRevisions = 1u << 7,    // a PDF's earlier revisions
  kRemovedOther = 1u << 8,        // what isn't needed to show it
};
inline constexpr uint32_t kAllRemovedBits = (1u << 9) - 1;

// Flags of the done frame.
inline constexpr uint8_t kDoneUnchanged = 1;  // cleaning found nothing to take out; no output
inline constexpr uint8_t kAllDoneFlags = 1;

// One frame. `payload` has at most kMostFrameBytes.
std::string MakeFrame(FrameType type, std::string_view payload);
std::string MakeDone(uint64_t data_bytes, uint32_t removed, uint8_t flags);

// Reads an answer as it comes, in any pieces, and takes no more than `most_data` of it: to hold, or
// for a sink that is given, which says whether it wants more.
class AnswerReader {
 public:
  enum class State : uint8_t { kReading, kRefused, kFailed, kDone, kBroken };

  using Sink = std::function<bool(std::string_view)>;
  explicit AnswerReader(size_t most_data, Sink sink = {})
      : most_data_(most_data), sink_(std::move(sink)) {}

  // Takes the next bytes. What breaks the rules, or comes after the end, makes it kBroken for good.
  State Take(std::string_view bytes);

  State state() const { return state_; }
  // Valid in kRefused and kFailed.
  Refusal refusal() const { return static_cast<Refusal>(reason_); }
  Failure failure() const { return static_cast<Failure>(reason_); }
  // Valid in kDone.
  uint32_t removed() const { return removed_; }
  bool unchanged() const { return (flags_ & kDoneUnchanged) != 0; }
  const std::string& data() const { return data_; }
  std::string TakeData() { return std::move(data_); }

 private:
  bool TakeHeader();
  bool TakePayload(std::string_view payload);
  bool TakeDone(std::string_view payload);

  size_t most_data_;
  Sink sink_;
  size_t taken_ = 0;  // bytes of data
  State state_ = State::kReading;
  bool ready_ = false;
  bool in_payload_ = false;
  FrameType type_ = FrameType::kReady;
  size_t length_ = 0;
  std::string frame_;  // the header or payload so far
  std::string data_;
  uint8_t reason_ = 0;
  uint8_t flags_ = 0;
  uint32_t removed_ = 0;
};

}  // namespace parley::file_worker

#endif  // PARLEY_CLIENT_LIB_FILE_WORKER_FRAME_H_
