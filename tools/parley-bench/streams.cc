#include "tools/parley-bench/streams.h"

#include <chrono>
#include <cstdint>
#include <mutex>
#include <semaphore>
#include <thread>
#include <utility>

#include "client-lib/relay/relay_connection.h"
#include "client-lib/relay/sessions.h"
#include "client-lib/relay/tls_channel.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/signature.h"
#include "parley/bench/v1/bare.grpc.pb.h"
#include "parley/relay/v1/relay.grpc.pb.h"
#include "tools/parley-bench/callers.h"
#include "tools/parley-bench/must.h"

namespace parley::bench {
namespace {

using Clock = std::chrono::steady_clock;

using client::internal::RelayConnection;
using client::internal::Sessions;

// Enough for any run.
constexpr client::Allowance kAllowance = {.entries = uint64_t{1} << 40, .bytes = uint64_t{1} << 50};

}  // namespace

struct StreamEchoes::State {
  std::unique_ptr<v1::Bare::Stub> stub;
  std::ptrdiff_t in_flight = 0;
};

StreamEchoes::StreamEchoes(const std::string& address, size_t in_flight)
    : state_(std::make_unique<State>()) {
  state_->stub = v1::Bare::NewStub(Must(client::internal::MakeTlsChannel(
      address, std::nullopt, std::make_shared<client::internal::ShownKeys>())));
  state_->in_flight = static_cast<std::ptrdiff_t>(in_flight);
}

StreamEchoes::~StreamEchoes() = default;

double StreamEchoes::Run(double seconds) {
  grpc::ClientContext context;
  const auto stream = state_->stub->EchoStream(&context);
  std::counting_semaphore<> places(state_->in_flight);
  uint64_t echoes = 0;
  const auto begin = Clock::now();
  std::thread reader([&] {
    v1::Payload payload;
    while (stream->Read(&payload)) {
      ++echoes;
      places.release();
    }
    places.release(1 << 20);  // a writer mustn't wait for a stream that has failed
  });
  v1::Payload payload;
  payload.set_data(crypto::ToString(crypto::RandomBytes(kCallBytes)));
  const auto end =
      begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  do {
    places.acquire();
  } while (stream->Write(payload) && Clock::now() < end);
  stream->WritesDone();
  reader.join();
  const std::chrono::duration<double> took = Clock::now() - begin;
  const grpc::Status status = stream->Finish();
  if (!status.ok()) Must(absl::UnavailableError("the stream failed: " + status.error_message()));
  return static_cast<double>(echoes) / took.count();
}

struct StreamAppends::State {
  explicit State(const RelayUnderTest& relay)
      : connection(Must(RelayConnection::Open(relay.connection(), {}))), stub(connection->stub()) {}

  std::unique_ptr<RelayConnection> connection;
  std::shared_ptr<relay::v1::Relay::Stub> stub;
  std::vector<relay::v1::AppendStreamRequest> requests;  // one for each mailbox
};

StreamAppends::StreamAppends(const RelayUnderTest& relay, size_t in_flight)
    : state_(std::make_unique<State>(relay)) {
  const std::unique_ptr<client::RelayClient> maker =
      Must(client::RelayClient::Connect(relay.connection()));
  Sessions sessions(*state_->connection);
  for (size_t i = 0; i < in_flight; ++i) {
    const client::ObjectId mailbox = crypto::RandomArray<32>();
    const crypto::SignatureKey key = crypto::SignatureKey::Generate();
    Must(maker->CreateMailbox(relay.credential(), mailbox,
                              {key.public_key(), {key.public_key()}, key.public_key()},
                              kAllowance));
    relay::v1::AppendRequest& append = *state_->requests.emplace_back().mutable_append();
    append.set_token(Must(sessions.Get({mailbox, 1, relay::v1::RIGHT_APPEND}, key)).token);
    append.set_mailbox_id(crypto::ToString(mailbox));
    append.set_generation(1);
    append.set_payload(crypto::ToString(crypto::RandomBytes(kCallBytes)));
  }
}

StreamAppends::~StreamAppends() = default;

double StreamAppends::Run(double seconds) {
  grpc::ClientContext context;
  const auto stream = state_->stub->AppendStream(&context);
  std::counting_semaphore<> places(static_cast<std::ptrdiff_t>(state_->requests.size()));
  uint64_t appended = 0;
  bool refused = false;
  const auto begin = Clock::now();
  std::thread reader([&] {
    relay::v1::AppendStreamResponse response;
    while (stream->Read(&response)) {
      for (const auto& result : response.results()) refused |= !result.has_appended();
      appended += static_cast<uint64_t>(response.results_size());
      places.release(response.results_size());
    }
    places.release(1 << 20);  // a writer mustn't wait for a stream that has failed
  });
  const auto end =
      begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  uint64_t number = 0;
  bool alive = true;
  do {
    places.acquire();
    relay::v1::AppendStreamRequest& request = state_->requests[number % state_->requests.size()];
    request.set_number(++number);
    request.mutable_append()->set_append_id(crypto::ToString(crypto::RandomArray<16>()));
    alive = stream->Write(request);
  } while (alive && Clock::now() < end);
  stream->WritesDone();
  reader.join();
  const std::chrono::duration<double> took = Clock::now() - begin;
  const grpc::Status status = stream->Finish();
  if (!status.ok()) Must(absl::UnavailableError("the stream failed: " + status.error_message()));
  if (refused) Must(absl::UnavailableError("an append on the stream was refused"));
  return static_cast<double>(appended) / took.count();
}

struct Delivery::State {
  explicit State(const RelayUnderTest& relay);
  ~State();
  // Reads what comes to the subscriber until the stream ends.
  void Listen();
  // Both happen once in each call, in any order; the later one ends it.
  void OnAppended(const grpc::Status& status);
  void OnDelivered();

  std::unique_ptr<RelayConnection> appending;
  std::unique_ptr<RelayConnection> listening;
  std::shared_ptr<relay::v1::Relay::Stub> stub;
  relay::v1::AppendRequest request;
  relay::v1::AppendResponse response;
  grpc::ClientContext context;
  std::shared_ptr<relay::v1::Relay::Stub> listener_stub;
  std::unique_ptr<grpc::ClientReaderWriter<relay::v1::SubscribeRequest, relay::v1::SubscribeEvent>>
      stream;
  std::thread reader;

  std::mutex mutex;  // guards what follows
  int awaited = 0;
  std::function<void(grpc::Status)> done;
};

Delivery::State::State(const RelayUnderTest& relay)
    : appending(Must(RelayConnection::Open(relay.connection(), {}))),
      listening(Must(RelayConnection::Open(relay.connection(), {}))),
      stub(appending->stub()),
      listener_stub(listening->stub()) {
  const client::ObjectId mailbox = crypto::RandomArray<32>();
  const crypto::SignatureKey key = crypto::SignatureKey::Generate();
  const std::unique_ptr<client::RelayClient> maker =
      Must(client::RelayClient::Connect(relay.connection()));
  Must(maker->CreateMailbox(relay.credential(), mailbox,
                            {key.public_key(), {key.public_key()}, key.public_key()}, kAllowance));
  Sessions append_sessions(*appending);
  request.set_token(Must(append_sessions.Get({mailbox, 1, relay::v1::RIGHT_APPEND}, key)).token);
  request.set_mailbox_id(crypto::ToString(mailbox));
  request.set_generation(1);
  request.set_payload(crypto::ToString(crypto::RandomBytes(kCallBytes)));

  Sessions read_sessions(*listening);
  relay::v1::SubscribeRequest subscribe;
  subscribe.mutable_add()->set_token(
      Must(read_sessions.Get({mailbox, 1, relay::v1::RIGHT_READ}, key)).token);
  subscribe.mutable_add()->set_mailbox_id(crypto::ToString(mailbox));
  subscribe.mutable_add()->set_from(1);
  stream = listener_stub->Subscribe(&context);
  relay::v1::SubscribeEvent event;
  if (!stream->Write(subscribe) || !stream->Read(&event) || !event.has_caught_up()) {
    Must(absl::UnavailableError("the subscription was refused"));
  }
  reader = std::thread([this] { Listen(); });
}

Delivery::State::~State() {
  if (!reader.joinable()) return;
  context.TryCancel();
  reader.join();
  (void)stream->Finish();
}

void Delivery::State::Listen() {
  relay::v1::SubscribeEvent event;
  while (stream->Read(&event)) {
    for (int i = 0; i < event.entries().entries_size(); ++i) OnDelivered();
  }
}

void Delivery::State::OnAppended(const grpc::Status& status) {
  std::function<void(grpc::Status)> ended;
  {
    std::lock_guard lock(mutex);
    if (--awaited != 0 && status.ok()) return;
    ended = std::exchange(done, nullptr);
  }
  if (ended) ended(status);
}

void Delivery::State::OnDelivered() { OnAppended(grpc::Status::OK); }

namespace {

// One append at a time, until its entry has come.
class DeliveryCaller final : public Caller {
 public:
  using Begin =
      std::function<void(grpc::ClientContext& context, std::function<void(grpc::Status)> done)>;
  explicit DeliveryCaller(Begin begin) : begin_(std::move(begin)) {}
  void Start(grpc::ClientContext& context, std::function<void(grpc::Status)> done) override {
    begin_(context, std::move(done));
  }

 private:
  const Begin begin_;
};

}  // namespace

Delivery::Delivery(const RelayUnderTest& relay) : state_(std::make_unique<State>(relay)) {}

Delivery::~Delivery() = default;

std::vector<std::unique_ptr<Caller>> Delivery::Make() {
  std::vector<std::unique_ptr<Caller>> callers;
  callers.push_back(std::make_unique<DeliveryCaller>(
      [&state = *state_](grpc::ClientContext& context, std::function<void(grpc::Status)> done) {
        {
          std::lock_guard lock(state.mutex);
          state.awaited = 2;
          state.done = std::move(done);
        }
        state.request.set_append_id(crypto::ToString(crypto::RandomArray<16>()));
        state.stub->async()->Append(
            &context, &state.request, &state.response,
            [&state](const grpc::Status& status) { state.OnAppended(status); });
      }));
  return callers;
}

}  // namespace parley::bench
