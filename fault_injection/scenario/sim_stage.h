// The processes of a simulated scenario: its server, its workers and its strangers, and the fiber
// that makes the faults happen.
#ifndef ROLLCALL_FAULT_INJECTION_SCENARIO_SIM_STAGE_H_
#define ROLLCALL_FAULT_INJECTION_SCENARIO_SIM_STAGE_H_

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "fault_injection/recording_store.h"
#include "fault_injection/report/run_recorder.h"
#include "fault_injection/scenario/call_faults.h"
#include "fault_injection/scenario/cast.h"
#include "fault_injection/scenario/director.h"
#include "fault_injection/scenario/fixtures.h"
#include "fault_injection/scenario/run_result.h"
#include "fault_injection/scenario/scenario.pb.h"
#include "fault_injection/scenario/sim_faults.h"
#include "fault_injection/scenario/sim_run.h"
#include "fault_injection/scenario/worker.h"
#include "fault_injection/sim_env.h"
#include "fault_injection/sim_net.h"
#include "fault_injection/world.h"
#include "store/journal/fake_journal.h"
#include "store/server/server_engine.h"

namespace rollcall::fault {

class SimStage final : private SimProcesses {
 public:
  SimStage(const Scenario& scenario, const Fixtures& fixtures, const SimRunOptions& options);
  ~SimStage() override;

  RunResult Run();

 private:
  class Listener;
  // What one host runs, in this life of it.
  struct Process {
    std::unique_ptr<SimEnv> env;
    int life = 1;
    bool is_alive = false;  // A worker, or the server: has begun and not ended.
  };

  // SimProcesses:
  void Kill(const std::string& host, bool is_machine) override;
  void Restart(const std::string& host) override;
  void StopServer() override;
  void OccupyPort(const std::string& host, bool time_wait) override;
  void FreePort(const std::string& host) override;

  void AddHosts();
  SimEnv& BeginProcess(const std::string& host, int life);
  void StartWorker(const WorkerRole& role, int life);
  void StartServer(int life);
  void Serve(SimEnv& env, int life);
  ServerEngineFactory NewEngine(SimEnv& env);
  void StartStranger(const Stranger& stranger);
  void Direct();
  // A step begins or has ended: faults that wait for it happen before it goes on.
  void Note(const StepOutcome& outcome, bool ends);
  void WakeAll(std::vector<FiberId>& fibers);
  void NoteWorkerEnd();
  // Until the time that a process's `start_at` says, and what is due then has been made.
  void AwaitBeginning(const std::string& start_at);
  void LetFaultsHappen();
  size_t AddOutcome(const StepOutcome& outcome);
  StepOutcome& BeginOutcome(const std::string& who, int life, const std::string& step);
  void LookForLeaks();
  absl::Duration SinceBeginning() const { return world_.elapsed(); }

  const Scenario& scenario_;
  const Fixtures& fixtures_;
  const SimRunOptions& options_;
  const Cast cast_;
  World world_;
  SimNet net_;
  std::unique_ptr<FakeDisk> disk_;  // Of a server with a journal.
  std::map<std::string, Process> processes_;
  std::vector<std::unique_ptr<SimEnv>> past_lives_;
  std::unique_ptr<SimEnv> recorder_env_;
  std::unique_ptr<HistoryRecorder> history_;
  CallFaults call_faults_;
  class Injector;
  std::unique_ptr<Injector> injector_;
  SimFaults faults_;
  Director director_;
  FiberId director_fiber_ = 0;
  bool is_directing_ = false;
  std::vector<FiberId> held_up_;  // Wait for a fault to be made, or for another's step.
  std::deque<StepOutcome> outcomes_;
  RunResult result_;
  int workers_alive_ = 0;
  bool is_stop_requested_ = false;
  FiberId server_fiber_ = 0;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SCENARIO_SIM_STAGE_H_
