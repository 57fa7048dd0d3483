// The checks of mailboxes: generations, entries, append ids, counts.
#include <algorithm>
#include <optional>

#include "server/core/stored_records.h"
#include "server/core/stored_size.h"
#include "server/core/verifier.h"

namespace parley::server::verify {

void Verifier::CheckMailboxes() {
  const bool complete =
      Scan(Space::kRecords, std::string(storage::kMailboxPrefix), "mailboxes",
           [&](std::string_view key, std::string_view value) {
             const std::optional<ObjectId> id = storage::MailboxOfKey(key);
             if (!id.has_value()) {
               Find("a mailbox has a key of another length");
               return true;
             }
             ++report_.mailboxes;
             mailboxes_.insert(*id);
             absl::StatusOr<MailboxRecord> record = storage::ParseRecord<MailboxRecord>(value);
             if (!record.ok()) {
               Find("mailbox " + Short(*id) + ": its state: " + Message(record.status()));
               objects_complete_ = false;
               return true;
             }
             Log log{};
             log.id = *id;
             log.record = *std::move(record);
             CheckMailbox(log);
             return true;
           });
  objects_complete_ = objects_complete_ && complete;
}

void Verifier::CheckMailbox(Log& log) {
  Use& use = uses_[log.record.sponsor];
  use.bytes += log.record.stored_bytes + log.record.reserved_bytes;
  use.objects += 1;
  CheckExpiry(Name(log), log.record.expires_at, storage::ExpiringKind::kMailbox, log.id);
  ReadGenerations(log);
  ReadEntries(log);
  if (!log.complete) return;
  CheckAppendIds(log);
  CheckCounts(log);
}

void Verifier::ReadGenerations(Log& log) {
  const MailboxRecord& mailbox = log.record;
  const std::string prefix = storage::GenerationPrefix(log.id);
  log.complete &= Scan(
      Space::kRecords, prefix, Name(log) + ": its generations",
      [&](std::string_view key, std::string_view value) {
        uint64_t number = 0;
        for (const char c : key.substr(prefix.size()))
          number = number << 8 | static_cast<uint8_t>(c);
        absl::StatusOr<GenerationRecord> record = storage::ParseRecord<GenerationRecord>(value);
        if (!record.ok()) {
          Find(Name(log) + ": generation " + Number(number) + ": " + Message(record.status()));
          log.complete = false;
          return true;
        }
        log.stored_bytes += StoredSize(record->keys, limits_);
        log.generations[number] = *std::move(record);
        return true;
      });
  // The next one's number and first position; those of the first are the mailbox's own affair.
  uint64_t number = log.generations.empty() ? mailbox.generation : log.generations.begin()->first;
  uint64_t position = 0;
  for (const auto& [found, generation] : log.generations) {
    for (; number < found && number <= mailbox.generation; ++number) {
      Find(Name(log) + ": generation " + Number(number) + " is missing");
    }
    const bool is_open = generation.last_position == 0;
    if ((position != 0 && generation.first_position != position) ||
        is_open != (found == mailbox.generation) || generation.last_position > mailbox.head ||
        (!is_open && generation.last_position < generation.first_position)) {
      Find(Name(log) + ": generation " + Number(found) + " doesn't fit to its neighbours");
    }
    number = found + 1;
    position = is_open ? 0 : generation.last_position + 1;
  }
  if (!log.generations.contains(mailbox.generation)) {
    Find(Name(log) + ": its current generation, " + Number(mailbox.generation) + ", is missing");
    log.complete = false;
  } else if (log.generations.begin()->second.first_position > mailbox.first_position) {
    Find(Name(log) + ": the generation of its first entries is missing");
  }
}

// Names what is missing below `position`.
void Verifier::ExpectPosition(Log& log, uint64_t position) {
  if (position <= log.next) return;
  const bool many = position - log.next > 1;
  Find(Name(log) + (many ? ": entries " : ": entry ") + Positions(log.next, position - 1) +
       (many ? " are missing" : " is missing"));
  log.complete = false;
}

void Verifier::ReadEntries(Log& log) {
  log.next = log.record.first_position;
  const bool complete =
      Scan(Space::kEntries, storage::EntryPrefix(log.id), Name(log) + ": its entries",
           [&](std::string_view key, std::string_view value) {
             const std::optional<uint64_t> position = storage::PositionOfEntryKey(key);
             if (!position.has_value()) {
               Find(Name(log) + ": an entry has a key of another length");
             } else {
               CheckEntry(log, *position, value);
             }
             return true;
           });
  log.complete &= complete;
  // What couldn't be read isn't called missing.
  if (complete) ExpectPosition(log, log.record.head + 1);
}

void Verifier::CheckEntry(Log& log, uint64_t position, std::string_view value) {
  ++report_.entries;
  if (position < log.record.first_position || position > log.record.head) {
    Find(Name(log) + ": entry " + Number(position) + " lies beyond its log, " +
         Positions(log.record.first_position, log.record.head));
    log.complete = false;
    return;
  }
  ExpectPosition(log, position);
  log.next = position + 1;
  const std::string name = Name(log) + ": entry " + Number(position);
  absl::StatusOr<storage::EntryView> entry = storage::ParseEntry(value);
  if (!entry.ok()) {
    Find(name + ": " + Message(entry.status()));
    log.complete = false;
    return;
  }
  report_.bytes += entry->payload.size();
  const auto generation = log.generations.find(entry->record.generation);
  if (generation == log.generations.end()) {
    // That a generation is missing has been said.
    if (log.complete) Find(name + " is of a generation that is not there");
  } else if (position < generation->second.first_position ||
             (generation->second.last_position != 0 &&
              position > generation->second.last_position)) {
    Find(name + " is of a generation that lies elsewhere");
  } else if (entry->record.closing.has_value() != (position == generation->second.last_position)) {
    Find(name + " closes a generation and is not its last, or the other way about");
  }
  log.appends.emplace_back(entry->record.append_id, position);
  log.stored_bytes += StoredSize(entry->record.closing, entry->payload.size(), limits_);
  if (entry->record.generation == log.record.generation) log.used_bytes += entry->payload.size();
}

void Verifier::CheckAppendIds(Log& log) {
  const std::string prefix = storage::AppendIdPrefix(log.id);
  std::vector<std::pair<storage::AppendId, uint64_t>> found;
  const bool complete = Scan(Space::kRecords, prefix, Name(log) + ": its append ids",
                             [&](std::string_view key, std::string_view value) {
                               const auto id = storage::IdFrom<16>(key.substr(prefix.size()));
                               absl::StatusOr<storage::AppendIdRecord> record =
                                   storage::ParseRecord<storage::AppendIdRecord>(value);
                               if (!id.has_value() || !record.ok()) {
                                 Find(Name(log) + ": an append id is damaged");
                               } else {
                                 found.emplace_back(*id, record->position);
                               }
                               return true;
                             });
  if (!complete) return;
  std::sort(log.appends.begin(), log.appends.end());
  if (found == log.appends) return;  // a scan goes in the order of the ids
  Find(Name(log) +
       ": its append ids are not those of its entries: a repeated append may be stored twice");
}

void Verifier::CheckCounts(const Log& log) {
  const MailboxRecord& mailbox = log.record;
  const GenerationRecord& current = log.generations.at(mailbox.generation);
  if (log.stored_bytes != mailbox.stored_bytes) {
    Find(Name(log) + ": it stores " + Number(log.stored_bytes) + " bytes, and says " +
             Number(mailbox.stored_bytes),
         Remedy::kRecount);
  }
  const uint64_t entries = mailbox.head + 1 - std::min(current.first_position, mailbox.head + 1);
  const bool trimmed = mailbox.first_position > current.first_position;
  if (entries != mailbox.used_entries || (!trimmed && log.used_bytes != mailbox.used_bytes)) {
    Find(Name(log) + ": what its current generation took of the allowance is counted wrong",
         Remedy::kRecount);
  }
}

void Verifier::CheckExpiry(const std::string& name, uint64_t expires_at, storage::ExpiringKind kind,
                           const ObjectId& id) {
  if (expires_at == 0) return;
  absl::StatusOr<std::optional<std::string>> noted =
      store_.Get(Space::kRecords, storage::ExpiryKey(expires_at, kind, storage::IdView(id)));
  if (noted.ok() && noted->has_value()) return;
  Find(name + ": that it expires isn't noted, so it will not be swept away", Remedy::kLeftover);
}

}  // namespace parley::server::verify
