// A relay client that can fail as a broken line does, and a fixture that sends files over it. Only
// tests include it.
#ifndef PARLEY_CLIENT_LIB_DOCUMENTS_TEST_TRANSFER_H_
#define PARLEY_CLIENT_LIB_DOCUMENTS_TEST_TRANSFER_H_

#include <algorithm>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "client-lib/documents/transfer.h"
#include "client-lib/relay/relay_test_kit.h"
#include "client-lib/store/test_profile.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {

using content::v1::Document;
using parley::testing::TestRelay;

inline constexpr size_t kMiB = 1 << 20;

inline std::string RandomText(size_t size, unsigned seed = 1) {
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

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_DOCUMENTS_TEST_TRANSFER_H_
