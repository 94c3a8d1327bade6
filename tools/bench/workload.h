// What a workload is: something done to a server, and what is measured of it.
#ifndef ROLLCALL_TOOLS_BENCH_WORKLOAD_H_
#define ROLLCALL_TOOLS_BENCH_WORKLOAD_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/tls/tls_context.h"
#include "tools/bench/load.h"
#include "tools/bench/meter.h"
#include "tools/bench/target.h"

namespace rollcall::bench {

enum class Better { kLower, kHigher };

struct Metric {
  std::string key;    // "server_cpu_us"
  std::string label;  // "server CPU / rank"
  std::string unit;   // "us"
  Better better = Better::kLower;
};

// One run of a workload on one server.
struct Sample {
  // In the order of the workload's metrics; nullopt where it could not be measured.
  std::vector<std::optional<double>> values;
  Cost cost;
};

// How large the workloads are.
struct Sizes {
  int ranks = 10'000;
  // So many joins at least are measured together, in several jobs if need be: the CPU of a few is
  // too little for the kernel's clocks.
  int joins_min = 5'000;
  absl::Duration seconds = absl::Seconds(1);  // For those that go on until a time is over.
  int connections = 64;
  int round_trips = 5'000;
  int waiters = 4'096;
  size_t big_value_bytes = 8 << 20;
  int big_values = 16;
  int queue_pairs = 64;
  int barrier_members = 256;
  int barrier_rounds = 40;
};

struct Trial {
  const Dialog& dialog;
  const Server& server;
  const Sizes& sizes;
  std::string prefix;  // Of all keys: no trial meets those of another.
  std::shared_ptr<const net::TlsContext> tls = nullptr;  // Null: in the clear.

  Access access() const { return {.address = server.address(), .tls = tls}; }
  std::string Key(absl::string_view name) const;
};

struct Workload {
  std::string name;   // "join"
  std::string title;  // "join of 10000: connect, hello, ..."
  std::vector<Metric> metrics;
  // Memory that a server has once taken is there the next time: one that is not started anew is
  // measured once, the first time.
  bool needs_fresh_server = false;
  // Unimplemented where the target has no equivalent.
  std::function<absl::StatusOr<Sample>(const Trial&)> run;
};

// --- The workloads, each in a file of its own. ---

// Ranks come at once (500 in the middle of it at any time). Each connects, greets, counts itself,
// sets its address, waits for the address of rank 0 and gets it.
Workload JoinWorkload(int ranks);
// One client sets, then gets, each in a packet of its own.
Workload RoundTripsWorkload(const Sizes& sizes);
// Clients that each have `depth` requests in flight: an add, a get, and so on.
Workload ThroughputWorkload(const Sizes& sizes, int depth);
// Clients wait for one key; it is set.
Workload FanOutWorkload(const Sizes& sizes);
// One client sets the largest value that torch's server takes, and gets it.
Workload BigValueWorkload(const Sizes& sizes);
// Clients that have been served once and then say nothing.
Workload IdleMemoryWorkload(const Sizes& sizes);
// Pairs of clients: one waits for an item and takes it, the other then puts the next.
Workload QueueWorkload(const Sizes& sizes);
// Members count themselves and wait for the last, who sets the key that all wait for.
Workload BarrierWorkload(const Sizes& sizes);
// Clients close their connections while they wait, each for a key of its own and for one of all.
Workload VanishWorkload(const Sizes& sizes);

// Clients connect and greet as fast as one load can make them, none waiting for another.
Workload StormWorkload(int clients);
// Sets and gets, 64 connections with 16 in flight each, in a store with `keys` keys.
Workload KeysWorkload(const Sizes& sizes, int keys);
// The same, while clients wait for `keys` other keys.
Workload WaitersWorkload(const Sizes& sizes, int keys);

// One of each, but for those that only curves are made of.
std::vector<Workload> AllWorkloads(const Sizes& sizes);
// How costs grow: one workload in many sizes, each named with its own ("join@128"). `curve` is
// "join_curve", "keys_curve" or "waiters_curve"; empty for any other.
std::vector<Workload> CurveWorkloads(const Sizes& sizes, absl::string_view curve);

// --- What they share. ---

// `cost` in microseconds for each of `count`; nullopt where the server's process is unknown.
std::optional<double> ServerMicros(const Trial& trial, const Cost& cost, double count);
double LoadMicros(const Cost& cost, double count);

}  // namespace rollcall::bench

#endif  // ROLLCALL_TOOLS_BENCH_WORKLOAD_H_
