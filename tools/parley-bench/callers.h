// The calls whose rates are compared: an append to the relay and a bare echo.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_CALLERS_H_
#define PARLEY_TOOLS_PARLEY_BENCH_CALLERS_H_

#include <memory>
#include <string>
#include <vector>

#include "client-lib/relay/relay_types.h"
#include "parley/relay/v1/relay.grpc.pb.h"
#include "tools/parley-bench/load.h"
#include "tools/parley-bench/relay_under_test.h"

namespace parley::bench {

inline constexpr size_t kCallBytes = 1024;  // of payload

// Appends to mailboxes of its own, in turns.
class TurnsCaller final : public Caller {
 public:
  struct Target {
    client::ObjectId mailbox{};
    std::string token;
  };
  // Lifetime: `stub` outlives it. There must be a target.
  TurnsCaller(relay::v1::Relay::Stub& stub, std::vector<Target> targets);
  ~TurnsCaller() override;
  void Start(grpc::ClientContext& context, std::function<void(grpc::Status)> done) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// So many connections, each with a channel of its own.
class EchoCallers {
 public:
  EchoCallers(const std::string& address, size_t connections);
  ~EchoCallers();
  // Spread evenly over the connections. Valid while this lives.
  std::vector<std::unique_ptr<Caller>> Make(size_t count);

 private:
  struct Connection;
  std::vector<std::unique_ptr<Connection>> connections_;
};

// Each caller appends to a mailbox of its own, made beforehand.
class AppendCallers {
 public:
  AppendCallers(const RelayUnderTest& relay, size_t connections);
  ~AppendCallers();
  std::vector<std::unique_ptr<Caller>> Make(size_t count);

 private:
  struct Connection;
  client::Credential credential_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_CALLERS_H_
