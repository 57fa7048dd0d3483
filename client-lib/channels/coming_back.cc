#include "client-lib/channels/coming_back.h"

#include <optional>
#include <string>
#include <utility>

#include "client-lib/channels/channel_records.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

struct ComingsBackRecord {
  uint8_t version = 1;
  std::vector<ComingBack> all;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.all);
  }
};

std::string NameOf(const ChannelId& channel) {
  return ChannelNames(channel).Channel() + "/coming-back";
}

}  // namespace

absl::Status NoteComingBack(Transaction& tx, const ChannelId& channel, const ComingBack& where) {
  ComingsBackRecord record;
  PARLEY_ASSIGN_OR_RETURN(record.all, LoadComingsBack(tx, channel));
  record.all.push_back(where);
  return StoreRecord(tx, RecordClass::kIndex, NameOf(channel), record);
}

absl::StatusOr<std::vector<ComingBack>> LoadComingsBack(const ReadTransaction& tx,
                                                        const ChannelId& channel) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<ComingsBackRecord> record,
                          LoadRecord<ComingsBackRecord>(tx, RecordClass::kIndex, NameOf(channel)));
  return record.has_value() ? std::move(record->all) : std::vector<ComingBack>();
}

}  // namespace parley::client
