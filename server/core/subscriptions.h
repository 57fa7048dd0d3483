// Fan-out: one subscription follows many mailboxes and is told of their new entries.
//
// Nothing is queued for a subscriber but the names of mailboxes that have changed; entries are read
// from the store when the subscriber can take them. So a slow reader costs no memory and holds up
// nobody, and whoever comes back goes on from its position.
//
//   auto subscription = fan_out.Subscribe(core, [..] { /* Next() may have something */ });
//   subscription->Add(add);
//   while (subscription->Next(event)) Send(event);   // false: `wake` will be called
//   subscription->Close();
#ifndef PARLEY_SERVER_CORE_SUBSCRIPTIONS_H_
#define PARLEY_SERVER_CORE_SUBSCRIPTIONS_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "parley/relay/v1/relay.pb.h"
#include "server/core/core.h"

namespace parley::server {

class FanOut;

// Threading: Add, Drop, Close from any thread; Next from one at a time: from construction on until
// it has returned false, and then only after `wake`.
class Subscription : public std::enable_shared_from_this<Subscription> {
 public:
  ~Subscription();
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  // Follows a mailbox; one that is followed already starts over from the new position. A refusal
  // comes as an Ended event, which repeats the id: so one that isn't 32 bytes is an error, after
  // which the stream ends. Whoever sends the request decides how much of it there is, and nothing
  // but ids is kept of it. Errors: InvalidArgument.
  absl::Status Add(const relay::v1::SubscribeRequest::Add& add);
  // Errors: InvalidArgument, as Add.
  absl::Status Drop(const std::string& mailbox_id);

  // The next event, or false when there is none for now.
  bool Next(relay::v1::SubscribeEvent& event);

  // How many changed mailboxes wait for Next.
  size_t QueuedForTest() const;

  // Whether a mailbox was ever followed: who subscribes has shown a key that this relay knows.
  bool IsProven() const;

  // Whether so many refusals are unread that further requests should wait.
  bool IsCongested() const;

  // Nothing is followed and `wake` is not called any more, once the call that may be running has
  // returned.
  void Close();

 private:
  friend class FanOut;

  struct Follow {
    uint64_t generation = 1;
    uint64_t next = 1;       // first position not sent yet
    bool caught_up = false;  // CaughtUp was sent
    bool queued = false;     // is in ready_
    uint64_t serial = 0;     // tells a mailbox that was dropped and added again
  };

  struct Refusal {
    storage::ObjectId mailbox{};
    absl::Status status;
  };

  Subscription(Core& core, FanOut& fan_out, std::function<void()> wake);

  // Returns whether Wake() has to be called.
  bool MarkReady(const storage::ObjectId& mailbox);
  bool IsFollowing(const storage::ObjectId& mailbox) const;
  void Wake();
  absl::Status Admit(const relay::v1::SubscribeRequest::Add& add, const storage::ObjectId& mailbox,
                     Follow& follow) const;
  // What `follow` gives now. False: it is up to date.
  bool Advance(const storage::ObjectId& mailbox, Follow& follow, bool& ended, bool& more,
               relay::v1::SubscribeEvent& event) const;

  Core& core_;
  FanOut& fan_out_;
  mutable std::mutex mutex_;
  std::function<void()> wake_;
  std::unordered_map<storage::ObjectId, Follow, storage::ObjectIdHash> follows_;
  std::deque<storage::ObjectId> ready_;
  std::deque<Refusal> refusals_;
  uint64_t next_serial_ = 1;
  bool idle_ = false;          // Next returned false, and `wake` has not been called since
  bool wake_pending_ = false;  // somebody has promised to call Wake()
  bool proven_ = false;
  bool closed_ = false;
};

// Threading: any thread. Lifetime: outlives its subscriptions.
class FanOut {
 public:
  explicit FanOut(storage::KeyValueStore& store);
  ~FanOut();
  FanOut(const FanOut&) = delete;
  FanOut& operator=(const FanOut&) = delete;

  // `wake` must be quick, and runs on a thread of the fan-out or of a call to the subscription.
  std::shared_ptr<Subscription> Subscribe(Core& core, std::function<void()> wake);

 private:
  friend class Subscription;
  using Subscribers = std::vector<std::weak_ptr<Subscription>>;

  void Register(const storage::ObjectId& mailbox, const std::shared_ptr<Subscription>& subscriber);
  // Unless it follows the mailbox (again).
  void Unregister(const storage::ObjectId& mailbox, const Subscription* subscriber);
  void OnCommit(std::span<const std::string_view> mailbox_keys);
  void Work();

  storage::KeyValueStore& store_;
  std::mutex registry_mutex_;  // is taken before a subscription's own, never after it
  std::unordered_map<storage::ObjectId, Subscribers, storage::ObjectIdHash> registry_;
  std::mutex wake_mutex_;
  std::condition_variable wake_;
  Subscribers to_wake_;
  bool stopping_ = false;
  uint64_t watch_ = 0;
  std::thread thread_;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_SUBSCRIPTIONS_H_
