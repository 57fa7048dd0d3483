#include "client-lib/pairing/traffic.h"

#include <algorithm>

#include "crypto/base/check.h"

namespace parley::client {
namespace {

constexpr uint64_t kDay = 24 * 60 * 60;
constexpr uint64_t kFirstPause = 15;
constexpr uint64_t kLongestPause = 4 * kDay;
// Requests are met, and made, at once so many times, and then with pauses that double.
constexpr uint64_t kAtOnce = 4;
constexpr uint64_t kRequestPause = 30;
constexpr uint64_t kHour = 60 * 60;
// Longer than there lies, in a sync, between reading the inbox and saying how far it was read.
constexpr uint64_t kMinute = 60;
// No inbox is renewed so often. A greater number would only be the peer's own harm.
constexpr uint64_t kMostGenerations = uint64_t{1} << 32;

uint64_t ResendPause(uint64_t resent) {
  uint64_t pause = kFirstPause;
  for (uint64_t i = 0; i < resent && pause < kLongestPause; ++i) pause *= 4;
  return std::min(pause, kLongestPause);
}

// Whether what was done `count` times, the latest time at `at`, may be done again. A time to come
// was noted by a clock that was ahead, and holds nothing up.
bool MayRepeat(uint64_t count, uint64_t at, uint64_t now) {
  if (count < kAtOnce) return true;
  uint64_t pause = kRequestPause;
  for (uint64_t i = kAtOnce; i < count && pause < kDay; ++i) pause *= 2;
  return now < at || now >= at + std::min(pause, kDay);
}

}  // namespace

bool IsFull(const Traffic& traffic) {
  return traffic.unconfirmed() >= kMostUnconfirmed || traffic.kept_bytes >= kMostUnconfirmedBytes;
}

bool HasRoom(const Traffic& traffic) { return !IsOvertaken(traffic) && !IsFull(traffic); }

uint64_t NumberMessage(Traffic& traffic, uint64_t bytes) {
  PARLEY_CHECK(HasRoom(traffic));
  traffic.kept_bytes += bytes;
  return ++traffic.numbered;
}

void NoteSent(Traffic& traffic, uint64_t now) {
  if (traffic.waiting_since == 0) traffic.waiting_since = now;
}

void TakeWord(Traffic& traffic, uint64_t received, uint64_t inbox_generation, bool is_new,
              uint64_t now) {
  const bool heard = is_new && received >= traffic.confirmed;
  if (received > traffic.numbered) {
    traffic.claimed = std::max(traffic.claimed, received);
    received = traffic.numbered;
  }
  if (inbox_generation > traffic.peer_generation && inbox_generation <= kMostGenerations) {
    traffic.peer_generation = inbox_generation;
  }
  if (heard) traffic.heard_at = now;
  if (received > traffic.confirmed) {
    traffic.confirmed = received;
    traffic.words.clear();
    traffic.resent = 0;
    traffic.resent_on_word = 0;
    traffic.resent_at = 0;
    traffic.left_behind = 0;
    if (traffic.waiting_since != 0) traffic.waiting_since = now;
  }
  if (traffic.unconfirmed() == 0) {
    traffic.waiting_since = 0;
    traffic.asked = 0;
    traffic.missed = 0;
  } else if (heard && traffic.waiting_since != 0 &&
             (traffic.left_behind == 0 || traffic.left_behind > now)) {
    traffic.left_behind = now;
  }
}

bool IsNewWord(const Traffic& traffic, uint64_t received, crypto::ByteView id) {
  const auto is_it = [id](const crypto::Bytes& known) { return crypto::PublicEquals(known, id); };
  return received >= traffic.confirmed && traffic.words.size() < kMostWords &&
         std::none_of(traffic.words.begin(), traffic.words.end(), is_it);
}

void NoteWordId(Traffic& traffic, crypto::ByteView id) {
  traffic.words.emplace_back(id.begin(), id.end());
}

bool IsOvertaken(const Traffic& traffic) { return traffic.claimed != 0; }

void TakeRequest(Traffic& traffic) {
  if (traffic.waiting_since == 0) {
    traffic.owes_word = 1;
    return;
  }
  traffic.asked = 1;
  traffic.missed = 1;
}

Arrival TakeNumber(Traffic& traffic, uint64_t number, uint64_t now) {
  if (number <= traffic.received) {
    traffic.owes_word = 1;
    return Arrival::kRepeat;
  }
  if (number > traffic.received + 1) {
    traffic.ahead = std::max(traffic.ahead, number);
    if (traffic.gap_since == 0) traffic.gap_since = now;
    return Arrival::kEarly;
  }
  traffic.received = number;
  traffic.asks = 0;
  if (traffic.ahead <= number) {
    traffic.ahead = 0;
    traffic.gap_since = 0;
  }
  return Arrival::kNext;
}

bool IsResendDue(const Traffic& traffic, uint64_t now) {
  if (traffic.waiting_since == 0) return false;
  if (traffic.asked != 0 && MayRepeat(traffic.resent_on_word, traffic.resent_at, now)) return true;
  uint64_t since = 0;  // as above, of times to come
  for (const uint64_t at : {traffic.waiting_since, traffic.resent_at}) {
    if (at <= now) since = std::max(since, at);
  }
  return traffic.resent < kMostResends && now >= since + ResendPause(traffic.resent);
}

void NoteResent(Traffic& traffic, uint64_t now) {
  if (traffic.asked != 0 && MayRepeat(traffic.resent_on_word, traffic.resent_at, now)) {
    ++traffic.resent_on_word;
    traffic.asked = 0;
  } else {
    ++traffic.resent;
  }
  traffic.resent_at = now;
}

bool OwesWord(const Traffic& traffic) {
  return traffic.owes_word != 0 || traffic.received > traffic.told;
}

bool MayAsk(const Traffic& traffic, uint64_t now) {
  return MayRepeat(traffic.asks, traffic.asks_at, now);
}

void NoteWord(Traffic& traffic, bool asks, uint64_t now) {
  traffic.told = traffic.received;
  traffic.owes_word = 0;
  if (!asks) return;
  ++traffic.asks;
  traffic.asks_at = now;
}

bool IsKeptFromPeer(const Traffic& traffic) {
  if (traffic.waiting_since == 0 || traffic.left_behind == 0) return false;
  const uint64_t patience = traffic.missed != 0 ? kMinute : kHour;
  return traffic.heard_at >= traffic.left_behind + patience;
}

}  // namespace parley::client
