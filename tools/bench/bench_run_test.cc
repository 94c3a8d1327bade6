#include "tools/bench/bench_run.h"

#include <netinet/in.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/bench/dialog.h"
#include "tools/bench/results.h"
#include "tools/bench/target.h"
#include "tools/bench/workload.h"

namespace rollcall::bench {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

class NoServer : public Server {
 public:
  pid_t pid() const override { return 0; }
  sockaddr_in address() const override { return {}; }
};

// Two workloads that do nothing but say where they are, on two servers that are not there.
class BenchRunScenario : public testing::Test {
 protected:
  BenchRunScenario() {
    plan_.warm_ups = 1;
    plan_.repetitions = 2;
    for (const char* name : {"echo", "other"}) plan_.targets.push_back(TargetNamed(name));
    for (const char* name : {"join", "queue"}) plan_.workloads.push_back(WorkloadNamed(name));
  }

  Target TargetNamed(const std::string& name) {
    return {.name = name,
            .dialog = MakeEchoDialog(),
            .start = [this, name]() -> absl::StatusOr<std::unique_ptr<Server>> {
              target_ = name;
              return std::make_unique<NoServer>();
            }};
  }

  Workload WorkloadNamed(const std::string& name) {
    return {.name = name,
            .metrics = {{"wall_ms", "wall", "ms"}},
            .run = [this, name](const Trial&) -> absl::StatusOr<Sample> {
              trials_.push_back(absl::StrCat(name, " ", target_));
              if (trials_.back() == fails_) return absl::UnavailableError("it hung up");
              return Sample{.values = {static_cast<double>(trials_.size())}};
            }};
  }

  std::vector<WorkloadResult> RunAll() {
    return RunBench(plan_, [this](absl::string_view line) { lines_.emplace_back(line); });
  }

  BenchPlan plan_;
  std::string target_;
  std::string fails_;
  std::vector<std::string> trials_;
  std::vector<std::string> lines_;
};

TEST_F(BenchRunScenario, GoesThroughAllServersBeforeItRepeats) {
  plan_.warm_ups = 0;
  RunAll();
  EXPECT_THAT(trials_, ElementsAre("join echo", "join other", "queue echo", "queue other",
                                   "join echo", "join other", "queue echo", "queue other"));
  EXPECT_EQ(lines_.front(), "1/2 join echo: wall 1 ms");
}

TEST_F(BenchRunScenario, AWarmUpIsNotCounted) {
  const std::vector<WorkloadResult> results = RunAll();
  EXPECT_THAT(trials_, SizeIs(12));
  EXPECT_THAT(results[0].targets[0].samples, SizeIs(2));
  EXPECT_EQ(SpreadOfMetric(results[0].targets[0], 0)->lowest, 5);
}

TEST_F(BenchRunScenario, AServerThatFailsIsLeftOutOfThatWorkload) {
  fails_ = "join other";
  const std::vector<WorkloadResult> results = RunAll();
  EXPECT_THAT(trials_, SizeIs(10));
  EXPECT_EQ(results[0].targets[1].error, "it hung up");
  EXPECT_THAT(results[0].targets[1].samples, SizeIs(0));
  EXPECT_THAT(results[1].targets[1].samples, SizeIs(2));
}

TEST_F(BenchRunScenario, WhatNeedsAFreshServerIsMeasuredOnceOnOneThatStays) {
  plan_.targets[1].starts_anew = false;
  plan_.workloads[0].needs_fresh_server = true;
  const std::vector<WorkloadResult> results = RunAll();
  EXPECT_THAT(results[0].targets[0].samples, SizeIs(2));
  EXPECT_THAT(results[0].targets[1].samples, SizeIs(1));
  EXPECT_THAT(results[1].targets[1].samples, SizeIs(2));
}

}  // namespace
}  // namespace rollcall::bench
