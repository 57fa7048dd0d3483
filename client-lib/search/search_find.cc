// Answering a query from the index: which messages have all terms, and how well (BM25).
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "client-lib/search/search_index.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

// BM25's usual constants.
constexpr double kSaturation = 1.2;
constexpr double kLengthWeight = 0.75;

// What is known of a query's terms in each message.
struct Counts {
  std::vector<std::vector<uint8_t>> occurrences;  // by term, then message
  std::vector<uint64_t> messages;                 // that have it, by term
  std::vector<uint8_t> lengths;                   // by message, of those that have a term

  Counts(size_t terms, uint64_t all)
      : occurrences(terms, std::vector<uint8_t>(all)), messages(terms), lengths(all) {}

  void Add(size_t term, const Posting& posting) {
    uint8_t& count = occurrences[term][posting.message];
    if (count == 0) ++messages[term];
    count = static_cast<uint8_t>(std::min(255, count + posting.occurrences));
    lengths[posting.message] = posting.length_class;
  }
};

bool Fits(const QueryTerm& wanted, const std::string& term) {
  return wanted.prefix ? term.starts_with(wanted.term) : term == wanted.term;
}

absl::Status CountIn(const ReadTransaction& step, const Segment& segment, const SearchQuery& query,
                     Counts& counts) {
  std::vector<Posting> postings;
  for (size_t i = 0; i < query.terms.size(); ++i) {
    const QueryTerm& wanted = query.terms[i];
    TermCursor cursor(step, segment);
    PARLEY_RETURN_IF_ERROR(cursor.Seek(wanted.term));
    for (; !cursor.at_end() && Fits(wanted, cursor.term());) {
      PARLEY_RETURN_IF_ERROR(cursor.Read(postings));
      for (const Posting& posting : postings) counts.Add(i, posting);
      if (!wanted.prefix) break;
      PARLEY_RETURN_IF_ERROR(cursor.Next());
    }
  }
  return absl::OkStatus();
}

void CountIn(const Postings& postings, const SearchQuery& query, Counts& counts) {
  for (size_t i = 0; i < query.terms.size(); ++i) {
    for (auto at = postings.lower_bound(query.terms[i].term);
         at != postings.end() && Fits(query.terms[i], at->first); ++at) {
      for (const Posting& posting : at->second) counts.Add(i, posting);
    }
  }
}

absl::Status CheckPlacesExist(const ReadTransaction& step, const Segment& segment) {
  for (uint64_t i = 0; i < segment.place_pages; ++i) {
    PARLEY_ASSIGN_OR_RETURN(const bool there,
                            step.Has(RecordClass::kIndex, SearchPageName(segment.record + i)));
    if (!there) return absl::DataLossError("the index for searching is damaged");
  }
  return absl::OkStatus();
}

class Bm25 {
 public:
  Bm25(const Counts& counts, uint64_t messages, uint64_t tokens)
      : counts_(counts), average_(std::max(1.0, Ratio(tokens, messages))) {
    for (const uint64_t having : counts.messages) {
      const double without = static_cast<double>(messages) - static_cast<double>(having);
      weights_.push_back(
          std::log(1 + (std::max(without, 0.0) + 0.5) / (static_cast<double>(having) + 0.5)));
    }
  }

  // Nothing when it lacks a term.
  std::optional<double> ScoreOf(uint64_t message) const {
    const double length = LengthOf(counts_.lengths[message]) / average_;
    const double norm = kSaturation * (1 - kLengthWeight + kLengthWeight * length);
    double score = 0;
    for (size_t i = 0; i < weights_.size(); ++i) {
      const double count = counts_.occurrences[i][message];
      if (count == 0) return std::nullopt;
      score += weights_[i] * count * (kSaturation + 1) / (count + norm);
    }
    return score;
  }

 private:
  static double Ratio(uint64_t a, uint64_t b) {
    return b == 0 ? 0 : static_cast<double>(a) / static_cast<double>(b);
  }

  const Counts& counts_;
  double average_;
  std::vector<double> weights_;
};

}  // namespace

absl::StatusOr<std::vector<SearchHit>> SearchIndex::Find(
    const ReadTransaction& step, const SearchQuery& query,
    const std::function<bool(const ChannelId&)>& wanted, const LoadText& load) const {
  std::vector<SearchHit> hits;
  if (query.empty()) return hits;
  // So that what is counted below is as much as is stored.
  for (const Segment& segment : head_.segments) {
    PARLEY_RETURN_IF_ERROR(CheckPlacesExist(step, segment));
  }
  uint64_t tokens = 0;
  Postings tail;
  std::vector<Place> tail_places;
  for (const TailEntry& entry : tail_.entries) {
    const ChannelId& channel = head_.slots[entry.slot].channel;
    if (entry.bytes == 0) continue;
    absl::StatusOr<std::string> text = load(channel, entry.index);
    if (absl::IsDataLoss(text.status()) || absl::IsNotFound(text.status())) continue;
    PARLEY_RETURN_IF_ERROR(text.status());
    const std::vector<std::string> terms = TermsOf(*text);
    if (terms.empty()) continue;
    tokens += terms.size();
    AddTerms(terms, head_.next_message + tail_places.size(), tail);
    tail_places.push_back({entry.slot, entry.index});
  }
  uint64_t messages = tail_places.size();
  Counts counts(query.terms.size(), head_.next_message + tail_places.size());
  for (const Segment& segment : head_.segments) {
    messages += segment.messages;
    tokens += segment.tokens;
    PARLEY_RETURN_IF_ERROR(CountIn(step, segment, query, counts));
  }
  CountIn(tail, query, counts);

  std::map<uint32_t, bool> is_wanted;
  for (uint32_t slot = 0; slot < head_.slots.size(); ++slot) {
    is_wanted[slot] = wanted(head_.slots[slot].channel);
  }
  const Bm25 bm25(counts, messages, tokens);
  const auto take = [&](uint64_t message, const Place& place) {
    const std::optional<double> score = bm25.ScoreOf(message);
    if (!score.has_value() || place.slot >= head_.slots.size() || !is_wanted[place.slot]) return;
    hits.push_back({head_.slots[place.slot].channel, place.index, message, *score});
  };
  for (const Segment& segment : head_.segments) {
    const uint64_t begin = segment.first;
    uint64_t message = begin;
    while (message < begin + segment.messages && !bm25.ScoreOf(message).has_value()) ++message;
    if (message == begin + segment.messages) continue;
    PARLEY_ASSIGN_OR_RETURN(const std::vector<Place> places, LoadPlaces(step, segment));
    for (; message < begin + segment.messages; ++message) take(message, places[message - begin]);
  }
  for (size_t i = 0; i < tail_places.size(); ++i) {
    take(head_.next_message + i, tail_places[i]);
  }
  return hits;
}

}  // namespace parley::client
