// What a client's calls cost it: time, CPU, and how long it takes many to join. Speaks to a server
// that is there already, ours or torch's; torch_client.py does the same with torch's client, and
// compare.py runs both side by side. One line a workload:
//
//   add ops=20000 wall_us=21.3 cpu_us=9.8
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gflags/gflags.h"
#include "net/real_env.h"
#include "net/tls/tls_files.h"
#include "store/batch.h"
#include "store/dist_error.h"
#include "store/protocol/dialect.h"
#include "store/tcp_store.h"

DEFINE_string(host, "127.0.0.1", "The server's host.");
DEFINE_uint32(port, 29500, "The server's port.");
DEFINE_string(ca, "",
              "A PEM file: speak TLS, with a server whose certificate one of these signed.");
DEFINE_string(cert, "", "A PEM file: our certificate, for a server that wants one.");
DEFINE_string(key, "", "A PEM file: the private key of --cert.");
DEFINE_string(token_file, "", "The token for a server that wants one.");
DEFINE_bool(legacy, false, "Speak the dialect of torch 1.x.");
DEFINE_string(work, "add,set,get,get_missing,set_get,large_set,large_get,batch16",
              "What to measure, in this order; join is a matter of --join.");
DEFINE_uint32(ops, 20'000, "Calls a workload; a large value counts as 500.");
DEFINE_uint32(join, 0, "So many processes join at the same time. 0: none.");
DEFINE_bool(marks, false, "Write \"BEGIN work\" and \"END work\" to stderr, for a trace of calls.");

namespace rollcall {
namespace {

constexpr uint32_t kLargeBytes = 8 << 20;
constexpr uint32_t kLargeCountsAs = 500;

double CpuMicroseconds() {
  timespec time = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return absl::ToDoubleMicroseconds(absl::DurationFromTimespec(time));
}

TcpStoreOptions Options() {
  TcpStoreOptions options;
  options.host = FLAGS_host;
  options.port = static_cast<uint16_t>(FLAGS_port);
  options.timeout = absl::Seconds(60);
  if (!FLAGS_ca.empty()) {
    options.tls = net::TlsClientFiles{
        .ca = FLAGS_ca, .certificate_chain = FLAGS_cert, .private_key = FLAGS_key};
  }
  options.token_file = FLAGS_token_file;
  if (FLAGS_legacy) options.dialect = protocol::Dialect::kLegacy;
  return options;
}

void Mark(const std::string& text) {
  if (!FLAGS_marks) return;
  const std::string line = text + "\n";
  if (write(STDERR_FILENO, line.data(), line.size()) < 0) std::exit(EXIT_FAILURE);
}

// `call` makes `ops_per_call` operations.
void Measure(const std::string& work, uint32_t calls, uint32_t ops_per_call,
             const std::function<void(uint32_t)>& call) {
  for (uint32_t i = 0; i < std::max(calls / 20, 1u); ++i) call(i);
  Mark("BEGIN " + work);
  const absl::Time start = absl::Now();
  const double cpu_start = CpuMicroseconds();
  for (uint32_t i = 0; i < calls; ++i) call(i);
  const double cpu = CpuMicroseconds() - cpu_start;
  const double wall = absl::ToDoubleMicroseconds(absl::Now() - start);
  Mark("END " + work);
  const uint32_t ops = calls * ops_per_call;
  std::cout << absl::StrFormat("%s ops=%d wall_us=%.2f cpu_us=%.2f\n", work, ops, wall / ops,
                               cpu / ops)
            << std::flush;
}

void RunWork(const std::string& work, TcpStore& store) {
  const uint32_t ops = FLAGS_ops;
  const uint32_t large_ops = std::max(ops / kLargeCountsAs, 1u);
  if (work == "add") {
    Measure(work, ops, 1, [&](uint32_t) { store.Add("n", 1); });
  } else if (work == "set") {
    Measure(work, ops, 1, [&](uint32_t) { store.Set("key", "0123456789abcdef"); });
    store.Check({"key"});
  } else if (work == "get") {
    store.Set("key", "0123456789abcdef");
    Measure(work, ops, 1, [&](uint32_t) { store.Get("key"); });
  } else if (work == "get_missing") {
    // Nothing will come: the deadline is part of it, so only the calls are of interest.
    Measure(work, std::max(ops / 1000, 1u), 1, [&](uint32_t) {
      try {
        store.Get("never", absl::Milliseconds(5));
      } catch (const DistStoreError&) {
      }
    });
  } else if (work == "set_get") {
    Measure(work, ops, 1, [&](uint32_t) {
      store.Set("key", "0123456789abcdef");
      store.Get("key");
    });
  } else if (work == "large_set") {
    const std::string value(kLargeBytes, 'x');
    // Answered, so that the server has read all of it.
    Measure(work, large_ops, 1, [&](uint32_t) {
      store.Set("large", value);
      store.Check({"large"});
    });
  } else if (work == "large_get") {
    store.Set("large", std::string(kLargeBytes, 'x'));
    Measure(work, large_ops, 1, [&](uint32_t) { store.Get("large"); });
  } else if (work == "batch16") {
    Batch batch(store);
    Measure(work, ops / 16 + 1, 16, [&](uint32_t) {
      for (int i = 0; i < 8; ++i) {
        batch.Set("key", "0123456789abcdef");
        batch.Add("n", 1);
      }
      batch.Run();
    });
  } else {
    std::cerr << "client_bench: no work is called '" << work << "'\n";
    std::exit(EXIT_FAILURE);
  }
}

// --- Joining ---

struct Pipe {
  int ends[2];
  Pipe() {
    if (pipe(ends) != 0) std::exit(EXIT_FAILURE);
  }
};

// Says that it is there, waits for the parent to close `go`, joins, and tells what it took.
[[noreturn]] void JoinAs(int rank, const Pipe& go, const Pipe& done) {
  close(go.ends[1]);
  TcpStoreOptions options = Options();
  options.world_size = static_cast<int>(FLAGS_join);
  options.rank = rank;
  net::Env& env = net::RealEnv();
  char byte;
  const double ready = 0;
  if (write(done.ends[1], &ready, sizeof(ready)) != sizeof(ready)) _exit(EXIT_FAILURE);
  if (read(go.ends[0], &byte, 1) != 0) _exit(EXIT_FAILURE);
  const double cpu_start = CpuMicroseconds();
  const auto store = TcpStore::Open(env, options);
  const double cpu = CpuMicroseconds() - cpu_start;
  if (!store.ok() || write(done.ends[1], &cpu, sizeof(cpu)) != sizeof(cpu)) _exit(EXIT_FAILURE);
  pause();  // Connected, until all are in.
  _exit(EXIT_SUCCESS);
}

bool MeasureJoin() {
  const Pipe go;
  const Pipe done;
  std::vector<pid_t> children;
  for (uint32_t rank = 0; rank < FLAGS_join; ++rank) {
    const pid_t child = fork();
    if (child == 0) JoinAs(static_cast<int>(rank), go, done);
    if (child > 0) children.push_back(child);
  }
  close(done.ends[1]);  // If a child fails, the reads below end.
  for (size_t i = 0; i < children.size(); ++i) {
    double ready = 0;
    if (read(done.ends[0], &ready, sizeof(ready)) != sizeof(ready)) return false;
  }
  const absl::Time start = absl::Now();
  close(go.ends[1]);
  double cpu_sum = 0;
  for (size_t i = 0; i < children.size(); ++i) {
    double cpu = 0;
    if (read(done.ends[0], &cpu, sizeof(cpu)) != sizeof(cpu)) return false;
    cpu_sum += cpu;
  }
  const double wall = absl::ToDoubleMicroseconds(absl::Now() - start);
  for (const pid_t child : children) {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  std::cout << absl::StrFormat("join ops=%d wall_us=%.2f cpu_us=%.2f\n", FLAGS_join, wall,
                               cpu_sum / FLAGS_join)
            << std::flush;
  return children.size() == FLAGS_join;
}

int Main() {
  try {
    if (FLAGS_join > 0 && !MeasureJoin()) return EXIT_FAILURE;
    if (FLAGS_work.empty()) return EXIT_SUCCESS;
    TcpStore store(net::RealEnv(), Options());
    for (const absl::string_view work : absl::StrSplit(FLAGS_work, ',')) {
      RunWork(std::string(work), store);
    }
  } catch (const DistError& error) {
    std::cerr << "client_bench: " << error.what() << "\n";
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace rollcall

int main(int argc, char** argv) {
  gflags::SetUsageMessage("measures a store client: client_bench --port=PORT [FLAGS]");
  gflags::ParseCommandLineFlags(&argc, &argv, /*remove_flags=*/true);
  return rollcall::Main();
}
