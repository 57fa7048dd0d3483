// The list in which RocksDB keeps which files a store has (MANIFEST): which one is in force, and
// how long it is. It grows by each table, and another one is begun at each start: so a lower
// number, or the same and less, is an older one, or one that was cut short.
//
// Threading: free functions.
#ifndef PARLEY_STORAGE_KV_LIST_OF_FILES_H_
#define PARLEY_STORAGE_KV_LIST_OF_FILES_H_

#include <cstdint>
#include <optional>
#include <string>

namespace parley::storage {

struct ListOfFiles {
  uint64_t number = 0;
  uint64_t size = 0;

  auto operator<=>(const ListOfFiles&) const = default;
};

// Of the store in `folder`. nullopt: it has none, or it can't be told.
std::optional<ListOfFiles> FindListOfFiles(const std::string& folder);
// The same, of a running store, once so much of it is on the disk to stay.
std::optional<ListOfFiles> SyncListOfFiles(const std::string& folder);

}  // namespace parley::storage

#endif  // PARLEY_STORAGE_KV_LIST_OF_FILES_H_
