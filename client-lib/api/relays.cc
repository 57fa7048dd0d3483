#include "client-lib/api/relays.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

// A call is tried again for so long: a relay that is restarted is back by then.
constexpr std::chrono::milliseconds kRetryFor{2500};

// A hash that can't be loaded or stored costs a round trip, no more.
TlsKeyCache CacheIn(ProfileStore& store, const ConnectionInfo& relay) {
  const std::string name = "relay/" + crypto::ToHex(relay.identity_key) + "/tls-key";
  return {[&store, name]() -> std::optional<TlsKeyHash> {
            absl::StatusOr<ReadTransaction> read = store.Read();
            if (!read.ok()) return std::nullopt;
            auto value = read->Get(RecordClass::kContent, name);
            TlsKeyHash hash{};
            if (!value.ok() || !value->has_value() || (*value)->size() != hash.size()) {
              return std::nullopt;
            }
            std::ranges::copy((*value)->Reveal(), hash.begin());
            return hash;
          },
          [&store, name](const TlsKeyHash& hash) {
            absl::StatusOr<Transaction> step = store.Begin();
            if (step.ok() && step->Put(RecordClass::kContent, name, crypto::ByteView(hash)).ok()) {
              step->Commit().IgnoreError();
            }
          }};
}

}  // namespace

absl::StatusOr<std::shared_ptr<ConnectedRelay>> Relays::Get(const ConnectionInfo& relay) {
  const Key key{relay.address, relay.identity_key};
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = connected_.find(key);
    if (found != connected_.end()) return found->second;
  }
  PARLEY_ASSIGN_OR_RETURN(std::shared_ptr<ConnectedRelay> connected, ConnectAnew(relay));
  const std::lock_guard<std::mutex> lock(mutex_);
  // Another thread may have been first.
  return connected_.emplace(key, std::move(connected)).first->second;
}

absl::StatusOr<std::shared_ptr<ConnectedRelay>> Relays::ConnectAnew(const ConnectionInfo& relay) {
  RelayOptions options;
  options.retry_for = kRetryFor;
  options.tls_key_cache = CacheIn(store_, relay);
  PARLEY_ASSIGN_OR_RETURN(std::unique_ptr<RelayClient> client,
                          RelayClient::Connect(relay, std::move(options)));
  return std::make_shared<ConnectedRelay>(std::move(client));
}

void Relays::Forget(const ConnectionInfo& relay) {
  const std::lock_guard<std::mutex> lock(mutex_);
  connected_.erase({relay.address, relay.identity_key});
}

}  // namespace parley::client
