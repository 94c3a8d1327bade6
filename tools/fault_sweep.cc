// Runs workloads once for each way in which one of their system calls can go wrong: the program
// behind every fault_sweep_test.
#include <gflags/gflags.h>
#include <glog/logging.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fault_injection/scenario/fixtures.h"
#include "fault_injection/scenario/scenario.pb.h"
#include "fault_injection/scenario/scenario_text.h"
#include "fault_injection/sweep/contract_table.h"
#include "fault_injection/sweep/sweep.h"
#include "fault_injection/sweep/sweep_plan.h"

DEFINE_string(contract, "", "The file with the contract (textproto of contract.proto).");
DEFINE_uint64(first_calls, 1,
              "How many calls of one kind, host and operation are made to fail, beside the last.");
DEFINE_bool(all, false, "All of them.");
DEFINE_uint64(pairs, 200, "How many pairs of faults of each workload.");
DEFINE_uint64(failures_max, 20, "How many failures are shown.");
DEFINE_bool(print_cells, false, "Print all that was seen as cells of a contract.");

namespace rollcall::fault {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return absl::NotFoundError(absl::StrCat("cannot read ", path));
  }
  return text.str();
}

absl::StatusOr<Scenario> ReadScenario(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  return ParseScenario(*text, path);
}

absl::StatusOr<ContractTable> ReadContract(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  return ContractTable::Parse(*text, path);
}

void Print(const SweepReport& report) {
  for (size_t i = 0; i < report.failures.size() && i < FLAGS_failures_max; ++i) {
    std::cout << report.failures[i] << "\n";
  }
  if (!report.unknown.empty()) {
    std::cout << "\nNo cell of the contract speaks of these; what was seen, as cells:\n"
              << CellsAsText(report.unknown);
  }
  if (FLAGS_print_cells) std::cout << "\nAll that was seen:\n" << CellsAsText(report.seen);
}

int Main(const std::vector<std::string>& paths) {
  if (paths.empty() || FLAGS_contract.empty()) {
    std::cerr << "fault_sweep: name workload files, and --contract\n";
    return kUsage;
  }
  absl::StatusOr<ContractTable> contract = ReadContract(FLAGS_contract);
  if (!contract.ok()) {
    std::cerr << contract.status().message() << "\n";
    return kUsage;
  }
  const Fixtures fixtures = UserFixtures();
  Sweep sweep(&*contract, fixtures,
              {.first_calls = FLAGS_first_calls, .all_calls = FLAGS_all, .pairs = FLAGS_pairs});
  std::deque<Scenario> scenarios;
  for (const std::string& path : paths) {
    absl::StatusOr<Scenario> scenario = ReadScenario(path);
    if (!scenario.ok()) {
      std::cerr << scenario.status().message() << "\n";
      return kUsage;
    }
    scenarios.push_back(*std::move(scenario));
    sweep.AddWorkload(std::filesystem::path(path).stem().string(), scenarios.back());
  }
  const absl::Time begin = absl::Now();
  const SweepReport report = sweep.Run();
  Print(report);
  const bool passed = report.failures.empty() && report.unknown.empty() && report.singles > 0;
  std::cout << (passed ? "passed" : "FAILED") << ": " << report.calls << " calls, "
            << report.singles << " single faults, " << report.pairs << " pairs, "
            << report.seen.size() << " combinations, " << report.failures.size() << " failures, in "
            << absl::FormatDuration(absl::Trunc(absl::Now() - begin, absl::Milliseconds(1)))
            << std::endl;
  return passed ? 0 : kFailed;
}

}  // namespace
}  // namespace rollcall::fault

int main(int argc, char** argv) {
  gflags::SetUsageMessage("sweeps workloads: fault_sweep --contract=FILE WORKLOAD.textproto...");
  gflags::ParseCommandLineFlags(&argc, &argv, /*remove_flags=*/true);
  // What the product logs about faults is what was asked for.
  FLAGS_minloglevel = google::GLOG_FATAL;
  google::InitGoogleLogging(argv[0]);
  return rollcall::fault::Main({argv + 1, argv + argc});
}
