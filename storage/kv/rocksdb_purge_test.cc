// What was deleted leaves the files: looked for byte by byte in all of them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "storage/kv/rocksdb_store.h"

namespace parley::storage {
namespace {

namespace fs = std::filesystem;

class PurgeTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("parley-purge-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    auto opened = OpenRocksDbStore(folder_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }
  void TearDown() override {
    store_.reset();
    fs::remove_all(folder_);
  }

  // In how many of the store's files the bytes stand.
  int FilesWith(const std::string& bytes) const {
    int count = 0;
    for (const auto& file : fs::directory_iterator(folder_)) {
      if (!file.is_regular_file()) continue;
      std::ifstream in(file.path(), std::ios::binary);
      const std::string content(std::istreambuf_iterator<char>(in), {});
      if (content.find(bytes) != std::string::npos) ++count;
    }
    return count;
  }
  // Of one owner, an entry and a large chunk.
  void Store(const std::string& owner, const std::string& words) {
    WriteBatch batch;
    batch.Put(Space::kRecords, "e" + owner + "/1", words + " in a record");
    batch.Put(Space::kChunks, "c" + owner + "/1", words + std::string(100'000, 'c'));
    ASSERT_TRUE(store_->Commit(batch, Durability::kSynced).ok());
  }
  void Delete(const std::string& owner) {
    WriteBatch batch;
    batch.DeleteRange(Space::kRecords, "e" + owner + "/", "e" + owner + "0");
    batch.DeleteRange(Space::kChunks, "c" + owner + "/", "c" + owner + "0");
    ASSERT_TRUE(store_->Commit(batch, Durability::kSynced).ok());
  }

  fs::path folder_;
  std::unique_ptr<FolderStore> store_;
};

TEST_F(PurgeTest, DeletedBytesAreInNoFileAndOthersStay) {
  Store("ana", "words of Ana");
  Store("ben", "words of Ben");
  EXPECT_FALSE(store_->HasDeleted());
  EXPECT_GT(FilesWith("words of Ana"), 0);
  Delete("ana");
  EXPECT_TRUE(store_->HasDeleted());
  EXPECT_GT(FilesWith("words of Ana"), 0);
  const absl::Status status = store_->Purge();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(FilesWith("words of Ana"), 0);
  EXPECT_FALSE(store_->HasDeleted());
  EXPECT_EQ(**store_->Get(Space::kRecords, "eben/1"), "words of Ben in a record");
  EXPECT_TRUE((*store_->Get(Space::kChunks, "cben/1"))->starts_with("words of Ben"));
  EXPECT_TRUE(store_->Purge().ok());  // again, with nothing to do
}

TEST_F(PurgeTest, AlsoWhatLiesInFilesAmongOthers) {
  for (int i = 0; i < 30; ++i) {
    Store("owner" + std::to_string(i), "words " + std::to_string(i) + ".");
    if (i % 5 == 4) {
      // As a checkpoint does, this writes a file of what there is.
      ASSERT_TRUE(store_->MakeCheckpoint(folder_.string() + "-checkpoint").ok());
      fs::remove_all(folder_.string() + "-checkpoint");
    }
  }
  for (int i = 0; i < 30; i += 2) Delete("owner" + std::to_string(i));
  ASSERT_TRUE(store_->Purge().ok());
  for (int i = 0; i < 30; ++i) {
    const bool is_kept = i % 2 == 1;
    EXPECT_EQ(FilesWith("words " + std::to_string(i) + ".") > 0, is_kept) << i;
    EXPECT_EQ(store_->Get(Space::kChunks, "cowner" + std::to_string(i) + "/1")->has_value(),
              is_kept);
  }
}

TEST_F(PurgeTest, GoesOnBesideCommits) {
  std::thread writer([&] {
    for (int i = 0; i < 200; ++i) {
      Store("w" + std::to_string(i), "kept");
      if (i % 3 == 0) Delete("w" + std::to_string(i));
    }
  });
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(store_->Purge().ok());
  writer.join();
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(store_->Get(Space::kRecords, "ew" + std::to_string(i) + "/1")->has_value(),
              i % 3 != 0);
  }
}

TEST_F(PurgeTest, ThatIsCancelledSaysSo) {
  Store("ana", "words of Ana");
  Delete("ana");
  store_->CancelPurge();
  EXPECT_EQ(store_->Purge().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(*store_->Get(Space::kRecords, "eana/1"), std::nullopt);
}

}  // namespace
}  // namespace parley::storage
