#include "client-lib/search/search_index.h"

#include <algorithm>
#include <span>
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
// About as many pages has a tail of kTailBytes.
constexpr uint64_t kTailPages = 16;
// Of segments as large as that, eight are too large to be merged.
constexpr uint64_t kFullPages = SearchIndex::kMostMergedPages / kFanOut;
// Pages are looked for past a gap of as many; and no further than that (of 8 KiB each: 32 GiB).
constexpr uint64_t kMostGap = uint64_t{1} << 16;
constexpr uint64_t kMostRecords = uint64_t{1} << 22;

bool IsFull(const Segment& segment) { return segment.records() >= kFullPages; }

// How many times eight times `least` is in `count`.
unsigned LevelOf(uint64_t count, uint64_t least) {
  unsigned level = 0;
  for (count /= least; count >= kFanOut; count /= kFanOut) ++level;
  return level;
}

// The sizes: each eight times the one before, from the tail's on, by messages or by pages.
unsigned LevelOf(const Segment& segment) {
  return std::max(LevelOf(segment.messages, SearchIndex::kTailMessages),
                  LevelOf(segment.records(), kTailPages));
}

uint64_t PagesOf(std::span<const Segment> segments) {
  uint64_t pages = 0;
  for (const Segment& segment : segments) pages += segment.records();
  return pages;
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

// What is to be merged among these, of which none is full: [first, end).
std::optional<std::pair<size_t, size_t>> DueIn(std::span<const Segment> all) {
  unsigned highest = 0;
  for (const Segment& segment : all) highest = std::max(highest, LevelOf(segment));
  for (unsigned level = 0; level <= highest; ++level) {
    // Those at the end that are no larger, of which eight are as large.
    size_t first = all.size();
    size_t as_large = 0;
    while (first > 0 && LevelOf(all[first - 1]) <= level) {
      if (LevelOf(all[--first]) == level) ++as_large;
    }
    if (as_large < kFanOut) continue;
    size_t end = all.size();
    while (PagesOf(all.subspan(first, end - first)) > SearchIndex::kMostMergedPages) --end;
    return std::make_pair(first, end);
  }
  return std::nullopt;
}

// The number of the next page, as a head or tail of any version has it; nothing where none can be
// read. `exists`: set where there is such a record at all.
absl::StatusOr<std::optional<uint64_t>> NextRecordIn(const ReadTransaction& step, const char* name,
                                                     bool& exists) {
  const absl::StatusOr<std::optional<crypto::Secret>> bytes = step.Get(RecordClass::kIndex, name);
  if (!bytes.ok() && !absl::IsDataLoss(bytes.status())) return bytes.status();
  exists = exists || !bytes.ok() || bytes->has_value();
  if (!bytes.ok() || !bytes->has_value()) return std::optional<uint64_t>();
  uint8_t version = 0;
  uint64_t next_record = 0;
  crypto::Reader reader((*bytes)->Reveal());
  if (!reader.ReadUint8(version).ok() || !reader.ReadUint64(next_record).ok() ||
      next_record > kMostRecords) {
    return std::optional<uint64_t>();
  }
  return std::optional<uint64_t>(next_record);
}

// Removes the pages, as far as anything says where there are some.
absl::Status DeleteAllPages(Transaction& step, std::optional<uint64_t> next_record) {
  uint64_t gap = 0;
  const uint64_t end = next_record.value_or(kMostRecords);
  for (uint64_t record = 0; record < end; ++record) {
    const std::string name = SearchPageName(record);
    if (!next_record.has_value()) {
      PARLEY_ASSIGN_OR_RETURN(const bool there, step.Has(RecordClass::kIndex, name));
      gap = there ? 0 : gap + 1;
      if (gap == kMostGap) break;
    }
    PARLEY_RETURN_IF_ERROR(step.Delete(RecordClass::kIndex, name));
  }
  return absl::OkStatus();
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
  if (!tail.has_value()) return std::optional<SearchIndex>();
  SearchIndex index;
  index.head_ = std::move(*head);
  index.tail_ = std::move(*tail);
  if (!index.IsSound()) return std::optional<SearchIndex>();
  return std::optional<SearchIndex>(std::move(index));
}

bool SearchIndex::IsSound() const {
  if (head_.next_record > kMostRecords || tail_.next_record != head_.next_record) return false;
  uint64_t next = 0;
  for (const Segment& segment : head_.segments) {
    if (segment.first != next || segment.messages == 0) return false;
    // Each takes two bytes at least.
    if (segment.messages > uint64_t{segment.place_pages} * kPageBytes / 2) return false;
    if (segment.record > head_.next_record ||
        segment.records() > head_.next_record - segment.record) {
      return false;
    }
    next += segment.messages;
  }
  const size_t slots = head_.slots.size();
  return next == head_.next_message &&
         std::all_of(head_.gone.begin(), head_.gone.end(),
                     [&](const Gone& gone) { return gone.slot < slots; }) &&
         std::all_of(tail_.entries.begin(), tail_.entries.end(),
                     [&](const TailEntry& entry) { return entry.slot < slots; });
}

absl::StatusOr<SearchIndex> SearchIndex::LoadOrBegin(Transaction& step) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<SearchIndex> index, Load(step));
  if (index.has_value()) return std::move(*index);
  PARLEY_RETURN_IF_ERROR(Reset(step));
  return SearchIndex();
}

absl::Status SearchIndex::Reset(Transaction& step) {
  bool exists = false;
  PARLEY_ASSIGN_OR_RETURN(const std::optional<uint64_t> in_head,
                          NextRecordIn(step, kHeadName, exists));
  PARLEY_ASSIGN_OR_RETURN(const std::optional<uint64_t> in_tail,
                          NextRecordIn(step, kTailName, exists));
  if (!exists) return absl::OkStatus();
  // Where they differ, the pages are looked for.
  std::optional<uint64_t> next_record = in_head.has_value() ? in_head : in_tail;
  if (in_head.has_value() && in_tail.has_value() && *in_head != *in_tail) next_record.reset();
  PARLEY_RETURN_IF_ERROR(DeleteAllPages(step, next_record));
  PARLEY_RETURN_IF_ERROR(step.Delete(RecordClass::kIndex, kTailName));
  return step.Delete(RecordClass::kIndex, kHeadName);
}

absl::Status SearchIndex::SaveHead(Transaction& step) const {
  return StoreSearchRecord(step, kHeadName, head_);
}

absl::Status SearchIndex::SaveTail(Transaction& step) {
  tail_.next_record = head_.next_record;
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
  // What is damaged in the index keeps nobody from receiving: the next search builds it anew. (Then
  // nothing was written: a damaged segment that is met in merging ends the merging alone.)
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
    const std::span<const Segment> all(head_.segments);
    if (PagesOf(all.subspan(due->first, due->second - due->first)) > kMostMergedByMessage) break;
    const absl::Status merged = Merge(step, due->first, due->second);
    // Nothing is changed then: what is noted stays, and the next search builds the index anew.
    if (absl::IsDataLoss(merged)) break;
    PARLEY_RETURN_IF_ERROR(merged);
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
    const absl::Status removed = all.Remove(step, [&](uint32_t slot, uint64_t index) {
      return std::binary_search(gone.begin(), gone.end(), Gone{slot, index});
    });
    if (absl::IsDataLoss(removed)) {
      // Their words must go, whatever else is damaged.
      PARLEY_RETURN_IF_ERROR(Reset(step));
      return !channels.empty();
    }
    PARLEY_RETURN_IF_ERROR(removed);
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
  // What stands between full ones is merged by itself, the latest first.
  for (size_t end = all.size(); end > 0;) {
    size_t begin = end;
    while (begin > 0 && !IsFull(all[begin - 1])) --begin;
    const std::optional<std::pair<size_t, size_t>> due =
        DueIn(std::span(all).subspan(begin, end - begin));
    if (due.has_value()) return std::make_pair(begin + due->first, begin + due->second);
    end = begin > 0 ? begin - 1 : 0;
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
  // The numbers stay as they are, so that other segments needn't change.
  std::vector<Place> places;
  uint64_t tokens = 0;
  for (const Segment& segment : old) {
    PARLEY_ASSIGN_OR_RETURN(const std::vector<Place> some, LoadPlaces(step, segment));
    places.insert(places.end(), some.begin(), some.end());
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
  const absl::Status forgotten = [&]() -> absl::Status {
    PARLEY_ASSIGN_OR_RETURN(std::optional<SearchIndex> all, Load(step));
    return all.has_value() ? all->ForgetMessages(step, channel, index) : Reset(step);
  }();
  return absl::IsDataLoss(forgotten) ? Reset(step) : forgotten;
}

absl::Status SearchIndex::ForgetMessages(Transaction& step, const ChannelId& channel,
                                         std::optional<uint64_t> index) {
  const std::optional<uint32_t> slot = FindSlot(channel);
  if (!slot.has_value()) return absl::OkStatus();
  PARLEY_RETURN_IF_ERROR(Remove(step, [&](uint32_t of, uint64_t at) {
    return of == *slot && (!index.has_value() || *index == at);
  }));
  PARLEY_RETURN_IF_ERROR(SaveTail(step));
  return SaveHead(step);
}

absl::Status SearchIndex::NoteGone(Transaction& step, const ChannelId& channel, uint64_t index) {
  const absl::Status noted = [&]() -> absl::Status {
    PARLEY_ASSIGN_OR_RETURN(std::optional<SearchIndex> all, Load(step));
    return all.has_value() ? all->NoteGoneMessage(step, channel, index) : Reset(step);
  }();
  return absl::IsDataLoss(noted) ? Reset(step) : noted;
}

absl::Status SearchIndex::NoteGoneMessage(Transaction& step, const ChannelId& channel,
                                          uint64_t index) {
  const std::optional<uint32_t> slot = FindSlot(channel);
  if (!slot.has_value()) return absl::OkStatus();
  if (index <= head_.slots[*slot].up_to) {
    head_.gone.push_back({*slot, index});
    return SaveHead(step);
  }
  for (TailEntry& entry : tail_.entries) {
    if (entry.slot == *slot && entry.index == index) entry.bytes = 0;
  }
  return SaveTail(step);
}

}  // namespace parley::client
