#include "client-lib/search/segment.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

constexpr uint8_t kMostOccurrences = 7;
constexpr uint8_t kMostLength = 31;

absl::Status Damaged() { return absl::DataLossError("the index for searching is damaged"); }

void AppendNumber(uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(0x80 | (value & 0x7F));
  out += static_cast<char>(value);
}

// Takes a number off `in`; false where it is cut short or too long.
bool TakeNumber(std::string_view& in, uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (in.empty()) return false;
    const auto byte = static_cast<uint8_t>(in.front());
    in.remove_prefix(1);
    value |= uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool TakeText(std::string_view& in, std::string& text) {
  uint64_t length = 0;
  if (!TakeNumber(in, length) || length > in.size()) return false;
  text.assign(in.substr(0, length));
  in.remove_prefix(length);
  return true;
}

uint32_t PagesOf(size_t bytes) {
  return static_cast<uint32_t>((bytes + kPageBytes - 1) / kPageBytes);
}

absl::Status PutPages(Transaction& step, uint64_t record, const std::string& bytes) {
  for (size_t begin = 0; begin < bytes.size(); begin += kPageBytes) {
    const std::string_view part = std::string_view(bytes).substr(begin, kPageBytes);
    crypto::Secret page(kPageBytes);
    std::copy(part.begin(), part.end(), page.RevealMutable().begin());
    PARLEY_RETURN_IF_ERROR(step.Put(RecordClass::kIndex, SearchPageName(record++), page));
  }
  return absl::OkStatus();
}

}  // namespace

std::string SearchPageName(uint64_t number) { return "search/" + std::to_string(number); }

absl::Status DeletePages(Transaction& step, const Segment& segment) {
  for (uint64_t i = 0; i < segment.records(); ++i) {
    PARLEY_RETURN_IF_ERROR(step.Delete(RecordClass::kIndex, SearchPageName(segment.record + i)));
  }
  return absl::OkStatus();
}

uint8_t LengthClassOf(size_t terms) {
  if (terms < 2) return 0;
  const double half_octaves = 2 * std::log2(static_cast<double>(terms));
  return static_cast<uint8_t>(std::min<long>(std::lround(half_octaves), kMostLength));
}

double LengthOf(uint8_t length_class) { return std::exp2(length_class / 2.0); }

void AddTerms(const std::vector<std::string>& terms, uint64_t message, Postings& postings) {
  const uint8_t length_class = LengthClassOf(terms.size());
  for (const std::string& term : terms) {
    std::vector<Posting>& list = postings[term];
    if (list.empty() || list.back().message != message) {
      list.push_back({message, 1, length_class});
    } else if (list.back().occurrences < kMostOccurrences) {
      ++list.back().occurrences;
    }
  }
}

// ---- Writing ----

void SegmentWriter::AddPlace(const Place& place) {
  ++messages_;
  AppendNumber(place.slot == kForgotten ? 0 : uint64_t{place.slot} + 1, places_);
  AppendNumber(place.index, places_);
}

void SegmentWriter::AddTerm(std::string_view term, const std::vector<Posting>& postings) {
  const uint64_t page = terms_.size() / kPageBytes;
  if (starts_.empty() || starts_.back().first / kPageBytes != page) {
    starts_.emplace_back(terms_.size(), term);
  }
  std::string list;
  uint64_t before = first_;
  for (const Posting& posting : postings) {
    AppendNumber(posting.message - before, list);
    before = posting.message;
    list += static_cast<char>(posting.occurrences << 5 | posting.length_class);
  }
  AppendNumber(term.size(), terms_);
  terms_ += term;
  AppendNumber(postings.size(), terms_);
  AppendNumber(list.size(), terms_);
  terms_ += list;
}

absl::StatusOr<Segment> SegmentWriter::Finish(Transaction& step, uint64_t record, uint64_t tokens) {
  AppendNumber(0, terms_);  // the end: an empty term
  Segment segment{
      first_, messages_, tokens, record, PagesOf(places_.size()), PagesOf(terms_.size()), 0};
  std::string directory;
  auto start = starts_.begin();
  for (uint64_t page = 0; page < segment.term_pages; ++page) {
    if (start == starts_.end() || start->first / kPageBytes != page) {
      AppendNumber(kPageBytes, directory);
      AppendNumber(0, directory);
      continue;
    }
    AppendNumber(start->first % kPageBytes, directory);
    AppendNumber(start->second.size(), directory);
    directory += start->second;
    ++start;
  }
  segment.directory_pages = PagesOf(directory.size());
  PARLEY_RETURN_IF_ERROR(PutPages(step, record, places_));
  PARLEY_RETURN_IF_ERROR(PutPages(step, record + segment.place_pages, terms_));
  PARLEY_RETURN_IF_ERROR(
      PutPages(step, record + segment.place_pages + segment.term_pages, directory));
  return segment;
}

// ---- Reading ----

namespace internal {

// A stream of pages, of which those that are needed are loaded.
class PageStream {
 public:
  PageStream(const ReadTransaction& step, uint64_t record, uint32_t pages)
      : step_(step), record_(record), pages_(pages) {}

  // Goes to a byte of the stream.
  void Seek(uint64_t place) {
    bytes_.clear();
    next_ = static_cast<uint32_t>(place / kPageBytes);
    read_ = 0;
    skip_ = place % kPageBytes;
  }

  // What is loaded and not taken yet: at least `bytes`, unless the stream ends before. Valid until
  // the next call.
  absl::StatusOr<std::string_view> Peek(size_t bytes) {
    while (bytes_.size() - read_ < bytes && next_ < pages_) {
      if (read_ > 0) bytes_.erase(0, std::exchange(read_, 0));
      PARLEY_ASSIGN_OR_RETURN(const std::optional<crypto::Secret> page,
                              step_.Get(RecordClass::kIndex, SearchPageName(record_ + next_)));
      if (!page.has_value() || page->size() != kPageBytes) return Damaged();
      const crypto::ByteView in = page->Reveal();
      bytes_.append(in.begin() + static_cast<ptrdiff_t>(std::exchange(skip_, 0)), in.end());
      ++next_;
    }
    return std::string_view(bytes_).substr(read_);
  }
  void Take(size_t bytes) { read_ += bytes; }

 private:
  const ReadTransaction& step_;
  uint64_t record_;
  uint32_t pages_;
  uint32_t next_ = 0;
  size_t skip_ = 0;
  size_t read_ = 0;
  std::string bytes_;
};

}  // namespace internal

using internal::PageStream;

absl::StatusOr<std::vector<Place>> LoadPlaces(const ReadTransaction& step, const Segment& segment) {
  PageStream stream(step, segment.record, segment.place_pages);
  PARLEY_ASSIGN_OR_RETURN(std::string_view in,
                          stream.Peek(size_t{segment.place_pages} * kPageBytes));
  std::vector<Place> places;
  // Each takes two bytes at least.
  if (segment.messages > in.size() / 2) return Damaged();
  places.reserve(segment.messages);
  for (uint64_t i = 0; i < segment.messages; ++i) {
    uint64_t slot = 0;
    Place& place = places.emplace_back();
    if (!TakeNumber(in, slot) || slot > kForgotten || !TakeNumber(in, place.index)) {
      return Damaged();
    }
    place.slot = slot == 0 ? kForgotten : static_cast<uint32_t>(slot - 1);
  }
  return places;
}

namespace {

absl::StatusOr<uint64_t> StartOf(const ReadTransaction& step, const Segment& segment,
                                 std::string_view term) {
  PageStream stream(step, segment.record + segment.place_pages + segment.term_pages,
                    segment.directory_pages);
  PARLEY_ASSIGN_OR_RETURN(std::string_view in,
                          stream.Peek(size_t{segment.directory_pages} * kPageBytes));
  uint64_t start = 0;
  std::string first;
  for (uint64_t page = 0; page < segment.term_pages; ++page) {
    uint64_t offset = 0;
    if (!TakeNumber(in, offset) || !TakeText(in, first)) return Damaged();
    if (offset >= kPageBytes) continue;
    if (first > term) break;
    start = page * kPageBytes + offset;
  }
  return start;
}

absl::Status ReadPostings(std::string_view in, uint64_t count, const Segment& segment,
                          std::vector<Posting>& postings) {
  postings.clear();
  if (count > in.size() / 2) return Damaged();
  postings.reserve(count);
  uint64_t message = segment.first;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t more = 0;
    if (!TakeNumber(in, more) || in.empty() || more > segment.messages) return Damaged();
    message += more;
    if (message - segment.first >= segment.messages || (i > 0 && more == 0)) return Damaged();
    const auto byte = static_cast<uint8_t>(in.front());
    in.remove_prefix(1);
    postings.push_back({message, static_cast<uint8_t>(byte >> 5), static_cast<uint8_t>(byte & 31)});
  }
  return in.empty() ? absl::OkStatus() : Damaged();
}

}  // namespace

TermCursor::TermCursor(const ReadTransaction& step, const Segment& segment)
    : step_(&step),
      segment_(segment),
      terms_(std::make_unique<PageStream>(step, segment.record + segment.place_pages,
                                          segment.term_pages)) {}

TermCursor::TermCursor(TermCursor&&) noexcept = default;
TermCursor::~TermCursor() = default;

absl::Status TermCursor::Seek(std::string_view term) {
  PARLEY_ASSIGN_OR_RETURN(const uint64_t start, StartOf(*step_, segment_, term));
  terms_->Seek(start);
  bytes_ = 0;
  do {
    PARLEY_RETURN_IF_ERROR(Next());
  } while (!at_end() && term_ < term);
  return absl::OkStatus();
}

absl::Status TermCursor::Next() {
  constexpr size_t kMostHead = 128;  // of an entry, with its term
  if (bytes_ > 0) {
    PARLEY_RETURN_IF_ERROR(terms_->Peek(bytes_).status());
    terms_->Take(std::exchange(bytes_, 0));
  }
  PARLEY_ASSIGN_OR_RETURN(const std::string_view loaded, terms_->Peek(kMostHead));
  std::string_view in = loaded;
  if (!TakeText(in, term_)) return Damaged();
  if (at_end()) return absl::OkStatus();
  if (!TakeNumber(in, count_) || !TakeNumber(in, bytes_)) return Damaged();
  if (bytes_ > uint64_t{segment_.term_pages} * kPageBytes) return Damaged();
  terms_->Take(loaded.size() - in.size());
  return absl::OkStatus();
}

absl::Status TermCursor::Read(std::vector<Posting>& postings) {
  PARLEY_ASSIGN_OR_RETURN(const std::string_view list, terms_->Peek(bytes_));
  if (list.size() < bytes_) return Damaged();
  return ReadPostings(list.substr(0, bytes_), count_, segment_, postings);
}

}  // namespace parley::client
