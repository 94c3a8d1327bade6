#include "fault_injection/sweep/coverage.h"

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fault_injection/legal_errnos.h"
#include "fault_injection/scenario/errno_names.h"
#include "store/error_code.h"

namespace rollcall::fault {
namespace {

// The list's entry for it; null if there is none.
const NeverMade* ExcuseFor(const Contract& contract, absl::string_view call,
                           absl::string_view error) {
  for (const NeverMade& excuse : contract.never_made()) {
    if (excuse.call() != call) continue;
    if (excuse.errors().empty() || absl::c_linear_search(excuse.errors(), error)) return &excuse;
  }
  return nullptr;
}

void CoverCallError(const std::string& call, const std::string& error, uint64_t fired,
                    const Contract& contract, Coverage& coverage) {
  CoverageRow row;
  row.name = absl::StrCat(call, " ", error);
  row.fired = fired;
  const NeverMade* const excuse = ExcuseFor(contract, call, error);
  if (excuse != nullptr) row.excused = excuse->why();
  if (excuse != nullptr && fired > 0) {
    coverage.gaps.push_back(absl::StrCat(
        row.name, " was injected, though the contract's never_made says: ", excuse->why()));
  }
  row.asserted_by = fired > 0 ? "contract" : "";
  row.is_covered = (fired > 0) != (excuse != nullptr);
  if (fired == 0 && excuse == nullptr) {
    coverage.gaps.push_back(absl::StrCat(row.name, " was never injected"));
  }
  coverage.call_errors.push_back(std::move(row));
}

std::string JsonText(absl::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    if (c == '\n') {
      quoted += "\\n";
    } else {
      quoted.push_back(c);
    }
  }
  return quoted + "\"";
}

std::string RowsAsJson(const std::vector<CoverageRow>& rows) {
  return absl::StrCat(
      "[\n",
      absl::StrJoin(rows, ",\n",
                    [](std::string* out, const CoverageRow& row) {
                      absl::StrAppend(out, "    {\"name\": ", JsonText(row.name),
                                      ", \"fired\": ", row.fired,
                                      ", \"asserted_by\": ", JsonText(row.asserted_by),
                                      ", \"excused\": ", JsonText(row.excused),
                                      ", \"covered\": ", row.is_covered ? "true" : "false", "}");
                    }),
      "\n  ]");
}

std::string RowsAsTable(absl::string_view what, const std::vector<CoverageRow>& rows) {
  std::string text = absl::StrCat("| ", what, " | fired | asserted by | |\n|---|---|---|---|\n");
  for (const CoverageRow& row : rows) {
    const std::string remark =
        row.is_covered ? row.excused : absl::StrCat("**NOT COVERED** ", row.excused);
    absl::StrAppend(&text, "| ", row.name, " | ", row.fired, " | ", row.asserted_by, " | ", remark,
                    " |\n");
  }
  return text;
}

size_t Covered(const std::vector<CoverageRow>& rows) {
  return static_cast<size_t>(
      absl::c_count_if(rows, [](const CoverageRow& row) { return row.is_covered; }));
}

}  // namespace

void CoverageTally::AddScenario(absl::string_view name, const RunnerReport& report) {
  for (const std::string& code : report.asserted_codes) asserted_by_[code].emplace(name);
  for (const auto& [call_and_error, times] : report.injected) injected_[call_and_error] += times;
  for (const SeedFailure& failure : report.failures) {
    failed_.push_back(absl::StrCat("scenario ", name, ", seed ", failure.seed, ": ",
                                   absl::StrJoin(failure.failures, "\n    ")));
  }
  if (report.seeds_run == 0) failed_.push_back(absl::StrCat("scenario ", name, " ran no seed"));
}

Coverage CoverageTally::Finish(const SweepReport& sweep, const ContractTable& contract) const {
  Coverage coverage;
  coverage.gaps = failed_;
  for (const std::string& failure : sweep.failures) {
    coverage.gaps.push_back(absl::StrCat("sweep of ", failure));
  }
  if (!sweep.unknown.empty()) {
    coverage.gaps.push_back(
        absl::StrCat("no cell of the contract speaks of these:\n", CellsAsText(sweep.unknown)));
  }
  for (const ErrorCodeInfo& info : AllErrorCodes()) {
    CoverageRow row;
    row.name = std::string(info.name);
    const auto asserted = asserted_by_.find(row.name);
    row.is_covered = asserted != asserted_by_.end();
    for (const NeverRaised& excuse : contract.contract().never_raised()) {
      if (absl::c_linear_search(excuse.codes(), row.name)) row.excused = excuse.why();
    }
    if (row.is_covered) {
      row.asserted_by = absl::StrJoin(asserted->second, ", ");
      row.fired = asserted->second.size();
      if (!row.excused.empty()) {
        coverage.gaps.push_back(absl::StrCat(
            row.name, " is asserted, though the contract's never_raised says: ", row.excused));
      }
    } else if (row.excused.empty()) {
      coverage.gaps.push_back(absl::StrCat("no scenario asserts ", row.name));
    } else {
      row.is_covered = true;
    }
    row.fired += sweep.codes.contains(row.name);
    coverage.codes.push_back(std::move(row));
  }
  for (const CallRow& call : CallTable()) {
    for (const int value : call.legal_errnos) {
      const std::pair<std::string, std::string> key(call.name, FaultErrnoName(call, value));
      const auto swept = sweep.injected.find(key);
      const auto planned = injected_.find(key);
      CoverCallError(key.first, key.second,
                     (swept == sweep.injected.end() ? 0 : swept->second) +
                         (planned == injected_.end() ? 0 : planned->second),
                     contract.contract(), coverage);
    }
  }
  coverage.cells = static_cast<size_t>(contract.contract().cells_size());
  coverage.cells_met = contract.cells_met();
  coverage.pair_rules = static_cast<size_t>(contract.contract().pairs_size());
  coverage.pair_rules_met = contract.pair_rules_met();
  for (std::string& unmet : contract.Unmet()) coverage.gaps.push_back(std::move(unmet));
  return coverage;
}

std::string CoveragePage(const Coverage& coverage) {
  std::string text = absl::StrCat(
      "# Fault coverage\n\nError codes that a scenario asserts: ", Covered(coverage.codes), " of ",
      coverage.codes.size(),
      ". Errors of system calls injected, or excused: ", Covered(coverage.call_errors), " of ",
      coverage.call_errors.size(), ". Cells of the contract met: ", coverage.cells_met, " of ",
      coverage.cells, ", rules for pairs: ", coverage.pair_rules_met, " of ", coverage.pair_rules,
      ".\n\n");
  absl::StrAppend(&text, RowsAsTable("error code", coverage.codes), "\n",
                  RowsAsTable("call and error", coverage.call_errors));
  if (!coverage.gaps.empty()) {
    absl::StrAppend(&text, "\n## Gaps\n\n");
    for (const std::string& gap : coverage.gaps) absl::StrAppend(&text, "- ", gap, "\n");
  }
  return text;
}

std::string CoverageJson(const Coverage& coverage) {
  return absl::StrCat(
      "{\n  \"codes\": ", RowsAsJson(coverage.codes),
      ",\n  \"call_errors\": ", RowsAsJson(coverage.call_errors),
      ",\n  \"cells\": ", coverage.cells, ",\n  \"cells_met\": ", coverage.cells_met,
      ",\n  \"pair_rules\": ", coverage.pair_rules,
      ",\n  \"pair_rules_met\": ", coverage.pair_rules_met, ",\n  \"gaps\": [",
      absl::StrJoin(
          coverage.gaps, ", ",
          [](std::string* out, const std::string& gap) { absl::StrAppend(out, JsonText(gap)); }),
      "]\n}\n");
}

}  // namespace rollcall::fault
