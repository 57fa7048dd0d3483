#include "tests/in_process/test_relay.h"

#include <optional>
#include <utility>
#include <vector>

#include "crypto/base/check.h"
#include "server/core/relay.h"
#include "server/grpc/relay_server.h"
#include "server/keys/tls_certificate.h"
#include "storage/kv/memory_store.h"

namespace parley::testing {
namespace {

// The system's time and what a test adds to it.
class ShiftedClock : public server::Clock {
 public:
  uint64_t NowSeconds() const override { return system_.NowSeconds() + shift_.load(); }
  void Advance(uint64_t seconds) { shift_ += seconds; }

 private:
  server::SystemClock system_;
  std::atomic<uint64_t> shift_ = 0;
};

}  // namespace

struct TestRelay::State {
  storage::MemoryStore store;
  ShiftedClock clock;
  server::Limits limits;
  server::RelayIdentity identity = server::RelayIdentity::Generate();
  crypto::Secret tls_key = server::MakeTlsKey();
  int port = 0;
  std::unique_ptr<server::Relay> relay;
  std::unique_ptr<server::RelayServer> server;

  std::vector<std::pair<std::string, std::string>> Chunks() {
    std::vector<std::pair<std::string, std::string>> chunks;
    PARLEY_CHECK(store
                     .Scan(storage::Space::kChunks, "", std::string(64, '\xff'),
                           [&](std::string_view key, std::string_view value) {
                             chunks.emplace_back(key, value);
                             return true;
                           })
                     .ok());
    return chunks;
  }
  void Put(const std::string& key, std::string value) {
    storage::WriteBatch batch;
    batch.Put(storage::Space::kChunks, key, std::move(value));
    PARLEY_CHECK(store.Commit(batch, storage::Durability::kBuffered).ok());
  }
};

TestRelay::TestRelay(uint64_t quota_bytes) : state_(std::make_unique<State>()) {
  PARLEY_CHECK(server::PrepareStore(state_->store).ok());
  // All clients of a test come from one address, and faster than people do.
  state_->limits.address_calls_per_second.Change(0);
  Start();
  absl::StatusOr<crypto::Secret> token =
      state_->relay->sponsors().Add("test", quota_bytes, 1'000'000);
  PARLEY_CHECK(token.ok());
  sponsor_token_ = std::move(*token);
}

TestRelay::~TestRelay() { Stop(); }

void TestRelay::Stop() {
  if (state_->server != nullptr) state_->server->Shutdown(std::chrono::milliseconds(0));
  state_->server.reset();
  state_->relay.reset();
}

void TestRelay::Start() {
  state_->relay = std::make_unique<server::Relay>(
      state_->store, state_->clock,
      server::RelayIdentity{state_->identity.key.Clone(), state_->identity.secret.Clone()},
      state_->limits);
  absl::StatusOr<server::TlsCertificate> certificate =
      server::MakeTlsCertificate(state_->tls_key, "127.0.0.1");
  PARLEY_CHECK(certificate.ok());
  state_->server = std::make_unique<server::RelayServer>(*state_->relay, state_->limits,
                                                         std::move(*certificate));
  absl::StatusOr<int> port = state_->server->Start("127.0.0.1:" + std::to_string(state_->port));
  PARLEY_CHECK(port.ok());
  state_->port = *port;
  address_ = "127.0.0.1:" + std::to_string(*port);
  identity_key_ = state_->relay->identity_key();
}

void TestRelay::RenewTlsKey() {
  Stop();
  state_->tls_key = server::MakeTlsKey();
  Start();
}

void TestRelay::ReplaceIdentity() {
  Stop();
  state_->identity = server::RelayIdentity::Generate();
  state_->tls_key = server::MakeTlsKey();
  Start();
}

void TestRelay::RenewSponsorToken() {
  absl::StatusOr<crypto::Secret> token = state_->relay->sponsors().Renew("test");
  PARLEY_CHECK(token.ok());
  sponsor_token_ = std::move(*token);
}

void TestRelay::AdvanceClock(uint64_t seconds) { state_->clock.Advance(seconds); }

void TestRelay::LimitCalls(uint64_t per_second) {
  state_->limits.connection_calls_per_second.Change(per_second);
}

void TestRelay::FlipChunkByte(uint64_t index, size_t at) {
  auto chunks = state_->Chunks();
  PARLEY_CHECK(index < chunks.size() && at < chunks[index].second.size());
  chunks[index].second[at] = static_cast<char>(chunks[index].second[at] ^ 1);
  state_->Put(chunks[index].first, chunks[index].second);
}

void TestRelay::SwapChunks(uint64_t a, uint64_t b) {
  auto chunks = state_->Chunks();
  PARLEY_CHECK(a < chunks.size() && b < chunks.size());
  state_->Put(chunks[a].first, chunks[b].second);
  state_->Put(chunks[b].first, chunks[a].second);
}

}  // namespace parley::testing
