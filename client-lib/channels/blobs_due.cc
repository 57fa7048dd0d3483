#include "client-lib/channels/blobs_due.h"

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "client-lib/channels/channel_records.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

struct BlobsDueRecord {
  uint8_t version = 1;
  std::vector<MessageId> messages;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.messages);
  }
};

std::string DueNameOf(const ChannelId& channel) {
  return ChannelNames(channel).Channel() + "/blobs-due";
}

}  // namespace

absl::Status NoteBlobsDue(Transaction& tx, const ChannelId& channel,
                          const std::vector<MessageId>& ids) {
  if (ids.empty()) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(std::optional<BlobsDueRecord> due,
                          LoadRecord<BlobsDueRecord>(tx, RecordClass::kKeys, DueNameOf(channel)));
  if (!due.has_value()) due.emplace();
  due->messages.insert(due->messages.end(), ids.begin(), ids.end());
  return StoreRecord(tx, RecordClass::kKeys, DueNameOf(channel), *due);
}

absl::StatusOr<std::vector<MessageId>> BlobsDue(const ReadTransaction& tx,
                                                const ChannelId& channel) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<BlobsDueRecord> due,
                          LoadRecord<BlobsDueRecord>(tx, RecordClass::kKeys, DueNameOf(channel)));
  if (!due.has_value()) return std::vector<MessageId>();
  return std::move(due->messages);
}

absl::Status SettleBlobDue(Transaction& tx, const ChannelId& channel, const MessageId& id) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<BlobsDueRecord> due,
                          LoadRecord<BlobsDueRecord>(tx, RecordClass::kKeys, DueNameOf(channel)));
  if (!due.has_value()) return absl::OkStatus();
  std::erase(due->messages, id);
  return StoreRecord(tx, RecordClass::kKeys, DueNameOf(channel), *due);
}

}  // namespace parley::client
