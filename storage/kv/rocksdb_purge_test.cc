// What was deleted leaves the files: looked for byte by byte in all of them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "storage/kv/rocksdb_store.h"

namespace parley::storage {
namespace {

namespace fs = std::filesystem;

class PurgeTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("parley-purge-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    auto opened = OpenRocksDbStore(folder_, [this](const std::string& folder) {
      std::optional<DiskRoom> disk = AskSystemForRoom(folder);
      if (disk.has_value() && free_ != 0) disk->free = free_;
      return disk;
    });
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
    batch.Put(Space::kEntries, "n" + owner + "/1", words + " in an entry");
    batch.Put(Space::kChunks, "c" + owner + "/1", words + std::string(100'000, 'c'));
    ASSERT_TRUE(store_->Commit(batch, Durability::kSynced).ok());
  }
  void Delete(const std::string& owner) {
    WriteBatch batch;
    batch.DeleteRange(Space::kRecords, "e" + owner + "/", "e" + owner + "0");
    batch.DeleteRange(Space::kEntries, "n" + owner + "/", "n" + owner + "0");
    batch.DeleteRange(Space::kChunks, "c" + owner + "/", "c" + owner + "0");
    ASSERT_TRUE(store_->Commit(batch, Durability::kSynced).ok());
  }
  // As a checkpoint does, this writes files of what there is.
  void WriteTables() {
    ASSERT_TRUE(store_->MakeCheckpoint(folder_.string() + "-checkpoint").ok());
    fs::remove_all(folder_.string() + "-checkpoint");
  }
  std::set<std::string> Files() const {
    std::set<std::string> names;
    for (const auto& file : fs::directory_iterator(folder_)) {
      const std::string name = file.path().filename();
      if (name != "LOCK") names.insert(name);
    }
    return names;
  }

  // Where these bytes stand in the blob file that has them, writes others, by default one that is
  // wrong, so many bytes further on; returns its name.
  std::string DamageInBlobFile(const std::string& bytes, const std::string& others = "#",
                               int further = 0) {
    for (const std::string& name : Files()) {
      if (fs::path(name).extension() != ".blob") continue;
      std::ifstream in(folder_ / name, std::ios::binary);
      const std::string content(std::istreambuf_iterator<char>(in), {});
      const size_t at = content.find(bytes);
      if (at == std::string::npos) continue;
      std::fstream file(folder_ / name, std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(static_cast<std::streamoff>(at) + further);
      file << others;
      return name;
    }
    ADD_FAILURE() << bytes << " are in no blob file";
    return "";
  }

  fs::path folder_;
  std::atomic<uint64_t> free_ = 0;  // what the disk says; 0: what is true
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
  EXPECT_EQ(**store_->Get(Space::kEntries, "nben/1"), "words of Ben in an entry");
  EXPECT_TRUE((*store_->Get(Space::kChunks, "cben/1"))->starts_with("words of Ben"));
  EXPECT_TRUE(store_->Purge().ok());  // again, with nothing to do
}

TEST_F(PurgeTest, AlsoWhatLiesInFilesAmongOthers) {
  for (int i = 0; i < 30; ++i) {
    Store("owner" + std::to_string(i), "words " + std::to_string(i) + ".");
    if (i % 5 == 4) WriteTables();
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

// Of forty documents in ten files one is deleted: what is in the other nine isn't written anew, and
// the next backup has no more to copy than that.
TEST_F(PurgeTest, WritesNoMoreAnewThanLiesBesideWhatWasDeleted) {
  constexpr int kOwners = 40;
  constexpr size_t kBytes = 1 << 20;
  const auto owner = [](int i) { return "owner" + std::to_string(100 + i); };
  for (int i = 0; i < kOwners; ++i) {
    WriteBatch batch;
    batch.Put(Space::kChunks, "c" + owner(i) + "/1",
              "words of " + owner(i) + std::string(kBytes, 'c'));
    ASSERT_TRUE(store_->Commit(batch, Durability::kSynced).ok());
    if (i % 4 == 3) WriteTables();
  }
  const std::set<std::string> before = Files();
  Delete(owner(17));
  ASSERT_TRUE(store_->Purge().ok());
  EXPECT_EQ(FilesWith("words of " + owner(17)), 0);
  EXPECT_FALSE(store_->HasDeleted());
  uint64_t written = 0;
  for (const std::string& name : Files()) {
    if (!before.contains(name)) written += fs::file_size(folder_ / name);
  }
  EXPECT_GE(written, 3 * kBytes);
  EXPECT_LT(written, 4 * kBytes);
  for (int i = 0; i < kOwners; ++i) {
    const auto value = store_->GetChecked(Space::kChunks, "c" + owner(i) + "/1");
    ASSERT_TRUE(value.ok()) << value.status();
    ASSERT_EQ(value->has_value(), i != 17) << i;
    if (i != 17) {
      EXPECT_EQ(**value, "words of " + owner(i) + std::string(kBytes, 'c')) << i;
    }
  }
}

// What the purge writes once more isn't in the log: a crash in the middle loses nothing.
TEST_F(PurgeTest, ThatIsKilledLosesNothing) {
  for (int i = 0; i < 8; ++i)
    Store("owner" + std::to_string(i), "words " + std::to_string(i) + ".");
  WriteTables();
  Delete("owner3");
  std::atomic<bool> over = false;
  const fs::path copy = folder_.string() + "-killed";
  std::thread purge([&] {
    EXPECT_TRUE(store_->Purge().ok());
    over = true;
  });
  int copies = 0;
  for (bool last = false; !last; ++copies) {
    last = over;
    fs::remove_all(copy);
    fs::create_directory(copy);
    bool is_whole = true;
    for (const std::string& name : Files()) {
      std::error_code error;  // files go while they are copied
      fs::copy_file(folder_ / name, copy / name, error);
      is_whole = is_whole && !error;
    }
    const auto killed = OpenRocksDbStore(copy);
    // A copy that was taken while files came and went may be of no moment at all, and is refused.
    if (!killed.ok()) continue;
    for (int i = 0; i < 8; ++i) {
      if (i == 3) continue;
      const auto value = (*killed)->GetChecked(Space::kChunks, "cowner" + std::to_string(i) + "/1");
      EXPECT_TRUE(value.ok() && value->has_value()) << i;
    }
  }
  purge.join();
  EXPECT_GT(copies, 0);
  fs::remove_all(copy);
}

// Values that are damaged aren't made right by being written once more.
TEST_F(PurgeTest, DamageIsNotWrittenAnewAsIfItWereRight) {
  Store("ana", "words of Ana");
  Store("ben", "words of Ben");
  WriteTables();
  Delete("ana");
  DamageInBlobFile("words of Ben");
  EXPECT_EQ(store_->Purge().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(store_->GetChecked(Space::kChunks, "cben/1").status().code(),
            absl::StatusCode::kDataLoss);
}

// By a key that is damaged nothing is found to be written once more, and RocksDB keeps the file.
TEST_F(PurgeTest, ADamagedKeyIsNotPassedOver) {
  for (const char* owner : {"ana", "ben", "carl"}) Store(owner, std::string("words of ") + owner);
  WriteTables();
  Delete("ana");
  const std::string damaged = DamageInBlobFile("cben/1");
  for (int i = 0; i < 2; ++i) {  // as often as it is tried
    const absl::Status status = store_->Purge();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    for (const char* said : {damaged.c_str(), "\"parley-relay verify\"", "from a backup"}) {
      EXPECT_NE(status.message().find(said), std::string::npos) << status;
    }
  }
  // Nothing is lost by trying: neither the value, which its own key leads to, nor the others.
  EXPECT_TRUE((*store_->Get(Space::kChunks, "cben/1"))->starts_with("words of ben"));
  EXPECT_TRUE(store_->GetChecked(Space::kChunks, "ccarl/1")->has_value());
  EXPECT_EQ(store_->GetChecked(Space::kChunks, "cben/1").status().code(),
            absl::StatusCode::kDataLoss);  // which is how verify finds it
}

TEST_F(PurgeTest, AKeyThatIsAnotherOnesByDamageIsNotPassedOver) {
  for (const char* owner : {"ana", "ben", "bem"}) Store(owner, std::string("words of ") + owner);
  WriteTables();
  Delete("ana");
  DamageInBlobFile("cben/1", "cbem/1");
  EXPECT_EQ(store_->Purge().code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(store_->GetChecked(Space::kChunks, "cbem/1")->has_value());
}

// What was deleted needn't be whole to be removed.
TEST_F(PurgeTest, DamageInWhatWasDeletedIsRemovedWithIt) {
  for (const char* owner : {"ana", "ben"}) Store(owner, std::string("words of ") + owner);
  WriteTables();
  Delete("ana");
  DamageInBlobFile("cana/1");
  const absl::Status status = store_->Purge();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(FilesWith("words of ana"), 0);
  EXPECT_TRUE(store_->GetChecked(Space::kChunks, "cben/1")->has_value());
}

// But where the damage is in what says how long a value is: then the file can't be read on, which
// is what a check of the files finds, too, and nothing is lost by it.
TEST_F(PurgeTest, WhatItComplainsOfACheckFinds) {
  for (const char* owner : {"ana", "ben", "carl"}) Store(owner, std::string("words of ") + owner);
  WriteTables();
  Delete("ana");
  constexpr int kRecordHead = 32;
  EXPECT_TRUE(store_->CheckFiles()->unpurgeable.empty());
  const std::string damaged = DamageInBlobFile("cana/1", "#", 16 - kRecordHead);
  const absl::Status status = store_->Purge();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(status.message().find(damaged), std::string::npos) << status;
  const auto found = store_->CheckFiles();
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(found->damaged.empty());
  ASSERT_EQ(found->unpurgeable.size(), 1u);
  EXPECT_NE(found->unpurgeable[0].find(damaged), std::string::npos) << found->unpurgeable[0];
  for (const char* key : {"cben/1", "ccarl/1"}) {
    EXPECT_TRUE(store_->GetChecked(Space::kChunks, key)->has_value()) << key;
  }
}

// Whatever the damage is: of a value, of a key that is needed, of a record's head.
TEST_F(PurgeTest, DamageInAFileKeepsNoneOfTheOthers) {
  constexpr int kRecordHead = 32;
  const std::vector<std::string> pairs = {"a", "b", "c", "d"};
  for (const std::string& pair : pairs) {
    Store(pair + "1", "words of " + pair + "1");
    Store(pair + "2", "words of " + pair + "2");
    WriteTables();
  }
  for (const std::string& pair : pairs) Delete(pair + "1");
  DamageInBlobFile("words of a2");
  DamageInBlobFile("cb2/1");
  DamageInBlobFile("cc2/1", "#", 16 - kRecordHead);
  const absl::Status status = store_->Purge();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(FilesWith("words of d1"), 0);
  EXPECT_TRUE(store_->GetChecked(Space::kChunks, "cd2/1")->has_value());
  for (const char* kept : {"cb2/1", "cc2/1"}) {
    EXPECT_TRUE((*store_->Get(Space::kChunks, kept))->starts_with("words of ")) << kept;
  }
}

// A part of the store that is damaged keeps none of the others either, wherever it comes.
TEST_F(PurgeTest, DamageInTheSmallestPartKeepsNoneOfTheOthers) {
  for (const char* owner : {"ana", "ben"}) Store(owner, std::string("words of ") + owner);
  std::mt19937 random;  // what can't be made smaller, and takes more than the other parts together
  std::string large(1 << 20, '\0');
  for (char& byte : large) byte = static_cast<char>(random());
  WriteBatch batch;
  batch.Put(Space::kEntries, "nlarge/1", large);
  ASSERT_TRUE(store_->Commit(batch, Durability::kSynced).ok());
  WriteTables();
  Delete("ana");
  DamageInBlobFile("words of ben");
  EXPECT_EQ(store_->Purge().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(FilesWith("words of ana in an entry"), 0);
  EXPECT_EQ(FilesWith("words of ana in a record"), 0);
}

// Else whatever follows in the file would be read as something else.
TEST_F(PurgeTest, ADamagedSizeIsNotPassedOver) {
  for (const char* owner : {"ana", "ben"}) Store(owner, std::string("words of ") + owner);
  WriteTables();
  Delete("ana");
  constexpr int kRecordHead = 32;
  DamageInBlobFile("cben/1", "#", 16 - kRecordHead);  // its expiration
  EXPECT_EQ(store_->Purge().code(), absl::StatusCode::kDataLoss);
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

// Of a store with more than four buffers of each kind, so that both write tables, which are merged,
// while the purge goes on.
TEST_F(PurgeTest, GoesOnBesideMoreThanMemoryHolds) {
  constexpr int kBatches = 120;
  const std::string large(400'000, 'e');
  for (int i = 0; i < 40; ++i) Store("old" + std::to_string(i), "kept");
  std::atomic<bool> is_done = false;
  std::thread writer([&] {
    for (int i = 0; i < kBatches; ++i) {
      WriteBatch batch;
      batch.Put(Space::kRecords, "e" + std::to_string(i), large);
      batch.Put(Space::kEntries, "n" + std::to_string(i), large);
      EXPECT_TRUE(store_->Commit(batch, Durability::kBuffered).ok());
      if (i % 10 == 0) Delete("old" + std::to_string(i / 10));
    }
    is_done = true;
  });
  int purges = 0;
  while (!is_done || purges == 0) {
    const absl::Status status = store_->Purge();
    EXPECT_TRUE(status.ok()) << status;
    ++purges;
  }
  writer.join();
  for (int i = 0; i < kBatches; ++i) {
    EXPECT_EQ(**store_->Get(Space::kEntries, "n" + std::to_string(i)), large);
    EXPECT_EQ(**store_->Get(Space::kRecords, "e" + std::to_string(i)), large);
  }
}

TEST_F(PurgeTest, WritesNothingAnewThatTheDiskHasNoRoomFor) {
  for (int i = 0; i < 100; ++i) Store("owner" + std::to_string(i), "words of many");
  Store("ana", "words of Ana");
  WriteTables();
  Delete("ana");
  const uint64_t mib = uint64_t{1} << 20;
  free_ = 517 * mib;  // what is kept free, and less than the chunks take
  const absl::Status status = store_->Purge();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_NE(status.message().find("parley-relay purge"), std::string::npos) << status;
  EXPECT_NE(status.message().find("517 MiB"), std::string::npos) << status;
  EXPECT_TRUE(store_->HasDeleted());
  EXPECT_EQ(FilesWith("words of Ana in a record"), 0);  // the small parts come first
  EXPECT_EQ(FilesWith("words of Ana in an entry"), 0);
  EXPECT_EQ(FilesWith("words of Ana"), 1);
  free_ = 600 * mib;
  EXPECT_TRUE(store_->Purge().ok());
  EXPECT_EQ(FilesWith("words of Ana"), 0);
  EXPECT_FALSE(store_->HasDeleted());
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
