// Reads everything that a relay has stored, and says what doesn't hold: for `parley-relay verify`.
//
//   VerifyReport report = VerifyStore(*store, Limits());
//   for (const Finding& finding : report.findings) ...
//
// Checked are: the engine's checksums of its files, and whether what was deleted can be removed
// from them; that every record parses and is of a known
// kind; of each mailbox that its generations and entries are there without a gap, belong together,
// are found by their append ids, and take what the mailbox says; of each blob that its chunks are
// there, whole, and as large as it says; of each sponsor that the use that is counted is that of
// its objects. What is sealed in entries and chunks only its readers can check.
//
// Threading: nobody writes to the store meanwhile.
#ifndef PARLEY_SERVER_CORE_VERIFY_H_
#define PARLEY_SERVER_CORE_VERIFY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "server/core/limits.h"
#include "storage/kv/key_value_store.h"

namespace parley::server {

// What to do about a finding.
enum class Remedy : uint8_t {
  kRestore,   // something is lost or damaged: restore from a backup
  kRecount,   // a count is off and nothing is lost
  kLeftover,  // something takes room and is of no use; nothing is lost
  kUnpurged,  // what was deleted can't be removed from a file; nothing is lost by that
};

struct Finding {
  std::string what;  // a sentence without its end, which names no one: "mailbox 0a1b...: ..."
  Remedy remedy = Remedy::kRestore;
};

struct VerifyReport {
  uint64_t mailboxes = 0;
  uint64_t entries = 0;
  uint64_t blobs = 0;
  uint64_t chunks = 0;
  uint64_t sponsors = 0;
  uint64_t bytes = 0;  // of payloads and chunks
  // The first thousand, in the order in which they were found.
  std::vector<Finding> findings;
  uint64_t further_findings = 0;
};

VerifyReport VerifyStore(const storage::KeyValueStore& store, const Limits& limits);

// What an operator should do, as a sentence.
std::string AdviceFor(Remedy remedy);

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_VERIFY_H_
