// A server started as a process of its own.
#ifndef ROLLCALL_TOOLS_BENCH_SERVER_PROCESS_H_
#define ROLLCALL_TOOLS_BENCH_SERVER_PROCESS_H_

#include <netinet/in.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/bench/target.h"

namespace rollcall::bench {

struct ServerCommand {
  std::vector<std::string> argv;
  sockaddr_in address = {};   // Where it will listen.
  int core = -1;              // -1: where this process may be.
  bool on_all_cores = false;  // Even if this process is kept on one.
  int inherited_fd = -1;      // -1: none.
  // Destroyed when the server has ended: what it needs while it runs.
  std::vector<std::shared_ptr<void>> kept = {};
};

// Starts it with /dev/null for its input and output, and returns when it can be connected to. It
// dies with this process. Unavailable.
absl::StatusOr<std::unique_ptr<Server>> StartServer(const ServerCommand& command);

// A socket bound to a free port of 127.0.0.1, and its address.
struct BoundSocket {
  int fd = -1;
  sockaddr_in address = {};
};
BoundSocket BindFreePort();

// The address of a port that was free a moment ago, for servers that want to be told one.
sockaddr_in FreeAddress();

}  // namespace rollcall::bench

#endif  // ROLLCALL_TOOLS_BENCH_SERVER_PROCESS_H_
