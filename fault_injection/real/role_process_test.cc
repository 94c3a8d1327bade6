#include "fault_injection/real/role_process.h"

#include <poll.h>
#include <signal.h>

#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace rollcall::fault {
namespace {

std::unique_ptr<RoleProcess> StartShell(const std::string& script) {
  return RoleProcess::Start({"/bin/sh", "-c", script}).value();
}

// As /proc has it: R runs, S waits, T is stopped.
std::string StateOf(const RoleProcess& process) {
  std::ifstream file(absl::StrCat("/proc/", process.pid(), "/stat"));
  std::string pid, name, state;
  file >> pid >> name >> state;
  return state;
}

// Waits for it.
std::string NextLineOf(RoleProcess& process) {
  for (bool more = true;;) {
    // Its last line and its end may be heard at once.
    if (const std::optional<std::string> line = process.NextLine()) return *line;
    if (!more) return "(nothing more)";
    more = process.Hear();
    pollfd readable = {.fd = process.fd(), .events = POLLIN, .revents = 0};
    if (more) poll(&readable, 1, /*timeout=*/-1);
  }
}

TEST(RoleProcessTest, SaysWhatItIsToldAndEndsWithItsStatus) {
  const auto process = StartShell("read line; echo \"heard $line\"; exit 3");
  process->Say("this");
  EXPECT_EQ(NextLineOf(*process), "heard this");
  EXPECT_EQ(process->Reap(), 3);
}

TEST(RoleProcessTest, HasStoppedWhenStopReturns) {
  const auto process = StartShell("while :; do :; done");
  for (int i = 0; i < 20; ++i) {
    process->Stop();
    EXPECT_EQ(StateOf(*process), "T");
    process->Stop();
    EXPECT_EQ(StateOf(*process), "T");
    process->Continue();
    EXPECT_NE(StateOf(*process), "T");
  }
}

TEST(RoleProcessTest, StoppingOneThatHasEndedDoesNothing) {
  const auto process = StartShell("exit 3");
  EXPECT_EQ(NextLineOf(*process), "(nothing more)");
  process->Stop();
  EXPECT_EQ(process->Reap(), 3);
  process->Stop();
}

TEST(RoleProcessTest, AStoppedOneCanBeKilled) {
  const auto process = StartShell("while :; do :; done");
  process->Stop();
  process->Kill();
  EXPECT_EQ(process->Reap(), 128 + SIGKILL);
}

TEST(RoleProcessTest, AProgramThatIsNotThereIsNotFound) {
  EXPECT_EQ(RoleProcess::Start({"/no/such/program"}).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace rollcall::fault
