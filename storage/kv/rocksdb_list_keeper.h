// Notes in a store's mark how far its list of files has come, whenever a table is added to it.
//
// Tables that are made of others needn't be noted: an older list names those others, and when they
// are gone RocksDB says so. One that memory is written to isn't named there, nor missed.
//
// Threading: RocksDB's, any.
#ifndef PARLEY_STORAGE_KV_ROCKSDB_LIST_KEEPER_H_
#define PARLEY_STORAGE_KV_ROCKSDB_LIST_KEEPER_H_

#include <rocksdb/listener.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "storage/kv/list_of_files.h"
#include "storage/kv/synced_mark.h"

namespace parley::storage {

class ListKeeper final : public rocksdb::EventListener {
 public:
  explicit ListKeeper(std::string folder) : folder_(std::move(folder)) {}

  // Notes the list as it is; before this, nothing is noted.
  void Begin(std::shared_ptr<SyncedMark> mark);

  // The list has the table by now, and the log that it came from is removed after this.
  void OnFlushCompleted(rocksdb::DB* db, const rocksdb::FlushJobInfo& info) override;

 private:
  void Note();  // under mutex_

  const std::string folder_;
  std::mutex mutex_;  // guards what follows
  std::shared_ptr<SyncedMark> mark_;
  std::optional<ListOfFiles> noted_;
};

}  // namespace parley::storage

#endif  // PARLEY_STORAGE_KV_ROCKSDB_LIST_KEEPER_H_
