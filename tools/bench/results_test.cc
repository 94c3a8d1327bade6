#include "tools/bench/results.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/bench/meter.h"
#include "tools/bench/workload.h"

namespace rollcall::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

Sample Of(std::optional<double> wall, std::optional<double> cpu) {
  return {.values = {wall, cpu},
          .cost = {.wall = absl::Milliseconds(100),
                   .server_cpu = absl::Milliseconds(95),
                   .load_cpu = absl::Milliseconds(40),
                   .others_cpu = absl::Milliseconds(20)}};
}

Results ThreeTargets() {
  WorkloadResult join{.name = "join",
                      .title = "join of 2",
                      .metrics = {{"wall_ms", "wall", "ms"}, {"cpu_us", "CPU", "us"}}};
  join.targets = {{.target = "echo", .samples = {Of(100, 4), Of(120, 4), Of(110, 4)}},
                  {.target = "epoll", .samples = {Of(121, 5), Of(121, 5), Of(132, 5)}},
                  {.target = "other", .samples = {Of(220, std::nullopt)}},
                  {.target = "gone", .error = "the \"server\" hung up"}};
  return {.cores = 2, .kernel = "6.1", .date = "2026-01-01T00:00:00Z", .workloads = {join}};
}

TEST(Table, ShowsMediansRatiosRangesAndWhoWasBusy) {
  EXPECT_EQ(TableOf(ThreeTargets()),
            "join of 2\n"
            "        wall, ms               CPU, us                   busy: server / load   bound "
            "by   others\n"
            "echo    110 x1.00 (100..120)   4.00 x1.00 (4.00..4.00)   95% / 40%             server "
            "    10%\n"
            "epoll   121 x1.20 (121..132)   5.00 x1.25 (5.00..5.00)   95% / 40%             server "
            "    10%\n"
            "other   220 x2.20 (220..220)      -                      95% / 40%             server "
            "    10%\n"
            "gone      -                       -\n"
            "  gone: the \"server\" hung up\n"
            "\n");
}

TEST(Table, ShowsACurveAsOneRowATarget) {
  Results results;
  for (const char* size : {"128", "512"}) {
    WorkloadResult join{
        .name = absl::StrCat("join@", size),
        .title = absl::StrCat("join of ", size),
        .metrics = {{"wall_ms", "wall", "ms"}, {"server_cpu_us", "server CPU/rank", "us"}}};
    const double cpu = size[0] == '1' ? 40 : 50;
    join.targets = {{.target = "echo", .samples = {Of(1, cpu)}}, {.target = "gone", .error = "no"}};
    results.workloads.push_back(join);
  }
  EXPECT_EQ(TableOf(results),
            "join of 128 and more: server CPU/rank, us\n"
            "                     128      512   last/first\n"
            "echo                40.0     50.0   x1.25\n"
            "gone                   -        -\n"
            "\n");
}

// epoll without layers, with TLS, and with a token, whose second repetition failed.
Results OneLayerAndAHalf() {
  Results results = ThreeTargets();
  WorkloadResult& join = results.workloads[0];
  join.metrics[1].key = "server_cpu_us";
  join.targets = {{.target = "echo", .samples = {Of(50, 2), Of(50, 2)}},
                  {.target = "epoll", .samples = {Of(100, 4), Of(200, 8)}},
                  {.target = "epoll+tls", .plain = "epoll", .samples = {Of(150, 6), Of(300, 12)}},
                  {.target = "epoll+token", .plain = "epoll", .samples = {Of(110, std::nullopt)}},
                  {.target = "libuv+tls", .plain = "libuv", .samples = {Of(1, 1)}}};
  return results;
}

TEST(LayerTable, ShowsEachLayerAsARatioToTheSameServerWithoutIt) {
  const std::string table = TableOf(OneLayerAndAHalf());
  EXPECT_EQ(table.substr(table.find("\n\n") + 2),
            "what a layer costs, as a ratio to epoll without it\n"
            "                                              epoll             tls           token\n"
            "join, all ranks, ms                             150       x1.50 225       x1.10 110\n"
            "join, server CPU a rank, us                    6.00      x1.50 9.00               -\n"
            "\n");
}

TEST(LayerTable, IsThereOnlyWhereLayersWereMeasuredBesideThePlainServer) {
  EXPECT_THAT(TableOf(ThreeTargets()), Not(HasSubstr("layer")));
  Results results = OneLayerAndAHalf();
  results.workloads[0].targets.erase(results.workloads[0].targets.begin() + 1);
  EXPECT_THAT(TableOf(results), Not(HasSubstr("layer")));
}

TEST(Json, HasWhatEachLayerCosts) {
  EXPECT_THAT(JsonOf(OneLayerAndAHalf()),
              HasSubstr("{\"plain\": \"epoll\", \"layers\": [\"tls\", \"token\"],\n"
                        "     \"rows\": [\n"
                        "      {\"work\": \"join, all ranks\", \"unit\": \"ms\", \"plain\": 150, "
                        "\"costs\": [{\"ratio\": 1.5, \"median\": 225}, "
                        "{\"ratio\": 1.1, \"median\": 110}]}"));
}

TEST(Json, HasEverySample) {
  const std::string json = JsonOf(ThreeTargets());
  EXPECT_THAT(json, HasSubstr("\"wall_ms\": {\"median\": 121, \"ratio\": 1.2, "
                              "\"samples\": [121, 121, 132]}"));
  EXPECT_THAT(json, HasSubstr("\"cpu_us\": {\"median\": null, \"ratio\": null, "
                              "\"samples\": [null]}"));
  EXPECT_THAT(json, HasSubstr("\"error\": \"the \\\"server\\\" hung up\""));
  EXPECT_THAT(json, HasSubstr("\"server_cpu_s\": 0.285"));
}

TEST(Ratio, IsThatOfARepetitionWhateverTheMachineDidBetweenTwo) {
  WorkloadResult join{.metrics = {{"wall_ms", "wall", "ms"}, {"cpu_us", "CPU", "us"}}};
  join.targets = {{.target = "echo", .samples = {Of(100, 4), Of(150, 6), Of(150, 6)}},
                  {.target = "epoll", .samples = {Of(105, 5), Of(105, 5), Of(157.5, 7.5)}}};
  EXPECT_DOUBLE_EQ(*RatioOfMetric(join, join.targets[1], 0), 1.05);
  EXPECT_DOUBLE_EQ(*RatioOfMetric(join, join.targets[1], 1), 1.25);
}

TEST(Ratio, IsUnknownWithoutALimit) {
  Results results = ThreeTargets();
  WorkloadResult& join = results.workloads[0];
  join.targets[0].samples.clear();
  EXPECT_EQ(RatioOfMetric(join, join.targets[1], 0), std::nullopt);
}

}  // namespace
}  // namespace rollcall::bench
