// A workload run once for each way in which one of its system calls can go wrong, and once for each
// of a sample of pairs of them; every run is held against the contract.
#ifndef ROLLCALL_FAULT_INJECTION_SWEEP_SWEEP_H_
#define ROLLCALL_FAULT_INJECTION_SWEEP_SWEEP_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/scenario/fixtures.h"
#include "fault_injection/scenario/run_result.h"
#include "fault_injection/scenario/scenario.pb.h"
#include "fault_injection/sweep/contract_table.h"
#include "fault_injection/sweep/fault_site.h"
#include "fault_injection/sweep/sweep_plan.h"

namespace rollcall::fault {

struct SweepReport {
  uint64_t calls = 0;    // That the workloads make without a fault.
  uint64_t singles = 0;  // Runs with one fault.
  uint64_t pairs = 0;    // Runs in which two acted.
  // A line or more each. Those of a run begin with its workload and its faults.
  std::vector<std::string> failures;
  // What single faults did.
  std::map<CellKey, Observation> seen;
  // The part of it that no cell speaks of.
  std::map<CellKey, Observation> unknown;
  // By call and error: how often it was injected.
  std::map<std::pair<std::string, std::string>, uint64_t> injected;
  std::set<std::string> codes;  // That any step ended with.

  bool passed() const { return failures.empty() && unknown.empty() && singles > 0; }
};

// Every run has seed 1, so that a fault meets the run that was recorded without it. What is
// demanded of each: it ends, nothing is left behind, no step takes longer than its time-out, steps
// end as the contract says, and where all succeed, they give the values that they gave without the
// fault.
class Sweep {
 public:
  // Both must outlive it.
  Sweep(ContractTable* contract, const Fixtures& fixtures, SweepLimits limits)
      : contract_(*contract), fixtures_(fixtures), limits_(limits) {}

  // A scenario without faults, in which every step succeeds; it must outlive the sweep.
  void AddWorkload(absl::string_view name, const Scenario& scenario);
  // All single faults of all workloads, and then the pairs.
  SweepReport Run();

 private:
  struct Workload {
    std::string name;
    const Scenario* scenario = nullptr;
    // By worker and step, of those that have one.
    std::map<std::pair<std::string, std::string>, absl::Duration> timeouts;
    RunResult healthy;
    std::vector<FaultSite> sites;
  };
  struct FaultyRun {
    RunResult result;
    std::vector<FaultSite> sites;
    std::vector<size_t> fired_at;
  };

  bool RecordHealthyRun(Workload& workload);
  FaultyRun RunWith(const Workload& workload, const std::vector<PlannedFault>& faults);
  void RunSingle(const Workload& workload, const PlannedFault& fault);
  void RunPairs(const Workload& workload, uint64_t number);
  void RunPair(const Workload& workload, const std::vector<PlannedFault>& pair);
  void JudgePair(const Workload& workload, const std::vector<PlannedFault>& pair,
                 const FaultyRun& run);
  // What holds whatever the fault.
  std::vector<std::string> GeneralFailures(const Workload& workload, const RunResult& result) const;
  void Fail(const Workload& workload, const std::vector<PlannedFault>& faults,
            const std::vector<std::string>& what, const RunResult& result);

  ContractTable& contract_;
  const Fixtures& fixtures_;
  const SweepLimits limits_;
  std::vector<Workload> workloads_;
  SweepReport report_;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SWEEP_SWEEP_H_
