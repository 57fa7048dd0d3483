// A segment of the search index: the postings of some messages, sorted by term, in pages of one
// size. Nothing is ever changed in a segment; several are merged into one.
//
// A segment is three streams of bytes, each cut into pages of kPageBytes, the last filled up with
// zeros, which lie in records with numbers in a row:
//
//   places     for each message: varint(channel slot + 1, 0 for one that was forgotten),
//              varint(index in the channel)
//   terms      for each term, in order: varint(length) term varint(messages) varint(bytes), then
//   for
//              each message varint(its number less the one before; the first, less the segment's
//              first) and one byte: occurrences (3 bits, at most 7), class of length (5 bits)
//   directory  for each page of terms: varint(where the first term that begins in it begins, or
//              kPageBytes) and that term, as above
//
// Threading: plain values; a reader belongs to its transaction's thread.
// Errors: DataLoss for a page that is missing or makes no sense; the store's.
#ifndef PARLEY_CLIENT_LIB_SEARCH_SEGMENT_H_
#define PARLEY_CLIENT_LIB_SEARCH_SEGMENT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/store/profile_store.h"

namespace parley::client {

inline constexpr size_t kPageBytes = 8192;

// Where a segment is, and of what it is.
struct Segment {
  uint64_t first = 0;     // the number of its first message in the index
  uint64_t messages = 0;  // as many numbers are its own
  uint64_t tokens = 0;    // terms with repetitions, about
  uint64_t record = 0;    // of its first page
  uint32_t place_pages = 0;
  uint32_t term_pages = 0;
  uint32_t directory_pages = 0;

  uint64_t records() const { return uint64_t{place_pages} + term_pages + directory_pages; }
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.first, self.messages, self.tokens, self.record, self.place_pages,
                    self.term_pages, self.directory_pages);
  }
};

// A message that has a term.
struct Posting {
  uint64_t message = 0;     // its number in the index
  uint8_t occurrences = 0;  // 1 to 7
  uint8_t length_class = 0;
};
// The class of a text of so many terms, and about how many that is.
uint8_t LengthClassOf(size_t terms);
double LengthOf(uint8_t length_class);

// Where a message is; slot kForgotten: nowhere any more.
inline constexpr uint32_t kForgotten = UINT32_MAX;
struct Place {
  uint32_t slot = kForgotten;
  uint64_t index = 0;
};

using Postings = std::map<std::string, std::vector<Posting>, std::less<>>;

// Adds a message's terms.
void AddTerms(const std::vector<std::string>& terms, uint64_t message, Postings& postings);

// What a segment is written from: terms in order, then Finish().
class SegmentWriter {
 public:
  explicit SegmentWriter(uint64_t first) : first_(first) {}
  SegmentWriter(const SegmentWriter&) = delete;
  SegmentWriter& operator=(const SegmentWriter&) = delete;

  void AddPlace(const Place& place);
  void AddTerm(std::string_view term, const std::vector<Posting>& postings);
  // Puts the pages under numbers from `record` on.
  absl::StatusOr<Segment> Finish(Transaction& step, uint64_t record, uint64_t tokens);

 private:
  uint64_t first_;
  uint64_t messages_ = 0;
  std::string places_;
  std::string terms_;
  // Where terms begin: the first of each page.
  std::vector<std::pair<uint64_t, std::string>> starts_;
};

namespace internal {
class PageStream;
}  // namespace internal

// Where the segment's messages are, in order.
absl::StatusOr<std::vector<Place>> LoadPlaces(const ReadTransaction& step, const Segment& segment);

// Goes through a segment's terms in order.
//
//   TermCursor cursor(step, segment);
//   PARLEY_RETURN_IF_ERROR(cursor.Seek("ma"));
//   while (!cursor.at_end() && cursor.term().starts_with("ma")) { …Read(); …Next(); }
class TermCursor {
 public:
  // `step` outlives it. Stands nowhere before the first Seek().
  TermCursor(const ReadTransaction& step, const Segment& segment);
  TermCursor(TermCursor&&) noexcept;
  ~TermCursor();

  // To the first term that isn't before this one.
  absl::Status Seek(std::string_view term);
  absl::Status Next();
  bool at_end() const { return term_.empty(); }
  const std::string& term() const { return term_; }
  // The postings of the term where it stands, in order of messages.
  absl::Status Read(std::vector<Posting>& postings);

 private:
  const ReadTransaction* step_;
  Segment segment_;
  std::unique_ptr<internal::PageStream> terms_;
  std::string term_;
  uint64_t count_ = 0;
  uint64_t bytes_ = 0;  // of the postings, which aren't taken yet
};

// "search/NUMBER".
std::string SearchPageName(uint64_t number);

absl::Status DeletePages(Transaction& step, const Segment& segment);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_SEARCH_SEGMENT_H_
