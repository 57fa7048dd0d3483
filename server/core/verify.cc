#include "server/core/verify.h"

#include <algorithm>
#include <optional>

#include "server/core/stored_records.h"
#include "server/core/verifier.h"

namespace parley::server {
namespace verify {

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

void Verifier::CheckOwners() {
  CheckOwners(Space::kEntries, 'e', "entries", mailboxes_);
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

}  // namespace verify

VerifyReport VerifyStore(const storage::KeyValueStore& store, const Limits& limits) {
  return verify::Verifier(store, limits).Run();
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
    case Remedy::kUnpurged:
      return "What was deleted can't be removed from a file: by that nothing is lost (a chunk that "
             "is damaged is named by itself), and the relay can go on. The file goes as soon as "
             "the other documents in it are deleted, or when a backup from before the damage is "
             "restored.";
  }
  return "";
}

}  // namespace parley::server
