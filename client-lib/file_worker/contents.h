// What the file worker answers of an archive: its members, one after another
// (docs/hostile-files.md, "Archives"). The data of such an answer, over all its frames, is
//
//   data    = member* [ stopped ]
//   member  = 1  name length (4)  name  size (8)  root (32)  text length (4)  text
//   stopped = 2  reason (1)                       what follows is not known
//
// with numbers in big-endian order. `root` is the SHA-256 tree over the member's content, as in a
// document's manifest; `text` is its content where that is UTF-8, without the tags of XML and HTML.
//
// Threading: free functions; a ContentsReader is used by one thread at a time.
#ifndef PARLEY_CLIENT_LIB_FILE_WORKER_CONTENTS_H_
#define PARLEY_CLIENT_LIB_FILE_WORKER_CONTENTS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace parley::file_worker {

inline constexpr int kMostArchiveDepth = 3;
inline constexpr uint64_t kMostArchiveMembers = 10'000;            // in all archives of a file
inline constexpr uint64_t kMostUnpackedBytes = uint64_t{1} << 30;  // the same, names included
// Unpacked, an archive has at most so many times its own bytes, and kFreeUnpackedBytes.
inline constexpr uint64_t kMostUnpackedRatio = 200;
inline constexpr uint64_t kFreeUnpackedBytes = uint64_t{32} << 20;
// Members over this are known by their hash alone: neither is their text read, nor what is packed
// in them.
inline constexpr uint64_t kMostMemberText = uint64_t{32} << 20;
inline constexpr uint64_t kMostArchiveBytes = uint64_t{1} << 30;

struct PackedFile {
  std::string name;  // within the archive: "letters.zip/b.txt"
  uint64_t size = 0;
  std::array<uint8_t, 32> root{};
  std::string text;
};

// Whether a file of that name is XML or HTML.
bool IsMarkup(std::string_view name);
// Without "<...>" and "&...;", so that words which tags divide come together again.
std::string WithoutTags(std::string_view markup);

// Why not all of it could be looked at.
enum class Stopped : uint8_t {
  kUnpacked = 1,    // more than may be unpacked
  kMembers = 2,     // more than kMostArchiveMembers
  kInnerLarge = 3,  // an archive in it is over kMostMemberText
  kDeep = 4,        // archives in one another beyond kMostArchiveDepth
  kPart = 5,        // it, or what is in it, is one of several parts of an archive
  kUnreadable = 6,  // the same has the form of an archive, and can't be opened as one
};
inline constexpr uint8_t kLastStopped = 6;

std::string MemberRecord(const PackedFile& member);
std::string StoppedRecord(Stopped reason);

// Reads the records as they come, in any pieces, and holds no more than one.
class ContentsReader {
 public:
  // Returns whether to go on.
  using Visit = std::function<bool(const PackedFile&)>;
  explicit ContentsReader(Visit visit) : visit_(std::move(visit)) {}

  // False when the records break their rules, or the visitor wants no more; then for good.
  bool Take(std::string_view bytes);
  // Whether the records end here: no half one is left.
  bool AtEnd() const { return !broken_ && pending_.empty(); }
  std::optional<Stopped> stopped() const { return stopped_; }

 private:
  // Bytes that the record at the beginning of `pending_` has in all, as far as that is known; 0 for
  // one that breaks the rules.
  size_t Needed() const;
  bool TakeRecord(std::string_view record);

  Visit visit_;
  std::string pending_;
  uint64_t members_ = 0;
  std::optional<Stopped> stopped_;
  bool broken_ = false;
};

}  // namespace parley::file_worker

#endif  // PARLEY_CLIENT_LIB_FILE_WORKER_CONTENTS_H_
