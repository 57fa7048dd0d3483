#include "tools/parley-bench/subscribers.h"

#include <grpcpp/grpcpp.h>

#include "absl/status/status.h"
#include "client-lib/relay/tls_channel.h"
#include "crypto/base/bytes.h"
#include "parley/bench/v1/bare.grpc.pb.h"
#include "parley/relay/v1/relay.grpc.pb.h"
#include "tools/parley-bench/must.h"

namespace parley::bench {
namespace {

namespace relay_v1 = relay::v1;

// About a request that adds a mailbox: its id, a token, a position.
constexpr size_t kRequestBytes = 150;

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  return Must(client::internal::MakeTlsChannel(address, std::nullopt,
                                               std::make_shared<client::internal::ShownKeys>()));
}

}  // namespace

struct Subscribers::State {
  using Stream = grpc::ClientReaderWriter<relay_v1::SubscribeRequest, relay_v1::SubscribeEvent>;
  std::vector<std::unique_ptr<relay_v1::Relay::Stub>> stubs;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<Stream>> streams;
};

Subscribers::Subscribers(const std::string& address, size_t count,
                         const std::vector<Followed>& mailboxes, size_t each)
    : state_(std::make_unique<State>()) {
  size_t next = 0;
  for (size_t i = 0; i < count; ++i) {
    if (i % kStreamsOnConnection == 0) {
      state_->stubs.push_back(relay_v1::Relay::NewStub(Connect(address)));
    }
    state_->contexts.push_back(std::make_unique<grpc::ClientContext>());
    state_->streams.push_back(state_->stubs.back()->Subscribe(state_->contexts.back().get()));
    State::Stream& stream = *state_->streams.back();
    for (size_t j = 0; j < each; ++j) {
      const Followed& mailbox = mailboxes[next++ % mailboxes.size()];
      relay_v1::SubscribeRequest add;
      add.mutable_add()->set_mailbox_id(crypto::ToString(mailbox.mailbox));
      add.mutable_add()->set_token(mailbox.token);
      add.mutable_add()->set_from(mailbox.from);
      if (!stream.Write(add)) Must(absl::UnavailableError("a subscription was ended"));
    }
    size_t caught_up = 0;
    for (relay_v1::SubscribeEvent event; caught_up < each && stream.Read(&event);) {
      caught_up += event.has_caught_up();
      if (event.has_ended()) Must(absl::UnavailableError("a mailbox can't be followed"));
    }
    if (caught_up < each) Must(absl::UnavailableError("a subscription was ended"));
  }
}

Subscribers::~Subscribers() {
  for (auto& context : state_->contexts) context->TryCancel();
  for (auto& stream : state_->streams) stream->Finish();
}

struct BareStreams::State {
  std::vector<std::unique_ptr<v1::Bare::Stub>> stubs;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<v1::Received>> answers;
  std::vector<std::unique_ptr<grpc::ClientWriter<v1::Payload>>> streams;
};

BareStreams::BareStreams(const std::string& address, size_t count, size_t each)
    : state_(std::make_unique<State>()) {
  v1::Payload payload;
  payload.set_data(std::string(kRequestBytes, 'r'));
  for (size_t i = 0; i < count; ++i) {
    if (i % kStreamsOnConnection == 0) {
      state_->stubs.push_back(v1::Bare::NewStub(Connect(address)));
    }
    state_->contexts.push_back(std::make_unique<grpc::ClientContext>());
    state_->answers.push_back(std::make_unique<v1::Received>());
    state_->streams.push_back(
        state_->stubs.back()->Upload(state_->contexts.back().get(), state_->answers.back().get()));
    for (size_t j = 0; j < each; ++j) {
      if (!state_->streams.back()->Write(payload)) {
        Must(absl::UnavailableError("a bare stream was ended"));
      }
    }
  }
}

BareStreams::~BareStreams() {
  for (auto& context : state_->contexts) context->TryCancel();
  for (auto& stream : state_->streams) stream->Finish();
}

}  // namespace parley::bench
