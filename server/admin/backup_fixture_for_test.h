// A relay's data folder, backups of it, and a client that fills it.
#ifndef PARLEY_SERVER_ADMIN_BACKUP_FIXTURE_FOR_TEST_H_
#define PARLEY_SERVER_ADMIN_BACKUP_FIXTURE_FOR_TEST_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/admin/backup.h"
#include "server/admin/data_folder.h"
#include "server/core/relay_fixture_for_test.h"

namespace parley::server {

namespace fs = std::filesystem;

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

}  // namespace parley::server

#endif  // PARLEY_SERVER_ADMIN_BACKUP_FIXTURE_FOR_TEST_H_
