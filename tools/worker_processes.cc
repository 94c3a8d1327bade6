#include "tools/worker_processes.h"

#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "absl/strings/str_cat.h"

extern char** environ;

namespace rollcall::tools {

WorkerProcesses::~WorkerProcesses() {
  for (size_t i = 0; i < pids_.size(); ++i) {
    if (!exit_statuses_[i].has_value()) kill(pids_[i], SIGKILL);
  }
  for (size_t i = 0; i < pids_.size(); ++i) {
    if (!exit_statuses_[i].has_value()) waitpid(pids_[i], nullptr, 0);
  }
}

absl::Status WorkerProcesses::Start(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, "/proc/self/exe", nullptr, nullptr, argv.data(), environ);
  if (error != 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot start worker process ", pids_.size(), ": ", strerror(error),
                     "; if this is about the number of processes, see ulimit -u"));
  }
  pids_.push_back(pid);
  exit_statuses_.push_back(std::nullopt);
  return absl::OkStatus();
}

bool WorkerProcesses::Poll() {
  bool any_runs = false;
  for (size_t i = 0; i < pids_.size(); ++i) {
    if (exit_statuses_[i].has_value()) continue;
    int status = 0;
    if (waitpid(pids_[i], &status, WNOHANG) == pids_[i]) {
      exit_statuses_[i] = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    } else {
      any_runs = true;
    }
  }
  return any_runs;
}

void DieWithParent(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have died before that: then somebody else has adopted us.
  if (getppid() != parent) _exit(128 + SIGKILL);
}

}  // namespace rollcall::tools
