// Holds the scenarios against stores that are wrong: each mutant must fail one of them, and the
// store without a defect none. Each argument is "MUTANT:SCENARIO", the scenario that is tried
// first.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "testing/subprocess.h"

namespace rollcall::fault {
namespace {

constexpr char kSeedsArgument[] = "--seeds=10";
constexpr absl::Duration kPatience = absl::Seconds(60);
constexpr int kScenarioFailed = 1;
constexpr int kUsageError = 2;
constexpr int kFirstSignal = 128;

struct Mutant {
  std::string name;
  std::string first_scenario;
};

struct Verdict {
  enum class Kind { kPassed, kFailed, kCrashed, kHung, kUnusable };
  Kind kind = Kind::kPassed;
  std::string output;
  absl::Duration took;

  bool kills() const {
    return kind == Kind::kFailed || kind == Kind::kCrashed || kind == Kind::kHung;
  }
};

Verdict RunScenario(const std::string& program, const std::string& scenario) {
  const absl::Time start = absl::Now();
  const absl::Time deadline = start + kPatience;
  Verdict verdict;
  const auto finish = [&](Verdict::Kind kind, std::string output) {
    verdict.kind = kind;
    verdict.output = std::move(output);
    verdict.took = absl::Now() - start;
    return verdict;
  };
  // A mutant's traces are nobody's outputs.
  const absl::StatusOr<std::unique_ptr<Subprocess>> run =
      Subprocess::Start({.argv = {program, kSeedsArgument, "--notwice", scenario},
                         .environment = {"TEST_UNDECLARED_OUTPUTS_DIR=", "TEST_TARGET="}});
  if (!run.ok()) return finish(Verdict::Kind::kUnusable, std::string(run.status().message()));
  const absl::StatusOr<std::string> output = (*run)->ReadToEnd(deadline);
  if (!output.ok()) return finish(Verdict::Kind::kHung, "");
  const absl::StatusOr<int> exited = (*run)->WaitForExit(deadline);
  if (!exited.ok()) return finish(Verdict::Kind::kHung, *output);
  if (*exited == 0) return finish(Verdict::Kind::kPassed, *output);
  if (*exited == kScenarioFailed) return finish(Verdict::Kind::kFailed, *output);
  if (*exited > kFirstSignal) return finish(Verdict::Kind::kCrashed, *output);
  static_assert(kUsageError != kScenarioFailed);
  return finish(Verdict::Kind::kUnusable, absl::StrCat(*output, (*run)->StderrSoFar()));
}

std::string NameOf(const std::string& scenario) { return std::filesystem::path(scenario).stem(); }

std::vector<std::string> AllScenarios() {
  std::vector<std::string> scenarios;
  const std::string folder = RunfilePath("fault_injection/scenarios");
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".textproto") scenarios.push_back(entry.path());
  }
  std::sort(scenarios.begin(), scenarios.end());
  return scenarios;
}

// "NAME, seed 3 failed:" says that three seeds were needed, for the first one is 1.
std::string SeedsNeeded(const Verdict& verdict) {
  if (verdict.kind == Verdict::Kind::kCrashed) return "crash";
  if (verdict.kind == Verdict::Kind::kHung) return "hung";
  constexpr absl::string_view kBefore = ", seed ";
  const size_t place = verdict.output.find(std::string(kBefore));
  if (place == std::string::npos) return "?";
  const std::string rest = verdict.output.substr(place + kBefore.size());
  return rest.substr(0, rest.find(' '));
}

void PrintRow(absl::string_view mutant, absl::string_view scenario, absl::string_view seeds,
              absl::string_view time) {
  std::cout << std::left << std::setw(44) << std::string(mutant) << std::setw(44)
            << std::string(scenario) << std::setw(8) << std::string(seeds) << std::string(time)
            << std::endl;
}

std::string Text(absl::Duration time) {
  return absl::FormatDuration(absl::Trunc(time, absl::Milliseconds(1)));
}

// Whether one of the scenarios tells the mutant from the store.
bool IsKilled(const Mutant& mutant, std::vector<std::string> scenarios) {
  const std::string program = RunfilePath(absl::StrCat("fault_injection/mutants/", mutant.name));
  std::stable_partition(scenarios.begin(), scenarios.end(), [&](const std::string& scenario) {
    return NameOf(scenario) == mutant.first_scenario;
  });
  absl::Duration took;
  for (const std::string& scenario : scenarios) {
    const Verdict verdict = RunScenario(program, scenario);
    took += verdict.took;
    if (verdict.kind == Verdict::Kind::kUnusable) {
      std::cout << mutant.name << " cannot run " << scenario << ": " << verdict.output << "\n";
      return false;
    }
    if (verdict.kills()) {
      PrintRow(mutant.name, NameOf(scenario), SeedsNeeded(verdict), Text(took));
      return true;
    }
  }
  PrintRow(mutant.name, "SURVIVED", "", Text(took));
  return false;
}

int CountFailuresOfTheStore(const std::vector<std::string>& scenarios) {
  int failures = 0;
  const std::string program = RunfilePath("tools/fault_run");
  for (const std::string& scenario : scenarios) {
    const Verdict verdict = RunScenario(program, scenario);
    if (verdict.kind == Verdict::Kind::kPassed) continue;
    ++failures;
    std::cout << "without a defect, " << NameOf(scenario) << " fails too:\n"
              << verdict.output << "\n";
  }
  return failures;
}

struct Promise {
  std::set<std::string> names;
  int count = 0;
};

// Rows of the table, "| `z01_...` | ...", and the number in "**41 mutants**".
Promise PromiseOfReadme() {
  Promise promise;
  std::ifstream readme(RunfilePath("fault_injection/mutants/README.md"));
  for (std::string line; std::getline(readme, line);) {
    const std::vector<std::string> parts = absl::StrSplit(line, '`');
    if (absl::StartsWith(line, "| `") && parts.size() >= 3) promise.names.insert(parts[1]);
    const size_t end = line.find(" mutants**");
    const size_t begin = line.rfind("**", end == std::string::npos ? 0 : end - 1);
    if (end == std::string::npos || begin == std::string::npos) continue;
    const std::string number = line.substr(begin + 2, end - begin - 2);
    if (!absl::SimpleAtoi(number, &promise.count)) promise.count = 0;
  }
  return promise;
}

// What the table promises and is not there, and the other way round.
int CountBrokenPromises(const std::vector<Mutant>& mutants) {
  const Promise promise = PromiseOfReadme();
  int broken = 0;
  const auto say = [&broken](absl::string_view what) {
    ++broken;
    std::cout << std::string(what) << "\n";
  };
  std::set<std::string> here;
  for (const Mutant& mutant : mutants) {
    here.insert(mutant.name);
    if (promise.names.count(mutant.name) == 0) {
      say(absl::StrCat("README.md has no row for ", mutant.name));
    }
  }
  for (const std::string& name : promise.names) {
    if (here.count(name) == 0)
      say(absl::StrCat("README.md has a row for ", name, ", which is not"));
  }
  if (promise.count == 0) say("README.md does not say how many mutants there are");
  if (static_cast<int>(here.size()) < promise.count) {
    say(absl::StrCat("README.md promises ", promise.count, " mutants, here are ", here.size()));
  }
  return broken;
}

int Main(const std::vector<std::string>& arguments) {
  std::vector<Mutant> mutants;
  for (const std::string& argument : arguments) {
    const std::vector<std::string> parts = absl::StrSplit(argument, ':');
    if (parts.size() != 2) {
      std::cerr << "mutants_test: MUTANT:SCENARIO is wanted, not " << argument << "\n";
      return kUsageError;
    }
    mutants.push_back({.name = parts[0], .first_scenario = parts[1]});
  }
  const std::vector<std::string> scenarios = AllScenarios();
  int wrong = CountBrokenPromises(mutants) + CountFailuresOfTheStore(scenarios);
  PrintRow("mutant", "killed by", "seeds", "time");
  int killed = 0;
  for (const Mutant& mutant : mutants) killed += IsKilled(mutant, scenarios) ? 1 : 0;
  const int survivors = static_cast<int>(mutants.size()) - killed;
  std::cout << killed << " of " << mutants.size() << " mutants were killed, with "
            << scenarios.size() << " scenarios\n";
  return wrong + survivors == 0 ? 0 : 1;
}

}  // namespace
}  // namespace rollcall::fault

int main(int argc, char** argv) { return rollcall::fault::Main({argv + 1, argv + argc}); }
