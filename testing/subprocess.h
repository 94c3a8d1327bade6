// Another program, run by a test: its standard output read line by line, its end awaited, each
// under a deadline.
#ifndef ROLLCALL_TESTING_SUBPROCESS_H_
#define ROLLCALL_TESTING_SUBPROCESS_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rollcall {

// Where Bazel put a file of this module that is in the `data` of the test: "tools/store_server".
std::string RunfilePath(absl::string_view path_from_root);

struct SubprocessOptions {
  std::vector<std::string> argv;  // argv[0] is the program's path.
  // "NAME=value": added to this process's environment, or put in the place of what is there.
  std::vector<std::string> environment;
  std::string stdin_text;  // All that it can read from its standard input.
};

// Not thread-safe. Deadlines are on the system's clock (absl::Now()).
class Subprocess {
 public:
  static absl::StatusOr<std::unique_ptr<Subprocess>> Start(const SubprocessOptions& options);
  // Kills the program if it still runs, and waits for its end.
  ~Subprocess();

  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  pid_t pid() const { return pid_; }

  // The next line of its standard output, without the newline. OutOfRange when there is none and
  // will be none, DeadlineExceeded.
  absl::StatusOr<std::string> ReadLine(absl::Time deadline);
  // All that is left of its standard output, once it has closed it. DeadlineExceeded.
  absl::StatusOr<std::string> ReadToEnd(absl::Time deadline);
  // All that it has written to its standard error so far.
  std::string StderrSoFar() const;
  // Waits until that contains `text`. DeadlineExceeded, also as soon as the program has ended.
  absl::Status AwaitStderr(absl::string_view text, absl::Time deadline) const;

  absl::Status Signal(int signal_number);
  // Its exit status, or 128 + the number of the signal that killed it. DeadlineExceeded. May be
  // asked again.
  absl::StatusOr<int> WaitForExit(absl::Time deadline);

 private:
  Subprocess(pid_t pid, int pid_fd, int stdout_fd, int stderr_fd);

  // Reads once from its standard output into output_. False at its end.
  absl::StatusOr<bool> ReadMore(absl::Time deadline);

  const pid_t pid_;
  const int pid_fd_;
  const int stdout_fd_;  // The reading end of a pipe.
  const int stderr_fd_;  // A file in memory.
  std::string output_;   // Read and not yet asked for.
  bool reaped_ = false;
  int exit_status_ = 0;
};

}  // namespace rollcall

#endif  // ROLLCALL_TESTING_SUBPROCESS_H_
