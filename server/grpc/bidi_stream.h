// The base of the relay's two-way streams, as reactors of gRPC's callback interface.
#ifndef PARLEY_SERVER_GRPC_BIDI_STREAM_H_
#define PARLEY_SERVER_GRPC_BIDI_STREAM_H_

#include <grpcpp/alarm.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "server/core/relay.h"
#include "server/grpc/streams.h"

namespace parley::server {

// What the two-way streams have in common: one write at a time, and one end, which waits for the
// write that is under way, and for whatever holds the stream. One on which no key was shown ends
// after a while, so that who has none can't take up all the places.
//
// Lifetime: owns itself from Begin until gRPC is done with the call. Threading: gRPC's, any.
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
    // The two enumerations of codes have the same values.
    metrics_.Ended(call_kind_,
                   OutcomeOf(absl::Status(static_cast<absl::StatusCode>(status.error_code()), "")));
    FinishIfDue();
  }

  void OnWriteDone(bool ok) override {
    {
      std::lock_guard lock(mutex_);
      writing_ = false;
      if (ending_) return FinishIfDue();
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

  // Until as many Release, the call goes on, whoever ends the stream meanwhile. False when that
  // has been done: nothing is held then.
  bool Hold() {
    std::lock_guard lock(mutex_);
    if (ending_) return false;
    ++holders_;
    return true;
  }
  // The caller keeps the stream alive.
  void Release() {
    std::lock_guard lock(mutex_);
    --holders_;
    FinishIfDue();
  }
  const std::string& peer() const { return peer_; }
  // A key was shown on this stream.
  void MarkConnectionProven() { relay_.rates().MarkProven(peer_); }

  // Whether the stream's connection may do so much more now; if not, OnRested will be called when
  // it may ask again. Nothing is read meanwhile: so the client waits, and the stream goes on.
  bool MayGoOn() {
    const std::chrono::milliseconds wait = relay_.rates().OfConnection(peer_);
    if (wait.count() == 0) return true;
    // Again: among very many connections the mark may have been forgotten.
    if (IsProven()) MarkConnectionProven();
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
  // Under mutex_.
  void FinishIfDue() {
    if (!ending_ || writing_ || holders_ != 0 || std::exchange(finished_, true)) return;
    this->Finish(end_status_);
  }

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
  bool finished_ = false;
  size_t holders_ = 0;
  grpc::Status end_status_;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_GRPC_BIDI_STREAM_H_
