#include "client-lib/firewall/passage_index.h"

#include <algorithm>
#include <utility>

#include "client-lib/firewall/bound_text.h"
#include "client-lib/firewall/passages.h"
#include "client-lib/pairing/record_table.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

constexpr size_t kBatchMessages = 256;
constexpr size_t kBatchEntries = 200'000;

}  // namespace

uint64_t DocumentFingerprint(crypto::ByteView plaintext_root) {
  uint64_t value = 0;
  for (size_t i = 0; i < std::min<size_t>(8, plaintext_root.size()); ++i) {
    value = value << 8 | plaintext_root[i];
  }
  return value;
}

absl::StatusOr<PassageIndex> PassageIndex::Load(const ReadTransaction& step, const CaseId& id,
                                                const ParticipantId& own_id) {
  PassageIndex index(id, own_id);
  PARLEY_ASSIGN_OR_RETURN(std::optional<Head> head,
                          GetRecord<Head>(step, RecordClass::kIndex, index.root_));
  if (head.has_value()) index.head_ = std::move(*head);
  return index;
}

std::string PassageIndex::ListName(uint32_t list) const {
  return root_ + "/" + std::to_string(list);
}

std::string PassageIndex::PageName(uint32_t list, uint64_t page) const {
  return ListName(list) + "/" + std::to_string(page);
}

absl::StatusOr<PassageIndex::List> PassageIndex::LoadList(const ReadTransaction& step,
                                                          uint32_t list) const {
  PARLEY_ASSIGN_OR_RETURN(std::optional<List> loaded,
                          GetRecord<List>(step, RecordClass::kIndex, ListName(list)));
  return loaded.has_value() ? std::move(*loaded) : List();
}

uint32_t PassageIndex::SlotOf(const ChannelId& channel) {
  const auto found =
      std::find_if(head_.channels.begin(), head_.channels.end(),
                   [&](const IndexedChannel& indexed) { return indexed.id == channel; });
  const auto slot = static_cast<uint32_t>(found - head_.channels.begin());
  if (found == head_.channels.end()) head_.channels.push_back({channel, 0});
  return slot;
}

size_t PassageIndex::Add(const ChannelMessage& message, uint32_t slot, Pending& pending) const {
  const BoundContent content = ReadBound(message);
  const bool own_saying = !content.carried && message.author.participant_id == own_id_;
  const auto add = [&](uint32_t sort, uint64_t key) {
    pending[ListOf(sort, key)].push_back({key, slot, message.index, uint8_t{own_saying}});
  };
  size_t added = 0;
  if (!content.document_root.empty()) {
    add(kDocuments, DocumentFingerprint(content.document_root));
    ++added;
  }
  for (const BoundDocument& document : content.more_documents) {
    add(kDocuments, DocumentFingerprint(document.root));
    ++added;
  }
  for (const std::string& part : content.parts) {
    const Letters letters = FoldedLetters(part);
    if (!CountsAsWhole(letters)) continue;
    add(kShort, ShortFingerprint(letters));
    ++added;
  }
  const Letters letters = FoldedLetters(content.text);
  if (content.parts.empty() && CountsAsWhole(letters)) {
    add(kShort, ShortFingerprint(letters));
    return added + 1;
  }
  const std::vector<uint64_t> fingerprints = Fingerprints(letters);
  for (const uint64_t key : fingerprints) add(kPassages, key);
  return added + fingerprints.size();
}

absl::StatusOr<bool> PassageIndex::Update(Transaction& step, const Channel& channel, uint64_t head,
                                          size_t& room) {
  const uint32_t slot = SlotOf(channel.id());
  if (head_.channels[slot].up_to >= head) return true;
  MessageQuery query;
  query.limit = kBatchMessages;
  query.kinds = BoundKinds();
  Pending pending;
  size_t entries = 0;
  bool more = true;
  while (more && room > 0) {
    query.after = head_.channels[slot].up_to;
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages,
                            channel.Messages(step, query));
    more = messages.size() == kBatchMessages;
    for (const ChannelMessage& message : messages) {
      const size_t added = Add(message, slot, pending);
      entries += added;
      room -= std::min(room, added);
      head_.channels[slot].up_to = message.number;
      if (room > 0) continue;
      more = true;
      break;
    }
    if (entries < kBatchEntries) continue;
    PARLEY_RETURN_IF_ERROR(Append(step, pending));
    entries = 0;
  }
  PARLEY_RETURN_IF_ERROR(Append(step, pending));
  // What stands between the last text and the head holds nothing.
  if (!more) head_.channels[slot].up_to = head;
  PARLEY_RETURN_IF_ERROR(SaveHead(step));
  return !more;
}

absl::Status PassageIndex::Reset(Transaction& step) {
  for (uint32_t list = 0; list < kDocuments + (1u << kListBits); ++list) {
    PARLEY_ASSIGN_OR_RETURN(std::optional<List> loaded,
                            GetRecord<List>(step, RecordClass::kIndex, ListName(list)));
    if (!loaded.has_value()) continue;
    for (uint64_t page = 0; page < loaded->pages; ++page) {
      PARLEY_RETURN_IF_ERROR(step.Delete(RecordClass::kIndex, PageName(list, page)));
    }
    PARLEY_RETURN_IF_ERROR(step.Delete(RecordClass::kIndex, ListName(list)));
  }
  head_ = {};
  return step.Delete(RecordClass::kIndex, root_);
}

absl::Status PassageIndex::SaveHead(Transaction& step) const {
  return PutRecord(step, RecordClass::kIndex, root_, head_);
}

absl::Status PassageIndex::Append(Transaction& step, Pending& pending) {
  for (auto& [list, entries] : pending) {
    PARLEY_ASSIGN_OR_RETURN(List loaded, LoadList(step, list));
    for (Entry& entry : entries) {
      loaded.entries.push_back(entry);
      if (loaded.entries.size() < kPageEntries) continue;
      Page page;
      page.entries.swap(loaded.entries);
      PARLEY_RETURN_IF_ERROR(
          PutRecord(step, RecordClass::kIndex, PageName(list, loaded.pages++), page));
    }
    PARLEY_RETURN_IF_ERROR(PutRecord(step, RecordClass::kIndex, ListName(list), loaded));
  }
  pending.clear();
  return absl::OkStatus();
}

absl::Status PassageIndex::Report(const std::vector<Entry>& entries,
                                  std::span<const uint64_t> fingerprints,
                                  const Found& found) const {
  for (const Entry& entry : entries) {
    if (!std::binary_search(fingerprints.begin(), fingerprints.end(), entry.key)) continue;
    if (entry.channel >= head_.channels.size()) {
      return absl::DataLossError("the firewall's index is damaged");
    }
    found({head_.channels[entry.channel].id, entry.index, entry.own_saying != 0});
  }
  return absl::OkStatus();
}

absl::Status PassageIndex::FindIn(const ReadTransaction& step, uint32_t list,
                                  std::span<const uint64_t> fingerprints,
                                  const Found& found) const {
  PARLEY_ASSIGN_OR_RETURN(const List loaded, LoadList(step, list));
  for (uint64_t number = 0; number < loaded.pages; ++number) {
    PARLEY_ASSIGN_OR_RETURN(std::optional<Page> page,
                            GetRecord<Page>(step, RecordClass::kIndex, PageName(list, number)));
    if (!page.has_value()) return absl::DataLossError("a page of the firewall's index is missing");
    PARLEY_RETURN_IF_ERROR(Report(page->entries, fingerprints, found));
  }
  return Report(loaded.entries, fingerprints, found);
}

absl::Status PassageIndex::Find(const ReadTransaction& step, uint32_t sort,
                                std::span<const uint64_t> fingerprints, const Found& found) const {
  while (!fingerprints.empty()) {
    const uint32_t list = ListOf(sort, fingerprints.front());
    const auto end = std::find_if(fingerprints.begin(), fingerprints.end(),
                                  [&](uint64_t key) { return ListOf(sort, key) != list; });
    const auto length = static_cast<size_t>(end - fingerprints.begin());
    PARLEY_RETURN_IF_ERROR(FindIn(step, list, fingerprints.first(length), found));
    fingerprints = fingerprints.subspan(length);
  }
  return absl::OkStatus();
}

absl::Status PassageIndex::FindPassages(const ReadTransaction& step,
                                        const std::vector<uint64_t>& fingerprints,
                                        const Found& found) const {
  return Find(step, kPassages, fingerprints, found);
}

absl::Status PassageIndex::FindShort(const ReadTransaction& step,
                                     const std::vector<uint64_t>& fingerprints,
                                     const Found& found) const {
  return Find(step, kShort, fingerprints, found);
}

absl::Status PassageIndex::FindDocuments(const ReadTransaction& step, uint64_t fingerprint,
                                         const Found& found) const {
  return Find(step, kDocuments, std::span(&fingerprint, 1), found);
}

}  // namespace parley::client
