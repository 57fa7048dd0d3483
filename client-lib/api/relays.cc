#include "client-lib/api/relays.h"

#include <chrono>
#include <optional>
#include <tuple>

#include "crypto/base/codec.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

// A call is tried again for so long: a relay that is restarted is back by then.
constexpr std::chrono::milliseconds kRetryFor{2500};
constexpr std::chrono::milliseconds kBriefRetryFor{400};

struct StoredKey {
  TlsKeyHash hash{};
  uint64_t not_before = 0;
  uint64_t not_after = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.hash, self.not_before, self.not_after);
  }
};

// As in docs/protocol.md: the hash and its two times. One that can't be loaded or stored costs a
// round trip, no more.
TlsKeyCache CacheIn(ProfileStore& store, const ConnectionInfo& relay) {
  const std::string name = "relay/" + crypto::ToHex(relay.identity_key) + "/tls-key";
  return {[&store, name]() -> std::optional<CertifiedTlsKey> {
            absl::StatusOr<ReadTransaction> read = store.Read();
            if (!read.ok()) return std::nullopt;
            auto value = read->Get(RecordClass::kContent, name);
            if (!value.ok() || !value->has_value()) return std::nullopt;
            absl::StatusOr<StoredKey> stored = crypto::Parse<StoredKey>((*value)->Reveal());
            if (!stored.ok()) return std::nullopt;
            return CertifiedTlsKey{stored->hash, stored->not_before, stored->not_after};
          },
          [&store, name](const CertifiedTlsKey& key) {
            crypto::Writer writer;
            crypto::Encode(writer, StoredKey{key.hash, key.not_before, key.not_after});
            absl::StatusOr<Transaction> step = store.Begin();
            if (step.ok() && step->Put(RecordClass::kContent, name, writer.view()).ok()) {
              step->Commit().IgnoreError();
            }
          }};
}

}  // namespace

absl::StatusOr<std::shared_ptr<ConnectedRelay>> Relays::Get(const ConnectionInfo& relay,
                                                            Patience patience) {
  const Key key{relay.address, relay.identity_key};
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = connected_.find(key);
    if (found != connected_.end()) return found->second;
  }
  PARLEY_ASSIGN_OR_RETURN(std::shared_ptr<ConnectedRelay> connected, ConnectAnew(relay, patience));
  const std::lock_guard<std::mutex> lock(mutex_);
  // Another thread may have been first.
  return connected_.emplace(key, std::move(connected)).first->second;
}

absl::StatusOr<std::shared_ptr<ConnectedRelay>> Relays::ConnectAnew(const ConnectionInfo& relay,
                                                                    Patience patience) {
  RelayOptions options;
  options.retry_for = kRetryFor;
  if (patience == Patience::kBrief) options.retry_refused_for = kBriefRetryFor;
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
