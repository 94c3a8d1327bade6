// The main job: a server, worker processes that meet on it, and a table of who joined when.
#include <gflags/gflags.h>
#include <glog/logging.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "net/real_env.h"
#include "store/dist_error.h"
#include "store/server/store_server.h"
#include "store/tcp_store.h"
#include "tools/flag_values.h"
#include "tools/rendezvous_rank.h"
#include "tools/rendezvous_report.h"
#include "tools/worker_processes.h"

DEFINE_int32(world_size, 8, "How many ranks are to meet.");
DEFINE_string(timeout, "30s", "How long they wait for each other.");
DEFINE_string(endpoint, "",
              "HOST:PORT of a store that runs elsewhere; empty starts one in this process.");
DEFINE_string(ranks, "",
              "The ranks to start here, such as 0-3; empty starts all. With --endpoint, several "
              "machines can each start some.");
DEFINE_string(absent_ranks, "", "Ranks that are not started, to see what the others then report.");
DEFINE_string(run_id, "rendezvous",
              "Name of this meeting: those that share a store need names of their own.");
DEFINE_string(payload, "hello from rank {rank}", "What each rank gives to all others.");
DEFINE_bool(use_libuv, false, "Serve on libuv instead of epoll.");
DEFINE_int32(worker_rank, -1, "For internal use: be this one rank.");
DEFINE_int32(parent_pid, 0, "For internal use: who started this rank.");
DEFINE_bool(report, false, "For internal use: be the rank that prints its error.");

namespace rollcall::tools {
namespace {

constexpr int kExitUsage = 1;
constexpr int kExitStoreError = 2;
constexpr int kExitNetworkError = 3;
constexpr absl::Duration kProgressInterval = absl::Milliseconds(5);
constexpr absl::Duration kProgressShownEvery = absl::Seconds(1);

int UsageError(absl::string_view message) {
  std::cerr << "rendezvous: " << message << "\n";
  return kExitUsage;
}

// Runs `body`; errors become a message and an exit status.
template <typename Body>
int ExitStatusOf(Body body, bool print_errors) {
  try {
    return body();
  } catch (const DistStoreError& error) {
    if (print_errors) std::cerr << "rendezvous: " << error.what() << "\n";
    return kExitStoreError;
  } catch (const DistNetworkError& error) {
    if (print_errors) std::cerr << "rendezvous: " << error.what() << "\n";
    return kExitNetworkError;
  } catch (const std::invalid_argument& error) {
    return UsageError(error.what());
  }
}

int RunWorker(const RendezvousOptions& options) {
  DieWithParent(FLAGS_parent_pid);
  return ExitStatusOf(
      [&] {
        std::string payload = FLAGS_payload;
        if (const size_t at = payload.find("{rank}"); at != std::string::npos) {
          payload.replace(at, 6, absl::StrCat(FLAGS_worker_rank));
        }
        RunRank(net::RealEnv(), options, FLAGS_worker_rank, payload);
        return 0;
      },
      FLAGS_report);
}

std::vector<std::string> WorkerArguments(const std::string& program,
                                         const RendezvousOptions& options, int rank, bool report) {
  return {program,
          absl::StrCat("--worker_rank=", rank),
          absl::StrCat("--parent_pid=", getpid()),
          absl::StrCat("--report=", report ? "true" : "false"),
          absl::StrCat("--endpoint=", options.endpoint.ToString()),
          absl::StrCat("--world_size=", options.world_size),
          absl::StrCat("--timeout=", absl::FormatDuration(options.timeout)),
          absl::StrCat("--run_id=", options.run_id),
          absl::StrCat("--payload=", FLAGS_payload),
          absl::StrCat("--use_libuv=", options.use_libuv ? "true" : "false")};
}

// Watches the meeting through the store, as any client could.
class Watcher {
 public:
  Watcher(Store& store, const RendezvousOptions& options)
      : store_(store), options_(options), cards_(static_cast<size_t>(options.world_size)) {}

  void Look() {
    for (size_t rank = 0; rank < cards_.size(); ++rank) {
      const std::string key = RankCardKey(options_, static_cast<int>(rank));
      if (!cards_[rank].has_value() && store_.Check({key})) {
        cards_[rank] = RankCard::FromText(store_.Get(key));
      }
    }
  }

  bool AllJoined() const {
    return std::all_of(cards_.begin(), cards_.end(),
                       [](const auto& card) { return card.has_value(); });
  }
  const Cards& cards() const { return cards_; }

 private:
  Store& store_;
  const RendezvousOptions& options_;
  Cards cards_;
};

void WatchUntilWorkersEnd(Watcher& watcher, WorkerProcesses& workers) {
  net::Env& env = net::RealEnv();
  absl::Time next_shown = env.Now() + kProgressShownEvery;
  std::string shown;
  while (workers.Poll()) {
    if (!watcher.AllJoined()) watcher.Look();
    std::string progress = ProgressText(watcher.cards());
    if (env.Now() >= next_shown && progress != shown) {
      std::cout << progress << std::endl;
      shown = std::move(progress);
      next_shown = env.Now() + kProgressShownEvery;
    }
    env.SleepUntil(env.Now() + kProgressInterval);
  }
  watcher.Look();
}

// The worst of the workers' statuses. One that ended without a word of its own gets one here.
int StatusOf(const WorkerProcesses& workers, const std::vector<int>& ranks) {
  int worst = 0;
  for (size_t i = 0; i < ranks.size(); ++i) {
    int status = workers.exit_statuses()[i].value_or(0);
    if (status > kExitNetworkError) {
      std::cerr << "rendezvous: the process of rank " << ranks[i] << " ended with status " << status
                << (status > 128 ? absl::StrCat(" (signal ", status - 128, ")") : "") << "\n";
      status = kExitStoreError;
    }
    worst = std::max(worst, status);
  }
  return worst;
}

int Meet(const std::string& program, RendezvousOptions options, const std::vector<int>& ranks) {
  net::Env& env = net::RealEnv();
  const absl::Time start = env.Now();
  std::unique_ptr<StoreServer> server;
  if (FLAGS_endpoint.empty()) {
    ServerOptions serve;
    serve.host = "localhost";
    serve.event_loop = options.use_libuv ? net::EventLoopKind::kLibuv : net::EventLoopKind::kEpoll;
    absl::StatusOr<std::unique_ptr<StoreServer>> started = StoreServer::Start(env, serve);
    ThrowIfError(started.status());
    server = *std::move(started);
    options.endpoint = {"localhost", server->port()};
    std::cout << "store listening on " << server->address() << std::endl;
  }

  TcpStoreOptions watch;
  watch.host = options.endpoint.host;
  watch.port = options.endpoint.port;
  watch.timeout = options.timeout;
  TcpStore store(env, watch);
  WorkerProcesses workers;
  for (int rank : ranks) {
    const bool report = rank == ranks.front();
    const absl::Status spawned = workers.Start(WorkerArguments(program, options, rank, report));
    if (!spawned.ok()) return UsageError(spawned.message());
  }
  Watcher watcher(store, options);
  WatchUntilWorkersEnd(watcher, workers);

  const absl::Duration took = absl::Trunc(env.Now() - start, absl::Milliseconds(1));
  std::cout << TableText(watcher.cards(), start) << "after " << absl::FormatDuration(took) << ": "
            << ProgressText(watcher.cards()) << std::endl;
  return StatusOf(workers, ranks);
}

int Main(const std::string& program) {
  if (FLAGS_world_size < 1) {
    return UsageError(absl::StrCat("--world_size must be at least 1, got ", FLAGS_world_size));
  }
  RendezvousOptions options;
  options.world_size = FLAGS_world_size;
  options.run_id = FLAGS_run_id;
  options.use_libuv = FLAGS_use_libuv;
  const absl::StatusOr<absl::Duration> timeout = ParseDurationFlag("timeout", FLAGS_timeout);
  if (!timeout.ok()) return UsageError(timeout.status().message());
  options.timeout = *timeout;
  if (!FLAGS_endpoint.empty()) {
    const absl::StatusOr<net::Endpoint> endpoint = ParseEndpointFlag("endpoint", FLAGS_endpoint);
    if (!endpoint.ok()) return UsageError(endpoint.status().message());
    options.endpoint = *endpoint;
  }
  if (FLAGS_worker_rank >= 0) return RunWorker(options);

  const std::string all = absl::StrCat("0-", FLAGS_world_size - 1);
  absl::StatusOr<std::vector<int>> ranks =
      ParseRanksFlag("ranks", FLAGS_ranks.empty() ? all : FLAGS_ranks, FLAGS_world_size);
  if (!ranks.ok()) return UsageError(ranks.status().message());
  const absl::StatusOr<std::vector<int>> absent =
      ParseRanksFlag("absent_ranks", FLAGS_absent_ranks, FLAGS_world_size);
  if (!absent.ok()) return UsageError(absent.status().message());
  std::erase_if(*ranks,
                [&](int rank) { return std::binary_search(absent->begin(), absent->end(), rank); });
  if (ranks->empty()) return UsageError("every rank is absent: nobody is left to start");
  return ExitStatusOf([&] { return Meet(program, options, *ranks); }, /*print_errors=*/true);
}

}  // namespace
}  // namespace rollcall::tools

int main(int argc, char** argv) {
  gflags::SetUsageMessage(
      "ranks meet on a store: starts a server and one process a rank, which join, gather each "
      "other's host, pid and payload, and pass a barrier.\n"
      "  rendezvous --world_size=8\n"
      "  rendezvous --world_size=8 --absent_ranks=3,5 --timeout=3s   (what a failure looks like)\n"
      "  rendezvous --endpoint=HOST:PORT --world_size=8 --ranks=0-3  (ranks on several machines)");
  google::InitGoogleLogging(argv[0]);
  FLAGS_logtostderr = true;
  gflags::ParseCommandLineFlags(&argc, &argv, /*remove_flags=*/true);
  if (argc > 1) {
    return rollcall::tools::UsageError(absl::StrCat("unexpected argument \"", argv[1], "\""));
  }
  return rollcall::tools::Main(argv[0]);
}
