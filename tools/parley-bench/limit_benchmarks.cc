#include "tools/parley-bench/limit_benchmarks.h"

#include <sys/resource.h>

#include <chrono>
#include <ctime>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "client-lib/cases/case_context.h"
#include "client-lib/firewall/firewall.h"
#include "parley/content/v1/content.pb.h"
#include "parley/profile.h"
#include "tools/parley-bench/language.h"
#include "tools/parley-bench/must.h"
#include "tools/parley-bench/relay_under_test.h"
#include "tools/parley-bench/taken.h"

namespace parley::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kAgainst[] = "the same in an empty case";
constexpr char kFirstCaucus[] = "caucus:Side 1";
// Messages of the last page.
constexpr uint64_t kPage = 50;
// Documents that the program reads before it shows them.
constexpr size_t kDocumentsPage = 1000;

double Micros(Clock::duration took) {
  return std::chrono::duration<double, std::micro>(took).count();
}

// Processor time of this process, in microseconds: what else runs doesn't count.
double ProcessorMicros() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto micros = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  return micros(usage.ru_utime) + micros(usage.ru_stime);
}

// Samples by name, of the case with much in it and of the empty one.
class Samples {
 public:
  struct Pair {
    std::vector<double> full;
    std::vector<double> empty;
  };

  void Add(const std::string& name, bool full, double value) {
    if (pairs_.find(name) == pairs_.end()) order_.push_back(name);
    Pair& pair = pairs_[name];
    (full ? pair.full : pair.empty).push_back(value);
  }

  std::vector<Row> Rows() const {
    std::vector<Row> rows;
    for (const std::string& name : order_) {
      const Pair& pair = pairs_.at(name);
      rows.push_back({"limits/" + name, Median(pair.full), "us", Median(pair.empty), kAgainst});
    }
    return rows;
  }

 private:
  std::map<std::string, Pair> pairs_;
  std::vector<std::string> order_;
};

// ---- Opening ----

// What every command does before its own work, but for syncing.
struct Opened {
  Profile profile;
  Case info;
};
Opened Open(const std::string& folder) {
  Profile profile = Take(Profile::Open(folder, std::nullopt));
  const Case found = Take(profile.FindCase("Harbor v Northline"));
  Take(profile.Alarms(found.id));
  Case info = Take(profile.GetCase(found.id));
  return {std::move(profile), std::move(info)};
}

// parley channels CASE
void ShowChannels(const std::string& folder) {
  const Opened opened = Open(folder);
  Take(opened.profile.Channels(opened.info.id));
}

// parley case status CASE
void ShowStatus(const std::string& folder) {
  const Opened opened = Open(folder);
  Take(opened.profile.Progress(opened.info.id));
  Take(opened.profile.Todo(opened.info.id));
}

// parley read CASE CHANNEL --after N, of the last page
void ShowLastPage(const std::string& folder, const std::string& name, uint64_t after) {
  const Opened opened = Open(folder);
  const Channel channel = Take(opened.profile.FindChannel(opened.info.id, name));
  Take(opened.profile.Read(channel.ref, after));
  Take(opened.profile.Unsent(channel.ref));
  Take(opened.profile.NeverSent(channel.ref));
  Take(opened.profile.Receipts(channel.ref));
}

// parley documents CASE CHANNEL, until the first page is shown, or all of them.
void ShowDocuments(const std::string& folder, const std::string& name, const Page& page) {
  const Opened opened = Open(folder);
  const Channel channel = Take(opened.profile.FindChannel(opened.info.id, name));
  Take(opened.profile.Retention(opened.info.id));
  Take(opened.profile.Documents(channel.ref, page));
}

// ---- Sending ----

// What Send does before it asks the relay, and takes it back then.
double QueueOne(const std::string& folder, const CaseId& id, const ChannelId& channel,
                const std::string& text) {
  const auto store = Must(client::ProfileStore::Open(folder));
  client::CaseContext context;
  context.store = store.get();
  context.now_seconds = [] { return static_cast<uint64_t>(std::time(nullptr)); };
  context.id = id;
  content::v1::Content content;
  content.mutable_text()->set_text(text);
  const auto began = Clock::now();
  Must(client::Firewall::BringUpToDate(context));
  client::Transaction step = Must(store->Begin());
  const client::Firewall firewall = Must(client::Firewall::Create(step, context, channel));
  Must(firewall.CheckText(step, text));
  const MessageId message =
      Must(context.Channel(channel).Queue(step, content, firewall.AllowedReaders()));
  Must(step.Commit());
  const double took = Micros(Clock::now() - began);
  client::Transaction back = Must(store->Begin());
  Must(context.Channel(channel).Unqueue(back, message));
  Must(back.Commit());
  return took;
}

// Somebody who sends: with a profile that stays open, as a program that runs has it.
class Sender {
 public:
  Sender(std::string who, const std::string& folder, const CaseId& id, uint64_t seed)
      : who_(std::move(who)),
        folder_(folder),
        id_(id),
        profile_(Take(Profile::Open(folder, std::nullopt))),
        language_(seed) {}

  // Once into a channel, in each way.
  void Send(const std::string& channel, bool full, Samples& samples) {
    const ChannelRef ref = Take(profile_.FindChannel(id_, channel)).ref;
    const std::string name = "/" + who_ + "/" + (channel == kFirstCaucus ? "caucus" : channel);
    samples.Add("queue" + name, full, QueueOne(folder_, id_, ref.channel_id, language_.Text()));
    const std::string text = language_.Text();
    const double processor = ProcessorMicros();
    const auto began = Clock::now();
    const SentMessage sent = Take(profile_.Send(ref, text));
    samples.Add("send" + name, full, Micros(Clock::now() - began));
    samples.Add("send_processor" + name, full, ProcessorMicros() - processor);
    if (!sent.position.has_value()) throw Failure("a message was queued: " + sent.queued_because);
  }

  // The first look of a neutral's firewall at what the profile has.
  double FirstLook(const std::string& channel) {
    const ChannelRef ref = Take(profile_.FindChannel(id_, channel)).ref;
    const auto began = Clock::now();
    QueueOne(folder_, id_, ref.channel_id, language_.Text());
    return Micros(Clock::now() - began);
  }

 private:
  std::string who_;
  std::string folder_;
  CaseId id_;
  Profile profile_;
  Language language_;
};

// ---- Both ----

struct LastNumbers {
  uint64_t joint = 0;
  uint64_t caucus = 0;
};

// The mediator's profile, and what of it the party has.
LastNumbers FillCase(LargeCase& full, const LimitBenchOptions& options, std::vector<Row>& rows) {
  LastNumbers last;
  const Filled joint = full.Fill(full.mediator(), "joint", options.joint);
  rows.push_back(BaselineRow("limits/fill", joint.micros, "us"));
  last.joint = joint.last;
  const Filling each = {options.caucuses.messages / options.size.sides,
                        options.caucuses.documents / options.size.sides};
  for (size_t i = options.size.sides; i > 0; --i) {
    last.caucus = full.Fill(full.mediator(), "caucus:Side " + std::to_string(i), each).last;
  }
  full.Fill(full.party(), "joint", options.joint);
  full.Fill(full.party(), kFirstCaucus, each);
  return last;
}

void MeasureOpening(const std::string& folder, bool full, const LastNumbers& last,
                    Samples& samples) {
  const auto measure = [&](const std::string& name, const std::function<void()>& show) {
    const auto began = Clock::now();
    show();
    samples.Add("open/" + name, full, Micros(Clock::now() - began));
  };
  const auto after = [](uint64_t number) { return number < kPage ? 0 : number - kPage; };
  measure("channels", [&] { ShowChannels(folder); });
  measure("status", [&] { ShowStatus(folder); });
  measure("read/joint", [&] { ShowLastPage(folder, "joint", after(last.joint)); });
  measure("read/caucus", [&] { ShowLastPage(folder, kFirstCaucus, after(last.caucus)); });
  const Page first_page = {.first = kDocumentsPage};
  measure("documents/joint", [&] { ShowDocuments(folder, "joint", first_page); });
  measure("documents/caucus", [&] { ShowDocuments(folder, kFirstCaucus, first_page); });
  measure("all_documents/joint", [&] { ShowDocuments(folder, "joint", {}); });
}

}  // namespace

std::vector<Row> RunLimitBenchmarks(const LimitBenchOptions& options) {
  const TemporaryFolder folder(options.folder);
  const RelayUnderTest relay(options.relay_program, folder.path() + "/relay");
  std::vector<Row> rows;
  LargeCase empty(folder.path() + "/empty", relay.connection_string(), options.size);
  LargeCase full(folder.path() + "/full", relay.connection_string(), options.size);
  const LastNumbers last = FillCase(full, options, rows);
  Sender neutral("neutral", full.mediator(), full.id(), 2);
  Sender neutral_in_empty("neutral", empty.mediator(), empty.id(), 3);
  Sender party("party", full.party(), full.id(), 4);
  Sender party_in_empty("party", empty.party(), empty.id(), 5);
  neutral_in_empty.FirstLook("joint");
  rows.push_back(BaselineRow("limits/first_look", neutral.FirstLook("joint"), "us"));
  if (options.made) options.made();
  Samples samples;
  for (size_t i = 0; i < options.rounds; ++i) {
    MeasureOpening(full.mediator(), true, last, samples);
    MeasureOpening(empty.mediator(), false, {}, samples);
    for (const std::string channel : {"joint", kFirstCaucus}) {
      neutral.Send(channel, true, samples);
      neutral_in_empty.Send(channel, false, samples);
      party.Send(channel, true, samples);
      party_in_empty.Send(channel, false, samples);
    }
  }
  for (Row& row : samples.Rows()) rows.push_back(std::move(row));
  return rows;
}

}  // namespace parley::bench
