// Runs workloads once for each way in which one of their system calls can go wrong: the program
// behind every fault_sweep_test.
#include <gflags/gflags.h>
#include <glog/logging.h>

#include <iostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fault_injection/scenario/fixtures.h"
#include "fault_injection/sweep/contract_table.h"
#include "fault_injection/sweep/sweep.h"
#include "fault_injection/sweep/sweep_files.h"

DEFINE_string(contract, "", "The file with the contract (textproto of contract.proto).");
DEFINE_uint64(
    first_calls, 1,
    "How many calls of one kind, host and operation are made to fail in every way, beside "
    "the last; the others fail in one way each.");
DEFINE_bool(all, false, "Every call is made to fail in every way.");
DEFINE_uint64(pairs, 200, "How many pairs of faults of each workload.");
DEFINE_uint64(failures_max, 20, "How many failures are shown.");
DEFINE_bool(print_cells, false, "Print all that was seen as cells of a contract.");

namespace rollcall::fault {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;

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
  absl::StatusOr<ContractTable> contract = ReadContractFile(FLAGS_contract);
  if (!contract.ok()) {
    std::cerr << contract.status().message() << "\n";
    return kUsage;
  }
  const absl::Time begin = absl::Now();
  const absl::StatusOr<SweepReport> report =
      SweepFiles(paths, UserFixtures(),
                 {.first_calls = FLAGS_first_calls, .all_faults = FLAGS_all, .pairs = FLAGS_pairs},
                 &*contract);
  if (!report.ok()) {
    std::cerr << report.status().message() << "\n";
    return kUsage;
  }
  Print(*report);
  const bool passed = report->passed();
  std::cout << (passed ? "passed: " : "FAILED: ") << report->calls << " calls, " << report->singles
            << " single faults, " << report->pairs << " pairs, " << report->seen.size()
            << " combinations, " << report->failures.size() << " failures, in "
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
