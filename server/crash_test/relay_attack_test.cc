// Attackers against the real relay over real TLS, keys and all: whatever they do, the relay's
// memory stays bounded, it stores nothing that it shouldn't, and an honest client goes on. What
// people without any key can do to its memory is in relay_flood_test.cc.
//
// A million tiny mailboxes with PARLEY_LONG=1, else some thousands.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <functional>
#include <string_view>
#include <thread>
#include <vector>

#include "crypto/primitives/random.h"
#include "crypto/primitives/signature.h"
#include "server/core/signed_acts.h"
#include "server/crash_test/attack_scene_for_test.h"

namespace parley::server {
namespace {

using grpc::StatusCode;

TEST(RelayAttackTest, ReadersThatNeverRead) {
  Scene scene("readers", {"--max-unread", "32MiB"});
  const Mailbox mailbox;
  ASSERT_TRUE(scene.Create(scene.stub(), mailbox).ok());
  const std::string token = scene.AppendToken(mailbox);
  const std::string payload = RandomString(900 << 10);
  constexpr int kEntries = 12;
  for (int i = 0; i < kEntries; ++i) {
    ASSERT_TRUE(Scene::Append(scene.stub(), Scene::AppendRequest(mailbox, token, payload)).ok());
  }
  const std::string read_token = scene.ReadToken(mailbox);
  // 120 streams, each for 11 MB: ten times what the relay may keep, if it kept what isn't read.
  v1::SubscribeRequest add;
  add.mutable_add()->set_mailbox_id(mailbox.id);
  add.mutable_add()->set_token(read_token);
  add.mutable_add()->set_from(1);
  using Stream = grpc::ClientReaderWriter<v1::SubscribeRequest, v1::SubscribeEvent>;
  std::vector<std::unique_ptr<v1::Relay::Stub>> stubs;
  std::vector<std::unique_ptr<Context>> contexts;
  std::vector<std::unique_ptr<Stream>> streams;
  for (int i = 0; i < 120; ++i) {
    if (i % 30 == 0) stubs.push_back(scene.relay().Connect());
    contexts.push_back(std::make_unique<Context>());
    streams.push_back(stubs.back()->Subscribe(contexts.back().get()));
    streams.back()->Write(add);
  }
  scene.ExpectServesOthers();
  // A slow one gets all, one entry after the other, however often it must ask again.
  uint64_t next = 1;
  for (int tries = 0; tries < 200 && next <= kEntries; ++tries) {
    v1::ReadResponse response;
    if (!Scene::Read(scene.stub(), mailbox, read_token, response, next).ok()) continue;
    for (const v1::Entry& entry : response.entries()) {
      EXPECT_EQ(entry.position(), next++);
      EXPECT_EQ(entry.payload(), payload);
    }
  }
  EXPECT_EQ(next, kEntries + 1u);
  EXPECT_LT(scene.GrowthKib(), kMostGrowthKib);
  for (auto& context : contexts) context->TryCancel();
  for (auto& stream : streams) stream->Finish();
}

TEST(RelayAttackTest, FloodsOfSessions) {
  Scene scene("sessions");
  const Mailbox mailbox;
  ASSERT_TRUE(scene.Create(scene.stub(), mailbox).ok());
  std::atomic<int> refused = 0;
  std::atomic<int> opened = 0;
  {
    const Attackers attackers(scene, 4, [&](v1::Relay::Stub& stub) {
      // Many at once, half of them with a key that is none.
      std::vector<std::thread> calls;
      for (int i = 0; i < 8; ++i) {
        calls.emplace_back([&, i] {
          const crypto::SignatureKey wrong = crypto::SignatureKey::Generate();
          for (int j = 0; j < 100; ++j) {
            std::string token;
            const grpc::Status status = scene.OpenSession(stub, mailbox.id, 1, AccessRight::kRead,
                                                          i % 2 == 0 ? mailbox.read : wrong, token);
            refused += status.error_code() == StatusCode::RESOURCE_EXHAUSTED;
            opened += status.ok();
          }
        });
      }
      for (std::thread& call : calls) call.join();
    });
    for (int i = 0; i < 600 && refused == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      if (i % 20 == 0) scene.ExpectServesOthers();
    }
  }
  EXPECT_GT(opened, 0);
  EXPECT_GT(refused, 0);
  scene.ExpectServesOthers();
  EXPECT_LT(scene.GrowthKib(), kMostGrowthKib);
}

// Connections from many addresses that begin a handshake, each within its address's bounds, and
// that nobody goes on with: they take their places from each other, not from who has a key.
TEST(RelayAttackTest, HandshakesThatAreNeverFinished) {
  Scene scene("handshakes", {"--max-unproven-connections", "64", "--max-connections", "256",
                             "--connections-per-second", "0"});
  const Mailbox mailbox;
  ASSERT_TRUE(scene.Create(scene.stub(), mailbox).ok());
  const std::string token = scene.AppendToken(mailbox);
  constexpr std::string_view kBegun("\x16\x03\x01\x02", 4);  // of a ClientHello
  std::vector<int> open;
  for (uint32_t i = 0; i < 1000; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_GE(fd, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + i % 200);
    ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(scene.relay().port()));
    ASSERT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    (void)::send(fd, kBegun.data(), kBegun.size(), MSG_NOSIGNAL);
    open.push_back(fd);
    // Who was there goes on, on the connection that is there; who comes gets in.
    if (i % 50 == 49) {
      EXPECT_TRUE(Scene::Append(scene.stub(), Scene::AppendRequest(mailbox, token, "a word")).ok());
    }
    if (i % 250 == 249) scene.ExpectServesOthers();
  }
  int held = 0;
  for (const int fd : open) {
    char byte = 0;
    held += ::recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN ? 1 : 0;
    ::close(fd);
  }
  EXPECT_LE(held, 64);
  EXPECT_LT(scene.GrowthKib(), kMostGrowthKib);
}

TEST(RelayAttackTest, HugeMetadata) {
  Scene scene("metadata");
  std::atomic<int> answered = 0;
  {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        auto stub = scene.relay().Connect();
        for (int i = 0; i < 25; ++i) {
          Context context;
          // What is sent uncompressed, and what HPACK would remember.
          context.AddMetadata("x-large", std::string(1 << 20, 'm'));
          for (int j = 0; j < 100; ++j) {
            context.AddMetadata("x-" + std::to_string(j), crypto::ToHex(crypto::RandomBytes(1000)));
          }
          v1::GetChallengeResponse response;
          answered += stub->GetChallenge(&context, {}, &response).ok();
        }
      });
    }
    scene.ExpectServesOthers();
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(answered, 0);
  scene.ExpectServesOthers();
  EXPECT_LT(scene.GrowthKib(), kMostGrowthKib);
}

// Groups in groups: a parser that follows them would use up its stack.
TEST(RelayAttackTest, DeepMessages) {
  Scene scene("deep");
  std::string deep;
  for (int i = 0; i < 500'000; ++i) deep += "\xfb\x07";  // field 127 begins a group
  std::string nested;  // strings in strings, each the message's unknown field
  for (int i = 0; i < 2000; ++i) {
    std::string outer = "\x0a";
    for (size_t size = nested.size(); true; size >>= 7) {
      outer += static_cast<char>((size & 0x7F) | (size > 0x7F ? 0x80 : 0));
      if (size <= 0x7F) break;
    }
    nested = outer + nested;
  }
  for (const char* method : {"Append", "AppendStream", "CreateMailbox", "OpenSession", "Subscribe",
                             "UploadBlob", "DownloadBlob", "ControlMailbox"}) {
    for (const std::string& bytes : {deep, nested}) {
      grpc::GenericStub stub(scene.relay().Channel());
      grpc::CompletionQueue queue;
      Context context;
      const grpc::Slice slice(bytes);
      const grpc::ByteBuffer request(&slice, 1);
      auto call =
          stub.PrepareCall(&context, std::string("/parley.relay.v1.Relay/") + method, &queue);
      grpc::ByteBuffer response;
      grpc::Status status;
      void* tag = nullptr;
      bool ok = false;
      call->StartCall(nullptr);
      ASSERT_TRUE(queue.Next(&tag, &ok));
      call->Write(request, grpc::WriteOptions().set_last_message(), nullptr);
      ASSERT_TRUE(queue.Next(&tag, &ok));
      call->Finish(&status, nullptr);
      ASSERT_TRUE(queue.Next(&tag, &ok));
      // A stream whose message can't be read ends, as one whose client has ended its side does.
      const std::string name(method);
      EXPECT_TRUE(!status.ok() || name == "Subscribe" || name == "UploadBlob" ||
                  name == "AppendStream")
          << method;
      queue.Shutdown();
    }
  }
  scene.ExpectServesOthers();
  EXPECT_LT(scene.GrowthKib(), kMostGrowthKib);
}

// Thousands of appends that are cancelled as soon as they are sent. Each is there once or not at
// all, the log has no gap, and what was acknowledged before stays.
TEST(RelayAttackTest, WhoCancelsAlways) {
  Scene scene("cancels");
  const Mailbox mailbox;
  ASSERT_TRUE(scene.Create(scene.stub(), mailbox).ok());
  const std::string token = scene.AppendToken(mailbox);
  ASSERT_TRUE(Scene::Append(scene.stub(), Scene::AppendRequest(mailbox, token, "first")).ok());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      auto stub = scene.relay().Connect();
      grpc::CompletionQueue queue;
      constexpr size_t kAtOnce = 50;
      for (int round = 0; round < 20; ++round) {
        std::vector<std::unique_ptr<Context>> contexts;
        std::vector<std::unique_ptr<grpc::ClientAsyncResponseReader<v1::AppendResponse>>> calls;
        std::vector<v1::AppendResponse> responses(kAtOnce);
        std::vector<grpc::Status> statuses(kAtOnce);
        for (size_t i = 0; i < kAtOnce; ++i) {
          contexts.push_back(std::make_unique<Context>());
          calls.push_back(stub->AsyncAppend(
              contexts.back().get(),
              Scene::AppendRequest(mailbox, token, "cancelled " + RandomString(1000)), &queue));
          calls.back()->Finish(&responses[i], &statuses[i], nullptr);
          if (i % 3 == 0) std::this_thread::yield();
          contexts.back()->TryCancel();
        }
        void* tag = nullptr;
        bool ok = false;
        for (size_t i = 0; i < kAtOnce; ++i) ASSERT_TRUE(queue.Next(&tag, &ok));
      }
      queue.Shutdown();
    });
  }
  scene.ExpectServesOthers();
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(Scene::Append(scene.stub(), Scene::AppendRequest(mailbox, token, "last")).ok());
  const std::string read_token = scene.ReadToken(mailbox);
  uint64_t next = 1;
  int first = 0;
  int last = 0;
  std::map<std::string, int> ids;
  for (bool more = true; more;) {
    v1::ReadResponse response;
    ASSERT_TRUE(Scene::Read(scene.stub(), mailbox, read_token, response, next).ok());
    for (const v1::Entry& entry : response.entries()) {
      ASSERT_EQ(entry.position(), next++);
      EXPECT_EQ(++ids[entry.append_id()], 1);
      first += entry.payload() == "first" ? 1 : 0;
      last += entry.payload() == "last" ? 1 : 0;
    }
    more = next <= response.generation_head();
  }
  // What was cancelled may still come, afterwards too; what was acknowledged is there, once.
  EXPECT_EQ(first, 1);
  EXPECT_EQ(last, 1);
  EXPECT_LT(scene.GrowthKib(), kMostGrowthKib);
}

// A token opens what it was given for: one mailbox, one generation, one right, at one relay.
TEST(RelayAttackTest, TokensThatAreForSomethingElse) {
  Scene scene("tokens");
  Scene other("tokens-other");
  Mailbox mailbox;
  const Mailbox another;
  ASSERT_TRUE(scene.Create(scene.stub(), mailbox).ok());
  ASSERT_TRUE(scene.Create(scene.stub(), another).ok());
  ASSERT_TRUE(other.Create(other.stub(), mailbox).ok());  // the same id and keys there
  const std::string append = scene.AppendToken(mailbox);
  const std::string read = scene.ReadToken(mailbox);
  const auto code = [](Scene& at, const Mailbox& in, const std::string& token,
                       uint64_t generation) {
    return Scene::Append(at.stub(), Scene::AppendRequest(in, token, "x", generation)).error_code();
  };
  ASSERT_EQ(code(scene, mailbox, append, 1), StatusCode::OK);
  EXPECT_EQ(code(scene, another, append, 1), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(code(scene, mailbox, append, 2), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(code(scene, mailbox, read, 1), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(code(scene, mailbox, "", 1), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(code(other, mailbox, append, 1), StatusCode::UNAUTHENTICATED);
  v1::ReadResponse response;
  EXPECT_EQ(Scene::Read(scene.stub(), mailbox, append, response).error_code(),
            StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Scene::Read(scene.stub(), another, read, response).error_code(),
            StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Scene::Read(other.stub(), mailbox, read, response).error_code(),
            StatusCode::UNAUTHENTICATED);
  // Forged: any bit of it, any end of it.
  for (size_t i = 0; i < append.size(); ++i) {
    std::string forged = append;
    forged[i] = static_cast<char>(forged[i] ^ (1 << (i % 8)));
    EXPECT_EQ(code(scene, mailbox, forged, 1), StatusCode::UNAUTHENTICATED) << i;
  }
  EXPECT_EQ(code(scene, mailbox, append.substr(1), 1), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(code(scene, mailbox, append + "x", 1), StatusCode::UNAUTHENTICATED);
  // Of a generation that is closed: it stops appending at once, and is told which one is open.
  v1::AppendRequest closing = Scene::AppendRequest(mailbox, append, "commit");
  v1::GenerationKeys& next = *closing.mutable_closing()->mutable_next_keys();
  storage::GenerationKeySet keys;
  const crypto::SignatureKey next_key = crypto::SignatureKey::Generate();
  keys.read_key = keys.control_key = next_key.public_key();
  keys.append_keys = {next_key.public_key()};
  next.set_read_key(Text(next_key));
  next.set_control_key(Text(next_key));
  next.add_append_keys(Text(next_key));
  closing.mutable_closing()->set_control_signature(crypto::ToString(mailbox.control.Sign(
      ClosingMessage(*storage::IdFrom<32>(mailbox.id), 1, closing.payload(), keys))));
  ASSERT_TRUE(Scene::Append(scene.stub(), closing).ok());
  EXPECT_EQ(code(scene, mailbox, append, 1), StatusCode::ABORTED);
  EXPECT_EQ(code(scene, mailbox, append, 2), StatusCode::PERMISSION_DENIED);
  // Nothing of all that was stored.
  response.Clear();
  ASSERT_TRUE(Scene::Read(scene.stub(), mailbox, read, response).ok());
  EXPECT_EQ(response.entries_size(), 2);
}

TEST(RelayAttackTest, MoreThanIsAllowed) {
  Scene scene("limits", {}, "64MiB");
  const Mailbox mailbox;
  ASSERT_TRUE(scene.Create(scene.stub(), mailbox).ok());
  const std::string token = scene.AppendToken(mailbox);
  const std::string most(1 << 20, 'e');
  ASSERT_TRUE(Scene::Append(scene.stub(), Scene::AppendRequest(mailbox, token, most)).ok());
  for (const size_t beyond : {size_t{1}, size_t{1} << 20, size_t{3} << 20, size_t{60} << 20}) {
    const grpc::Status status = Scene::Append(
        scene.stub(), Scene::AppendRequest(mailbox, token, most + std::string(beyond, 'e')));
    EXPECT_FALSE(status.ok()) << beyond;
  }
  // A sponsor over its quota: refused, with the reason, and never more than the quota is stored.
  grpc::Status full;
  int stored = 1;
  while (full.ok() && stored < 100) {
    full = Scene::Append(scene.stub(), Scene::AppendRequest(mailbox, token, most));
    stored += full.ok();
  }
  EXPECT_EQ(full.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  v1::Exhausted details;
  EXPECT_TRUE(details.ParseFromString(full.error_details()));
  EXPECT_EQ(details.what(), v1::Exhausted::WHAT_QUOTA);
  EXPECT_LT(stored, 64);
  EXPECT_GT(stored, 32);
  v1::CreateBlobRequest blob;
  blob.set_sponsor_token(scene.sponsor());
  blob.set_blob_id(RandomString(32));
  blob.set_read_key(RandomString(32));
  blob.set_write_key(RandomString(32));
  blob.set_total_bytes(UINT64_MAX);
  Context context;
  v1::CreateBlobResponse response;
  EXPECT_EQ(scene.stub().CreateBlob(&context, blob, &response).error_code(),
            StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_LT(scene.GrowthKib(), kMostGrowthKib);
}

// What a mailbox costs is on the disk: not in memory.
TEST(RelayAttackTest, ManyTinyMailboxes) {
  const char* is_long = std::getenv("PARLEY_LONG");
  const int count = is_long != nullptr && std::string(is_long) == "1" ? 1'000'000 : 4'000;
  Scene scene("mailboxes",
              {"--connection-calls-per-second", "0", "--address-calls-per-second", "0",
               "--sponsor-creations-per-second", "0"},
              "10000GiB");
  std::atomic<int> made = 0;
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 32; ++t) {
    threads.emplace_back([&] {
      auto stub = scene.relay().Connect();
      const std::string key = RandomString(32);
      while (made++ < count) {
        v1::CreateMailboxRequest request;
        request.set_sponsor_token(scene.sponsor());
        request.set_mailbox_id(RandomString(32));
        request.mutable_keys()->set_read_key(key);
        request.mutable_keys()->add_append_keys(key);
        request.mutable_keys()->set_control_key(key);
        Context context;
        v1::CreateMailboxResponse response;
        failed += !stub->CreateMailbox(&context, request, &response).ok();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  // (A million: the sponsor's own bound of objects is as many.)
  EXPECT_LT(failed, count / 100);
  if (count < 1'000'000) scene.ExpectServesOthers();
  EXPECT_LT(scene.GrowthKib(), kMostGrowthKib);
}

}  // namespace
}  // namespace parley::server
