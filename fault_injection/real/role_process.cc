#include "fault_injection/real/role_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "net/syscalls.h"

extern char** environ;

namespace rollcall::fault {
namespace {

constexpr size_t kBufferBytes = 16 << 10;
constexpr int kKilledBase = 128;
constexpr int kFirstInherited = 3;

struct Pair {
  net::OwnedFd ours;
  net::OwnedFd theirs;
};

// A socket rather than a pipe: saying something to a process that has ended is no signal then.
absl::StatusOr<Pair> MakePair() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    return absl::ResourceExhaustedError(absl::StrCat("socketpair: ", strerror(errno)));
  }
  net::Syscalls* const calls = &net::RealSyscalls();
  return Pair{net::OwnedFd(calls, fds[0]), net::OwnedFd(calls, fds[1])};
}

}  // namespace

absl::StatusOr<std::unique_ptr<RoleProcess>> RoleProcess::Start(std::vector<std::string> argv) {
  absl::StatusOr<Pair> to = MakePair();
  if (!to.ok()) return to.status();
  absl::StatusOr<Pair> from = MakePair();
  if (!from.ok()) return from.status();
  std::vector<char*> arguments;
  for (std::string& argument : argv) arguments.push_back(argument.data());
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to->theirs.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, from->theirs.get(), STDOUT_FILENO);
  // Limits of descriptors count from where its own begin.
  posix_spawn_file_actions_addclosefrom_np(&actions, kFirstInherited);
  pid_t pid = 0;
  const int error =
      posix_spawn(&pid, argv[0].c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error == ENOENT) return absl::NotFoundError(absl::StrCat("there is no program ", argv[0]));
  if (error != 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot start ", argv[0], ": ", strerror(error)));
  }
  return std::unique_ptr<RoleProcess>(
      new RoleProcess(pid, std::move(to->ours), std::move(from->ours)));
}

RoleProcess::RoleProcess(pid_t pid, net::OwnedFd to, net::OwnedFd from)
    : pid_(pid), to_(std::move(to)), from_(std::move(from)) {}

RoleProcess::~RoleProcess() {
  Kill();
  Reap();
}

void RoleProcess::Say(absl::string_view line) {
  const std::string bytes = absl::StrCat(line, "\n");
  for (absl::string_view rest = bytes; !rest.empty() && to_.is_open();) {
    const ssize_t sent = send(to_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      rest.remove_prefix(static_cast<size_t>(sent));
    } else if (errno != EINTR) {
      return;
    }
  }
}

bool RoleProcess::Hear() {
  char buffer[kBufferBytes];
  while (true) {
    const ssize_t size_bytes = recv(from_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (size_bytes > 0) {
      lines_.Add({buffer, static_cast<size_t>(size_bytes)});
    } else if (size_bytes == 0 || (errno != EINTR && errno != EAGAIN)) {
      return false;
    } else if (errno == EAGAIN) {
      return true;
    }
  }
}

void RoleProcess::Stop() {
  if (exit_status_.has_value()) return;
  Signal(SIGSTOP);
  // The signal only asks for it: until each of its threads has come by, they may still answer. The
  // report of it, as that of an end, is left for whoever reaps.
  siginfo_t ignored = {};
  while (waitid(P_PID, static_cast<id_t>(pid_), &ignored, WSTOPPED | WEXITED | WNOWAIT) != 0 &&
         errno == EINTR) {
  }
}

void RoleProcess::Continue() { Signal(SIGCONT); }

void RoleProcess::Kill() { Signal(SIGKILL); }

void RoleProcess::Signal(int signal_number) {
  // Once reaped, the number may be another's.
  if (!exit_status_.has_value()) kill(pid_, signal_number);
}

int RoleProcess::LimitDescriptors(int max) {
  rlimit before = {};
  if (exit_status_.has_value() || prlimit(pid_, RLIMIT_NOFILE, nullptr, &before) != 0) return max;
  const rlimit after = {.rlim_cur = static_cast<rlim_t>(max), .rlim_max = before.rlim_max};
  prlimit(pid_, RLIMIT_NOFILE, &after, nullptr);
  return static_cast<int>(before.rlim_cur);
}

int RoleProcess::Reap() {
  while (!exit_status_.has_value()) {
    int status = 0;
    if (waitpid(pid_, &status, 0) == pid_) {
      exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : kKilledBase + WTERMSIG(status);
    } else if (errno != EINTR) {
      exit_status_ = -1;
    }
  }
  return *exit_status_;
}

}  // namespace rollcall::fault
