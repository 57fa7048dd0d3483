// Stores of other versions are refused before anything in them is changed.
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "storage/kv/rocksdb_store.h"

namespace parley::storage {
namespace {

namespace fs = std::filesystem;

class LayoutTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("parley-layout-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // As another version leaves it: with these families, and something in the first or nothing.
  void Make(const std::vector<std::string>& names, const std::string& format) {
    rocksdb::Options options;
    options.create_if_missing = true;
    rocksdb::DB* opened = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(options, folder_, &opened).ok());
    const std::unique_ptr<rocksdb::DB> db(opened);
    for (const std::string& name : names) {
      rocksdb::ColumnFamilyHandle* family = nullptr;
      ASSERT_TRUE(db->CreateColumnFamily({}, name, &family).ok());
      db->DestroyColumnFamilyHandle(family);
    }
    if (!format.empty()) {
      rocksdb::WriteOptions synced;
      synced.sync = true;
      ASSERT_TRUE(db->Put(synced, "format", format).ok());
    }
    ASSERT_TRUE(db->Close().ok());
  }
  std::vector<std::string> Families() const {
    std::vector<std::string> names;
    EXPECT_TRUE(rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), folder_, &names).ok());
    return names;
  }
  std::set<std::string> Files() const {
    std::set<std::string> names;
    for (const auto& file : fs::directory_iterator(folder_)) names.insert(file.path().filename());
    return names;
  }

  fs::path folder_;
};

// Formats 1 and 2 had their entries among the records.
TEST_F(LayoutTest, EarlierOnesAreRefusedAndStayAsTheyAre) {
  for (const char* format : {"1", "2"}) {
    fs::remove_all(folder_);
    Make({"chunks"}, format);
    const std::vector<std::string> families = Families();
    const std::set<std::string> files = Files();
    for (int i = 0; i < 2; ++i) {
      const absl::Status refused = i == 0 ? OpenRocksDbStore(folder_).status()
                                          : OpenRocksDbStoreForReading(folder_).status();
      EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
      for (const char* words : {"an earlier version", "format is 1 or 2", "nothing was changed",
                                "go on with the version that made it", "docs/operations.md"}) {
        EXPECT_NE(refused.message().find(words), std::string::npos) << refused;
      }
    }
    EXPECT_EQ(Families(), families);
    EXPECT_EQ(Files(), files);
  }
}

TEST_F(LayoutTest, AnotherOneIsRefusedAndStaysAsItIs) {
  Make({"chunks", "entries", "something new"}, "4");
  const std::vector<std::string> families = Families();
  const absl::Status refused = OpenRocksDbStore(folder_).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
  EXPECT_NE(refused.message().find("another version"), std::string::npos) << refused;
  EXPECT_EQ(Families(), families);
}

// Damage is no other version: nobody is to look for a program that could open it.
TEST_F(LayoutTest, WhatCannotBeLookedIntoIsNotCalledAnotherVersions) {
  Make({"chunks"}, "2");
  {
    std::vector<rocksdb::ColumnFamilyHandle*> families;
    rocksdb::DB* opened = nullptr;
    // Opening moves what is in the log into a table.
    ASSERT_TRUE(
        rocksdb::DB::Open({}, folder_, {{"default", {}}, {"chunks", {}}}, &families, &opened).ok());
    const std::unique_ptr<rocksdb::DB> db(opened);
    for (rocksdb::ColumnFamilyHandle* family : families) db->DestroyColumnFamilyHandle(family);
  }
  int removed = 0;
  for (const std::string& name : Files()) {
    if (fs::path(name).extension() == ".sst") removed += fs::remove(folder_ / name);
  }
  ASSERT_GT(removed, 0);
  const absl::Status refused = OpenRocksDbStore(folder_).status();
  EXPECT_FALSE(refused.ok());
  EXPECT_NE(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
}

// As a first start leaves it that was killed.
TEST_F(LayoutTest, OneThatWasOnlyBegunIsMade) {
  Make({"chunks"}, "");
  const auto opened = OpenRocksDbStore(folder_);
  EXPECT_TRUE(opened.ok()) << opened.status();
}

// Opening would remove what the list of files, which looks like that of a first start, doesn't
// name.
TEST_F(LayoutTest, OneThatOnlyLooksBegunIsRefused) {
  for (const char* name : {"000099.sst", "000099.blob", "SYNCED"}) {
    fs::remove_all(folder_);
    Make({"chunks"}, "");
    std::ofstream(folder_ / name) << "something";
    const absl::Status refused = OpenRocksDbStore(folder_).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss) << name << refused;
    EXPECT_NE(refused.message().find("restore the folder from a backup"), std::string::npos);
    EXPECT_TRUE(fs::exists(folder_ / name)) << name;
  }
}

}  // namespace
}  // namespace parley::storage
