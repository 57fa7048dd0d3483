// How far a store had come on its disk, in a file beside it: the number of the last change that was
// acknowledged. A store that ends before it has lost something, which the engine itself can't tell
// from a crash: the end of its log cut off, a log or a list of files gone, an older copy put back.
//
//   SyncedMark::Load(folder)        // before the store is opened
//   mark = SyncedMark::Open(folder)
//   mark->Set(number)               // when that change is on disk, never before
//
// It is written without waiting for the disk, so it may stay behind, after a power failure, and
// never runs ahead. One that can't be read says nothing. Deleting it accepts what is missing.
//
// Threading: one thread at a time.
#ifndef PARLEY_STORAGE_KV_SYNCED_MARK_H_
#define PARLEY_STORAGE_KV_SYNCED_MARK_H_

#include <cstdint>
#include <optional>
#include <string>

namespace parley::storage {

class SyncedMark {
 public:
  static std::string PathIn(const std::string& folder);
  // nullopt: there is none that can be read.
  static std::optional<uint64_t> Load(const std::string& folder);

  // Where the file can't be written the mark stays as it is.
  explicit SyncedMark(const std::string& folder);
  ~SyncedMark();
  SyncedMark(const SyncedMark&) = delete;
  SyncedMark& operator=(const SyncedMark&) = delete;

  void Set(uint64_t number);

 private:
  const int file_;
};

}  // namespace parley::storage

#endif  // PARLEY_STORAGE_KV_SYNCED_MARK_H_
