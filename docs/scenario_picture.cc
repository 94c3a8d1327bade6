#include "docs/scenario_picture.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/status/statusor.h"
#include "fault_injection/scenario/bundle.h"
#include "fault_injection/scenario/fixtures.h"
#include "fault_injection/scenario/scenario.pb.h"
#include "fault_injection/scenario/scenario_runner.h"
#include "fault_injection/scenario/scenario_text.h"
#include "glog/logging.h"

namespace rollcall {

std::string DrawScenario(const std::string& path) {
  std::ifstream file(path);
  CHECK(file) << path << " cannot be read";
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const absl::StatusOr<fault::Scenario> scenario = fault::ParseScenario(text, path);
  CHECK(scenario.ok()) << scenario.status();
  const fault::SeedFailure passed = {.seed = 1, .choices = {}, .failures = {"passed"}};
  const std::string name = std::filesystem::path(path).stem();
  return fault::MakeBundle(*scenario, name, text, /*fixtures=*/{}, passed).files.at("sequence.svg");
}

}  // namespace rollcall
