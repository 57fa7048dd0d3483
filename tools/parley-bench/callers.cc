#include "tools/parley-bench/callers.h"

#include <utility>

#include "client-lib/relay/relay_connection.h"
#include "client-lib/relay/sessions.h"
#include "client-lib/relay/tls_channel.h"
#include "client-lib/relay/wire.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/signature.h"
#include "parley/bench/v1/bare.grpc.pb.h"
#include "parley/relay/v1/relay.grpc.pb.h"
#include "tools/parley-bench/must.h"

namespace parley::bench {
namespace {

using client::internal::RelayConnection;
using client::internal::Sessions;

// Enough for any run: the sponsor's quota counts what is stored.
constexpr client::Allowance kAllowance = {.entries = uint64_t{1} << 40, .bytes = uint64_t{1} << 50};

class EchoCaller final : public Caller {
 public:
  explicit EchoCaller(v1::Bare::Stub& stub) : stub_(stub) {
    request_.set_data(crypto::ToString(crypto::RandomBytes(kCallBytes)));
  }
  void Start(grpc::ClientContext& context, std::function<void(grpc::Status)> done) override {
    stub_.async()->Echo(&context, &request_, &response_, std::move(done));
  }

 private:
  v1::Bare::Stub& stub_;
  v1::Payload request_;
  v1::Payload response_;
};

class AppendCaller final : public Caller {
 public:
  AppendCaller(relay::v1::Relay::Stub& stub, const client::ObjectId& mailbox, std::string token)
      : stub_(stub) {
    request_.set_token(std::move(token));
    request_.set_mailbox_id(crypto::ToString(mailbox));
    request_.set_generation(1);
    request_.set_payload(crypto::ToString(crypto::RandomBytes(kCallBytes)));
  }
  void Start(grpc::ClientContext& context, std::function<void(grpc::Status)> done) override {
    request_.set_append_id(crypto::ToString(crypto::RandomArray<16>()));
    stub_.async()->Append(&context, &request_, &response_, std::move(done));
  }

 private:
  relay::v1::Relay::Stub& stub_;
  relay::v1::AppendRequest request_;
  relay::v1::AppendResponse response_;
};

}  // namespace

struct TurnsCaller::State {
  relay::v1::Relay::Stub& stub;
  std::vector<Target> targets;
  size_t next = 0;
  relay::v1::AppendRequest request;
  relay::v1::AppendResponse response;
};

TurnsCaller::TurnsCaller(relay::v1::Relay::Stub& stub, std::vector<Target> targets)
    : state_(new State{stub, std::move(targets), 0, {}, {}}) {
  state_->request.set_generation(1);
  state_->request.set_payload(crypto::ToString(crypto::RandomBytes(kCallBytes)));
}

TurnsCaller::~TurnsCaller() = default;

void TurnsCaller::Start(grpc::ClientContext& context, std::function<void(grpc::Status)> done) {
  const Target& target = state_->targets[state_->next++ % state_->targets.size()];
  state_->request.set_token(target.token);
  state_->request.set_mailbox_id(crypto::ToString(target.mailbox));
  state_->request.set_append_id(crypto::ToString(crypto::RandomArray<16>()));
  state_->stub.async()->Append(&context, &state_->request, &state_->response, std::move(done));
}

struct EchoCallers::Connection {
  std::unique_ptr<v1::Bare::Stub> stub;
};

EchoCallers::EchoCallers(const std::string& address, size_t connections) {
  for (size_t i = 0; i < connections; ++i) {
    connections_.push_back(std::make_unique<Connection>());
    connections_.back()->stub = v1::Bare::NewStub(Must(client::internal::MakeTlsChannel(
        address, std::nullopt, std::make_shared<client::internal::ShownKeys>())));
  }
}

EchoCallers::~EchoCallers() = default;

std::vector<std::unique_ptr<Caller>> EchoCallers::Make(size_t count) {
  std::vector<std::unique_ptr<Caller>> callers;
  for (size_t i = 0; i < count; ++i) {
    callers.push_back(std::make_unique<EchoCaller>(*connections_[i % connections_.size()]->stub));
  }
  return callers;
}

struct AppendCallers::Connection {
  explicit Connection(const client::ConnectionInfo& relay)
      : connection(Must(RelayConnection::Open(relay, {}))),
        stub(connection->stub()),
        sessions(*connection) {}

  std::unique_ptr<RelayConnection> connection;
  std::shared_ptr<relay::v1::Relay::Stub> stub;
  Sessions sessions;
};

AppendCallers::AppendCallers(const RelayUnderTest& relay, size_t connections)
    : credential_(relay.credential()) {
  for (size_t i = 0; i < connections; ++i) {
    connections_.push_back(std::make_unique<Connection>(relay.connection()));
  }
}

AppendCallers::~AppendCallers() = default;

std::vector<std::unique_ptr<Caller>> AppendCallers::Make(size_t count) {
  const std::unique_ptr<client::RelayClient> maker =
      Must(client::RelayClient::Connect(connections_[0]->connection->relay()));
  std::vector<std::unique_ptr<Caller>> callers;
  for (size_t i = 0; i < count; ++i) {
    Connection& through = *connections_[i % connections_.size()];
    const client::ObjectId mailbox = crypto::RandomArray<32>();
    const crypto::SignatureKey key = crypto::SignatureKey::Generate();
    Must(maker->CreateMailbox(credential_, mailbox,
                              {key.public_key(), {key.public_key()}, key.public_key()},
                              kAllowance));
    client::internal::Session session =
        Must(through.sessions.Get({mailbox, 1, relay::v1::RIGHT_APPEND}, key));
    callers.push_back(
        std::make_unique<AppendCaller>(*through.stub, mailbox, std::move(session.token)));
  }
  return callers;
}

}  // namespace parley::bench
