#include "tools/bench/target.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "glog/logging.h"
#include "store/protocol/dialect.h"
#include "tools/bench/dialog.h"
#include "tools/bench/layer.h"
#include "tools/bench/server_process.h"
#include "tools/bench/usage.h"

namespace rollcall::bench {
namespace {

class RunningServer : public Server {
 public:
  RunningServer(pid_t pid, const sockaddr_in& address) : pid_(pid), address_(address) {}
  pid_t pid() const override { return pid_; }
  sockaddr_in address() const override { return address_; }

 private:
  const pid_t pid_;
  const sockaddr_in address_;
};

absl::StatusOr<std::unique_ptr<Server>> StartEcho(const TargetPaths& paths) {
  const BoundSocket bound = BindFreePort();
  PCHECK(listen(bound.fd, SOMAXCONN) == 0);
  auto server = StartServer({.argv = {paths.store_bench, absl::StrCat("--serve_echo=", bound.fd)},
                             .address = bound.address,
                             .core = paths.server_core,
                             .inherited_fd = bound.fd});
  close(bound.fd);
  return server;
}

absl::StatusOr<std::unique_ptr<Server>> StartStore(const TargetPaths& paths,
                                                   const std::string& backend, int threads,
                                                   const std::vector<PrepareLayer>& prepare) {
  const sockaddr_in address = FreeAddress();
  ServerCommand command{
      .argv = {paths.store_server, "--host=127.0.0.1",
               absl::StrCat("--port=", ntohs(address.sin_port)),
               absl::StrCat("--backend=", backend), absl::StrCat("--io_threads=", threads)},
      .address = address,
      .core = threads == 1 ? paths.server_core : -1,
      .on_all_cores = threads > 1 && paths.server_core >= 0};
  for (const PrepareLayer& layer : prepare) {
    absl::StatusOr<LayerShare> share = layer();
    if (!share.ok()) return share.status();
    command.argv.insert(command.argv.end(), share->flags.begin(), share->flags.end());
    command.kept.push_back(std::move(share->kept));
  }
  return StartServer(command);
}

absl::Status BadServer(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\" is not NAME=HOST:PORT[,PID][,legacy]: ", why));
}

}  // namespace

Target EchoTarget(const TargetPaths& paths) {
  return {
      .name = "echo", .dialog = MakeEchoDialog(), .start = [paths] { return StartEcho(paths); }};
}

absl::StatusOr<Target> StoreTarget(absl::string_view name, const TargetPaths& paths) {
  const std::vector<absl::string_view> plain_and_layers = absl::StrSplit(name, '+');
  const std::pair<absl::string_view, absl::string_view> server_and_dialect =
      absl::StrSplit(plain_and_layers.front(), absl::MaxSplits('-', 1));
  const std::pair<absl::string_view, absl::string_view> backend_and_threads =
      absl::StrSplit(server_and_dialect.first, absl::MaxSplits('@', 1));
  const absl::string_view word = server_and_dialect.second;
  const std::optional<protocol::Dialect> dialect =
      protocol::ParseDialect(word.empty() ? "modern" : word);
  if (!dialect) return absl::InvalidArgumentError(absl::StrCat("no dialect \"", word, "\""));
  int threads = 1;
  const absl::string_view number = backend_and_threads.second;
  if (!number.empty() && (!absl::SimpleAtoi(number, &threads) || threads < 1)) {
    return absl::InvalidArgumentError(absl::StrCat("no number of threads \"", number, "\""));
  }
  absl::StatusOr<Layers> layers =
      LayersNamed(absl::MakeConstSpan(plain_and_layers).subspan(1), *dialect);
  if (!layers.ok()) return layers.status();
  Target target{.name = std::string(name),
                .dialog = MakeStoreDialog(*dialect, layers->token),
                .tls = layers->tls};
  if (plain_and_layers.size() > 1) target.plain = std::string(plain_and_layers.front());
  target.start = [paths, threads, backend = std::string(backend_and_threads.first),
                  prepare = std::move(layers->prepare)] {
    return StartStore(paths, backend, threads, prepare);
  };
  return target;
}

Target RedisTarget(const TargetPaths& paths) {
  return {.name = "redis", .dialog = MakeRedisDialog(), .start = [paths] {
            const sockaddr_in address = FreeAddress();
            return StartServer(
                {.argv = {paths.redis_server, "--port", absl::StrCat(ntohs(address.sin_port)),
                          "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--maxclients",
                          "19000", "--tcp-backlog", "4096", "--dir", "/tmp"},
                 .address = address,
                 .core = paths.server_core});
          }};
}

Target MemcachedTarget(const TargetPaths& paths) {
  return {.name = "memcached", .dialog = MakeMemcachedDialog(), .start = [paths] {
            const sockaddr_in address = FreeAddress();
            std::vector<std::string> argv = {
                paths.memcached, "-p", absl::StrCat(ntohs(address.sin_port)), "-l", "127.0.0.1",
                // One thread, as all the others have; room for the largest value.
                "-t", "1", "-c", "19000", "-b", "4096", "-I", "16m", "-m", "1024"};
            if (geteuid() == 0) argv.insert(argv.end(), {"-u", "root"});
            return StartServer(
                {.argv = std::move(argv), .address = address, .core = paths.server_core});
          }};
}

absl::StatusOr<Target> RunningTarget(absl::string_view text, const TargetPaths& paths) {
  const std::pair<absl::string_view, absl::string_view> name_and_rest =
      absl::StrSplit(text, absl::MaxSplits('=', 1));
  const std::vector<absl::string_view> parts = absl::StrSplit(name_and_rest.second, ',');
  if (parts.empty()) return BadServer(text, "it has no address");
  const std::pair<absl::string_view, absl::string_view> endpoint =
      absl::StrSplit(parts[0], absl::MaxSplits(':', 1));
  sockaddr_in address = {.sin_family = AF_INET};
  uint32_t port;
  if (name_and_rest.first.empty()) return BadServer(text, "it has no name");
  if (inet_pton(AF_INET, std::string(endpoint.first).c_str(), &address.sin_addr) != 1) {
    return BadServer(text, "the host is no numeric IPv4 address");
  }
  if (!absl::SimpleAtoi(endpoint.second, &port) || port == 0 || port > 65535) {
    return BadServer(text, "the port is none");
  }
  address.sin_port = htons(static_cast<uint16_t>(port));
  pid_t pid = 0;
  protocol::Dialect dialect = protocol::Dialect::kModern;
  for (size_t i = 1; i < parts.size(); ++i) {
    if (parts[i] == "legacy") {
      dialect = protocol::Dialect::kLegacy;
    } else if (!absl::SimpleAtoi(parts[i], &pid) || !CpuTimeOf(pid)) {
      return BadServer(text, absl::StrCat("\"", parts[i], "\" is no process and no dialect"));
    }
  }
  if (pid != 0 && paths.server_core >= 0) PinTo(pid, paths.server_core);
  if (pid != 0 && paths.realtime) MakeRealtime(pid);
  return Target{.name = std::string(name_and_rest.first),
                .dialog = MakeStoreDialog(dialect),
                .starts_anew = false,
                .start = [pid, address]() -> absl::StatusOr<std::unique_ptr<Server>> {
                  return std::make_unique<RunningServer>(pid, address);
                }};
}

std::string FindProgram(absl::string_view name) {
  const char* const path = std::getenv("PATH");
  std::vector<std::string> folders =
      absl::StrSplit(path == nullptr ? "" : path, ':', absl::SkipEmpty());
  folders.insert(folders.end(), {"/usr/bin", "/usr/sbin", "/usr/local/bin"});
  for (const std::string& folder : folders) {
    const std::string file = absl::StrCat(folder, "/", name);
    if (access(file.c_str(), X_OK) == 0) return file;
  }
  return "";
}

}  // namespace rollcall::bench
