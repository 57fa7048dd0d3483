// Blobs: chunks in order, resumed, sealed, read by range, and what is refused.
#include "server/core/blobs.h"

#include <gtest/gtest.h>

#include <thread>

#include "server/core/relay_fixture_for_test.h"

namespace parley::server {
namespace {

using absl::StatusCode;

class BlobsTest : public testing::Test {
 protected:
  TestBlob NewBlob(uint64_t bytes) {
    TestBlob blob;
    EXPECT_TRUE(relay_.Create(relay_.CreateRequest(blob, bytes)).ok());
    return blob;
  }
  v1::StatBlobResponse Stat(const TestBlob& blob) {
    v1::StatBlobRequest request;
    request.set_token(relay_.BlobToken(blob, AccessRight::kRead));
    request.set_blob_id(blob.id);
    v1::StatBlobResponse response;
    EXPECT_TRUE(relay_.relay->blobs().Stat(request, response).ok());
    return response;
  }
  absl::StatusOr<Blobs::Range> Open(const TestBlob& blob, uint64_t first, uint64_t count) {
    v1::DownloadBlobRequest request;
    request.set_token(relay_.BlobToken(blob, AccessRight::kRead));
    request.set_blob_id(blob.id);
    request.set_first_chunk(first);
    request.set_chunk_count(count);
    return relay_.relay->blobs().OpenRange(request);
  }
  absl::Status Delete(const TestBlob& blob) {
    v1::DeleteBlobRequest request;
    request.set_token(relay_.BlobToken(blob, AccessRight::kWrite));
    request.set_blob_id(blob.id);
    return RelayFixture::Wait([&](auto done) { relay_.relay->blobs().Delete(request, done); });
  }

  RelayFixture relay_;
};

TEST_F(BlobsTest, ChunksComeBackByRange) {
  TestBlob blob = NewBlob(10000);
  auto upload = *relay_.Upload(blob);
  std::vector<std::string> chunks;
  for (uint64_t i = 0; i < 5; ++i) {
    chunks.push_back(RandomString(i < 4 ? 2000 : 7));
    ASSERT_EQ(*upload->Write(i, chunks.back()), i + 1);
  }
  EXPECT_EQ(Open(blob, 0, 0).status().code(), StatusCode::kFailedPrecondition);
  ASSERT_TRUE(relay_.Seal(blob, 5, 8007).ok());
  EXPECT_TRUE(relay_.Seal(blob, 5, 8007).ok());  // again is fine
  EXPECT_TRUE(Stat(blob).sealed());
  EXPECT_EQ(Stat(blob).bytes(), 8007u);
  auto range = Open(blob, 1, 3);
  ASSERT_TRUE(range.ok());
  EXPECT_EQ(range->first, 1u);
  EXPECT_EQ(range->end, 4u);
  for (uint64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(relay_.relay->blobs().ReadChunk(blob.object(), i)->bytes, chunks[i]);
  }
  EXPECT_EQ(Open(blob, 0, 0)->end, 5u);
  EXPECT_EQ(Open(blob, 5, 0)->end, 5u);
  EXPECT_EQ(Open(blob, 6, 0).status().code(), StatusCode::kOutOfRange);
  EXPECT_EQ(Open(blob, 2, 4).status().code(), StatusCode::kOutOfRange);
  EXPECT_EQ(Open(blob, 1, ~0ull).status().code(), StatusCode::kOutOfRange);
}

TEST_F(BlobsTest, UploadsResumeAtAnyChunk) {
  TestBlob blob = NewBlob(100000);
  {
    auto upload = *relay_.Upload(blob);
    for (uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(upload->Write(i, std::string(2000, 'a')).ok());
  }
  EXPECT_EQ(Stat(blob).chunks(), 3u);
  auto upload = *relay_.Upload(blob);
  EXPECT_EQ(upload->Write(4, std::string(2000, 'b')).status().code(), StatusCode::kOutOfRange);
  EXPECT_EQ(*upload->Write(3, std::string(2000, 'b')), 4u);
  // One that is there is replaced, and the size follows.
  EXPECT_EQ(*upload->Write(1, std::string(3000, 'c')), 4u);
  EXPECT_EQ(Stat(blob).bytes(), 9000u);
  ASSERT_TRUE(relay_.Seal(blob, 4, 9000).ok());
  EXPECT_EQ(relay_.relay->blobs().ReadChunk(blob.object(), 1)->bytes, std::string(3000, 'c'));
}

TEST_F(BlobsTest, SealingNeedsExactlyWhatIsThere) {
  TestBlob blob = NewBlob(5000);
  EXPECT_EQ(relay_.Seal(blob, 0, 0).code(), StatusCode::kFailedPrecondition);
  auto upload = *relay_.Upload(blob);
  ASSERT_TRUE(upload->Write(0, std::string(2000, 'a')).ok());
  EXPECT_EQ(relay_.Seal(blob, 2, 2000).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(relay_.Seal(blob, 1, 1999).code(), StatusCode::kFailedPrecondition);
  ASSERT_TRUE(relay_.Seal(blob, 1, 2000).ok());
  // An upload that is still open can't write into the sealed blob, and no new one begins.
  EXPECT_EQ(upload->Write(1, std::string(2000, 'b')).status().code(),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ(upload->Write(0, std::string(2000, 'b')).status().code(),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ(relay_.Upload(blob).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(relay_.relay->blobs().ReadChunk(blob.object(), 0)->bytes == std::string(2000, 'a'));
}

TEST_F(BlobsTest, SizesAreHeldToTheirBounds) {
  TestBlob blob = NewBlob(4000);
  auto upload = *relay_.Upload(blob);
  EXPECT_EQ(upload->Write(0, "").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(upload->Write(0, std::string(relay_.limits.max_chunk_bytes + 1, 'x')).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(upload->Write(0, std::string(4001, 'x')).status().code(),
            StatusCode::kResourceExhausted);
  ASSERT_TRUE(upload->Write(0, "tiny").ok());
  EXPECT_EQ(upload->Write(1, "tiny").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(relay_.Create(relay_.CreateRequest(TestBlob(), 0)).code(),
            StatusCode::kInvalidArgument);
}

TEST_F(BlobsTest, QuotaIsReservedTrimmedAtTheSealAndGivenBack) {
  relay_.sponsor_token = relay_.AddSponsor("small", 10000, 2);
  TestBlob blob = NewBlob(8000);
  EXPECT_EQ(relay_.Usage("small").used_bytes, 8000u);
  EXPECT_EQ(relay_.Create(relay_.CreateRequest(TestBlob(), 2001)).code(),
            StatusCode::kResourceExhausted);
  EXPECT_EQ(relay_.Create(relay_.CreateRequest(TestBlob(), ~0ull)).code(),
            StatusCode::kResourceExhausted);
  auto upload = *relay_.Upload(blob);
  ASSERT_TRUE(upload->Write(0, std::string(1500, 'a')).ok());
  ASSERT_TRUE(relay_.Seal(blob, 1, 1500).ok());
  EXPECT_EQ(relay_.Usage("small").used_bytes, 1500u);
  NewBlob(2001);
  EXPECT_EQ(relay_.Create(relay_.CreateRequest(TestBlob(), 1)).code(),
            StatusCode::kResourceExhausted);  // the third object
  ASSERT_TRUE(Delete(blob).ok());
  EXPECT_EQ(relay_.Usage("small").used_bytes, 2001u);
  EXPECT_EQ(relay_.Usage("small").used_objects, 1u);
  EXPECT_EQ(relay_.relay->blobs().ReadChunk(blob.object(), 0).status().code(),
            StatusCode::kNotFound);
}

TEST_F(BlobsTest, CreationIsIdempotent) {
  TestBlob blob;
  v1::CreateBlobRequest request = relay_.CreateRequest(blob, 5000);
  EXPECT_TRUE(relay_.Create(request).ok());
  EXPECT_TRUE(relay_.Create(request).ok());
  EXPECT_EQ(relay_.Usage("sponsor").used_bytes, 5000u);
  request.set_total_bytes(5001);
  EXPECT_EQ(relay_.Create(request).code(), StatusCode::kAlreadyExists);
}

TEST_F(BlobsTest, KeysAndTokensAreKeptApart) {
  TestBlob blob = NewBlob(5000);
  TestBlob other = NewBlob(5000);
  // The read key doesn't write, the write key doesn't read; a blob has no append right.
  EXPECT_EQ(relay_.Token(blob.object(), 0, AccessRight::kWrite, blob.read).status().code(),
            StatusCode::kNotFound);
  EXPECT_EQ(relay_.Token(blob.object(), 0, AccessRight::kRead, blob.write).status().code(),
            StatusCode::kNotFound);
  EXPECT_EQ(relay_.Token(blob.object(), 0, AccessRight::kAppend, blob.write).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(relay_.Token(blob.object(), 1, AccessRight::kWrite, blob.write).status().code(),
            StatusCode::kInvalidArgument);
  v1::UploadBlobRequest::Header header;
  header.set_blob_id(blob.id);
  header.set_token(relay_.BlobToken(blob, AccessRight::kRead));
  EXPECT_EQ(relay_.relay->StartUpload()->Start(header).code(), StatusCode::kPermissionDenied);
  header.set_token(relay_.BlobToken(other, AccessRight::kWrite));
  EXPECT_EQ(relay_.relay->StartUpload()->Start(header).code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(relay_.relay->StartUpload()->Write(0, "no header").status().code(),
            StatusCode::kInvalidArgument);
  // A mailbox and a blob of one id: the mailbox's token opens nothing of the blob.
  TestMailbox mailbox;
  mailbox.id = blob.id;
  ASSERT_TRUE(relay_.Create(relay_.CreateRequest(mailbox)).ok());
  v1::StatBlobRequest stat;
  stat.set_blob_id(blob.id);
  stat.set_token(relay_.ReadToken(mailbox, 1));
  v1::StatBlobResponse response;
  EXPECT_EQ(relay_.relay->blobs().Stat(stat, response).code(), StatusCode::kPermissionDenied);
  // And probing tells nothing.
  crypto::SignatureKey stranger = crypto::SignatureKey::Generate();
  EXPECT_EQ(relay_.Token(blob.object(), 0, AccessRight::kRead, stranger).status(),
            relay_.Token(TestBlob().object(), 0, AccessRight::kRead, stranger).status());
}

TEST_F(BlobsTest, ExpiredBlobsAreGoneAndSwept) {
  TestBlob blob;
  v1::CreateBlobRequest request = relay_.CreateRequest(blob, 5000);
  request.set_expires_at(relay_.clock.NowSeconds() + 100);
  ASSERT_TRUE(relay_.Create(request).ok());
  auto upload = *relay_.Upload(blob);
  ASSERT_TRUE(upload->Write(0, std::string(2000, 'a')).ok());
  relay_.clock.Advance(100);  // it counts to the end of that minute
  EXPECT_TRUE(relay_.Token(blob.object(), 0, AccessRight::kWrite, blob.write).ok());
  relay_.clock.Advance(20);
  EXPECT_EQ(relay_.Token(blob.object(), 0, AccessRight::kWrite, blob.write).status().code(),
            StatusCode::kNotFound);
  ASSERT_TRUE(relay_.relay->Sweep().ok());
  EXPECT_EQ(relay_.Usage("sponsor").used_bytes, 0u);
  EXPECT_EQ(upload->Write(1, std::string(2000, 'a')).status().code(), StatusCode::kNotFound);
  int chunks = 0;
  ASSERT_TRUE(relay_.store
                  .Scan(storage::Space::kChunks, "", "\xFF",
                        [&](std::string_view, std::string_view) { return ++chunks, true; })
                  .ok());
  EXPECT_EQ(chunks, 0);
}

// Two streams that write the same blob at once: every acknowledged chunk counts once.
TEST_F(BlobsTest, ConcurrentUploadsOfOneBlobStayConsistent) {
  TestBlob blob = NewBlob(1 << 20);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      auto upload = *relay_.Upload(blob);
      for (uint64_t i = 0; i < 40;) {
        absl::StatusOr<uint64_t> stored = upload->Write(i, std::string(1024, 'x'));
        if (stored.ok()) {
          EXPECT_GT(*stored, i);
          ++i;
        } else {
          EXPECT_EQ(stored.status().code(), StatusCode::kUnavailable) << stored.status();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Stat(blob).chunks(), 40u);
  EXPECT_EQ(Stat(blob).bytes(), 40u * 1024);
  EXPECT_TRUE(relay_.Seal(blob, 40, 40 * 1024).ok());
}

}  // namespace
}  // namespace parley::server
