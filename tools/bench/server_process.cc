#include "tools/bench/server_process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "glog/logging.h"
#include "tools/bench/target.h"

namespace rollcall::bench {
namespace {

constexpr absl::Duration kStartTimeout = absl::Seconds(10);

class ServerProcess : public Server {
 public:
  ServerProcess(pid_t pid, const ServerCommand& command)
      : kept_(command.kept), pid_(pid), address_(command.address) {}
  ~ServerProcess() override {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const override { return pid_; }
  sockaddr_in address() const override { return address_; }

 private:
  const std::vector<std::shared_ptr<void>> kept_;
  const pid_t pid_;
  const sockaddr_in address_;
};

bool CanConnect(const sockaddr_in& address) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  PCHECK(fd >= 0);
  const int result = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  close(fd);
  return result == 0;
}

// In the child, between fork and exec.
[[noreturn]] void Become(const ServerCommand& command, const std::vector<char*>& argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (command.core >= 0 || command.on_all_cores) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    for (int core = 0; core < CPU_SETSIZE; ++core) {
      if (command.on_all_cores || core == command.core) CPU_SET(core, &cores);
    }
    sched_setaffinity(0, sizeof(cores), &cores);
  }
  const int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd <= 2; ++fd) dup2(null, fd);
  if (command.inherited_fd >= 0) fcntl(command.inherited_fd, F_SETFD, 0);
  execv(argv[0], argv.data());
  _exit(127);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> StartServer(const ServerCommand& command) {
  std::vector<char*> argv;
  for (const std::string& argument : command.argv) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  const pid_t pid = fork();
  PCHECK(pid >= 0);
  if (pid == 0) Become(command, argv);
  auto server = std::make_unique<ServerProcess>(pid, command);
  const absl::Time deadline = absl::Now() + kStartTimeout;
  while (!CanConnect(command.address)) {
    if (waitpid(pid, nullptr, WNOHANG) == pid) {
      return absl::UnavailableError(absl::StrCat(command.argv[0], " ended at once"));
    }
    if (absl::Now() > deadline) {
      return absl::UnavailableError(absl::StrCat(command.argv[0], " does not listen"));
    }
    absl::SleepFor(absl::Milliseconds(2));
  }
  return server;
}

BoundSocket BindFreePort() {
  BoundSocket bound;
  bound.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bound.address.sin_family = AF_INET;
  bound.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(bound.address);
  PCHECK(bound.fd >= 0);
  PCHECK(bind(bound.fd, reinterpret_cast<sockaddr*>(&bound.address), size) == 0);
  PCHECK(getsockname(bound.fd, reinterpret_cast<sockaddr*>(&bound.address), &size) == 0);
  return bound;
}

sockaddr_in FreeAddress() {
  const BoundSocket bound = BindFreePort();
  close(bound.fd);
  return bound.address;
}

}  // namespace rollcall::bench
