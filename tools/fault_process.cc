// One process of a fault scenario that is run for real: started by fault_run --rung=real.
#include <gflags/gflags.h>
#include <glog/logging.h>

#include <fstream>
#include <sstream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "fault_injection/real/role.h"
#include "fault_injection/scenario/fixtures.h"
#include "fault_injection/scenario/scenario.pb.h"
#include "fault_injection/scenario/scenario_text.h"
#include "tools/worker_processes.h"

DEFINE_string(scenario, "", "The scenario's file.");
DEFINE_string(role, "", "Who to be in it: \"server\", \"w2\", or a stranger's name.");
DEFINE_int32(life, 1, "Which life of that role this is; 2 after its first restart.");
DEFINE_int32(server_port, 0, "The server's port on this machine: to connect to, or to serve at.");
DEFINE_string(directory, "", "A folder for the files of FileStores.");
DEFINE_int32(parent, 0, "The process that started this one; this one dies with it.");

namespace rollcall::fault {
namespace {

constexpr int kUsage = 2;

// Leaves nothing open: a scenario may count descriptors.
absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return absl::NotFoundError(absl::StrCat("cannot read ", path));
  }
  return text.str();
}

int Main() {
  const absl::StatusOr<std::string> text = ReadFile(FLAGS_scenario);
  if (!text.ok()) {
    LOG(ERROR) << text.status().message();
    return kUsage;
  }
  const absl::StatusOr<Scenario> scenario = ParseScenario(*text, FLAGS_scenario);
  if (!scenario.ok()) {
    LOG(ERROR) << scenario.status().message();
    return kUsage;
  }
  RoleOptions options;
  options.role = FLAGS_role;
  options.life = FLAGS_life;
  options.server_port = static_cast<uint16_t>(FLAGS_server_port);
  options.directory = FLAGS_directory;
  const Fixtures fixtures = UserFixtures();
  return PlayRole(*scenario, options, fixtures);
}

}  // namespace
}  // namespace rollcall::fault

int main(int argc, char** argv) {
  gflags::SetUsageMessage("plays one role of a fault scenario; started by fault_run --rung=real");
  gflags::ParseCommandLineFlags(&argc, &argv, /*remove_flags=*/true);
  FLAGS_minloglevel = google::GLOG_ERROR;
  FLAGS_logtostderr = true;
  google::InitGoogleLogging(argv[0]);
  if (FLAGS_parent > 0) rollcall::tools::DieWithParent(FLAGS_parent);
  return rollcall::fault::Main();
}
