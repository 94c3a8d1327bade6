#include "fault_injection/sweep/sweep_files.h"

#include <deque>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "fault_injection/scenario/scenario_text.h"

namespace rollcall::fault {
namespace {

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

absl::StatusOr<Scenario> ReadScenarioFile(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  return ParseScenario(*text, path);
}

absl::StatusOr<ContractTable> ReadContractFile(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  return ContractTable::Parse(*text, path);
}

std::string NameOfFile(const std::string& path) { return std::filesystem::path(path).stem(); }

absl::StatusOr<SweepReport> SweepFiles(const std::vector<std::string>& paths,
                                       const Fixtures& fixtures, const SweepLimits& limits,
                                       ContractTable* contract) {
  Sweep sweep(contract, fixtures, limits);
  std::deque<Scenario> scenarios;
  for (const std::string& path : paths) {
    absl::StatusOr<Scenario> scenario = ReadScenarioFile(path);
    if (!scenario.ok()) return scenario.status();
    scenarios.push_back(*std::move(scenario));
    sweep.AddWorkload(NameOfFile(path), scenarios.back());
  }
  return sweep.Run();
}

}  // namespace rollcall::fault
