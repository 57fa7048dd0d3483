#include "client-lib/documents/transfer.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <random>
#include <thread>
#include <vector>

#include "client-lib/relay/relay_test_kit.h"
#include "client-lib/store/test_profile.h"
#include "crypto/file/tree_hash.h"
#include "gmock/gmock.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {
namespace {

using content::v1::Document;
using parley::testing::TestRelay;
using ::testing::HasSubstr;

constexpr size_t kMiB = 1 << 20;

std::string RandomText(size_t size, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::string text(size, '\0');
  for (size_t i = 0; i + 4 <= size; i += 4) {
    const uint32_t word = static_cast<uint32_t>(random());
    std::copy_n(reinterpret_cast<const char*>(&word), 4, text.begin() + static_cast<long>(i));
  }
  return text;
}

// A relay client that notes what it carries, and can fail as a broken line does.
class NotingRelay : public RelayClient {
 public:
  explicit NotingRelay(std::unique_ptr<RelayClient> inner) : inner_(std::move(inner)) {}

  std::vector<uint64_t> sent;  // indexes of chunks, in order
  std::vector<uint64_t> received;
  std::vector<ObjectId> deleted;
  // The line breaks once, before this many chunks have been sent or received over it.
  std::optional<uint64_t> breaks_after;
  std::function<void(uint64_t)> on_chunk;

  const ConnectionInfo& connection() const override { return inner_->connection(); }
  const RelayInfo& info() const override { return inner_->info(); }
  void Shutdown() override { inner_->Shutdown(); }
  absl::Status CreateMailbox(const Credential& c, const ObjectId& id, const GenerationKeys& k,
                             const Allowance& a, uint64_t e) override {
    return inner_->CreateMailbox(c, id, k, a, e);
  }
  absl::StatusOr<AppendOutcome> Append(const ObjectId& id, uint64_t g,
                                       const crypto::SignatureKey& k, const AppendId& a,
                                       crypto::ByteView p,
                                       const std::optional<Closing>& c) override {
    return inner_->Append(id, g, k, a, p, c);
  }
  absl::StatusOr<ReadResult> Read(const ObjectId& id, uint64_t g, const crypto::SignatureKey& k,
                                  uint64_t f, uint32_t e, uint32_t b) override {
    return inner_->Read(id, g, k, f, e, b);
  }
  absl::StatusOr<uint64_t> CurrentGeneration(const ObjectId& id, uint64_t g,
                                             const crypto::SignatureKey& k) override {
    return inner_->CurrentGeneration(id, g, k);
  }
  std::unique_ptr<Subscription> Subscribe() override { return inner_->Subscribe(); }
  absl::Status ControlMailbox(const ObjectId& id, uint64_t g, const crypto::SignatureKey& k,
                              const ControlAct& a) override {
    return inner_->ControlMailbox(id, g, k, a);
  }
  absl::Status CreateBlob(const Credential& c, const ObjectId& id, const PublicKey& r,
                          const PublicKey& w, uint64_t t, uint64_t e) override {
    return inner_->CreateBlob(c, id, r, w, t, e);
  }
  absl::StatusOr<std::unique_ptr<BlobUpload>> UploadBlob(const ObjectId& id,
                                                         const crypto::SignatureKey& key,
                                                         uint64_t first, uint64_t stored,
                                                         uint64_t window) override {
    auto upload = inner_->UploadBlob(id, key, first, stored, window);
    if (!upload.ok()) return upload.status();
    return std::make_unique<NotingUpload>(*this, std::move(*upload));
  }
  absl::Status SealBlob(const ObjectId& id, const crypto::SignatureKey& k, uint64_t c,
                        uint64_t t) override {
    return inner_->SealBlob(id, k, c, t);
  }
  absl::StatusOr<BlobStat> StatBlob(const ObjectId& id, BlobKey w,
                                    const crypto::SignatureKey& k) override {
    return inner_->StatBlob(id, w, k);
  }
  absl::Status DownloadBlob(
      const ObjectId& id, const crypto::SignatureKey& k, uint64_t first, uint64_t count,
      const std::function<absl::Status(uint64_t, std::string&)>& receive) override {
    return inner_->DownloadBlob(id, k, first, count, [&](uint64_t index, std::string& data) {
      absl::Status broken = Count();
      if (!broken.ok()) return broken;
      received.push_back(index);
      Tell(index);
      return receive(index, data);
    });
  }
  absl::Status DeleteBlob(const ObjectId& id, const crypto::SignatureKey& k) override {
    deleted.push_back(id);
    return inner_->DeleteBlob(id, k);
  }
  absl::StatusOr<std::vector<crypto::Bytes>> IssueVouchers(crypto::ByteView s, uint32_t c,
                                                           uint64_t m, uint64_t e) override {
    return inner_->IssueVouchers(s, c, m, e);
  }

 private:
  class NotingUpload : public BlobUpload {
   public:
    NotingUpload(NotingRelay& relay, std::unique_ptr<BlobUpload> inner)
        : relay_(relay), inner_(std::move(inner)) {}
    absl::Status Send(uint64_t index, std::string&& data) override {
      absl::Status broken = relay_.Count();
      if (!broken.ok()) return broken;
      relay_.sent.push_back(index);
      relay_.Tell(index);
      return inner_->Send(index, std::move(data));
    }
    absl::Status Finish() override { return inner_->Finish(); }
    uint64_t acknowledged() const override { return inner_->acknowledged(); }
    void Cancel() override { inner_->Cancel(); }

   private:
    NotingRelay& relay_;
    std::unique_ptr<BlobUpload> inner_;
  };

  // By a copy: it may replace itself.
  void Tell(uint64_t index) {
    const std::function<void(uint64_t)> told = on_chunk;
    if (told) told(index);
  }
  absl::Status Count() {
    if (!breaks_after.has_value() || (*breaks_after)-- > 0) return absl::OkStatus();
    breaks_after.reset();
    return absl::UnavailableError("the line broke");
  }

  std::unique_ptr<RelayClient> inner_;
};

class TransferTest : public ::testing::Test {
 protected:
  TransferTest() {
    absl::StatusOr<std::unique_ptr<ProfileStore>> store = ProfileStore::Create(folder_ / "profile");
    EXPECT_TRUE(store.ok()) << store.status();
    store_ = std::move(*store);
    Reconnect();
  }

  void Reconnect() {
    RelayOptions options;
    options.retry_for = std::chrono::seconds(20);
    client_ = std::make_unique<NotingRelay>(MustConnect(relay_, options));
  }

  std::string Source(const std::string& content, const std::string& name = "source.bin") {
    const std::string path = folder_ / name;
    WriteWholeFile(path, content);
    return path;
  }

  absl::StatusOr<Document> Upload(const std::string& path, const TransferOptions& options = {},
                                  const std::string& id = "transfer-1") {
    UploadRequest request;
    request.transfer_id = id;
    request.path = path;
    request.media_type = "application/pdf";
    return Transfers(*store_).Upload(
        *client_, Credential::SponsorToken(relay_.sponsor_token().Reveal()), request, options);
  }
  Document MustUpload(const std::string& path, const std::string& id = "transfer-1") {
    absl::StatusOr<Document> manifest = Upload(path, {}, id);
    EXPECT_TRUE(manifest.ok()) << manifest.status();
    return manifest.ok() ? *manifest : Document();
  }
  absl::Status Download(const Document& manifest, const std::string& target) {
    return Transfers(*store_).Download(*client_, manifest, target);
  }

  // Neither the file nor a part of it is there.
  void ExpectNothingAt(const std::string& target) {
    EXPECT_FALSE(std::filesystem::exists(target));
    EXPECT_FALSE(std::filesystem::exists(target + ".parley-part"));
  }

  TestFolder folder_;
  TestRelay relay_;
  std::unique_ptr<ProfileStore> store_;
  std::unique_ptr<NotingRelay> client_;
};

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

TEST_F(TransferTest, FinishedUploadIsGivenAgainUntilForgotten) {
  const std::string path = Source(RandomText(2 * kMiB));
  const Document manifest = MustUpload(path);
  client_->sent.clear();
  EXPECT_EQ(MustUpload(path).SerializeAsString(), manifest.SerializeAsString());
  EXPECT_TRUE(client_->sent.empty());
  ASSERT_TRUE(Transfers(*store_).Forget("transfer-1", client_.get()).ok());
  EXPECT_EQ(*Transfers(*store_).HasUpload("transfer-1"), false);
  EXPECT_TRUE(client_->deleted.empty());  // a finished blob stays
  EXPECT_TRUE(Download(manifest, folder_ / "back").ok());
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

// --- what must fail ---

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
