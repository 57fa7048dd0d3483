// For tests of attacks: the real relay, an honest client's side of it, and attackers' threads.
#ifndef PARLEY_SERVER_CRASH_TEST_ATTACK_SCENE_FOR_TEST_H_
#define PARLEY_SERVER_CRASH_TEST_ATTACK_SCENE_FOR_TEST_H_

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/primitives/random.h"
#include "crypto/primitives/signature.h"
#include "server/core/signed_acts.h"
#include "server/crash_test/relay_process_for_test.h"

namespace parley::server {

namespace v1 = relay::v1;

// What the relay may add to what it has after its start, beside what an attack is allowed by a
// limit.
inline constexpr long kMostGrowthKib = 320 << 10;
// What gRPC may hold of what it has read before the relay asked for it: of all connections.
inline constexpr long kMostIncomingKib = 192 << 10;

inline std::string RandomString(size_t size) { return crypto::ToString(crypto::RandomBytes(size)); }
inline std::string Text(const crypto::SignatureKey& key) {
  return crypto::ToString(key.public_key());
}

struct Mailbox {
  std::string id = RandomString(32);
  crypto::SignatureKey read = crypto::SignatureKey::Generate();
  crypto::SignatureKey append = crypto::SignatureKey::Generate();
  crypto::SignatureKey control = crypto::SignatureKey::Generate();
};

// A context with a deadline, so that a relay that doesn't answer fails a test and doesn't hang it.
class Context : public grpc::ClientContext {
 public:
  explicit Context(int within_seconds = 30) {
    set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(within_seconds));
  }
};

// A relay with its sponsor and an honest client's side of it.
class Scene {
 public:
  explicit Scene(const std::string& name, std::vector<std::string> options = {},
                 const std::string& quota = "100GiB")
      : folder_(std::filesystem::temp_directory_path() /
                ("parley-attack-" + name + "-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(folder_);
    relay_ = std::make_unique<RelayProcess>(RelayProgram(), folder_, std::move(options));
    relay_->Start();
    sponsor_ = relay_->AddSponsor(quota);
    stub_ = relay_->Connect();
    at_start_ = relay_->PeakKib();
  }
  ~Scene() {
    relay_.reset();
    RemoveRelayFolder(folder_);
  }

  RelayProcess& relay() { return *relay_; }
  v1::Relay::Stub& stub() { return *stub_; }
  const std::string& sponsor() const { return sponsor_; }
  long GrowthKib() const { return relay_->PeakKib() - at_start_; }

  v1::CreateMailboxRequest CreateRequest(const Mailbox& mailbox) const {
    v1::CreateMailboxRequest request;
    request.set_sponsor_token(sponsor_);
    request.set_mailbox_id(mailbox.id);
    request.mutable_keys()->set_read_key(Text(mailbox.read));
    request.mutable_keys()->add_append_keys(Text(mailbox.append));
    request.mutable_keys()->set_control_key(Text(mailbox.control));
    return request;
  }
  static grpc::Status Create(v1::Relay::Stub& stub, const v1::CreateMailboxRequest& request) {
    Context context;
    v1::CreateMailboxResponse response;
    return stub.CreateMailbox(&context, request, &response);
  }
  grpc::Status Create(v1::Relay::Stub& stub, const Mailbox& mailbox) const {
    return Create(stub, CreateRequest(mailbox));
  }

  grpc::Status OpenSession(v1::Relay::Stub& stub, const std::string& object, uint64_t generation,
                           AccessRight right, const crypto::SignatureKey& key,
                           std::string& token) const {
    Context info_context;
    v1::GetInfoResponse info;
    grpc::Status status = stub.GetInfo(&info_context, {}, &info);
    if (!status.ok()) return status;
    Context challenge_context;
    v1::GetChallengeResponse challenge;
    status = stub.GetChallenge(&challenge_context, {}, &challenge);
    if (!status.ok()) return status;
    v1::OpenSessionRequest request;
    request.set_challenge(challenge.challenge());
    request.set_object_id(object);
    request.set_generation(generation);
    request.set_right(static_cast<v1::Right>(right));
    request.set_public_key(Text(key));
    request.set_signature(crypto::ToString(
        key.Sign(SessionMessage(*storage::IdFrom<32>(info.identity_key()), challenge.challenge(),
                                *storage::IdFrom<32>(object), generation, right))));
    Context context;
    v1::OpenSessionResponse response;
    status = stub.OpenSession(&context, request, &response);
    token = response.token();
    return status;
  }
  std::string AppendToken(const Mailbox& mailbox, uint64_t generation = 1) {
    std::string token;
    EXPECT_TRUE(
        OpenSession(*stub_, mailbox.id, generation, AccessRight::kAppend, mailbox.append, token)
            .ok());
    return token;
  }
  std::string ReadToken(const Mailbox& mailbox) {
    std::string token;
    EXPECT_TRUE(OpenSession(*stub_, mailbox.id, 1, AccessRight::kRead, mailbox.read, token).ok());
    return token;
  }

  static v1::AppendRequest AppendRequest(const Mailbox& mailbox, const std::string& token,
                                         const std::string& payload, uint64_t generation = 1) {
    v1::AppendRequest request;
    request.set_mailbox_id(mailbox.id);
    request.set_generation(generation);
    request.set_append_id(RandomString(16));
    request.set_payload(payload);
    request.set_token(token);
    return request;
  }
  static grpc::Status Append(v1::Relay::Stub& stub, const v1::AppendRequest& request) {
    Context context;
    v1::AppendResponse response;
    return stub.Append(&context, request, &response);
  }
  static grpc::Status Read(v1::Relay::Stub& stub, const Mailbox& mailbox, const std::string& token,
                           v1::ReadResponse& response, uint64_t from = 1) {
    v1::ReadRequest request;
    request.set_token(token);
    request.set_mailbox_id(mailbox.id);
    request.set_from(from);
    Context context;
    return stub.Read(&context, request, &response);
  }

  // As clients do: who is told to come again comes again.
  static grpc::Status Patiently(const std::function<grpc::Status()>& call) {
    for (int i = 0;; ++i) {
      const grpc::Status status = call();
      if (status.error_code() != grpc::StatusCode::RESOURCE_EXHAUSTED || i == 200) return status;
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  }

  // Somebody with nothing to do with the attack makes a mailbox, writes to it and reads it.
  void ExpectServesOthers() {
    auto stub = relay_->Connect();
    const Mailbox mailbox;
    ASSERT_TRUE(Patiently([&] { return Create(*stub, mailbox); }).ok());
    std::string token;
    const auto open = [&](AccessRight right, const crypto::SignatureKey& key) {
      return Patiently([&] { return OpenSession(*stub, mailbox.id, 1, right, key, token); });
    };
    ASSERT_TRUE(open(AccessRight::kAppend, mailbox.append).ok());
    const v1::AppendRequest append = AppendRequest(mailbox, token, "an honest word");
    const grpc::Status appended = Patiently([&] { return Append(*stub, append); });
    ASSERT_TRUE(appended.ok()) << appended.error_message();
    ASSERT_TRUE(open(AccessRight::kRead, mailbox.read).ok());
    v1::ReadResponse response;
    ASSERT_TRUE(Read(*stub, mailbox, token, response).ok());
    ASSERT_EQ(response.entries_size(), 1);
    EXPECT_EQ(response.entries(0).payload(), "an honest word");
  }

 private:
  const std::filesystem::path folder_;
  std::unique_ptr<RelayProcess> relay_;
  std::string sponsor_;
  std::unique_ptr<v1::Relay::Stub> stub_;
  long at_start_ = 0;
};

// So many threads, each with a connection of its own, until `over`.
class Attackers {
 public:
  Attackers(Scene& scene, int count, std::function<void(v1::Relay::Stub&)> attack) {
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back([this, &scene, attack] {
        auto stub = scene.relay().Connect();
        while (!over_) attack(*stub);
      });
    }
  }
  ~Attackers() {
    over_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> over_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_CRASH_TEST_ATTACK_SCENE_FOR_TEST_H_
