#include "server/grpc/append_stream.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "crypto/base/status_macros.h"
#include "server/core/request_fields.h"
#include "server/grpc/admission.h"
#include "server/grpc/bidi_stream.h"
#include "server/grpc/counted_call.h"
#include "server/grpc/status_mapping.h"

namespace parley::server {
namespace {

namespace v1 = relay::v1;
using Result = v1::AppendStreamResponse::Result;

void Fill(uint64_t number, const absl::StatusOr<uint64_t>& position, Result& result) {
  result.set_number(number);
  if (position.ok()) {
    result.mutable_appended()->set_position(*position);
    return;
  }
  const absl::Status& status = position.status();
  v1::AppendStreamResponse::Refusal& refusal = *result.mutable_refused();
  refusal.set_code(static_cast<uint32_t>(status.code()));
  refusal.set_message(std::string(status.message()));
  if (const auto stale = status.GetPayload(kStaleGenerationPayload); stale.has_value()) {
    refusal.mutable_stale_generation()->ParseFromString(std::string(*stale));
  }
  if (const auto exhausted = status.GetPayload(kExhaustedPayload); exhausted.has_value()) {
    refusal.mutable_exhausted()->ParseFromString(std::string(*exhausted));
  }
}

// Whether an append that ended so has shown the relay a key of its mailbox: what isn't refused for
// its token, or before that is looked at.
bool ShowsKey(const absl::Status& status) {
  switch (OutcomeOf(status)) {
    case Outcome::kOk:
    case Outcome::kStale:
    case Outcome::kAllowance:
    case Outcome::kQuota:
    case Outcome::kMailboxFull:
    case Outcome::kFull:
    case Outcome::kNotFound:
    case Outcome::kUnavailable:
    case Outcome::kDamaged:
      return true;
    default:
      return false;
  }
}

// Appends are read one after the other and handed to the commit queue, which answers them as groups
// of its own. The answers that come while one message of them is on its way become the next.
class AppendStream final : public BidiStream<v1::AppendStreamRequest, v1::AppendStreamResponse> {
 public:
  AppendStream(Relay& relay, OpenStreams& streams, UnreadAnswers& unread,
               grpc::CallbackServerContext& context)
      : BidiStream(streams, relay, Call::kAppendStream, context), call_(unread, context) {}

  void OnReadDone(bool ok) override {
    if (!ok) return Drain(grpc::Status::OK);  // the client has ended its side
    if (!incoming_->request.has_append()) {
      return Drain(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "the append is missing"));
    }
    const std::shared_ptr<Pending> pending = std::exchange(incoming_, nullptr);
    if (!Accept(*pending)) return;
    Take(pending);
    ReadOrPause();
  }

  // Nothing more is taken; the answers that are due still go out.
  void Drain(const grpc::Status& status) override {
    grpc::Status last;
    {
      std::lock_guard lock(answers_mutex_);
      if (!last_.has_value()) last_ = status;
      if (unanswered_ != 0) return;
      last = *last_;
    }
    End(last);
  }

 private:
  // An append from when it was read until it is answered.
  struct Pending {
    explicit Pending(Metrics& metrics) : timer(metrics, Call::kAppend) {}
    v1::AppendStreamRequest request;
    CallTimer timer;
    size_t bytes = 0;
  };

  std::shared_ptr<AppendStream> Self() {
    return std::static_pointer_cast<AppendStream>(shared_from_this());
  }

  // False when the stream is ending: what is read then is nobody's any more. Else an answer is
  // owed, for which the call is held.
  bool Accept(Pending& pending) {
    pending.timer = CallTimer(relay().metrics(), Call::kAppend);
    pending.bytes = pending.request.ByteSizeLong();
    std::lock_guard lock(answers_mutex_);
    if (last_.has_value() || !Hold()) return false;
    ++unanswered_;
    unanswered_bytes_ += pending.bytes;
    return true;
  }

  void Take(const std::shared_ptr<Pending>& pending) {
    const v1::AppendRequest& append = pending->request.append();
    if (absl::Status may = MayAppend(append, pending->bytes); !may.ok()) {
      return Answer(*pending, std::move(may));
    }
    // Together with what comes next, and not on this thread, which reads that.
    relay().mailboxes().Append(
        append,
        [self = Self(), pending](const absl::StatusOr<uint64_t>& position) {
          self->Answer(*pending, position);
        },
        Mailboxes::Haste::kTogether);
  }

  absl::Status MayAppend(const v1::AppendRequest& append, size_t bytes) {
    const uint64_t calls = append.has_closing() ? RateLimits::kSignatureCalls : 1;
    // One was taken before it was read. The others aren't waited for: who needs no more than one to
    // have a signature checked could have any number of them checked.
    if (calls > 1) {
      const auto wait = relay().rates().OfConnection(peer(), calls - 1);
      if (wait.count() != 0) {
        // Refusals may have the connection ended, of which its neighbours mustn't be made to
        // suffer.
        MarkIfMember(relay(), peer(), append.token());
        return TooOften(wait, "this connection");
      }
    }
    PARLEY_RETURN_IF_ERROR(AdmitCaller(relay(), peer(), append.token(), calls));
    const size_t own = append.ByteSizeLong();
    PARLEY_RETURN_IF_ERROR(CheckRequestSize(own, limits(), append.payload().size()));
    return CheckRequestSize(bytes - own, limits());
  }

  // On any thread; the commit queue's must not be kept.
  void Answer(const Pending& pending, const absl::StatusOr<uint64_t>& position) {
    pending.timer.End(position.status());
    if (position.ok()) {
      relay().metrics().of(Call::kAppend).bytes.Add(pending.request.append().payload().size());
    }
    if (ShowsKey(position.status()) && !proven_.exchange(true)) MarkConnectionProven();
    bool is_first = false;
    {
      std::lock_guard lock(answers_mutex_);
      unanswered_bytes_ -= pending.bytes;
      Fill(pending.request.number(), position, *gathered_.add_results());
      is_first = !std::exchange(answering_, true);
      if (is_first) response_.Swap(&gathered_);
    }
    if (is_first) Send();
    Release();
  }

  void Send() {
    call_.Sending(2 * response_.ByteSizeLong());  // gRPC has a copy
    Write(&response_);
  }

  void OnWritten() override {
    call_.Sent();
    bool go_on = false;
    bool reads = false;
    std::optional<grpc::Status> end;
    {
      std::lock_guard lock(answers_mutex_);
      unanswered_ -= static_cast<size_t>(response_.results_size());
      response_.Clear();
      go_on = gathered_.results_size() != 0;
      answering_ = go_on;
      if (go_on) response_.Swap(&gathered_);
      if (unanswered_ == 0) end = last_;
      reads = paused_ && HasRoom() && !last_.has_value();
      if (reads) paused_ = false;
    }
    if (go_on) Send();
    if (end.has_value()) return End(*end);
    if (reads) ReadNext();
  }

  // Under answers_mutex_. One more, of any size, is read while there is room at all.
  bool HasRoom() const {
    return unanswered_ < limits().max_unanswered_appends &&
           unanswered_bytes_ < limits().max_unanswered_append_bytes;
  }

  // A client that leaves its answers unread isn't read from either: OnWritten goes on.
  void ReadOrPause() {
    {
      std::lock_guard lock(answers_mutex_);
      if (last_.has_value()) return;
      paused_ = !HasRoom();
      if (paused_) return;
    }
    ReadNext();
  }

  // Each append counts as a call, before it is read: so none is kept while the stream rests.
  void ReadNext() {
    if (!MayGoOn()) return;
    incoming_ = std::make_shared<Pending>(relay().metrics());
    Read(&incoming_->request);
  }

  void OnBegin() override { ReadNext(); }
  void OnRested() override { ReadNext(); }
  bool IsProven() const override { return proven_; }
  void OnClosed() override { call_.Close(); }

  CountedCall call_;
  std::shared_ptr<Pending> incoming_;  // what is being read
  std::atomic<bool> proven_ = false;
  v1::AppendStreamResponse response_;  // on its way while `answering_`

  std::mutex answers_mutex_;  // guards what follows
  v1::AppendStreamResponse gathered_;
  bool answering_ = false;
  bool paused_ = false;
  std::optional<grpc::Status> last_;  // what the stream ends with, as soon as all is answered
  size_t unanswered_ = 0;             // read, and the answer not taken by the client yet
  size_t unanswered_bytes_ = 0;       // of those without an answer
};

}  // namespace

grpc::ServerBidiReactor<v1::AppendStreamRequest, v1::AppendStreamResponse>* NewAppendStream(
    Relay& relay, OpenStreams& streams, UnreadAnswers& unread,
    grpc::CallbackServerContext& context) {
  auto stream = std::make_shared<AppendStream>(relay, streams, unread, context);
  stream->Begin();
  return stream.get();
}

}  // namespace parley::server
