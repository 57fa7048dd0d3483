#include "tests/hostile/log_mutators.h"

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"

namespace parley::hostile {
namespace {

using relay::v1::Entry;

// ---- The lies that leave positions as they are --------------------------------------------------

Entry* EntryAt(Page& page, uint64_t position) {
  for (Entry& entry : *page.response.mutable_entries()) {
    if (entry.position() == position) return &entry;
  }
  return nullptr;
}

uint64_t Position(const Rule& rule) { return rule.Number("position", 0); }

void Flip(std::string& bytes, uint64_t index) {
  if (bytes.empty()) {
    bytes.push_back('\1');
  } else {
    char& byte = bytes[index % bytes.size()];
    byte = static_cast<char>(byte ^ 1);
  }
}

std::string RandomBytes(size_t size) {
  return crypto::ToString(crypto::Secret::Random(size).Reveal());
}

// One bit of an entry is another; `at=N` chooses the byte.
bool Alter(const Rule& rule, const LogBook&, Page& page) {
  Entry* entry = EntryAt(page, Position(rule));
  if (entry == nullptr) return false;
  Flip(*entry->mutable_payload(), rule.Number("at", entry->payload().size() / 2));
  return true;
}

// The entry is said to have been appended by another act.
bool AlterAppendId(const Rule& rule, const LogBook&, Page& page) {
  Entry* entry = EntryAt(page, Position(rule));
  if (entry == nullptr) return false;
  Flip(*entry->mutable_append_id(), 3);
  return true;
}

// In place of the entry stands another one, of this mailbox (`of=N`) or of another
// (`of_mailbox=HEX`).
bool Swap(const Rule& rule, const LogBook& book, Page& page) {
  Entry* entry = EntryAt(page, Position(rule));
  if (entry == nullptr) return false;
  const std::string other = rule.Raw("of_mailbox");
  const auto found = book.Find(other.empty() ? page.mailbox_id : other, rule.Number("of", 1));
  if (!found) return false;
  entry->set_payload(found->payload());
  entry->set_append_id(found->append_id());
  return true;
}

// The entry and the next one have changed places. A page that ends between them ends before.
bool Reorder(const Rule& rule, const LogBook& book, Page& page) {
  const uint64_t first = Position(rule);
  bool changed = false;
  for (Entry& entry : *page.response.mutable_entries()) {
    if (entry.position() != first && entry.position() != first + 1) continue;
    const auto other = book.Find(page.mailbox_id, 2 * first + 1 - entry.position());
    if (!other) continue;
    entry.set_payload(other->payload());
    entry.set_append_id(other->append_id());
    changed = true;
  }
  return changed;
}

// The answer is about another mailbox altogether.
bool WrongMailbox(const Rule& rule, const LogBook& book, Page& page) {
  const std::string other = rule.Raw("of_mailbox");
  bool changed = false;
  for (Entry& entry : *page.response.mutable_entries()) {
    if (entry.position() < Position(rule)) continue;
    const auto found = book.Find(other, entry.position());
    if (!found) continue;
    entry = *found;
    changed = true;
  }
  return changed;
}

// An entry is missing, and the positions show it.
bool Drop(const Rule& rule, const LogBook&, Page& page) {
  auto& entries = *page.response.mutable_entries();
  const auto gone = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) {
    return entry.position() == Position(rule);
  });
  if (gone == entries.end()) return false;
  entries.erase(gone);
  return true;
}

// The log ends before the position.
bool Truncate(const Rule& rule, const LogBook&, Page& page) {
  const uint64_t end = Position(rule);
  if (page.response.generation_head() < end) return false;
  auto& entries = *page.response.mutable_entries();
  entries.erase(std::remove_if(entries.begin(), entries.end(),
                               [&](const Entry& entry) { return entry.position() >= end; }),
                entries.end());
  page.response.set_generation_head(end - 1);
  page.response.set_closed(false);
  return true;
}

// The log has been forgotten up to the position.
bool Trimmed(const Rule& rule, const LogBook&, Page& page) {
  page.response.set_first_position(Position(rule));
  auto& entries = *page.response.mutable_entries();
  entries.erase(
      std::remove_if(entries.begin(), entries.end(),
                     [&](const Entry& entry) { return entry.position() < Position(rule); }),
      entries.end());
  return true;
}

// ---- Closings -----------------------------------------------------------------------------------

void EndPageAt(Page& page, uint64_t position) {
  auto& entries = *page.response.mutable_entries();
  entries.erase(std::remove_if(entries.begin(), entries.end(),
                               [&](const Entry& entry) { return entry.position() > position; }),
                entries.end());
  page.response.set_generation_head(position);
  page.response.set_closed(true);
}

// The entry is said to close its generation, with keys and a signature of the relay's invention.
bool ForgeClosing(const Rule& rule, const LogBook&, Page& page) {
  Entry* entry = EntryAt(page, Position(rule));
  if (entry == nullptr) return false;
  relay::v1::Closing& closing = *entry->mutable_closing();
  closing.mutable_next_keys()->set_read_key(RandomBytes(32));
  closing.mutable_next_keys()->add_append_keys(RandomBytes(32));
  closing.mutable_next_keys()->set_control_key(RandomBytes(32));
  closing.set_control_signature(RandomBytes(64));
  EndPageAt(page, Position(rule));
  return true;
}

// Of a true closing: without the closing, with another key, with a signature that is altered.
bool StripClosing(const Rule& rule, const LogBook&, Page& page) {
  Entry* entry = EntryAt(page, Position(rule));
  if (entry == nullptr || !entry->has_closing()) return false;
  entry->clear_closing();
  page.response.set_closed(false);
  return true;
}

bool AlterClosingKeys(const Rule& rule, const LogBook&, Page& page) {
  Entry* entry = EntryAt(page, Position(rule));
  if (entry == nullptr || !entry->has_closing()) return false;
  Flip(*entry->mutable_closing()->mutable_next_keys()->mutable_append_keys(0), 5);
  return true;
}

bool AlterClosingSignature(const Rule& rule, const LogBook&, Page& page) {
  Entry* entry = EntryAt(page, Position(rule));
  if (entry == nullptr || !entry->has_closing()) return false;
  Flip(*entry->mutable_closing()->mutable_control_signature(), 7);
  return true;
}

// ---- Lies that renumber: this reader's log is another one from the position on ------------------

// The entry was never there: those after it move down by one.
uint64_t HideAsked(const Rule& rule, uint64_t from) {
  return from >= Position(rule) ? from + 1 : from;
}

bool HideShown(const Rule& rule, const LogBook& book, Page& page) {
  if (page.response.generation_head() < Position(rule)) return false;
  Drop(rule, book, page);
  for (Entry& entry : *page.response.mutable_entries()) {
    if (entry.position() > Position(rule)) entry.set_position(entry.position() - 1);
  }
  page.response.set_generation_head(page.response.generation_head() - 1);
  return true;
}

// An older entry (`of=N`) stands in the log a second time, at the position.
uint64_t ReplayAsked(const Rule& rule, uint64_t from) {
  return from > Position(rule) ? from - 1 : from;
}

bool ReplayShown(const Rule& rule, const LogBook& book, Page& page) {
  const uint64_t place = Position(rule);
  if (page.response.generation_head() + 1 < place) return false;
  const auto old = book.Find(page.mailbox_id, rule.Number("of", 1));
  if (!old) return false;
  relay::v1::ReadResponse changed = page.response;
  changed.clear_entries();
  bool placed = page.from > place;
  const auto place_copy = [&] {
    Entry& copy = *changed.add_entries();
    copy = *old;
    copy.clear_closing();
    copy.set_position(place);
    placed = true;
  };
  for (const Entry& entry : page.response.entries()) {
    if (!placed && entry.position() >= place) place_copy();
    Entry& moved = *changed.add_entries();
    moved = entry;
    if (entry.position() >= place) moved.set_position(entry.position() + 1);
  }
  if (!placed) place_copy();
  for (Entry& entry : *changed.mutable_entries()) {
    if (entry.position() == place && !page.response.entries().empty()) {
      entry.set_generation(page.response.entries(0).generation());
    }
  }
  changed.set_generation_head(page.response.generation_head() + 1);
  page.response = changed;
  return true;
}

constexpr std::array kLogMutators = {
    LogMutator{"alter", nullptr, Alter},
    LogMutator{"alter-append-id", nullptr, AlterAppendId},
    LogMutator{"swap", nullptr, Swap},
    LogMutator{"reorder", nullptr, Reorder},
    LogMutator{"wrong-mailbox", nullptr, WrongMailbox},
    LogMutator{"drop", nullptr, Drop},
    LogMutator{"truncate", nullptr, Truncate},
    LogMutator{"trimmed", nullptr, Trimmed},
    LogMutator{"forge-closing", nullptr, ForgeClosing},
    LogMutator{"strip-closing", nullptr, StripClosing},
    LogMutator{"alter-closing-keys", nullptr, AlterClosingKeys},
    LogMutator{"alter-closing-signature", nullptr, AlterClosingSignature},
    LogMutator{"hide", HideAsked, HideShown},
    LogMutator{"replay", ReplayAsked, ReplayShown},
};

}  // namespace

void LogBook::Note(const std::string& mailbox_id, const Entry& entry) {
  const std::lock_guard lock(mutex_);
  logs_[mailbox_id][entry.position()] = entry;
}

std::optional<Entry> LogBook::Find(const std::string& mailbox_id, uint64_t position) const {
  const std::lock_guard lock(mutex_);
  const auto log = logs_.find(mailbox_id);
  if (log == logs_.end()) return std::nullopt;
  const auto entry = log->second.find(position);
  if (entry == log->second.end()) return std::nullopt;
  return entry->second;
}

std::optional<Entry> LogBook::FindAppend(const std::string& mailbox_id,
                                         const std::string& append_id) const {
  const std::lock_guard lock(mutex_);
  const auto log = logs_.find(mailbox_id);
  if (log == logs_.end()) return std::nullopt;
  for (const auto& [position, entry] : log->second) {
    if (entry.append_id() == append_id) return entry;
  }
  return std::nullopt;
}

void LogBook::Clear() {
  const std::lock_guard lock(mutex_);
  logs_.clear();
}

const LogMutator* FindLogMutator(std::string_view kind) {
  for (const LogMutator& mutator : kLogMutators) {
    if (mutator.kind == kind) return &mutator;
  }
  return nullptr;
}

}  // namespace parley::hostile
