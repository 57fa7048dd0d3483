// Backups: of a relay under load, kept and listed, damaged, and restored.
#include "server/admin/backup.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <filesystem>
#include <fstream>
#include <thread>

#include "server/admin/admin_socket.h"
#include "server/admin/backup_folder.h"
#include "server/admin/data_folder.h"
#include "server/core/relay_fixture_for_test.h"

namespace parley::server {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// A client of a relay in this process, which owns one mailbox.
class Writer {
 public:
  Writer(Relay& relay, const std::string& sponsor_token) : relay_(relay) {
    v1::CreateMailboxRequest request;
    request.set_sponsor_token(sponsor_token);
    request.set_mailbox_id(mailbox_.id);
    *request.mutable_keys() = mailbox_.secrets[0].PublicKeys();
    EXPECT_TRUE(
        RelayFixture::Wait([&](auto done) { relay_.mailboxes().Create(request, done); }).ok());
    append_token_ = Token(relay_, AccessRight::kAppend, mailbox_.secrets[0].append);
  }

  // Appends until told to stop, with several under way. Entry n says n.
  void Run(const std::atomic<bool>& stop) {
    constexpr uint64_t kUnderWay = 8;
    std::deque<Call> calls;
    uint64_t sent = 0;
    while (!stop || !calls.empty()) {
      if (!stop && calls.size() < kUnderWay) {
        Call& call = calls.emplace_back();
        call.request.set_token(append_token_);
        call.request.set_mailbox_id(mailbox_.id);
        call.request.set_generation(1);
        call.request.set_append_id(RandomString(16));
        call.request.set_payload(Payload(++sent));
        relay_.mailboxes().Append(call.request, [&call](absl::StatusOr<uint64_t> position) {
          call.position.set_value(std::move(position));
        });
        continue;
      }
      const absl::StatusOr<uint64_t> position = calls.front().position.get_future().get();
      calls.pop_front();
      EXPECT_TRUE(position.ok()) << position.status();
      EXPECT_EQ(position.value_or(0), acknowledged_ + 1);
      ++acknowledged_;
    }
  }

  uint64_t acknowledged() const { return acknowledged_; }

  // How many entries a relay has, of which each must be right.
  uint64_t EntriesIn(Relay& relay) const {
    const std::string token = Token(relay, AccessRight::kRead, mailbox_.secrets[0].read);
    uint64_t next = 1;
    while (true) {
      v1::ReadRequest request;
      request.set_token(token);
      request.set_mailbox_id(mailbox_.id);
      request.set_from(next);
      v1::ReadResponse response;
      const absl::Status status = relay.mailboxes().Read(request, response);
      EXPECT_TRUE(status.ok()) << status;
      for (const v1::Entry& entry : response.entries()) {
        EXPECT_EQ(entry.position(), next);
        EXPECT_EQ(entry.payload(), Payload(next));
        ++next;
      }
      if (!status.ok() || next > response.generation_head()) return next - 1;
    }
  }

 private:
  // The relay reads the request until it has answered.
  struct Call {
    v1::AppendRequest request;
    std::promise<absl::StatusOr<uint64_t>> position;
  };

  static std::string Payload(uint64_t number) {
    return std::to_string(number) + std::string(500 + number % 700, 'p');
  }
  std::string Token(Relay& relay, AccessRight right, const crypto::SignatureKey& key) const {
    v1::GetChallengeResponse challenge;
    relay.sessions().GetChallenge(challenge);
    v1::OpenSessionRequest request;
    request.set_challenge(challenge.challenge());
    request.set_object_id(mailbox_.id);
    request.set_generation(1);
    request.set_right(static_cast<v1::Right>(right));
    request.set_public_key(Text(key));
    request.set_signature(Signed(key, SessionMessage(relay.identity_key(), challenge.challenge(),
                                                     mailbox_.object(), 1, right)));
    v1::OpenSessionResponse response;
    const absl::Status status = relay.sessions().OpenSession(request, response);
    EXPECT_TRUE(status.ok()) << status;
    return response.token();
  }

  Relay& relay_;
  TestMailbox mailbox_;
  std::string append_token_;
  std::atomic<uint64_t> acknowledged_ = 0;
};

class BackupTest : public testing::Test {
 protected:
  void SetUp() override {
    base_ = fs::temp_directory_path() / ("parley-backup-" + std::to_string(::getpid()));
    fs::remove_all(base_);
    fs::create_directory(base_);
  }
  void TearDown() override { fs::remove_all(base_); }

  std::unique_ptr<OpenDataFolder> Open(const std::string& folder) {
    auto opened = OpenDataFolder::Open(folder, Limits());
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? *std::move(opened) : nullptr;
  }
  static std::string AddSponsor(OpenDataFolder& folder, const std::string& name = "office") {
    const absl::StatusOr<crypto::Secret> token =
        folder.relay().sponsors().Add(name, uint64_t{1} << 36, 0);
    EXPECT_TRUE(token.ok()) << token.status();
    return crypto::ToString(token->Reveal());
  }
  // A stopped relay with so many entries.
  void FillStopped(uint64_t entries, const std::string& sponsor = "office") {
    auto folder = Open(data_);
    Writer writer(folder->relay(), AddSponsor(*folder, sponsor));
    std::atomic<bool> stop = false;
    std::thread thread([&] { writer.Run(stop); });
    while (writer.acknowledged() < entries) std::this_thread::yield();
    stop = true;
    thread.join();
  }
  MadeBackup Backup() { return Backup({.data = data_, .to = backups_}); }
  static MadeBackup Backup(const BackupRequest& request) {
    const absl::StatusOr<MadeBackup> made = MakeBackup(request);
    EXPECT_TRUE(made.ok()) << made.status();
    return made.value_or(MadeBackup());
  }
  RestoredBackup Restore(uint32_t number, const std::string& to) {
    absl::StatusOr<RestoredBackup> restored =
        RestoreBackup({.from = backups_, .number = number, .data = to});
    EXPECT_TRUE(restored.ok()) << restored.status();
    return restored.ok() ? *std::move(restored) : RestoredBackup();
  }
  std::vector<ListedBackup> List() {
    const auto listed = ListBackups(backups_);
    EXPECT_TRUE(listed.ok()) << listed.status();
    return listed.value_or(std::vector<ListedBackup>());
  }
  // The largest file of the backups' store with this ending.
  fs::path LargestFile(const std::string& extension) const {
    fs::path largest;
    for (const auto& file : fs::recursive_directory_iterator(backups_ + "/store")) {
      if (file.path().extension() != extension) continue;
      if (largest.empty() || fs::file_size(largest) < file.file_size()) largest = file.path();
    }
    return largest;
  }
  static void Flip(const fs::path& file) {
    std::fstream in_place(file, std::ios::in | std::ios::out | std::ios::binary);
    const auto at = static_cast<std::streamoff>(fs::file_size(file) / 2);
    in_place.seekg(at);
    const char byte = static_cast<char>(in_place.get() ^ 0x10);
    in_place.seekp(at);
    in_place.put(byte);
    ASSERT_TRUE(in_place.good()) << file;
  }

  fs::path base_;
  std::string data_ =
      fs::temp_directory_path() / ("parley-backup-" + std::to_string(::getpid())) / "data";
  std::string backups_ = fs::path(data_).parent_path() / "backups";
};

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

// What docs/operations.md says a purge costs: files that were written anew are copied anew, all of
// them in which something was deleted, and no others.
TEST_F(BackupTest, AfterAPurgeWhatItWroteAnewIsCopiedAnew) {
  const auto fill = [&](storage::Space space, char kind, const char* owner) {
    auto store = storage::OpenRocksDbStore(data_ + "/store");
    ASSERT_TRUE(store.ok()) << store.status();
    storage::WriteBatch batch;
    for (int i = 0; i < 40; ++i) {
      batch.Put(space, kind + (owner + std::to_string(i)), std::string(100'000, kind));
    }
    ASSERT_TRUE((*store)->Commit(batch, storage::Durability::kSynced).ok());
  };
  const auto purge = [&](storage::Space space, char kind, const char* owner) {
    auto store = storage::OpenRocksDbStore(data_ + "/store");
    ASSERT_TRUE(store.ok()) << store.status();
    storage::WriteBatch batch;
    batch.DeleteRange(space, kind + std::string(owner), kind + std::string(owner) + "z");
    ASSERT_TRUE((*store)->Commit(batch, storage::Durability::kSynced).ok());
    ASSERT_TRUE((*store)->Purge().ok());
  };
  FillStopped(1);
  fill(storage::Space::kChunks, 'c', "kept");
  fill(storage::Space::kChunks, 'c', "gone");
  fill(storage::Space::kEntries, 'e', "gone");
  constexpr uint64_t kPart = 4'000'000;  // each of the three
  EXPECT_GT(Backup().added_bytes, 3 * kPart);
  purge(storage::Space::kEntries, 'e', "gone");
  EXPECT_LT(Backup().added_bytes, kPart / 4);  // chunks were left alone
  purge(storage::Space::kChunks, 'c', "gone");
  const uint64_t added = Backup().added_bytes;
  EXPECT_GT(added, kPart);  // those that were kept, once more
  EXPECT_LT(added, 2 * kPart);
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

TEST_F(BackupTest, RefusesFoldersThatCannotBe) {
  const auto code = [](const BackupRequest& request) {
    return MakeBackup(request).status().code();
  };
  EXPECT_EQ(code({.data = data_, .to = backups_}), StatusCode::kNotFound);
  EXPECT_FALSE(fs::exists(backups_));
  FillStopped(1);
  EXPECT_EQ(code({.data = data_, .to = data_ + "/backups"}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code({.data = data_, .to = data_}), StatusCode::kInvalidArgument);
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
