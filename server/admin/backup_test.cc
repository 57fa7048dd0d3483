// Backups: of a relay under load, kept and listed, damaged, and restored.
#include "server/admin/backup.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "server/admin/admin_socket.h"
#include "server/admin/backup_fixture_for_test.h"

namespace parley::server {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(BackupTest, UnderLoadItHasAllThatWasAcknowledgedBeforeWithoutAGap) {
  constexpr int kWriters = 4;
  constexpr int kBackups = 3;
  std::vector<std::vector<uint64_t>> acknowledged;
  std::vector<std::unique_ptr<Writer>> writers;
  {
    auto folder = Open(data_);
    auto socket = AdminSocket::Open(data_, *folder);
    ASSERT_TRUE(socket.ok()) << socket.status();
    const std::string token = AddSponsor(*folder);
    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    for (int i = 0; i < kWriters; ++i) {
      writers.push_back(std::make_unique<Writer>(folder->relay(), token));
      threads.emplace_back([&, i] { writers[i]->Run(stop); });
    }
    for (int i = 0; i < kBackups; ++i) {
      const uint64_t goal = writers[0]->acknowledged() + 100;
      while (writers[0]->acknowledged() < goal) std::this_thread::yield();
      std::vector<uint64_t>& before = acknowledged.emplace_back();
      for (const auto& writer : writers) before.push_back(writer->acknowledged());
      EXPECT_EQ(Backup().number, static_cast<uint32_t>(i + 1));
      EXPECT_FALSE(fs::exists(data_ + "/checkpoint"));
    }
    stop = true;
    for (std::thread& thread : threads) thread.join();
  }
  for (uint32_t number = 1; number <= kBackups; ++number) {
    const std::string to = base_ / ("restored" + std::to_string(number));
    const RestoredBackup restored = Restore(number, to);
    EXPECT_THAT(restored.report.findings, IsEmpty());
    EXPECT_EQ(restored.report.mailboxes, static_cast<uint64_t>(kWriters));
    auto folder = Open(to);
    ASSERT_NE(folder, nullptr);
    for (int i = 0; i < kWriters; ++i) {
      EXPECT_GE(writers[i]->EntriesIn(folder->relay()), acknowledged[number - 1][i]);
      EXPECT_LE(writers[i]->EntriesIn(folder->relay()), writers[i]->acknowledged());
    }
  }
}

TEST_F(BackupTest, OfAStoppedRelayTheRestoredOneIsTheSame) {
  FillStopped(50);
  const MadeBackup made = Backup();
  EXPECT_TRUE(made.with_keys);
  EXPECT_GT(made.bytes, 25'000U);
  const std::string to = base_ / "deep" / "restored";
  const RestoredBackup restored = Restore(0, to);
  EXPECT_EQ(restored.number, 1U);
  EXPECT_EQ(restored.report.sponsors, 1U);
  for (const char* name : {"identity.seed", "relay.secret"}) {
    for (const std::string& folder : {data_, to}) {
      struct stat info {};
      ASSERT_EQ(::stat((folder + "/keys/" + name).c_str(), &info), 0);
      EXPECT_EQ(info.st_mode & 0777, 0600U) << folder << name;
    }
  }
  const auto before = Open(data_);
  const auto after = Open(to);
  EXPECT_EQ(before->relay().identity_key(), after->relay().identity_key());
  EXPECT_EQ((*after->relay().sponsors().List())[0].used_bytes,
            (*before->relay().sponsors().List())[0].used_bytes);
}

TEST_F(BackupTest, NobodyElseCanReadIt) {
  FillStopped(1);
  Backup();
  struct stat info {};
  ASSERT_EQ(::stat(backups_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
  int keys = 0;
  for (const auto& entry : fs::recursive_directory_iterator(backups_ + "/keys")) {
    ASSERT_EQ(::stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, entry.is_directory() ? 0700U : 0600U) << entry.path();
    if (entry.is_regular_file()) ++keys;
  }
  EXPECT_EQ(keys, 2);
}

TEST_F(BackupTest, TheNextOneAddsWhatIsNewAlone) {
  FillStopped(5000);
  const MadeBackup first = Backup();
  EXPECT_GT(first.added_bytes, 2'000'000U);
  FillStopped(10, "another");
  const MadeBackup second = Backup();
  EXPECT_GT(second.bytes, first.bytes);
  EXPECT_LT(second.added_bytes, first.added_bytes / 4);
  // Both are whole.
  EXPECT_EQ(Restore(1, base_ / "one").report.sponsors, 1U);
  EXPECT_EQ(Restore(2, base_ / "two").report.sponsors, 2U);
}

// What docs/operations.md says a purge costs: the files that it wrote anew are copied anew, those
// in which something was deleted, and no others.
TEST_F(BackupTest, AfterAPurgeWhatItWroteAnewIsCopiedAnew) {
  constexpr uint64_t kPart = 2'000'000;
  const auto put = [](storage::WriteBatch& batch, storage::Space space, const std::string& owner) {
    for (uint64_t i = 0; i < kPart / 100'000; ++i) {
      batch.Put(space, owner + "/" + std::to_string(i), std::string(100'000, owner[0]));
    }
  };
  // What comes between two starts lies in files of its own.
  const auto fill = [&](storage::Space space, const std::vector<std::string>& owners) {
    auto store = storage::OpenRocksDbStore(data_ + "/store");
    ASSERT_TRUE(store.ok()) << store.status();
    storage::WriteBatch batch;
    for (const std::string& owner : owners) put(batch, space, owner);
    ASSERT_TRUE((*store)->Commit(batch, storage::Durability::kSynced).ok());
  };
  const auto purge = [&](storage::Space space, const std::string& owner) {
    auto store = storage::OpenRocksDbStore(data_ + "/store");
    ASSERT_TRUE(store.ok()) << store.status();
    storage::WriteBatch batch;
    batch.DeleteRange(space, owner + "/", owner + "0");
    ASSERT_TRUE((*store)->Commit(batch, storage::Durability::kSynced).ok());
    ASSERT_TRUE((*store)->Purge().ok());
  };
  FillStopped(1);
  for (const char* owner : {"a", "b", "c", "d", "e"}) fill(storage::Space::kChunks, {owner});
  fill(storage::Space::kChunks, {"gone", "neighbour"});
  fill(storage::Space::kEntries, {"gone"});
  EXPECT_GT(Backup().added_bytes, 8 * kPart);
  purge(storage::Space::kEntries, "gone");
  EXPECT_LT(Backup().added_bytes, kPart / 4);  // chunks were left alone
  purge(storage::Space::kChunks, "gone");
  const uint64_t added = Backup().added_bytes;
  EXPECT_GT(added, kPart);  // the neighbour in the file, once more
  EXPECT_LT(added, kPart + kPart / 4);
}

TEST_F(BackupTest, IsListedAndPruned) {
  FillStopped(10);
  for (int i = 0; i < 3; ++i) Backup();
  const std::vector<ListedBackup> listed = List();
  ASSERT_THAT(listed, SizeIs(3));
  EXPECT_EQ(listed[2].number, 3U);
  EXPECT_TRUE(listed[2].with_keys);
  EXPECT_GE(listed[2].made_at, listed[0].made_at);
  EXPECT_GT(listed[0].made_at, 1'700'000'000);
  EXPECT_THAT(listed[0].fingerprint, SizeIs(49));
  EXPECT_EQ(PruneBackups(backups_, 0).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(PruneBackups(backups_, 2)->removed, 1U);
  EXPECT_EQ(Backup({.data = data_, .to = backups_, .keep = 1}).pruned.removed, 2U);
  ASSERT_THAT(List(), SizeIs(1));
  EXPECT_EQ(List()[0].number, 4U);
  const auto keys = fs::directory_iterator(backups_ + "/keys");
  EXPECT_EQ(std::distance(begin(keys), end(keys)), 1);
  EXPECT_EQ(Restore(0, base_ / "restored").number, 4U);
  const absl::Status gone =
      RestoreBackup({.from = backups_, .number = 1, .data = base_ / "gone"}).status();
  EXPECT_EQ(gone.code(), StatusCode::kNotFound);
  EXPECT_FALSE(fs::exists(base_ / "gone"));
}

TEST_F(BackupTest, IsNotRestoredOverAnything) {
  FillStopped(10);
  Backup();
  const std::string to = base_ / "there";
  fs::create_directory(to);
  std::ofstream(to + "/letter") << "mine";
  for (const std::string& folder : {to, data_}) {
    const absl::Status status =
        RestoreBackup({.from = backups_, .number = 0, .data = folder}).status();
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr(folder), HasSubstr("not empty")));
  }
  std::string text;
  std::ifstream(to + "/letter") >> text;
  EXPECT_EQ(text, "mine");
  EXPECT_THAT(VerifyFolder(data_)->findings, IsEmpty());
  fs::remove(to + "/letter");
  Restore(0, to);
}

TEST_F(BackupTest, ThatIsDamagedIsNamedAndNotRestored) {
  FillStopped(200);
  Backup();
  FillStopped(200, "another");
  Backup();
  const fs::path table = LargestFile(".sst");
  Flip(table);
  const std::string to = base_ / "restored";
  for (const absl::Status& status :
       {RestoreBackup({.from = backups_, .number = 2, .data = to}).status(),
        CheckBackup(backups_, 2).status()}) {
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("backup 2"), HasSubstr(table.filename().string().substr(0, 6))));
  }
  EXPECT_TRUE(fs::is_empty(to));
  Flip(table);
  EXPECT_EQ(*CheckBackup(backups_, 0), 2U);
  // A file that is gone makes a backup one that can't be restored, whatever else is right.
  fs::remove(table);
  EXPECT_THAT(List(), Contains(testing::Field(&ListedBackup::damaged, true)));
  const absl::Status status = RestoreBackup({.from = backups_, .number = 2, .data = to}).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("--backup"));
  const MadeBackup made = Backup({.data = data_, .to = backups_, .keep = 9});
  EXPECT_THAT(made.pruned.damaged, Contains(2U));
  EXPECT_EQ(made.pruned.removed, made.pruned.damaged.size());
}

TEST_F(BackupTest, OfADamagedStoreIsRestoredOnlyIfThatIsAccepted) {
  FillStopped(5);
  {
    auto store = storage::OpenRocksDbStore(data_ + "/store");
    ASSERT_TRUE(store.ok()) << store.status();
    storage::WriteBatch batch;  // more than a report lists
    for (int i = 0; i < 1100; ++i) {
      batch.Put(storage::Space::kRecords, "v" + std::to_string(i), "no record of ours");
    }
    ASSERT_TRUE((*store)->Commit(batch, storage::Durability::kSynced).ok());
  }
  EXPECT_EQ(MakeBackup({.data = data_, .to = backups_, .verify = true}).status().code(),
            StatusCode::kDataLoss);
  Backup();
  const std::string to = base_ / "restored";
  const absl::Status refused = RestoreBackup({.from = backups_, .data = to}).status();
  EXPECT_EQ(refused.code(), StatusCode::kDataLoss);
  EXPECT_THAT(std::string(refused.message()),
              AllOf(HasSubstr("--accept-damage"), HasSubstr("that are not listed")));
  EXPECT_TRUE(fs::is_empty(to));
  const absl::StatusOr<RestoredBackup> restored =
      RestoreBackup({.from = backups_, .data = to, .accept_damage = true});
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_THAT(restored->report.findings, SizeIs(1000));
  EXPECT_EQ(restored->report.mailboxes, 1U);
  EXPECT_NE(Open(to), nullptr);
  // A file that has changed since isn't taken.
  Flip(LargestFile(".sst"));
  fs::remove_all(to);
  EXPECT_EQ(RestoreBackup({.from = backups_, .data = to, .accept_damage = true}).status().code(),
            StatusCode::kDataLoss);
}

TEST_F(BackupTest, WithDamagedKeysIsNotRestored) {
  FillStopped(5);
  Backup();
  for (const auto& entry : fs::recursive_directory_iterator(backups_ + "/keys")) {
    if (entry.path().filename() == "relay.secret") Flip(entry.path());
  }
  const absl::Status status =
      RestoreBackup({.from = backups_, .number = 0, .data = base_ / "restored"}).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("relay.secret"));
}

TEST_F(BackupTest, WithoutKeysNoRelayStartsBeforeTheyArePutBack) {
  FillStopped(5);
  EXPECT_FALSE(Backup({.data = data_, .to = backups_, .with_keys = false}).with_keys);
  for (const auto& entry : fs::recursive_directory_iterator(backups_)) {
    EXPECT_NE(entry.path().filename(), "identity.seed");
  }
  const std::string to = base_ / "restored";
  EXPECT_FALSE(Restore(0, to).with_keys);
  const absl::Status status = OpenDataFolder::Open(to, Limits()).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("identity.seed is missing"));
  fs::create_directories(to + "/keys");
  fs::copy_file(data_ + "/keys/identity.seed", to + "/keys/identity.seed");
  EXPECT_EQ(Open(to)->relay().identity_key(), Open(data_)->relay().identity_key());
}

TEST_F(BackupTest, ThatWasCutShortWhileRestoredIsBegunAnew) {
  FillStopped(5);
  Backup();
  const std::string to = base_ / "restored";
  Restore(0, to);
  std::ofstream(RestoreMark(to)) << "parley-relay restore\n";  // as a killed one leaves it
  fs::remove(to + "/store/CURRENT");
  const absl::Status status = OpenDataFolder::Open(to, Limits()).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("cut short"));
  Restore(0, to);
  EXPECT_FALSE(fs::exists(RestoreMark(to)));
  EXPECT_NE(Open(to), nullptr);
}

TEST_F(BackupTest, IsNotMadeOfWhatIsDamagedIfToldToLook) {
  FillStopped(2000);
  Backup();
  { auto folder = Open(data_); }  // moves all into tables
  fs::path table;
  for (const auto& file : fs::directory_iterator(data_ + "/store")) {
    if (file.path().extension() == ".sst" &&
        (table.empty() || file.file_size() > fs::file_size(table))) {
      table = file.path();
    }
  }
  Flip(table);
  const absl::Status status = MakeBackup({.data = data_, .to = backups_, .verify = true}).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(List(), SizeIs(1));
  EXPECT_FALSE(fs::exists(data_ + "/checkpoint"));
}

TEST_F(BackupTest, ARunningRelayAnswersOneCheckpointAfterTheOther) {
  auto folder = Open(data_);
  auto socket = AdminSocket::Open(data_, *folder);
  ASSERT_TRUE(socket.ok());
  AdminRequest checkpoint;
  checkpoint.command = AdminCommand::kCheckpoint;
  for (int i = 0; i < 3; ++i) {
    const auto answer = AskRunningRelay(data_, checkpoint);
    ASSERT_TRUE(answer.ok() && answer->has_value()) << answer.status();
    EXPECT_TRUE((*answer)->status().ok()) << (*answer)->status();
    EXPECT_TRUE(fs::exists(data_ + "/checkpoint/CURRENT"));
    EXPECT_TRUE((*AskRunningRelay(data_, AdminRequest()))->status().ok());
  }
}

}  // namespace
}  // namespace parley::server
