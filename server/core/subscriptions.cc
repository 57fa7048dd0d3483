#include "server/core/subscriptions.h"

#include <algorithm>
#include <utility>

#include "crypto/base/status_macros.h"
#include "server/core/mailbox_log.h"
#include "server/core/request_fields.h"

namespace parley::server {
namespace {

v1::SubscribeEvent EndedEvent(const storage::ObjectId& mailbox, const absl::Status& status) {
  v1::SubscribeEvent event;
  v1::SubscribeEvent::Ended& ended = *event.mutable_ended();
  ended.set_mailbox_id(std::string(storage::IdView(mailbox)));
  ended.set_code(static_cast<uint32_t>(status.code()));
  ended.set_message(std::string(status.message()));
  return event;
}

}  // namespace

Subscription::Subscription(Core& core, FanOut& fan_out, std::function<void()> wake)
    : core_(core), fan_out_(fan_out), wake_(std::move(wake)) {}

Subscription::~Subscription() { Close(); }

absl::Status Subscription::Admit(const v1::SubscribeRequest::Add& add,
                                 const storage::ObjectId& mailbox, Follow& follow) const {
  if (add.from() == 0) {
    return absl::InvalidArgumentError("add.from is missing: positions begin at 1");
  }
  const uint64_t now = core_.Now();
  PARLEY_ASSIGN_OR_RETURN(TokenClaims claims, TokenField(core_.credentials, add.token(), mailbox,
                                                         AccessRight::kRead, now));
  PARLEY_ASSIGN_OR_RETURN(LogWindow window,
                          LoadWindow(core_.store, mailbox, claims.generation, now));
  if (add.from() > window.last + 1) {
    return absl::OutOfRangeError("from lies beyond the generation's last entry, " +
                                 std::to_string(window.last));
  }
  follow.generation = claims.generation;
  follow.next = add.from();
  return absl::OkStatus();
}

absl::Status Subscription::Add(const v1::SubscribeRequest::Add& add) {
  PARLEY_ASSIGN_OR_RETURN(const storage::ObjectId mailbox,
                          FixedField<32>(add.mailbox_id(), "add.mailbox_id"));
  Follow follow;
  absl::Status admitted = Admit(add, mailbox, follow);
  {
    std::lock_guard lock(mutex_);
    if (closed_) return absl::OkStatus();
    if (admitted.ok() && !follows_.contains(mailbox) &&
        follows_.size() >= core_.limits.max_mailboxes_per_subscription) {
      admitted = absl::ResourceExhaustedError(
          "one stream follows at most " +
          std::to_string(core_.limits.max_mailboxes_per_subscription) + " mailboxes: open another");
    }
    if (!admitted.ok()) {
      refusals_.push_back({mailbox, admitted});
    } else {
      proven_ = true;
      follow.serial = next_serial_++;
      auto existing = follows_.find(mailbox);
      follow.queued = existing != follows_.end() && existing->second.queued;
      follows_.insert_or_assign(mailbox, follow);
    }
  }
  if (!admitted.ok()) {
    Wake();
    return absl::OkStatus();
  }
  fan_out_.Register(mailbox, shared_from_this());
  // What is committed from here on is heard of; what was before is found by the first read.
  if (MarkReady(mailbox)) Wake();
  return absl::OkStatus();
}

absl::Status Subscription::Drop(const std::string& mailbox_id) {
  PARLEY_ASSIGN_OR_RETURN(const storage::ObjectId mailbox,
                          FixedField<32>(mailbox_id, "drop_mailbox_id"));
  {
    std::lock_guard lock(mutex_);
    auto found = follows_.find(mailbox);
    if (found == follows_.end()) return absl::OkStatus();
    // Who adds and drops without reading must not make the queue grow.
    if (found->second.queued) std::erase(ready_, mailbox);
    follows_.erase(found);
  }
  fan_out_.Unregister(mailbox, this);
  return absl::OkStatus();
}

size_t Subscription::QueuedForTest() const {
  std::lock_guard lock(mutex_);
  return ready_.size();
}

bool Subscription::IsProven() const {
  std::lock_guard lock(mutex_);
  return proven_;
}

bool Subscription::IsCongested() const {
  std::lock_guard lock(mutex_);
  return refusals_.size() >= core_.limits.max_unread_refusals;
}

bool Subscription::MarkReady(const storage::ObjectId& mailbox) {
  std::lock_guard lock(mutex_);
  auto found = follows_.find(mailbox);
  if (closed_ || found == follows_.end()) return false;
  if (!found->second.queued) {
    found->second.queued = true;
    ready_.push_back(mailbox);
  }
  if (!idle_ || wake_pending_) return false;
  wake_pending_ = true;
  return true;
}

bool Subscription::IsFollowing(const storage::ObjectId& mailbox) const {
  std::lock_guard lock(mutex_);
  return follows_.contains(mailbox);
}

void Subscription::Wake() {
  std::function<void()> wake;
  {
    std::lock_guard lock(mutex_);
    wake_pending_ = false;
    if (!idle_ || closed_) return;
    idle_ = false;
    wake = wake_;
  }
  wake();
}

bool Subscription::Next(v1::SubscribeEvent& event) {
  while (true) {
    storage::ObjectId mailbox{};
    Follow follow;
    {
      std::lock_guard lock(mutex_);
      if (!closed_ && !refusals_.empty()) {
        event = EndedEvent(refusals_.front().mailbox, refusals_.front().status);
        refusals_.pop_front();
        return true;
      }
      if (closed_ || ready_.empty()) {
        idle_ = true;
        return false;
      }
      mailbox = ready_.front();
      ready_.pop_front();
      auto found = follows_.find(mailbox);
      if (found == follows_.end()) continue;  // dropped since
      // A change from here on puts it into ready_ again.
      found->second.queued = false;
      follow = found->second;
    }
    bool ended = false;
    bool more = false;
    event.Clear();
    const bool have_event = Advance(mailbox, follow, ended, more, event);
    bool current = false;
    {
      std::lock_guard lock(mutex_);
      auto found = follows_.find(mailbox);
      current = found != follows_.end() && found->second.serial == follow.serial;
      if (current && ended) {
        follows_.erase(found);
      } else if (current) {
        found->second.next = follow.next;
        found->second.caught_up = follow.caught_up;
        if (more && !found->second.queued) {
          found->second.queued = true;
          ready_.push_back(mailbox);
        }
      }
    }
    if (!current) continue;
    if (ended) fan_out_.Unregister(mailbox, this);
    if (have_event) return true;
  }
}

bool Subscription::Advance(const storage::ObjectId& mailbox, Follow& follow, bool& ended,
                           bool& more, v1::SubscribeEvent& event) const {
  const std::string id(storage::IdView(mailbox));
  absl::StatusOr<LogWindow> window =
      LoadWindow(core_.store, mailbox, follow.generation, core_.Now());
  absl::Status status = window.status();
  if (status.ok()) {
    follow.next = std::max(follow.next, window->first);
    if (follow.next <= window->last) {
      v1::SubscribeEvent::Entries& entries = *event.mutable_entries();
      entries.set_mailbox_id(id);
      status = ReadEntries(core_.store, mailbox, follow.next, window->last,
                           {core_.limits.default_read_entries, core_.limits.default_read_bytes},
                           *entries.mutable_entries());
      if (status.ok()) {
        follow.next += static_cast<uint64_t>(entries.entries_size());
        more = follow.next <= window->last || !follow.caught_up || window->closed;
        return true;
      }
    }
  }
  if (!status.ok()) {
    event = EndedEvent(mailbox, status);
    ended = true;
    return true;
  }
  if (!follow.caught_up) {
    follow.caught_up = true;
    event.mutable_caught_up()->set_mailbox_id(id);
    event.mutable_caught_up()->set_head(window->last);
    more = window->closed;
    return true;
  }
  if (window->closed) {
    event.mutable_ended()->set_mailbox_id(id);
    event.mutable_ended()->set_generation_closed(true);
    ended = true;
    return true;
  }
  return false;
}

void Subscription::Close() {
  std::unordered_map<storage::ObjectId, Follow, storage::ObjectIdHash> follows;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    follows.swap(follows_);
    ready_.clear();
    refusals_.clear();
  }
  for (const auto& [mailbox, follow] : follows) fan_out_.Unregister(mailbox, this);
}

FanOut::FanOut(storage::KeyValueStore& store) : store_(store), thread_([this] { Work(); }) {
  watch_ = store_.Watch(storage::Space::kRecords, std::string(storage::kMailboxPrefix),
                        [this](std::span<const std::string_view> keys) { OnCommit(keys); });
}

FanOut::~FanOut() {
  store_.Unwatch(watch_);
  {
    std::lock_guard lock(wake_mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

std::shared_ptr<Subscription> FanOut::Subscribe(Core& core, std::function<void()> wake) {
  return std::shared_ptr<Subscription>(new Subscription(core, *this, std::move(wake)));
}

void FanOut::Register(const storage::ObjectId& mailbox,
                      const std::shared_ptr<Subscription>& subscriber) {
  std::lock_guard lock(registry_mutex_);
  Subscribers& subscribers = registry_[mailbox];
  for (const std::weak_ptr<Subscription>& known : subscribers) {
    if (!known.owner_before(subscriber) && !subscriber.owner_before(known)) return;
  }
  subscribers.push_back(subscriber);
}

void FanOut::Unregister(const storage::ObjectId& mailbox, const Subscription* subscriber) {
  // Locking a weak pointer may make this the last owner of another subscription, whose destructor
  // comes back here: so they are released after the lock.
  std::vector<std::shared_ptr<Subscription>> alive;
  std::lock_guard lock(registry_mutex_);
  if (subscriber->IsFollowing(mailbox)) return;
  auto found = registry_.find(mailbox);
  if (found == registry_.end()) return;
  std::erase_if(found->second, [&](const std::weak_ptr<Subscription>& known) {
    std::shared_ptr<Subscription> locked = known.lock();
    // A subscription that is being destroyed can't be locked any more: it goes too.
    if (locked == nullptr || locked.get() == subscriber) return true;
    alive.push_back(std::move(locked));
    return false;
  });
  if (found->second.empty()) registry_.erase(found);
}

void FanOut::OnCommit(std::span<const std::string_view> mailbox_keys) {
  std::vector<std::shared_ptr<Subscription>> alive;
  bool woken = false;
  {
    std::lock_guard lock(registry_mutex_);
    if (registry_.empty()) return;
    for (std::string_view key : mailbox_keys) {
      std::optional<storage::ObjectId> mailbox = storage::MailboxOfKey(key);
      if (!mailbox.has_value()) continue;
      auto found = registry_.find(*mailbox);
      if (found == registry_.end()) continue;
      for (const std::weak_ptr<Subscription>& known : found->second) {
        std::shared_ptr<Subscription> subscriber = known.lock();
        if (subscriber == nullptr) continue;
        if (subscriber->MarkReady(*mailbox)) {
          std::lock_guard wake_lock(wake_mutex_);
          to_wake_.push_back(subscriber);
          woken = true;
        }
        alive.push_back(std::move(subscriber));
      }
    }
  }
  if (woken) wake_.notify_one();
}

void FanOut::Work() {
  while (true) {
    Subscribers batch;
    {
      std::unique_lock lock(wake_mutex_);
      wake_.wait(lock, [this] { return stopping_ || !to_wake_.empty(); });
      if (to_wake_.empty()) return;
      batch.swap(to_wake_);
    }
    for (const std::weak_ptr<Subscription>& known : batch) {
      if (std::shared_ptr<Subscription> subscriber = known.lock()) subscriber->Wake();
    }
  }
}

}  // namespace parley::server
