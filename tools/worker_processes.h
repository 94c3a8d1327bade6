// The worker processes of a tool: started from the tool's own binary, and never left behind.
#ifndef ROLLCALL_TOOLS_WORKER_PROCESSES_H_
#define ROLLCALL_TOOLS_WORKER_PROCESSES_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace rollcall::tools {

// Not thread-safe. Destroying it kills (SIGKILL) and reaps what still runs; a worker also dies with
// the process that started it.
class WorkerProcesses {
 public:
  WorkerProcesses() = default;
  ~WorkerProcesses();
  WorkerProcesses(const WorkerProcesses&) = delete;
  WorkerProcesses& operator=(const WorkerProcesses&) = delete;

  // Starts this very program with `arguments`; it shares stdout and stderr.
  absl::Status Start(std::vector<std::string> arguments);

  // Reaps what has ended. True while any still runs.
  bool Poll();

  // By the order in which they were started: exit statuses, 128 + N for one that signal N killed;
  // nullopt for one that still runs.
  const std::vector<std::optional<int>>& exit_statuses() const { return exit_statuses_; }

 private:
  std::vector<pid_t> pids_;
  std::vector<std::optional<int>> exit_statuses_;
};

// To be called first thing by a worker: makes it die with the process `parent` that started it, and
// at once if that is gone already. The parent has to say who it is: in a container it may well have
// the number of the process that adopts orphans.
void DieWithParent(pid_t parent);

}  // namespace rollcall::tools

#endif  // ROLLCALL_TOOLS_WORKER_PROCESSES_H_
