// The relay without its network: everything that a call of relay.proto does.
//
//   Relay relay(store, clock, std::move(identity), Limits());
//   relay.mailboxes().Append(request, [](absl::StatusOr<uint64_t> position) { ... });
//
// Threading: any thread. Lifetime: `store` and `clock` outlive the relay; destruction waits for the
// calls that were begun, whose `done` is called; no new ones may come by then.
#ifndef PARLEY_SERVER_CORE_RELAY_H_
#define PARLEY_SERVER_CORE_RELAY_H_

#include <memory>
#include <string>

#include "server/core/background.h"
#include "server/core/blobs.h"
#include "server/core/core.h"
#include "server/core/mailboxes.h"
#include "server/core/sessions.h"
#include "server/core/sponsors.h"
#include "server/core/subscriptions.h"

namespace parley::server {

class Relay {
 public:
  Relay(storage::KeyValueStore& store, const Clock& clock, RelayIdentity identity,
        const Limits& limits);
  ~Relay();

  const storage::PublicKey& identity_key() const { return core_.identity.key.public_key(); }
  const Limits& limits() const { return core_.limits; }
  Metrics& metrics() { return core_.metrics; }
  RateLimits& rates() { return core_.rates; }
  storage::StoreSizes store_sizes() const { return core_.store.Sizes(); }
  // Certifies the TLS key for the time from an hour ago on, whole hours, so it moves on by itself.
  // `tls_key_hash`: SHA-256 of the SubjectPublicKeyInfo of the TLS key in use.
  void GetInfo(const std::string& tls_key_hash, relay::v1::GetInfoResponse& response) const;

  Sessions& sessions() { return sessions_; }
  Mailboxes& mailboxes() { return mailboxes_; }
  Blobs& blobs() { return blobs_; }
  Sponsors& sponsors() { return sponsors_; }
  std::unique_ptr<BlobUpload> StartUpload() { return std::make_unique<BlobUpload>(core_); }
  // See FanOut::Subscribe.
  std::shared_ptr<Subscription> Subscribe(std::function<void()> wake) {
    return fan_out_.Subscribe(core_, std::move(wake));
  }

  // Forgets what has expired, now; it happens every minute by itself.
  absl::Status Sweep();

 private:
  Core core_;
  FanOut fan_out_;
  Background background_;
  Sessions sessions_;
  Mailboxes mailboxes_;
  Blobs blobs_;
  Sponsors sponsors_;
};

// Whether the store has a layout version, as all but a new one do.
// Errors: FailedPrecondition for a store that another version of this program made.
absl::StatusOr<bool> HasFormat(const storage::KeyValueStore& store);

// Checks the store's layout version, and writes it into a new store.
// Errors: FailedPrecondition for a store that another version of this program made.
absl::Status PrepareStore(storage::KeyValueStore& store);

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_RELAY_H_
