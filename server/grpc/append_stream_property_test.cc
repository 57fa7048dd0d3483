// Random appends, once as calls and once over a stream: both must do and say the same.
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "server/grpc/append_stream_client_for_test.h"
#include "server/grpc/relay_server_fixture_for_test.h"

namespace parley::server {
namespace {

// What became of an append, however it was sent.
struct Ending {
  uint64_t position = 0;
  int code = 0;
  std::string message;
  std::string details;

  bool operator==(const Ending&) const = default;
};

void PrintTo(const Ending& ending, std::ostream* out) {
  *out << "position " << ending.position << ", code " << ending.code << ": " << ending.message;
}

Ending EndingOf(const Appends::Result& result) {
  const auto& refused = result.refused();
  Ending ending{result.appended().position(), static_cast<int>(refused.code()), refused.message(),
                ""};
  if (refused.has_stale_generation()) {
    ending.details = refused.stale_generation().SerializeAsString();
  } else if (refused.has_exhausted()) {
    ending.details = refused.exhausted().SerializeAsString();
  }
  return ending;
}

// Two mailboxes to which the same happens, each at the expense of a sponsor of its own.
struct Twin {
  TestMailbox mailbox;
  std::string token;
  std::optional<GenerationSecrets> next;  // of the last closing that was asked for
};

class AppendStreamPropertyTest : public RelayServerTest,
                                 public testing::WithParamInterface<uint32_t> {
 protected:
  using Requests = std::pair<v1::AppendRequest, v1::AppendRequest>;

  AppendStreamPropertyTest() : random_(GetParam()) {}

  void SetUp() override {
    RelayServerTest::SetUp();
    MakeTwin(calls_, "calls");
    MakeTwin(stream_, "stream");
  }

  // One that uses up its allowance again and again, and its sponsor's quota in the end.
  void MakeTwin(Twin& twin, const std::string& sponsor) {
    relay_.sponsor_token =
        relay_.AddSponsor(sponsor, relay_.limits.least_closing_reserve_bytes + (4 << 10), 1);
    v1::CreateMailboxRequest request = relay_.CreateRequest(twin.mailbox);
    request.mutable_allowance()->set_entries(15);
    ASSERT_TRUE(relay_.Create(request).ok());
    twin.token = relay_.AppendToken(twin.mailbox, 1);
  }

  size_t Below(size_t bound) { return random_() % bound; }

  Requests Both(const std::string& payload) {
    const std::string id = RandomString(16);
    const auto one = [&](const Twin& twin) {
      v1::AppendRequest request =
          relay_.AppendRequest(twin.mailbox, twin.mailbox.generation(), twin.token, payload);
      request.set_append_id(id);
      return request;
    };
    return {one(calls_), one(stream_)};
  }

  Requests Closing(bool is_signed) {
    Requests requests = Both(RandomString(Below(200)));
    const auto close = [&](v1::AppendRequest& request, Twin& twin) {
      GenerationSecrets next;
      RelayFixture::AddClosing(
          request, twin.mailbox, next,
          is_signed ? twin.mailbox.secrets.back().control : twin.mailbox.secrets.back().append);
      if (is_signed) twin.next = std::move(next);
    };
    if (is_signed) closing_id_ = requests.first.append_id();
    close(requests.first, calls_);
    close(requests.second, stream_);
    return requests;
  }

  // Changes both of a pair that was well-formed.
  template <typename Change>
  Requests Wrong(Change change) {
    Requests requests = Both(RandomString(1 + Below(300)));
    change(requests.first);
    change(requests.second);
    return requests;
  }

  Requests Something() {
    switch (Below(24)) {
      case 0:
        return Wrong([](auto& request) { request.set_token("nonsense"); });
      case 1:
        return Wrong([](auto& request) { request.clear_token(); });
      case 2: {
        // Of somebody else's session.
        Requests requests = Both("not mine");
        requests.first.set_token(stream_.token);
        requests.second.set_token(calls_.token);
        return requests;
      }
      case 3:
        return Wrong([](auto& request) { request.set_generation(request.generation() + 1); });
      case 4:
        return Wrong([](auto& request) { request.set_append_id("short"); });
      case 5:
        return Wrong([](auto& request) { request.clear_payload(); });
      case 6:
        return Wrong([](auto& request) { request.set_token(std::string(20 << 10, 't')); });
      case 7:
        return Wrong([&](auto& request) { request.set_mailbox_id(std::string(32, 'm')); });
      case 8:
        return Closing(false);
      case 9:
        // Once in a round: of a second one the keys would be another's.
        if (calls_.next.has_value() || Below(2) == 0) return Both("no closing");
        return Closing(true);
      case 10:
        return Wrong([](auto& request) { request.set_payload(std::string((1 << 20) + 1, 'p')); });
      case 11:
      case 12:
      case 13: {
        if (sent_.empty()) return Both("first");
        Requests again = sent_[Below(sent_.size())];
        if (Below(3) == 0) {
          again.first.set_payload(again.first.payload() + "!");
          again.second.set_payload(again.second.payload() + "!");
        }
        return again;
      }
      default:
        return Both(RandomString(1 + Below(600)));
    }
  }

  Ending Call(const v1::AppendRequest& request) {
    Ending ending;
    const grpc::Status status = Append(request, ending.position);
    ending.code = status.error_code();
    ending.message = status.error_message();
    ending.details = status.error_details();
    return ending;
  }

  // Some one after the other as calls, and all at once over the stream.
  void Round(Appends& appends) {
    std::vector<Requests> round;
    for (int i = 0; i < 40; ++i) {
      round.push_back(Something());
      sent_.push_back(round.back());
    }
    std::vector<Ending> expected;
    for (size_t i = 0; i < round.size(); ++i) {
      expected.push_back(Call(round[i].first));
      ASSERT_TRUE(appends.Send(i, round[i].second));
    }
    std::vector<std::optional<Ending>> endings(round.size());
    for (size_t i = 0; i < round.size(); ++i) {
      const Appends::Result result = appends.Next();
      ASSERT_LT(result.number(), endings.size());
      ASSERT_FALSE(endings[result.number()].has_value()) << "answered twice";
      endings[result.number()] = EndingOf(result);
    }
    for (size_t i = 0; i < round.size(); ++i) {
      ASSERT_EQ(*endings[i], expected[i]) << round[i].first.ShortDebugString().substr(0, 500);
      codes_seen_ |= 1U << expected[i].code;
      if (round[i].first.append_id() == closing_id_ && expected[i].position != 0) GoOn();
    }
    calls_.next.reset();
    stream_.next.reset();
  }

  // Both are in their next generation.
  void GoOn() {
    for (Twin* twin : {&calls_, &stream_}) {
      if (!twin->next.has_value()) return;  // the closing was repeated
      twin->mailbox.secrets.push_back(*std::exchange(twin->next, std::nullopt));
      twin->token = relay_.AppendToken(twin->mailbox, twin->mailbox.generation());
    }
  }

  Twin calls_;
  Twin stream_;
  std::string closing_id_;
  std::vector<Requests> sent_;
  uint32_t codes_seen_ = 0;
  std::mt19937 random_;
};

TEST_P(AppendStreamPropertyTest, AppendsOnAStreamAreAsCallsAre) {
  Appends appends(*stub_);
  for (int round = 0; round < 12; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Round(appends);
    if (HasFatalFailure()) return;
  }
  EXPECT_TRUE(appends.EndAfterAll().ok());
  for (const grpc::StatusCode code :
       {grpc::StatusCode::OK, grpc::StatusCode::INVALID_ARGUMENT, grpc::StatusCode::ABORTED,
        grpc::StatusCode::ALREADY_EXISTS, grpc::StatusCode::PERMISSION_DENIED,
        grpc::StatusCode::RESOURCE_EXHAUSTED, grpc::StatusCode::UNAUTHENTICATED}) {
    EXPECT_TRUE(codes_seen_ & (1U << code)) << "nothing ended with " << code;
  }
  ASSERT_EQ(calls_.mailbox.generation(), stream_.mailbox.generation());
  for (uint64_t generation = 1; generation <= calls_.mailbox.generation(); ++generation) {
    const std::vector<v1::Entry> called = relay_.ReadAll(calls_.mailbox, generation);
    const std::vector<v1::Entry> streamed = relay_.ReadAll(stream_.mailbox, generation);
    ASSERT_EQ(called.size(), streamed.size());
    for (size_t i = 0; i < called.size(); ++i) {
      EXPECT_EQ(called[i].position(), streamed[i].position());
      EXPECT_EQ(called[i].append_id(), streamed[i].append_id());
      EXPECT_EQ(called[i].payload(), streamed[i].payload());
      EXPECT_EQ(called[i].has_closing(), streamed[i].has_closing());
    }
  }
  EXPECT_EQ(relay_.Usage("calls").used_bytes, relay_.Usage("stream").used_bytes);
}

INSTANTIATE_TEST_SUITE_P(Seeds, AppendStreamPropertyTest, testing::Range(1u, 5u));

}  // namespace
}  // namespace parley::server
