#include "storage/kv/rocksdb_list_keeper.h"

#include <utility>

namespace parley::storage {

void ListKeeper::Begin(std::shared_ptr<SyncedMark> mark) {
  std::lock_guard lock(mutex_);
  mark_ = std::move(mark);
  Note();
}

void ListKeeper::OnFlushCompleted(rocksdb::DB* /*db*/, const rocksdb::FlushJobInfo& /*info*/) {
  std::lock_guard lock(mutex_);
  if (mark_ != nullptr) Note();
}

void ListKeeper::Note() {
  const std::optional<ListOfFiles> list = SyncListOfFiles(folder_);
  if (!list.has_value() || (noted_.has_value() && *list <= *noted_)) return;
  mark_->SetList(*list);
  noted_ = list;
}

}  // namespace parley::storage
