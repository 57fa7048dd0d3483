// Files on their way to the relay or from it.
#ifndef PARLEY_TRANSFERS_H_
#define PARLEY_TRANSFERS_H_

#include <cstdint>
#include <string>

#include "parley/types.h"

namespace parley {

enum class TransferState : uint8_t {
  kInterrupted = 0,  // it was begun, and nobody is at it: resume it, or repeat the call
  kRunning,          // some process of this profile is at it
  kPaused,
};
// "interrupted", "running", "paused".
PARLEY_EXPORT const char* TransferStateName(TransferState state);

struct Transfer {
  MessageId id;        // names it; of an upload the id that the document will have
  bool upload = true;  // else a download
  ChannelRef channel;
  std::string name;   // of the document
  std::string path;   // the file that is shared, or saved to
  uint64_t done = 0;  // bytes that need not be transferred again
  uint64_t total = 0;
  int64_t began_at = 0;
  TransferState state = TransferState::kInterrupted;
};

}  // namespace parley

#endif  // PARLEY_TRANSFERS_H_
