#include "tools/parley-bench/attack_benchmarks.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "client-lib/relay/tls_channel.h"
#include "crypto/primitives/random.h"
#include "parley/relay/v1/relay.grpc.pb.h"
#include "tools/parley-bench/callers.h"
#include "tools/parley-bench/load.h"
#include "tools/parley-bench/must.h"
#include "tools/parley-bench/relay_under_test.h"

namespace parley::bench {
namespace {

namespace relay_v1 = relay::v1;

// Honest clients: so many, each with a connection of its own and one append under way.
constexpr size_t kHonest = 8;
// Calls that an attacker keeps under way on a connection, whatever comes of them.
constexpr size_t kAtOnce = 32;
constexpr size_t kUnreadStreams = 100;

std::string RandomText(size_t size) { return crypto::ToString(crypto::RandomBytes(size)); }

// One call, made anew for ever until the attack is over.
class Attacker {
 public:
  virtual ~Attacker() = default;
  virtual void Start(relay_v1::Relay::Stub& stub, grpc::ClientContext& context,
                     std::function<void(grpc::Status)> done) = 0;
  // Whether each call is cancelled as soon as it has begun.
  virtual bool Cancels() const { return false; }
};

class ChallengeAttacker final : public Attacker {
 public:
  void Start(relay_v1::Relay::Stub& stub, grpc::ClientContext& context,
             std::function<void(grpc::Status)> done) override {
    stub.async()->GetChallenge(&context, &request_, &response_, std::move(done));
  }

 private:
  relay_v1::GetChallengeRequest request_;
  relay_v1::GetChallengeResponse response_;
};

// Sessions with a signature that doesn't verify, over a challenge that is good.
class SessionAttacker final : public Attacker {
 public:
  void Start(relay_v1::Relay::Stub& stub, grpc::ClientContext& context,
             std::function<void(grpc::Status)> done) override {
    if (request_.challenge().empty()) {
      grpc::ClientContext first;
      relay_v1::GetChallengeResponse challenge;
      stub.GetChallenge(&first, {}, &challenge);
      request_.set_challenge(challenge.challenge());
      request_.set_object_id(RandomText(32));
      request_.set_generation(1);
      request_.set_right(relay_v1::RIGHT_READ);
      request_.set_public_key(RandomText(32));
      request_.set_signature(RandomText(64));
    }
    stub.async()->OpenSession(&context, &request_, &response_, std::move(done));
  }

 private:
  relay_v1::OpenSessionRequest request_;
  relay_v1::OpenSessionResponse response_;
};

// Appends, with a token that is none, that are cancelled as soon as they are sent.
class CancelAttacker final : public Attacker {
 public:
  CancelAttacker() {
    request_.set_token(RandomText(96));
    request_.set_mailbox_id(RandomText(32));
    request_.set_generation(1);
    request_.set_append_id(RandomText(16));
    request_.set_payload(RandomText(16 << 10));
  }
  void Start(relay_v1::Relay::Stub& stub, grpc::ClientContext& context,
             std::function<void(grpc::Status)> done) override {
    stub.async()->Append(&context, &request_, &response_, std::move(done));
  }
  bool Cancels() const override { return true; }

 private:
  relay_v1::AppendRequest request_;
  relay_v1::AppendResponse response_;
};

std::unique_ptr<relay_v1::Relay::Stub> Connect(const RelayUnderTest& relay) {
  return relay_v1::Relay::NewStub(Must(client::internal::MakeTlsChannel(
      relay.connection().address, std::nullopt, std::make_shared<client::internal::ShownKeys>())));
}

// Attackers of one kind at work, until it is destroyed.
class CallAttack {
 public:
  using MakeAttacker = std::function<std::unique_ptr<Attacker>()>;

  CallAttack(const RelayUnderTest& relay, size_t connections, const MakeAttacker& make) {
    for (size_t i = 0; i < connections; ++i) {
      stubs_.push_back(Connect(relay));
      for (size_t j = 0; j < kAtOnce; ++j) {
        slots_.push_back(std::make_unique<Slot>());
        slots_.back()->attacker = make();
        slots_.back()->stub = stubs_.back().get();
      }
    }
    running_ = slots_.size();
    for (auto& slot : slots_) Next(*slot);
  }
  ~CallAttack() {
    over_ = true;
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return running_ == 0; });
  }

 private:
  struct Slot {
    std::unique_ptr<Attacker> attacker;
    relay_v1::Relay::Stub* stub = nullptr;
    std::shared_ptr<grpc::ClientContext> context;
  };

  void Next(Slot& slot) {
    // The call may be over, and the slot have the next one's context, before it is cancelled here.
    const auto context = std::make_shared<grpc::ClientContext>();
    const bool cancels = slot.attacker->Cancels();
    slot.context = context;
    slot.attacker->Start(*slot.stub, *context, [this, &slot](const grpc::Status&) {
      if (!over_) return Next(slot);
      std::lock_guard lock(mutex_);
      if (--running_ == 0) ended_.notify_one();
    });
    if (cancels) context->TryCancel();
  }

  std::vector<std::unique_ptr<relay_v1::Relay::Stub>> stubs_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::atomic<bool> over_ = false;
  std::mutex mutex_;
  std::condition_variable ended_;
  size_t running_ = 0;
};

// Streams that are opened, are given something to refuse now and then, and are never read.
class UnreadAttack {
 public:
  UnreadAttack(const RelayUnderTest& relay, size_t connections)
      : worker_([this, &relay, connections] {
          std::vector<std::unique_ptr<relay_v1::Relay::Stub>> stubs;
          std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
          using Stream =
              grpc::ClientReaderWriter<relay_v1::SubscribeRequest, relay_v1::SubscribeEvent>;
          std::vector<std::unique_ptr<Stream>> streams;
          for (size_t i = 0; i < connections; ++i) {
            stubs.push_back(Connect(relay));
            for (size_t j = 0; j < kUnreadStreams / connections; ++j) {
              contexts.push_back(std::make_unique<grpc::ClientContext>());
              streams.push_back(stubs.back()->Subscribe(contexts.back().get()));
            }
          }
          relay_v1::SubscribeRequest add;
          add.mutable_add()->set_mailbox_id(RandomText(32));
          add.mutable_add()->set_token(RandomText(96));
          add.mutable_add()->set_from(1);
          // Each may have 64 refusals unread, so none of these writes waits for the relay.
          for (int round = 0; round < 50 && !over_; ++round) {
            for (auto& stream : streams) stream->Write(add);
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
          }
          while (!over_) std::this_thread::sleep_for(std::chrono::milliseconds(20));
          for (auto& context : contexts) context->TryCancel();
          for (auto& stream : streams) stream->Finish();
        }) {}
  ~UnreadAttack() {
    over_ = true;
    worker_.join();
  }

 private:
  std::atomic<bool> over_ = false;
  std::thread worker_;
};

double HonestRate(Load& load, double seconds) {
  return load.Run(std::chrono::duration<double>(seconds)).calls_per_second;
}

void WarmUp(const AttackBenchOptions& options) {
  std::this_thread::sleep_for(std::chrono::duration<double>(options.warm_up_seconds));
}

}  // namespace

std::vector<Row> RunAttackBenchmarks(const AttackBenchOptions& options) {
  const TemporaryFolder folder(options.folder);
  const RelayUnderTest relay(options.relay_program, folder.path() + "/relay",
                             RelayUnderTest::Rates::kAsInstalled);
  AppendCallers append(relay, kHonest);
  Load honest(append.Make(kHonest));
  const std::map<std::string, CallAttack::MakeAttacker> attacks = {
      {"challenges", [] { return std::make_unique<ChallengeAttacker>(); }},
      {"sessions", [] { return std::make_unique<SessionAttacker>(); }},
      {"cancels", [] { return std::make_unique<CancelAttacker>(); }},
  };
  std::map<std::string, std::vector<double>> rates;
  for (int round = 1; round <= options.rounds; ++round) {
    std::fprintf(stderr, "parley-bench: attacks, round %d of %d\n", round, options.rounds);
    rates["alone"].push_back(HonestRate(honest, options.seconds));
    for (const auto& [name, make] : attacks) {
      const CallAttack attack(relay, options.attackers, make);
      WarmUp(options);
      rates[name].push_back(HonestRate(honest, options.seconds));
    }
    const UnreadAttack attack(relay, options.attackers);
    WarmUp(options);
    rates["unread"].push_back(HonestRate(honest, options.seconds));
  }
  const double alone = Median(rates["alone"]);
  std::vector<Row> rows = {BaselineRow("honest/append/1KiB/alone", alone, "per s")};
  for (const auto& [name, values] : rates) {
    if (name == "alone") continue;
    rows.push_back({"honest/append/1KiB/" + name, Median(values), "per s", alone, "alone"});
  }
  return rows;
}

}  // namespace parley::bench
