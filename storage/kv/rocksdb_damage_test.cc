// A store that has lost something is refused, with what to do, and nothing in it is changed: damage
// in any byte of its log, a log, table or list of files that is cut short, missing, or an older
// one.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "storage/kv/list_of_files.h"
#include "storage/kv/rocksdb_store.h"
#include "storage/kv/synced_mark.h"

namespace parley::storage {
namespace {

namespace fs = std::filesystem;

class DamageTest : public testing::Test {
 protected:
  void SetUp() override {
    whole_ = fs::temp_directory_path() / ("parley-damage-" + std::to_string(::getpid()));
    folder_ = whole_.string() + "-damaged";
    fs::remove_all(whole_);
    fs::remove_all(folder_);
  }
  void TearDown() override {
    fs::remove_all(whole_);
    fs::remove_all(folder_);
  }

  std::unique_ptr<FolderStore> OpenWhole() {
    auto opened = OpenRocksDbStore(whole_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }
  void Commit(FolderStore& store, Space space, const std::string& key, const std::string& value) {
    WriteBatch batch;
    batch.Put(space, key, value);
    ASSERT_TRUE(store.Commit(batch, Durability::kSynced).ok());
    keys_.emplace_back(space, key);
  }
  // As a checkpoint does, this writes tables of what there is.
  void WriteTables(FolderStore& store) {
    ASSERT_TRUE(store.MakeCheckpoint(folder_).ok());
    fs::remove_all(folder_);
  }

  void TakeCopy() {
    fs::remove_all(folder_);
    fs::copy(whole_, folder_);
  }
  // The names of the files of a kind, in order.
  std::vector<std::string> FilesOf(const std::string& kind) const {
    std::vector<std::string> names;
    for (const auto& file : fs::directory_iterator(whole_)) {
      const std::string name = file.path().filename();
      if (file.path().extension() == kind || name.starts_with(kind)) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  std::map<std::string, std::string> Contents() const {
    std::map<std::string, std::string> contents;
    for (const auto& file : fs::directory_iterator(folder_)) {
      std::ifstream in(file.path(), std::ios::binary);
      contents[file.path().filename()] = std::string(std::istreambuf_iterator<char>(in), {});
    }
    return contents;
  }
  static bool HasAll(const KeyValueStore& store,
                     const std::vector<std::pair<Space, std::string>>& keys) {
    return std::all_of(keys.begin(), keys.end(), [&](const auto& key) {
      const auto value = store.Get(key.first, key.second);
      return value.ok() && value->has_value();
    });
  }
  // Whether the copy, as it was made, is refused with what to do, and left as it is. `named`: what
  // the refusal says, too.
  void ExpectRefused(const std::string& what, const std::string& named = "") {
    SCOPED_TRACE(what);
    const auto before = Contents();
    for (int i = 0; i < 2; ++i) {
      const absl::Status refused = i == 0 ? OpenRocksDbStoreForReading(folder_).status()
                                          : OpenRocksDbStore(folder_).status();
      // Without the file that names the others, there is no store to be read.
      if (i == 0 && absl::IsUnavailable(refused) && !before.contains("CURRENT")) continue;
      EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss) << refused;
      EXPECT_NE(refused.message().find("restore the folder from a backup"), std::string::npos)
          << refused;
      EXPECT_NE(refused.message().find(named), std::string::npos) << refused;
    }
    const auto after = Contents();
    for (const auto& [name, bytes] : before) {
      EXPECT_TRUE(after.contains(name) && after.at(name) == bytes) << name << " was changed";
    }
  }

  fs::path whole_;
  fs::path folder_;  // the copy
  std::vector<std::pair<Space, std::string>> keys_;
};

// What can't be told from a crash by the log alone: a record at its end that is damaged or gone.
TEST_F(DamageTest, AnyByteOfTheLogAndAnyEndOfIt) {
  {
    auto store = OpenWhole();
    for (int i = 0; i < 8; ++i) {
      Commit(*store, Space::kRecords, "key " + std::to_string(i), std::string(30, 'v'));
    }
  }
  fs::path log;
  for (const std::string& name : FilesOf(".log")) {
    if (fs::file_size(whole_ / name) != 0) log = name;
  }
  ASSERT_FALSE(log.empty());
  const auto size = fs::file_size(whole_ / log);
  int refused = 0;
  int tries = 0;
  const auto try_with = [&](const std::string& what, const std::function<void()>& damage) {
    TakeCopy();
    damage();
    ++tries;
    const auto opened = OpenRocksDbStore(folder_);
    if (opened.ok()) {
      EXPECT_TRUE(HasAll(**opened, keys_)) << what << " was passed over, and something is missing";
    } else {
      ++refused;
      EXPECT_EQ(opened.status().code(), absl::StatusCode::kDataLoss) << what << opened.status();
    }
  };
  for (uintmax_t at = 0; at < size; at += 5) {
    try_with("byte " + std::to_string(at), [&] {
      std::fstream file(folder_ / log, std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(static_cast<std::streamoff>(at));
      const int byte = file.get();
      file.seekp(static_cast<std::streamoff>(at));
      file.put(static_cast<char>(byte ^ 0x10));
    });
    try_with("an end at " + std::to_string(at), [&] { fs::resize_file(folder_ / log, at); });
  }
  EXPECT_EQ(refused, tries);
  ExpectRefused("the last of them");
  // Who has no backup goes on with what there is, knowingly.
  fs::remove(SyncedMark::PathIn(folder_));
  EXPECT_TRUE(OpenRocksDbStore(folder_).ok());
}

TEST_F(DamageTest, FilesThatAreMissingOrCutShort) {
  {
    auto store = OpenWhole();
    Commit(*store, Space::kRecords, "a", "1");
    Commit(*store, Space::kEntries, "b", std::string(10'000, '2'));
    Commit(*store, Space::kChunks, "c", std::string(100'000, '3'));
    WriteTables(*store);
    Commit(*store, Space::kRecords, "d", "4");
  }
  for (const char* kind : {".sst", ".blob", ".log", "MANIFEST", "CURRENT"}) {
    const std::vector<std::string> names = FilesOf(kind);
    ASSERT_FALSE(names.empty()) << kind;
    for (const std::string& name : names) {
      if (fs::file_size(whole_ / name) == 0) continue;
      TakeCopy();
      fs::remove(folder_ / name);
      // Of the last log, which might have been empty, it says what lacks.
      const bool is_log = std::string_view(kind) == ".log";
      ExpectRefused(name + " is missing",
                    is_log ? "its latest changes are missing" : "the file " + name + " is missing");
      TakeCopy();
      fs::resize_file(folder_ / name, fs::file_size(folder_ / name) / 2);
      ExpectRefused(name + " is cut short");
    }
  }
  TakeCopy();
  const auto store = OpenRocksDbStore(folder_);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_TRUE(HasAll(**store, keys_));
}

// One among several: those after it are whole, and have the latest changes.
TEST_F(DamageTest, AnEarlierLogThatIsMissingOrCutShort) {
  {
    auto store = OpenWhole();
    Commit(*store, Space::kEntries, "small", "1");  // keeps the first log
    // More than the records' memory takes: another log is begun each time.
    for (int i = 0; i < 12; ++i) {
      Commit(*store, Space::kRecords, "r" + std::to_string(i), std::string(1 << 20, 'r'));
    }
    // As the program leaves it that is killed. A copy of files that come and go meanwhile may be of
    // no moment at all: then another is taken.
    const fs::path probe = whole_.string() + "-probe";
    bool is_whole = false;
    for (int i = 0; i < 50 && !is_whole; ++i) {
      std::error_code error;
      fs::remove_all(folder_);
      fs::copy(whole_, folder_, error);
      if (error) continue;
      fs::copy(folder_, probe);
      is_whole = OpenRocksDbStore(probe).ok();
      fs::remove_all(probe);
    }
    ASSERT_TRUE(is_whole);
  }
  std::swap(whole_, folder_);
  std::vector<std::string> logs;
  for (const std::string& name : FilesOf(".log")) {
    if (fs::file_size(whole_ / name) != 0) logs.push_back(name);
  }
  ASSERT_GT(logs.size(), 1U);
  for (const std::string& name : logs) {
    TakeCopy();
    fs::remove(folder_ / name);
    ExpectRefused(name + " is missing");
    TakeCopy();
    fs::resize_file(folder_ / name, fs::file_size(folder_ / name) / 2);
    ExpectRefused(name + " is cut short");
  }
  TakeCopy();
  const auto store = OpenRocksDbStore(folder_);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_TRUE(HasAll(**store, keys_));
}

// An older list of files would have the newer tables removed as if nobody needed them. What comes
// after them is in the log all the same, so that the store ends as it did.
TEST_F(DamageTest, AnOlderListOfFiles) {
  const fs::path kept = whole_.string() + "-older";
  fs::remove_all(kept);
  fs::create_directory(kept);
  std::string older;
  {
    auto store = OpenWhole();
    WriteTables(*store);
    older = FilesOf("MANIFEST").back();
    fs::copy(whole_ / older, kept / older);
    Commit(*store, Space::kRecords, "a", "1");
    WriteTables(*store);
    Commit(*store, Space::kRecords, "b", "2");
  }
  TakeCopy();
  fs::copy(kept / older, folder_ / older, fs::copy_options::overwrite_existing);
  ExpectRefused("an older state of the list");
  fs::remove_all(folder_);
  fs::copy(whole_ / "CURRENT", kept / "CURRENT");
  fs::copy(whole_ / older, kept / older, fs::copy_options::overwrite_existing);
  {
    auto store = OpenWhole();
    Commit(*store, Space::kRecords, "c", "3");
    WriteTables(*store);
    Commit(*store, Space::kRecords, "d", "4");
  }
  TakeCopy();
  ASSERT_FALSE(fs::exists(folder_ / older));
  for (const std::string& name : {std::string("CURRENT"), older}) {
    fs::copy(kept / name, folder_ / name, fs::copy_options::overwrite_existing);
  }
  ExpectRefused("the list of an earlier start");
  fs::remove_all(kept);
}

TEST_F(DamageTest, AListOfFilesThatIsCutShortBeforeLaterChanges) {
  {
    auto store = OpenWhole();
    Commit(*store, Space::kRecords, "a", "1");
    WriteTables(*store);
    Commit(*store, Space::kRecords, "b", "2");
  }
  const std::string list = FilesOf("MANIFEST").back();
  for (uintmax_t at = fs::file_size(whole_ / list) - 1; at > 0; at -= std::min(at, uintmax_t{29})) {
    TakeCopy();
    fs::resize_file(folder_ / list, at);
    ExpectRefused("a list that ends at " + std::to_string(at));
  }
}

// That of a relay's first run begins with a store without families, which looks as if it was only
// begun: opening would make them, and remove the tables.
TEST_F(DamageTest, AListOfFilesThatEndsAnywhere) {
  {
    auto store = OpenWhole();
    Commit(*store, Space::kRecords, "a", "1");
    Commit(*store, Space::kEntries, "b", "2");
    Commit(*store, Space::kChunks, "c", std::string(100'000, '3'));
    WriteTables(*store);
  }
  const std::string list = FilesOf("MANIFEST").back();
  const uintmax_t size = fs::file_size(whole_ / list);
  ASSERT_GT(size, 100U);
  int refused = 0;
  for (uintmax_t at = 0; at < size; at += 13) {
    TakeCopy();
    fs::resize_file(folder_ / list, at);
    const auto opened = OpenRocksDbStore(folder_);
    if (opened.ok()) {
      EXPECT_TRUE(HasAll(**opened, keys_)) << "it ends at " << at << ", and something is missing";
    } else {
      ++refused;
      EXPECT_EQ(opened.status().code(), absl::StatusCode::kDataLoss) << at << opened.status();
    }
  }
  EXPECT_GT(refused, 0);
  TakeCopy();
  fs::resize_file(folder_ / list, size / 2);
  ExpectRefused("half a list");
}

// Any byte of a table or of a file with values: what was stored is read as it was, or it is
// refused, be it when the store is opened or when somebody asks. Never is there less than there
// was.
TEST_F(DamageTest, AnyByteOfATableOrOfAFileWithValues) {
  const std::map<Space, std::string> values = {
      {Space::kRecords, "1"}, {Space::kEntries, "2"}, {Space::kChunks, std::string(5'000, '3')}};
  {
    auto store = OpenWhole();
    for (const auto& [space, value] : values) Commit(*store, space, "key", value);
    WriteTables(*store);
  }
  // As the relay reads, and as verify does.
  const auto is_as_it_was = [&](const KeyValueStore& store, Space space) {
    const auto value = store.GetChecked(space, "key");
    if (value.ok()) return *value == values.at(space);
    EXPECT_EQ(value.status().code(), absl::StatusCode::kDataLoss) << value.status();
    return value.status().code() == absl::StatusCode::kDataLoss;
  };
  const auto all_is_scanned = [&](const KeyValueStore& store, Space space) {
    int found = 0;
    const absl::Status scanned = store.Scan(space, "", "z", [&](auto key, auto /*value*/) {
      found += key == "key";
      return true;
    });
    return found == 1 || absl::IsDataLoss(scanned);
  };
  int refused = 0;
  for (const char* kind : {".sst", ".blob"}) {
    ASSERT_FALSE(FilesOf(kind).empty()) << kind;
    for (const std::string& name : FilesOf(kind)) {
      const uintmax_t size = fs::file_size(whole_ / name);
      for (uintmax_t at = 0; at < size; at += 89) {
        SCOPED_TRACE(name + ", byte " + std::to_string(at));
        TakeCopy();
        std::fstream file(folder_ / name, std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(static_cast<std::streamoff>(at));
        const int byte = file.get();
        file.seekp(static_cast<std::streamoff>(at));
        file.put(static_cast<char>(byte ^ 0x10));
        file.close();
        const auto opened = OpenRocksDbStoreForReading(folder_);
        if (!opened.ok()) {
          ++refused;
          EXPECT_EQ(opened.status().code(), absl::StatusCode::kDataLoss) << opened.status();
          continue;
        }
        for (const auto& [space, value] : values) {
          EXPECT_TRUE(is_as_it_was(**opened, space));
          EXPECT_TRUE(all_is_scanned(**opened, space));
        }
      }
    }
  }
  EXPECT_GT(refused, 0);
}

// A mark that can't be read says nothing, and is made again.
TEST_F(DamageTest, AMarkThatIsDamaged) {
  { Commit(*OpenWhole(), Space::kRecords, "a", "1"); }
  ASSERT_TRUE(SyncedMark::Load(whole_)->change.has_value());
  ASSERT_TRUE(SyncedMark::Load(whole_)->list.has_value());
  TakeCopy();
  for (const std::string& bytes :
       {std::string(), std::string("short"), std::string(16, 'x'), std::string(40, 'x')}) {
    std::ofstream(SyncedMark::PathIn(folder_), std::ios::binary) << bytes;
    EXPECT_FALSE(SyncedMark::Load(folder_)->change.has_value());
    EXPECT_FALSE(SyncedMark::Load(folder_)->list.has_value());
    const auto store = OpenRocksDbStore(folder_);
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_TRUE(HasAll(**store, keys_));
  }
  EXPECT_TRUE(SyncedMark::Load(folder_)->change.has_value());
  EXPECT_EQ(SyncedMark::Load(folder_)->list, FindListOfFiles(folder_));
}

// One that is there and can't be read isn't passed over.
TEST_F(DamageTest, AMarkThatCannotBeRead) {
  { Commit(*OpenWhole(), Space::kRecords, "a", "1"); }
  TakeCopy();
  fs::remove(SyncedMark::PathIn(folder_));
  fs::create_directory(SyncedMark::PathIn(folder_));
  const absl::Status refused = OpenRocksDbStore(folder_).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable) << refused;
  EXPECT_NE(refused.message().find("SYNCED can't be read"), std::string::npos) << refused;
}

// What needn't survive a power failure isn't marked.
TEST_F(DamageTest, TheMarkIsNeverAhead) {
  auto store = OpenWhole();
  Commit(*store, Space::kRecords, "a", "1");
  const auto mark = SyncedMark::Load(whole_)->change;
  WriteBatch buffered;
  buffered.Put(Space::kChunks, "c", "1");
  ASSERT_TRUE(store->Commit(buffered, Durability::kBuffered).ok());
  EXPECT_EQ(SyncedMark::Load(whole_)->change, mark);
  WriteBatch nothing;
  nothing.Require(Space::kRecords, "a", "1");
  ASSERT_TRUE(store->Commit(nothing, Durability::kSynced).ok());
  EXPECT_EQ(SyncedMark::Load(whole_)->change, mark);
  Commit(*store, Space::kRecords, "b", "1");
  EXPECT_GT(SyncedMark::Load(whole_)->change, mark);
}

}  // namespace
}  // namespace parley::storage
