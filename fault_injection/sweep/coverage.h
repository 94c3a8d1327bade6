// What a whole run of scenarios and sweeps reached and asserted, of all that there is.
#ifndef ROLLCALL_FAULT_INJECTION_SWEEP_COVERAGE_H_
#define ROLLCALL_FAULT_INJECTION_SWEEP_COVERAGE_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "fault_injection/scenario/scenario_runner.h"
#include "fault_injection/sweep/contract_table.h"
#include "fault_injection/sweep/sweep.h"

namespace rollcall::fault {

// A row of the table: something that is declared, and where it was met.
struct CoverageRow {
  std::string name;         // "WAIT_TIMEOUT", "recv ECONNRESET"
  uint64_t fired = 0;       // How often; of error codes, in how many scenarios and sweeps.
  std::string asserted_by;  // Names of scenarios; for errors of calls, "contract".
  std::string excused;      // Why it cannot be met, by the contract's list.
  bool is_covered = false;
};

struct Coverage {
  std::vector<CoverageRow> codes;
  std::vector<CoverageRow> call_errors;
  size_t cells = 0;
  size_t cells_met = 0;
  size_t pair_rules = 0;
  size_t pair_rules_met = 0;
  // All that is wrong, a line each: the gate fails unless there is none.
  std::vector<std::string> gaps;
};

class CoverageTally {
 public:
  void AddScenario(absl::string_view name, const RunnerReport& report);
  // `contract` is the one that the sweep ran against.
  Coverage Finish(const SweepReport& sweep, const ContractTable& contract) const;

 private:
  std::map<std::string, std::set<std::string>> asserted_by_;  // Scenarios, by error code.
  std::map<std::pair<std::string, std::string>, uint64_t> injected_;
  std::vector<std::string> failed_;
};

// A table for terminals and pages (Markdown), and the same as JSON. The same for the same coverage.
std::string CoveragePage(const Coverage& coverage);
std::string CoverageJson(const Coverage& coverage);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SWEEP_COVERAGE_H_
