#include "server/grpc/connection_rates.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace parley::server {
namespace {

// What comes in so much time may come at once.
constexpr double kBurstSeconds = 10;
// Of what all have, so much is left to addresses that are known, and of that each of them may have
// so much for connections without a key: few of them can't use it up.
constexpr double kForKnown = 0.5;
constexpr double kForOneOfKnown = 0.05;
constexpr size_t kMostAddresses = 65536;

}  // namespace

ConnectionRates::ConnectionRates(const Limits& limits, std::function<Time()> now)
    : limits_(limits),
      now_(now ? std::move(now) : [] { return std::chrono::steady_clock::now(); }),
      all_{std::numeric_limits<double>::max(), now_()} {}

std::chrono::seconds ConnectionRates::BarredFor() const {
  return std::chrono::seconds(static_cast<int64_t>(limits_.barred_seconds));
}

double ConnectionRates::Refilled(const Bucket& bucket, double per_second, Time now) {
  const double passed = std::chrono::duration<double>(now - bucket.filled).count();
  return std::min(bucket.connections + passed * per_second, kBurstSeconds * per_second);
}

void ConnectionRates::Refill(Bucket& bucket, double per_second, Time now) {
  bucket = {Refilled(bucket, per_second, now), now};
}

double ConnectionRates::ShareOfKnown() const {
  const auto rate = static_cast<double>(limits_.connections_per_second);
  return std::max(kForOneOfKnown * kForKnown * rate, 1 / kBurstSeconds);  // one at once at least
}

ConnectionRates::Verdict ConnectionRates::Take(const std::string& address) {
  const Time now = now_();
  const auto barred = barred_.find(address);
  if (barred != barred_.end()) {
    if (now - barred->second < BarredFor()) return Verdict::kBarred;
    barred_.erase(barred);
  }
  const auto rate = static_cast<double>(limits_.address_connections_per_second);
  Bucket* const own = rate == 0 ? nullptr : &BucketOf(address, rate, now);
  if (own != nullptr && own->connections < 1) return Verdict::kAddressTooOften;
  const auto rate_of_all = static_cast<double>(limits_.connections_per_second);
  if (rate_of_all != 0) {
    Refill(all_, rate_of_all, now);
    if (all_.connections < kForKnown * kBurstSeconds * rate_of_all + 1) {
      if (all_.connections < 1 || !IsKnown(address, now)) return Verdict::kAllTooOften;
      Bucket& share = known_.at(address).share;
      Refill(share, ShareOfKnown(), now);
      if (share.connections < 1) return Verdict::kAllTooOften;
      share.connections -= 1;
    }
    all_.connections -= 1;
  }
  if (own != nullptr) own->connections -= 1;
  return Verdict::kTaken;
}

ConnectionRates::Bucket& ConnectionRates::BucketOf(const std::string& address, double per_second,
                                                   Time now) {
  if (of_address_.size() >= kMostAddresses && !of_address_.contains(address)) {
    ForgetFullBuckets(now);
    // Half at least, so that looking through all doesn't come with each connection.
    if (of_address_.size() > kMostAddresses / 2) of_address_.clear();
  }
  Bucket& bucket =
      of_address_.try_emplace(address, Bucket{kBurstSeconds * per_second, now}).first->second;
  Refill(bucket, per_second, now);
  return bucket;
}

void ConnectionRates::Proved(const std::string& address) {
  const Time now = now_();
  // Beyond what they hold is taken off when they are refilled.
  all_.connections += 1;
  const auto own = of_address_.find(address);
  if (own != of_address_.end()) own->second.connections += 1;
  const auto [entry, is_new] = known_.try_emplace(address);
  Known& known = entry->second;
  if (is_new) known.share = {kBurstSeconds * ShareOfKnown(), now};
  if (!is_new) known.share.connections += 1;
  if (!is_new && known.connections == 0) --idle_;
  ++known.connections;
  known.last = now;
}

void ConnectionRates::ProvenOneClosed(const std::string& address) {
  const auto found = known_.find(address);
  if (found == known_.end()) return;
  Known& known = found->second;
  const Time now = now_();
  known.last = now;
  if (--known.connections != 0 || ++idle_ < kMostAddresses) return;
  ForgetKnownBefore(now - kRemembered);
  // Half at least, as above.
  if (idle_ > kMostAddresses / 2) ForgetKnownBefore(now);
}

void ConnectionRates::Bar(const std::string& address) { barred_[address] = now_(); }

bool ConnectionRates::IsKnown(const std::string& address, Time now) const {
  const auto known = known_.find(address);
  return known != known_.end() &&
         (known->second.connections != 0 || now - known->second.last < kRemembered);
}

void ConnectionRates::ForgetKnownBefore(Time since) {
  idle_ -= std::erase_if(known_, [since](const auto& entry) {
    return entry.second.connections == 0 && entry.second.last <= since;
  });
}

void ConnectionRates::ForgetFullBuckets(Time now) {
  const auto rate = static_cast<double>(limits_.address_connections_per_second);
  std::erase_if(of_address_, [&](const auto& entry) {
    return Refilled(entry.second, rate, now) >= kBurstSeconds * rate;
  });
}

void ConnectionRates::ForgetOld() {
  const Time now = now_();
  ForgetFullBuckets(now);
  ForgetKnownBefore(now - kRemembered);
  const Time since = now - BarredFor();
  std::erase_if(barred_, [since](const auto& entry) { return entry.second <= since; });
}

}  // namespace parley::server
