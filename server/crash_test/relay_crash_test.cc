// kill -9 of the real relay at random moments under load. After each restart: every acknowledged
// entry is there, once, where it was said to be; positions have no gap; what was not acknowledged
// is there once or not at all, and sending it again settles it; acknowledged chunks and seals hold.
//
// Three rounds; a hundred with PARLEY_LONG=1. The relay is the program beside this one, or
// PARLEY_RELAY.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <thread>

#include "crypto/primitives/random.h"
#include "crypto/primitives/signature.h"
#include "parley/relay/v1/relay.grpc.pb.h"
#include "server/core/signed_acts.h"
#include "server/crash_test/relay_process_for_test.h"

namespace parley::server {
namespace {

namespace fs = std::filesystem;
namespace v1 = relay::v1;
using std::chrono::milliseconds;

std::string RandomString(size_t size) { return crypto::ToString(crypto::RandomBytes(size)); }
std::string Text(const crypto::SignatureKey& key) { return crypto::ToString(key.public_key()); }

// One client's mailbox, and what it knows of it.
struct Client {
  std::string mailbox_id = RandomString(32);
  crypto::SignatureKey read = crypto::SignatureKey::Generate();
  crypto::SignatureKey append = crypto::SignatureKey::Generate();
  crypto::SignatureKey control = crypto::SignatureKey::Generate();
  std::map<uint64_t, v1::AppendRequest> acknowledged;
  std::vector<v1::AppendRequest> unknown;  // sent, and no answer came

  std::string blob_id = RandomString(32);
  crypto::SignatureKey blob_write = crypto::SignatureKey::Generate();
  crypto::SignatureKey blob_read = crypto::SignatureKey::Generate();
  uint64_t chunks = 0;  // acknowledged
};

std::string ChunkOf(const Client& client, uint64_t index) {
  std::string data(20000, static_cast<char>('a' + index % 26));
  return data.replace(0, 32, client.blob_id);
}

class RelayCrashTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("parley-crash-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    relay_ = std::make_unique<RelayProcess>(RelayProgram(), folder_);
  }
  void TearDown() override {
    relay_.reset();
    RemoveRelayFolder(folder_);
  }

  std::string Token(v1::Relay::Stub& stub, const std::string& object, uint64_t generation,
                    AccessRight right, const crypto::SignatureKey& key) {
    grpc::ClientContext info_context;
    v1::GetInfoResponse info;
    grpc::ClientContext challenge_context;
    v1::GetChallengeResponse challenge;
    if (!stub.GetInfo(&info_context, {}, &info).ok() ||
        !stub.GetChallenge(&challenge_context, {}, &challenge).ok()) {
      return "";
    }
    v1::OpenSessionRequest request;
    request.set_challenge(challenge.challenge());
    request.set_object_id(object);
    request.set_generation(generation);
    request.set_right(static_cast<v1::Right>(right));
    request.set_public_key(Text(key));
    request.set_signature(crypto::ToString(
        key.Sign(SessionMessage(*storage::IdFrom<32>(info.identity_key()), challenge.challenge(),
                                *storage::IdFrom<32>(object), generation, right))));
    grpc::ClientContext context;
    v1::OpenSessionResponse response;
    return stub.OpenSession(&context, request, &response).ok() ? response.token() : "";
  }

  void CreateObjects(Client& client, const std::string& sponsor) {
    auto stub = relay_->Connect();
    v1::CreateMailboxRequest request;
    request.set_sponsor_token(sponsor);
    request.set_mailbox_id(client.mailbox_id);
    request.mutable_keys()->set_read_key(Text(client.read));
    request.mutable_keys()->add_append_keys(Text(client.append));
    request.mutable_keys()->set_control_key(Text(client.control));
    grpc::ClientContext context;
    v1::CreateMailboxResponse response;
    ASSERT_TRUE(stub->CreateMailbox(&context, request, &response).ok());
    v1::CreateBlobRequest blob;
    blob.set_sponsor_token(sponsor);
    blob.set_blob_id(client.blob_id);
    blob.set_read_key(Text(client.blob_read));
    blob.set_write_key(Text(client.blob_write));
    blob.set_total_bytes(uint64_t{4} << 30);
    grpc::ClientContext blob_context;
    v1::CreateBlobResponse blob_response;
    ASSERT_TRUE(stub->CreateBlob(&blob_context, blob, &blob_response).ok());
  }

  // What an earlier relay left unanswered, then new ones.
  static v1::AppendRequest NextAppend(const Client& client, const std::string& token,
                                      std::vector<v1::AppendRequest>& repeats) {
    v1::AppendRequest request;
    if (!repeats.empty()) {
      request = std::move(repeats.back());
      repeats.pop_back();
    } else {
      request.set_mailbox_id(client.mailbox_id);
      request.set_generation(1);
      request.set_append_id(RandomString(16));
      request.set_payload(RandomString(1 + static_cast<uint8_t>(request.append_id()[0]) * 20));
    }
    request.set_token(token);
    return request;
  }

  // The same over one stream, with some under way at any time.
  void StreamUntilDeath(Client& client) {
    constexpr uint64_t kUnderWay = 16;
    auto stub = relay_->Connect();
    const std::string token =
        Token(*stub, client.mailbox_id, 1, AccessRight::kAppend, client.append);
    std::vector<v1::AppendRequest> repeats = std::exchange(client.unknown, {});
    std::map<uint64_t, v1::AppendRequest> unanswered;
    grpc::ClientContext context;
    auto stream = stub->AppendStream(&context);
    bool alive = true;
    for (uint64_t number = 1; alive; ++number) {
      v1::AppendStreamRequest request;
      request.set_number(number);
      *request.mutable_append() = NextAppend(client, token, repeats);
      alive = stream->Write(request);
      unanswered.emplace(number, std::move(*request.mutable_append()));
      v1::AppendStreamResponse response;
      while (unanswered.size() >= kUnderWay && stream->Read(&response)) {
        for (const auto& result : response.results()) {
          const auto found = unanswered.find(result.number());
          ASSERT_TRUE(found != unanswered.end()) << "an answer that wasn't asked for";
          if (!result.has_appended()) continue;  // the relay is going down
          const bool is_new =
              client.acknowledged.emplace(result.appended().position(), found->second).second;
          EXPECT_TRUE(is_new) << "position " << result.appended().position() << " was given twice";
          unanswered.erase(found);
        }
      }
      alive = alive && unanswered.size() < kUnderWay;
    }
    context.TryCancel();
    stream->Finish();
    for (auto& [number, request] : unanswered) client.unknown.push_back(std::move(request));
    for (v1::AppendRequest& repeat : repeats) client.unknown.push_back(std::move(repeat));
  }

  // Appends until the relay dies; first what it doesn't know the fate of.
  void AppendUntilDeath(Client& client) {
    auto stub = relay_->Connect();
    const std::string token =
        Token(*stub, client.mailbox_id, 1, AccessRight::kAppend, client.append);
    std::vector<v1::AppendRequest> repeats = std::exchange(client.unknown, {});
    while (true) {
      v1::AppendRequest request = NextAppend(client, token, repeats);
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
      v1::AppendResponse response;
      grpc::Status status = stub->Append(&context, request, &response);
      if (!status.ok()) {
        client.unknown.push_back(std::move(request));
        for (v1::AppendRequest& repeat : repeats) client.unknown.push_back(std::move(repeat));
        return;
      }
      const bool is_new = client.acknowledged.emplace(response.position(), request).second;
      EXPECT_TRUE(is_new) << "position " << response.position() << " was given twice";
    }
  }

  void UploadUntilDeath(Client& client) {
    auto stub = relay_->Connect();
    const std::string token =
        Token(*stub, client.blob_id, 0, AccessRight::kWrite, client.blob_write);
    grpc::ClientContext context;
    auto stream = stub->UploadBlob(&context);
    v1::UploadBlobRequest request;
    request.mutable_header()->set_token(token);
    request.mutable_header()->set_blob_id(client.blob_id);
    bool alive = stream->Write(request);
    for (uint64_t index = client.chunks; alive; ++index) {
      request.mutable_chunk()->set_index(index);
      request.mutable_chunk()->set_data(ChunkOf(client, index));
      v1::UploadBlobResponse response;
      alive = stream->Write(request) && stream->Read(&response);
      if (alive) client.chunks = std::max(client.chunks, response.chunks());
    }
    stream->Finish();
  }

  std::vector<v1::Entry> ReadAll(v1::Relay::Stub& stub, const Client& client) {
    std::vector<v1::Entry> entries;
    v1::ReadRequest request;
    request.set_token(Token(stub, client.mailbox_id, 1, AccessRight::kRead, client.read));
    request.set_mailbox_id(client.mailbox_id);
    while (true) {
      request.set_from(entries.size() + 1);
      grpc::ClientContext context;
      v1::ReadResponse response;
      grpc::Status status = stub.Read(&context, request, &response);
      EXPECT_TRUE(status.ok()) << status.error_message();
      if (!status.ok() || response.entries().empty()) return entries;
      for (const v1::Entry& entry : response.entries()) entries.push_back(entry);
    }
  }

  void Verify(const Client& client) {
    auto stub = relay_->Connect();
    std::vector<v1::Entry> entries = ReadAll(*stub, client);
    std::map<std::string, int> times;
    for (size_t i = 0; i < entries.size(); ++i) {
      ASSERT_EQ(entries[i].position(), i + 1) << "a gap";
      ASSERT_EQ(++times[entries[i].append_id()], 1) << "an entry is there twice";
    }
    for (const auto& [position, request] : client.acknowledged) {
      ASSERT_LE(position, entries.size()) << "an acknowledged entry is lost";
      ASSERT_EQ(entries[position - 1].append_id(), request.append_id());
      ASSERT_TRUE(entries[position - 1].payload() == request.payload());
    }
    // Nothing is there but what was sent: the acknowledged, and some of the unknown.
    ASSERT_LE(entries.size(), client.acknowledged.size() + client.unknown.size());

    v1::StatBlobRequest stat;
    stat.set_token(Token(*stub, client.blob_id, 0, AccessRight::kWrite, client.blob_write));
    stat.set_blob_id(client.blob_id);
    grpc::ClientContext context;
    v1::StatBlobResponse response;
    ASSERT_TRUE(stub->StatBlob(&context, stat, &response).ok());
    ASSERT_GE(response.chunks(), client.chunks) << "acknowledged chunks are lost";
    ASSERT_EQ(response.bytes(), response.chunks() * 20000);
  }

  // Seals what is there and reads it back.
  void VerifyBlob(const Client& client) {
    auto stub = relay_->Connect();
    v1::StatBlobRequest stat;
    stat.set_token(Token(*stub, client.blob_id, 0, AccessRight::kWrite, client.blob_write));
    stat.set_blob_id(client.blob_id);
    grpc::ClientContext stat_context;
    v1::StatBlobResponse there;
    ASSERT_TRUE(stub->StatBlob(&stat_context, stat, &there).ok());
    if (there.chunks() == 0) return;
    v1::SealBlobRequest seal;
    seal.set_token(stat.token());
    seal.set_blob_id(client.blob_id);
    seal.set_chunks(there.chunks());
    seal.set_total_bytes(there.bytes());
    grpc::ClientContext seal_context;
    v1::SealBlobResponse sealed;
    ASSERT_TRUE(stub->SealBlob(&seal_context, seal, &sealed).ok());
    v1::DownloadBlobRequest download;
    download.set_token(Token(*stub, client.blob_id, 0, AccessRight::kRead, client.blob_read));
    download.set_blob_id(client.blob_id);
    grpc::ClientContext context;
    auto stream = stub->DownloadBlob(&context, download);
    v1::DownloadBlobResponse chunk;
    uint64_t index = 0;
    while (stream->Read(&chunk)) {
      ASSERT_EQ(chunk.index(), index);
      ASSERT_TRUE(chunk.data() == ChunkOf(client, index));
      ++index;
    }
    ASSERT_TRUE(stream->Finish().ok());
    ASSERT_EQ(index, there.chunks());
  }

  fs::path folder_;
  std::unique_ptr<RelayProcess> relay_;
};

TEST_F(RelayCrashTest, AcknowledgedMeansKept) {
  const bool long_run = std::getenv("PARLEY_LONG") != nullptr;
  const int rounds = long_run ? 100 : 3;
  constexpr int kClients = 8;
  std::mt19937 random(std::random_device{}());
  ASSERT_NO_FATAL_FAILURE(relay_->Start());
  const std::string sponsor = relay_->AddSponsor();
  std::vector<Client> clients(kClients);
  for (Client& client : clients) {
    ASSERT_NO_FATAL_FAILURE(CreateObjects(client, sponsor));
  }
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    std::vector<std::thread> threads;
    for (int i = 0; i < kClients; ++i) {
      threads.emplace_back([&, i] {
        // Each of them in turns: what a stream left unanswered is sent again by itself, too.
        (i + round) % 2 == 0 ? AppendUntilDeath(clients[i]) : StreamUntilDeath(clients[i]);
      });
      if (i < 2) threads.emplace_back([&, i] { UploadUntilDeath(clients[i]); });
    }
    std::this_thread::sleep_for(milliseconds(50 + random() % (long_run ? 500 : 900)));
    relay_->Kill();
    for (std::thread& thread : threads) thread.join();
    ASSERT_NO_FATAL_FAILURE(relay_->Start());
    for (const Client& client : clients) ASSERT_NO_FATAL_FAILURE(Verify(client));
  }
  size_t entries = 0;
  for (const Client& client : clients) entries += client.acknowledged.size();
  std::printf("%d kills, %zu acknowledged entries, all there\n", rounds, entries);
  EXPECT_GT(entries, static_cast<size_t>(rounds));
  for (int i = 0; i < 2; ++i) ASSERT_NO_FATAL_FAILURE(VerifyBlob(clients[i]));
  EXPECT_EQ(relay_->Terminate(), 0);
}

}  // namespace
}  // namespace parley::server
