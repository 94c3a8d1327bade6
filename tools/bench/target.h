// The servers that are measured, and how to start them.
#ifndef ROLLCALL_TOOLS_BENCH_TARGET_H_
#define ROLLCALL_TOOLS_BENCH_TARGET_H_

#include <netinet/in.h>
#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "net/tls/tls_context.h"
#include "tools/bench/dialog.h"

namespace rollcall::bench {

// A server that runs. Destroying it kills the process, if it was started here.
class Server {
 public:
  virtual ~Server() = default;
  virtual pid_t pid() const = 0;  // 0: unknown.
  virtual sockaddr_in address() const = 0;
};

struct Target {
  std::string name;
  std::shared_ptr<const Dialog> dialog;
  std::shared_ptr<const net::TlsContext> tls = nullptr;  // Of a load. Null: in the clear.
  // The name of the same without its layers (layer.h), to which their cost is a ratio. Empty: it
  // has none.
  std::string plain = {};
  // False where the server is someone else's, and stays from one workload to the next.
  bool starts_anew = true;
  std::function<absl::StatusOr<std::unique_ptr<Server>>()> start;
};

struct TargetPaths {
  std::string store_bench;  // This program, which is the echo limit too.
  std::string store_server;
  std::string redis_server;  // Empty: not installed.
  std::string memcached;
  int server_core = -1;   // -1: wherever the kernel puts it.
  bool realtime = false;  // What is started from here inherits it; running servers are told.
};

// The echo limit: `store_bench --serve_echo=FD`.
Target EchoTarget(const TargetPaths& paths);
// Our server: "BACKEND[@THREADS][-DIALECT][+LAYER...]". With more threads than one it is not kept
// on server_core. InvalidArgument.
absl::StatusOr<Target> StoreTarget(absl::string_view name, const TargetPaths& paths);
Target RedisTarget(const TargetPaths& paths);
Target MemcachedTarget(const TargetPaths& paths);
// "NAME=HOST:PORT[,PID][,legacy]": a TCPStore's server that runs already; HOST is a numeric IPv4
// address. InvalidArgument.
absl::StatusOr<Target> RunningTarget(absl::string_view text, const TargetPaths& paths);

// The file `name` in one of the folders of PATH or where Debian puts servers; empty if there is
// none.
std::string FindProgram(absl::string_view name);

}  // namespace rollcall::bench

#endif  // ROLLCALL_TOOLS_BENCH_TARGET_H_
