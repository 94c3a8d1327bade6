#include "tools/fault_run_real.h"

#include <filesystem>
#include <iostream>
#include <system_error>

#include "absl/time/time.h"
#include "fault_injection/scenario/cast.h"
#include "fault_injection/scenario/host_set.h"
#include "fault_injection/scenario/judge.h"
#include "fault_injection/scenario/run_result.h"

namespace rollcall::tools {
namespace {

using fault::Scenario;

// Nobody sees the start of a server that runs already: what is expected of it is left out.
Scenario WithoutServerExpectations(const Scenario& scenario) {
  Scenario without = scenario;
  without.clear_expects();
  for (const fault::Expect& expect : scenario.expects()) {
    if (!fault::NamesHost(expect.who(), fault::kServerHost)) *without.add_expects() = expect;
  }
  return without;
}

void Show(const std::string& name, const fault::Judgement& judgement,
          const fault::RunResult& result) {
  std::cout << "\n" << name << ", with real processes, failed:\n";
  for (const std::string& line : judgement.failures) std::cout << "  " << line << "\n";
  std::cout << "\n  what every step saw:\n";
  for (const fault::StepOutcome& outcome : result.outcomes) {
    std::cout << "  +" << absl::FormatDuration(absl::Nanoseconds(outcome.began_ns())) << "  "
              << fault::OutcomeText(outcome) << "\n";
  }
  std::cout << "\n";
}

}  // namespace

absl::StatusOr<bool> RunFileForReal(const Scenario& scenario, const std::string& name,
                                    const fault::RealRunOptions& options) {
  const absl::StatusOr<fault::RunResult> result = fault::RunReal(scenario, options);
  if (!result.ok()) return result.status();
  const fault::Judgement judgement =
      fault::Judge(options.server.has_value() ? WithoutServerExpectations(scenario) : scenario,
                   *result, {.patience = fault::kRealPatience});
  const bool passed = judgement.failures.empty();
  if (!passed) Show(name, judgement, *result);
  std::cout << (passed ? "passed  " : "FAILED  ") << name << ": with real processes, in "
            << absl::FormatDuration(absl::Trunc(result->elapsed, absl::Milliseconds(1)))
            << std::endl;
  return passed;
}

std::string DefaultProcessPath() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  return self.parent_path() / "fault_process";
}

}  // namespace rollcall::tools
