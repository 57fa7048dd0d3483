// Files that were tampered with, and transfers that can't be: what fails leaves nothing behind.
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

TEST_F(TransferTest, FlippedBytesFailAndLeaveNothing) {
  const std::string content = RandomText(3 * kMiB + 100);
  const Document manifest = MustUpload(Source(content));
  const std::string target = folder_ / "back";
  // Nonce, ciphertext, padding, tag; first, middle and last chunk.
  for (uint64_t chunk : {uint64_t{0}, uint64_t{1}, manifest.chunks() - 1}) {
    for (size_t at : {size_t{0}, size_t{23}, size_t{24}, size_t{5000}}) {
      relay_.FlipChunkByte(chunk, at);
      const absl::Status status = Download(manifest, target);
      EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr("not what its author shared"));
      ExpectNothingAt(target);
      relay_.FlipChunkByte(chunk, at);
    }
  }
  EXPECT_TRUE(Download(manifest, target).ok());
  EXPECT_EQ(ReadWholeFile(target), content);
}

TEST_F(TransferTest, MovedChunksFail) {
  const Document manifest = MustUpload(Source(RandomText(4 * kMiB)));
  relay_.SwapChunks(1, 2);
  EXPECT_EQ(Download(manifest, folder_ / "back").code(), absl::StatusCode::kDataLoss);
  ExpectNothingAt(folder_ / "back");
}

TEST_F(TransferTest, AnotherBlobFails) {
  const std::string path = Source(RandomText(2 * kMiB));
  Document manifest = MustUpload(path, "a");
  const Document other = MustUpload(path, "b");
  manifest.set_blob_id(other.blob_id());
  manifest.set_read_seed(other.read_seed());
  EXPECT_EQ(Download(manifest, folder_ / "back").code(), absl::StatusCode::kDataLoss);
  ExpectNothingAt(folder_ / "back");
}

TEST_F(TransferTest, ARightBlobWithAnotherRootFails) {
  const Document manifest = MustUpload(Source(RandomText(2 * kMiB)));
  for (const bool plaintext : {true, false}) {
    Document wrong = manifest;
    std::string* root =
        plaintext ? wrong.mutable_plaintext_root() : wrong.mutable_ciphertext_root();
    (*root)[7] = static_cast<char>((*root)[7] ^ 1);
    EXPECT_EQ(Download(wrong, folder_ / "back").code(), absl::StatusCode::kDataLoss);
    ExpectNothingAt(folder_ / "back");
  }
}

TEST_F(TransferTest, ContradictingManifestsAreRefused) {
  const Document good = MustUpload(Source(RandomText(2 * kMiB)));
  ASSERT_TRUE(CheckManifest(good).ok());
  const auto refused = [&](const std::function<void(Document&)>& change) {
    Document bad = good;
    change(bad);
    EXPECT_EQ(CheckManifest(bad).code(), absl::StatusCode::kInvalidArgument)
        << bad.ShortDebugString();
    EXPECT_EQ(Download(bad, folder_ / "back").code(), absl::StatusCode::kInvalidArgument);
    ExpectNothingAt(folder_ / "back");
  };
  refused([](Document& d) { d.set_size(d.size() + kMiB); });
  refused([](Document& d) { d.set_size(UINT64_MAX); });
  refused([](Document& d) { d.set_chunks(d.chunks() + 1); });
  refused([](Document& d) { d.set_chunks(0); });
  refused([](Document& d) { d.set_stored_bytes(d.stored_bytes() - 1); });
  refused([](Document& d) { d.set_file_format(0); });
  refused([](Document& d) { d.set_file_format(2); });
  refused([](Document& d) { d.mutable_file_key()->at(0) ^= 1; });
  refused([](Document& d) { d.mutable_share_id()->at(0) ^= 1; });
  refused([](Document& d) { d.mutable_key_commitment()->at(0) ^= 1; });
  refused([](Document& d) { d.mutable_blob_id()->pop_back(); });
  refused([](Document& d) { d.clear_read_seed(); });
  refused([](Document& d) { d.clear_plaintext_root(); });
  refused([](Document& d) { d.set_name(std::string(10'000, 'n')); });
}

TEST_F(TransferTest, ExistingTargetsAreKept) {
  const std::string content = RandomText(1000);
  const Document manifest = MustUpload(Source(content));
  const std::string target = folder_ / "mine";
  WriteWholeFile(target, "precious");
  EXPECT_EQ(Download(manifest, target).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ReadWholeFile(target), "precious");
  // Also one that appears while the file is fetched.
  const std::string late = folder_ / "late";
  client_->on_chunk = [&](uint64_t) { WriteWholeFile(late, "precious"); };
  EXPECT_EQ(Download(manifest, late).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ReadWholeFile(late), "precious");
  client_->on_chunk = nullptr;
  EXPECT_EQ(Download(manifest, folder_.path()).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Download(manifest, folder_ / "no/folder").code(), absl::StatusCode::kNotFound);
  Transfers::DownloadOptions options;
  options.overwrite = true;
  EXPECT_TRUE(Transfers(*store_).Download(*client_, manifest, target, options).ok());
  EXPECT_EQ(ReadWholeFile(target), content);
}

TEST_F(TransferTest, DeletedBlobIsNamed) {
  const Document manifest = MustUpload(Source(RandomText(1000)));
  Document gone = manifest;
  std::string id = manifest.blob_id();
  id[0] = static_cast<char>(id[0] ^ 1);
  gone.set_blob_id(id);
  EXPECT_EQ(Download(gone, folder_ / "back").code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "back"));
}

TEST_F(TransferTest, QuotaIsSaidAndNothingIsLost) {
  const std::string path = Source("");
  ASSERT_EQ(truncate(path.c_str(), static_cast<off_t>(TestRelay::kQuotaBytes + 1)), 0);
  const absl::Status status = Upload(path).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  WriteWholeFile(path, "small");
  EXPECT_TRUE(Upload(path).ok());
}

TEST_F(TransferTest, FullDiskKeepsWhatWasFetched) {
  const std::string path = Source(RandomText(30 * kMiB));
  const Document manifest = MustUpload(path);
  const std::string target = folder_ / "back";
  // A limit on the size of files is to a process what a full disk is.
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit limit{10 * kMiB, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &limit);
  const absl::Status status = Download(manifest, target);
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_FALSE(std::filesystem::exists(target));
  client_->received.clear();
  ASSERT_TRUE(Download(manifest, target).ok());
  EXPECT_GE(client_->received.front(), 5u);
  EXPECT_EQ(ReadWholeFile(target), ReadWholeFile(path));
}

TEST_F(TransferTest, FileThatCannotFitIsRefusedBeforeAnythingIsFetched) {
  Document manifest = MustUpload(Source(RandomText(1000)));
  const uint64_t huge = uint64_t{1} << 49;
  manifest.set_size(huge);
  manifest.set_chunks(huge / kMiB);
  manifest.set_stored_bytes(huge + huge / kMiB * 56);
  ASSERT_TRUE(CheckManifest(manifest).ok());
  client_->received.clear();
  EXPECT_EQ(Download(manifest, folder_ / "back").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(client_->received.empty());
}

TEST_F(TransferTest, TwoDownloadsToOneTargetDontMix) {
  const Document manifest = MustUpload(Source(RandomText(10 * kMiB)));
  const std::string target = folder_ / "back";
  absl::Status inner;
  client_->on_chunk = [&](uint64_t index) {
    if (index != 3) return;
    client_->on_chunk = nullptr;
    auto second = MustConnect(relay_);
    inner = Transfers(*store_).Download(*second, manifest, target);
  };
  ASSERT_TRUE(Download(manifest, target).ok());
  EXPECT_EQ(inner.code(), absl::StatusCode::kUnavailable) << inner;
  EXPECT_EQ(ReadWholeFile(target), ReadWholeFile(folder_ / "source.bin"));
}

}  // namespace
}  // namespace parley::client
