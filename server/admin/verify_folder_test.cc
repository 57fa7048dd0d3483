// `verify` on a folder as it lies on the disk: what is damaged there is named, and nothing changes.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "server/admin/data_folder.h"
#include "server/core/verify_fixture_for_test.h"
#include "server/keys/key_folder.h"
#include "storage/kv/rocksdb_store.h"

namespace parley::server {
namespace {

namespace fs = std::filesystem;
using storage::Space;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class VerifyFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("parley-verify-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    ASSERT_TRUE(LoadOrMakeIdentity(folder_).ok());
    FilledRelay filled;
    filled.Fill(large_, {std::string(100'000, 'L')}, true);
    {
      auto store = storage::OpenRocksDbStore(folder_ / "store");
      ASSERT_TRUE(store.ok()) << store.status();
      ASSERT_TRUE(PrepareStore(**store).ok());
      for (const Space space : storage::kSpaces) {
        storage::WriteBatch batch;
        ASSERT_TRUE(filled.store
                        .Scan(space, "", "\xff",
                              [&](std::string_view key, std::string_view value) {
                                batch.Put(space, std::string(key), std::string(value));
                                return true;
                              })
                        .ok());
        ASSERT_TRUE((*store)->Commit(batch, storage::Durability::kSynced).ok());
      }
    }
    // Opening it again moves all from the write-ahead log into its files.
    ASSERT_TRUE(OpenDataFolder::Open(folder_, Limits()).ok());
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::vector<std::string> Problems() {
    absl::StatusOr<VerifyReport> report = VerifyFolder(folder_);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? SentencesOf(*report) : std::vector<std::string>{"none"};
  }

  std::vector<fs::path> Files(const std::string& extension) const {
    std::vector<fs::path> files;
    for (const auto& file : fs::directory_iterator(folder_ / "store")) {
      if (file.path().extension() == extension) files.push_back(file.path());
    }
    return files;
  }
  // Every file below the folder with its bytes.
  std::map<std::string, std::string> Contents() const {
    std::map<std::string, std::string> contents;
    for (const auto& file : fs::recursive_directory_iterator(folder_)) {
      if (!file.is_regular_file()) continue;
      std::ifstream in(file.path(), std::ios::binary);
      contents[file.path()] = std::string(std::istreambuf_iterator<char>(in), {});
    }
    return contents;
  }
  static void Flip(const fs::path& file, size_t at) {
    std::fstream in_place(file, std::ios::in | std::ios::out | std::ios::binary);
    in_place.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(in_place.get() ^ 0x10);
    in_place.seekp(static_cast<std::streamoff>(at));
    in_place.put(byte);
    ASSERT_TRUE(in_place.good()) << file;
  }

  fs::path folder_;
  TestBlob large_;
};

TEST_F(VerifyFolderTest, FindsNothingAndChangesNothing) {
  const std::map<std::string, std::string> before = Contents();
  absl::StatusOr<VerifyReport> report = VerifyFolder(folder_);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(SentencesOf(*report), IsEmpty());
  EXPECT_EQ(report->mailboxes, 4U);
  EXPECT_EQ(report->chunks, 5U);
  EXPECT_TRUE(Contents() == before);
}

TEST_F(VerifyFolderTest, NamesEachTableThatIsDamaged) {
  const std::vector<fs::path> tables = Files(".sst");
  ASSERT_GE(tables.size(), 2U);
  for (const fs::path& table : tables) {
    Flip(table, 20);
    EXPECT_THAT(Problems(),
                Contains(AllOf(HasSubstr(table.filename().string()), HasSubstr("damaged"))))
        << table;
    Flip(table, 20);
    EXPECT_THAT(Problems(), IsEmpty());
  }
}

TEST_F(VerifyFolderTest, NamesTheChunkWhoseBytesAreDamaged) {
  // Of the blob file that has the large chunk, a byte in the middle of it.
  bool flipped = false;
  for (const fs::path& file : Files(".blob")) {
    const std::string bytes = Contents()[file];
    const size_t at = bytes.find(std::string(1000, 'L'));
    if (at == std::string::npos) continue;
    Flip(file, at + 500);
    flipped = true;
  }
  ASSERT_TRUE(flipped);
  EXPECT_THAT(Problems(), testing::ElementsAre(
                              AllOf(HasSubstr("blob " + FilledRelay::Id(large_) + "...: chunk 0: "),
                                    HasSubstr("orruption"))));
}

// As a purge would, which can't go on behind it; and the chunk, which is needed.
TEST_F(VerifyFolderTest, NamesTheFileWhoseHeadOfAChunkIsDamaged) {
  constexpr size_t kRecordHead = 32;
  constexpr size_t kKey = 41;
  constexpr size_t kExpiration = 16;
  fs::path damaged;
  for (const fs::path& file : Files(".blob")) {
    const size_t at = Contents()[file].find(std::string(1000, 'L'));
    if (at == std::string::npos) continue;
    Flip(file, at - kKey - kRecordHead + kExpiration);
    damaged = file;
  }
  ASSERT_FALSE(damaged.empty());
  absl::StatusOr<VerifyReport> report = VerifyFolder(folder_);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(SentencesOf(*report),
              testing::ElementsAre(AllOf(HasSubstr(damaged.filename().string()),
                                         HasSubstr("what was deleted stays in it")),
                                   HasSubstr("blob " + FilledRelay::Id(large_) + "...: chunk 0")));
  EXPECT_EQ(report->findings.front().remedy, Remedy::kUnpurged);
  EXPECT_EQ(report->findings.back().remedy, Remedy::kRestore);
}

TEST_F(VerifyFolderTest, NamesTablesAndBlobFilesThatAreGone) {
  const fs::path blob_file = Files(".blob").front();
  fs::rename(blob_file, folder_ / "kept");
  EXPECT_THAT(Problems(), Contains(HasSubstr("blob")));
  fs::rename(folder_ / "kept", blob_file);
  const fs::path table = Files(".sst").front();
  fs::remove(table);
  EXPECT_THAT(Problems(), Contains(HasSubstr(table.stem().string())));
}

TEST_F(VerifyFolderTest, NamesKeysThatAreMissingOrDamaged) {
  const fs::path seed = folder_ / "keys" / "identity.seed";
  fs::resize_file(seed, 31);
  EXPECT_THAT(Problems(), testing::ElementsAre(seed.string() + " is damaged"));
  fs::remove(seed);
  EXPECT_THAT(Problems(), testing::ElementsAre(seed.string() + " is missing"));
  EXPECT_FALSE(fs::exists(seed));
}

TEST_F(VerifyFolderTest, RefusesFoldersInUseOrOfAnotherKind) {
  {
    auto running = OpenDataFolder::Open(folder_, Limits());
    ASSERT_TRUE(running.ok());
    const absl::Status status = VerifyFolder(folder_).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()), HasSubstr("stop it first"));
  }
  {
    auto store = storage::OpenRocksDbStore(folder_ / "store");
    storage::WriteBatch batch;
    batch.Put(Space::kRecords, storage::FormatVersionKey(), "99");
    ASSERT_TRUE((*store)->Commit(batch, storage::Durability::kSynced).ok());
  }
  EXPECT_THAT(std::string(VerifyFolder(folder_).status().message()), HasSubstr("format 99"));
  fs::remove_all(folder_ / "store");
  EXPECT_EQ(VerifyFolder(folder_).status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(fs::exists(folder_ / "store"));
}

}  // namespace
}  // namespace parley::server
