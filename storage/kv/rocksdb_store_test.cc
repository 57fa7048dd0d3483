// What only a store on disk can do: reopen, refuse a second opener, notice damage.
#include "storage/kv/rocksdb_store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace parley::storage {
namespace {

namespace fs = std::filesystem;

class RocksDbStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("parley-rocksdb-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::unique_ptr<KeyValueStore> Open() {
    auto opened = OpenRocksDbStore(folder_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? std::move(opened).value() : nullptr;
  }

  fs::path folder_;
};

TEST_F(RocksDbStoreTest, KeepsWhatWasCommitted) {
  const std::string large(1 << 20, 'x');
  {
    auto store = Open();
    WriteBatch batch;
    batch.Put(Space::kRecords, "a", "1");
    batch.Put(Space::kChunks, "c", large);
    ASSERT_TRUE(store->Commit(batch, Durability::kSynced).ok());
  }
  auto store = Open();
  EXPECT_EQ(**store->Get(Space::kRecords, "a"), "1");
  EXPECT_EQ(**store->Get(Space::kChunks, "c"), large);
}

TEST_F(RocksDbStoreTest, RefusesASecondOpener) {
  auto store = Open();
  EXPECT_EQ(OpenRocksDbStore(folder_).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(RocksDbStoreTest, NamesAFolderThatCannotBeUsed) {
  std::ofstream(folder_.string()) << "a file";
  absl::Status status = OpenRocksDbStore(folder_).status();
  ASSERT_FALSE(status.ok());
  EXPECT_NE(std::string(status.message()).find(folder_.string()), std::string::npos);
  fs::remove(folder_);
}

// Damage in the middle of the log is refused; it must not end the log there in silence.
TEST_F(RocksDbStoreTest, DamageInTheMiddleOfTheLogIsNotIgnored) {
  {
    auto store = Open();
    for (int i = 0; i < 200; ++i) {
      WriteBatch batch;
      batch.Put(Space::kRecords, "key" + std::to_string(i), std::string(1000, 'v'));
      ASSERT_TRUE(store->Commit(batch, Durability::kSynced).ok());
    }
  }
  fs::path log;
  for (const auto& file : fs::directory_iterator(folder_)) {
    if (file.path().extension() == ".log" && fs::file_size(file) > 100000) log = file.path();
  }
  ASSERT_FALSE(log.empty());
  {
    std::fstream damage(log, std::ios::in | std::ios::out | std::ios::binary);
    damage.seekp(50000);
    damage.write("damaged", 7);
  }
  EXPECT_EQ(OpenRocksDbStore(folder_).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(RocksDbStoreTest, OpenedForReadingItChangesNothing) {
  EXPECT_EQ(OpenRocksDbStoreForReading(folder_).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(fs::exists(folder_));
  WriteBatch batch;
  batch.Put(Space::kRecords, "a", "1");
  ASSERT_TRUE(Open()->Commit(batch, Durability::kSynced).ok());
  auto store = OpenRocksDbStoreForReading(folder_);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(**(*store)->Get(Space::kRecords, "a"), "1");
  EXPECT_EQ(**(*store)->GetChecked(Space::kRecords, "a"), "1");
  EXPECT_FALSE((*store)->GetChecked(Space::kChunks, "a")->has_value());
  EXPECT_TRUE((*store)->CheckFiles()->damaged.empty());
  WriteBatch change;
  change.Put(Space::kRecords, "a", "2");
  EXPECT_EQ((*store)->Commit(change, Durability::kSynced).code(), absl::StatusCode::kUnavailable);
  store->reset();
  EXPECT_EQ(**Open()->Get(Space::kRecords, "a"), "1");
}

}  // namespace
}  // namespace parley::storage
