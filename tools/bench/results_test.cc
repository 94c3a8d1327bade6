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
