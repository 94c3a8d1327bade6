// One worker of a scenario: its steps, one after the other, as a user's process would make them.
#ifndef ROLLCALL_FAULT_INJECTION_SCENARIO_WORKER_H_
#define ROLLCALL_FAULT_INJECTION_SCENARIO_WORKER_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "fault_injection/recording_store.h"
#include "fault_injection/scenario/cast.h"
#include "fault_injection/scenario/fixtures.h"
#include "fault_injection/scenario/scenario.pb.h"
#include "net/env.h"

namespace rollcall::fault {

// Told of a worker's steps. May block, which holds the worker up.
class StepListener {
 public:
  virtual ~StepListener() = default;
  // `outcome` has who, life, step, operation and the beginning.
  virtual void OnBegin(const StepOutcome& outcome) = 0;
  virtual void OnEnd(const StepOutcome& outcome) = 0;
};

// Where a worker finds itself.
struct WorkerSituation {
  int world_size = 1;
  int life = 1;             // 2 after the first restart.
  std::string server_name;  // Leads to the server from here.
  uint16_t server_port = 0;
  absl::Time world_began;      // Outcomes tell times since then.
  std::string directory = {};  // For FileStores: each scenario has one of its own.
};

// Runs the steps of `role`, to the end or to the first that fails without `goes_on`; then the
// worker's store goes. `history` may be null: then nothing is recorded for the check of
// linearizability. The same code on real sockets and in the simulator.
void RunWorker(net::Env& env, const WorkerRole& role, const WorkerSituation& situation,
               const Fixtures& fixtures, HistoryRecorder* history, StepListener& listener);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SCENARIO_WORKER_H_
