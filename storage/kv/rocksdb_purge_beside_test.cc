// What goes on while a purge reads a value from a disk that doesn't answer: commits, also of that
// value.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/kv/rocksdb_store.h"

namespace parley::storage {
namespace {

namespace fs = std::filesystem;

// A disk that keeps whoever reads a value of its own file waiting, once it is told to.
class SlowDisk {
 public:
  enum class Reads : uint8_t { kOneValue, kAll };  // what RocksDB does, and what a purge does
  void KeepNextReader(Reads what = Reads::kOneValue) {
    std::lock_guard lock(mutex_);
    what_ = what;
    state_ = State::kArmed;
    changed_.notify_all();
  }
  // Called for each reading of a file with values.
  void Read(Reads what) {
    std::unique_lock lock(mutex_);
    if (what == Reads::kAll) ++reads_;
    if (state_ != State::kArmed || what != what_) return;
    state_ = State::kKept;
    changed_.notify_all();
    changed_.wait(lock, [&] { return state_ != State::kKept; });
  }
  // Whether somebody is kept, or comes within a minute.
  bool KeepsSomebody() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::minutes(1), [&] { return state_ == State::kKept; });
  }
  void LetGo() {
    std::lock_guard lock(mutex_);
    state_ = State::kFree;
    changed_.notify_all();
  }
  // How often a purge has read from a file what is in it.
  int reads() {
    std::lock_guard lock(mutex_);
    return reads_;
  }

  // From now on nothing written to files of that kind gets to it.
  void Fail(const std::string& extension) {
    std::lock_guard lock(mutex_);
    failing_ = extension;
  }
  bool Fails(const std::string& extension) {
    std::lock_guard lock(mutex_);
    return !failing_.empty() && failing_ == extension;
  }

 private:
  enum class State { kFree, kArmed, kKept };
  std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::kFree;
  Reads what_ = Reads::kOneValue;
  int reads_ = 0;
  std::string failing_;
};

SlowDisk& Disk() {
  static auto* const disk = new SlowDisk();
  return *disk;
}

std::string KindOf(int file) {
  std::error_code error;
  const fs::path path = fs::read_symlink("/proc/self/fd/" + std::to_string(file), error);
  return error ? "" : path.extension().string();
}

bool IsBlobFile(int file) { return KindOf(file) == ".blob"; }

}  // namespace
}  // namespace parley::storage

// RocksDB reads values by this, which the dynamic linker takes from the program first.
// Standard streams read by this.
extern "C" ssize_t read(int file, void* bytes, size_t size) {
  using Function = ssize_t (*)(int, void*, size_t);
  static const auto system = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "read"));
  using parley::storage::SlowDisk;
  if (parley::storage::IsBlobFile(file)) parley::storage::Disk().Read(SlowDisk::Reads::kAll);
  return system(file, bytes, size);
}

extern "C" ssize_t pread(int file, void* bytes, size_t size, off_t at) {
  using Function = ssize_t (*)(int, void*, size_t, off_t);
  static const auto system = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "pread"));
  using parley::storage::SlowDisk;
  if (parley::storage::IsBlobFile(file)) parley::storage::Disk().Read(SlowDisk::Reads::kOneValue);
  return system(file, bytes, size, at);
}

// After which what was written is on the disk.
extern "C" int fdatasync(int file) {
  using Function = int (*)(int);
  static const auto system = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "fdatasync"));
  if (!parley::storage::Disk().Fails(parley::storage::KindOf(file))) return system(file);
  errno = EIO;
  return -1;
}

namespace parley::storage {
namespace {

class PurgeBesideCommitsTest : public testing::Test {
 protected:
  // Ana's value and Ben's in one file, of which hers is deleted, so that a purge writes his again.
  void SetUp() override {
    folder_ =
        fs::temp_directory_path() / ("parley-purge-beside-" + std::to_string(::getpid()) + "-" +
                                     testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    auto opened = OpenRocksDbStore(folder_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
    for (const char* owner : {"ana", "ben", "zoe"}) Put(owner, ValueOf(owner));
    ASSERT_TRUE(store_->MakeCheckpoint(folder_.string() + "-checkpoint").ok());  // writes the file
    fs::remove_all(folder_.string() + "-checkpoint");
    Prepare();
    Delete("ana");
    Disk().KeepNextReader();
    purge_ = std::async(std::launch::async, [this] { return store_->Purge(); });
    ASSERT_TRUE(Disk().KeepsSomebody());
  }
  void TearDown() override {
    Disk().LetGo();
    if (purge_.valid()) purge_.wait();
    store_.reset();
    fs::remove_all(folder_);
  }

  // What stands in the file before the purge.
  virtual void Prepare() {}

  static std::string ValueOf(const std::string& owner) {
    return "words of " + owner + std::string(100'000, 'c');
  }
  void Put(const std::string& owner, const std::string& value) {
    WriteBatch batch;
    batch.Put(Space::kChunks, owner, value);
    EXPECT_TRUE(store_->Commit(batch, Durability::kSynced).ok());
  }
  void Delete(const std::string& owner) {
    WriteBatch batch;
    batch.DeleteRange(Space::kChunks, owner, owner + "0");
    EXPECT_TRUE(store_->Commit(batch, Durability::kSynced).ok());
  }
  // Whether that is done while the disk still keeps the purge waiting.
  bool GoesOn(const std::function<void()>& commit) {
    std::future<void> done = std::async(std::launch::async, commit);
    const bool goes_on = done.wait_for(std::chrono::seconds(30)) == std::future_status::ready;
    Disk().LetGo();
    done.wait();
    return goes_on;
  }
  // How it stands after the purge, and another one.
  std::optional<std::string> BensValueAfterwards() {
    const absl::Status purged = purge_.get();
    EXPECT_TRUE(purged.ok()) << purged;
    const absl::Status again = store_->Purge();
    EXPECT_TRUE(again.ok()) << again;
    EXPECT_FALSE(store_->HasDeleted());
    const auto value = store_->GetChecked(Space::kChunks, "ben");
    EXPECT_TRUE(value.ok()) << value.status();
    return value.value_or(std::nullopt);
  }

  fs::path folder_;
  std::unique_ptr<FolderStore> store_;
  std::future<absl::Status> purge_;
};

TEST_F(PurgeBesideCommitsTest, CommitsDoNotWaitForWhatItReads) {
  EXPECT_TRUE(GoesOn([&] {
    WriteBatch batch;
    batch.Put(Space::kRecords, "record", "a record");
    batch.Put(Space::kEntries, "entry", "an entry");
    EXPECT_TRUE(store_->Commit(batch, Durability::kSynced).ok());
  }));
  EXPECT_EQ(BensValueAfterwards(), ValueOf("ben"));
  EXPECT_EQ(*store_->Get(Space::kRecords, "record"), "a record");
}

// It must not come back by being written once more.
TEST_F(PurgeBesideCommitsTest, WhatIsDeletedMeanwhileStaysSo) {
  EXPECT_TRUE(GoesOn([&] { Delete("ben"); }));
  EXPECT_EQ(BensValueAfterwards(), std::nullopt);
}

TEST_F(PurgeBesideCommitsTest, WhatIsWrittenMeanwhileStaysSo) {
  EXPECT_TRUE(GoesOn([&] { Put("ben", "other words"); }));
  EXPECT_EQ(BensValueAfterwards(), "other words");
}

TEST_F(PurgeBesideCommitsTest, WhatIsDeletedBesideItChangesNothing) {
  EXPECT_TRUE(GoesOn([&] {
    Delete("bem");
    Put("ben1", "of another");
  }));
  EXPECT_EQ(BensValueAfterwards(), ValueOf("ben"));
}

// Zoe's key is damaged in the file, so that a purge doesn't find her value by it.
class PurgeOfADamagedKeyTest : public PurgeBesideCommitsTest {
 protected:
  void Prepare() override {
    for (const auto& entry : fs::directory_iterator(folder_)) {
      if (entry.path().extension() != ".blob") continue;
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string content(std::istreambuf_iterator<char>(in), {});
      const size_t at = content.find("zoe" + ValueOf("zoe"));
      ASSERT_NE(at, std::string::npos);
      std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(static_cast<std::streamoff>(at));
      file << "#";
    }
  }
};

TEST_F(PurgeOfADamagedKeyTest, IsReportedWhileItsValueIsNeeded) {
  Disk().LetGo();
  EXPECT_EQ(purge_.get().code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(store_->Get(Space::kChunks, "zoe")->has_value());
}

// It is deleted when the purge has seen that the file is left, and looks for what is wrong with it.
TEST_F(PurgeOfADamagedKeyTest, IsNotReportedWhenItsValueIsDeletedMeanwhile) {
  Disk().KeepNextReader(SlowDisk::Reads::kAll);
  ASSERT_TRUE(Disk().KeepsSomebody());
  EXPECT_TRUE(GoesOn([&] { Delete("zoe"); }));
  EXPECT_EQ(BensValueAfterwards(), ValueOf("ben"));
}

// Two files, in each of which something was deleted; the purge is at the first.
class PurgeOfAStoreThatFailsTest : public PurgeBesideCommitsTest {
 protected:
  void Prepare() override {
    for (const char* owner : {"carl", "dora", "emil"}) Put(owner, ValueOf(owner));
    ASSERT_TRUE(store_->MakeCheckpoint(folder_.string() + "-checkpoint").ok());
    fs::remove_all(folder_.string() + "-checkpoint");
    Delete("carl");
  }
  void TearDown() override {
    Disk().Fail("");
    // A store that has failed isn't closed (rocksdb_store.cc), so it stays.
    static auto* const failed = new std::vector<std::unique_ptr<FolderStore>>();
    failed->push_back(std::move(store_));
    PurgeBesideCommitsTest::TearDown();
  }
  // What the purge ends with, once the disk answers it; it must look at no other file.
  absl::Status EndOfPurge() {
    const int before = Disk().reads();
    Disk().LetGo();
    absl::Status status = purge_.get();
    EXPECT_EQ(Disk().reads(), before);
    return status;
  }
};

TEST_F(PurgeOfAStoreThatFailsTest, EndsWithTheStoresFailureAtOnce) {
  Disk().Fail(".log");
  WriteBatch batch;
  batch.Put(Space::kRecords, "record", "a record");
  const absl::Status failed = store_->Commit(batch, Durability::kSynced);
  ASSERT_EQ(failed.code(), absl::StatusCode::kUnavailable) << failed;
  EXPECT_EQ(EndOfPurge(), failed);
  EXPECT_EQ(store_->Purge(), failed);
}

// Before anybody has committed anything, so that it is the purge that notices.
TEST_F(PurgeOfAStoreThatFailsTest, EndsAtOnceWhenItCanNotWriteItself) {
  WriteBatch batch;
  batch.Put(Space::kRecords, "record", "a record");
  ASSERT_TRUE(store_->Commit(batch, Durability::kSynced).ok());
  Disk().Fail(".sst");
  EXPECT_FALSE(store_->MakeCheckpoint(folder_.string() + "-checkpoint").ok());
  fs::remove_all(folder_.string() + "-checkpoint");
  const absl::Status status = EndOfPurge();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_NE(status.message().find("removing what was deleted"), std::string::npos) << status;
}

// As when an operator asks for one while the relay's own goes on.
TEST_F(PurgeBesideCommitsTest, AnotherPurgeWaitsForIt) {
  std::future<absl::Status> another =
      std::async(std::launch::async, [&] { return store_->Purge(); });
  EXPECT_EQ(another.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  Disk().LetGo();
  EXPECT_TRUE(another.get().ok());
  EXPECT_EQ(BensValueAfterwards(), ValueOf("ben"));
}

}  // namespace
}  // namespace parley::storage
