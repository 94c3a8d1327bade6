// Clients that each have a number of requests in flight, for as long as it is asked.
#ifndef ROLLCALL_TOOLS_BENCH_PIPELINED_H_
#define ROLLCALL_TOOLS_BENCH_PIPELINED_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tools/bench/load.h"
#include "tools/bench/meter.h"
#include "tools/bench/workload.h"

namespace rollcall::bench {

// Not thread-safe.
class Pipelined {
 public:
  // `calls[i]` are what client i of `load` asks, again and again; the last of them has an answer.
  Pipelined(Load* load, std::vector<std::vector<Call>> calls);

  // Throughput and CPU of a call, after a warm-up: the values are kilo-calls a second, the server's
  // microseconds a call, and the load's.
  absl::StatusOr<Sample> Measure(const Trial& trial, int depth);

 private:
  void AskNext(Client& client);
  absl::Status RunFor(absl::Duration time);
  // Takes the answers that are due, so that the server has nothing left to do.
  absl::Status Drain();

  Load& load_;
  const std::vector<std::vector<Call>> calls_;
  int64_t calls_made_ = 0;
  int64_t in_flight_ = 0;
};

// Makes each of `calls` in turn, many in flight, on `client`.
absl::Status MakeAll(Load& load, Client& client, int count,
                     const std::function<Call(int index)>& call_of);

}  // namespace rollcall::bench

#endif  // ROLLCALL_TOOLS_BENCH_PIPELINED_H_
