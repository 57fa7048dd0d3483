#include "server/metrics/exporter.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "server/core/verify_fixture_for_test.h"

namespace parley::server {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsSubsetOf;
using testing::Not;

std::string Get(int port, const std::string& path) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  const std::string request = "GET " + path + " HTTP/1.0\r\n\r\n";
  EXPECT_EQ(::send(fd, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  std::string answer;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::recv(fd, buffer, sizeof(buffer), 0)) > 0;) {
    answer.append(buffer, static_cast<size_t>(got));
  }
  ::close(fd);
  return answer;
}

// Each label with the values that it has.
std::map<std::string, std::set<std::string>> LabelsOf(const std::string& text) {
  std::map<std::string, std::set<std::string>> labels;
  const std::regex pair("([a-z_]+)=\"((?:[^\"\\\\]|\\\\.)*)\"");
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    for (std::sregex_iterator it(line.begin(), line.end(), pair), end; it != end; ++it) {
      labels[(*it)[1]].insert((*it)[2]);
    }
  }
  return labels;
}

template <size_t N>
std::set<std::string> SetOf(const std::array<std::string_view, N>& names) {
  return {names.begin(), names.end()};
}

class ExporterTest : public testing::Test, protected FilledRelay {};

TEST_F(ExporterTest, ServesTheNumbersAndNothingElse) {
  auto exporter = MetricsExporter::Start("127.0.0.1:0", *relay);
  ASSERT_TRUE(exporter.ok()) << exporter.status();
  const int port = (*exporter)->port();
  ASSERT_GT(port, 0);
  EXPECT_THAT(Get(port, "/metrics"),
              AllOf(HasSubstr("200 OK"), HasSubstr("# TYPE parley_relay_sync_seconds histogram"),
                    HasSubstr("parley_relay_sponsor_used_objects{sponsor=\"sponsor\"} 6")));
  EXPECT_THAT(Get(port, "/"), AllOf(HasSubstr("404"), Not(HasSubstr("parley_relay"))));
  EXPECT_THAT(Get(port, "/../etc/passwd"), Not(HasSubstr("200 OK")));
  // Another one can't have the port.
  EXPECT_EQ(MetricsExporter::Start("127.0.0.1:" + std::to_string(port), *relay).status().code(),
            absl::StatusCode::kUnavailable);
}

// Every label that there is, by name and value: none can name a mailbox, blob, key or address.
TEST_F(ExporterTest, LabelsNameNothingButCallsOutcomesAndSponsors) {
  for (size_t call = 0; call < kCallNames.size(); ++call) {
    for (size_t outcome = 0; outcome < kOutcomeNames.size(); ++outcome) {
      relay->metrics().Ended(static_cast<Call>(call), static_cast<Outcome>(outcome));
    }
  }
  const auto labels = LabelsOf(MetricsText(*relay));
  const std::map<std::string, std::set<std::string>> allowed = {
      {"call", SetOf(kCallNames)},
      {"outcome",
       [] {
         std::set<std::string> names = SetOf(kOutcomeNames);
         names.insert("refused");
         return names;
       }()},
      {"sponsor", {"idle", "sponsor"}},
      {"part", {"records", "chunks"}},
      {"limit",
       {"max-connections", "max-connections-per-address", "max-unproven-connections",
        "address-connections-per-second", "connections-per-second", "barred", "rate"}},
      {"le", labels.at("le")},
  };
  EXPECT_EQ(labels.size(), allowed.size());
  for (const auto& [name, values] : labels) {
    ASSERT_TRUE(allowed.contains(name)) << name;
    EXPECT_THAT(values, IsSubsetOf(allowed.at(name))) << name;
  }
  for (const std::string& bound : labels.at("le")) {
    EXPECT_TRUE(std::regex_match(bound, std::regex("[0-9.e-]+|\\+Inf"))) << bound;
  }
}

TEST_F(ExporterTest, ASponsorsNameCannotBreakOutOfItsLabel) {
  AddSponsor("x\"} 1\\", 1000);
  EXPECT_THAT(MetricsText(*relay),
              HasSubstr("parley_relay_sponsor_quota_bytes{sponsor=\"x\\\"} 1\\\\\"} 1000"));
  EXPECT_THAT(MetricsText(*relay), Not(HasSubstr("sponsor=\"gone\"")));
}

TEST_F(ExporterTest, CountsWhatTheQueueSyncs) {
  Metrics& metrics = relay->metrics();
  const uint64_t before = metrics.committed_steps.value();
  ASSERT_TRUE(Append(closed, "one more").ok());
  EXPECT_EQ(metrics.committed_steps.value(), before + 1);
  EXPECT_EQ(metrics.queued_steps.value(), 0);
  EXPECT_EQ(metrics.queued_bytes.value(), 0);
  EXPECT_EQ(metrics.failed_commits.value(), 0U);
  store.FailCommits(absl::UnavailableError("broken"));
  EXPECT_FALSE(Append(closed, "two more").ok());
  EXPECT_EQ(metrics.committed_steps.value(), before + 1);
  EXPECT_EQ(metrics.failed_commits.value(), 1U);
}

TEST(MetricsTest, TellsRefusalsApart) {
  FilledRelay relay;
  EXPECT_EQ(OutcomeOf(absl::OkStatus()), Outcome::kOk);
  relay.sponsor_token = relay.AddSponsor("small", 200'000, 1);
  TestMailbox fits = relay.NewMailbox();
  TestMailbox beyond;
  EXPECT_EQ(OutcomeOf(relay.Create(relay.CreateRequest(beyond))), Outcome::kQuota);
  EXPECT_EQ(OutcomeOf(absl::ResourceExhaustedError("busy")), Outcome::kFull);
  EXPECT_EQ(OutcomeOf(relay.Read(fits, "no token", 1).status()), Outcome::kNoRight);
  v1::AppendRequest stale = relay.AppendRequest(fits, "late");
  ASSERT_TRUE(relay.Close(fits, "").ok());
  EXPECT_EQ(OutcomeOf(relay.Append(stale).status()), Outcome::kStale);
  EXPECT_EQ(OutcomeOf(absl::DataLossError("")), Outcome::kDamaged);
}

TEST(MetricsTest, DurationsFallIntoTheirSteps) {
  Durations durations;
  durations.Observe(std::chrono::microseconds(50));
  durations.Observe(std::chrono::milliseconds(1));
  durations.Observe(std::chrono::seconds(60));
  EXPECT_EQ(durations.count(0), 1U);
  EXPECT_EQ(durations.count(3), 1U);
  EXPECT_EQ(durations.count(Durations::kBounds.size()), 1U);
  EXPECT_NEAR(durations.seconds(), 60.00105, 1e-6);
}

}  // namespace
}  // namespace parley::server
