// What each path shows, for a server of which the test says what it is.
#include "store/http/endpoints.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/clock.h"
#include "nlohmann/json.hpp"
#include "store/server/incident.h"
#include "store/server/journal_figures.h"

namespace rollcall::http {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class SetClock final : public net::Clock {
 public:
  absl::Time Now() override { return now; }
  absl::Time now = absl::FromUnixSeconds(1'700'000'000);
};

// Its event loop answers, or is stuck.
class ToldServer final : public StoreServer {
 public:
  explicit ToldServer(SetClock* clock) : clock_(clock) {}

  void Stop() override {}
  uint16_t port() const override { return 29500; }
  std::string address() const override { return "127.0.0.1:29500"; }
  absl::Status Reload() override { return absl::OkStatus(); }
  std::optional<uint16_t> tls_port() const override { return std::nullopt; }
  std::string tls_address() const override { return ""; }
  std::vector<net::SocketAddress> name_space_addresses() const override { return {}; }
  net::EventLoopKind event_loop() const override { return net::EventLoopKind::kEpoll; }
  ServerStats stats() const override { return {}; }
  absl::StatusOr<ServerSnapshot> Snapshot(absl::Time deadline) override {
    if (absl::Status alive = CheckAlive(deadline); !alive.ok()) return alive;
    return snapshot;
  }
  absl::Status CheckAlive(absl::Time deadline) override {
    ++asked;
    if (!stuck) return absl::OkStatus();
    clock_->now = deadline;
    return absl::DeadlineExceededError("the event loop has not answered for 1s");
  }

  ServerSnapshot snapshot;
  bool stuck = false;
  int asked = 0;

 private:
  SetClock* const clock_;
};

class EndpointsTest : public testing::Test {
 protected:
  EndpointsTest() {
    ServerSnapshot& snapshot = server_.snapshot;
    snapshot.now = clock_.now;
    snapshot.started = clock_.now - absl::Minutes(3);
    snapshot.name_spaces[0].world_size_told = 4;
    for (const int rank : {0, 1, 2}) {
      snapshot.name_spaces[0].ranks.push_back(
          {.rank = rank,
           .peer = net::SocketAddress::LoopbackV4(static_cast<uint16_t>(40000 + rank)),
           .joined = clock_.now - absl::Seconds(60)});
    }
    snapshot.stats.waiting_clients = 1;
    snapshot.name_spaces[0].waits.push_back({.rank = 0,
                                             .since = clock_.now - absl::Seconds(12.3456),
                                             .missing = 1,
                                             .names = {"/<script>alert(1)</script>\n\xff"}});
    snapshot.metrics.requests[static_cast<size_t>(protocol::Operation::kSet)] = 7;
    snapshot.metrics.serving_times.assign(protocol::kOperationCount,
                                          engine::DurationHistogram(&engine::kServingTimes));
    snapshot.metrics.serving_times[static_cast<size_t>(protocol::Operation::kSet)].Observe(
        absl::Microseconds(15));
    snapshot.metrics.incidents[static_cast<size_t>(IncidentKind::kTooLate)] = 2;
    snapshot.incidents.push_back({.when = clock_.now,
                                  .kind = IncidentKind::kTooLate,
                                  .rank = 2,
                                  .name_space = "",
                                  .reason = "60s ago"});
    snapshot.seconds = {{.requests = 3}, {.requests = 4}};
  }

  Response Get(std::string path) { return endpoints_.Answer({.path = std::move(path)}); }
  json Status() { return json::parse(Get("/status.json").body); }

  SetClock clock_;
  ToldServer server_{&clock_};
  Endpoints endpoints_{&clock_, &server_};
};

TEST_F(EndpointsTest, IsHealthyWhileTheLoopAnswers) {
  EXPECT_EQ(Get("/healthz").status, 200);
  server_.stuck = true;
  EXPECT_EQ(Get("/healthz").status, 503);
  EXPECT_THAT(Get("/healthz").body, HasSubstr("the event loop has not answered for 1s"));
  EXPECT_EQ(Get("/metrics").status, 503);
  EXPECT_EQ(Get("/status.json").status, 503);
  EXPECT_THAT(json::parse(Get("/status.json").body)["error"], HasSubstr("event loop"));
}

TEST_F(EndpointsTest, AStuckLoopKeepsOneWaitingAndNotAll) {
  server_.stuck = true;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Get("/healthz").status, 503);
  EXPECT_EQ(server_.asked, 1);
  server_.stuck = false;
  clock_.now += Endpoints::kPatience;
  EXPECT_EQ(Get("/healthz").status, 200);
}

TEST_F(EndpointsTest, ManyReadersAskTheLoopOnce) {
  for (int i = 0; i < 100; ++i) Get("/status.json");
  EXPECT_EQ(server_.asked, 1);
  clock_.now += Endpoints::kSnapshotAge;
  Get("/metrics");
  EXPECT_EQ(server_.asked, 2);
}

TEST_F(EndpointsTest, TheStatusSaysWhoIsMissingAndWhoWaits) {
  const json status = Status();
  EXPECT_EQ(status["format"], 1);
  EXPECT_EQ(status["world"]["size"], 4);
  EXPECT_EQ(status["world"]["states"], "wjjm");
  EXPECT_EQ(status["world"]["missing_ranks"], "3");
  EXPECT_EQ(status["server"]["uptime_seconds"], 180);
  EXPECT_EQ(status["waits"][0]["longest_seconds"], 12.346);
  EXPECT_EQ(status["waits"][0]["ranks"], "0");
  EXPECT_EQ(status["waits"][0]["key"], "<script>alert(1)</script>\\n\\xff");
  EXPECT_EQ(status["errors"][0]["code"], "TOO_LATE");
  EXPECT_EQ(status["errors"][0]["rank"], 2);
  EXPECT_FALSE(status["errors"][0]["remedy"].get<std::string>().empty());
  EXPECT_EQ(status["throughput"]["requests"], json({3, 4}));
}

TEST_F(EndpointsTest, OneRankIsToldInFull) {
  const auto rank = [this](const std::string& number) {
    return endpoints_.Answer({.path = "/status.json", .rank = number});
  };
  const json status = json::parse(rank("0").body);
  EXPECT_EQ(status["rank"]["state"], "waiting");
  EXPECT_EQ(status["rank"]["address"], "127.0.0.1:40000");
  EXPECT_EQ(json::parse(rank("3").body)["rank"]["state"], "missing");
  EXPECT_EQ(json::parse(rank("99").body)["rank"], nullptr);
  EXPECT_EQ(rank("x").status, 400);
}

TEST_F(EndpointsTest, EachNameSpaceHasItsOwnStatusAndLinesInTheMetrics) {
  NameSpaceSnapshot& job = server_.snapshot.name_spaces.emplace_back();
  job.name = "jobA";
  job.world_size_told = 2;
  job.ranks.push_back({.rank = 1, .joined = clock_.now});
  job.connections = 5;
  job.keys = 7;
  job.key_bytes = 1000;
  job.memory_bytes = 2000;
  job.limits.keys_max = 9;
  server_.snapshot.memory_bytes_max = 4000;
  const auto status = [this](const std::string& name_space) {
    return json::parse(
        endpoints_.Answer({.path = "/status.json", .rank = {}, .name_space = name_space}).body);
  };
  EXPECT_EQ(status("jobA")["world"]["states"], "mj");
  EXPECT_EQ(status("jobA")["name_space"], "jobA");
  EXPECT_EQ(status("default"), Status());
  EXPECT_TRUE(status("jobA")["errors"].empty()) << "those of others are none of its business";
  EXPECT_EQ(Status()["world"]["states"], "wjjm");
  EXPECT_EQ(Status()["errors"][0]["name_space"], "default");
  EXPECT_EQ(Status()["name_spaces"].size(), 2u);
  EXPECT_EQ(Status()["name_spaces"][1]["connections"], 5);
  EXPECT_EQ(Status()["name_spaces"][1]["keys_limit"], 9);
  EXPECT_EQ(Status()["name_spaces"][1]["memory_limit_bytes"], nullptr);
  EXPECT_EQ(Status()["totals"]["memory_limit_bytes"], 4000);
  EXPECT_EQ(endpoints_.Answer({.path = "/status.json", .rank = {}, .name_space = "jobB"}).status,
            404);
  const std::string metrics = Get("/metrics").body;
  EXPECT_THAT(metrics, HasSubstr("rollcall_name_space_keys{name_space=\"jobA\"} 7\n"));
  EXPECT_THAT(metrics, HasSubstr("rollcall_name_space_keys_limit{name_space=\"jobA\"} 9\n"));
  EXPECT_THAT(metrics, HasSubstr("rollcall_name_space_connections{name_space=\"default\"} "));
  EXPECT_THAT(metrics, HasSubstr("rollcall_memory_limit_bytes 4000\n"));
}

TEST_F(EndpointsTest, AJournalIsShownWhereThereIsOne) {
  EXPECT_EQ(Status()["journal"], nullptr);
  EXPECT_THAT(Get("/metrics").body, Not(HasSubstr("journal")));
  clock_.now += Endpoints::kSnapshotAge;
  JournalFigures& journal = server_.snapshot.journal.emplace();
  journal.commits = 2;
  journal.changes = 30;
  journal.changed_bytes = 4000;
  journal.commit_times.Observe(absl::Milliseconds(4));
  journal.commit_times.Observe(absl::Milliseconds(6));
  journal.under_way = absl::Seconds(1.5);
  journal.waiting_replies = 7;
  journal.sessions = 8;
  journal.database_bytes = 9000;
  journal.log_bytes = 100;
  journal.recovery_time = absl::Milliseconds(250);
  journal.recovered_keys = 11;
  const json told = {{"failed", false},
                     {"commits", 2},
                     {"changes", 30},
                     {"changed_bytes", 4000},
                     {"commit_seconds", 0.01},
                     {"commit_under_way_seconds", 1.5},
                     {"waiting_replies", 7},
                     {"sessions", 8},
                     {"database_bytes", 9000},
                     {"log_bytes", 100},
                     {"recovery_seconds", 0.25},
                     {"recovered_keys", 11}};
  EXPECT_EQ(Status()["journal"], told);
  const std::string metrics = Get("/metrics").body;
  for (const char* const line :
       {"# TYPE rollcall_journal_commits_total counter\nrollcall_journal_commits_total 2\n",
        "\nrollcall_journal_changes_total 30\n", "\nrollcall_journal_changed_bytes_total 4000\n",
        "\nrollcall_journal_commit_seconds_bucket{le=\"0.005\"} 1\n",
        "\nrollcall_journal_commit_seconds_count 2\n",
        "\nrollcall_journal_commit_seconds_sum 0.01\n",
        "\nrollcall_journal_commit_under_way_seconds 1.5\n",
        "\nrollcall_journal_waiting_replies 7\n", "\nrollcall_journal_sessions 8\n",
        "\nrollcall_journal_database_bytes 9000\n", "\nrollcall_journal_log_bytes 100\n",
        "\nrollcall_journal_recovery_seconds 0.25\n", "\nrollcall_journal_recovered_keys 11\n",
        "\nrollcall_journal_failed 0\n"}) {
    EXPECT_THAT(metrics, HasSubstr(line));
  }
  clock_.now += Endpoints::kSnapshotAge;
  journal.has_failed = true;
  journal.under_way.reset();
  EXPECT_EQ(Status()["journal"]["failed"], true);
  EXPECT_EQ(Status()["journal"]["commit_under_way_seconds"], nullptr);
  EXPECT_THAT(Get("/metrics").body, HasSubstr("\nrollcall_journal_failed 1\n"));
}

TEST_F(EndpointsTest, AStatusOfManyRanksIsSmall) {
  ServerSnapshot& snapshot = server_.snapshot;
  snapshot.name_spaces[0].ranks.clear();
  snapshot.name_spaces[0].waits.clear();
  for (int rank = 0; rank < 4096; ++rank) {
    snapshot.name_spaces[0].ranks.push_back({.rank = rank, .joined = clock_.now});
    if (rank % 2 == 0) continue;
    snapshot.name_spaces[0].waits.push_back(
        {.rank = rank,
         .since = clock_.now,
         .missing = 1,
         .names = {absl::StrCat("/", std::string(250, '\x01'), rank % 100)}});
  }
  snapshot.seconds.assign(Throughput::kSecondsMax, {1'000'000, 1'000'000'000, 1'000'000'000});
  EXPECT_LT(Get("/status.json").body.size(), 100'000u);
}

TEST_F(EndpointsTest, MetricsAreWhatPrometheusReads) {
  const Response response = Get("/metrics");
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  for (const char* line : {
           "# TYPE rollcall_requests_total counter\n",
           "rollcall_requests_total{operation=\"set\"} 7\n",
           "rollcall_request_seconds_bucket{operation=\"set\",le=\"1e-05\"} 0\n",
           "rollcall_request_seconds_bucket{operation=\"set\",le=\"2e-05\"} 1\n",
           "rollcall_request_seconds_bucket{operation=\"set\",le=\"+Inf\"} 1\n",
           "rollcall_request_seconds_count{operation=\"set\"} 1\n",
           "rollcall_rejected_connections_total{reason=\"too_late\"} 2\n",
           "rollcall_lost_connections_total{reason=\"left_waiting\"} 0\n",
           "rollcall_ranks{state=\"missing\"} 1\n",
           "rollcall_waiting_clients 1\n",
           "rollcall_wait_seconds_count 0\n",
       }) {
    EXPECT_THAT(response.body, HasSubstr(line));
  }
  EXPECT_THAT(response.body, Not(HasSubstr("operation=\"validate\"")));
}

TEST_F(EndpointsTest, ThePageBringsAllThatItShows) {
  const Response page = Get("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  for (const char* path : {"/page.css", "/page.js", "/icon.svg"}) {
    EXPECT_THAT(page.body, HasSubstr(path));
    EXPECT_EQ(Get(path).status, 200) << path;
  }
  EXPECT_THAT(page.body, Not(HasSubstr("//"))) << "nothing is loaded from elsewhere";
  EXPECT_EQ(Get("/page/../etc/passwd").status, 404);
}

}  // namespace
}  // namespace rollcall::http
