// The connections of a profile: one for each relay, made when it is first needed and kept.
//
// Threading: safe from any thread.
#ifndef PARLEY_CLIENT_LIB_API_RELAYS_H_
#define PARLEY_CLIENT_LIB_API_RELAYS_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "client-lib/channels/relay_mailboxes.h"
#include "client-lib/relay/relay_client.h"
#include "client-lib/store/profile_store.h"

namespace parley::client {

// A connected relay, and its mailboxes as channels want them.
struct ConnectedRelay {
  explicit ConnectedRelay(std::unique_ptr<RelayClient> connected)
      : client(std::move(connected)), mailboxes(*client) {}

  std::unique_ptr<RelayClient> client;
  RelayMailboxes mailboxes;
};

// How long a relay that refuses the connection is tried again: kBrief where the caller can go on
// without it, by queuing or by showing what is stored.
enum class Patience { kUsual, kBrief };

class Relays {
 public:
  // `store`, which outlives it, keeps the TLS keys that were checked.
  explicit Relays(ProfileStore& store) : store_(store) {}

  // Errors: those of RelayClient::Connect.
  absl::StatusOr<std::shared_ptr<ConnectedRelay>> Get(const ConnectionInfo& relay,
                                                      Patience patience = Patience::kUsual);
  // A connection of its own, for a caller who may shut it down.
  absl::StatusOr<std::shared_ptr<ConnectedRelay>> ConnectAnew(const ConnectionInfo& relay,
                                                              Patience patience = Patience::kUsual);
  // The next Get connects anew; whoever has the connection keeps it.
  void Forget(const ConnectionInfo& relay);

 private:
  using Key = std::pair<std::string, crypto::ByteArray<32>>;

  ProfileStore& store_;
  std::mutex mutex_;
  std::map<Key, std::shared_ptr<ConnectedRelay>> connected_;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_API_RELAYS_H_
