#include "store/http/metrics_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"
#include "store/engine/duration_histogram.h"
#include "store/protocol/operation.h"
#include "store/server/incident.h"
#include "store/server/journal_figures.h"
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

void AddTimes(const ServerMetrics& metrics, const StoreFigures& figures, Families& families) {
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
                      {}, figures.waiting_times);
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

double LongestWaitSeconds(const ServerSnapshot& snapshot, const NameSpaceSnapshot& space) {
  return absl::ToDoubleSeconds(space.LongestWait(snapshot.now).value_or(absl::ZeroDuration()));
}

double LongestWaitSeconds(const ServerSnapshot& snapshot) {
  double longest = 0;
  for (const NameSpaceSnapshot& space : snapshot.name_spaces) {
    longest = std::max(longest, LongestWaitSeconds(snapshot, space));
  }
  return longest;
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
                 LongestWaitSeconds(snapshot));
  AddIncidents("rollcall_rejected_connections_total",
               "Connections that the server closed, by its reason.", /*refused=*/true,
               snapshot.metrics, families);
  AddIncidents("rollcall_lost_connections_total",
               "Connections that broke, or that the client ended while it waited.",
               /*refused=*/false, snapshot.metrics, families);
}

void AddKeys(const ServerSnapshot& snapshot, const StoreFigures& figures, Families& families) {
  families.Gauge("rollcall_keys", "Keys, without rollcall's own marks and without queues.",
                 static_cast<double>(snapshot.stats.keys));
  families.Gauge("rollcall_queues", "Queues with something in them.",
                 static_cast<double>(figures.queues));
  families.Gauge("rollcall_key_bytes", "Bytes of all keys and of the queues' names.",
                 static_cast<double>(figures.key_bytes));
  families.Gauge("rollcall_value_bytes", "Bytes of all values and of what is in queues.",
                 static_cast<double>(figures.value_bytes));
  families.Gauge("rollcall_memory_bytes",
                 "What keys, values, queues and waits take, as --max_memory counts it.",
                 static_cast<double>(figures.memory_bytes));
  families.Gauge("rollcall_transfer_bytes",
                 "Replies that are not taken and requests that are not whole, where there is a "
                 "--max_memory.",
                 static_cast<double>(snapshot.transfer_bytes));
  families.Gauge("rollcall_memory_limit_bytes", "--max_memory; 0 if there is no limit.",
                 static_cast<double>(snapshot.memory_bytes_max));
}

void AddNameSpaces(const ServerSnapshot& snapshot, Families& families) {
  const auto add = [&](absl::string_view name, absl::string_view help, MetricType type,
                       absl::FunctionRef<double(const NameSpaceSnapshot&)> value) {
    MetricFamily& family = families.Begin(name, help, type);
    for (const NameSpaceSnapshot& space : snapshot.name_spaces) {
      ClientMetric& metric = Families::Add(family, {{"name_space", space.ShownName()}});
      (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value(space);
    }
  };
  using Space = const NameSpaceSnapshot&;
  add("rollcall_name_space_connections", "Open connections of a name space.", MetricType::Gauge,
      [](Space space) { return static_cast<double>(space.connections); });
  add("rollcall_name_space_waiting_clients", "Clients that wait in it.", MetricType::Gauge,
      [](Space space) { return static_cast<double>(space.waiting_clients); });
  add("rollcall_name_space_longest_wait_seconds", "How long who has waited longest in it waits.",
      MetricType::Gauge, [&](Space space) { return LongestWaitSeconds(snapshot, space); });
  add("rollcall_name_space_requests_total", "Requests of its clients.", MetricType::Counter,
      [](Space space) { return static_cast<double>(space.work.requests); });
  add("rollcall_name_space_received_bytes_total", "Bytes of its clients' requests.",
      MetricType::Counter,
      [](Space space) { return static_cast<double>(space.work.received_bytes); });
  add("rollcall_name_space_sent_bytes_total", "Bytes of replies to its clients.",
      MetricType::Counter, [](Space space) { return static_cast<double>(space.work.sent_bytes); });
  add("rollcall_name_space_keys", "Its keys.", MetricType::Gauge,
      [](Space space) { return static_cast<double>(space.keys); });
  add("rollcall_name_space_memory_bytes", "What it takes, as --max_memory counts it.",
      MetricType::Gauge, [](Space space) { return static_cast<double>(space.memory_bytes); });
  add("rollcall_name_space_queues", "Its queues with something in them.", MetricType::Gauge,
      [](Space space) { return static_cast<double>(space.queues); });
  add("rollcall_name_space_clients_limit", "Clients that it may have; 0: no limit.",
      MetricType::Gauge, [](Space space) { return static_cast<double>(space.limits.clients_max); });
  add("rollcall_name_space_keys_limit", "Keys and queues that it may have; 0: no limit.",
      MetricType::Gauge, [](Space space) { return static_cast<double>(space.limits.keys_max); });
  add("rollcall_name_space_memory_limit_bytes", "What it may take; 0: no limit of its own.",
      MetricType::Gauge,
      [](Space space) { return static_cast<double>(space.limits.memory_bytes_max); });
}

void AddJournal(const JournalFigures& journal, Families& families) {
  families.Counter("rollcall_journal_commits_total", "Commits that the journal has made.",
                   static_cast<double>(journal.commits));
  families.Counter("rollcall_journal_changes_total",
                   "Keys, elements and sessions that were changed in them.",
                   static_cast<double>(journal.changes));
  families.Counter("rollcall_journal_changed_bytes_total", "Bytes of names and values in those.",
                   static_cast<double>(journal.changed_bytes));
  Families::Histogram(families.Begin("rollcall_journal_commit_seconds", "How long commits took.",
                                     MetricType::Histogram),
                      {}, journal.commit_times);
  families.Gauge("rollcall_journal_commit_under_way_seconds",
                 "How long the commit has taken that is under way; 0 if none is.",
                 absl::ToDoubleSeconds(journal.under_way.value_or(absl::ZeroDuration())));
  families.Gauge("rollcall_journal_waiting_replies", "Replies that wait for a commit.",
                 static_cast<double>(journal.waiting_replies));
  families.Gauge("rollcall_journal_sessions", "Sessions of clients that are kept.",
                 static_cast<double>(journal.sessions));
  families.Gauge("rollcall_journal_database_bytes", "Size of the journal's database.",
                 static_cast<double>(journal.database_bytes));
  families.Gauge("rollcall_journal_log_bytes", "Size of the database's write-ahead log.",
                 static_cast<double>(journal.log_bytes));
  families.Gauge("rollcall_journal_recovery_seconds",
                 "How long the journal was read when the server began.",
                 absl::ToDoubleSeconds(journal.recovery_time));
  families.Gauge("rollcall_journal_recovered_keys", "Keys that it gave back then.",
                 static_cast<double>(journal.recovered_keys));
  families.Gauge("rollcall_journal_failed",
                 "1 if a commit has failed, so that nothing is served any more; else 0.",
                 journal.has_failed ? 1 : 0);
}

void AddRanks(const ServerSnapshot& snapshot, Families& families) {
  const ServerStatus status = StatusOf(snapshot);
  families.Gauge("rollcall_world_size", "Ranks that are expected; 0 if that is not known.",
                 status.world_size);
  MetricFamily& ranks = families.Begin("rollcall_ranks",
                                       "Ranks by state, of the default name space; those of "
                                       "clients that do not say theirs are in none.",
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
  const StoreFigures figures = snapshot.TotalFigures();
  Families families;
  families.Gauge("rollcall_start_time_seconds", "When the server began, as Unix time.",
                 absl::ToDoubleSeconds(snapshot.started - absl::UnixEpoch()));
  AddRequests(snapshot.metrics, families);
  AddTimes(snapshot.metrics, figures, families);
  AddPeers(snapshot, families);
  AddKeys(snapshot, figures, families);
  AddNameSpaces(snapshot, families);
  AddRanks(snapshot, families);
  if (snapshot.journal.has_value()) AddJournal(*snapshot.journal, families);
  return families.Text();
}

}  // namespace rollcall::http
