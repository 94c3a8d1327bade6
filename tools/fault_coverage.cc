// The gate: runs a catalogue of scenarios and a sweep of workloads, and fails unless every error
// code, every error of a system call and every cell of the contract was reached and asserted.
#include <gflags/gflags.h>
#include <glog/logging.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fault_injection/scenario/fixtures.h"
#include "fault_injection/scenario/scenario.pb.h"
#include "fault_injection/scenario/scenario_runner.h"
#include "fault_injection/sweep/contract_table.h"
#include "fault_injection/sweep/coverage.h"
#include "fault_injection/sweep/sweep.h"
#include "fault_injection/sweep/sweep_files.h"

DEFINE_string(contract, "", "The file with the contract (textproto of contract.proto).");
DEFINE_string(workloads, "", "The files to sweep, with spaces between.");
DEFINE_uint64(seeds, 3, "How many seeds to run of each scenario.");
DEFINE_uint64(pairs, 400, "How many pairs of faults of each workload.");
DEFINE_string(out, "",
              "Where to write coverage.json and coverage.md. Under `bazel test`, the test's "
              "undeclared outputs if not given.");

namespace rollcall::fault {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;

// What is wrong with a file; OK.
absl::Status RunScenarios(const std::vector<std::string>& paths, const Fixtures& fixtures,
                          CoverageTally& tally) {
  RunnerOptions options;
  options.seeds.count = FLAGS_seeds;
  // Each scenario's own test does that.
  options.runs_twice = false;
  for (const std::string& path : paths) {
    const absl::StatusOr<Scenario> scenario = ReadScenarioFile(path);
    if (!scenario.ok()) return scenario.status();
    // What is for real sockets only has nothing to say here.
    if (!scenario->rungs().empty() && scenario->rungs(0) == Rung::REAL) continue;
    tally.AddScenario(NameOfFile(path), RunSeeds(*scenario, fixtures, options));
  }
  return absl::OkStatus();
}

void Write(const Coverage& coverage) {
  std::string out = FLAGS_out;
  if (const char* const given = std::getenv("TEST_UNDECLARED_OUTPUTS_DIR"); out.empty() && given) {
    out = given;
  }
  if (out.empty()) return;
  std::filesystem::create_directories(out);
  std::ofstream(std::filesystem::path(out) / "coverage.json") << CoverageJson(coverage);
  std::ofstream(std::filesystem::path(out) / "coverage.md") << CoveragePage(coverage);
}

absl::StatusOr<Coverage> Measure(const std::vector<std::string>& scenarios) {
  absl::StatusOr<ContractTable> contract = ReadContractFile(FLAGS_contract);
  if (!contract.ok()) return contract.status();
  const Fixtures fixtures = UserFixtures();
  CoverageTally tally;
  if (absl::Status ran = RunScenarios(scenarios, fixtures, tally); !ran.ok()) return ran;
  const std::vector<std::string> workloads =
      absl::StrSplit(FLAGS_workloads, ' ', absl::SkipEmpty());
  const absl::StatusOr<SweepReport> sweep =
      SweepFiles(workloads, fixtures, {.pairs = FLAGS_pairs}, &*contract);
  if (!sweep.ok()) return sweep.status();
  std::cout << "sweep: " << sweep->calls << " calls, " << sweep->singles << " single faults, "
            << sweep->pairs << " pairs\n\n";
  return tally.Finish(*sweep, *contract);
}

int Main(const std::vector<std::string>& scenarios) {
  if (FLAGS_contract.empty()) {
    std::cerr << "fault_coverage: name --contract, --workloads, and scenario files\n";
    return kUsage;
  }
  const absl::Time begin = absl::Now();
  const absl::StatusOr<Coverage> coverage = Measure(scenarios);
  if (!coverage.ok()) {
    std::cerr << coverage.status().message() << "\n";
    return kUsage;
  }
  Write(*coverage);
  const bool passed = coverage->gaps.empty();
  std::cout << CoveragePage(*coverage) << "\n"
            << (passed ? "passed" : "FAILED") << " in "
            << absl::FormatDuration(absl::Trunc(absl::Now() - begin, absl::Milliseconds(1)))
            << std::endl;
  return passed ? 0 : kFailed;
}

}  // namespace
}  // namespace rollcall::fault

int main(int argc, char** argv) {
  gflags::SetUsageMessage(
      "the gate: fault_coverage --contract=FILE --workloads='FILE...' SCENARIO.textproto...");
  gflags::ParseCommandLineFlags(&argc, &argv, /*remove_flags=*/true);
  // What the product logs about faults is what was asked for.
  FLAGS_minloglevel = google::GLOG_FATAL;
  google::InitGoogleLogging(argv[0]);
  return rollcall::fault::Main({argv + 1, argv + argc});
}
