#include "server/core/rate_limits.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/strings/cord.h"
#include "crypto/primitives/random.h"
#include "parley/relay/v1/relay.pb.h"
#include "server/core/sponsors.h"

namespace parley::server {
namespace {

using std::chrono::milliseconds;

constexpr double kBurstSeconds = 10;
constexpr double kNewcomersSeconds = 1;
// Who waits as told comes twice for each call at most, and a little too early now and then.
constexpr uint64_t kArrivalsForACall = 4;
constexpr size_t kMostInShard = 4096;
constexpr size_t kKeptInShard = kMostInShard / 4 * 3;
constexpr size_t kKeptProven = kMostInShard / 2;
// The end of a token is its MAC, which no two tokens share.
constexpr size_t kTokenEnd = 32;

double Refilled(double calls, std::chrono::steady_clock::duration passed, double per_second) {
  const double seconds = std::chrono::duration<double>(passed).count();
  return std::min(calls + std::max(seconds, 0.0) * per_second, kBurstSeconds * per_second);
}

milliseconds WholeMilliseconds(double seconds) {
  return milliseconds(std::max<int64_t>(1, static_cast<int64_t>(std::ceil(seconds * 1000))));
}

milliseconds Jitter() {
  const auto random = crypto::RandomArray<2>();
  const int number = random[0] << 8 | random[1];
  return milliseconds(number % (RateLimits::kMostJitter.count() + 1));
}

}  // namespace

absl::Status TooOften(milliseconds wait, std::string_view whose) {
  absl::Status status = absl::ResourceExhaustedError(
      std::string(whose) + " asks for too much at once: try again in " +
      std::to_string(wait.count()) + " milliseconds");
  relay::v1::Exhausted details;
  details.set_what(relay::v1::Exhausted::WHAT_RATE);
  details.set_retry_after_ms(static_cast<uint64_t>(wait.count()));
  status.SetPayload(kExhaustedPayload, absl::Cord(details.SerializeAsString()));
  return status;
}

RateLimits::RateLimits(const Limits& limits, std::function<Time()> now)
    : limits_(limits),
      now_(now ? std::move(now) : [] { return std::chrono::steady_clock::now(); }) {}

milliseconds RateLimits::OfConnection(std::string_view connection, uint64_t calls) {
  const uint64_t rate = limits_.connection_calls_per_second;
  double waiting = 0;
  const milliseconds wait =
      connections_.Take(connection, calls, rate, kNewcomersSeconds, now_(), &waiting);
  TellOfNotWaiting(connection, waiting);
  return wait;
}

void RateLimits::Arrived(std::string_view connection) {
  const uint64_t rate = kArrivalsForACall * limits_.connection_calls_per_second;
  double waiting = 0;
  arrivals_.Take(connection, 1, rate, kNewcomersSeconds, now_(), &waiting);
  TellOfNotWaiting(connection, waiting);
}

void RateLimits::TellOfNotWaiting(std::string_view connection, double waiting) {
  const auto rate = static_cast<double>(limits_.connection_calls_per_second);
  if (waiting < std::max(kMostWaiting, rate) || !told_.not_waiting) return;
  told_.not_waiting(std::string(connection), IsProven(connection));
}

milliseconds RateLimits::OfAddress(std::string_view address, std::string_view connection,
                                   uint64_t calls) {
  std::string key(address);
  key += IsProven(connection) ? " proven" : " unproven";
  return addresses_.Take(key, calls, limits_.address_calls_per_second, kNewcomersSeconds, now_());
}

void RateLimits::MarkProven(std::string_view connection) {
  const bool was_proven = connections_.MarkProven(connection, limits_.connection_calls_per_second,
                                                  kNewcomersSeconds, now_());
  if (was_proven || !told_.proven || told_.proven(std::string(connection))) return;
  // After the mark, not before it: so whoever says that the connection is there says later that it
  // is gone. Should another one have come by that name and shown its key in the very moment, its
  // next token marks it again.
  MarkUnproven(connection);
}

void RateLimits::ForgetOld() {
  const Time since = now_() - kRemembered;
  for (Buckets* buckets : {&connections_, &arrivals_, &addresses_, &sessions_, &sponsors_}) {
    buckets->ForgetBefore(since);
  }
}

milliseconds RateLimits::OfSession(std::string_view connection, std::string_view token) {
  std::string key(connection);
  key.append(token.substr(token.size() - std::min(token.size(), kTokenEnd)));
  return sessions_.Take(key, 1, limits_.session_calls_per_second, kBurstSeconds, now_());
}

milliseconds RateLimits::OfSponsor(std::string_view sponsor) {
  return sponsors_.Take(sponsor, 1, limits_.sponsor_creations_per_second, kBurstSeconds, now_());
}

// A bucket's key ends with what the client sends. So what it is found by is seeded with what nobody
// outside knows: else clients could have all of them in one chain, each call walking along it.
size_t RateLimits::Buckets::Hash::operator()(const std::string& key) const {
  static const auto secret = crypto::RandomArray<16>();
  return absl::HashOf(secret, key);
}

milliseconds RateLimits::Buckets::Take(std::string_view key_in, uint64_t calls, uint64_t per_second,
                                       double begins_with, Time now, double* waiting) {
  if (per_second == 0) return milliseconds(0);
  const auto rate = static_cast<double>(per_second);
  const double wanted = std::min(static_cast<double>(calls), kBurstSeconds * rate);
  const double needed = whose_ == Whose::kMany ? std::min(wanted, 1.0) : wanted;
  const std::string key(key_in);
  Shard& shard = ShardOf(key);
  std::lock_guard lock(shard.mutex);
  Bucket& bucket = FindOrMake(shard, key, per_second, begins_with, now);
  const double came = std::max(std::chrono::duration<double>(now - bucket.filled).count(), 0.0);
  bucket.calls = Refilled(bucket.calls, now - bucket.filled, rate);
  bucket.waiting = std::max(bucket.waiting - came * rate, 0.0);
  bucket.filled = now;
  if (bucket.calls >= needed) {
    bucket.calls -= wanted;
    if (waiting != nullptr) *waiting = 0;
    return milliseconds(0);
  }
  if (whose_ == Whose::kMany) {
    return WholeMilliseconds((needed - bucket.calls) / rate) + Jitter();
  }
  const milliseconds wait = WholeMilliseconds((bucket.waiting + wanted - bucket.calls) / rate);
  bucket.waiting = std::min(bucket.waiting + wanted, std::max(kBurstSeconds * rate, kMostWaiting));
  if (waiting != nullptr) *waiting = bucket.waiting;
  return wait;
}

RateLimits::Bucket& RateLimits::Buckets::FindOrMake(Shard& shard, const std::string& key,
                                                    uint64_t per_second, double begins_with,
                                                    Time now) {
  const auto found = shard.buckets.find(key);
  if (found != shard.buckets.end()) return found->second;
  if (shard.buckets.size() >= kMostInShard) MakeRoom(shard, per_second, now);
  const double calls = begins_with * static_cast<double>(per_second);
  return shard.buckets.emplace(key, Bucket{calls, 0, now, false}).first->second;
}

bool RateLimits::Buckets::MarkProven(std::string_view key_in, uint64_t per_second,
                                     double begins_with, Time now) {
  const std::string key(key_in);
  Shard& shard = ShardOf(key);
  std::lock_guard lock(shard.mutex);
  return std::exchange(FindOrMake(shard, key, per_second, begins_with, now).is_proven, true);
}

void RateLimits::Buckets::MarkUnproven(std::string_view key_in) {
  const std::string key(key_in);
  Shard& shard = ShardOf(key);
  std::lock_guard lock(shard.mutex);
  const auto found = shard.buckets.find(key);
  if (found != shard.buckets.end()) found->second.is_proven = false;
}

void RateLimits::Buckets::ForgetBefore(Time since) {
  for (Shard& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    std::erase_if(shard.buckets, [&](const auto& entry) {
      return !entry.second.is_proven && entry.second.filled < since;
    });
  }
}

bool RateLimits::Buckets::IsProven(std::string_view key_in) {
  const std::string key(key_in);
  Shard& shard = ShardOf(key);
  std::lock_guard lock(shard.mutex);
  const auto found = shard.buckets.find(key);
  return found != shard.buckets.end() && found->second.is_proven;
}

size_t RateLimits::Buckets::size() {
  size_t sum = 0;
  for (Shard& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    sum += shard.buckets.size();
  }
  return sum;
}

void RateLimits::Buckets::MakeRoom(Shard& shard, uint64_t per_second, Time now) {
  const auto rate = static_cast<double>(per_second);
  std::erase_if(shard.buckets, [&](const auto& entry) {
    const Bucket& bucket = entry.second;
    return !bucket.is_proven &&
           Refilled(bucket.calls, now - bucket.filled, rate) >= kBurstSeconds * rate;
  });
  // A quarter at once, so that looking through all doesn't come with each call.
  for (auto at = shard.buckets.begin();
       at != shard.buckets.end() && shard.buckets.size() > kKeptInShard;) {
    at = at->second.is_proven ? std::next(at) : shard.buckets.erase(at);
  }
  if (shard.buckets.size() > kKeptInShard) KeepLatestProven(shard);
}

void RateLimits::Buckets::KeepLatestProven(Shard& shard) {
  std::vector<Time> times;
  times.reserve(shard.buckets.size());
  for (const auto& [key, bucket] : shard.buckets) times.push_back(bucket.filled);
  const auto oldest_kept = times.end() - kKeptProven;
  std::nth_element(times.begin(), oldest_kept, times.end());
  const Time oldest = *oldest_kept;
  // Of those of one time, which may be many, it doesn't matter which are kept.
  std::erase_if(shard.buckets, [&](const auto& entry) { return entry.second.filled < oldest; });
  for (auto at = shard.buckets.begin();
       at != shard.buckets.end() && shard.buckets.size() > kKeptInShard;) {
    at = at->second.filled == oldest ? shard.buckets.erase(at) : std::next(at);
  }
}

}  // namespace parley::server
