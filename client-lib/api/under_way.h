// Transfers that were begun: what each needs to go on, and who is at it.
//
// Records of the profile, class keys: "transfers/<id>"; their list is "transfers" (class index). A
// process that is at one holds a lock on a byte of "transfers.lock" in the profile's folder, which
// ends with the process.
//
// Threading: safe from any thread and process.
#ifndef PARLEY_CLIENT_LIB_API_UNDER_WAY_H_
#define PARLEY_CLIENT_LIB_API_UNDER_WAY_H_

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/pairing/record_table.h"
#include "client-lib/store/profile_store.h"
#include "parley/ids.h"

namespace parley::client {

struct UnderWay {
  MessageId id;
  uint8_t upload = 1;
  CaseId case_id;
  ChannelId channel;
  std::string path;
  std::string name;
  uint64_t total = 0;
  uint64_t began_at = 0;
  uint8_t paused = 0;
  // Of an upload: the record of the share, and its terms.
  std::string share;
  std::string media_type;
  uint8_t has_replaces = 0;
  MessageId replaces;
  std::string note;
  uint8_t has_class = 0;
  uint8_t document_class = 0;
  uint64_t valid_for_seconds = 0;
  uint64_t expires_at = 0;  // counted from when it was begun; 0: it doesn't end
  uint8_t brief = 0;
  std::vector<std::string> brief_sides;
  uint8_t keep_metadata = 0;
  // Of a download.
  MessageId document;
  uint8_t overwrite = 0;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.id, self.upload, self.case_id, self.channel, self.path, self.name,
                    self.total, self.began_at, self.paused, self.share, self.media_type,
                    self.has_replaces, self.replaces, self.note, self.has_class,
                    self.document_class, self.valid_for_seconds, self.expires_at, self.brief,
                    self.brief_sides, self.keep_metadata, self.document, self.overwrite);
  }
};

inline RecordTable<UnderWay> TransfersUnderWay() {
  return RecordTable<UnderWay>(RecordClass::kKeys, "transfers");
}

// Whether the transfer was paused, or isn't there any more.
bool IsStopped(ProfileStore& store, const MessageId& id);

// Notes that it is done.
absl::Status EndTransfer(ProfileStore& store, const MessageId& id);

// Being at a transfer, for as long as it lives.
class AtTransfer {
 public:
  // Errors: FailedPrecondition when somebody else is; FileError's.
  static absl::StatusOr<AtTransfer> Begin(const std::string& folder, const MessageId& id);
  // Whether somebody is at it.
  static bool IsTaken(const std::string& folder, const MessageId& id);

  AtTransfer(AtTransfer&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  AtTransfer& operator=(AtTransfer&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~AtTransfer();

 private:
  explicit AtTransfer(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_API_UNDER_WAY_H_
