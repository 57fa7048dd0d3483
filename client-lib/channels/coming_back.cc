#include "client-lib/channels/coming_back.h"

#include <string>

#include "client-lib/channels/channel_records.h"

namespace parley::client {
namespace {

std::string NameOf(const ChannelId& channel) {
  return ChannelNames(channel).Channel() + "/coming-back";
}

}  // namespace

absl::Status NoteComingBack(Transaction& tx, const ChannelId& channel, const ComingBack& where) {
  return StoreRecord(tx, RecordClass::kIndex, NameOf(channel), where);
}

absl::StatusOr<std::optional<ComingBack>> LoadComingBack(const ReadTransaction& tx,
                                                         const ChannelId& channel) {
  return LoadRecord<ComingBack>(tx, RecordClass::kIndex, NameOf(channel));
}

}  // namespace parley::client
