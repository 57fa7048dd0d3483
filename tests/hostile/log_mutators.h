// Lies about a mailbox's log: what a reader is shown instead of it.
//
// Positions in rules are those that the reader sees. A mutator may move the position that a read
// starts from on its way to the relay (`Asked`), and change the page on its way back (`Shown`).
//
// Threading: a LogBook is safe from any thread; mutators are called one at a time.
#ifndef PARLEY_TESTS_HOSTILE_LOG_MUTATORS_H_
#define PARLEY_TESTS_HOSTILE_LOG_MUTATORS_H_

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/relay/v1/relay.pb.h"
#include "tests/hostile/rules.h"

namespace parley::hostile {

// Every true entry that has passed through the relay.
class LogBook {
 public:
  void Note(const std::string& mailbox_id, const relay::v1::Entry& entry);
  std::optional<relay::v1::Entry> Find(const std::string& mailbox_id, uint64_t position) const;
  // Position and generation of an entry with this append id.
  std::optional<relay::v1::Entry> FindAppend(const std::string& mailbox_id,
                                             const std::string& append_id) const;
  void Clear();

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::map<uint64_t, relay::v1::Entry>> logs_;
};

struct Page {
  std::string mailbox_id;
  uint64_t from = 0;  // as the reader asked
  relay::v1::ReadResponse response;
};

struct LogMutator {
  std::string_view kind;
  // The position to ask the relay for, when the reader asks for `from`. Null: the same.
  uint64_t (*asked)(const Rule& rule, uint64_t from);
  // Changes the page; says whether it did.
  bool (*shown)(const Rule& rule, const LogBook& book, Page& page);
};

// The mutator of that kind, or null.
const LogMutator* FindLogMutator(std::string_view kind);

}  // namespace parley::hostile

#endif  // PARLEY_TESTS_HOSTILE_LOG_MUTATORS_H_
