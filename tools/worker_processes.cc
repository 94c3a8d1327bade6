#include "tools/worker_processes.h"

#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"

extern char** environ;

namespace rollcall::tools {

WorkerProcesses::~WorkerProcesses() {
  for (pid_t pid : running_) kill(pid, SIGKILL);
  for (pid_t pid : running_) waitpid(pid, nullptr, 0);
}

absl::Status WorkerProcesses::Start(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, "/proc/self/exe", nullptr, nullptr, argv.data(), environ);
  if (error != 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot start worker process ", running_.size(), ": ", strerror(error),
                     "; if this is about the number of processes, see ulimit -u"));
  }
  running_.push_back(pid);
  return absl::OkStatus();
}

bool WorkerProcesses::Poll() {
  std::erase_if(running_, [this](pid_t pid) {
    int status = 0;
    if (waitpid(pid, &status, WNOHANG) != pid) return false;
    exit_statuses_.push_back(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return true;
  });
  return !running_.empty();
}

void DieWithParent() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have died before that: then somebody else has adopted us.
  if (getppid() == 1) _exit(128 + SIGKILL);
}

}  // namespace rollcall::tools
