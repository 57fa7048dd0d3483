#include "server/core/verify.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "crypto/base/bytes.h"
#include "server/core/stored_records.h"
#include "server/core/stored_size.h"
#include "storage/records/keys.h"
#include "storage/records/records.h"

namespace parley::server {
namespace {

using storage::BlobRecord;
using storage::GenerationRecord;
using storage::MailboxRecord;
using storage::ObjectId;
using storage::Space;
using storage::SponsorRecord;

constexpr size_t kMostFindings = 1000;

std::string Message(const absl::Status& status) { return std::string(status.message()); }
std::string Number(uint64_t number) { return std::to_string(number); }

// Enough of an id to tell it from others.
template <size_t N>
std::string Short(const std::array<uint8_t, N>& id) {
  return crypto::ToHex(crypto::ByteView(id).first(8)) + "...";
}

// "5", or "5 to 9".
std::string Positions(uint64_t first, uint64_t last) {
  return first == last ? Number(first) : Number(first) + " to " + Number(last);
}

struct Use {
  uint64_t bytes = 0;
  uint64_t objects = 0;
};

class Verifier {
 public:
  Verifier(const storage::KeyValueStore& store, const Limits& limits)
      : store_(store), limits_(limits) {}

  VerifyReport Run() {
    CheckFiles();
    CheckKinds();
    CheckMailboxes();
    CheckBlobs();
    CheckOwners();
    CheckSponsors();
    return std::move(report_);
  }

 private:
  // Of one mailbox, while it is looked at.
  struct Log {
    ObjectId id;
    MailboxRecord record;
    std::map<uint64_t, GenerationRecord> generations;
    std::vector<std::pair<storage::AppendId, uint64_t>> appends;  // as the entries say
    uint64_t next = 0;                                            // the position expected
    uint64_t stored_bytes = 0;
    uint64_t used_bytes = 0;  // of the current generation's entries
    bool complete = true;     // everything could be read
  };

  void Find(std::string what, Remedy remedy = Remedy::kRestore) {
    if (report_.findings.size() == kMostFindings) {
      ++report_.further_findings;
      return;
    }
    report_.findings.push_back({std::move(what), remedy});
  }

  static std::string Name(const Log& log) { return "mailbox " + Short(log.id); }

  // Reads what has `prefix`. False when not everything could be read, which is then a finding.
  bool Scan(Space space, const std::string& prefix, const std::string& name,
            const storage::KeyValueStore::Visitor& visitor) {
    const absl::Status status = store_.Scan(space, prefix, storage::PrefixEnd(prefix), visitor);
    if (!status.ok()) Find(name + " can't all be read: " + Message(status));
    return status.ok();
  }

  void CheckFiles() {
    absl::StatusOr<std::vector<std::string>> damaged = store_.CheckFiles();
    if (!damaged.ok())
      return Find("the store's files can't be checked: " + Message(damaged.status()));
    for (std::string& file : *damaged) Find(std::move(file));
  }

  // Records of no known kind, and those that no other check reads: vouchers and links.
  void CheckKinds();
  void CheckLink(std::string_view key, std::string_view value);

  void CheckMailboxes();
  void CheckMailbox(Log& log);
  void ReadGenerations(Log& log);
  void ReadEntries(Log& log);
  void CheckEntry(Log& log, uint64_t position, std::string_view value);
  void ExpectPosition(Log& log, uint64_t position);
  void CheckAppendIds(Log& log);
  void CheckCounts(const Log& log);
  void CheckExpiry(const std::string& name, uint64_t expires_at, storage::ExpiringKind kind,
                   const ObjectId& id);

  void CheckBlobs();
  void CheckBlob(const ObjectId& id, const BlobRecord& record);
  // The bytes of the chunks that are there.
  uint64_t ReadChunks(const ObjectId& id, uint64_t chunks);

  // That whatever belongs to a mailbox or blob belongs to one that is there.
  void CheckOwners();
  void CheckOwners(Space space, char letter, const std::string& name,
                   const std::set<ObjectId>& owners);
  void CheckSponsors();
  void CheckSponsor(const storage::SponsorId& id, const SponsorRecord& record);

  const storage::KeyValueStore& store_;
  const Limits& limits_;
  VerifyReport report_;
  std::set<ObjectId> mailboxes_;
  std::set<ObjectId> blobs_;
  std::map<storage::SponsorId, Use> uses_;
  bool objects_complete_ = true;  // all mailboxes and blobs could be read
};

void Verifier::CheckKinds() {
  constexpr std::string_view kKnown = "abefgmnpstvx";
  // One look at each letter: what stands below an unknown one isn't read.
  for (int letter = 0; letter < 256; ++letter) {
    const char c = static_cast<char>(letter);
    if (kKnown.find(c) != std::string_view::npos) continue;
    std::string begin(1, c);
    std::string end =
        letter == 255 ? std::string(64, c) : std::string(1, static_cast<char>(letter + 1));
    store_
        .Scan(
            Space::kRecords, begin, end,
            [&](std::string_view, std::string_view) {
              Find("there is a record of an unknown kind, " + crypto::ToHex(crypto::ViewOf(begin)));
              return false;
            })
        .IgnoreError();
  }
  for (const char* prefix : {"n", "t"}) {
    Scan(Space::kRecords, prefix, "links to sponsors",
         [&](std::string_view key, std::string_view value) {
           CheckLink(key, value);
           return true;
         });
  }
  Scan(Space::kRecords, "v", "used vouchers", [&](std::string_view, std::string_view value) {
    const absl::Status status = storage::ParseRecord<storage::SpentVoucherRecord>(value).status();
    if (!status.ok()) Find("a used voucher: " + Message(status));
    return true;
  });
}

void Verifier::CheckLink(std::string_view key, std::string_view value) {
  const char* name = key.front() == 'n' ? "a sponsor's name" : "a sponsor's token";
  absl::StatusOr<storage::SponsorLinkRecord> link =
      storage::ParseRecord<storage::SponsorLinkRecord>(value);
  if (!link.ok()) return Find(std::string(name) + ": " + Message(link.status()));
  absl::StatusOr<std::optional<SponsorRecord>> sponsor =
      GetRecord<SponsorRecord>(store_, storage::SponsorKey(link->sponsor));
  if (sponsor.ok() && !sponsor->has_value()) {
    Find(std::string(name) + " leads to a sponsor that is not there");
  }
}

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
      Scan(Space::kRecords, storage::EntryPrefix(log.id), Name(log) + ": its entries",
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

void Verifier::CheckBlobs() {
  const bool complete =
      Scan(Space::kRecords, "b", "blobs", [&](std::string_view key, std::string_view value) {
        const std::optional<ObjectId> id = storage::IdFrom<32>(key.substr(1));
        if (!id.has_value()) {
          Find("a blob has a key of another length");
          return true;
        }
        ++report_.blobs;
        blobs_.insert(*id);
        absl::StatusOr<BlobRecord> record = storage::ParseRecord<BlobRecord>(value);
        if (!record.ok()) {
          Find("blob " + Short(*id) + ": its state: " + Message(record.status()));
          objects_complete_ = false;
        } else {
          CheckBlob(*id, *record);
        }
        return true;
      });
  objects_complete_ = objects_complete_ && complete;
}

void Verifier::CheckBlob(const ObjectId& id, const BlobRecord& record) {
  const std::string name = "blob " + Short(id);
  Use& use = uses_[record.sponsor];
  use.bytes += record.reserved_bytes;
  use.objects += 1;
  CheckExpiry(name, record.expires_at, storage::ExpiringKind::kBlob, id);
  absl::StatusOr<std::optional<storage::BlobProgressRecord>> stored =
      GetRecord<storage::BlobProgressRecord>(store_, storage::BlobProgressKey(id));
  if (!stored.ok()) return Find(name + ": how far it is uploaded: " + Message(stored.status()));
  const storage::BlobProgressRecord progress = stored->value_or(storage::BlobProgressRecord());
  if (record.sealed != 0 && progress.chunks == 0) {
    return Find(name + ": it is sealed, and how many chunks it has is missing");
  }
  const size_t findings = report_.findings.size();
  const uint64_t bytes = ReadChunks(id, progress.chunks);
  if (report_.findings.size() != findings) return;
  if (bytes != progress.bytes || bytes > record.reserved_bytes) {
    Find(name + ": its chunks have " + Number(bytes) + " bytes, and it says " +
         Number(progress.bytes) + " of " + Number(record.reserved_bytes));
  }
  store_
      .Scan(Space::kChunks, storage::ChunkKey(id, progress.chunks),
            storage::PrefixEnd(storage::ChunkPrefix(id)),
            [&](std::string_view, std::string_view) {
              Find(name + ": there are chunks behind its last one", Remedy::kLeftover);
              return false;
            })
      .IgnoreError();  // what is behind the last one matters to nobody
}

uint64_t Verifier::ReadChunks(const ObjectId& id, uint64_t chunks) {
  uint64_t bytes = 0;
  // A count that is damaged itself must not be worked through.
  uint64_t missing_in_a_row = 0;
  constexpr uint64_t kMostMissing = 16;
  for (uint64_t index = 0; index < chunks && missing_in_a_row < kMostMissing; ++index) {
    absl::StatusOr<std::optional<std::string>> chunk =
        store_.GetChecked(Space::kChunks, storage::ChunkKey(id, index));
    const std::string name = "blob " + Short(id) + ": chunk " + Number(index);
    if (!chunk.ok()) {
      Find(name + ": " + Message(chunk.status()));
    } else if (!chunk->has_value()) {
      ++missing_in_a_row;
      Find(name + " of " + Number(chunks) + " is missing");
      continue;
    } else {
      ++report_.chunks;
      bytes += (*chunk)->size();
    }
    missing_in_a_row = 0;
  }
  report_.bytes += bytes;
  return bytes;
}

void Verifier::CheckOwners() {
  CheckOwners(Space::kRecords, 'e', "entries", mailboxes_);
  CheckOwners(Space::kRecords, 'a', "append ids", mailboxes_);
  CheckOwners(Space::kRecords, 'g', "generations", mailboxes_);
  CheckOwners(Space::kRecords, 'p', "the progress of an upload", blobs_);
  CheckOwners(Space::kChunks, 'c', "chunks", blobs_);
}

// From one owner's first record to the next one's, so that it costs little.
void Verifier::CheckOwners(Space space, char letter, const std::string& name,
                           const std::set<ObjectId>& owners) {
  if (!objects_complete_) return;  // whose they are isn't known
  const char* kind = space == Space::kChunks || letter == 'p' ? "blob " : "mailbox ";
  const std::string end = storage::PrefixEnd(std::string(1, letter));
  std::string next(1, letter);
  while (true) {
    std::string key;
    const absl::Status status =
        store_.Scan(space, next, end, [&](std::string_view found, std::string_view) {
          key = found;
          return false;
        });
    if (!status.ok()) return Find(name + " can't all be read: " + Message(status));
    if (key.empty()) return;
    const std::optional<ObjectId> id = storage::IdFrom<32>(key.substr(1, 32));
    if (!id.has_value()) {
      Find(name + " have a key of another length");
      next = key + '\0';
      continue;
    }
    if (!owners.contains(*id)) {
      Find("there are " + name + " of " + kind + Short(*id) + ", which is not there",
           Remedy::kLeftover);
    }
    next = storage::PrefixEnd(key.substr(0, 33));
  }
}

void Verifier::CheckSponsors() {
  std::set<storage::SponsorId> sponsors;
  const bool complete =
      Scan(Space::kRecords, std::string(storage::kSponsorPrefix), "sponsors",
           [&](std::string_view key, std::string_view value) {
             const std::optional<storage::SponsorId> id = storage::IdFrom<16>(key.substr(1));
             absl::StatusOr<SponsorRecord> record = storage::ParseRecord<SponsorRecord>(value);
             ++report_.sponsors;
             if (id.has_value()) sponsors.insert(*id);
             if (!id.has_value() || !record.ok()) {
               Find("a sponsor: " +
                    (record.ok() ? "its key has another length" : Message(record.status())));
             } else {
               CheckSponsor(*id, *record);
             }
             return true;
           });
  if (!complete) return;
  for (const auto& [id, use] : uses_) {
    if (!sponsors.contains(id)) {
      Find("the sponsor of " + Number(use.objects) + " mailboxes and blobs is missing");
    }
  }
}

void Verifier::CheckSponsor(const storage::SponsorId& id, const SponsorRecord& record) {
  const std::string name = "sponsor \"" + record.name + "\"";
  if (record.removed == 0) {
    for (const std::string& key :
         {storage::SponsorNameKey(record.name), storage::SponsorTokenKey(record.token_hash)}) {
      absl::StatusOr<std::optional<storage::SponsorLinkRecord>> link =
          GetRecord<storage::SponsorLinkRecord>(store_, key);
      if (!link.ok()) continue;  // that has been said
      if (!link->has_value() || (*link)->sponsor != id) {
        Find(name + " can't be found by its " + (key.front() == 'n' ? "name" : "token"));
      }
    }
  }
  if (!objects_complete_) return;  // what they use isn't known
  const Use use = uses_[id];
  if (use.bytes == record.used_bytes && use.objects == record.used_objects) return;
  Find(name + ": its " + Number(use.objects) + " mailboxes and blobs use " + Number(use.bytes) +
           " bytes; counted are " + Number(record.used_objects) + " and " +
           Number(record.used_bytes),
       Remedy::kRecount);
}

}  // namespace

VerifyReport VerifyStore(const storage::KeyValueStore& store, const Limits& limits) {
  return Verifier(store, limits).Run();
}

std::string AdviceFor(Remedy remedy) {
  switch (remedy) {
    case Remedy::kRestore:
      return "Something is damaged or lost: keep this folder as it is, and restore the latest "
             "backup that \"parley-relay verify\" finds right. Clients notice what it lacks.";
    case Remedy::kRecount:
      return "A count is off: nothing is lost, and the relay can go on; a quota or allowance is "
             "used up a little earlier or later than it should be.";
    case Remedy::kLeftover:
      return "Something that nobody can reach takes up room: nothing is lost, and the relay can "
             "go on.";
  }
  return "";
}

}  // namespace parley::server
