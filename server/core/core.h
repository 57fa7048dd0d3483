// What every part of the relay's core works with, and what is shared between the parts.
#ifndef PARLEY_SERVER_CORE_CORE_H_
#define PARLEY_SERVER_CORE_CORE_H_

#include "crypto/base/secret.h"
#include "crypto/primitives/signature.h"
#include "server/core/clock.h"
#include "server/core/commit_queue.h"
#include "server/core/credentials.h"
#include "server/core/limits.h"
#include "server/core/metrics.h"
#include "server/core/rate_limits.h"
#include "storage/kv/key_value_store.h"

namespace parley::server {

// The relay's own secrets: who it is, and what its tokens are made with.
struct RelayIdentity {
  crypto::SignatureKey key;
  crypto::Secret secret;  // 32 bytes

  static RelayIdentity Generate() {
    return {crypto::SignatureKey::Generate(), crypto::Secret::Random(32)};
  }
};

// Lifetime: outlives the parts that hold a reference to it; `store` and `clock` outlive it.
struct Core {
  Core(storage::KeyValueStore& store_in, const Clock& clock_in, RelayIdentity identity_in,
       const Limits& limits_in)
      : store(store_in),
        clock(clock_in),
        limits(limits_in),
        identity(std::move(identity_in)),
        credentials(identity.secret),
        rates(limits_in),
        queue(store_in, limits_in, &metrics) {}

  uint64_t Now() const { return clock.NowSeconds(); }

  storage::KeyValueStore& store;
  const Clock& clock;
  const Limits limits;
  const RelayIdentity identity;
  const Credentials credentials;
  RateLimits rates;
  Metrics metrics;
  CommitQueue queue;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_CORE_H_
