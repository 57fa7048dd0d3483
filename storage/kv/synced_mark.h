// How far a store had come on its disk, in a file beside it: the number of the last change that was
// acknowledged, and how long the list of its files was. A store that ends before it has lost
// something, which the engine itself can't tell from a crash: the end of its log cut off, a log or
// a list of files gone, an older copy put back.
//
//   SyncedMark::Load(folder)        // before the store is opened
//   SyncedMark mark(folder)
//   mark.Set(number)                // when that change is on disk, never before
//   mark.SetList(list)              // likewise
//
// It is written without waiting for the disk, so it may stay behind, after a power failure, and
// never runs ahead. One that is damaged says nothing. Deleting it accepts what is missing.
//
// Threading: Set by one thread at a time, SetList by one, at the same time as Set or not.
#ifndef PARLEY_STORAGE_KV_SYNCED_MARK_H_
#define PARLEY_STORAGE_KV_SYNCED_MARK_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "storage/kv/list_of_files.h"

namespace parley::storage {

class SyncedMark {
 public:
  static std::string PathIn(const std::string& folder);
  // Either is nullopt where it was never set, or is damaged.
  struct Synced {
    std::optional<uint64_t> change;
    std::optional<ListOfFiles> list;
  };
  // Errors: Unavailable, when there is one that can't be read.
  static absl::StatusOr<Synced> Load(const std::string& folder);

  // Where the file can't be written the mark stays as it is.
  explicit SyncedMark(const std::string& folder);
  ~SyncedMark();
  SyncedMark(const SyncedMark&) = delete;
  SyncedMark& operator=(const SyncedMark&) = delete;

  void Set(uint64_t number);
  void SetList(const ListOfFiles& list);

 private:
  const int file_;
};

}  // namespace parley::storage

#endif  // PARLEY_STORAGE_KV_SYNCED_MARK_H_
