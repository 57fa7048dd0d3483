#include "client-lib/firewall/text_check.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

constexpr size_t kScanBatch = 256;
// Of each channel, so many messages that may share something with a text are compared with it, the
// newest: else a phrase that stands in every message would make sending slow.
constexpr size_t kMostCandidates = 4096;
constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

std::vector<uint64_t> SortedValues(std::vector<uint64_t> values) {
  std::sort(values.begin(), values.end());
  return values;
}

}  // namespace

absl::StatusOr<std::vector<Firewall::Source>> Firewall::TextCheck::Run() {
  std::vector<Source> sources;
  PARLEY_RETURN_IF_ERROR(FindPassages());
  PARLEY_RETURN_IF_ERROR(FindShort());
  if (hits_.empty()) return sources;
  PARLEY_RETURN_IF_ERROR(SetFree());
  for (Hit& hit : hits_) {
    if (IsHeldBack(hit)) sources.push_back(std::move(hit.source));
  }
  return sources;
}

bool Firewall::TextCheck::IsHeldBack(const Hit& hit) const {
  const bool by_whole = std::any_of(hit.wholes.begin(), hit.wholes.end(),
                                    [](const Whole& whole) { return !whole.is_free; });
  if (by_whole) return true;
  for (size_t i = 0; i < hit.places.size(); ++i) {
    if (hit.places[i] && !free_places_[i]) return true;
  }
  return false;
}

void Firewall::TextCheck::Compare(const ChannelId& channel, ChannelMessage message) {
  if (passes_over_ && firewall_.MayBeCarried(channel, message)) return;
  const BoundContent bound = ReadBound(message);
  const Letters other = FoldedLetters(bound.text);
  Hit hit;
  if (other.size() >= kPassageLetters && finder_.Shares(other)) {
    hit.places.assign(letters_.size(), false);
    finder_.Mark(other, hit.places);
    if (!AddsPlaces(hit.places)) hit.places.clear();
  }
  const bool is_courtesy = IsNeutral(message.author.role) && !bound.carried;
  if (!is_courtesy) hit.wholes = NewWholes(bound, other);
  if (hit.places.empty() && hit.wholes.empty()) return;
  hit.source = {channel, std::move(message)};
  hits_.push_back(std::move(hit));
}

std::vector<Firewall::TextCheck::Whole> Firewall::TextCheck::NewWholes(const BoundContent& bound,
                                                                       const Letters& all) const {
  std::vector<Whole> wholes;
  const auto add = [&](Letters letters) {
    if (!CountsAsWhole(letters) || FindWhole(letters_, letters) == letters_.size()) return;
    const auto is_it = [&](const Whole& known) { return known.letters == letters; };
    const bool known = std::any_of(hits_.begin(), hits_.end(), [&](const Hit& hit) {
      return std::any_of(hit.wholes.begin(), hit.wholes.end(), is_it);
    });
    if (!known) wholes.push_back({std::move(letters), false});
  };
  if (bound.parts.empty()) {
    add(all);
  } else {
    for (const std::string& part : bound.parts) add(FoldedLetters(part));
  }
  return wholes;
}

bool Firewall::TextCheck::AddsPlaces(const std::vector<bool>& places) {
  bool adds = false;
  covered_.resize(places.size(), false);
  for (size_t i = 0; i < places.size(); ++i) {
    if (!places[i] || covered_[i]) continue;
    covered_[i] = true;
    adds = true;
  }
  return adds;
}

template <typename F>
absl::Status Firewall::TextCheck::ForEach(const Places& places, const F& compare) const {
  for (const auto& [channel, indices] : places) {
    auto index = indices.begin();
    if (indices.size() > kMostCandidates) {
      std::advance(index, static_cast<ptrdiff_t>(indices.size() - kMostCandidates));
    }
    for (; index != indices.end(); ++index) {
      PARLEY_ASSIGN_OR_RETURN(ChannelMessage message,
                              firewall_.context_.Channel(channel).At(step_, *index));
      compare(channel, std::move(message));
    }
  }
  return absl::OkStatus();
}

PassageIndex::Found Firewall::TextCheck::Sorted(Places& held, Places& free) const {
  return [this, &held, &free](const IndexedPlace& place) {
    if (firewall_.IsFree(place.channel, place.index)) free[place.channel].insert(place.index);
    const bool is_held = firewall_.IsHeld(place.channel, place.index) && !place.own_saying;
    if (is_held) held[place.channel].insert(place.index);
  };
}

absl::Status Firewall::TextCheck::CompareHeld(const Places& held) {
  return ForEach(held, [this](const ChannelId& channel, ChannelMessage message) {
    Compare(channel, std::move(message));
  });
}

absl::Status Firewall::TextCheck::FindPassages() {
  Places held;
  PARLEY_RETURN_IF_ERROR(
      firewall_.index_.FindPassages(step_, Fingerprints(letters_), Sorted(held, free_)));
  return CompareHeld(held);
}

absl::Status Firewall::TextCheck::FindShort() {
  Places held;
  Places unused;
  PARLEY_RETURN_IF_ERROR(firewall_.index_.FindShort(
      step_, SortedValues(GramHashes(letters_, kShortLetters)), Sorted(held, unused)));
  return CompareHeld(held);
}

absl::Status Firewall::TextCheck::SetFree() {
  free_places_.assign(letters_.size(), false);
  PARLEY_RETURN_IF_ERROR(ForEach(free_, [this](const ChannelId&, const ChannelMessage& message) {
    finder_.Mark(FoldedLetters(ReadBound(message).text), free_places_);
  }));
  for (const auto& [id, from] : firewall_.free_from_) {
    if (!WaitsForShort()) break;
    if (from != kNever) PARLEY_RETURN_IF_ERROR(SetShortFree(id, from));
  }
  return absl::OkStatus();
}

bool Firewall::TextCheck::WaitsForShort() const {
  return std::any_of(hits_.begin(), hits_.end(), [](const Hit& hit) {
    return std::any_of(hit.wholes.begin(), hit.wholes.end(),
                       [](const Whole& whole) { return !whole.is_free; });
  });
}

absl::Status Firewall::TextCheck::SetShortFree(const ChannelId& id, uint64_t from) {
  MessageQuery query;
  if (from > 1) {
    PARLEY_ASSIGN_OR_RETURN(const ChannelMessage first,
                            firewall_.context_.Channel(id).At(step_, from));
    query.after = first.number - 1;
  }
  query.limit = kScanBatch;
  query.kinds = BoundKinds();
  for (bool more = true; more && WaitsForShort();) {
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages,
                            firewall_.context_.Channel(id).Messages(step_, query));
    for (const ChannelMessage& message : messages) {
      query.after = message.number;
      const Letters other = FoldedLetters(ReadBound(message).text);
      for (Hit& hit : hits_) {
        for (Whole& whole : hit.wholes) {
          if (FindWhole(other, whole.letters) < other.size()) whole.is_free = true;
        }
      }
    }
    more = messages.size() == kScanBatch;
  }
  return absl::OkStatus();
}

}  // namespace parley::client
