// The parent's side of one process of a real run.
#ifndef ROLLCALL_FAULT_INJECTION_REAL_ROLE_PROCESS_H_
#define ROLLCALL_FAULT_INJECTION_REAL_ROLE_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fault_injection/real/role_lines.h"
#include "net/owned_fd.h"

namespace rollcall::fault {

// Not thread-safe. It inherits standard error, and no other descriptor.
class RoleProcess {
 public:
  // `argv[0]` is the program's path. ResourceExhausted, NotFound.
  static absl::StatusOr<std::unique_ptr<RoleProcess>> Start(std::vector<std::string> argv);
  // Kills it if it still runs, and waits for its end.
  ~RoleProcess();

  RoleProcess(const RoleProcess&) = delete;
  RoleProcess& operator=(const RoleProcess&) = delete;

  pid_t pid() const { return pid_; }
  // Readable when it has said something, or has ended.
  int fd() const { return from_.get(); }

  // Lost if it has ended.
  void Say(absl::string_view line);
  // Tells it that nothing more will be said.
  void SayNoMore() { to_.Reset(); }
  // Reads what it has said without waiting for more. False once it will say nothing more.
  bool Hear();
  // The next line of what was heard.
  std::optional<std::string> NextLine() { return lines_.Next(); }

  // When it returns, no thread of the process runs any more, or the process has ended.
  void Stop();
  void Continue();
  void Kill();
  // Its limit of open descriptors; returns what it was.
  int LimitDescriptors(int max);
  // Waits for its end. Its exit status, or 128 + the number of the signal that killed it.
  int Reap();

 private:
  RoleProcess(pid_t pid, net::OwnedFd to, net::OwnedFd from);

  void Signal(int signal_number);

  const pid_t pid_;
  net::OwnedFd to_;
  net::OwnedFd from_;
  LineBuffer lines_;
  std::optional<int> exit_status_;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REAL_ROLE_PROCESS_H_
