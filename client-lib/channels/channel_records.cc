#include "client-lib/channels/channel_records.h"

#include <string>

namespace parley::client {

absl::Status UnreadableRecord(ByteView record, uint8_t expected) {
  if (record.empty() || record[0] == expected || record[0] == 0) {
    return absl::DataLossError("a channel's record in the profile is damaged");
  }
  const bool later = record[0] > expected;
  return absl::DataLossError(
      "a channel in this profile was stored by " + std::string(later ? "a later" : "an earlier") +
      " version of Parley (record version " + std::to_string(record[0]) + ", this one reads " +
      std::to_string(expected) + "): " +
      (later ? "update this program" : "use the program that made the profile, or a new profile"));
}

}  // namespace parley::client
