// What the operator's commands ask of a relay, over its admin socket or in their own process.
//
// On the socket each message is a length (4 bytes, big-endian) and a TLS structure; one request and
// one response per connection. The socket is in the data folder, with mode 0600: who may open it
// could read the store just as well.
#ifndef PARLEY_SERVER_ADMIN_ADMIN_PROTOCOL_H_
#define PARLEY_SERVER_ADMIN_ADMIN_PROTOCOL_H_

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "crypto/base/codec.h"
#include "server/core/sponsors.h"

namespace parley::server {

enum class AdminCommand : uint8_t {
  kSponsorAdd = 1,
  kSponsorList = 2,
  kSponsorRemove = 3,
  kSponsorRenew = 4,
  kCheckpoint = 5,  // OpenDataFolder::MakeCheckpoint
  kPurge = 6,       // OpenDataFolder::Purge
};

// Whether it may take long: then others are answered meanwhile.
inline bool TakesLong(AdminCommand command) {
  return command == AdminCommand::kCheckpoint || command == AdminCommand::kPurge;
}

struct AdminRequest {
  AdminCommand command = AdminCommand::kSponsorList;
  std::string name;
  uint64_t quota_bytes = 0;
  uint64_t quota_objects = 0;  // 0: the relay's default
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.command, self.name, self.quota_bytes, self.quota_objects);
  }
};

struct AdminSponsor {
  std::string name;
  uint64_t quota_bytes = 0;
  uint64_t quota_objects = 0;
  uint64_t used_bytes = 0;
  uint64_t used_objects = 0;
  uint8_t removed = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.name, self.quota_bytes, self.quota_objects, self.used_bytes,
                    self.used_objects, self.removed);
  }
};

struct AdminResponse {
  uint8_t code = 0;  // an absl::StatusCode
  std::string message;
  storage::PublicKey identity_key{};
  crypto::Secret token;  // of the sponsor that was added or renewed
  std::vector<AdminSponsor> sponsors;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.code, self.message, self.identity_key, self.token, self.sponsors);
  }
  absl::Status status() const { return absl::Status(static_cast<absl::StatusCode>(code), message); }
};

class OpenDataFolder;

// Does what the request asks. Waits for the disk. Threading: any thread but the commit queue's; of
// those that TakesLong() one at a time.
AdminResponse Administer(OpenDataFolder& folder, const AdminRequest& request);

}  // namespace parley::server

#endif  // PARLEY_SERVER_ADMIN_ADMIN_PROTOCOL_H_
