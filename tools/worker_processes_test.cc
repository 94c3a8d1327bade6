// The test program is its own worker, as the tools are.
#include "tools/worker_processes.h"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/real_env.h"

namespace rollcall::tools {
namespace {

using testing::ElementsAre;
using testing::Optional;

constexpr int kWorkersStatus = 7;

// Waits for all workers to end; false if they do not.
bool AllEnd(WorkerProcesses& workers) {
  net::Env& env = net::RealEnv();
  const absl::Time deadline = env.Now() + absl::Seconds(30);
  while (workers.Poll()) {
    if (env.Now() >= deadline) return false;
    env.SleepUntil(env.Now() + absl::Milliseconds(1));
  }
  return true;
}

TEST(WorkerProcesses, ReportTheirStatusesInTheOrderOfTheirStart) {
  WorkerProcesses workers;
  ASSERT_TRUE(workers.Start({"worker", "exit", absl::StrCat(getpid())}).ok());
  ASSERT_TRUE(workers.Start({"worker", "abort", absl::StrCat(getpid())}).ok());
  ASSERT_TRUE(AllEnd(workers));
  EXPECT_THAT(workers.exit_statuses(),
              ElementsAre(Optional(kWorkersStatus), Optional(128 + SIGABRT)));
}

// In a container the parent is often process 1: its number says nothing, only whether it is the one
// that started the worker.
TEST(WorkerProcesses, DieAtOnceIfTheirParentIsAnother) {
  WorkerProcesses workers;
  ASSERT_TRUE(workers.Start({"worker", "exit", absl::StrCat(getpid() + 1)}).ok());
  ASSERT_TRUE(AllEnd(workers));
  EXPECT_THAT(workers.exit_statuses(), ElementsAre(Optional(128 + SIGKILL)));
}

TEST(WorkerProcesses, AreNotLeftBehind) {
  WorkerProcesses workers;
  ASSERT_TRUE(workers.Start({"worker", "stay", absl::StrCat(getpid())}).ok());
  // Its destruction would wait for ever if it did not end them.
}

int BeWorker(absl::string_view what, pid_t parent) {
  DieWithParent(parent);
  if (what == "abort") std::abort();
  while (what == "stay") pause();
  return kWorkersStatus;
}

}  // namespace
}  // namespace rollcall::tools

int main(int argc, char** argv) {
  if (argc == 3) return rollcall::tools::BeWorker(argv[1], std::atoi(argv[2]));
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
