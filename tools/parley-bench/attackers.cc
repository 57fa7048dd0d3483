#include "tools/parley-bench/attackers.h"

#include <signal.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "client-lib/relay/tls_channel.h"
#include "crypto/primitives/random.h"
#include "parley/relay/v1/relay.grpc.pb.h"
#include "tools/parley-bench/must.h"

namespace parley::bench {
namespace {

namespace relay_v1 = relay::v1;

// Calls that an attacker keeps under way on a connection, whatever comes of them.
constexpr size_t kAtOnce = 32;
constexpr size_t kUnreadStreams = 100;
// How often is looked whether there is processor time left.
constexpr std::chrono::milliseconds kPace{4};
constexpr int kWorkers = 4;

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

std::unique_ptr<relay_v1::Relay::Stub> Connect(const std::string& address) {
  return relay_v1::Relay::NewStub(Must(client::internal::MakeTlsChannel(
      address, std::nullopt, std::make_shared<client::internal::ShownKeys>())));
}

// Keeps this process to a share of the processors: who has used it up waits.
class Share {
 public:
  // `cores`: how many processors' time it may use.
  explicit Share(double cores) : cores_(cores), last_(Clock::now()), used_(CpuSeconds()) {}

  // Whether there is time left. From one thread, every few milliseconds.
  bool Look() {
    const auto now = Clock::now();
    const double used = CpuSeconds();
    left_ += std::chrono::duration<double>(now - last_).count() * cores_ - (used - used_);
    left_ = std::min(left_, kMostSaved);  // what wasn't used isn't used later
    last_ = now;
    used_ = used;
    return left_ > 0;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr double kMostSaved = 0.02;  // seconds
  static double CpuSeconds() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
  }

  const double cores_;
  double left_ = 0;
  Clock::time_point last_;
  double used_;
};

// What became of an attack's calls.
struct Outcomes {
  std::atomic<uint64_t> calls = 0;
  std::atomic<uint64_t> answered = 0;
  std::atomic<uint64_t> refused = 0;      // the relay said to come later
  std::atomic<uint64_t> unconnected = 0;  // as of one whose connection was ended

  void Count(const grpc::Status& status) {
    if (status.error_code() == grpc::StatusCode::CANCELLED) return;
    if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
      ++refused;
    } else if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
      ++unconnected;
    } else {
      ++answered;
    }
  }
};

// What attacks until it is destroyed.
class Attack {
 public:
  explicit Attack(Outcomes& outcomes) : outcomes_(outcomes) {}
  virtual ~Attack() = default;
  // Every few milliseconds: goes on only while `may_work`.
  virtual void Pace(bool may_work) = 0;

 protected:
  Outcomes& outcomes() { return outcomes_; }

 private:
  Outcomes& outcomes_;
};

// Attackers of one kind at work.
class CallAttack final : public Attack {
 public:
  using MakeAttacker = std::function<std::unique_ptr<Attacker>()>;

  CallAttack(const std::string& address, size_t connections, const MakeAttacker& make,
             Outcomes& outcomes)
      : Attack(outcomes) {
    for (size_t i = 0; i < connections; ++i) {
      stubs_.push_back(Connect(address));
      for (size_t j = 0; j < kAtOnce; ++j) {
        slots_.push_back(std::make_unique<Slot>());
        slots_.back()->attacker = make();
        slots_.back()->stub = stubs_.back().get();
        parked_.push_back(slots_.back().get());
      }
    }
  }
  ~CallAttack() override {
    std::unique_lock lock(mutex_);
    over_ = true;
    ended_.wait(lock, [this] { return parked_.size() == slots_.size(); });
  }

  void Pace(bool may_work) override {
    may_work_ = may_work;
    if (!may_work) return;
    std::vector<Slot*> slots;
    {
      std::lock_guard lock(mutex_);
      slots.swap(parked_);
    }
    for (Slot* slot : slots) Next(*slot);
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
    ++outcomes().calls;
    slot.attacker->Start(*slot.stub, *context, [this, &slot](const grpc::Status& status) {
      outcomes().Count(status);
      if (may_work_ && !over_) return Next(slot);
      std::lock_guard lock(mutex_);
      parked_.push_back(&slot);
      if (over_) ended_.notify_one();
    });
    if (cancels) context->TryCancel();
  }

  std::vector<std::unique_ptr<relay_v1::Relay::Stub>> stubs_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::atomic<bool> may_work_ = false;
  std::atomic<bool> over_ = false;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::vector<Slot*> parked_;  // those without a call under way
};

// Streams that are opened, are given something to refuse now and then, and are never read.
class UnreadAttack final : public Attack {
 public:
  UnreadAttack(const std::string& address, size_t connections, Outcomes& outcomes)
      : Attack(outcomes) {
    for (size_t i = 0; i < connections; ++i) {
      stubs_.push_back(Connect(address));
      for (size_t j = 0; j < kUnreadStreams / connections; ++j) {
        contexts_.push_back(std::make_unique<grpc::ClientContext>());
        streams_.push_back(stubs_.back()->Subscribe(contexts_.back().get()));
      }
    }
    add_.mutable_add()->set_mailbox_id(RandomText(32));
    add_.mutable_add()->set_token(RandomText(96));
    add_.mutable_add()->set_from(1);
  }
  ~UnreadAttack() override {
    for (auto& context : contexts_) context->TryCancel();
    for (auto& stream : streams_) stream->Finish();
  }

  // Each may have 64 refusals unread, so none of these writes waits for the relay.
  void Pace(bool may_work) override {
    if (!may_work || rounds_ == 50) return;
    ++rounds_;
    for (auto& stream : streams_) outcomes().calls += stream->Write(add_) ? 1 : 0;
  }

 private:
  using Stream = grpc::ClientReaderWriter<relay_v1::SubscribeRequest, relay_v1::SubscribeEvent>;
  std::vector<std::unique_ptr<relay_v1::Relay::Stub>> stubs_;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts_;
  std::vector<std::unique_ptr<Stream>> streams_;
  relay_v1::SubscribeRequest add_;
  int rounds_ = 0;
};

std::unique_ptr<Attack> MakeAttack(const std::string& kind, const std::string& address,
                                   size_t connections, Outcomes& outcomes) {
  const auto calls = [&](CallAttack::MakeAttacker make) {
    return std::make_unique<CallAttack>(address, connections, make, outcomes);
  };
  if (kind == "challenges") return calls([] { return std::make_unique<ChallengeAttacker>(); });
  if (kind == "sessions") return calls([] { return std::make_unique<SessionAttacker>(); });
  if (kind == "cancels") return calls([] { return std::make_unique<CancelAttacker>(); });
  if (kind == "unread") return std::make_unique<UnreadAttack>(address, connections, outcomes);
  Must(absl::InvalidArgumentError("there is no attack " + kind));
  return nullptr;
}

// Whether SIGTERM comes within `time`.
bool IsToldToEnd(const sigset_t& signals, std::chrono::nanoseconds time) {
  const timespec wait{time.count() / 1'000'000'000, time.count() % 1'000'000'000};
  return sigtimedwait(&signals, nullptr, &wait) == SIGTERM;
}

sigset_t BlockTermination() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// Some microseconds' work, whose result goes into the next one's.
uint64_t BusyStep(uint64_t from) {
  for (int i = 0; i < 2000; ++i) from = from * 6364136223846793005u + 1442695040888963407u;
  return from;
}

void Ready() {
  std::printf("ready\n");
  std::fflush(stdout);
}

}  // namespace

int RunAttackers(const std::string& kind, const std::string& address, size_t connections,
                 double cores) {
  const sigset_t signals = BlockTermination();
  Outcomes outcomes;
  {
    const std::unique_ptr<Attack> attack = MakeAttack(kind, address, connections, outcomes);
    Share share(cores);
    Ready();
    do {
      attack->Pace(share.Look());
    } while (!IsToldToEnd(signals, kPace));
  }
  std::printf("%llu %llu %llu %llu\n", static_cast<unsigned long long>(outcomes.calls),
              static_cast<unsigned long long>(outcomes.answered),
              static_cast<unsigned long long>(outcomes.refused),
              static_cast<unsigned long long>(outcomes.unconnected));
  return 0;
}

int RunOtherWork(double cores) {
  const sigset_t signals = BlockTermination();
  std::atomic<bool> over = false;
  std::atomic<bool> may_work = false;
  std::atomic<uint64_t> result = 0;  // so that the work can't be left out
  std::vector<std::thread> threads;
  for (int i = 0; i < kWorkers; ++i) {
    threads.emplace_back([&] {
      uint64_t worked = 1;
      while (!over) {
        if (!may_work) std::this_thread::sleep_for(kPace / 4);
        worked = BusyStep(worked);
      }
      result += worked;
    });
  }
  Share share(cores);
  Ready();
  do {
    may_work = share.Look();
  } while (!IsToldToEnd(signals, kPace));
  over = true;
  for (std::thread& thread : threads) thread.join();
  return 0;
}

}  // namespace parley::bench
