// The checks behind VerifyStore (verify.h): of files, kinds, owners and sponsors in verify.cc, of
// mailboxes in verify_mailboxes.cc, of blobs in verify_blobs.cc.
//
// Threading: belongs to one thread.
#ifndef PARLEY_SERVER_CORE_VERIFIER_H_
#define PARLEY_SERVER_CORE_VERIFIER_H_

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "crypto/base/bytes.h"
#include "server/core/limits.h"
#include "server/core/verify.h"
#include "storage/kv/key_value_store.h"
#include "storage/records/keys.h"
#include "storage/records/records.h"

namespace parley::server::verify {

using storage::BlobRecord;
using storage::GenerationRecord;
using storage::MailboxRecord;
using storage::ObjectId;
using storage::Space;
using storage::SponsorRecord;

inline std::string Message(const absl::Status& status) { return std::string(status.message()); }
inline std::string Number(uint64_t number) { return std::to_string(number); }

// Enough of an id to tell it from others.
template <size_t N>
std::string Short(const std::array<uint8_t, N>& id) {
  return crypto::ToHex(crypto::ByteView(id).first(8)) + "...";
}

// "5", or "5 to 9".
inline std::string Positions(uint64_t first, uint64_t last) {
  return first == last ? Number(first) : Number(first) + " to " + Number(last);
}

struct Use {
  uint64_t bytes = 0;
  uint64_t objects = 0;
};

// As many are named; the others are counted.
inline constexpr size_t kMostFindings = 1000;

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
    absl::StatusOr<storage::DamagedFiles> files = store_.CheckFiles();
    if (!files.ok()) return Find("the store's files can't be checked: " + Message(files.status()));
    for (std::string& file : files->damaged) Find(std::move(file));
    for (std::string& file : files->unpurgeable) Find(std::move(file), Remedy::kUnpurged);
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

}  // namespace parley::server::verify

#endif  // PARLEY_SERVER_CORE_VERIFIER_H_
