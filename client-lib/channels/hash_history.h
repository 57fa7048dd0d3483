// A history of 32-byte values by number (transcript hashes by position, epoch authenticators by
// epoch), stored compactly in blocks.
//
// Threading: belongs to one transaction's thread.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_HASH_HISTORY_H_
#define PARLEY_CLIENT_LIB_CHANNELS_HASH_HISTORY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/channels/channel_ids.h"
#include "client-lib/store/profile_store.h"

namespace parley::client {

class HashHistory {
 public:
  // Each entry writes a block: a kilobyte.
  static constexpr uint64_t kBlock = 32;
  // Names the record of a block.
  using NameOf = std::function<std::string(uint64_t block)>;

  explicit HashHistory(NameOf name) : name_(std::move(name)) {}

  // Takes a value in; it is stored by Flush(). All zeros stand for "none".
  absl::Status Set(const ReadTransaction& tx, uint64_t number, const TranscriptHash& value);
  // The value; nothing when none was ever taken in under the number.
  absl::StatusOr<std::optional<TranscriptHash>> Get(const ReadTransaction& tx, uint64_t number);
  absl::Status Flush(Transaction& tx);

 private:
  struct Block {
    Bytes values;
    bool dirty = false;
  };
  absl::StatusOr<Block*> Load(const ReadTransaction& tx, uint64_t block);

  NameOf name_;
  std::map<uint64_t, Block> blocks_;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_HASH_HISTORY_H_
