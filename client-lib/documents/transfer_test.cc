// Files that come back as they were, and transfers that go on where they were cut.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <thread>
#include <vector>

#include "client-lib/documents/test_transfer.h"
#include "crypto/file/tree_hash.h"
#include "gmock/gmock.h"

namespace parley::client {
namespace {

using ::testing::HasSubstr;

class TransferSizes : public TransferTest, public ::testing::WithParamInterface<size_t> {};

TEST_P(TransferSizes, ComesBackAsItWas) {
  const std::string content = RandomText(GetParam());
  const Document manifest = MustUpload(Source(content, "調停合意書.pdf"));
  EXPECT_EQ(manifest.name(), "調停合意書.pdf");
  EXPECT_EQ(manifest.media_type(), "application/pdf");
  EXPECT_EQ(manifest.size(), content.size());
  EXPECT_TRUE(CheckManifest(manifest).ok());
  EXPECT_EQ(manifest.plaintext_root(),
            crypto::ToString(*FilePlaintextRoot(folder_ / "調停合意書.pdf")));
  const std::string target = folder_ / "received 調停.pdf";
  ASSERT_TRUE(Download(manifest, target).ok());
  EXPECT_EQ(ReadWholeFile(target), content);
  EXPECT_FALSE(std::filesystem::exists(target + ".parley-part"));
  struct stat info {};
  ASSERT_EQ(stat(target.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0077, 0u);
}

INSTANTIATE_TEST_SUITE_P(Bytes, TransferSizes,
                         ::testing::Values(0, 1, 255, 256, 257, kMiB - 1, kMiB, kMiB + 1,
                                           5 * kMiB + 123, 16 * kMiB, 17 * kMiB + 1,
                                           66 * kMiB + 5));

TEST_F(TransferTest, RootIsTheTreeOverThePieces) {
  const std::string content = RandomText(3 * kMiB + 5);
  crypto::TreeHasher tree;
  for (size_t at = 0; at < content.size(); at += kMiB) {
    tree.AddPiece(crypto::ViewOf(content.substr(at, kMiB)));
  }
  EXPECT_EQ(MustUpload(Source(content)).plaintext_root(), crypto::ToString(tree.Root()));
}

TEST_F(TransferTest, OneFileSharedTwiceHasNothingInCommon) {
  const std::string path = Source(RandomText(1000));
  const Document a = MustUpload(path, "a");
  const Document b = MustUpload(path, "b");
  EXPECT_NE(a.blob_id(), b.blob_id());
  EXPECT_NE(a.share_id(), b.share_id());
  EXPECT_NE(a.file_key(), b.file_key());
  EXPECT_NE(a.read_seed(), b.read_seed());
  EXPECT_NE(a.ciphertext_root(), b.ciphertext_root());
  EXPECT_EQ(a.plaintext_root(), b.plaintext_root());
}

TEST_F(TransferTest, ProgressEndsAtTheWhole) {
  TransferProgress last;
  TransferOptions options;
  options.progress = [&](const TransferProgress& progress) {
    EXPECT_GE(progress.done_bytes, last.done_bytes);
    EXPECT_LE(progress.done_bytes, progress.total_bytes);
    last = progress;
  };
  ASSERT_TRUE(Upload(Source(RandomText(4 * kMiB + 1)), options).ok());
  EXPECT_EQ(last.done_bytes, 4 * kMiB + 1);
  EXPECT_EQ(last.total_bytes, 4 * kMiB + 1);
}

TEST_F(TransferTest, BadSourcesAreNamed) {
  EXPECT_EQ(Upload(folder_ / "none").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Upload(folder_.path()).status().code(), absl::StatusCode::kInvalidArgument);
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(Upload(folder_ / "pipe").status().code(), absl::StatusCode::kInvalidArgument);
}

// --- going on ---

TEST_F(TransferTest, UploadSurvivesABrokenLineWithinOneCall) {
  const std::string path = Source(RandomText(20 * kMiB));
  client_->breaks_after = 12;
  const Document manifest = MustUpload(path);
  // Only what was unacknowledged went twice.
  EXPECT_LE(client_->sent.size(), manifest.chunks() + 12);
  ASSERT_TRUE(Download(manifest, folder_ / "back").ok());
  EXPECT_EQ(ReadWholeFile(folder_ / "back"), ReadWholeFile(path));
}

TEST_F(TransferTest, CancelledUploadGoesOnWhereItWas) {
  const std::string path = Source(RandomText(30 * kMiB));
  std::atomic<bool> cancel = false;
  TransferOptions options;
  options.cancel = &cancel;
  client_->on_chunk = [&](uint64_t index) { cancel = index >= 20; };
  EXPECT_EQ(Upload(path, options).status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(*Transfers(*store_).HasUpload("transfer-1"), true);
  Reconnect();
  cancel = false;
  uint64_t resumed = 0;
  options.progress = [&](const TransferProgress& p) { resumed = p.resumed_bytes; };
  absl::StatusOr<Document> manifest = Upload(path, options);
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_GT(resumed, 0u);
  EXPECT_GT(client_->sent.front(), 0u);
  EXPECT_LE(client_->sent.size(), manifest->chunks() - client_->sent.front());
  ASSERT_TRUE(Download(*manifest, folder_ / "back").ok());
  EXPECT_EQ(ReadWholeFile(folder_ / "back"), ReadWholeFile(path));
}

// Like a copy that is made anew each time, and has no lasting name of its own.
TEST_F(TransferTest, SourceUnderAnotherPathIsKnownByWhatItIsCalled) {
  const std::string first = Source(RandomText(30 * kMiB));
  const std::string second = Source(RandomText(30 * kMiB), "second.bin");
  std::filesystem::last_write_time(second, std::filesystem::last_write_time(first));
  std::atomic<bool> cancel = false;
  client_->on_chunk = [&](uint64_t index) { cancel = index >= 20; };
  UploadRequest request;
  request.transfer_id = "transfer-1";
  request.path = first;
  request.known_as = "the original";
  TransferOptions options;
  options.cancel = &cancel;
  uint64_t resumed = 0;
  options.progress = [&](const TransferProgress& p) { resumed = p.resumed_bytes; };
  const auto upload = [&] {
    return Transfers(*store_).Upload(
        *client_, Credential::SponsorToken(relay_.sponsor_token().Reveal()), request, options);
  };
  ASSERT_EQ(upload().status().code(), absl::StatusCode::kCancelled);
  Reconnect();
  cancel = false;
  request.path = second;
  const absl::StatusOr<Document> manifest = upload();
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_GT(resumed, 0u);
  EXPECT_GT(client_->sent.front(), 0u);
  EXPECT_TRUE(client_->deleted.empty());
}

// A crash loses what wasn't saved: the profile is put back to what it was some chunks before.
TEST_F(TransferTest, CrashedUploadGoesOnFromItsLastRecord) {
  const std::string path = Source(RandomText(70 * kMiB));
  std::atomic<bool> cancel = false;
  TransferOptions options;
  options.cancel = &cancel;
  client_->on_chunk = [&](uint64_t index) {
    if (index == 50) {
      std::filesystem::copy(folder_ / "profile", folder_ / "crashed",
                            std::filesystem::copy_options::recursive);
    }
    cancel = index >= 60;
  };
  EXPECT_EQ(Upload(path, options).status().code(), absl::StatusCode::kCancelled);
  store_.reset();
  absl::StatusOr<std::unique_ptr<ProfileStore>> store = ProfileStore::Open(folder_ / "crashed");
  ASSERT_TRUE(store.ok()) << store.status();
  store_ = std::move(*store);
  Reconnect();
  const Document manifest = MustUpload(path);
  EXPECT_GE(client_->sent.front(), 20u);  // saved every 32 chunks, and 50 had been sent
  EXPECT_TRUE(client_->deleted.empty());
  ASSERT_TRUE(Download(manifest, folder_ / "back").ok());
  EXPECT_EQ(ReadWholeFile(folder_ / "back"), ReadWholeFile(path));
}

TEST_F(TransferTest, TransfersSurviveARelayRestart) {
  const std::string path = Source(RandomText(25 * kMiB));
  client_->on_chunk = [&](uint64_t index) {
    if (index != 10) return;
    client_->on_chunk = nullptr;
    relay_.Stop();
    relay_.Start();
  };
  const Document manifest = MustUpload(path);
  ASSERT_FALSE(client_->sent.empty());
  client_->on_chunk = [&](uint64_t index) {
    if (index != 10) return;
    client_->on_chunk = nullptr;
    std::thread([this] { relay_.Stop(); }).join();
    relay_.Start();
  };
  const absl::Status status = Download(manifest, folder_ / "back");
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(ReadWholeFile(folder_ / "back"), ReadWholeFile(path));
}

TEST_F(TransferTest, ChangedSourceStartsAgainWithNewKeys) {
  const std::string path = Source(RandomText(30 * kMiB));
  std::atomic<bool> cancel = false;
  TransferOptions options;
  options.cancel = &cancel;
  client_->on_chunk = [&](uint64_t index) { cancel = index >= 20; };
  ASSERT_FALSE(Upload(path, options).ok());
  const std::string changed = RandomText(30 * kMiB, 2);
  WriteWholeFile(path, changed);
  Reconnect();
  const Document manifest = MustUpload(path);
  EXPECT_EQ(client_->sent.front(), 0u);
  ASSERT_EQ(client_->deleted.size(), 1u);
  EXPECT_NE(crypto::ToString(client_->deleted[0]), manifest.blob_id());
  ASSERT_TRUE(Download(manifest, folder_ / "back").ok());
  EXPECT_EQ(ReadWholeFile(folder_ / "back"), changed);
}

TEST_F(TransferTest, ChangeBehindTheSameTimeAndSizeIsFoundByItsHash) {
  std::string content = RandomText(30 * kMiB);
  const std::string path = Source(content);
  const auto time = std::filesystem::last_write_time(path);
  std::atomic<bool> cancel = false;
  TransferOptions options;
  options.cancel = &cancel;
  client_->on_chunk = [&](uint64_t index) { cancel = index >= 20; };
  ASSERT_FALSE(Upload(path, options).ok());
  content[100] = static_cast<char>(content[100] ^ 1);
  WriteWholeFile(path, content);
  std::filesystem::last_write_time(path, time);
  Reconnect();
  const Document manifest = MustUpload(path);
  EXPECT_EQ(client_->sent.front(), 0u);
  ASSERT_TRUE(Download(manifest, folder_ / "back").ok());
  EXPECT_EQ(ReadWholeFile(folder_ / "back"), content);
}

TEST_F(TransferTest, SourceChangedWhileItIsSentIsSentAnew) {
  const std::string path = Source(RandomText(12 * kMiB));
  const std::string shorter = RandomText(3 * kMiB, 3);
  client_->on_chunk = [&](uint64_t index) {
    if (index != 2) return;
    client_->on_chunk = nullptr;
    WriteWholeFile(path, shorter);
  };
  const Document manifest = MustUpload(path);
  EXPECT_EQ(manifest.size(), shorter.size());
  ASSERT_TRUE(Download(manifest, folder_ / "back").ok());
  EXPECT_EQ(ReadWholeFile(folder_ / "back"), shorter);
}

TEST_F(TransferTest, FinishedUploadIsGivenAgainUntilItIsPosted) {
  const std::string path = Source(RandomText(2 * kMiB));
  const Document manifest = MustUpload(path);
  client_->sent.clear();
  EXPECT_EQ(MustUpload(path).SerializeAsString(), manifest.SerializeAsString());
  EXPECT_TRUE(client_->sent.empty());
  absl::StatusOr<Transaction> step = store_->Begin();
  ASSERT_TRUE(step.ok());
  ASSERT_TRUE(Transfers(*store_).Posted(*step, "transfer-1").ok());
  ASSERT_TRUE(step->Commit().ok());
  EXPECT_EQ(*Transfers(*store_).HasUpload("transfer-1"), false);
  ASSERT_TRUE(Transfers(*store_).Forget("transfer-1", client_.get()).ok());
  EXPECT_TRUE(client_->deleted.empty());  // what was posted stays
  EXPECT_TRUE(Download(manifest, folder_ / "back").ok());
}

TEST_F(TransferTest, FinishedUploadIsntGivenForAnotherContent) {
  const std::string path = Source("the whole truth, and our floor");
  const auto time = std::filesystem::last_write_time(path);
  const Document old = MustUpload(path);
  // As long as before, and with the same time.
  const std::string redacted = "the whole truth, and ---------";
  Source(redacted);
  std::filesystem::last_write_time(path, time);
  const Document manifest = MustUpload(path);
  ASSERT_EQ(client_->deleted.size(), 1u);
  EXPECT_EQ(crypto::ToString(client_->deleted[0]), old.blob_id());
  ASSERT_TRUE(Download(manifest, folder_ / "back").ok());
  EXPECT_EQ(ReadWholeFile(folder_ / "back"), redacted);
}

TEST_F(TransferTest, FinishedUploadIsCalledAsItIsAskedForAgain) {
  UploadRequest request;
  request.transfer_id = "transfer-1";
  request.path = Source("content");
  request.name = "their secret.pdf";
  request.media_type = "application/their-secret";
  const auto upload = [&] {
    return Transfers(*store_).Upload(
        *client_, Credential::SponsorToken(relay_.sponsor_token().Reveal()), request);
  };
  ASSERT_TRUE(upload().ok());
  request.name = "other.pdf";
  request.media_type = "application/pdf";
  const absl::StatusOr<Document> manifest = upload();
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(manifest->name(), "other.pdf");
  EXPECT_EQ(manifest->media_type(), "application/pdf");
}

TEST_F(TransferTest, ForgottenFinishedUploadIsDeletedAtTheRelay) {
  MustUpload(Source("content"));
  ASSERT_TRUE(Transfers(*store_).Forget("transfer-1", client_.get()).ok());
  EXPECT_EQ(client_->deleted.size(), 1u);
}

TEST_F(TransferTest, ForgottenUnfinishedUploadIsDeletedAtTheRelay) {
  std::atomic<bool> cancel = false;
  TransferOptions options;
  options.cancel = &cancel;
  client_->on_chunk = [&](uint64_t index) { cancel = index >= 5; };
  ASSERT_FALSE(Upload(Source(RandomText(20 * kMiB)), options).ok());
  ASSERT_TRUE(Transfers(*store_).Forget("transfer-1", client_.get()).ok());
  EXPECT_EQ(client_->deleted.size(), 1u);
  EXPECT_EQ(*Transfers(*store_).HasUpload("transfer-1"), false);
}

TEST_F(TransferTest, BrokenDownloadGoesOnWhereItWas) {
  const std::string path = Source(RandomText(40 * kMiB));
  const Document manifest = MustUpload(path);
  const std::string target = folder_ / "back";
  std::atomic<bool> cancel = false;
  Transfers::DownloadOptions options;
  options.cancel = &cancel;
  client_->on_chunk = [&](uint64_t index) { cancel = index >= 30; };
  EXPECT_EQ(Transfers(*store_).Download(*client_, manifest, target, options).code(),
            absl::StatusCode::kCancelled);
  EXPECT_FALSE(std::filesystem::exists(target));
  Reconnect();
  client_->breaks_after = 3;  // and once more on the way
  ASSERT_TRUE(Download(manifest, target).ok());
  EXPECT_GE(client_->received.front(), 20u);
  EXPECT_EQ(ReadWholeFile(target), ReadWholeFile(path));
  EXPECT_FALSE(std::filesystem::exists(target + ".parley-part"));
}

TEST_F(TransferTest, ChangedPartFileIsFetchedAnew) {
  const std::string path = Source(RandomText(40 * kMiB));
  const Document manifest = MustUpload(path);
  const std::string target = folder_ / "back";
  std::atomic<bool> cancel = false;
  Transfers::DownloadOptions options;
  options.cancel = &cancel;
  client_->on_chunk = [&](uint64_t index) { cancel = index >= 30; };
  ASSERT_FALSE(Transfers(*store_).Download(*client_, manifest, target, options).ok());
  std::string part = ReadWholeFile(target + ".parley-part");
  ASSERT_GT(part.size(), 20 * kMiB);
  part[5 * kMiB] = static_cast<char>(part[5 * kMiB] ^ 1);
  WriteWholeFile(target + ".parley-part", part);
  Reconnect();
  ASSERT_TRUE(Download(manifest, target).ok());
  EXPECT_EQ(client_->received.front(), 0u);
  EXPECT_EQ(ReadWholeFile(target), ReadWholeFile(path));
}

}  // namespace
}  // namespace parley::client
