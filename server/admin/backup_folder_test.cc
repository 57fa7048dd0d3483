// Which folders the backup commands touch, what they leave alone, and who may run them.
#include "server/admin/backup_folder.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/admin/backup_fixture_for_test.h"

namespace parley::server {
namespace {

using absl::StatusCode;
using testing::HasSubstr;
using testing::SizeIs;

// Who may write to a folder could lead root elsewhere by links in it.
TEST_F(BackupTest, RootIsRefusedWhereTheFolderIsSomebodyElses) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root";
  FillStopped(1);
  Backup();
  constexpr uid_t kSomebody = 65534;
  const auto is_refused = [](const absl::Status& status) {
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("sudo -u"));
  };
  const std::string empty = base_ / "empty";
  fs::create_directory(empty);
  ASSERT_EQ(::chown(empty.c_str(), kSomebody, kSomebody), 0);
  is_refused(RestoreBackup({.from = backups_, .data = empty}).status());
  EXPECT_TRUE(fs::is_empty(empty));
  is_refused(MakeBackup({.data = data_, .to = empty}).status());
  ASSERT_EQ(::chown(backups_.c_str(), kSomebody, kSomebody), 0);
  is_refused(PruneBackups(backups_, 1).status());
  ASSERT_EQ(::chown(data_.c_str(), kSomebody, kSomebody), 0);
  is_refused(MakeBackup({.data = data_, .to = base_ / "new"}).status());
  is_refused(OpenDataFolder::Open(data_, Limits()).status());
}

TEST_F(BackupTest, FollowsNoLinkInPlaceOfAKey) {
  FillStopped(1);
  std::ofstream(base_ / "secret") << "of somebody else";
  fs::create_symlink(base_ / "secret", data_ + "/keys/tls-key.pem");
  const absl::Status status = MakeBackup({.data = data_, .to = backups_}).status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("tls-key.pem is a link"));
}

TEST_F(BackupTest, IsNotRestoredOverAFolderWithAFileOfThatName) {
  FillStopped(1);
  Backup();
  const std::string to = base_ / "chairs";
  fs::create_directory(to);
  std::ofstream(to + "/restoring") << "a list of chairs";
  std::ofstream(to + "/letter") << "mine";
  EXPECT_EQ(RestoreBackup({.from = backups_, .number = 0, .data = to}).status().code(),
            StatusCode::kFailedPrecondition);
  EXPECT_TRUE(fs::exists(to + "/letter"));
  EXPECT_TRUE(fs::exists(to + "/restoring"));
}

TEST_F(BackupTest, IsNotRestoredToAFolderThatAnotherRestoreHas) {
  FillStopped(1);
  Backup();
  const std::string to = base_ / "restored";
  fs::create_directory(to);
  std::ofstream(RestoreMark(to)) << "parley-relay restore\n";
  std::ofstream(to + "/under-way") << "of the other one";
  const absl::StatusOr<int> lock = LockCheckpoint(to);
  ASSERT_TRUE(lock.ok());
  const FolderLock held(*lock);
  EXPECT_EQ(RestoreBackup({.from = backups_, .number = 0, .data = to}).status().code(),
            StatusCode::kFailedPrecondition);
  EXPECT_TRUE(fs::exists(to + "/under-way"));
}

TEST_F(BackupTest, RefusesFoldersThatCannotBe) {
  const auto code = [](const BackupRequest& request) {
    return MakeBackup(request).status().code();
  };
  EXPECT_EQ(code({.data = data_, .to = backups_}), StatusCode::kNotFound);
  EXPECT_FALSE(fs::exists(backups_));
  FillStopped(1);
  EXPECT_EQ(code({.data = data_, .to = data_ + "/backups"}), StatusCode::kFailedPrecondition);
  EXPECT_EQ(code({.data = data_, .to = data_}), StatusCode::kFailedPrecondition);
  fs::create_directory(base_ / "letters");
  std::ofstream(base_ / "letters" / "one") << "mine";
  EXPECT_EQ(code({.data = data_, .to = base_ / "letters"}), StatusCode::kFailedPrecondition);
  EXPECT_EQ(ListBackups(base_ / "letters").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(PruneBackups(base_ / "letters", 1).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(
      RestoreBackup({.from = base_ / "none", .number = 0, .data = base_ / "x"}).status().code(),
      StatusCode::kNotFound);
  EXPECT_FALSE(fs::exists(base_ / "none"));
}

// A data folder has a `lock` and a `store`, too: what is in it must outlive that it is named by
// mistake.
TEST_F(BackupTest, TouchesNoDataFolderThatIsNamedInPlaceOfTheBackups) {
  FillStopped(5);
  const std::string copy = base_ / "copy";
  fs::copy(data_, copy, fs::copy_options::recursive);
  const std::string other = base_ / "other";
  ASSERT_NE(Open(other), nullptr);
  // Neither a relay that was never used, nor one without a store, nor one that wears the mark.
  const std::string keys_alone = base_ / "keys-alone";
  fs::create_directories(keys_alone);
  fs::copy(data_ + "/keys", keys_alone + "/keys", fs::copy_options::recursive);
  std::ofstream(keys_alone + "/lock") << "";
  fs::create_directories(keys_alone + "/store");
  const std::string marked = base_ / "marked";
  fs::copy(data_, marked, fs::copy_options::recursive);
  std::ofstream(marked + "/parley-backups") << "parley-relay backups 1\n";
  for (const std::string& folder : {data_, copy, other, keys_alone, marked}) {
    EXPECT_FALSE(PruneBackups(folder, 1).ok()) << folder;
    EXPECT_FALSE(MakeBackup({.data = other == folder ? copy : other, .to = folder}).ok()) << folder;
    EXPECT_FALSE(ListBackups(folder).ok()) << folder;
    EXPECT_TRUE(fs::exists(folder + "/keys/identity.seed")) << folder;
    EXPECT_TRUE(fs::exists(folder + "/keys/relay.secret")) << folder;
    EXPECT_FALSE(fs::exists(folder + "/store/meta")) << folder;
  }
  for (const std::string& folder : {data_, copy, other}) EXPECT_NE(Open(folder), nullptr);
}

TEST_F(BackupTest, OfUnusedKeysOnlyFoldersThatItNamedAreRemoved) {
  FillStopped(1);
  Backup();
  const std::string keys = backups_ + "/keys/";
  fs::create_directory(keys + "0123456789abcdef");
  std::ofstream(keys + "0011223344556677") << "a file that somebody put here";
  fs::create_directory(keys + "mine");
  fs::create_directory_symlink(data_ + "/keys", keys + "fedcba9876543210");
  EXPECT_TRUE(PruneBackups(backups_, 1).ok());
  EXPECT_FALSE(fs::exists(keys + "0123456789abcdef"));
  EXPECT_TRUE(fs::exists(keys + "0011223344556677"));
  EXPECT_TRUE(fs::exists(keys + "mine"));
  EXPECT_TRUE(fs::exists(data_ + "/keys/identity.seed"));
}

TEST_F(BackupTest, OneAtATime) {
  FillStopped(1);
  Backup();
  {
    const absl::StatusOr<FolderLock> lock = LockForReading(backups_);
    ASSERT_TRUE(lock.ok());
    EXPECT_THAT(List(), SizeIs(1));  // readers don't disturb each other
    EXPECT_EQ(MakeBackup({.data = data_, .to = backups_}).status().code(),
              StatusCode::kFailedPrecondition);
  }
  {
    const absl::StatusOr<int> lock = LockCheckpoint(data_);
    ASSERT_TRUE(lock.ok());
    const FolderLock held(*lock);
    EXPECT_EQ(MakeBackup({.data = data_, .to = base_ / "other"}).status().code(),
              StatusCode::kFailedPrecondition);
    // A relay that starts meanwhile leaves what is being copied alone.
    fs::create_directory(data_ + "/checkpoint");
    Open(data_);
    EXPECT_TRUE(fs::exists(data_ + "/checkpoint"));
  }
  // Left behind by a killed one, it goes at the next start.
  Open(data_);
  EXPECT_FALSE(fs::exists(data_ + "/checkpoint"));
}

TEST(BackupLabelTest, RoundTripsAndRefusesWhatIsNone) {
  BackupLabel label;
  label.identity_key[0] = 7;
  label.keys = "0123abcd";
  label.files = {{"keys/identity.seed", {}}, {"address", {}}};
  const std::string text = FormatLabel(label);
  const absl::StatusOr<BackupLabel> parsed = ParseLabel(text);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->keys, label.keys);
  EXPECT_EQ(parsed->files.size(), 2U);
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(ParseLabel(text.substr(0, size)).ok()) << size;
  }
  // Names become paths: none but ours.
  label.keys = "../keys";
  EXPECT_EQ(ParseLabel(FormatLabel(label)).status().code(), StatusCode::kDataLoss);
  label.keys = "ab";
  label.files = {{"../../etc/passwd", {}}};
  EXPECT_EQ(ParseLabel(FormatLabel(label)).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(ParseLabel("Ag").status().code(), StatusCode::kFailedPrecondition);  // version 2
}

}  // namespace
}  // namespace parley::server
