// Uploads and downloads over real TLS, and clients that cancel.
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "server/grpc/relay_server_fixture_for_test.h"

namespace parley::server {
namespace {

using grpc::StatusCode;

class BlobServerTest : public RelayServerTest {
 protected:
  using UploadStream = grpc::ClientReaderWriter<v1::UploadBlobRequest, v1::UploadBlobResponse>;

  TestBlob NewBlob(uint64_t bytes) {
    TestBlob blob;
    EXPECT_TRUE(relay_.Create(relay_.CreateRequest(blob, bytes)).ok());
    return blob;
  }
  void SendHeader(UploadStream& stream, const TestBlob& blob) {
    v1::UploadBlobRequest request;
    request.mutable_header()->set_token(relay_.BlobToken(blob, AccessRight::kWrite));
    request.mutable_header()->set_blob_id(blob.id);
    EXPECT_TRUE(stream.Write(request));
  }
  static bool SendChunk(UploadStream& stream, uint64_t index, const std::string& data) {
    v1::UploadBlobRequest request;
    request.mutable_chunk()->set_index(index);
    request.mutable_chunk()->set_data(data);
    return stream.Write(request);
  }
};

TEST_F(BlobServerTest, UploadsAcknowledgeEveryChunkAndDownloadsReturnThem) {
  constexpr uint64_t kChunks = 20;
  TestBlob blob = NewBlob(kChunks << 20);
  std::vector<std::string> chunks;
  for (uint64_t i = 0; i < kChunks; ++i) chunks.push_back(RandomString(1 << 20));
  {
    grpc::ClientContext context;
    auto stream = stub_->UploadBlob(&context);
    SendHeader(*stream, blob);
    for (uint64_t i = 0; i < kChunks; ++i) ASSERT_TRUE(SendChunk(*stream, i, chunks[i]));
    stream->WritesDone();
    v1::UploadBlobResponse response;
    uint64_t acknowledged = 0;
    while (stream->Read(&response)) {
      EXPECT_GT(response.chunks(), acknowledged);
      acknowledged = response.chunks();
    }
    EXPECT_EQ(acknowledged, kChunks);
    EXPECT_TRUE(stream->Finish().ok());
  }
  ASSERT_TRUE(relay_.Seal(blob, kChunks, kChunks << 20).ok());
  v1::DownloadBlobRequest request;
  request.set_token(relay_.BlobToken(blob, AccessRight::kRead));
  request.set_blob_id(blob.id);
  request.set_first_chunk(3);
  request.set_chunk_count(10);
  grpc::ClientContext context;
  auto stream = stub_->DownloadBlob(&context, request);
  v1::DownloadBlobResponse response;
  uint64_t index = 3;
  while (stream->Read(&response)) {
    EXPECT_EQ(response.index(), index);
    EXPECT_TRUE(response.data() == chunks[index]);
    ++index;
  }
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(index, 13u);
}

// A download that is under way ends with the relay, however much there would be to send.
TEST_F(BlobServerTest, ADownloadEndsWhenTheRelayShutsDown) {
  constexpr uint64_t kChunks = 64;
  const TestBlob blob = NewBlob(kChunks << 20);
  {
    grpc::ClientContext context;
    auto stream = stub_->UploadBlob(&context);
    SendHeader(*stream, blob);
    for (uint64_t i = 0; i < kChunks; ++i) {
      ASSERT_TRUE(SendChunk(*stream, i, std::string(1 << 20, 'x')));
    }
    stream->WritesDone();
    v1::UploadBlobResponse response;
    while (stream->Read(&response)) {
    }
    ASSERT_TRUE(stream->Finish().ok());
  }
  ASSERT_TRUE(relay_.Seal(blob, kChunks, kChunks << 20).ok());
  v1::DownloadBlobRequest request;
  request.set_token(relay_.BlobToken(blob, AccessRight::kRead));
  request.set_blob_id(blob.id);
  grpc::ClientContext context;
  auto stream = stub_->DownloadBlob(&context, request);
  v1::DownloadBlobResponse response;
  ASSERT_TRUE(stream->Read(&response));
  std::thread shutdown([&] { server_->Shutdown(std::chrono::hours(1)); });
  grpc::Status asked;
  while (asked.error_code() != StatusCode::UNAVAILABLE) {
    grpc::ClientContext asking;
    v1::GetInfoResponse info;
    asked = stub_->GetInfo(&asking, {}, &info);
  }
  uint64_t chunks = 1;
  while (stream->Read(&response)) ++chunks;
  shutdown.join();
  EXPECT_LT(chunks, kChunks);
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::UNAVAILABLE);
}

TEST_F(BlobServerTest, UploadErrorsEndTheStreamWithTheirReason) {
  TestBlob blob = NewBlob(10000);
  auto finish = [&](auto send) {
    grpc::ClientContext context;
    auto stream = stub_->UploadBlob(&context);
    send(*stream);
    v1::UploadBlobResponse response;
    while (stream->Read(&response)) {
    }
    return stream->Finish().error_code();
  };
  EXPECT_EQ(finish([&](auto& s) { SendChunk(s, 0, "data"); }), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(finish([&](auto& s) { s.Write(v1::UploadBlobRequest()); }),
            StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(finish([&](auto& s) {
              SendHeader(s, blob);
              SendHeader(s, blob);
            }),
            StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(finish([&](auto& s) {
              SendHeader(s, blob);
              SendChunk(s, 1, "data");
            }),
            StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(finish([&](auto& s) {
              SendHeader(s, blob);
              SendChunk(s, 0, std::string(10001, 'x'));
            }),
            StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(finish([&](auto& s) { s.WritesDone(); }), StatusCode::OK);
}

// Clients that cancel in the middle of everything, again and again: the relay must not mind.
TEST_F(BlobServerTest, CancelledCallsBreakNothing) {
  TestMailbox mailbox = relay_.NewMailbox();
  TestBlob blob = NewBlob(uint64_t{1} << 30);
  const std::string read_token = relay_.ReadToken(mailbox, 1);
  const std::string append_token = relay_.AppendToken(mailbox, 1);
  std::atomic<bool> stop = false;
  std::thread appender([&] {
    while (!stop) {
      ASSERT_TRUE(
          relay_.Append(relay_.AppendRequest(mailbox, 1, append_token, RandomString(2000))).ok());
    }
  });
  for (int round = 0; round < 60; ++round) {
    auto stub = v1::Relay::NewStub(NewChannel());
    grpc::ClientContext subscribe_context;
    auto subscription = stub->Subscribe(&subscribe_context);
    subscription->Write(Add(mailbox, read_token));
    grpc::ClientContext upload_context;
    auto upload = stub->UploadBlob(&upload_context);
    SendHeader(*upload, blob);
    SendChunk(*upload, 0, std::string(100000, 'x'));
    v1::SubscribeEvent event;
    if (round % 3 == 0) subscription->Read(&event);
    subscribe_context.TryCancel();
    upload_context.TryCancel();
    // Without Finish the streams would leak; with it both end as cancelled.
    subscription->Finish();
    upload->Finish();
    grpc::ClientContext append_context;
    append_context.set_deadline(std::chrono::system_clock::now() +
                                std::chrono::microseconds(100 * round));
    v1::AppendResponse response;
    stub->Append(&append_context, relay_.AppendRequest(mailbox, 1, append_token, "deadline"),
                 &response);
  }
  stop = true;
  appender.join();
  EXPECT_TRUE(Append(relay_.AppendRequest(mailbox, "still alive")).ok());
}

}  // namespace
}  // namespace parley::server
