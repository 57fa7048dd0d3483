#include "client-lib/search/search_index.h"

#include <algorithm>
#include <utility>

#include "crypto/base/codec.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

constexpr char kHeadName[] = "search";
constexpr char kTailName[] = "search/tail";

// Taken in at once by CatchUp().
constexpr size_t kBatchMessages = 2048;
constexpr size_t kBatchBytes = 4 * 1024 * 1024;
// So many segments of a size are merged into one.
constexpr size_t kFanOut = 8;
// What a message may merge in its own transaction.
constexpr uint64_t kMostMergedByMessage = 2048;

// The sizes: each eight times the one before, from the tail's on.
unsigned LevelOf(const Segment& segment) {
  unsigned level = 0;
  for (uint64_t bound = SearchIndex::kTailMessages * kFanOut; segment.messages >= bound;
       bound *= kFanOut) {
    ++level;
  }
  return level;
}

template <typename Record>
absl::StatusOr<std::optional<Record>> LoadSearchRecord(const ReadTransaction& step,
                                                       const char* name) {
  PARLEY_ASSIGN_OR_RETURN(const std::optional<crypto::Secret> bytes,
                          step.Get(RecordClass::kIndex, name));
  if (!bytes.has_value()) return std::optional<Record>();
  absl::StatusOr<Record> record = crypto::Parse<Record>(bytes->Reveal());
  if (!record.ok() || record->version != Record().version) return std::optional<Record>();
  return std::optional<Record>(std::move(*record));
}

template <typename Record>
absl::Status StoreSearchRecord(Transaction& step, const char* name, const Record& record) {
  return step.Put(RecordClass::kIndex, name, crypto::SerializeSecret(record));
}

// A text that can't be had any more is found by nobody.
absl::StatusOr<std::string> TextOf(const LoadText& load, const ChannelId& channel, uint64_t index) {
  absl::StatusOr<std::string> text = load(channel, index);
  if (absl::IsDataLoss(text.status()) || absl::IsNotFound(text.status())) return std::string();
  return text;
}

}  // namespace

Ranking::Ranking(std::vector<SearchHit> hits) : hits_(std::move(hits)) {
  std::make_heap(hits_.begin(), hits_.end(), [](const SearchHit& a, const SearchHit& b) {
    return std::tie(a.score, a.order) < std::tie(b.score, b.order);
  });
}

std::optional<SearchHit> Ranking::Next() {
  if (hits_.empty()) return std::nullopt;
  std::pop_heap(hits_.begin(), hits_.end(), [](const SearchHit& a, const SearchHit& b) {
    return std::tie(a.score, a.order) < std::tie(b.score, b.order);
  });
  const SearchHit best = hits_.back();
  hits_.pop_back();
  return best;
}

// ---- The records ----

absl::StatusOr<std::optional<SearchIndex>> SearchIndex::Load(const ReadTransaction& step) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<Head> head, LoadSearchRecord<Head>(step, kHeadName));
  if (!head.has_value()) return std::optional<SearchIndex>();
  PARLEY_ASSIGN_OR_RETURN(std::optional<Tail> tail, LoadSearchRecord<Tail>(step, kTailName));
  SearchIndex index;
  index.head_ = std::move(*head);
  if (tail.has_value()) index.tail_ = std::move(*tail);
  for (const TailEntry& entry : index.tail_.entries) {
    if (entry.slot >= index.head_.slots.size()) return std::optional<SearchIndex>();
  }
  return std::optional<SearchIndex>(std::move(index));
}

absl::StatusOr<SearchIndex> SearchIndex::LoadOrBegin(Transaction& step) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<SearchIndex> index, Load(step));
  if (index.has_value()) return std::move(*index);
  PARLEY_RETURN_IF_ERROR(Reset(step));
  return SearchIndex();
}

absl::Status SearchIndex::Reset(Transaction& step) {
  const absl::StatusOr<std::optional<crypto::Secret>> head =
      step.Get(RecordClass::kIndex, kHeadName);
  if (!head.ok() && !absl::IsDataLoss(head.status())) return head.status();
  uint8_t version = 0;
  uint64_t next_record = 0;
  if (head.ok() && head->has_value()) {
    crypto::Reader reader((*head)->Reveal());
    if (!reader.ReadUint8(version).ok() || !reader.ReadUint64(next_record).ok()) next_record = 0;
  }
  for (uint64_t record = 0; record < next_record; ++record) {
    PARLEY_RETURN_IF_ERROR(step.Delete(RecordClass::kIndex, SearchPageName(record)));
  }
  PARLEY_RETURN_IF_ERROR(step.Delete(RecordClass::kIndex, kTailName));
  return step.Delete(RecordClass::kIndex, kHeadName);
}

absl::Status SearchIndex::SaveHead(Transaction& step) const {
  return StoreSearchRecord(step, kHeadName, head_);
}

absl::Status SearchIndex::SaveTail(Transaction& step) const {
  return StoreSearchRecord(step, kTailName, tail_);
}

uint32_t SearchIndex::SlotOf(const ChannelId& channel) {
  const auto found = std::find_if(head_.slots.begin(), head_.slots.end(),
                                  [&](const Slot& slot) { return slot.channel == channel; });
  const auto slot = static_cast<uint32_t>(found - head_.slots.begin());
  if (found == head_.slots.end()) head_.slots.push_back({channel, 0});
  return slot;
}

uint64_t SearchIndex::UpTo(uint32_t slot) const {
  uint64_t up_to = head_.slots[slot].up_to;
  for (const TailEntry& entry : tail_.entries) {
    if (entry.slot == slot) up_to = std::max(up_to, entry.index);
  }
  return up_to;
}

bool SearchIndex::IsComplete(const std::vector<ChannelEnd>& channels) const {
  return std::all_of(channels.begin(), channels.end(), [this](const ChannelEnd& end) {
    for (uint32_t slot = 0; slot < head_.slots.size(); ++slot) {
      if (head_.slots[slot].channel == end.channel) return UpTo(slot) >= end.messages;
    }
    return end.messages == 0;
  });
}

// ---- Taking in ----

absl::Status SearchIndex::Note(Transaction& step, const ChannelId& channel, uint64_t index,
                               size_t text_bytes, const LoadText& load) {
  const absl::Status noted = [&]() -> absl::Status {
    PARLEY_ASSIGN_OR_RETURN(SearchIndex all, LoadOrBegin(step));
    return all.NoteMessage(step, channel, index, text_bytes, load);
  }();
  // What is damaged in the index keeps nobody from receiving: the next search builds it anew.
  return absl::IsDataLoss(noted) ? absl::OkStatus() : noted;
}

absl::Status SearchIndex::NoteMessage(Transaction& step, const ChannelId& channel, uint64_t index,
                                      size_t text_bytes, const LoadText& load) {
  const size_t slots_before = head_.slots.size();
  const uint32_t slot = SlotOf(channel);
  if (UpTo(slot) + 1 != index) return absl::OkStatus();
  tail_.entries.push_back({slot, index, static_cast<uint32_t>(text_bytes)});
  size_t bytes = 0;
  for (const TailEntry& entry : tail_.entries) bytes += entry.bytes;
  if (tail_.entries.size() < kTailMessages && bytes < kTailBytes) {
    if (head_.slots.size() != slots_before) PARLEY_RETURN_IF_ERROR(SaveHead(step));
    return SaveTail(step);
  }
  PARLEY_RETURN_IF_ERROR(AddSegment(step, tail_.entries, load));
  tail_.entries.clear();
  for (auto due = DueMerge(); due.has_value(); due = DueMerge()) {
    uint64_t messages = 0;
    for (size_t i = due->first; i < due->second; ++i) messages += head_.segments[i].messages;
    if (messages > kMostMergedByMessage) break;
    PARLEY_RETURN_IF_ERROR(Merge(step, due->first, due->second));
  }
  PARLEY_RETURN_IF_ERROR(SaveTail(step));
  return SaveHead(step);
}

absl::Status SearchIndex::AddSegment(Transaction& step, const std::vector<TailEntry>& entries,
                                     const LoadText& load) {
  SegmentWriter writer(head_.next_message);
  Postings postings;
  uint64_t tokens = 0;
  uint64_t message = head_.next_message;
  size_t bytes = 0;
  for (const TailEntry& entry : entries) {
    // The others are still missing then, and come with the next batch.
    if (bytes > kBatchBytes) break;
    Slot& slot = head_.slots[entry.slot];
    slot.up_to = std::max(slot.up_to, entry.index);
    if (entry.bytes == 0) continue;
    PARLEY_ASSIGN_OR_RETURN(const std::string text, TextOf(load, slot.channel, entry.index));
    bytes += text.size();
    const std::vector<std::string> terms = TermsOf(text);
    if (terms.empty()) continue;
    tokens += terms.size();
    AddTerms(terms, message++, postings);
    writer.AddPlace({entry.slot, entry.index});
  }
  if (message == head_.next_message) return absl::OkStatus();
  for (const auto& [term, list] : postings) writer.AddTerm(term, list);
  PARLEY_ASSIGN_OR_RETURN(const Segment segment, writer.Finish(step, head_.next_record, tokens));
  head_.next_record += segment.records();
  head_.next_message = message;
  head_.segments.push_back(segment);
  return absl::OkStatus();
}

absl::StatusOr<bool> SearchIndex::CatchUp(Transaction& step,
                                          const std::vector<ChannelEnd>& channels,
                                          const LoadText& load) {
  PARLEY_ASSIGN_OR_RETURN(SearchIndex all, LoadOrBegin(step));
  for (const ChannelEnd& end : channels) all.SlotOf(end.channel);
  if (!all.IsComplete(channels)) {
    std::vector<TailEntry> batch = std::exchange(all.tail_.entries, {});
    for (const ChannelEnd& end : channels) {
      const uint32_t slot = all.SlotOf(end.channel);
      uint64_t index = all.head_.slots[slot].up_to;
      for (const TailEntry& entry : batch) {
        if (entry.slot == slot) index = std::max(index, entry.index);
      }
      while (index < end.messages && batch.size() < kBatchMessages) {
        batch.push_back({slot, ++index, 1});
      }
    }
    PARLEY_RETURN_IF_ERROR(all.AddSegment(step, batch, load));
  } else if (!all.head_.gone.empty()) {
    std::vector<Gone> gone = std::exchange(all.head_.gone, {});
    std::sort(gone.begin(), gone.end());
    PARLEY_RETURN_IF_ERROR(all.Remove(step, [&](uint32_t slot, uint64_t index) {
      return std::binary_search(gone.begin(), gone.end(), Gone{slot, index});
    }));
  } else if (const auto due = all.DueMerge(); due.has_value()) {
    PARLEY_RETURN_IF_ERROR(all.Merge(step, due->first, due->second));
  }
  PARLEY_RETURN_IF_ERROR(all.SaveTail(step));
  PARLEY_RETURN_IF_ERROR(all.SaveHead(step));
  return !all.IsComplete(channels) || all.IsMergeDue();
}

// ---- Merging ----

bool SearchIndex::IsMergeDue() const { return !head_.gone.empty() || DueMerge().has_value(); }

std::optional<std::pair<size_t, size_t>> SearchIndex::DueMerge() const {
  const std::vector<Segment>& all = head_.segments;
  unsigned highest = 0;
  for (const Segment& segment : all) highest = std::max(highest, LevelOf(segment));
  for (unsigned level = 0; level <= highest; ++level) {
    // Those at the end that are no larger, of which eight are as large.
    size_t first = all.size();
    size_t as_large = 0;
    while (first > 0 && LevelOf(all[first - 1]) <= level) {
      if (LevelOf(all[--first]) == level) ++as_large;
    }
    if (as_large >= kFanOut) return std::make_pair(first, all.size());
  }
  return std::nullopt;
}

absl::Status SearchIndex::Merge(Transaction& step, size_t first, size_t end) {
  return Rewrite(step, first, end, [](const Place& place) { return place.slot != kForgotten; });
}

namespace {

// Goes through the terms of several segments, and gives each with its postings in all of them.
absl::Status MergeTerms(const ReadTransaction& step, const std::vector<Segment>& segments,
                        const std::function<absl::Status(const std::string& term,
                                                         std::vector<Posting>& postings)>& take) {
  std::vector<TermCursor> cursors;
  for (const Segment& segment : segments) {
    PARLEY_RETURN_IF_ERROR(cursors.emplace_back(step, segment).Seek(""));
  }
  for (;;) {
    const TermCursor* least = nullptr;
    for (const TermCursor& cursor : cursors) {
      if (!cursor.at_end() && (least == nullptr || cursor.term() < least->term())) least = &cursor;
    }
    if (least == nullptr) return absl::OkStatus();
    const std::string term = least->term();
    std::vector<Posting> all;
    std::vector<Posting> some;
    for (TermCursor& cursor : cursors) {
      if (cursor.at_end() || cursor.term() != term) continue;
      PARLEY_RETURN_IF_ERROR(cursor.Read(some));
      all.insert(all.end(), some.begin(), some.end());
      PARLEY_RETURN_IF_ERROR(cursor.Next());
    }
    PARLEY_RETURN_IF_ERROR(take(term, all));
  }
}

}  // namespace

absl::Status SearchIndex::Rewrite(Transaction& step, size_t first, size_t end,
                                  const std::function<bool(const Place&)>& keep) {
  const auto begin_of = [this](size_t i) {
    return head_.segments.begin() + static_cast<ptrdiff_t>(i);
  };
  const std::vector<Segment> old(begin_of(first), begin_of(end));
  const uint64_t base = old.front().first;
  const uint64_t past = old.back().first + old.back().messages;
  // The numbers stay as they are, so that other segments needn't change.
  std::vector<Place> places(past - base);
  uint64_t tokens = 0;
  for (const Segment& segment : old) {
    PARLEY_ASSIGN_OR_RETURN(const std::vector<Place> some, LoadPlaces(step, segment));
    std::copy(some.begin(), some.end(),
              places.begin() + static_cast<ptrdiff_t>(segment.first - base));
    tokens += segment.tokens;
  }
  SegmentWriter writer(base);
  for (Place& place : places) {
    if (!keep(place)) place = Place();
    writer.AddPlace(place);
  }
  PARLEY_RETURN_IF_ERROR(
      MergeTerms(step, old, [&](const std::string& term, std::vector<Posting>& postings) {
        std::erase_if(postings, [&](const Posting& posting) {
          return places[posting.message - base].slot == kForgotten;
        });
        if (!postings.empty()) writer.AddTerm(term, postings);
        return absl::OkStatus();
      }));
  PARLEY_ASSIGN_OR_RETURN(const Segment merged, writer.Finish(step, head_.next_record, tokens));
  head_.next_record += merged.records();
  for (const Segment& segment : old) PARLEY_RETURN_IF_ERROR(DeletePages(step, segment));
  head_.segments.erase(begin_of(first) + 1, begin_of(end));
  head_.segments[first] = merged;
  return absl::OkStatus();
}

std::optional<uint32_t> SearchIndex::FindSlot(const ChannelId& channel) const {
  for (size_t slot = 0; slot < head_.slots.size(); ++slot) {
    if (head_.slots[slot].channel == channel) return static_cast<uint32_t>(slot);
  }
  return std::nullopt;
}

absl::Status SearchIndex::Remove(Transaction& step,
                                 const std::function<bool(uint32_t, uint64_t)>& is_gone) {
  for (TailEntry& entry : tail_.entries) {
    if (is_gone(entry.slot, entry.index)) entry.bytes = 0;
  }
  for (size_t i = 0; i < head_.segments.size(); ++i) {
    PARLEY_ASSIGN_OR_RETURN(const std::vector<Place> places, LoadPlaces(step, head_.segments[i]));
    const auto is_place_gone = [&](const Place& place) { return is_gone(place.slot, place.index); };
    if (std::none_of(places.begin(), places.end(), is_place_gone)) continue;
    PARLEY_RETURN_IF_ERROR(Rewrite(step, i, i + 1, [&](const Place& place) {
      return place.slot != kForgotten && !is_place_gone(place);
    }));
  }
  return absl::OkStatus();
}

absl::Status SearchIndex::Forget(Transaction& step, const ChannelId& channel,
                                 std::optional<uint64_t> index) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<SearchIndex> all, Load(step));
  if (!all.has_value()) return absl::OkStatus();
  const std::optional<uint32_t> slot = all->FindSlot(channel);
  if (!slot.has_value()) return absl::OkStatus();
  PARLEY_RETURN_IF_ERROR(all->Remove(step, [&](uint32_t of, uint64_t at) {
    return of == *slot && (!index.has_value() || *index == at);
  }));
  PARLEY_RETURN_IF_ERROR(all->SaveTail(step));
  return all->SaveHead(step);
}

absl::Status SearchIndex::NoteGone(Transaction& step, const ChannelId& channel, uint64_t index) {
  absl::StatusOr<std::optional<SearchIndex>> all = Load(step);
  // CatchUp() finds a damaged one, and makes it anew from what there is then.
  if (absl::IsDataLoss(all.status())) return absl::OkStatus();
  PARLEY_RETURN_IF_ERROR(all.status());
  if (!all->has_value()) return absl::OkStatus();
  SearchIndex& found = **all;
  const std::optional<uint32_t> slot = found.FindSlot(channel);
  if (!slot.has_value()) return absl::OkStatus();
  if (index <= found.head_.slots[*slot].up_to) {
    found.head_.gone.push_back({*slot, index});
    return found.SaveHead(step);
  }
  for (TailEntry& entry : found.tail_.entries) {
    if (entry.slot == *slot && entry.index == index) entry.bytes = 0;
  }
  return found.SaveTail(step);
}

}  // namespace parley::client
