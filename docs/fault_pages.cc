#include "docs/fault_pages.h"

#include <google/protobuf/text_format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "fault_injection/scenario/scenario_text.h"
#include "fault_injection/scenario/sim_run.h"
#include "glog/logging.h"

namespace rollcall {
namespace {

using fault::RunResult;
using fault::Scenario;
using fault::StepOutcome;

constexpr size_t kShownBytesMax = 60;

constexpr char kHead[] = R"(# Faults, one by one

<!-- Made from fault_injection/scenarios by `bazel run //docs:update_faults`; a test fails when they differ. -->

What can go wrong, what the kernel then does, and what each rank sees: every entry is a scenario file,
is run in the gate over many seeds, and shows here what a run of seed 1 showed.
[scenarios.md](scenarios.md) tells how to write one of your own.

)";

// One line of textproto, as an author writes it.
std::string OnOneLine(const google::protobuf::Message& message) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  std::string text;
  printer.PrintToString(message, &text);
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

// What an error says without the peers and ports of the run.
std::string Gist(const std::string& text) { return text.substr(0, text.find(" [")); }

std::string Cell(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"|", "\\|"}, {"\n", " "}});
}

std::string SeenBy(const StepOutcome& outcome) {
  if (!outcome.has_ended()) return "its process dies in it";
  // How long what went well took hangs on the seed.
  if (outcome.ok()) {
    const bool has_value = !outcome.value().empty() && outcome.value().size() <= kShownBytesMax;
    return has_value ? absl::StrCat("OK, `", absl::Utf8SafeCHexEscape(outcome.value()), "`") : "OK";
  }
  const absl::Duration took = absl::Trunc(
      absl::Nanoseconds(outcome.ended_ns() - outcome.began_ns()), absl::Microseconds(1));
  const std::string code = outcome.code() == "INVALID_ARGUMENT"
                               ? "std::invalid_argument"
                               : absl::StrCat("[", outcome.code(), "](errors.md#",
                                              absl::AsciiStrToLower(outcome.code()), ")");
  return absl::StrCat(code, " after ", absl::FormatDuration(took), ": ", Gist(outcome.text()));
}

// Ranks that saw the same share a row.
std::string OutcomeTable(const RunResult& result) {
  std::vector<std::pair<std::string, std::vector<std::string>>> rows;
  // Who came first hangs on the seed too.
  std::vector<StepOutcome> outcomes = result.outcomes;
  std::stable_sort(outcomes.begin(), outcomes.end(), [](const auto& a, const auto& b) {
    return std::make_pair(a.who().size(), a.who()) < std::make_pair(b.who().size(), b.who());
  });
  for (const StepOutcome& outcome : outcomes) {
    // That a step did nothing worth a word is no news.
    if (outcome.ok() && (outcome.operation() == "join" || outcome.operation() == "sleep" ||
                         outcome.operation() == "start")) {
      continue;
    }
    const std::string seen = absl::StrCat("`", outcome.step(), "` | ", Cell(SeenBy(outcome)));
    const auto row = std::find_if(rows.begin(), rows.end(),
                                  [&](const auto& other) { return other.first == seen; });
    if (row == rows.end()) {
      rows.push_back({seen, {outcome.who()}});
    } else {
      row->second.push_back(outcome.who());
    }
  }
  if (rows.empty()) return "";
  std::string table = "| who | step | what it saw |\n|---|---|---|\n";
  for (auto& [seen, who] : rows) {
    constexpr size_t kNamedMax = 8;
    const size_t named = std::min(who.size(), kNamedMax);
    absl::StrAppend(&table, "| ",
                    absl::StrJoin(who.begin(), who.begin() + static_cast<ptrdiff_t>(named), ", "),
                    named < who.size() ? absl::StrCat(" and ", who.size() - named, " more") : "",
                    " | ", seen, " |\n");
  }
  return absl::StrCat(table, "\n");
}

// "slow worker" of "e5_slow_worker", whose row stands before it anyway.
std::string TitleOf(const CatalogueEntry& entry) {
  absl::string_view title = entry.name;
  if (!entry.scenario.rows().empty()) {
    absl::ConsumePrefix(&title, absl::StrCat(absl::AsciiStrToLower(entry.scenario.rows(0)), "_"));
  }
  return absl::StrReplaceAll(title, {{"_", " "}});
}

std::string ScenarioSection(const CatalogueEntry& entry) {
  const Scenario& scenario = entry.scenario;
  std::string section = absl::StrCat(
      "### ", TitleOf(entry), "\n\n", scenario.about(), "\n\n", "Scenario: [", entry.name,
      ".textproto](../fault_injection/scenarios/", entry.name, ".textproto)\n\n");
  if (!scenario.faults().empty() || !scenario.strangers().empty())
    section += "What goes wrong:\n\n";
  for (const fault::Fault& fault : scenario.faults()) {
    absl::StrAppend(&section, "    faults { ", OnOneLine(fault), " }\n");
  }
  for (const fault::Stranger& stranger : scenario.strangers()) {
    absl::StrAppend(&section, "    strangers { ", OnOneLine(stranger), " }\n");
  }
  if (!scenario.faults().empty() || !scenario.strangers().empty()) section += "\n";
  return absl::StrCat(section, OutcomeTable(fault::RunSimulated(scenario, {}, {.seed = 1})));
}

// A scenario stands under its first row; the other rows that it shows only name it.
std::string RowSection(const FaultRow& row, const std::vector<CatalogueEntry>& scenarios) {
  std::string section =
      absl::StrCat("## ", row.id(), ": ", row.fault(), "\n\n", row.kernel(), "\n\n");
  if (!row.remark().empty()) absl::StrAppend(&section, "Note: ", row.remark(), "\n\n");
  std::string own;
  std::vector<std::string> others;
  for (const CatalogueEntry& entry : scenarios) {
    if (entry.scenario.rows(0) == row.id()) {
      own += ScenarioSection(entry);
    } else if (absl::c_linear_search(entry.scenario.rows(), row.id())) {
      others.push_back(absl::StrCat("[", TitleOf(entry), "](../fault_injection/scenarios/",
                                    entry.name, ".textproto)"));
    }
  }
  if (!others.empty()) {
    absl::StrAppend(&section, "Shown as well by: ", absl::StrJoin(others, ", "), "\n\n");
  }
  return section + own;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) LOG(FATAL) << "cannot read " << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void CheckRows(const Catalogue& catalogue) {
  std::set<std::string> known, shown;
  for (const FaultRow& row : catalogue.rows.rows()) known.insert(row.id());
  for (const CatalogueEntry& entry : catalogue.scenarios) {
    if (entry.scenario.rows().empty()) LOG(FATAL) << entry.name << " shows no row";
    for (const std::string& row : entry.scenario.rows()) {
      if (!known.contains(row))
        LOG(FATAL) << entry.name << " shows row " << row << ", which is none";
      shown.insert(row);
    }
  }
  for (const FaultRow& row : catalogue.rows.rows()) {
    if (!shown.contains(row.id()) && row.remark().empty()) {
      LOG(FATAL) << "row " << row.id() << ": no scenario shows it, and nothing says why";
    }
  }
}

}  // namespace

Catalogue ReadCatalogue(const std::string& rows_file, const std::string& scenarios_folder) {
  Catalogue catalogue;
  if (!google::protobuf::TextFormat::ParseFromString(ReadFile(rows_file), &catalogue.rows)) {
    LOG(FATAL) << rows_file << " is no textproto of FaultRows";
  }
  for (const auto& file : std::filesystem::directory_iterator(scenarios_folder)) {
    if (file.path().extension() != ".textproto") continue;
    absl::StatusOr<Scenario> scenario =
        fault::ParseScenario(ReadFile(file.path()), file.path().string());
    if (!scenario.ok()) LOG(FATAL) << scenario.status().message();
    catalogue.scenarios.push_back({file.path().stem().string(), *std::move(scenario)});
  }
  absl::c_sort(catalogue.scenarios,
               [](const CatalogueEntry& a, const CatalogueEntry& b) { return a.name < b.name; });
  CheckRows(catalogue);
  return catalogue;
}

std::string RenderFaultPages(const Catalogue& catalogue) {
  std::string page = kHead;
  for (const FaultRow& row : catalogue.rows.rows()) page += RowSection(row, catalogue.scenarios);
  while (page.size() > 1 && page[page.size() - 2] == '\n') page.pop_back();
  return page;
}

}  // namespace rollcall
