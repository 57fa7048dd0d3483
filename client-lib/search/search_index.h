// The index for searching: where in the profile each term stands. All of it is sealed values under
// names that are keyed hashes; terms stand inside the values only, and pages have one size, so that
// the files show how much there is and nothing of what (docs/security.md).
//
// A message is noted in the transaction that stores it, in the tail: a short list of what is in no
// segment yet, whose texts a search looks through itself. A full tail becomes a segment (segment.h)
// in the same transaction; eight segments of a size are merged into one. Whatever was missed
// (messages that another version took in, an index that is missing, damaged or of another version)
// is found by comparing with how many messages the channels have, and taken in by CatchUp().
//
// Records (class index): "search" (the head), "search/tail", "search/NUMBER" (pages). A head begins
// with its version and the number of the next page, in every version, so that any can clear away
// what another one left.
//
// Threading: belongs to its transaction's thread.
// Errors: DataLoss for a damaged index (Reset() makes it anew); the store's; those of LoadText.
#ifndef PARLEY_CLIENT_LIB_SEARCH_SEARCH_INDEX_H_
#define PARLEY_CLIENT_LIB_SEARCH_SEARCH_INDEX_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/search/search_text.h"
#include "client-lib/search/segment.h"
#include "client-lib/store/id_codec.h"
#include "client-lib/store/profile_store.h"
#include "parley/ids.h"

namespace parley::client {

// How many messages a channel has: indexes 1 … messages.
struct ChannelEnd {
  ChannelId channel;
  uint64_t messages = 0;
};

// The text that a message is found by; empty for none.
using LoadText =
    std::function<absl::StatusOr<std::string>(const ChannelId& channel, uint64_t index)>;

// A message that has all terms of a query.
struct SearchHit {
  ChannelId channel;
  uint64_t index = 0;
  uint64_t order = 0;  // in which messages came to the index
  double score = 0;    // BM25
};

// Hits, the best first; of equal ones the latest.
class Ranking {
 public:
  explicit Ranking(std::vector<SearchHit> hits);
  std::optional<SearchHit> Next();

 private:
  std::vector<SearchHit> hits_;  // a heap
};

class SearchIndex {
 public:
  // A text of so many bytes, or so many messages, end the tail.
  static constexpr size_t kTailBytes = 64 * 1024;
  static constexpr size_t kTailMessages = 32;

  // Notes a message that was just stored with a text of so many bytes. A channel of which earlier
  // messages are missing in the index is left to CatchUp(). Never fails because of the index.
  static absl::Status Note(Transaction& step, const ChannelId& channel, uint64_t index,
                           size_t text_bytes, const LoadText& load);

  // Takes in some of what is missing, or merges some segments. Whether there is more to do: then
  // call it again, in a transaction of its own, so that nobody waits long for the profile.
  static absl::StatusOr<bool> CatchUp(Transaction& step, const std::vector<ChannelEnd>& channels,
                                      const LoadText& load);

  // Notes that nothing may be found by a message's text any more. Its postings go with CatchUp(),
  // for all such messages at once: whoever takes back a thousand messages, one by one, must not
  // make everybody else rewrite the index a thousand times. Never fails because of the index.
  static absl::Status NoteGone(Transaction& step, const ChannelId& channel, uint64_t index);

  // Removes the postings of a message, or of all of a channel, from every page. Call it in the
  // transaction that deletes them.
  static absl::Status Forget(Transaction& step, const ChannelId& channel,
                             std::optional<uint64_t> index = std::nullopt);

  // Removes the index: CatchUp() builds it anew.
  static absl::Status Reset(Transaction& step);

  // Nothing when there is none that this version can read.
  static absl::StatusOr<std::optional<SearchIndex>> Load(const ReadTransaction& step);

  // Whether CatchUp() has nothing to do but, perhaps, to merge.
  bool IsComplete(const std::vector<ChannelEnd>& channels) const;
  // Whether segments wait to be merged, or postings to be removed.
  bool IsMergeDue() const;

  // All messages that have the query's terms and are in a channel that is wanted. A run of more
  // than two characters is matched in pieces: look at the texts (Matches) before showing them.
  absl::StatusOr<std::vector<SearchHit>> Find(const ReadTransaction& step, const SearchQuery& query,
                                              const std::function<bool(const ChannelId&)>& wanted,
                                              const LoadText& load) const;

  // For measuring and tests.
  const std::vector<Segment>& segments() const { return head_.segments; }

 private:
  struct Slot {
    ChannelId channel;
    uint64_t up_to = 0;  // the last index in a segment, or passed over
    template <typename F>
    static auto Fields(F& self) {
      return std::tie(self.channel, self.up_to);
    }
  };
  struct Gone {
    uint32_t slot = 0;
    uint64_t index = 0;
    template <typename F>
    static auto Fields(F& self) {
      return std::tie(self.slot, self.index);
    }
    friend auto operator<=>(const Gone&, const Gone&) = default;
  };
  struct Head {
    uint8_t version = 1;
    uint64_t next_record = 0;
    uint64_t next_message = 0;
    std::vector<Slot> slots;
    std::vector<Segment> segments;  // in order of their messages
    std::vector<Gone> gone;         // whose postings are to be removed
    template <typename F>
    static auto Fields(F& self) {
      return std::tie(self.version, self.next_record, self.next_message, self.slots, self.segments,
                      self.gone);
    }
  };
  struct TailEntry {
    uint32_t slot = 0;
    uint64_t index = 0;
    uint32_t bytes = 0;  // 0: nothing to find
    template <typename F>
    static auto Fields(F& self) {
      return std::tie(self.slot, self.index, self.bytes);
    }
  };
  struct Tail {
    uint8_t version = 1;
    std::vector<TailEntry> entries;
    template <typename F>
    static auto Fields(F& self) {
      return std::tie(self.version, self.entries);
    }
  };

  static absl::StatusOr<SearchIndex> LoadOrBegin(Transaction& step);
  std::optional<uint32_t> FindSlot(const ChannelId& channel) const;
  // Rewrites the segments that have messages which `is_gone`.
  absl::Status Remove(Transaction& step,
                      const std::function<bool(uint32_t slot, uint64_t index)>& is_gone);
  absl::Status NoteMessage(Transaction& step, const ChannelId& channel, uint64_t index,
                           size_t text_bytes, const LoadText& load);
  uint32_t SlotOf(const ChannelId& channel);
  // The last message of a slot that the index knows.
  uint64_t UpTo(uint32_t slot) const;
  absl::Status SaveHead(Transaction& step) const;
  absl::Status SaveTail(Transaction& step) const;
  // Makes a segment of the entries.
  absl::Status AddSegment(Transaction& step, const std::vector<TailEntry>& entries,
                          const LoadText& load);
  // The segments that are to be merged: [first, end). Nothing when there are none.
  std::optional<std::pair<size_t, size_t>> DueMerge() const;
  absl::Status Merge(Transaction& step, size_t first, size_t end);
  // Writes the messages of [first, end) for which `keep` is true into one segment in their place.
  absl::Status Rewrite(Transaction& step, size_t first, size_t end,
                       const std::function<bool(const Place&)>& keep);

  Head head_;
  Tail tail_;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_SEARCH_SEARCH_INDEX_H_
