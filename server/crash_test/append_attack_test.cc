// Attackers on streams of appends, against the real relay over real TLS.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/crash_test/attack_scene_for_test.h"

namespace parley::server {
namespace {

using grpc::StatusCode;
using Stream = grpc::ClientReaderWriter<v1::AppendStreamRequest, v1::AppendStreamResponse>;

v1::AppendStreamRequest Numbered(uint64_t number, v1::AppendRequest append) {
  v1::AppendStreamRequest request;
  request.set_number(number);
  *request.mutable_append() = std::move(append);
  return request;
}

// Streams on some connections, each with a thread that does what an attacker does on it until the
// stream ends.
class StreamAttackers {
 public:
  using Attack = std::function<void(Stream&)>;

  StreamAttackers(Scene& scene, int connections, int streams, const Attack& attack) {
    for (int i = 0; i < connections * streams; ++i) {
      if (i % streams == 0) stubs_.push_back(scene.relay().Connect());
      contexts_.push_back(std::make_unique<Context>(300));
      streams_.push_back(stubs_.back()->AppendStream(contexts_.back().get()));
      threads_.emplace_back([attack, stream = streams_.back().get()] { attack(*stream); });
    }
  }
  ~StreamAttackers() {
    for (auto& context : contexts_) context->TryCancel();
    Join();
    for (auto& stream : streams_) stream->Finish();
  }
  void Join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  std::vector<std::unique_ptr<v1::Relay::Stub>> stubs_;
  std::vector<std::unique_ptr<Context>> contexts_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::vector<std::thread> threads_;
};

// Who never reads an answer is read from no further, and so can't go on writing once what the
// network and gRPC hold of a stream is full.
TEST(AppendAttackTest, WhoNeverReadsTheAnswers) {
  Scene scene("unread-appends");
  const Mailbox mailbox;
  ASSERT_TRUE(scene.Create(scene.stub(), mailbox).ok());
  const std::string token = scene.AppendToken(mailbox);
  std::atomic<uint64_t> written = 0;
  const StreamAttackers attackers(scene, 2, 4, [&](Stream& stream) {
    stream.Write(Numbered(0, Scene::AppendRequest(mailbox, token, "a key")));
    // Refusals are longer than positions.
    const v1::AppendStreamRequest refused =
        Numbered(1, Scene::AppendRequest(mailbox, "nonsense", RandomString(4000)));
    while (stream.Write(refused)) ++written;
  });
  // All of them wait at last, for as long as nobody reads.
  uint64_t before = 0;
  bool stand = false;
  for (int i = 0; i < 100 && !stand; ++i) {
    scene.ExpectServesOthers();
    std::this_thread::sleep_for(std::chrono::seconds(1));
    stand = written != 0 && written == std::exchange(before, written.load());
  }
  EXPECT_TRUE(stand) << written << " appends were written, and they go on";
  scene.ExpectServesOthers();
  EXPECT_LT(scene.GrowthKib(), kMostGrowthKib + kMostIncomingKib);
}

// As fast as they can, beyond what their mailbox may take: nothing of that is kept.
TEST(AppendAttackTest, WhoSendsWithoutEnd) {
  Scene scene("endless-appends");
  const Mailbox mailbox;
  v1::CreateMailboxRequest create = scene.CreateRequest(mailbox);
  create.mutable_allowance()->set_bytes(32 << 20);
  ASSERT_TRUE(Scene::Create(scene.stub(), create).ok());
  const std::string token = scene.AppendToken(mailbox);
  std::atomic<int> appended = 0;
  std::atomic<int> refused = 0;
  std::atomic<int> other = 0;
  constexpr int kAppends = 120;
  constexpr int kStreams = 8;
  StreamAttackers attackers(scene, 4, kStreams / 4, [&](Stream& stream) {
    std::thread reader([&] {
      v1::AppendStreamResponse response;
      while (stream.Read(&response)) {
        for (const auto& result : response.results()) {
          const bool is_used_up =
              result.refused().exhausted().what() == v1::Exhausted::WHAT_ALLOWANCE;
          ++(result.has_appended() ? appended : is_used_up ? refused : other);
        }
      }
    });
    for (int i = 0; i < kAppends; ++i) {
      stream.Write(Numbered(0, Scene::AppendRequest(mailbox, token, std::string(1 << 20, 'e'))));
    }
    stream.WritesDone();
    reader.join();
  });
  scene.ExpectServesOthers();
  attackers.Join();
  EXPECT_EQ(appended, 32);
  EXPECT_EQ(refused, kAppends * kStreams - 32);
  EXPECT_EQ(other, 0);
  scene.ExpectServesOthers();
  EXPECT_LT(scene.GrowthKib(), kMostGrowthKib + kMostIncomingKib);
}

// What is larger than any append may be ends the stream that it comes on, and no other.
TEST(AppendAttackTest, AMessageThatIsTooLarge) {
  Scene scene("large-appends");
  const Mailbox mailbox;
  ASSERT_TRUE(scene.Create(scene.stub(), mailbox).ok());
  const std::string token = scene.AppendToken(mailbox);
  Context context;
  Context honest_context;
  const auto honest = scene.stub().AppendStream(&honest_context);
  const auto stream = scene.stub().AppendStream(&context);
  stream->Write(Numbered(1, Scene::AppendRequest(mailbox, token, std::string(60 << 20, 'e'))));
  v1::AppendStreamResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::RESOURCE_EXHAUSTED);
  ASSERT_TRUE(honest->Write(Numbered(1, Scene::AppendRequest(mailbox, token, "small"))));
  ASSERT_TRUE(honest->Read(&response));
  EXPECT_EQ(response.results(0).appended().position(), 1u);
  honest->WritesDone();
  EXPECT_FALSE(honest->Read(&response));
  EXPECT_TRUE(honest->Finish().ok());
  EXPECT_LT(scene.GrowthKib(), kMostGrowthKib);
}

// A token opens on a stream what it opens in a call, whatever else was shown on the stream.
TEST(AppendAttackTest, WhoShowsSomebodyElsesToken) {
  Scene scene("foreign-appends");
  Scene elsewhere("foreign-appends-elsewhere");
  const Mailbox mine;
  const Mailbox theirs;
  ASSERT_TRUE(scene.Create(scene.stub(), mine).ok());
  ASSERT_TRUE(scene.Create(scene.stub(), theirs).ok());
  ASSERT_TRUE(elsewhere.Create(elsewhere.stub(), theirs).ok());  // the same id and keys there
  const std::string my_token = scene.AppendToken(mine);
  std::vector<std::string> foreign = {my_token,
                                      "",
                                      "nonsense",
                                      scene.ReadToken(theirs),
                                      scene.ReadToken(mine),
                                      elsewhere.AppendToken(theirs)};
  for (size_t i = 0; i < my_token.size(); i += 5) {
    foreign.push_back(my_token);
    foreign.back()[i] = static_cast<char>(foreign.back()[i] ^ 1);
  }
  Context context;
  const auto stream = scene.stub().AppendStream(&context);
  uint64_t number = 0;
  std::map<uint64_t, StatusCode> expected;
  std::vector<v1::AppendStreamRequest> requests;
  for (const std::string& token : foreign) {
    const v1::AppendRequest append = Scene::AppendRequest(theirs, token, "not mine");
    expected[++number] = Scene::Append(scene.stub(), append).error_code();
    EXPECT_NE(expected[number], StatusCode::OK);
    requests.push_back(Numbered(number, append));
    requests.push_back(Numbered(++number, Scene::AppendRequest(mine, my_token, "mine")));
    expected[number] = StatusCode::OK;
  }
  std::thread writer([&] {
    for (const auto& request : requests) EXPECT_TRUE(stream->Write(request));
    stream->WritesDone();
  });
  std::map<uint64_t, StatusCode> seen;
  v1::AppendStreamResponse response;
  while (stream->Read(&response)) {
    for (const auto& result : response.results()) {
      seen[result.number()] = static_cast<StatusCode>(result.refused().code());
    }
  }
  writer.join();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(seen, expected);
  v1::ReadResponse entries;
  ASSERT_TRUE(Scene::Read(scene.stub(), theirs, scene.ReadToken(theirs), entries).ok());
  EXPECT_EQ(entries.entries_size(), 0);
  entries.Clear();
  ASSERT_TRUE(Scene::Read(scene.stub(), mine, scene.ReadToken(mine), entries).ok());
  EXPECT_EQ(entries.entries_size(), static_cast<int>(foreign.size()));
}

}  // namespace
}  // namespace parley::server
