#include "server/grpc/streams.h"

#include <atomic>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base/status_macros.h"
#include "server/grpc/admission.h"
#include "server/grpc/bidi_stream.h"
#include "server/grpc/counted_call.h"
#include "server/grpc/status_mapping.h"

namespace parley::server {
namespace {

namespace v1 = relay::v1;

class SubscribeStream final : public BidiStream<v1::SubscribeRequest, v1::SubscribeEvent> {
 public:
  SubscribeStream(Relay& relay, OpenStreams& streams, UnreadAnswers& unread,
                  grpc::CallbackServerContext& context)
      : BidiStream(streams, relay, Call::kSubscribe, context), call_(unread, context) {}

  void OnReadDone(bool ok) override {
    if (!ok) return End(grpc::Status::OK);  // the client has ended its side: it wants no more
    if (absl::Status size = CheckSize(); !size.ok()) return End(ToGrpcStatus(size));
    GoOn();
  }

 private:
  // Also for a mailbox that is dropped, which otherwise could be added and dropped for ever.
  void GoOn() {
    if (!MayGoOn()) return;
    const absl::Status taken = Take();
    // Not kept while the stream waits for its client, however much came in it.
    v1::SubscribeRequest().Swap(&request_);
    if (!taken.ok()) return End(ToGrpcStatus(taken));
    if (!marked_ && subscription_->IsProven()) {
      MarkConnectionProven();
      marked_ = true;
    }
    ReadOrPause();
  }

  absl::Status CheckSize() const {
    const size_t size = request_.ByteSizeLong();
    if (size <= limits().max_subscribe_request_bytes) return absl::OkStatus();
    return absl::InvalidArgumentError("the request has " + std::to_string(size) +
                                      " bytes: one in a subscription may have " +
                                      std::to_string(limits().max_subscribe_request_bytes));
  }

  absl::Status Take() {
    switch (request_.request_case()) {
      case v1::SubscribeRequest::kAdd:
        return subscription_->Add(request_.add());
      case v1::SubscribeRequest::kDropMailboxId:
        return subscription_->Drop(request_.drop_mailbox_id());
      default:
        return absl::InvalidArgumentError("the request is missing: add or drop_mailbox_id");
    }
  }

  bool IsProven() const override { return subscription_->IsProven(); }
  void OnRested() override { GoOn(); }

  void OnBegin() override {
    // The subscription may outlive the stream by a wake-up.
    std::weak_ptr<BidiStream> weak = weak_from_this();
    subscription_ = relay().Subscribe([weak] {
      if (auto stream = weak.lock()) static_cast<SubscribeStream&>(*stream).Pump();
    });
    Pump();
    ReadOrPause();
  }

  void OnWritten() override {
    call_.Sent();
    ReadIfPaused();
    Pump();
  }

  void OnClosed() override {
    subscription_->Close();
    call_.Close();
  }

  // Sends the next event. Runs on one thread at a time: at the beginning, after a wake-up, after a
  // write.
  void Pump() {
    if (!subscription_->Next(event_)) return;
    const size_t size = event_.ByteSizeLong();
    CountBytes(size);
    call_.Sending(2 * size);  // gRPC has a copy
    Write(&event_);
  }

  // A client that leaves its refusals unread isn't read from either.
  void ReadOrPause() {
    {
      std::lock_guard lock(pause_mutex_);
      if (subscription_->IsCongested()) {
        paused_ = true;
        return;
      }
    }
    Read(&request_);
  }

  void ReadIfPaused() {
    {
      std::lock_guard lock(pause_mutex_);
      if (!paused_ || subscription_->IsCongested()) return;
      paused_ = false;
    }
    Read(&request_);
  }

  CountedCall call_;
  std::shared_ptr<Subscription> subscription_;
  v1::SubscribeRequest request_;
  v1::SubscribeEvent event_;
  bool marked_ = false;  // the connection, as one on which a key was shown
  std::mutex pause_mutex_;
  bool paused_ = false;
};

class UploadStream final : public BidiStream<v1::UploadBlobRequest, v1::UploadBlobResponse> {
 public:
  UploadStream(Relay& relay, OpenStreams& streams, grpc::CallbackServerContext& context)
      : BidiStream(streams, relay, Call::kUploadBlob, context),
        context_(context),
        upload_(relay.StartUpload()) {}

  void OnReadDone(bool ok) override {
    if (!ok) return OnLastRead();
    absl::Status status = Take();
    v1::UploadBlobRequest().Swap(&request_);
    if (!status.ok()) return End(ToGrpcStatus(status));
    ReadNext();
  }

 private:
  // Each chunk counts as a call, before it is read: so none is kept while the stream rests.
  void ReadNext() {
    if (MayGoOn()) Read(&request_);
  }

  void OnBegin() override { Read(&request_); }

  bool IsProven() const override { return proven_; }
  void OnRested() override { ReadNext(); }

  absl::Status Take() {
    switch (request_.request_case()) {
      case v1::UploadBlobRequest::kHeader:
        if (std::exchange(has_header_, true)) {
          return absl::InvalidArgumentError("the header comes once, in the first message");
        }
        PARLEY_RETURN_IF_ERROR(Admit(relay(), context_, request_.header().token()));
        PARLEY_RETURN_IF_ERROR(upload_->Start(request_.header()));
        proven_ = true;
        return absl::OkStatus();
      case v1::UploadBlobRequest::kChunk: {
        const size_t size = request_.chunk().data().size();
        absl::StatusOr<uint64_t> stored = upload_->Write(
            request_.chunk().index(), std::move(*request_.mutable_chunk()->mutable_data()));
        if (!stored.ok()) return stored.status();
        CountBytes(size);
        Acknowledge(*stored);
        return absl::OkStatus();
      }
      default:
        return absl::InvalidArgumentError("the request is missing: header or chunk");
    }
  }

  // One acknowledgement is under way at a time; those that come meanwhile become one.
  void Acknowledge(uint64_t stored) {
    {
      std::lock_guard lock(ack_mutex_);
      stored_ = stored;
      has_news_ = true;
      if (std::exchange(acknowledging_, true)) return;
      has_news_ = false;
      response_.set_chunks(stored_);
    }
    Write(&response_);
  }

  void OnWritten() override {
    bool end = false;
    {
      std::lock_guard lock(ack_mutex_);
      if (std::exchange(has_news_, false)) {
        response_.set_chunks(stored_);
      } else {
        acknowledging_ = false;
        end = client_is_done_;
        if (!end) return;
      }
    }
    if (end) return End(grpc::Status::OK);
    Write(&response_);
  }

  // The client has ended its side: the last acknowledgement still goes out.
  void OnLastRead() {
    {
      std::lock_guard lock(ack_mutex_);
      client_is_done_ = true;
      if (acknowledging_) return;
    }
    End(grpc::Status::OK);
  }

  // Now, since an alarm may keep the stream for longer than there is a relay.
  void OnClosed() override { upload_.reset(); }

  grpc::CallbackServerContext& context_;  // only for what gRPC calls
  std::unique_ptr<BlobUpload> upload_;
  v1::UploadBlobRequest request_;
  v1::UploadBlobResponse response_;
  bool has_header_ = false;
  std::atomic<bool> proven_ = false;
  std::mutex ack_mutex_;
  uint64_t stored_ = 0;
  bool acknowledging_ = false;
  bool has_news_ = false;
  bool client_is_done_ = false;
};

}  // namespace

void OpenStreams::Add(const std::shared_ptr<EndableStream>& stream, size_t most) {
  grpc::Status reason(grpc::StatusCode::RESOURCE_EXHAUSTED,
                      "the relay has too many open streams: try again later");
  {
    std::lock_guard lock(mutex_);
    if (!ended_ && streams_.size() < most) {
      streams_.emplace(stream.get(), stream);
      return;
    }
    if (ended_) reason = end_status_;
  }
  stream->End(reason);
}

void OpenStreams::Remove(const EndableStream* stream) {
  std::lock_guard lock(mutex_);
  streams_.erase(stream);
}

void OpenStreams::EndAll(const grpc::Status& status) {
  std::vector<std::shared_ptr<EndableStream>> streams;
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
    end_status_ = status;
    for (auto& [key, weak] : streams_) {
      if (auto stream = weak.lock()) streams.push_back(std::move(stream));
    }
  }
  for (const auto& stream : streams) stream->Drain(status);
}

grpc::ServerBidiReactor<v1::SubscribeRequest, v1::SubscribeEvent>* NewSubscribeStream(
    Relay& relay, OpenStreams& streams, UnreadAnswers& unread,
    grpc::CallbackServerContext& context) {
  auto stream = std::make_shared<SubscribeStream>(relay, streams, unread, context);
  stream->Begin();
  return stream.get();
}

grpc::ServerBidiReactor<v1::UploadBlobRequest, v1::UploadBlobResponse>* NewUploadStream(
    Relay& relay, OpenStreams& streams, grpc::CallbackServerContext& context) {
  auto stream = std::make_shared<UploadStream>(relay, streams, context);
  stream->Begin();
  return stream.get();
}

}  // namespace parley::server
