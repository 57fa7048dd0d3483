#include "tools/parley-bench/client_benchmarks.h"

#include <chrono>
#include <functional>
#include <string>
#include <utility>

#include "client-lib/cases/records.h"
#include "client-lib/channels/channel.h"
#include "client-lib/channels/channel_step.h"
#include "client-lib/channels/message_log.h"
#include "client-lib/store/profile_store.h"
#include "crypto/primitives/random.h"
#include "parley/content/v1/content.pb.h"
#include "parley/profile.h"
#include "tools/parley-bench/language.h"
#include "tools/parley-bench/limit_benchmarks.h"
#include "tools/parley-bench/must.h"
#include "tools/parley-bench/relay_under_test.h"
#include "tools/parley-bench/taken.h"

namespace parley::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kBatch = 2000;

// A profile with a case, a channel and texts in it, without a relay.
class FullProfile {
 public:
  FullProfile(std::string folder, size_t messages) : folder_(std::move(folder)) {
    Take(Profile::Create(folder_, "Mira Voss", std::nullopt));
    const auto store = Must(client::ProfileStore::Open(folder_));
    MakeCase(*store);
    const auto began = Clock::now();
    for (size_t done = 0; done < messages; done += kBatch) {
      Fill(*store, done, std::min(kBatch, messages - done));
    }
    fill_us_ = Micros(Clock::now() - began) / static_cast<double>(messages);
  }

  static double Micros(Clock::duration took) {
    return std::chrono::duration<double, std::micro>(took).count();
  }

  // What taking in a text cost, index included, without MLS and the relay.
  double fill_us() const { return fill_us_; }

  // Opens the profile, searches, and says how long both took together.
  double Search(const std::string& text, std::vector<SearchResult>& results) const {
    SearchRequest request;
    request.text = text;
    const auto began = Clock::now();
    const Profile profile = Take(Profile::Open(folder_, std::nullopt));
    results = Take(profile.Search(request));
    return Micros(Clock::now() - began);
  }

  // Opens the profile and reads the records of these messages.
  double Read(const std::vector<SearchResult>& results) const {
    const auto began = Clock::now();
    const auto store = Must(client::ProfileStore::Open(folder_));
    const client::ReadTransaction step = Must(store->Read());
    client::ChannelContext context;
    context.store = store.get();
    const client::Channel channel(context, channel_);
    // Their positions are their indexes here.
    for (const SearchResult& one : results) Must(channel.At(step, one.position));
    return Micros(Clock::now() - began);
  }

  // Reads every message of the channel, as a search without an index has to.
  double ReadAll() const {
    const auto began = Clock::now();
    const auto store = Must(client::ProfileStore::Open(folder_));
    const client::ReadTransaction step = Must(store->Read());
    client::ChannelContext context;
    context.store = store.get();
    Must(client::Channel(context, channel_).Messages(step, {}));
    return Micros(Clock::now() - began);
  }

 private:
  void MakeCase(client::ProfileStore& store) {
    client::Transaction step = Must(store.Begin());
    client::CaseRecord record;
    record.id = client::RandomId<CaseId>();
    record.title = "Harbor v Northline";
    record.own_id = author_.participant_id = client::RandomId<ParticipantId>();
    record.own_name = author_.name = "Mira Voss";
    record.own_role = author_.role = Role::kMediator;
    record.own_state = ParticipantState::kApproved;
    record.channels = {channel_};
    Must(client::CaseRecords(record.id).PutCase(step, record));
    client::NewChannel options;
    options.case_id = record.id;
    options.kind = ChannelKind::kJoint;
    options.self.participant_id = record.own_id;
    options.self.device_id = client::RandomId<client::DeviceId>();
    options.self.identity_key = crypto::RandomArray<32>();
    options.name = record.own_name;
    options.role = record.own_role;
    client::ChannelContext context;
    context.store = &store;
    context.now_seconds = [] { return uint64_t{1'700'000'000}; };
    Must(client::Channel(context, channel_).Create(step, std::move(options)));
    Must(step.Commit());
  }

  void Fill(client::ProfileStore& store, size_t done, size_t count) {
    client::Transaction transaction = Must(store.Begin());
    client::ChannelStep step =
        Must(client::ChannelStep::Load(transaction, channel_, 1'700'000'000));
    for (size_t i = 1; i <= count; ++i) {
      content::v1::Content content;
      content.set_message_id(crypto::ToString(crypto::RandomBytes(16)));
      content.set_claimed_time(1'700'000'000);
      content.mutable_text()->set_text(language_.Text());
      Must(client::KeepMessage(step, done + i, author_, false, content,
                               crypto::Secret::CopyOf(crypto::ViewOf(content.SerializeAsString())))
               .status());
    }
    Must(step.Save());
    Must(transaction.Commit());
  }

  std::string folder_;
  ChannelId channel_ = client::RandomId<ChannelId>();
  client::RosterMember author_;
  Language language_;
  double fill_us_ = 0;
};

struct Measured {
  double search = 0;
  double read = 0;  // of what was found
};

// Medians over queries, each from a profile that was just opened.
Measured Measure(const FullProfile& profile, size_t queries,
                 const std::function<std::string()>& next) {
  std::vector<double> searches;
  std::vector<double> reads;
  for (size_t i = 0; i < queries; ++i) {
    std::vector<SearchResult> results;
    searches.push_back(profile.Search(next(), results));
    reads.push_back(profile.Read(results));
  }
  return {Median(std::move(searches)), Median(std::move(reads))};
}

void AddSearchRows(const ClientBenchOptions& options, std::vector<Row>& rows) {
  const TemporaryFolder folder(options.folder);
  const FullProfile profile(folder.path() + "/profile", options.messages);
  Language language;
  std::vector<SearchResult> unused;
  profile.Search("warm", unused);  // merges what is due
  const double all = profile.ReadAll();
  rows.push_back(BaselineRow("profile/read_all", all, "us"));
  const auto add = [&](const std::string& name, const std::function<std::string()>& next) {
    const Measured measured = Measure(profile, options.queries, next);
    rows.push_back(BaselineRow("profile/read_found/" + name, measured.read, "us"));
    rows.push_back({"client/search/" + name, measured.search, "us", measured.read,
                    "opening the profile and reading what was found"});
    rows.push_back(
        {"client/search_for_all/" + name, measured.search, "us", all, "reading every message"});
  };
  add("1", [&] { return language.Word() + " "; });
  add("2", [&] { return language.Word() + " " + language.Word() + " "; });
  add("3", [&] { return language.Word() + " " + language.Word() + " " + language.Word() + " "; });
  add("rare", [&] { return language.RareWord() + " "; });
  add("beginning", [&] { return language.Word().substr(0, 2); });
  add("letter", [&] { return language.Word().substr(0, 1); });
  rows.push_back(BaselineRow("profile/keep_text", profile.fill_us(), "us"));
}

}  // namespace

std::vector<Row> RunClientBenchmarks(const ClientBenchOptions& options) {
  std::vector<Row> rows;
  if (options.with_search) AddSearchRows(options, rows);
  if (options.with_limits) {
    LimitBenchOptions limits = options.limits;
    limits.folder = options.folder;
    for (Row& row : RunLimitBenchmarks(limits)) rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace parley::bench
