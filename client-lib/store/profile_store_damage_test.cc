// Damaged profiles: whatever happens to the files, a value is either the one that was stored or an
// error that says what to do; never another one, never a crash.
#include <map>
#include <random>
#include <set>

#include "client-lib/store/profile_store.h"
#include "client-lib/store/test_profile.h"
#include "gmock/gmock.h"

namespace parley::client {
namespace {

using ::testing::HasSubstr;

constexpr auto kContent = RecordClass::kContent;

std::string ValueOf(int i) {
  return "value " + std::to_string(i) + std::string(static_cast<size_t>(i) * 97 % 3000, 'v');
}

constexpr int kRecords = 40;

class DamagedStore : public ::testing::Test {
 protected:
  void SetUp() override {
    auto store = ProfileStore::Create(folder_.path());
    ASSERT_TRUE(store.ok()) << store.status();
    for (int i = 0; i < kRecords; ++i) {
      ASSERT_TRUE(PutText(**store, kContent, "name " + std::to_string(i), ValueOf(i)).ok());
    }
    store->reset();
    database_ = ReadWholeFile(folder_ / "profile.db");
    key_ = ReadWholeFile(folder_ / "store.key");
    ASSERT_GT(database_.size(), 40'000u);
  }

  void Restore(const std::string& database) {
    for (const char* ending : {"-wal", "-shm"}) {
      std::filesystem::remove(folder_ / ("profile.db" + std::string(ending)));
    }
    WriteWholeFile(folder_ / "profile.db", database);
  }

  struct Outcome {
    int right = 0;
    int refused = 0;
    int missing = 0;
  };

  // Every record is right, missing, or refused with DataLoss (NotFound and PermissionDenied would
  // mislead).
  Outcome ReadAll() {
    Outcome outcome;
    auto store = ProfileStore::Open(folder_.path());
    if (!store.ok()) {
      EXPECT_TRUE(store.status().code() == absl::StatusCode::kDataLoss ||
                  store.status().code() == absl::StatusCode::kFailedPrecondition)
          << store.status();
      outcome.refused = kRecords;
      return outcome;
    }
    for (int i = 0; i < kRecords; ++i) {
      auto value = GetText(**store, kContent, "name " + std::to_string(i));
      if (!value.ok()) {
        EXPECT_EQ(value.status().code(), absl::StatusCode::kDataLoss) << value.status();
        EXPECT_THAT(std::string(value.status().message()), HasSubstr("restore"));
        ++outcome.refused;
      } else if (*value == "(none)") {
        ++outcome.missing;
      } else {
        EXPECT_EQ(*value, ValueOf(i));
        ++outcome.right;
      }
    }
    // What reads as missing is found by the thorough check.
    if (outcome.missing > 0) {
      EXPECT_EQ((*store)->CheckIntegrity().code(), absl::StatusCode::kDataLoss);
    }
    return outcome;
  }

  TestFolder folder_;
  std::string database_;
  std::string key_;
};

TEST_F(DamagedStore, UndamagedIsRight) { EXPECT_EQ(ReadAll().right, kRecords); }

TEST_F(DamagedStore, FlippedBytesAnywhereAreNoticed) {
  std::mt19937 random(3);
  int noticed = 0;
  // The first page's header and table of contents byte by byte, the rest in steps.
  for (size_t at = 0; at < database_.size(); at += at < 112 ? 1 : 61 + random() % 60) {
    std::string damaged = database_;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
    Restore(damaged);
    const Outcome outcome = ReadAll();
    noticed += outcome.refused + outcome.missing > 0;
    if (HasFailure()) FAIL() << "at byte " << at;
  }
  EXPECT_GT(noticed, 200);  // most of the file is sealed values
}

TEST_F(DamagedStore, CutFilesAreNoticed) {
  for (size_t size : {size_t{0}, size_t{1}, size_t{100}, size_t{4095}, size_t{4096}, size_t{8192},
                      database_.size() / 2, database_.size() - 4096, database_.size() - 1}) {
    Restore(database_.substr(0, size));
    const Outcome outcome = ReadAll();
    EXPECT_GT(outcome.refused + outcome.missing, 0) << size;
  }
}

TEST_F(DamagedStore, SwappedValuesAreNoticed) {
  // Two sealed values of the same length change places: both are authentic, neither is accepted.
  auto store = ProfileStore::Open(folder_.path());
  ASSERT_TRUE(store.ok());
  ASSERT_TRUE(PutText(**store, kContent, "x", std::string(500, 'x')).ok());
  store->reset();
  const std::string with_x = ReadWholeFile(folder_ / "profile.db");
  store = ProfileStore::Open(folder_.path());
  ASSERT_TRUE(PutText(**store, RecordClass::kKeys, "x", std::string(500, 'y')).ok());
  store->reset();
  ASSERT_NE(ReadWholeFile(folder_ / "profile.db"), with_x);
  const std::string sql =
      "python3 - \"" + folder_ / "profile.db" + "\" <<'END'\n" +
      "import sqlite3, sys\n"
      "db = sqlite3.connect(sys.argv[1])\n"
      "a, b = db.execute('select name, value from record order by rowid desc limit 2')\n"
      "db.execute('update record set value = ? where name = ?', (b[1], a[0]))\n"
      "db.execute('update record set value = ? where name = ?', (a[1], b[0]))\n"
      "db.commit()\nEND\n";
  ASSERT_EQ(system(sql.c_str()), 0);
  store = ProfileStore::Open(folder_.path());
  ASSERT_TRUE(store.ok());
  EXPECT_EQ(GetText(**store, kContent, "x").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(GetText(**store, RecordClass::kKeys, "x").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(*GetText(**store, kContent, "name 1"), ValueOf(1));
}

TEST_F(DamagedStore, AnotherProfilesKeyIsNamed) {
  TestFolder other;
  ASSERT_TRUE(ProfileStore::Create(other.path()).ok());
  WriteWholeFile(folder_ / "store.key", ReadWholeFile(other / "store.key"));
  const absl::Status status = ProfileStore::Open(folder_.path()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("store.key"));
  WriteWholeFile(folder_ / "store.key", key_.substr(0, 20));
  EXPECT_EQ(ProfileStore::Open(folder_.path()).status().code(), absl::StatusCode::kDataLoss);
  std::filesystem::remove(folder_ / "store.key");
  EXPECT_EQ(ProfileStore::Open(folder_.path()).status().code(), absl::StatusCode::kDataLoss);
  WriteWholeFile(folder_ / "store.key", key_);
  std::filesystem::permissions(folder_ / "store.key", std::filesystem::perms::owner_read);
  EXPECT_EQ(ReadAll().right, kRecords);
}

// Looking through all values: each comes once and opened, what can't be opened is told.
TEST_F(DamagedStore, AllValuesAreLookedThrough) {
  auto store = ProfileStore::Open(folder_.path());
  ASSERT_TRUE(store.ok()) << store.status();
  const auto look = [&] {
    std::multiset<std::string> seen;
    const absl::Status status = (*store)->Read()->ForEachValue([&](const crypto::Secret& value) {
      seen.insert(crypto::ToString(value.Reveal()));
      return absl::OkStatus();
    });
    return std::pair(status, seen);
  };
  std::multiset<std::string> expected;
  for (int i = 0; i < kRecords; ++i) expected.insert(ValueOf(i));
  EXPECT_EQ(look(), std::pair(absl::OkStatus(), expected));
  EXPECT_EQ((*store)->write_totals().puts, 0u);
  ASSERT_TRUE(PutText(**store, kContent, "name 3", "another").ok());
  EXPECT_EQ((*store)->write_totals().puts, 1u);
  EXPECT_EQ((*store)->write_totals().bytes, 7u);
  expected.erase(ValueOf(3));
  expected.insert("another");
  EXPECT_EQ(look(), std::pair(absl::OkStatus(), expected));
  store->reset();
  std::string damaged = ReadWholeFile(folder_ / "profile.db");
  for (size_t i = 20'000; i < damaged.size(); i += 997) {
    damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
  }
  Restore(damaged);
  store = ProfileStore::Open(folder_.path());
  const absl::Status status = store.ok() ? look().first : store.status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
}

TEST_F(DamagedStore, NewerFormatIsNamed) {
  std::string newer = database_;
  newer[63] = 2;  // the last byte of user_version in SQLite's header
  Restore(newer);
  const absl::Status status = ProfileStore::Open(folder_.path()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("newer version"));
}

TEST_F(DamagedStore, SomethingElseIsNotAProfile) {
  Restore("This is a letter and not a database. " + std::string(5000, 'x'));
  EXPECT_EQ(ProfileStore::Open(folder_.path()).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ProfileStore::IsLocked(folder_.path()).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace parley::client
