// A relay's service over real TLS on the loopback, and a client's stub for it.
#ifndef PARLEY_SERVER_GRPC_RELAY_SERVER_FIXTURE_FOR_TEST_H_
#define PARLEY_SERVER_GRPC_RELAY_SERVER_FIXTURE_FOR_TEST_H_

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "parley/relay/v1/relay.grpc.pb.h"
#include "server/core/relay_fixture_for_test.h"
#include "server/grpc/relay_server.h"

namespace parley::server {

// Whether it becomes true, however slow the machine is: only a test that fails waits in vain.
inline bool Eventually(const std::function<bool()>& condition) {
  const auto given_up = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > given_up) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

// Whether nobody has ended the connection, of which nothing is to be read.
inline bool IsOpen(int fd) {
  char byte = 0;
  return ::recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

class RelayServerTest : public testing::Test {
 protected:
  RelayServerTest() = default;
  // With bounds of its own: what `narrow` makes of the usual ones.
  explicit RelayServerTest(void (*narrow)(Limits&)) : relay_(Narrowed(narrow)) {}

  void SetUp() override {
    const crypto::Secret key = MakeTlsKey();
    absl::StatusOr<TlsCertificate> made = MakeTlsCertificate(key, "127.0.0.1");
    ASSERT_TRUE(made.ok()) << made.status();
    certificate_pem_ = made->certificate_pem;
    key_hash_ = made->key_hash;
    server_ = std::make_unique<RelayServer>(*relay_.relay, relay_.limits, *std::move(made));
    absl::StatusOr<int> port = server_->Start("127.0.0.1:0");
    ASSERT_TRUE(port.ok()) << port.status();
    port_ = *port;
    stub_ = v1::Relay::NewStub(NewChannel());
  }

  std::shared_ptr<grpc::Channel> NewChannel() { return NewChannel(port_); }
  // To what forwards to the relay from another port.
  std::shared_ptr<grpc::Channel> NewChannel(int port) {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = certificate_pem_;
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
    arguments.SetMaxReceiveMessageSize(-1);
    return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port),
                                     grpc::SslCredentials(options), arguments);
  }

  // Asks for a mailbox's entries from that position on.
  static v1::SubscribeRequest Add(const TestMailbox& mailbox, const std::string& token,
                                  uint64_t from = 1) {
    v1::SubscribeRequest request;
    request.mutable_add()->set_mailbox_id(mailbox.id);
    request.mutable_add()->set_token(token);
    request.mutable_add()->set_from(from);
    return request;
  }

  grpc::Status Append(const v1::AppendRequest& request, uint64_t& position) {
    grpc::ClientContext context;
    v1::AppendResponse response;
    grpc::Status status = stub_->Append(&context, request, &response);
    position = response.position();
    return status;
  }
  grpc::Status Append(const v1::AppendRequest& request) {
    uint64_t position = 0;
    return Append(request, position);
  }

  RelayFixture relay_;
  std::unique_ptr<RelayServer> server_;
  std::string certificate_pem_;
  std::string key_hash_;
  int port_ = 0;
  std::unique_ptr<v1::Relay::Stub> stub_;

 private:
  static Limits Narrowed(void (*narrow)(Limits&)) {
    Limits limits;
    narrow(limits);
    return limits;
  }
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_GRPC_RELAY_SERVER_FIXTURE_FOR_TEST_H_
