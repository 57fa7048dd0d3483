#include "server/metrics/exporter.h"

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/text_serializer.h>

#include <exception>
#include <utility>
#include <vector>

namespace parley::server {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

// Where requests wait for each other; a scrape is short, and one Prometheus asks.
constexpr size_t kThreads = 2;

ClientMetric CounterMetric(uint64_t value, Labels labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.counter.value = static_cast<double>(value);
  return metric;
}

ClientMetric GaugeMetric(double value, Labels labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.gauge.value = value;
  return metric;
}

ClientMetric DurationsMetric(const Durations& durations, Labels labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  uint64_t count = 0;
  for (size_t step = 0; step < Durations::kBounds.size(); ++step) {
    count += durations.count(step);
    metric.histogram.bucket.push_back({count, Durations::kBounds[step]});
  }
  metric.histogram.sample_count = count + durations.count(Durations::kBounds.size());
  metric.histogram.sample_sum = durations.seconds();
  return metric;
}

// One request's answer, family by family.
class Families {
 public:
  void Add(const char* name, const char* help, MetricType type, std::vector<ClientMetric> metrics) {
    families_.push_back({std::string("parley_relay_") + name, help, type, std::move(metrics)});
  }
  void Counts(const char* name, const char* help, std::vector<ClientMetric> metrics) {
    Add(name, help, MetricType::Counter, std::move(metrics));
  }
  void Gauges(const char* name, const char* help, std::vector<ClientMetric> metrics) {
    Add(name, help, MetricType::Gauge, std::move(metrics));
  }
  std::vector<MetricFamily> Take() { return std::move(families_); }

 private:
  std::vector<MetricFamily> families_;
};

void AddCalls(Metrics& metrics, Families& families) {
  std::vector<ClientMetric> ended;
  std::vector<ClientMetric> seconds;
  std::vector<ClientMetric> bytes;
  for (size_t i = 0; i < kCallNames.size(); ++i) {
    const std::string call(kCallNames[i]);
    const CallMetrics& of = metrics.calls[i];
    for (size_t outcome = 0; outcome < kOutcomeNames.size(); ++outcome) {
      const uint64_t count = of.ended[outcome].value();
      // A refusal appears with its first time; what was done is there from the beginning.
      if (count == 0 && outcome != static_cast<size_t>(Outcome::kOk)) continue;
      ended.push_back(
          CounterMetric(count, {{"call", call}, {"outcome", std::string(kOutcomeNames[outcome])}}));
    }
    const auto is = [i](Call one) { return i == static_cast<size_t>(one); };
    const bool is_stream = is(Call::kSubscribe) || is(Call::kUploadBlob) || is(Call::kDownloadBlob);
    // Appends on a stream are counted, in time and bytes, with the others.
    const bool is_timed = !is_stream && !is(Call::kAppendStream);
    if (is_timed) seconds.push_back(DurationsMetric(of.seconds, {{"call", call}}));
    if (is_stream || is(Call::kAppend) || is(Call::kRead)) {
      bytes.push_back(CounterMetric(of.bytes.value(), {{"call", call}}));
    }
  }
  families.Counts("calls_total", "Calls that have ended, by how", std::move(ended));
  families.Add("call_seconds", "How long calls took that aren't streams", MetricType::Histogram,
               std::move(seconds));
  families.Counts("call_bytes_total", "Bytes of payloads and chunks, in or out", std::move(bytes));
}

void AddQueue(Metrics& metrics, Families& families) {
  families.Gauges("queue_steps", "Changes that wait for the disk",
                  {GaugeMetric(static_cast<double>(metrics.queued_steps.value()))});
  families.Gauges("queue_bytes", "Their bytes",
                  {GaugeMetric(static_cast<double>(metrics.queued_bytes.value()))});
  families.Add("sync_seconds", "How long a batch took until it was on the disk",
               MetricType::Histogram, {DurationsMetric(metrics.commit_seconds)});
  families.Counts("synced_changes_total", "Changes in those batches",
                  {CounterMetric(metrics.committed_steps.value())});
  families.Counts("failed_syncs_total", "Batches that the store didn't take",
                  {CounterMetric(metrics.failed_commits.value())});
}

void AddConnections(Metrics& metrics, Families& families) {
  families.Counts("connections_total", "Connections that were taken",
                  {CounterMetric(metrics.connections.value())});
  families.Counts(
      "connections_refused_total", "Connections beyond a limit, or ended for calling on (rate)",
      {CounterMetric(metrics.connections_over_limit.value(), {{"limit", "max-connections"}}),
       CounterMetric(metrics.connections_over_address_limit.value(),
                     {{"limit", "max-connections-per-address"}}),
       CounterMetric(metrics.connections_too_often.value(),
                     {{"limit", "address-connections-per-second"}}),
       CounterMetric(metrics.connections_too_often_in_all.value(),
                     {{"limit", "connections-per-second"}}),
       CounterMetric(metrics.connections_unproven.value(), {{"limit", "max-unproven-connections"}}),
       CounterMetric(metrics.connections_barred.value(), {{"limit", "barred"}}),
       CounterMetric(metrics.connections_ended.value(), {{"limit", "rate"}})});
  families.Gauges("streams", "Subscriptions, uploads and streams of appends that are open",
                  {GaugeMetric(static_cast<double>(metrics.open_streams.value()))});
  families.Gauges("unread_bytes", "Answers that clients haven't read yet",
                  {GaugeMetric(static_cast<double>(metrics.unread_bytes.value()))});
  families.Counts("answers_given_up_total", "Answers that were left unread for too long",
                  {CounterMetric(metrics.given_up_answers.value())});
  families.Counts("reloads_total", "SIGHUPs, by how they went",
                  {CounterMetric(metrics.reloads.value(), {{"outcome", "ok"}}),
                   CounterMetric(metrics.failed_reloads.value(), {{"outcome", "refused"}})});
}

void AddStore(Relay& relay, Families& families) {
  const storage::StoreSizes sizes = relay.store_sizes();
  families.Gauges("store_bytes", "Bytes of the store's files",
                  {GaugeMetric(static_cast<double>(sizes.record_bytes), {{"part", "records"}}),
                   GaugeMetric(static_cast<double>(sizes.chunk_bytes), {{"part", "chunks"}})});
  families.Gauges("disk_free_bytes", "What the store's disk has free",
                  {GaugeMetric(static_cast<double>(sizes.free_bytes))});
}

void AddSponsors(Relay& relay, Families& families) {
  absl::StatusOr<std::vector<SponsorInfo>> sponsors = relay.sponsors().List();
  if (!sponsors.ok()) return;  // the store has failed: that is counted elsewhere
  std::vector<ClientMetric> bytes;
  std::vector<ClientMetric> quota_bytes;
  std::vector<ClientMetric> objects;
  std::vector<ClientMetric> quota_objects;
  for (const SponsorInfo& sponsor : *sponsors) {
    if (sponsor.removed) continue;  // another one may have its name
    const Labels name = {{"sponsor", sponsor.name}};
    bytes.push_back(GaugeMetric(static_cast<double>(sponsor.used_bytes), name));
    quota_bytes.push_back(GaugeMetric(static_cast<double>(sponsor.quota_bytes), name));
    objects.push_back(GaugeMetric(static_cast<double>(sponsor.used_objects), name));
    quota_objects.push_back(GaugeMetric(static_cast<double>(sponsor.quota_objects), name));
  }
  families.Gauges("sponsor_used_bytes", "What a sponsor uses of its quota", std::move(bytes));
  families.Gauges("sponsor_quota_bytes", "A sponsor's quota", std::move(quota_bytes));
  families.Gauges("sponsor_used_objects", "A sponsor's mailboxes and blobs", std::move(objects));
  families.Gauges("sponsor_quota_objects", "How many it may have", std::move(quota_objects));
}

std::vector<MetricFamily> Collected(Relay& relay) {
  Families families;
  AddCalls(relay.metrics(), families);
  AddQueue(relay.metrics(), families);
  AddConnections(relay.metrics(), families);
  AddStore(relay, families);
  AddSponsors(relay, families);
  return families.Take();
}

class Collector final : public prometheus::Collectable {
 public:
  explicit Collector(Relay& relay) : relay_(relay) {}
  std::vector<MetricFamily> Collect() const override { return Collected(relay_); }

 private:
  Relay& relay_;
};

}  // namespace

struct MetricsExporter::State {
  explicit State(const std::string& address, Relay& relay)
      : collector(std::make_shared<Collector>(relay)), exposer(address, kThreads) {
    exposer.RegisterCollectable(collector, "/metrics");
  }

  const std::shared_ptr<Collector> collector;  // the exposer has a weak pointer
  prometheus::Exposer exposer;
};

MetricsExporter::MetricsExporter(std::unique_ptr<State> state) : state_(std::move(state)) {}
MetricsExporter::~MetricsExporter() = default;

absl::StatusOr<std::unique_ptr<MetricsExporter>> MetricsExporter::Start(const std::string& address,
                                                                        Relay& relay) {
  try {
    return std::unique_ptr<MetricsExporter>(
        new MetricsExporter(std::make_unique<State>(address, relay)));
  } catch (const std::exception&) {
    return absl::UnavailableError("can't serve metrics on " + address +
                                  ": the address is not this machine's, or the port is in use");
  }
}

int MetricsExporter::port() const {
  const std::vector<int> ports = state_->exposer.GetListeningPorts();
  return ports.empty() ? 0 : ports.front();
}

std::string MetricsText(Relay& relay) {
  return prometheus::TextSerializer().Serialize(Collected(relay));
}

}  // namespace parley::server
