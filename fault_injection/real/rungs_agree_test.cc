#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "fault_injection/real/real_run.h"
#include "fault_injection/real/rungs.h"
#include "fault_injection/real/rungs_differ.h"
#include "fault_injection/scenario/fixtures.h"
#include "fault_injection/scenario/run_result.h"
#include "fault_injection/scenario/scenario.pb.h"
#include "fault_injection/scenario/scenario_text.h"
#include "fault_injection/scenario/sim_run.h"
#include "gtest/gtest.h"
#include "net/env.h"
#include "net/monitor.h"
#include "testing/subprocess.h"

namespace rollcall::fault {
namespace {

// They mostly wait; more of them would wait for the processor.
constexpr int kAtATime = 4;

struct Entry {
  std::string path;
  std::string name;
  Scenario scenario;
  RunResult simulated;
  std::string left_out;  // Why.
  std::vector<std::string> differences;
  absl::Duration took;
};

std::vector<std::string> CatalogueFiles() {
  std::vector<std::string> files;
  for (const auto& file :
       std::filesystem::directory_iterator(RunfilePath("fault_injection/scenarios"))) {
    if (file.path().extension() == ".textproto") files.push_back(file.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

Entry Simulate(const std::string& path) {
  Entry entry;
  entry.path = path;
  entry.name = std::filesystem::path(path).stem();
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const absl::StatusOr<Scenario> scenario = ParseScenario(text, path);
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  if (!scenario.ok()) return entry;
  entry.scenario = *scenario;
  const RungsReport rungs = RungsOf(*scenario);
  std::vector<std::string> reasons = rungs.against_sim;
  reasons.insert(reasons.end(), rungs.against_real.begin(), rungs.against_real.end());
  entry.left_out = absl::StrJoin(reasons, "; ");
  if (!entry.left_out.empty()) return entry;
  entry.simulated = RunSimulated(*scenario, /*fixtures=*/{}, {.seed = 1});
  if (entry.simulated.elapsed > kRealTimeMax) {
    entry.left_out = absl::StrCat("it takes ", absl::FormatDuration(entry.simulated.elapsed));
  }
  return entry;
}

void Compare(Entry& entry) {
  const absl::StatusOr<RunResult> real =
      RunReal(entry.scenario,
              {.scenario_path = entry.path, .process_path = RunfilePath("tools/fault_process")});
  if (!real.ok()) {
    entry.differences.push_back(std::string(real.status().message()));
    return;
  }
  entry.took = real->elapsed;
  entry.differences = DifferencesOf(entry.scenario, entry.simulated, *real);
  if (!real->ended.ok()) entry.differences.push_back(std::string(real->ended.message()));
}

// Several at a time, each entry by one thread.
void CompareAll(std::vector<Entry>& entries) {
  net::Env& env = net::RealEnv();
  const std::unique_ptr<net::Monitor> monitor = env.NewMonitor();
  size_t next = 0;
  const auto take = [&]() -> Entry* {
    const net::MonitorLock lock(monitor.get());
    while (next < entries.size() && !entries[next].left_out.empty()) ++next;
    return next < entries.size() ? &entries[next++] : nullptr;
  };
  std::vector<std::unique_ptr<net::Thread>> threads;
  for (int i = 0; i < kAtATime; ++i) {
    threads.push_back(env.StartThread("rung", [&] {
      while (Entry* const entry = take()) Compare(*entry);
    }));
  }
}

// A scenario of many workers has a proxy with many connections.
void RaiseLimitOfDescriptors() {
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

TEST(RungsAgree, OnWhatTheRanksOfEachScenarioOfTheCatalogueSee) {
  RaiseLimitOfDescriptors();
  std::vector<Entry> entries;
  for (const std::string& path : CatalogueFiles()) entries.push_back(Simulate(path));
  ASSERT_FALSE(entries.empty());
  const absl::Time begin = net::RealEnv().Now();
  CompareAll(entries);
  const absl::Duration took = net::RealEnv().Now() - begin;
  int compared = 0;
  for (const Entry& entry : entries) {
    if (!entry.left_out.empty()) {
      std::cout << "left out  " << entry.name << ": " << entry.left_out << "\n";
      continue;
    }
    ++compared;
    std::cout << (entry.differences.empty() ? "equal     " : "DIFFERENT ") << entry.name << " in "
              << absl::FormatDuration(absl::Trunc(entry.took, absl::Milliseconds(1))) << "\n";
    EXPECT_TRUE(entry.differences.empty())
        << entry.name << ":\n  " << absl::StrJoin(entry.differences, "\n  ");
  }
  std::cout << compared << " of " << entries.size() << " scenarios compared in "
            << absl::FormatDuration(absl::Trunc(took, absl::Milliseconds(1))) << std::endl;
  EXPECT_GT(compared, 0);
}

}  // namespace
}  // namespace rollcall::fault
