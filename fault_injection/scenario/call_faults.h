// The faults of a scenario that make system calls go wrong.
#ifndef ROLLCALL_FAULT_INJECTION_SCENARIO_CALL_FAULTS_H_
#define ROLLCALL_FAULT_INJECTION_SCENARIO_CALL_FAULTS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/fault_point.h"
#include "fault_injection/scenario/scenario.pb.h"

namespace rollcall::fault {

struct Ordinals {
  uint64_t first = 1;
  uint64_t last = UINT64_MAX;
};
// "3", "2-4", "3-"; empty: all. InvalidArgument.
absl::StatusOr<Ordinals> ParseOrdinals(absl::string_view text);

// Decides for each system call whether one of the scenario's `call` faults acts on it. Not
// thread-safe: where several threads make calls, hold a lock.
class CallFaults final : public FaultInjector {
 public:
  // A number in [0, n), for a fault's percentage.
  using Draw = std::function<uint64_t(absl::string_view what, uint64_t n)>;
  // Told of each fault that acts; may be null.
  using OnActed = std::function<void(int fault, const CallSite& site)>;

  // `scenario` must have been checked. Faults without `at` and `when` are enabled from the start.
  CallFaults(const Scenario& scenario, Draw draw, OnActed on_acted);

  CallFault OnCall(const CallSite& site) override;

  // `fault` is its index in the scenario.
  void Enable(int fault, bool enabled);
  bool IsMine(int fault) const;

 private:
  struct Rule {
    int fault = 0;
    std::string name;
    std::string hosts;
    std::string call;
    Ordinals nth;
    uint64_t percent = 100;
    uint64_t times_left = UINT64_MAX;
    bool enabled = true;
    CallFault effect;
  };

  const Draw draw_;
  const OnActed on_acted_;
  std::vector<Rule> rules_;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SCENARIO_CALL_FAULTS_H_
