// Where in a run a system call can go wrong, and one that does.
#ifndef ROLLCALL_FAULT_INJECTION_SWEEP_FAULT_SITE_H_
#define ROLLCALL_FAULT_INJECTION_SWEEP_FAULT_SITE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fault_injection/fault_point.h"
#include "fault_injection/legal_errnos.h"
#include "fault_injection/scenario/worker.h"
#include "fault_injection/sweep/contract.pb.h"

namespace rollcall::fault {

// One fallible call of a run.
struct FaultSite {
  std::string host;
  const CallRow* call = nullptr;
  uint64_t occurrence = 0;  // Of this call on this host, from 1.
  size_t size_bytes = 0;
  std::string step;       // In which it falls: "get#2"; empty where the host is in none.
  std::string operation;  // "get", "start", "serve", "end".
  Phase phase = PHASE_UNSPECIFIED;
};

// What is to happen at a site.
struct PlannedFault {
  FaultSite site;
  CallFault fault;
  std::string name;  // "ECONNRESET", "EAI_AGAIN", "shortened", "delayed".
};

// "w1 recv#3 ECONNRESET in get#2", for people.
std::string FaultText(const PlannedFault& planned);

// Lets the planned faults happen, and writes down every site that it is asked about.
class SiteRecorder final : public FaultInjector, public StepListener {
 public:
  // `faults` must outlive it.
  explicit SiteRecorder(const std::vector<PlannedFault>& faults)
      : faults_(faults), fired_at_(faults.size(), kNotFired) {}

  CallFault OnCall(const CallSite& site) override;
  void OnBegin(const StepOutcome& outcome) override;
  void OnEnd(const StepOutcome& outcome) override;

  // After the run, in the order in which the calls were made.
  std::vector<FaultSite> Sites() const;
  // Index in Sites() of where the planned fault happened; kNotFired.
  size_t fired_at(size_t fault) const { return fired_at_[fault]; }

  static constexpr size_t kNotFired = SIZE_MAX;

 private:
  struct Seen {
    FaultSite site;
    std::string actor;
    Call purpose = Call::kPoll;  // Itself; of a poll, the actor's last call that was none.
  };
  struct WorkerState {
    std::string step;
    std::string operation;
  };

  // By actor: up to which of its calls it makes a server's sockets. The main thread of whoever
  // hosts does that first, and then connects as a client.
  std::map<std::string, size_t> LastOfListening() const;

  const std::vector<PlannedFault>& faults_;
  std::vector<size_t> fired_at_;
  std::vector<Seen> seen_;
  std::map<std::string, WorkerState> workers_;
  std::map<std::string, Call> last_call_;  // That was no poll, by actor.
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SWEEP_FAULT_SITE_H_
