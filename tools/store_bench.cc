// Measures store servers side by side: ours, those of torch, Redis and memcached, and an echo
// server as the limit of what the kernel lets any of them do.
#include <arpa/inet.h>
#include <gflags/gflags.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "glog/logging.h"
#include "tools/bench/awake.h"
#include "tools/bench/bench_run.h"
#include "tools/bench/echo_server.h"
#include "tools/bench/layer.h"
#include "tools/bench/results.h"
#include "tools/bench/target.h"
#include "tools/bench/usage.h"
#include "tools/bench/workload.h"

DEFINE_string(targets, "echo,epoll,libuv,epoll-legacy,redis,memcached",
              "Which servers to measure; the first is what the others are compared with, and "
              "epoll+tls with epoll too.");
DEFINE_string(server, "",
              "Running TCPStore servers to measure too: NAME=HOST:PORT[,PID][,legacy], with ';' "
              "between two.");
DEFINE_string(workloads, "", "Which workloads, comma-separated; empty: all.");
DEFINE_string(json, "", "A file to write everything that was measured to.");
DEFINE_string(store_server, "", "Our server; default: the one beside this program.");
DEFINE_int32(repetitions, 5, "How often each is measured.");
DEFINE_int32(warm_ups, 1, "How often before that, without counting.");
DEFINE_int32(ranks, 10'000, "How many join, stay idle, or wait.");
DEFINE_double(seconds, 1, "How long a throughput is measured.");
DEFINE_bool(pin, true, "Keep servers on core 0 and the load on core 1.");
DEFINE_bool(realtime, false,
            "Let servers and load go before all else on the machine, and keep its cores awake.");
DEFINE_int32(serve_echo, -1, "Not for users: be the echo server on this listening descriptor.");
DECLARE_bool(help);

namespace rollcall::bench {
namespace {

constexpr int kExitUsage = 1;
constexpr int kExitFailed = 3;
constexpr int kServerCore = 0;
constexpr int kLoadCore = 1;

void PrintHelp() {
  std::cout
      << "store_bench measures store servers side by side, each as a ratio to an echo server.\n"
         "\n"
         "  store_bench [--targets=LIST] [--workloads=LIST] [--server=NAME=HOST:PORT[,PID]]\n"
         "\n"
         "Build it with `-c opt`. Progress goes to stderr, the table to stdout.\n"
         "\n"
         "Flags:\n"
         "  --targets=LIST       default echo,epoll,libuv,epoll-legacy,redis,memcached: the "
         "limit,\n"
         "                       our server's backends (in the dialect of torch 2.2 and later, or\n"
         "                       with -legacy in that of torch 1.x; epoll@4 has four threads and\n"
         "                       no core of its own; epoll+tls has a layer more, or several, of "
      << LayerNames()
      << "),\n"
         "                       and peers where installed; the first is what the others are "
         "compared\n"
         "                       with, and layers with the same server without them\n"
         "  --server=SERVERS     TCPStore servers that run already: "
         "NAME=HOST:PORT[,PID][,legacy],\n"
         "                       with ';' between two; without PID their CPU is unknown\n"
         "  --workloads=LIST     default idle_memory, join, storm, round_trips, depth1, depth16,\n"
         "                       fan_out, big_value, queue, barrier, vanish; there are also\n"
         "                       join_curve, keys_curve, waiters_curve\n"
         "  --repetitions=N      default 5; --warm_ups=N more, not counted, come first; default 1\n"
         "  --ranks=N            who join, stay idle or wait; default 10000\n"
         "  --seconds=S          how long a throughput is measured; default 1\n"
         "  --realtime           servers and load go before all else on the machine, whose cores "
         "are\n"
         "                       kept awake; needs privileges\n"
         "  --nopin              let the kernel choose cores\n"
         "  --store_server=FILE  our server; default: the one beside this program\n"
         "  --json=FILE          everything that was measured\n"
         "\n"
         "Exit status: 0 done, 1 wrong usage, 3 could not measure or write.\n";
}

int UsageError(absl::string_view message) {
  std::cerr << "store_bench: " << message << " (--help lists the flags)\n";
  return kExitUsage;
}

void RaiseDescriptorLimit() {
  rlimit limit = {};
  PCHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  PCHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

std::string OwnPath() {
  std::vector<char> path(4096);
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  PCHECK(size > 0);
  return std::string(path.data(), static_cast<size_t>(size));
}

TargetPaths Paths(bool pinned) {
  TargetPaths paths;
  paths.store_bench = OwnPath();
  paths.store_server = FLAGS_store_server;
  if (paths.store_server.empty()) {
    paths.store_server =
        absl::StrCat(paths.store_bench.substr(0, paths.store_bench.rfind('/')), "/store_server");
  }
  paths.redis_server = FindProgram("redis-server");
  paths.memcached = FindProgram("memcached");
  paths.server_core = pinned ? kServerCore : -1;
  paths.realtime = FLAGS_realtime;
  return paths;
}

// Adds the target `name`; nothing where it is a peer that is not installed.
absl::Status AddTarget(absl::string_view name, const TargetPaths& paths,
                       std::vector<Target>& targets) {
  if (name == "echo") {
    targets.push_back(EchoTarget(paths));
  } else if (name == "redis") {
    if (!paths.redis_server.empty()) targets.push_back(RedisTarget(paths));
  } else if (name == "memcached") {
    if (!paths.memcached.empty()) targets.push_back(MemcachedTarget(paths));
  } else {
    absl::StatusOr<Target> target = StoreTarget(name, paths);
    if (!target.ok()) return target.status();
    targets.push_back(*std::move(target));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Target>> Targets(const TargetPaths& paths) {
  std::vector<Target> targets;
  for (absl::string_view name : absl::StrSplit(FLAGS_targets, ',', absl::SkipEmpty())) {
    if (absl::Status added = AddTarget(name, paths, targets); !added.ok()) return added;
  }
  for (absl::string_view server : absl::StrSplit(FLAGS_server, ';', absl::SkipEmpty())) {
    absl::StatusOr<Target> target = RunningTarget(server, paths);
    if (!target.ok()) return target.status();
    targets.push_back(*std::move(target));
  }
  if (targets.empty()) return absl::InvalidArgumentError("no targets");
  return targets;
}

absl::StatusOr<std::vector<Workload>> Workloads(const Sizes& sizes) {
  const std::vector<Workload> all = AllWorkloads(sizes);
  if (FLAGS_workloads.empty()) return all;
  std::vector<Workload> chosen;
  for (absl::string_view name : absl::StrSplit(FLAGS_workloads, ',', absl::SkipEmpty())) {
    const size_t before = chosen.size();
    for (const Workload& workload : all) {
      if (workload.name == name) chosen.push_back(workload);
    }
    for (Workload& workload : CurveWorkloads(sizes, name)) chosen.push_back(std::move(workload));
    if (chosen.size() == before) {
      return absl::InvalidArgumentError(absl::StrCat("no workload \"", name, "\""));
    }
  }
  return chosen;
}

int Main() {
  RaiseDescriptorLimit();
  Results results;
  results.cores = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  results.pinned = FLAGS_pin && results.cores >= 2;
  results.date = absl::FormatTime(absl::RFC3339_sec, absl::Now(), absl::UTCTimeZone());
  utsname system = {};
  uname(&system);
  results.kernel = system.release;

  BenchPlan plan;
  plan.sizes.ranks = FLAGS_ranks;
  plan.sizes.seconds = absl::Seconds(FLAGS_seconds);
  plan.warm_ups = FLAGS_warm_ups;
  plan.repetitions = FLAGS_repetitions;
  absl::StatusOr<std::vector<Target>> targets = Targets(Paths(results.pinned));
  if (!targets.ok()) return UsageError(targets.status().message());
  absl::StatusOr<std::vector<Workload>> workloads = Workloads(plan.sizes);
  if (!workloads.ok()) return UsageError(workloads.status().message());
  plan.targets = *std::move(targets);
  plan.workloads = *std::move(workloads);

  std::optional<CoresKeptAwake> awake;
  if (FLAGS_realtime) awake.emplace();
  if (results.pinned) PinTo(0, kLoadCore);
  // The servers that are started from here inherit it.
  if (FLAGS_realtime && !MakeRealtime(0)) return UsageError("--realtime needs privileges");
  results.workloads =
      RunBench(plan, [](absl::string_view line) { std::cerr << line << std::endl; });
  std::cout << TableOf(results);
  if (FLAGS_json.empty()) return 0;
  std::ofstream file(FLAGS_json);
  file << JsonOf(results);
  file.close();
  if (file) return 0;
  std::cerr << "store_bench: cannot write --json=" << FLAGS_json << "\n";
  return kExitFailed;
}

}  // namespace
}  // namespace rollcall::bench

int main(int argc, char** argv) {
  FLAGS_logtostderr = true;
  gflags::ParseCommandLineNonHelpFlags(&argc, &argv, /*remove_flags=*/true);
  google::InitGoogleLogging(argv[0]);
  signal(SIGPIPE, SIG_IGN);
  if (FLAGS_serve_echo >= 0) rollcall::bench::ServeEcho(FLAGS_serve_echo);
  if (FLAGS_help) {
    rollcall::bench::PrintHelp();
    return 0;
  }
  if (argc > 1) {
    return rollcall::bench::UsageError(
        absl::StrCat("takes no arguments besides flags, got \"", argv[1], "\""));
  }
  return rollcall::bench::Main();
}
