// What a client deleted is in no file any more after the purge that a relay makes by itself.
#include "server/admin/purges.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "server/admin/admin_socket.h"
#include "server/core/relay_fixture_for_test.h"

namespace parley::server {
namespace {

namespace fs = std::filesystem;

class PurgesTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = fs::temp_directory_path() / ("parley-purges-" + std::to_string(::getpid()));
    fs::remove_all(path_);
    auto opened = OpenDataFolder::Open(path_, Limits());
    ASSERT_TRUE(opened.ok()) << opened.status();
    folder_ = *std::move(opened);
  }
  void TearDown() override {
    folder_.reset();
    fs::remove_all(path_);
  }

  Relay& relay() { return folder_->relay(); }
  std::string Challenge() {
    v1::GetChallengeResponse response;
    relay().sessions().GetChallenge(response);
    return response.challenge();
  }
  TestMailbox NewMailbox(const std::string& words) {
    if (sponsor_token_.empty()) {
      sponsor_token_ =
          crypto::ToString(relay().sponsors().Add("office", uint64_t{1} << 30, 0)->Reveal());
    }
    TestMailbox mailbox;
    v1::CreateMailboxRequest create;
    create.set_sponsor_token(sponsor_token_);
    create.set_mailbox_id(mailbox.id);
    *create.mutable_keys() = mailbox.secrets[0].PublicKeys();
    EXPECT_TRUE(
        RelayFixture::Wait([&](auto done) { relay().mailboxes().Create(create, done); }).ok());
    v1::OpenSessionRequest session;
    session.set_challenge(Challenge());
    session.set_object_id(mailbox.id);
    session.set_generation(1);
    session.set_right(v1::RIGHT_APPEND);
    const crypto::SignatureKey& key = mailbox.secrets[0].append;
    session.set_public_key(Text(key));
    session.set_signature(Signed(key, SessionMessage(relay().identity_key(), session.challenge(),
                                                     mailbox.object(), 1, AccessRight::kAppend)));
    v1::OpenSessionResponse opened;
    EXPECT_TRUE(relay().sessions().OpenSession(session, opened).ok());
    v1::AppendRequest append;
    append.set_token(opened.token());
    append.set_mailbox_id(mailbox.id);
    append.set_generation(1);
    append.set_append_id(RandomString(16));
    append.set_payload(words);
    EXPECT_TRUE(RelayFixture::Wait([&](auto done) {
                  relay().mailboxes().Append(append, [done](absl::StatusOr<uint64_t> position) {
                    done(position.status());
                  });
                }).ok());
    return mailbox;
  }
  void Delete(const TestMailbox& mailbox) {
    v1::ControlMailboxRequest request;
    request.set_mailbox_id(mailbox.id);
    request.set_generation(1);
    request.set_challenge(Challenge());
    request.mutable_delete_();
    request.set_control_signature(Signed(
        mailbox.secrets[0].control, ControlMessage(relay().identity_key(), request.challenge(),
                                                   mailbox.object(), 1, ControlAct::kDelete, 0)));
    const absl::Status status =
        RelayFixture::Wait([&](auto done) { relay().mailboxes().Control(request, done); });
    EXPECT_TRUE(status.ok()) << status;
  }
  int FilesWith(const std::string& bytes) const {
    int count = 0;
    for (const auto& file : fs::recursive_directory_iterator(path_)) {
      if (!file.is_regular_file()) continue;
      std::ifstream in(file.path(), std::ios::binary);
      const std::string content(std::istreambuf_iterator<char>(in), {});
      if (content.find(bytes) != std::string::npos) ++count;
    }
    return count;
  }

  fs::path path_;
  std::unique_ptr<OpenDataFolder> folder_;
  std::string sponsor_token_;
};

TEST_F(PurgesTest, OfADeletedMailboxNothingIsLeftAndOthersStay) {
  const TestMailbox deleted = NewMailbox("the words that were deleted");
  const TestMailbox kept = NewMailbox("the words that were kept");
  Delete(deleted);
  EXPECT_GT(FilesWith("the words that were deleted"), 0);
  const absl::Status status = folder_->Purge();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(FilesWith("the words that were deleted"), 0);
  EXPECT_GT(FilesWith("the words that were kept"), 0);
  // Its id, and the keys that could read it, are gone as well once RocksDB has begun a new list of
  // its files, as it does at a start.
  folder_.reset();
  folder_ = *OpenDataFolder::Open(path_, Limits());
  EXPECT_EQ(FilesWith(deleted.id), 0);
  EXPECT_EQ(FilesWith(Text(deleted.secrets[0].read)), 0);
  EXPECT_GT(FilesWith(kept.id), 0);
}

// As "parley-relay purge" asks it, while clients go on.
TEST_F(PurgesTest, ARelayThatRunsIsAskedThroughItsSocket) {
  const TestMailbox deleted = NewMailbox("the words that were deleted");
  auto socket = AdminSocket::Open(path_, *folder_);
  ASSERT_TRUE(socket.ok()) << socket.status();
  Delete(deleted);
  EXPECT_GT(FilesWith("the words that were deleted"), 0);
  std::atomic<bool> over = false;
  std::atomic<int> made = 0;
  std::thread client([&] {
    while (!over || made == 0) NewMailbox("the words of client " + std::to_string(made++) + ".");
  });
  AdminRequest purge;
  purge.command = AdminCommand::kPurge;
  const auto answer = AskRunningRelay(path_, purge);
  over = true;
  client.join();
  ASSERT_TRUE(answer.ok() && answer->has_value()) << answer.status();
  EXPECT_TRUE((*answer)->status().ok()) << (*answer)->status();
  EXPECT_EQ(FilesWith("the words that were deleted"), 0);
  // In tables, to which a start writes what is in the log, where they may be in two pieces.
  socket->reset();
  folder_.reset();
  folder_ = *OpenDataFolder::Open(path_, Limits());
  for (int i = 0; i < made; ++i) {
    EXPECT_GT(FilesWith("the words of client " + std::to_string(i) + "."), 0) << i;
  }
}

TEST_F(PurgesTest, OfADeletedBlobNothingIsLeft) {
  NewMailbox("the words that were kept");  // and a sponsor
  TestBlob blob;
  v1::CreateBlobRequest create;
  create.set_sponsor_token(sponsor_token_);
  create.set_blob_id(blob.id);
  create.set_read_key(Text(blob.read));
  create.set_write_key(Text(blob.write));
  create.set_total_bytes(100'000);
  ASSERT_TRUE(RelayFixture::Wait([&](auto done) { relay().blobs().Create(create, done); }).ok());
  v1::OpenSessionRequest session;
  session.set_challenge(Challenge());
  session.set_object_id(blob.id);
  session.set_right(v1::RIGHT_WRITE);
  session.set_public_key(Text(blob.write));
  session.set_signature(
      Signed(blob.write, SessionMessage(relay().identity_key(), session.challenge(), blob.object(),
                                        0, AccessRight::kWrite)));
  v1::OpenSessionResponse opened;
  ASSERT_TRUE(relay().sessions().OpenSession(session, opened).ok());
  {
    std::unique_ptr<BlobUpload> upload = relay().StartUpload();
    v1::UploadBlobRequest::Header header;
    header.set_token(opened.token());
    header.set_blob_id(blob.id);
    ASSERT_TRUE(upload->Start(header).ok());
    ASSERT_TRUE(upload->Write(0, "a large chunk" + std::string(90'000, 'c')).ok());
    ASSERT_TRUE(upload->Write(1, "a small chunk" + std::string(900, 'c')).ok());
  }
  v1::DeleteBlobRequest remove;
  remove.set_token(opened.token());
  remove.set_blob_id(blob.id);
  ASSERT_TRUE(RelayFixture::Wait([&](auto done) { relay().blobs().Delete(remove, done); }).ok());
  EXPECT_GT(FilesWith("a large chunk"), 0);
  ASSERT_TRUE(folder_->Purge().ok());
  folder_.reset();
  folder_ = *OpenDataFolder::Open(path_, Limits());
  for (const std::string& gone :
       {std::string("a large chunk"), std::string("a small chunk"), blob.id, Text(blob.write)}) {
    EXPECT_EQ(FilesWith(gone), 0);
  }
  EXPECT_GT(FilesWith("the words that were kept"), 0);
}

TEST_F(PurgesTest, HappenWhenTheirTimeHasCome) {
  const fs::path mark = path_ / "purged";
  const auto wait_until = [](auto condition) {
    for (int i = 0; i < 6000 && !condition(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_TRUE(condition());
  };
  {
    const Purges never(*folder_, path_, 0, std::chrono::milliseconds(5));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_FALSE(fs::exists(mark));
  }
  folder_.reset();  // a purge that was cancelled is so until the next start
  folder_ = *OpenDataFolder::Open(path_, Limits());
  Delete(NewMailbox("the words that were deleted"));
  const Purges purges(*folder_, path_, 1, std::chrono::milliseconds(5));
  wait_until([&] { return fs::exists(mark); });
  EXPECT_GT(FilesWith("the words that were deleted"), 0);  // it begins to count now
  fs::last_write_time(mark, fs::file_time_type::clock::now() - std::chrono::hours(2));
  wait_until([&] {
    return fs::last_write_time(mark) > fs::file_time_type::clock::now() - std::chrono::hours(1);
  });
  EXPECT_EQ(FilesWith("the words that were deleted"), 0);
}

// Else one of a clock that was a year ahead would put the next off by a year.
TEST_F(PurgesTest, AClockThatIsSetBackDoesNotPutThemOff) {
  std::atomic<int> purges = 0;
  const fs::path mark = path_ / "purged";
  const auto run_after = [&](std::chrono::hours ahead) {
    std::ofstream(mark) << "";
    fs::last_write_time(mark, fs::file_time_type::clock::now() + ahead);
    const Purges each({.has_deleted = [&] { return true; },
                       .purge =
                           [&] {
                             ++purges;
                             return absl::OkStatus();
                           },
                       .cancel = [] {}},
                      path_, 2, std::chrono::milliseconds(2));
    for (int i = 0; i < 6000 && purges == 0 && ahead > std::chrono::hours(2); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // fifty looks
  };
  run_after(std::chrono::hours(1));  // a little ahead: it is one that has just been
  EXPECT_EQ(purges, 0);
  run_after(std::chrono::hours(24 * 365));
  EXPECT_EQ(purges, 1);
  EXPECT_LT(fs::last_write_time(mark), fs::file_time_type::clock::now() + std::chrono::hours(1));
}

TEST_F(PurgesTest, ThatFailAreNotTriedAgainSoon) {
  std::atomic<int> looks = 0;
  std::atomic<int> tries = 0;
  const auto work = [&] {
    return PurgeWork{.has_deleted = [&] { return ++looks, true; },
                     .purge =
                         [&] {
                           ++tries;
                           return absl::ResourceExhaustedError("no room");
                         },
                     .cancel = [] {}};
  };
  std::ofstream(path_ / "purged") << "";
  fs::last_write_time(path_ / "purged", fs::file_time_type::clock::now() - std::chrono::hours(3));
  {
    const Purges purges(work(), path_, 1, std::chrono::milliseconds(2));
    for (int i = 0; i < 6000 && tries == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));  // a hundred looks
    EXPECT_EQ(tries, 1);
  }
  tries = 0;
  const Purges purges(work(), path_, 1, std::chrono::milliseconds(2), std::chrono::milliseconds(5));
  for (int i = 0; i < 6000 && tries < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_GE(tries, 3);  // and in the end they are
}

}  // namespace
}  // namespace parley::server
