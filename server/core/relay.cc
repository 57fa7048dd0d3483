#include "server/core/relay.h"

#include <utility>

#include "crypto/base/status_macros.h"
#include "server/core/request_fields.h"
#include "server/core/signed_acts.h"
#include "server/core/sweeper.h"
#include "server/log/log.h"

namespace parley::server {
namespace {

constexpr uint32_t kProtocolVersion = 1;
constexpr char kSoftware[] = "parley-relay " PARLEY_VERSION;
constexpr std::string_view kStoreFormat = "3";
constexpr std::chrono::minutes kSweepInterval{1};

void LogFailedSweep(const absl::Status& status) {
  if (status.ok()) return;
  Log(LogLevel::kError, "sweep_failed",
      "what has expired can't be removed: " + std::string(status.message()));
}

}  // namespace

Relay::Relay(storage::KeyValueStore& store, const Clock& clock, RelayIdentity identity,
             const Limits& limits)
    : core_(store, clock, std::move(identity), limits),
      fan_out_(store),
      background_(kSweepInterval,
                  [this] {
                    core_.rates.ForgetOld();
                    LogFailedSweep(Sweep());
                  }),
      sessions_(core_),
      mailboxes_(core_, background_),
      blobs_(core_),
      sponsors_(core_) {}

Relay::~Relay() {
  // What is under way uses the other parts: it ends before any of them goes.
  background_.Stop();
  core_.queue.Stop();
}

void Relay::GetInfo(const std::string& tls_key_hash, v1::GetInfoResponse& response) const {
  response.add_protocol_versions(kProtocolVersion);
  response.set_identity_key(std::string(storage::IdView(identity_key())));
  response.set_tls_key_hash(tls_key_hash);
  constexpr uint64_t kHour = 3600;
  const uint64_t hour = core_.Now() - core_.Now() % kHour;
  response.set_tls_key_not_before(hour - kHour);
  response.set_tls_key_not_after(hour + core_.limits.tls_key_certified_seconds);
  response.set_tls_key_signature(crypto::ToString(core_.identity.key.Sign(TlsKeyMessage(
      crypto::ViewOf(tls_key_hash), response.tls_key_not_before(), response.tls_key_not_after()))));
  response.set_max_entry_bytes(core_.limits.max_entry_bytes);
  response.set_max_chunk_bytes(core_.limits.max_chunk_bytes);
  response.set_software(kSoftware);
}

absl::Status Relay::Sweep() {
  constexpr size_t kSlice = 1000;
  while (true) {
    PARLEY_ASSIGN_OR_RETURN(size_t swept, SweepExpired(core_, kSlice));
    if (swept < kSlice) return absl::OkStatus();
  }
}

absl::StatusOr<bool> HasFormat(const storage::KeyValueStore& store) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<std::string> format,
                          store.Get(storage::Space::kRecords, storage::FormatVersionKey()));
  if (!format.has_value()) return false;
  if (std::string_view(*format) == kStoreFormat) return true;
  return absl::FailedPreconditionError(
      "the store has format " + *format + " and this program knows format " +
      std::string(kStoreFormat) +
      "; nothing was changed: go on with the version of parley-relay that made it, or a newer one");
}

absl::Status PrepareStore(storage::KeyValueStore& store) {
  PARLEY_ASSIGN_OR_RETURN(bool has_format, HasFormat(store));
  if (has_format) return absl::OkStatus();
  storage::WriteBatch batch;
  batch.Put(storage::Space::kRecords, storage::FormatVersionKey(), std::string(kStoreFormat));
  return store.Commit(batch, storage::Durability::kSynced);
}

}  // namespace parley::server
