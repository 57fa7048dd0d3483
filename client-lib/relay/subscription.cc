#include "client-lib/relay/subscription.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "client-lib/relay/grpc_relay_client.h"
#include "client-lib/relay/retry_hint.h"
#include "client-lib/relay/wire.h"
#include "crypto/base/status_macros.h"

namespace parley::client::internal {
namespace {

using std::chrono::milliseconds;
using Stream = grpc::ClientReaderWriter<v1::SubscribeRequest, v1::SubscribeEvent>;

// Two threads: the worker opens the stream, writes to it and makes it anew after a break; the
// reader turns what comes into events. Everything that both touch is under the mutex.
class GrpcSubscription final : public Subscription {
 public:
  GrpcSubscription(RelayConnection& connection, Sessions& sessions)
      : connection_(connection), sessions_(sessions), worker_([this] { Work(); }) {}

  ~GrpcSubscription() override {
    Cancel();
    worker_.join();
  }

  void Add(const ObjectId& mailbox_id, uint64_t generation, const crypto::SignatureKey& read_key,
           uint64_t from) override {
    std::lock_guard lock(mutex_);
    // What the stream still carries for this mailbox belongs to its earlier subscription, and can't
    // be told from the new one's: so the stream is made anew.
    if (live_.contains(mailbox_id)) BreakStream();
    mailboxes_.insert_or_assign(mailbox_id,
                                Follow{generation, read_key.Clone(), std::max<uint64_t>(from, 1)});
    changed_.notify_all();
  }

  void Drop(const ObjectId& mailbox_id) override {
    std::lock_guard lock(mutex_);
    if (mailboxes_.erase(mailbox_id) == 0) return;
    drops_.push_back(mailbox_id);
    changed_.notify_all();
  }

  std::optional<Event> Next(milliseconds timeout) override {
    std::unique_lock lock(mutex_);
    queued_.wait_for(lock, timeout, [this] { return !events_.empty() || cancelled_; });
    if (events_.empty() || cancelled_) return std::nullopt;
    Event event = std::move(events_.front());
    events_.pop_front();
    queued_bytes_ -= SizeOf(event);
    changed_.notify_all();
    return event;
  }

  void Cancel() override {
    std::lock_guard lock(mutex_);
    cancelled_ = true;
    BreakStream();
    queued_.notify_all();
    changed_.notify_all();
  }

  bool cancelled() const override {
    std::lock_guard lock(mutex_);
    return cancelled_;
  }

 private:
  struct Follow {
    uint64_t generation;
    crypto::SignatureKey key;
    uint64_t next;              // first position not handed over yet
    bool added = false;         // on the present stream
    bool closing_seen = false;  // the relay has yet to say that it ended
    bool anything_came = false;
    int refused_tokens = 0;
  };

  static size_t SizeOf(const Event& event) {
    size_t size = 0;
    if (const Entries* entries = std::get_if<Entries>(&event)) {
      for (const Entry& entry : entries->entries) size += entry.payload.size() + sizeof(Entry);
    }
    return size;
  }

  void Push(Event event) {
    queued_bytes_ += SizeOf(event);
    events_.push_back(std::move(event));
    queued_.notify_one();
  }

  void End(const ObjectId& mailbox_id, bool generation_closed, absl::Status status) {
    mailboxes_.erase(mailbox_id);
    Push(Ended{mailbox_id, generation_closed, std::move(status)});
  }

  void BreakStream() {
    broken_ = true;
    if (call_ != nullptr) call_->Cancel();
  }

  // --- the worker ---

  void Work() {
    int attempt = 0;
    while (true) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return cancelled_ || !mailboxes_.empty(); });
        if (cancelled_) return;
        broken_ = false;
        live_.clear();
        drops_.clear();
        for (auto& [id, follow] : mailboxes_) follow.added = false;
        FinishClosed();
      }
      const absl::Status status = RunStream(attempt);
      std::unique_lock lock(mutex_);
      if (cancelled_) return;
      if (connection_.is_shut_down()) {
        cancelled_ = true;
        queued_.notify_all();
        return;
      }
      if (status.ok()) continue;  // broken on purpose: a mailbox was added anew
      const milliseconds pause = WaitOf(status) + BackoffPause(attempt++);
      Push(Disconnected{status, pause});
      // A fault that waiting doesn't mend is one for the owner: it is told with each attempt.
      const auto until = std::chrono::steady_clock::now() + pause;
      while (!cancelled_ && std::chrono::steady_clock::now() < until) {
        lock.unlock();
        const auto started = std::chrono::steady_clock::now();
        constexpr milliseconds kSlice{100};
        connection_.Pause(kSlice);
        const bool early = std::chrono::steady_clock::now() - started < kSlice;
        lock.lock();
        if (early) break;  // the connection is there again
      }
    }
  }

  // A closing entry was handed over, and the stream broke before the relay's word that it ended.
  void FinishClosed() {
    std::vector<ObjectId> closed;
    for (const auto& [id, follow] : mailboxes_) {
      if (follow.closing_seen) closed.push_back(id);
    }
    for (const ObjectId& id : closed) End(id, true, absl::OkStatus());
  }

  // One stream from beginning to end. OK when it was broken by this side.
  absl::Status RunStream(int& attempt) {
    PARLEY_RETURN_IF_ERROR(connection_.KeepCertified());
    const std::shared_ptr<v1::Relay::Stub> stub = connection_.stub();
    ActiveCall call(connection_);
    std::unique_ptr<Stream> stream = stub->Subscribe(&call.context());
    {
      std::lock_guard lock(mutex_);
      call_ = &call;
      reading_ = true;
      if (broken_) call.Cancel();
    }
    std::thread reader([this, &stream, &attempt] { ReadEvents(*stream, attempt); });
    const absl::Status written = WriteRequests(*stream);
    call.Cancel();
    reader.join();
    const grpc::Status status = stream->Finish();
    std::lock_guard lock(mutex_);
    call_ = nullptr;
    if (broken_) return absl::OkStatus();
    if (!written.ok()) return written;
    absl::Status end = connection_.EndOf(call, status);
    if (end.ok() || absl::IsCancelled(end))
      end = absl::UnavailableError("the relay ended the stream");
    return end;
  }

  // Adds and drops mailboxes as they are wanted, until the stream ends. An error is one of opening
  // a session: the relay can't be reached.
  absl::Status WriteRequests(Stream& stream) {
    while (true) {
      ObjectId id{};
      std::optional<Follow> wanted;
      v1::SubscribeRequest request;
      {
        std::unique_lock lock(mutex_);
        auto next = mailboxes_.end();
        changed_.wait(lock, [&] {
          next = std::find_if(mailboxes_.begin(), mailboxes_.end(),
                              [](const auto& entry) { return !entry.second.added; });
          return broken_ || cancelled_ || !reading_ || !drops_.empty() || next != mailboxes_.end();
        });
        if (broken_ || cancelled_ || !reading_) return absl::OkStatus();
        if (!drops_.empty()) {
          request.set_drop_mailbox_id(crypto::ToString(drops_.back()));
          drops_.pop_back();
        } else {
          id = next->first;
          next->second.added = true;
          wanted = Follow{next->second.generation, next->second.key.Clone(), next->second.next};
          live_.insert(id);
        }
      }
      if (wanted.has_value()) {
        const absl::StatusOr<Session> session =
            sessions_.Get({id, wanted->generation, v1::RIGHT_READ}, wanted->key);
        if (absl::IsUnavailable(session.status()) || absl::IsDeadlineExceeded(session.status())) {
          return session.status();
        }
        if (!session.ok()) {
          std::lock_guard lock(mutex_);
          live_.erase(id);
          if (mailboxes_.contains(id)) End(id, false, session.status());
          continue;
        }
        request.mutable_add()->set_token(session->token);
        request.mutable_add()->set_mailbox_id(crypto::ToString(id));
        request.mutable_add()->set_from(wanted->next);
      }
      if (!stream.Write(request)) return absl::OkStatus();  // the reader has the reason
    }
  }

  // --- the reader ---

  void ReadEvents(Stream& stream, int& attempt) {
    v1::SubscribeEvent event;
    bool connected = false;
    while (stream.Read(&event)) {
      std::unique_lock lock(mutex_);
      if (broken_ || cancelled_) break;
      if (!std::exchange(connected, true)) {
        attempt = 0;
        Push(Connected{});
      }
      Handle(event);
      changed_.wait(lock,
                    [this] { return queued_bytes_ < kMaxQueuedBytes || broken_ || cancelled_; });
    }
    std::lock_guard lock(mutex_);
    reading_ = false;
    changed_.notify_all();
  }

  void Handle(v1::SubscribeEvent& event) {
    switch (event.event_case()) {
      case v1::SubscribeEvent::kEntries:
        return HandleEntries(*event.mutable_entries());
      case v1::SubscribeEvent::kCaughtUp:
        return HandleCaughtUp(event.caught_up());
      case v1::SubscribeEvent::kEnded:
        return HandleEnded(event.ended());
      case v1::SubscribeEvent::EVENT_NOT_SET:
        return;  // of a later version
    }
  }

  // The mailbox that an event is about, if it is still wanted on this stream.
  std::map<ObjectId, Follow>::iterator Find(const std::string& mailbox_id) {
    ObjectId id{};
    if (mailbox_id.size() != id.size()) return mailboxes_.end();
    std::copy(mailbox_id.begin(), mailbox_id.end(), id.begin());
    const auto found = mailboxes_.find(id);
    return found == mailboxes_.end() || !live_.contains(id) ? mailboxes_.end() : found;
  }

  void HandleEntries(v1::SubscribeEvent::Entries& message) {
    const auto found = Find(message.mailbox_id());
    if (found == mailboxes_.end()) return;
    const ObjectId id = found->first;
    Follow& follow = found->second;
    absl::StatusOr<std::vector<Entry>> entries =
        follow.closing_seen ? FalseAnswer("an entry follows the closing of its generation")
                            : FromWire(*message.mutable_entries(), follow.generation, follow.next);
    if (!entries.ok()) {
      drops_.push_back(id);
      changed_.notify_all();
      return End(id, false, entries.status());
    }
    if (entries->empty()) return;
    follow.next += entries->size();
    follow.closing_seen = entries->back().closing.has_value();
    follow.refused_tokens = 0;
    follow.anything_came = true;
    Push(Entries{id, std::move(*entries)});
  }

  void HandleCaughtUp(const v1::SubscribeEvent::CaughtUp& message) {
    const auto found = Find(message.mailbox_id());
    if (found == mailboxes_.end()) return;
    const ObjectId id = found->first;
    if (message.head() + 1 != found->second.next) {
      drops_.push_back(id);
      changed_.notify_all();
      return End(id, false,
                 FalseAnswer("its log is said to end at entry " + std::to_string(message.head()) +
                             " where entry " + std::to_string(found->second.next) + " is next"));
    }
    Push(CaughtUp{id, message.head()});
  }

  void HandleEnded(const v1::SubscribeEvent::Ended& message) {
    const auto found = Find(message.mailbox_id());
    if (found == mailboxes_.end()) return;
    const ObjectId id = found->first;
    Follow& follow = found->second;
    live_.erase(id);
    if (message.generation_closed()) {
      // Nothing came: it was added behind its closing entry, which its owner has read before.
      if (follow.closing_seen || !follow.anything_came) return End(id, true, absl::OkStatus());
      return End(id, false, FalseAnswer("a closed generation ends without its closing entry"));
    }
    const auto code = static_cast<absl::StatusCode>(message.code());
    if (code == absl::StatusCode::kUnauthenticated && follow.refused_tokens++ < 2) {
      sessions_.Forget({id, follow.generation, v1::RIGHT_READ}, follow.key);
      follow.added = false;  // the worker adds it again, with a new session
      changed_.notify_all();
      return;
    }
    if (code == absl::StatusCode::kOutOfRange) {
      return End(id, false,
                 FalseAnswer("its log ends before entry " + std::to_string(follow.next) +
                             ", up to which it was read before"));
    }
    End(id, false,
        code == absl::StatusCode::kOk ? FalseAnswer("a subscription ended without a reason")
                                      : absl::Status(code, message.message()));
  }

  RelayConnection& connection_;
  Sessions& sessions_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;  // for the worker and the reader
  std::condition_variable queued_;   // for Next()
  std::map<ObjectId, Follow> mailboxes_;
  std::set<ObjectId> live_;  // added on the present stream, and not ended
  std::vector<ObjectId> drops_;
  std::deque<Event> events_;
  size_t queued_bytes_ = 0;
  ActiveCall* call_ = nullptr;
  bool reading_ = false;
  bool broken_ = false;  // by this side
  bool cancelled_ = false;

  std::thread worker_;  // last: it uses all of the above
};

}  // namespace

std::unique_ptr<Subscription> MakeSubscription(RelayConnection& connection, Sessions& sessions) {
  return std::make_unique<GrpcSubscription>(connection, sessions);
}

}  // namespace parley::client::internal
