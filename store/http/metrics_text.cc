#include "store/http/metrics_text.h"

#include <cstddef>
#include <cstdint>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"
#include "store/engine/duration_histogram.h"
#include "store/protocol/operation.h"
#include "store/server/incident.h"
#include "store/server/server_status.h"

namespace rollcall::http {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Label = ClientMetric::Label;

// Every sample goes through Add, where a label that is common to all of them would be put.
class Families {
 public:
  MetricFamily& Begin(absl::string_view name, absl::string_view help, MetricType type) {
    MetricFamily& family = families_.emplace_back();
    family.name = std::string(name);
    family.help = std::string(help);
    family.type = type;
    return family;
  }

  static ClientMetric& Add(MetricFamily& family, std::vector<Label> labels = {}) {
    ClientMetric& metric = family.metric.emplace_back();
    metric.label = std::move(labels);
    return metric;
  }

  void Gauge(absl::string_view name, absl::string_view help, double value) {
    Add(Begin(name, help, MetricType::Gauge)).gauge.value = value;
  }
  void Counter(absl::string_view name, absl::string_view help, double value) {
    Add(Begin(name, help, MetricType::Counter)).counter.value = value;
  }
  static void Histogram(MetricFamily& family, std::vector<Label> labels,
                        const engine::DurationHistogram& histogram) {
    ClientMetric::Histogram& told = Add(family, std::move(labels)).histogram;
    uint64_t cumulative = 0;
    for (size_t i = 0; i < histogram.bounds().size(); ++i) {
      cumulative += histogram.counts()[i];
      told.bucket.push_back({cumulative, absl::ToDoubleSeconds(histogram.bounds()[i])});
    }
    told.sample_count = cumulative + histogram.counts().back();
    told.sample_sum = absl::ToDoubleSeconds(histogram.sum());
  }

  std::string Text() const {
    std::ostringstream text;
    prometheus::TextSerializer().Serialize(text, families_);
    return text.str();
  }

 private:
  std::vector<MetricFamily> families_;
};

Label OperationLabel(size_t operation) {
  return {"operation",
          std::string(protocol::OperationName(static_cast<protocol::Operation>(operation)))};
}

// The greeting is no request.
constexpr size_t kFirstOperation = static_cast<size_t>(protocol::Operation::kValidate) + 1;

void AddRequests(const ServerMetrics& metrics, Families& families) {
  MetricFamily& requests =
      families.Begin("rollcall_requests_total", "Requests served.", MetricType::Counter);
  for (size_t i = kFirstOperation; i < metrics.requests.size(); ++i) {
    Families::Add(requests, {OperationLabel(i)}).counter.value =
        static_cast<double>(metrics.requests[i]);
  }
  families.Counter("rollcall_received_bytes_total", "Bytes of requests that came.",
                   static_cast<double>(metrics.work.received_bytes));
  families.Counter("rollcall_sent_bytes_total", "Bytes of replies.",
                   static_cast<double>(metrics.work.sent_bytes));
}

void AddTimes(const ServerSnapshot& snapshot, Families& families) {
  const ServerMetrics& metrics = snapshot.metrics;
  if (!metrics.serving_times.empty()) {
    MetricFamily& serving = families.Begin(
        "rollcall_request_seconds",
        "From the event loop's waking up for a request to its reply being given to the kernel, or "
        "its wait being put down.",
        MetricType::Histogram);
    for (size_t i = kFirstOperation; i < metrics.serving_times.size(); ++i) {
      // Thirteen lines each: only for what is used.
      if (metrics.requests[i] == 0) continue;
      Families::Histogram(serving, {OperationLabel(i)}, metrics.serving_times[i]);
    }
  }
  Families::Histogram(families.Begin("rollcall_wait_seconds",
                                     "How long those waited whose key or barrier came at last.",
                                     MetricType::Histogram),
                      {}, snapshot.waiting_times);
}

void AddIncidents(absl::string_view name, absl::string_view help, bool refused,
                  const ServerMetrics& metrics, Families& families) {
  MetricFamily& family = families.Begin(name, help, MetricType::Counter);
  for (const IncidentInfo& info : AllIncidents()) {
    if (info.refused != refused) continue;
    Families::Add(family, {{"reason", std::string(info.label)}}).counter.value =
        static_cast<double>(metrics.incidents[static_cast<size_t>(info.kind)]);
  }
}

void AddPeers(const ServerSnapshot& snapshot, Families& families) {
  families.Gauge("rollcall_connections", "Open connections.",
                 static_cast<double>(snapshot.stats.connections));
  families.Counter("rollcall_connections_accepted_total", "Connections that came.",
                   static_cast<double>(snapshot.stats.connections_accepted));
  families.Gauge("rollcall_waiting_clients", "Clients that wait for a key or at a barrier.",
                 static_cast<double>(snapshot.stats.waiting_clients));
  families.Gauge("rollcall_longest_wait_seconds",
                 "How long who has waited longest waits by now; 0 if nobody waits.",
                 snapshot.waits.empty()
                     ? 0
                     : absl::ToDoubleSeconds(snapshot.now - snapshot.waits.front().since));
  AddIncidents("rollcall_rejected_connections_total",
               "Connections that the server closed, by its reason.", /*refused=*/true,
               snapshot.metrics, families);
  AddIncidents("rollcall_lost_connections_total",
               "Connections that broke, or that the client ended while it waited.",
               /*refused=*/false, snapshot.metrics, families);
}

void AddKeys(const ServerSnapshot& snapshot, Families& families) {
  families.Gauge("rollcall_keys", "Keys, without rollcall's own marks and without queues.",
                 static_cast<double>(snapshot.stats.keys));
  families.Gauge("rollcall_queues", "Queues with something in them.",
                 static_cast<double>(snapshot.queues));
  families.Gauge("rollcall_key_bytes", "Bytes of all keys and of the queues' names.",
                 static_cast<double>(snapshot.key_bytes));
  families.Gauge("rollcall_value_bytes", "Bytes of all values and of what is in queues.",
                 static_cast<double>(snapshot.value_bytes));
}

void AddRanks(const ServerSnapshot& snapshot, Families& families) {
  const ServerStatus status = StatusOf(snapshot);
  families.Gauge("rollcall_world_size", "Ranks that are expected; 0 if that is not known.",
                 status.world_size);
  MetricFamily& ranks = families.Begin(
      "rollcall_ranks", "Ranks by state; those of clients that do not say theirs are in none.",
      MetricType::Gauge);
  const std::pair<const char*, size_t> states[] = {
      {"joined", status.joined - status.waiting},
      {"waiting", status.waiting},
      {"gone", status.gone},
      {"missing", status.missing},
  };
  for (const auto& [state, count] : states) {
    Families::Add(ranks, {{"state", state}}).gauge.value = static_cast<double>(count);
  }
}

}  // namespace

std::string MetricsText(const ServerSnapshot& snapshot) {
  Families families;
  families.Gauge("rollcall_start_time_seconds", "When the server began, as Unix time.",
                 absl::ToDoubleSeconds(snapshot.started - absl::UnixEpoch()));
  AddRequests(snapshot.metrics, families);
  AddTimes(snapshot, families);
  AddPeers(snapshot, families);
  AddKeys(snapshot, families);
  AddRanks(snapshot, families);
  return families.Text();
}

}  // namespace rollcall::http
