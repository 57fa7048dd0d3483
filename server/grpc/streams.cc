#include "server/grpc/streams.h"

#include <grpcpp/alarm.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base/status_macros.h"
#include "server/grpc/admission.h"
#include "server/grpc/counted_call.h"
#include "server/grpc/status_mapping.h"

namespace parley::server {
namespace {

namespace v1 = relay::v1;

Outcome OutcomeOfCode(const grpc::Status& status) {
  // The two enumerations of codes have the same values.
  return OutcomeOf(absl::Status(static_cast<absl::StatusCode>(status.error_code()), ""));
}

// What the two-way streams have in common: one write at a time, and one end, which waits for the
// write that is under way. One on which no key was shown ends after a while, so that who has none
// can't take up all the places.
template <typename Request, typename Response>
class BidiStream : public grpc::ServerBidiReactor<Request, Response>,
                   public EndableStream,
                   public std::enable_shared_from_this<BidiStream<Request, Response>> {
 public:
  BidiStream(OpenStreams& streams, Relay& relay, Call call,
             const grpc::CallbackServerContext& context)
      : streams_(streams),
        relay_(relay),
        limits_(relay.limits()),
        metrics_(relay.metrics()),
        call_kind_(call),
        peer_(context.peer()) {}

  // Takes ownership of itself until OnDone.
  void Begin() {
    self_ = this->shared_from_this();
    std::weak_ptr<BidiStream> weak = self_;
    proving_.Set(
        std::chrono::system_clock::now() + std::chrono::seconds(limits_.unproven_stream_seconds),
        [weak](bool /*in_time*/) {
          auto stream = weak.lock();
          if (stream == nullptr || stream->IsProven()) return;
          stream->End(
              grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "no key was shown on this stream"));
        });
    metrics_.open_streams.Add(1);
    streams_.Add(self_, limits_.max_open_streams);
    OnBegin();
  }

  void End(const grpc::Status& status) override {
    std::lock_guard lock(mutex_);
    if (ending_) return;
    ending_ = true;
    end_status_ = status;
    metrics_.Ended(call_kind_, OutcomeOfCode(status));
    if (!writing_) this->Finish(end_status_);
  }

  void OnWriteDone(bool ok) override {
    {
      std::lock_guard lock(mutex_);
      writing_ = false;
      if (ending_) {
        this->Finish(end_status_);
        return;
      }
    }
    if (!ok) return End(grpc::Status::CANCELLED);
    OnWritten();
  }

  void OnCancel() override { End(grpc::Status::CANCELLED); }

  void OnDone() override {
    {
      std::lock_guard lock(rest_mutex_);
      closed_ = true;
    }
    streams_.Remove(this);
    metrics_.open_streams.Add(-1);
    proving_.Cancel();
    {
      std::lock_guard lock(mutex_);
      rest_.reset();
    }
    OnClosed();
    self_.reset();  // the last owner, unless a wake-up is on its way
  }

 protected:
  virtual void OnBegin() = 0;
  virtual void OnWritten() = 0;
  virtual void OnClosed() = 0;
  virtual bool IsProven() const = 0;
  // After a rest (MayGoOn). gRPC's part of the call, and the relay, are still there.
  virtual void OnRested() = 0;
  Relay& relay() { return relay_; }
  const Limits& limits() const { return limits_; }
  void CountBytes(size_t bytes) { metrics_.of(call_kind_).bytes.Add(bytes); }

  // Sends `response`, which stays until OnWritten, unless the stream is ending. No write may be
  // under way.
  void Write(const Response* response) {
    std::lock_guard lock(mutex_);
    if (ending_) return;
    writing_ = true;
    this->StartWrite(response);
  }
  void Read(Request* request) {
    std::lock_guard lock(mutex_);
    if (!ending_) this->StartRead(request);
  }

  // Whether the stream's connection may do so much more now; if not, OnRested will be called when
  // it may ask again. Nothing is read meanwhile: so the client waits, and the stream goes on.
  bool MayGoOn() {
    const std::chrono::milliseconds wait = relay_.rates().OfConnection(peer_);
    if (wait.count() == 0) return true;
    std::weak_ptr<BidiStream> weak = this->weak_from_this();
    // An alarm can't be set while it calls, which this may be called by. The one before lives on
    // in its call.
    auto rest = std::make_unique<grpc::Alarm>();
    std::lock_guard lock(mutex_);
    if (ending_) return false;
    rest->Set(std::chrono::system_clock::now() + wait, [weak](bool in_time) {
      if (!in_time) return;
      if (auto stream = weak.lock()) stream->EndRest();
    });
    rest_.swap(rest);
    return false;
  }

 private:
  // On the alarm's thread, which gRPC knows nothing of: it may be done with the call meanwhile, and
  // the relay with its server. OnDone waits for this, which can't be called by it: gRPC calls
  // OnDone later, on a thread of its own, whoever ends the stream.
  void EndRest() {
    std::lock_guard lock(rest_mutex_);
    if (!closed_) OnRested();
  }

  OpenStreams& streams_;
  Relay& relay_;
  const Limits limits_;
  Metrics& metrics_;
  const Call call_kind_;
  const std::string peer_;  // not asked of the context, which may go during a rest
  grpc::Alarm proving_;
  std::unique_ptr<grpc::Alarm> rest_;
  std::shared_ptr<BidiStream> self_;
  std::mutex rest_mutex_;  // before mutex_
  bool closed_ = false;    // gRPC is done; guarded by rest_mutex_
  std::mutex mutex_;
  bool writing_ = false;
  bool ending_ = false;
  grpc::Status end_status_;
};

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
  for (const auto& stream : streams) stream->End(status);
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
