// Uploads and downloads of blobs.
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "client-lib/relay/grpc_relay_client.h"
#include "client-lib/relay/wire.h"
#include "crypto/base/status_macros.h"

namespace parley::client::internal {
namespace {

// The calling thread writes; a thread of the upload's own reads the acknowledgements.
class GrpcBlobUpload final : public BlobUpload {
 public:
  GrpcBlobUpload(RelayConnection& connection, uint64_t first_chunk, uint64_t stored_chunks,
                 uint64_t window)
      : connection_(connection),
        call_(connection, kStallLimit),
        stored_before_(stored_chunks),
        window_(window),
        sent_(first_chunk),
        acknowledged_(first_chunk) {}

  ~GrpcBlobUpload() override {
    if (!finished_) call_.Cancel();
    if (reader_.joinable()) reader_.join();
  }

  absl::Status Start(const std::string& token, const ObjectId& blob_id) {
    PARLEY_RETURN_IF_ERROR(connection_.KeepCertified());
    stub_ = connection_.stub();
    stream_ = stub_->UploadBlob(&call_.context());
    v1::UploadBlobRequest request;
    request.mutable_header()->set_token(token);
    request.mutable_header()->set_blob_id(crypto::ToString(blob_id));
    const bool written = stream_->Write(request);
    reader_ = std::thread([this] { ReadAcknowledgements(); });
    return written ? absl::OkStatus() : End();
  }

  absl::Status Send(uint64_t index, std::string&& data) override {
    {
      std::unique_lock lock(mutex_);
      if (index != sent_) return absl::InvalidArgumentError("chunks are sent in order");
      call_.Touch();
      changed_.wait(lock, [&] {
        return ended_ || index < std::max(acknowledged_, stored_before_) + window_;
      });
      if (ended_) {
        lock.unlock();
        return End();
      }
      sent_ = index + 1;
    }
    request_.mutable_chunk()->set_index(index);
    request_.mutable_chunk()->mutable_data()->swap(data);
    call_.Touch();
    if (!stream_->Write(request_)) return End();
    Rest();
    return absl::OkStatus();
  }

  absl::Status Finish() override {
    call_.Touch();
    if (!finished_) stream_->WritesDone();
    return End();
  }

  uint64_t acknowledged() const override {
    std::lock_guard lock(mutex_);
    return acknowledged_;
  }

  void Cancel() override { call_.Cancel(); }

 private:
  // Between two sends it is the caller who is awaited, unless acknowledgements are due.
  void Rest() {
    std::lock_guard lock(mutex_);
    if (acknowledged_ >= sent_) call_.Pause();
  }

  void ReadAcknowledgements() {
    v1::UploadBlobResponse response;
    while (stream_->Read(&response)) {
      call_.Touch();
      std::lock_guard lock(mutex_);
      if (response.chunks() > std::max(sent_, stored_before_)) false_answer_ = true;
      // Up to what was there before, the number doesn't tell which chunks have been replaced.
      if (response.chunks() > stored_before_ && response.chunks() > acknowledged_) {
        acknowledged_ = std::min(response.chunks(), sent_);
      }
      if (acknowledged_ >= sent_) call_.Pause();
      changed_.notify_all();
      if (false_answer_) break;
    }
    if (false_answer_) call_.Cancel();
    {
      std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
  }

  // The stream is over, for one reason or another: what it was.
  absl::Status End() {
    if (!finished_) {
      reader_.join();
      const grpc::Status status = stream_->Finish();
      finished_ = true;
      result_ = connection_.EndOf(call_, status);
      if (false_answer_) result_ = FalseAnswer("chunks are acknowledged that were never sent");
      if (result_.ok() && sent_ <= stored_before_) acknowledged_ = sent_;
      if (result_.ok() && acknowledged_ < sent_) {
        result_ = absl::UnavailableError("the relay ended the upload before all was stored");
      }
    }
    return result_;
  }

  RelayConnection& connection_;
  ActiveCall call_;
  const uint64_t stored_before_;
  const uint64_t window_;
  std::shared_ptr<v1::Relay::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::UploadBlobRequest, v1::UploadBlobResponse>> stream_;
  std::thread reader_;
  v1::UploadBlobRequest request_;
  bool finished_ = false;
  absl::Status result_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t sent_;          // chunks up to here were sent, or are there from before
  uint64_t acknowledged_;  // chunks up to here are stored
  bool ended_ = false;
  bool false_answer_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<BlobUpload>> GrpcRelayClient::UploadBlob(
    const ObjectId& blob_id, const crypto::SignatureKey& write_key, uint64_t first_chunk,
    uint64_t stored_chunks, uint64_t window) {
  // A fresh token, since a stream can't renew it.
  PARLEY_ASSIGN_OR_RETURN(Session session,
                          sessions_.GetNew({blob_id, 0, v1::RIGHT_WRITE}, write_key));
  auto upload = std::make_unique<GrpcBlobUpload>(*connection_, first_chunk, stored_chunks, window);
  PARLEY_RETURN_IF_ERROR(upload->Start(session.token, blob_id));
  return upload;
}

absl::Status GrpcRelayClient::DownloadBlob(
    const ObjectId& blob_id, const crypto::SignatureKey& read_key, uint64_t first_chunk,
    uint64_t count, const std::function<absl::Status(uint64_t, std::string&)>& receive) {
  PARLEY_ASSIGN_OR_RETURN(Session session,
                          sessions_.GetNew({blob_id, 0, v1::RIGHT_READ}, read_key));
  v1::DownloadBlobRequest request;
  request.set_token(session.token);
  request.set_blob_id(crypto::ToString(blob_id));
  request.set_first_chunk(first_chunk);
  request.set_chunk_count(count);

  PARLEY_RETURN_IF_ERROR(connection_->KeepCertified());
  const std::shared_ptr<v1::Relay::Stub> stub = connection_->stub();
  ActiveCall call(*connection_, kStallLimit);
  const auto stream = stub->DownloadBlob(&call.context(), request);
  v1::DownloadBlobResponse response;
  absl::Status refused;
  uint64_t next = first_chunk;
  while (stream->Read(&response)) {
    call.Pause();
    if (response.index() != next || (count != 0 && next >= first_chunk + count)) {
      refused = FalseAnswer("chunk " + std::to_string(response.index()) + " came where chunk " +
                            std::to_string(next) + " was due");
    } else {
      refused = receive(next++, *response.mutable_data());
    }
    if (!refused.ok()) {
      call.Cancel();
      break;
    }
    call.Touch();
  }
  const grpc::Status status = stream->Finish();
  if (!refused.ok()) return refused;
  PARLEY_RETURN_IF_ERROR(connection_->EndOf(call, status));
  if (count != 0 && next != first_chunk + count) {
    return FalseAnswer("the blob ends at chunk " + std::to_string(next));
  }
  return absl::OkStatus();
}

}  // namespace parley::client::internal
