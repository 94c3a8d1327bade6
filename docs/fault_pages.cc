#include "docs/fault_pages.h"

#include <google/protobuf/text_format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <tuple>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
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

What can go wrong, and what each rank then sees: every entry is a scenario file, is run in the gate
over many seeds, and shows here what a run of seed 1 showed. [scenarios.md](scenarios.md) tells how to
write one of your own.

)";

// "B10" after "B9".
std::tuple<std::string, int, std::string> OrderOf(const CatalogueEntry& entry) {
  const std::string row = entry.scenario.rows().empty() ? "~" : entry.scenario.rows(0);
  int number = 0;
  if (!absl::SimpleAtoi(row.substr(1), &number)) number = 0;
  return {row.substr(0, 1), number, entry.name};
}

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

std::string Section(const CatalogueEntry& entry) {
  const Scenario& scenario = entry.scenario;
  std::string section =
      absl::StrCat("## ", absl::StrJoin(scenario.rows(), ", "), scenario.rows().empty() ? "" : ": ",
                   TitleOf(entry), "\n\n", scenario.about(), "\n\n", "Scenario: [", entry.name,
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

}  // namespace

std::vector<CatalogueEntry> ReadCatalogue(const std::string& folder) {
  std::vector<CatalogueEntry> catalogue;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() != ".textproto") continue;
    std::stringstream text;
    text << std::ifstream(file.path()).rdbuf();
    absl::StatusOr<Scenario> scenario = fault::ParseScenario(text.str(), file.path().string());
    if (!scenario.ok()) LOG(FATAL) << scenario.status().message();
    catalogue.push_back({file.path().stem().string(), *std::move(scenario)});
  }
  std::sort(catalogue.begin(), catalogue.end(),
            [](const auto& a, const auto& b) { return OrderOf(a) < OrderOf(b); });
  return catalogue;
}

std::string RenderFaultPages(const std::vector<CatalogueEntry>& catalogue) {
  std::string page = kHead;
  for (const CatalogueEntry& entry : catalogue) page += Section(entry);
  while (page.size() > 1 && page[page.size() - 2] == '\n') page.pop_back();
  return page;
}

}  // namespace rollcall
