// What each kind of fault does to a simulated network and its world.
#ifndef ROLLCALL_FAULT_INJECTION_SCENARIO_SIM_FAULTS_H_
#define ROLLCALL_FAULT_INJECTION_SCENARIO_SIM_FAULTS_H_

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fault_injection/report/run_recorder.h"
#include "fault_injection/scenario/call_faults.h"
#include "fault_injection/scenario/cast.h"
#include "fault_injection/scenario/scenario.pb.h"
#include "fault_injection/sim_net.h"
#include "fault_injection/world.h"

namespace rollcall::fault {

// What happens to the processes is not the network's business.
class SimProcesses {
 public:
  virtual ~SimProcesses() = default;
  // `is_machine`: the machine is lost, and nobody is told.
  virtual void Kill(const std::string& host, bool is_machine) = 0;
  virtual void Restart(const std::string& host) = 0;
  virtual void StopServer() = 0;
  // Another program takes the server's port on the host, or leaves it in TIME_WAIT.
  virtual void OccupyPort(const std::string& host, bool time_wait) = 0;
  virtual void FreePort(const std::string& host) = 0;
};

// All that it is given must outlive it. `recorder` may be null.
class SimFaults {
 public:
  SimFaults(const Scenario& scenario, const Cast& cast, World* world, SimNet* net,
            CallFaults* call_faults, SimProcesses* processes, RunRecorder* recorder);

  // From a fiber of no host of the scenario's.
  void Begin(int fault);
  // What `lasts` has ended.
  void End(int fault);

 private:
  using Way = std::function<void(const std::string& from, const std::string& to)>;

  std::vector<std::string> HostsOf(const std::string& text) const;
  void ForEachHost(const std::string& text, const std::function<void(const std::string&)>& act);
  template <typename Path>
  void ForEachWay(const Path& path, const Way& act, bool both_ways);
  void BeginOnLinks(const Fault& fault);
  void BeginOnHosts(const Fault& fault);
  void BeginOnMachine(const Fault& fault);
  void Pause(const std::string& host);
  void Resume(const std::string& host);
  void Starve(const Starve& starve);
  void SetNames(const Names& names);
  void SetLocalPorts(const std::string& host, int first, int last);
  void Note(absl::string_view text, const std::vector<std::string>& hosts);

  const Scenario& scenario_;
  const Cast& cast_;
  World& world_;
  SimNet& net_;
  CallFaults& call_faults_;
  SimProcesses& processes_;
  RunRecorder* const recorder_;
  std::set<std::string> starving_;
  std::map<std::string, BandId> pauses_;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SCENARIO_SIM_FAULTS_H_
