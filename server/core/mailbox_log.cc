#include "server/core/mailbox_log.h"

#include <algorithm>

#include "crypto/base/status_macros.h"
#include "server/core/request_fields.h"
#include "server/core/stored_records.h"

namespace parley::server {
namespace {

using storage::GenerationRecord;
using storage::MailboxRecord;

absl::Status Gone() { return absl::NotFoundError("no such mailbox or generation (any more)"); }

void Fill(uint64_t position, const storage::EntryView& view, v1::Entry& out) {
  out.set_position(position);
  out.set_generation(view.record.generation);
  out.set_append_id(std::string(storage::IdView(view.record.append_id)));
  out.set_payload(view.payload.data(), view.payload.size());
  if (view.record.closing.has_value()) *out.mutable_closing() = ToProto(*view.record.closing);
}

}  // namespace

absl::StatusOr<LogWindow> LoadWindow(const storage::KeyValueStore& store,
                                     const storage::ObjectId& mailbox, uint64_t generation,
                                     uint64_t now) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<MailboxRecord> record,
                          GetRecord<MailboxRecord>(store, storage::MailboxKey(mailbox)));
  if (!record.has_value() || IsExpired(record->expires_at, now)) return Gone();
  // Read after the mailbox: should the generation be closed in between, its end is seen, and never
  // an open generation that seems to reach into the next one.
  PARLEY_ASSIGN_OR_RETURN(
      std::optional<GenerationRecord> bounds,
      GetRecord<GenerationRecord>(store, storage::GenerationKey(mailbox, generation)));
  if (!bounds.has_value()) return Gone();
  LogWindow window;
  window.first_kept = record->first_position;
  window.first = std::max(bounds->first_position, record->first_position);
  window.closed = bounds->last_position != 0;
  window.last = window.closed ? bounds->last_position : record->head;
  return window;
}

absl::Status ReadEntries(const storage::KeyValueStore& store, const storage::ObjectId& mailbox,
                         uint64_t from, uint64_t last, const ReadBounds& bounds,
                         google::protobuf::RepeatedPtrField<v1::Entry>& out) {
  if (from > last) return absl::OkStatus();
  absl::Status status;
  uint64_t next = from;
  size_t bytes = 0;
  absl::Status scanned =
      store.Scan(storage::Space::kEntries, storage::EntryKey(mailbox, from),
                 last == UINT64_MAX ? storage::PrefixEnd(storage::EntryPrefix(mailbox))
                                    : storage::EntryKey(mailbox, last + 1),
                 [&](std::string_view key, std::string_view value) {
                   if (storage::PositionOfEntryKey(key) != next) return false;
                   absl::StatusOr<storage::EntryView> view = storage::ParseEntry(value);
                   if (!view.ok()) {
                     status = view.status();
                     return false;
                   }
                   if (next > from && bytes + value.size() > bounds.bytes) return false;
                   bytes += value.size();
                   Fill(next, *view, *out.Add());
                   ++next;
                   return next - from < bounds.entries;
                 });
  PARLEY_RETURN_IF_ERROR(scanned);
  PARLEY_RETURN_IF_ERROR(status);
  if (next == from) {
    PARLEY_ASSIGN_OR_RETURN(std::optional<MailboxRecord> record,
                            GetRecord<MailboxRecord>(store, storage::MailboxKey(mailbox)));
    if (!record.has_value() || record->first_position > from) return Gone();
    return absl::DataLossError("the relay's store lacks an entry: its operator must restore it");
  }
  return absl::OkStatus();
}

}  // namespace parley::server
