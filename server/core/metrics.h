// What the relay counts of its own work: numbers alone, never an id, an address or a key.
//
//   Metrics& metrics = relay.metrics();
//   metrics.commit_seconds.Observe(took);
//
// Counting is an atomic addition. Who reads the numbers sees each as it is at that moment, and not
// all as of the same one. server/metrics exports them.
//
// Threading: any thread.
#ifndef PARLEY_SERVER_CORE_METRICS_H_
#define PARLEY_SERVER_CORE_METRICS_H_

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace parley::server {

// Only grows.
class Counter {
 public:
  void Add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_ = 0;
};

// How much of something there is now.
class Gauge {
 public:
  void Set(size_t value) { value_.store(static_cast<int64_t>(value), std::memory_order_relaxed); }
  void Add(int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_ = 0;
};

// How often something took how long.
class Durations {
 public:
  // The upper ends of the steps, in seconds; behind the last there is one more, without an end.
  static constexpr std::array<double, 14> kBounds = {
      0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5};

  void Observe(std::chrono::nanoseconds took) {
    const double seconds = std::chrono::duration<double>(took).count();
    size_t step = 0;
    while (step < kBounds.size() && seconds > kBounds[step]) ++step;
    counts_[step].Add();
    nanoseconds_.Add(static_cast<uint64_t>(took.count() < 0 ? 0 : took.count()));
  }
  uint64_t count(size_t step) const { return counts_[step].value(); }
  double seconds() const { return static_cast<double>(nanoseconds_.value()) / 1e9; }

 private:
  std::array<Counter, kBounds.size() + 1> counts_;
  Counter nanoseconds_;
};

// The calls of relay.proto. An append on a stream counts as one, too.
enum class Call : uint8_t {
  kGetInfo,
  kGetChallenge,
  kOpenSession,
  kCreateMailbox,
  kAppend,
  kAppendStream,
  kRead,
  kSubscribe,
  kControlMailbox,
  kCreateBlob,
  kUploadBlob,
  kSealBlob,
  kStatBlob,
  kDownloadBlob,
  kDeleteBlob,
  kIssueVouchers,
};
inline constexpr std::array<std::string_view, 16> kCallNames = {
    "GetInfo",  "GetChallenge", "OpenSession",    "CreateMailbox", "Append",     "AppendStream",
    "Read",     "Subscribe",    "ControlMailbox", "CreateBlob",    "UploadBlob", "SealBlob",
    "StatBlob", "DownloadBlob", "DeleteBlob",     "IssueVouchers"};

// How a call ended: done, or why it was refused.
enum class Outcome : uint8_t {
  kOk,
  kQuota,        // the sponsor's quota is used up
  kAllowance,    // the mailbox's allowance until its next closing is
  kMailboxFull,  // what the mailbox's voucher pays for is
  kVoucher,      // the voucher pays for less
  kStale,        // somebody else's append closed the generation before
  kRate,         // a connection, session or sponsor asks too often
  kFull,         // the relay is busy, has too many streams, or its disk is full
  kNoRight,      // no valid key, token, voucher or signature
  kNotFound,
  kWrong,        // a request that can't be, or not now
  kCancelled,    // by the client, or for answers that it left unread
  kUnavailable,  // the relay is ending, or its store has failed
  kDamaged,      // something in the store is
  kOther,
};
inline constexpr std::array<std::string_view, 15> kOutcomeNames = {
    "ok",          "quota",   "allowance", "mailbox_full", "voucher", "stale_generation",
    "rate",        "full",    "no_right",  "not_found",    "wrong",   "cancelled",
    "unavailable", "damaged", "other"};

// Of the core's status, with the details that its refusals carry; or of a bare code.
Outcome OutcomeOf(const absl::Status& status);

struct CallMetrics {
  std::array<Counter, kOutcomeNames.size()> ended;
  Durations seconds;  // of calls that aren't streams
  Counter bytes;      // of payloads and chunks, in or out
};

struct Metrics {
  CallMetrics& of(Call call) { return calls[static_cast<size_t>(call)]; }
  void Ended(Call call, Outcome outcome) { of(call).ended[static_cast<size_t>(outcome)].Add(); }

  std::array<CallMetrics, kCallNames.size()> calls;
  Gauge open_streams;  // subscriptions, uploads and streams of appends

  // The commit queue: what waits, and the synced batches that it becomes.
  Gauge queued_steps;
  Gauge queued_bytes;
  Durations commit_seconds;
  Counter committed_steps;
  Counter failed_commits;

  Gauge unread_bytes;
  Counter given_up_answers;  // that clients left unread

  Counter connections;  // that were taken
  Counter connections_over_limit;
  Counter connections_over_address_limit;
  Counter connections_too_often;         // from their address
  Counter connections_too_often_in_all;  // from all addresses together
  Counter connections_barred;            // refused, since their address is kept out for a while
  Counter connections_ended;             // that called on without waiting
  Counter connections_unproven;          // ended for others, since no key was shown on them

  Counter reloads;
  Counter failed_reloads;
};

// Takes the time of a call until it is told how it ended.
class CallTimer {
 public:
  CallTimer(Metrics& metrics, Call call)
      : metrics_(&metrics), call_(call), begun_(std::chrono::steady_clock::now()) {}

  void End(const absl::Status& status) const {
    metrics_->Ended(call_, OutcomeOf(status));
    metrics_->of(call_).seconds.Observe(std::chrono::steady_clock::now() - begun_);
  }

 private:
  Metrics* metrics_;
  Call call_;
  std::chrono::steady_clock::time_point begun_;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_METRICS_H_
