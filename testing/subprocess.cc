#include "testing/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace rollcall {
namespace {

absl::Status SystemError(absl::string_view what, int error) {
  return absl::InternalError(absl::StrCat(what, ": ", std::strerror(error)));
}

// An owned descriptor, closed unless released.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) : fd_(std::exchange(other.fd_, -1)) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

absl::StatusOr<Descriptor> FileInMemory(const char* name, absl::string_view content) {
  Descriptor file(memfd_create(name, MFD_CLOEXEC));
  if (file.get() < 0) return SystemError("memfd_create", errno);
  while (!content.empty()) {
    const ssize_t written = write(file.get(), content.data(), content.size());
    if (written < 0) return SystemError("write", errno);
    content.remove_prefix(static_cast<size_t>(written));
  }
  lseek(file.get(), 0, SEEK_SET);
  return file;
}

std::string NameOfVariable(absl::string_view assignment) {
  return std::string(assignment.substr(0, assignment.find('=')));
}

std::vector<std::string> EnvironmentWith(const std::vector<std::string>& added) {
  std::vector<std::string> result = added;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const bool replaced = std::any_of(added.begin(), added.end(), [&](const std::string& other) {
      return NameOfVariable(other) == NameOfVariable(*entry);
    });
    if (!replaced) result.emplace_back(*entry);
  }
  return result;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Polls for input until `deadline`. False if it passed.
absl::StatusOr<bool> AwaitReadable(int fd, absl::Time deadline) {
  while (true) {
    const absl::Duration left = std::max(deadline - absl::Now(), absl::ZeroDuration());
    const timespec timeout = absl::ToTimespec(std::min(left, absl::Hours(24)));
    pollfd watched = {.fd = fd, .events = POLLIN, .revents = 0};
    const int ready = ppoll(&watched, 1, &timeout, nullptr);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return SystemError("ppoll", errno);
    if (absl::Now() >= deadline) return false;
  }
}

}  // namespace

std::string RunfilePath(absl::string_view path_from_root) {
  const char* root = std::getenv("TEST_SRCDIR");
  const char* workspace = std::getenv("TEST_WORKSPACE");
  if (root == nullptr || workspace == nullptr) return std::string(path_from_root);
  return absl::StrCat(root, "/", workspace, "/", path_from_root);
}

absl::StatusOr<std::unique_ptr<Subprocess>> Subprocess::Start(const SubprocessOptions& options) {
  if (options.argv.empty()) return absl::InvalidArgumentError("no program to start");
  absl::StatusOr<Descriptor> input = FileInMemory("stdin", options.stdin_text);
  if (!input.ok()) return input.status();
  absl::StatusOr<Descriptor> errors = FileInMemory("stderr", "");
  if (!errors.ok()) return errors.status();
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC) != 0) return SystemError("pipe2", errno);
  Descriptor output(pipe_fds[0]);
  Descriptor output_writer(pipe_fds[1]);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input->get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output_writer.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors->get(), STDERR_FILENO);
  std::vector<std::string> argv = options.argv;
  std::vector<std::string> environment = EnvironmentWith(options.environment);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, argv[0].c_str(), &actions, nullptr, Pointers(argv).data(),
                                Pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return SystemError(absl::StrCat("starting ", argv[0]), error);

  Descriptor pid_fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (pid_fd.get() < 0) {
    const int pidfd_error = errno;
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return SystemError("pidfd_open", pidfd_error);
  }
  return std::unique_ptr<Subprocess>(
      new Subprocess(pid, pid_fd.Release(), output.Release(), errors->Release()));
}

Subprocess::Subprocess(pid_t pid, int pid_fd, int stdout_fd, int stderr_fd)
    : pid_(pid), pid_fd_(pid_fd), stdout_fd_(stdout_fd), stderr_fd_(stderr_fd) {}

Subprocess::~Subprocess() {
  if (!reaped_) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(pid_fd_);
  close(stdout_fd_);
  close(stderr_fd_);
}

absl::StatusOr<bool> Subprocess::ReadMore(absl::Time deadline) {
  const absl::StatusOr<bool> readable = AwaitReadable(stdout_fd_, deadline);
  if (!readable.ok()) return readable.status();
  if (!*readable) {
    return absl::DeadlineExceededError(absl::StrCat("process ", pid_, " wrote only \"", output_,
                                                    "\"; its stderr: ", StderrSoFar()));
  }
  char buffer[4096];
  const ssize_t size_bytes = read(stdout_fd_, buffer, sizeof(buffer));
  if (size_bytes < 0) return SystemError("read", errno);
  output_.append(buffer, static_cast<size_t>(size_bytes));
  return size_bytes > 0;
}

absl::StatusOr<std::string> Subprocess::ReadLine(absl::Time deadline) {
  while (true) {
    const size_t end = output_.find('\n');
    if (end != std::string::npos) {
      std::string line = output_.substr(0, end);
      output_.erase(0, end + 1);
      return line;
    }
    const absl::StatusOr<bool> more = ReadMore(deadline);
    if (!more.ok()) return more.status();
    if (!*more) {
      if (!output_.empty()) return std::exchange(output_, "");
      return absl::OutOfRangeError(
          absl::StrCat("process ", pid_, " closed its stdout; its stderr: ", StderrSoFar()));
    }
  }
}

absl::StatusOr<std::string> Subprocess::ReadToEnd(absl::Time deadline) {
  while (true) {
    const absl::StatusOr<bool> more = ReadMore(deadline);
    if (!more.ok()) return more.status();
    if (!*more) return std::exchange(output_, "");
  }
}

std::string Subprocess::StderrSoFar() const {
  std::string text;
  char buffer[4096];
  while (true) {
    const ssize_t size_bytes =
        pread(stderr_fd_, buffer, sizeof(buffer), static_cast<off_t>(text.size()));
    if (size_bytes <= 0) return text;
    text.append(buffer, static_cast<size_t>(size_bytes));
  }
}

absl::Status Subprocess::AwaitStderr(absl::string_view text, absl::Time deadline) const {
  // A file in memory never blocks who writes it, and tells nobody that it has grown: so it is
  // looked at again and again, at once when the process has ended.
  constexpr int kLookAgainAfterMs = 1;
  for (bool last_look = false; !absl::StrContains(StderrSoFar(), text);) {
    if (last_look) {
      return absl::DeadlineExceededError(absl::StrCat("process ", pid_, " has not said \"", text,
                                                      "\"; its stderr: ", StderrSoFar()));
    }
    pollfd end = {.fd = pid_fd_, .events = POLLIN, .revents = 0};
    last_look = poll(&end, 1, kLookAgainAfterMs) != 0 || absl::Now() >= deadline;
  }
  return absl::OkStatus();
}

absl::Status Subprocess::Signal(int signal_number) {
  if (reaped_) return absl::FailedPreconditionError("the process has ended");
  if (kill(pid_, signal_number) != 0) return SystemError("kill", errno);
  return absl::OkStatus();
}

absl::StatusOr<int> Subprocess::WaitForExit(absl::Time deadline) {
  if (reaped_) return exit_status_;
  const absl::StatusOr<bool> ended = AwaitReadable(pid_fd_, deadline);
  if (!ended.ok()) return ended.status();
  if (!*ended) {
    return absl::DeadlineExceededError(
        absl::StrCat("process ", pid_, " still runs; its stderr: ", StderrSoFar()));
  }
  int status = 0;
  if (waitpid(pid_, &status, 0) != pid_) return SystemError("waitpid", errno);
  reaped_ = true;
  exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return exit_status_;
}

}  // namespace rollcall
