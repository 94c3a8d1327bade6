// Runs fault scenarios: the program behind every fault_scenario_test, and one for the command line.
#include <gflags/gflags.h>
#include <glog/logging.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fault_injection/choice_record.h"
#include "fault_injection/real/real_run.h"
#include "fault_injection/scenario/bundle.h"
#include "fault_injection/scenario/fixtures.h"
#include "fault_injection/scenario/run_result.h"
#include "fault_injection/scenario/scenario.pb.h"
#include "fault_injection/scenario/scenario_runner.h"
#include "fault_injection/scenario/scenario_text.h"
#include "fault_injection/scenario/sim_run.h"
#include "net/address.h"
#include "tools/fault_run_real.h"

DEFINE_uint64(seeds, 0, "How many seeds to run of each scenario; 0: as many as it says.");
DEFINE_uint64(first_seed, 1, "The first of them.");
DEFINE_string(replay, "",
              "Run one scenario once, with the choices of this file (choices.txt of a bundle).");
DEFINE_string(out, "",
              "Where to write a folder for each failure: the plan, the choices, traces and a "
              "picture. Under `bazel test`, the test's undeclared outputs if not given.");
DEFINE_bool(twice, true, "Run each seed twice, and fail where the two runs differ.");
DEFINE_string(
    rung, "sim",
    "\"sim\": in the simulator, many seeds. \"real\": once, with real processes and a proxy "
    "between them.");
DEFINE_string(server, "",
              "HOST:PORT of a server that runs already, ours or not; with --rung=real, no server "
              "process is started then.");
DEFINE_string(process, "",
              "The program that plays the roles of a real run; fault_process beside this one if "
              "not given.");
DEFINE_bool(keep_going, false, "Go on after the first seed that fails.");
DEFINE_bool(picture, false, "Write the folder for the first seed even if it does not fail.");

namespace rollcall::fault {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr absl::Duration kProgressInterval = absl::Seconds(2);

std::string FromEnvironment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

uint64_t NumberFromEnvironment(const char* name, uint64_t otherwise) {
  uint64_t number = 0;
  return absl::SimpleAtoi(FromEnvironment(name), &number) ? number : otherwise;
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return absl::NotFoundError(absl::StrCat("cannot read ", path));
  }
  return text.str();
}

// "scenarios/a1_occupied_port.textproto" as "a1_occupied_port".
std::string NameOfFile(const std::string& path) { return std::filesystem::path(path).stem(); }

SeedRange Seeds(const Scenario& scenario) {
  const uint64_t shards = NumberFromEnvironment("TEST_TOTAL_SHARDS", 1);
  const uint64_t shard = NumberFromEnvironment("TEST_SHARD_INDEX", 0);
  uint64_t count = FLAGS_seeds;
  if (count == 0) {
    count = scenario.seeds() > 0 ? static_cast<uint64_t>(scenario.seeds()) : kSeedsByDefault;
  }
  // A sanitizer's build takes ten times as long, and looks for something else than the seeds do.
  count = std::min(count, NumberFromEnvironment("ROLLCALL_SEEDS_MAX", count));
  return {.first = FLAGS_first_seed + shard,
          .count = count > shard ? count - shard : 0,
          .step = shards};
}

// Bazel's way to learn that a test knows of its shards.
void TouchShardStatusFile() {
  const std::string path = FromEnvironment("TEST_SHARD_STATUS_FILE");
  if (!path.empty()) std::ofstream(path).put('\n');
}

class Progress {
 public:
  explicit Progress(std::string name) : name_(std::move(name)) {}

  void operator()(uint64_t done, uint64_t of) {
    const absl::Time now = absl::Now();
    if (now - last_ < kProgressInterval) return;
    last_ = now;
    std::cerr << name_ << ": " << done << " of " << of << " seeds\n";
  }

 private:
  const std::string name_;
  absl::Time last_ = absl::Now();
};

std::string OutFolder() {
  return FLAGS_out.empty() ? FromEnvironment("TEST_UNDECLARED_OUTPUTS_DIR") : FLAGS_out;
}

void WriteBundle(const Bundle& bundle, const std::string& name, uint64_t seed) {
  const std::string out = OutFolder();
  if (out.empty()) return;
  const std::filesystem::path folder =
      std::filesystem::path(out) / absl::StrCat(name, ".seed", seed);
  std::filesystem::create_directories(folder);
  for (const auto& [file, content] : bundle.files) {
    std::ofstream(folder / file, std::ios::binary) << content;
  }
  std::cout << "  bundle: " << folder.string() << "\n";
}

std::string ReplayCommand(const std::string& path, uint64_t seed) {
  const std::string target = FromEnvironment("TEST_TARGET");
  if (!target.empty()) {
    return absl::StrCat("bazel test ", target,
                        " --test_arg=--seeds=1 --test_arg=--first_seed=", seed,
                        " --test_sharding_strategy=disabled");
  }
  return absl::StrCat("bazel run //tools:fault_run -- --seeds=1 --first_seed=", seed, " ",
                      std::filesystem::absolute(path).string());
}

void Show(const SeedFailure& failure, const Scenario& scenario, const std::string& path,
          const std::string& text, const Fixtures& fixtures) {
  std::cout << "\n" << NameOfFile(path) << ", seed " << failure.seed << " failed:\n";
  for (const std::string& line : failure.failures) std::cout << "  " << line << "\n";
  const Bundle bundle = MakeBundle(scenario, NameOfFile(path), text, fixtures, failure);
  if (!bundle.ladder.empty()) std::cout << "\n" << bundle.ladder << "\n";
  WriteBundle(bundle, NameOfFile(path), failure.seed);
  std::cout << "  again:  " << ReplayCommand(path, failure.seed) << "\n\n";
}

absl::StatusOr<RunnerReport> Run(const Scenario& scenario, const std::string& path,
                                 const Fixtures& fixtures) {
  if (!FLAGS_replay.empty()) {
    const absl::StatusOr<std::string> choices_text = ReadFile(FLAGS_replay);
    if (!choices_text.ok()) return choices_text.status();
    const absl::StatusOr<ChoiceRecord> choices = ChoiceRecordFromText(*choices_text);
    if (!choices.ok()) return choices.status();
    return RunReplay(scenario, fixtures, *choices);
  }
  RunnerOptions options;
  options.seeds = Seeds(scenario);
  options.runs_twice = FLAGS_twice;
  options.stops_at_failure = !FLAGS_keep_going;
  options.on_progress = Progress(NameOfFile(path));
  return RunSeeds(scenario, fixtures, options);
}

absl::StatusOr<RealRunOptions> RealOptions(const std::string& path) {
  RealRunOptions options;
  options.scenario_path = std::filesystem::absolute(path).string();
  options.process_path = FLAGS_process.empty() ? tools::DefaultProcessPath() : FLAGS_process;
  if (FLAGS_server.empty()) return options;
  const absl::StatusOr<net::Endpoint> server = net::Endpoint::Parse(FLAGS_server);
  if (!server.ok()) return server.status();
  options.server = *server;
  return options;
}

// Whether the scenario passed; a status if it is none.
absl::StatusOr<bool> RunFile(const std::string& path, const Fixtures& fixtures) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  const absl::StatusOr<Scenario> scenario = ParseScenario(*text, path);
  if (!scenario.ok()) return scenario.status();
  if (FLAGS_rung == "real") {
    const absl::StatusOr<RealRunOptions> options = RealOptions(path);
    if (!options.ok()) return options.status();
    return tools::RunFileForReal(*scenario, NameOfFile(path), *options);
  }
  const absl::Time begin = absl::Now();
  const absl::StatusOr<RunnerReport> report = Run(*scenario, path, fixtures);
  if (!report.ok()) return report.status();
  const absl::Duration took = absl::Trunc(absl::Now() - begin, absl::Microseconds(100));
  for (const SeedFailure& failure : report->failures) {
    Show(failure, *scenario, path, *text, fixtures);
  }
  if (FLAGS_picture && report->failures.empty()) {
    const RunResult again = RunSimulated(*scenario, fixtures, {.seed = FLAGS_first_seed});
    const SeedFailure passed = {
        .seed = FLAGS_first_seed, .choices = again.choices, .failures = {"passed"}};
    WriteBundle(MakeBundle(*scenario, NameOfFile(path), *text, fixtures, passed), NameOfFile(path),
                passed.seed);
  }
  std::cout << (report->passed() ? "passed  " : "FAILED  ") << NameOfFile(path) << ": "
            << report->seeds_run << " seeds, " << absl::FormatDuration(report->virtual_time)
            << " of virtual time in " << absl::FormatDuration(took) << std::endl;
  return report->passed();
}

int Main(const std::vector<std::string>& paths) {
  if (FLAGS_rung != "sim" && FLAGS_rung != "real") {
    std::cerr << "fault_run: --rung is \"" << FLAGS_rung << "\"; it is sim or real\n";
    return kUsage;
  }
  if (paths.empty() || (!FLAGS_replay.empty() && paths.size() != 1)) {
    std::cerr << "fault_run: name scenario files; with --replay, one\n";
    return kUsage;
  }
  TouchShardStatusFile();
  const Fixtures fixtures = UserFixtures();
  int failed = 0;
  for (const std::string& path : paths) {
    const absl::StatusOr<bool> passed = RunFile(path, fixtures);
    if (!passed.ok()) {
      std::cerr << passed.status().message() << "\n";
      return kUsage;
    }
    failed += *passed ? 0 : 1;
  }
  if (paths.size() > 1) {
    std::cout << paths.size() - static_cast<size_t>(failed) << " scenarios passed, " << failed
              << " failed\n";
  }
  return failed == 0 ? 0 : kFailed;
}

}  // namespace
}  // namespace rollcall::fault

int main(int argc, char** argv) {
  gflags::SetUsageMessage("runs fault scenarios: fault_run [FLAGS] SCENARIO.textproto...");
  gflags::ParseCommandLineFlags(&argc, &argv, /*remove_flags=*/true);
  // What the product logs about faults is what was asked for; it is in the traces.
  FLAGS_minloglevel = google::GLOG_ERROR;
  google::InitGoogleLogging(argv[0]);
  return rollcall::fault::Main({argv + 1, argv + argc});
}
