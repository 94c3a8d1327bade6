// Runs of the production client and server, for tests of what reports are made of them.
#ifndef ROLLCALL_FAULT_INJECTION_REPORT_DEMO_RUNS_H_
#define ROLLCALL_FAULT_INJECTION_REPORT_DEMO_RUNS_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/report/run_record.h"
#include "fault_injection/report/run_recorder.h"
#include "fault_injection/sim_env.h"
#include "fault_injection/sim_net.h"
#include "fault_injection/world.h"
#include "net/env.h"
#include "store/tcp_store.h"

namespace rollcall::fault {

// Ranks "w0", "w1", ... on a host each; the first runs the server too.
class DemoRun {
 public:
  // Without `is_recorded` the run is the same, and its record is empty.
  DemoRun(int ranks, WorldOptions options, bool is_recorded = true);

  World& world() { return *world_; }
  SimNet& net() { return net_; }
  RunRecorder& recorder() { return recorder_; }
  net::Env& env(int rank) { return *envs_[rank]; }

  // Begins `body` on `rank`.
  void Start(int rank, std::function<void()> body);
  // Runs `call`, whose result is shown, as a step. False: it raised a DistError.
  bool Step(int rank, absl::string_view name, const std::function<std::string()>& call);
  // Connects as a step; null if that fails.
  std::unique_ptr<TcpStore> Join(int rank, absl::Duration timeout);
  // Until all ends.
  RunRecord Run(absl::string_view title);

 private:
  RunRecorder recorder_;
  std::unique_ptr<World> world_;
  SimNet net_;
  std::vector<std::unique_ptr<SimEnv>> envs_;
};

// One sets what the other gets.
RunRecord TwoRanksMeet();
// Each gets what each has set.
RunRecord FourRanksMeet();
// The last of four is cut off from the server, too long for its patience.
RunRecord ARankIsCutOff();
// Nobody ever sets what the last of three waits for.
RunRecord AWaiterTimesOut();
// Among twenty ranks, one crashes and one is paused.
RunRecord ManyRanksLoseOne();
// A server that never comes.
RunRecord NobodyListens();

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REPORT_DEMO_RUNS_H_
