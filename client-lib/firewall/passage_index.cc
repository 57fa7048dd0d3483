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
constexpr size_t kBatchEntries = 50'000;

}  // namespace

uint64_t DocumentFingerprint(crypto::ByteView plaintext_root) {
  uint64_t value = 0;
  for (size_t i = 0; i < std::min<size_t>(8, plaintext_root.size()); ++i) {
    value = value << 8 | plaintext_root[i];
  }
  return value;
}

absl::StatusOr<PassageIndex> PassageIndex::Load(const ReadTransaction& step, const CaseId& id) {
  PassageIndex index(id);
  PARLEY_ASSIGN_OR_RETURN(std::optional<Head> head,
                          GetRecord<Head>(step, RecordClass::kIndex, index.root_));
  if (head.has_value()) {
    if (head->sizes.size() != kLists) return absl::DataLossError("the firewall's index is damaged");
    index.head_ = std::move(*head);
  } else {
    index.head_.sizes.assign(kLists, 0);
  }
  return index;
}

std::string PassageIndex::PageName(uint32_t list, uint64_t page) const {
  return root_ + "/" + std::to_string(list) + "/" + std::to_string(page);
}

absl::StatusOr<PassageIndex::Page> PassageIndex::LoadPage(const ReadTransaction& step,
                                                          uint32_t list, uint64_t page) const {
  PARLEY_ASSIGN_OR_RETURN(std::optional<Page> loaded,
                          GetRecord<Page>(step, RecordClass::kIndex, PageName(list, page)));
  if (!loaded.has_value()) return absl::DataLossError("a page of the firewall's index is missing");
  return std::move(*loaded);
}

uint32_t PassageIndex::SlotOf(const ChannelId& channel) {
  const auto found =
      std::find_if(head_.channels.begin(), head_.channels.end(),
                   [&](const IndexedChannel& indexed) { return indexed.id == channel; });
  const auto slot = static_cast<uint32_t>(found - head_.channels.begin());
  if (found == head_.channels.end()) head_.channels.push_back({channel, 0});
  return slot;
}

size_t PassageIndex::Add(const ChannelMessage& message, uint32_t slot, Pending& pending) {
  const BoundContent content = ReadBound(message);
  const auto add = [&](uint32_t list, uint64_t key) {
    pending[list].push_back({key, slot, message.number});
  };
  if (!content.document_root.empty()) {
    add(kDocumentList, DocumentFingerprint(content.document_root));
    return 1;
  }
  const Letters letters = FoldedLetters(content.text);
  if (CountsAsWhole(letters)) {
    add(kShortList, ShortFingerprint(letters));
    return 1;
  }
  const std::vector<uint64_t> fingerprints = Fingerprints(letters);
  for (const uint64_t key : fingerprints) add(static_cast<uint32_t>(key >> 56), key);
  return fingerprints.size();
}

absl::Status PassageIndex::Update(Transaction& step, const Channel& channel) {
  const uint32_t slot = SlotOf(channel.id());
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, channel.Info(step));
  if (head_.channels[slot].up_to >= info.number) return absl::OkStatus();
  MessageQuery query;
  query.limit = kBatchMessages;
  query.kinds = BoundKinds();
  for (bool more = true; more;) {
    query.after = head_.channels[slot].up_to;
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages,
                            channel.Messages(step, query));
    Pending pending;
    size_t entries = 0;
    for (const ChannelMessage& message : messages) {
      entries += Add(message, slot, pending);
      head_.channels[slot].up_to = message.number;
      if (entries < kBatchEntries) continue;
      PARLEY_RETURN_IF_ERROR(Append(step, pending));
      entries = 0;
    }
    PARLEY_RETURN_IF_ERROR(Append(step, pending));
    more = messages.size() == kBatchMessages;
  }
  // What stands between the last text and the head holds nothing.
  head_.channels[slot].up_to = info.number;
  return SaveHead(step);
}

absl::Status PassageIndex::SaveHead(Transaction& step) const {
  return PutRecord(step, RecordClass::kIndex, root_, head_);
}

absl::Status PassageIndex::Append(Transaction& step, Pending& pending) {
  for (auto& [list, entries] : pending) {
    uint64_t& size = head_.sizes[list];
    for (auto next = entries.begin(); next != entries.end();) {
      const uint64_t page_number = size / kPageEntries;
      const uint64_t there = size % kPageEntries;
      Page page;
      if (there != 0) {
        PARLEY_ASSIGN_OR_RETURN(page, LoadPage(step, list, page_number));
        page.entries.resize(std::min<size_t>(page.entries.size(), there));
      }
      const auto room = static_cast<ptrdiff_t>(kPageEntries - there);
      const auto end = next + std::min<ptrdiff_t>(room, entries.end() - next);
      page.entries.insert(page.entries.end(), next, end);
      size += static_cast<uint64_t>(end - next);
      next = end;
      PARLEY_RETURN_IF_ERROR(
          PutRecord(step, RecordClass::kIndex, PageName(list, page_number), page));
    }
  }
  pending.clear();
  return absl::OkStatus();
}

absl::Status PassageIndex::Find(const ReadTransaction& step, uint32_t list,
                                const std::vector<uint64_t>& fingerprints,
                                const Found& found) const {
  for (uint64_t page = 0; page * kPageEntries < head_.sizes[list]; ++page) {
    PARLEY_ASSIGN_OR_RETURN(const Page loaded, LoadPage(step, list, page));
    for (const Entry& entry : loaded.entries) {
      if (!std::binary_search(fingerprints.begin(), fingerprints.end(), entry.key)) continue;
      if (entry.channel >= head_.channels.size()) {
        return absl::DataLossError("the firewall's index is damaged");
      }
      found({head_.channels[entry.channel].id, entry.number});
    }
  }
  return absl::OkStatus();
}

absl::Status PassageIndex::FindPassages(const ReadTransaction& step,
                                        const std::vector<uint64_t>& fingerprints,
                                        const Found& found) const {
  for (auto first = fingerprints.begin(); first != fingerprints.end();) {
    const auto list = static_cast<uint32_t>(*first >> 56);
    const auto end = std::find_if(first, fingerprints.end(), [list](uint64_t key) {
      return static_cast<uint32_t>(key >> 56) != list;
    });
    PARLEY_RETURN_IF_ERROR(Find(step, list, std::vector<uint64_t>(first, end), found));
    first = end;
  }
  return absl::OkStatus();
}

absl::Status PassageIndex::FindShort(const ReadTransaction& step,
                                     const std::vector<uint64_t>& fingerprints,
                                     const Found& found) const {
  return Find(step, kShortList, fingerprints, found);
}

absl::Status PassageIndex::FindDocuments(const ReadTransaction& step, uint64_t fingerprint,
                                         const Found& found) const {
  return Find(step, kDocumentList, {fingerprint}, found);
}

}  // namespace parley::client
