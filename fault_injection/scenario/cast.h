// Who takes part in a scenario, worked out from its text: hosts, ranks, and the names of the steps.
#ifndef ROLLCALL_FAULT_INJECTION_SCENARIO_CAST_H_
#define ROLLCALL_FAULT_INJECTION_SCENARIO_CAST_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/scenario/scenario.pb.h"

namespace rollcall::fault {

constexpr char kServerHost[] = "server";
constexpr absl::Duration kWorkerTimeout = absl::Seconds(5);
constexpr absl::Duration kTimeMax = absl::Seconds(60);

struct WorkerRole {
  std::string host;  // "w3"
  int rank = 0;
  const Workers* group = nullptr;
  std::vector<std::string> step_names;  // One for each of the group's steps.
};

// Points into the scenario, which must outlive it.
struct Cast {
  std::vector<WorkerRole> workers;  // By rank.
  std::vector<const Stranger*> strangers;
  bool has_server = false;
  std::string serving_host;        // "server", or the worker that hosts.
  std::vector<std::string> hosts;  // Everybody, the server's first.

  int world_size() const { return static_cast<int>(workers.size()); }
};
Cast CastOf(const Scenario& scenario);

// "get", "multi_set", "fixture": the operation's name in scenario.proto; empty if none is set.
absl::string_view OperationOf(const Step& step);

// A duration that has been checked; `otherwise` if the text is empty.
absl::Duration DurationOf(const std::string& text, absl::Duration otherwise);

// "cut", "call": the action's name in scenario.proto; empty if none is set.
absl::string_view ActionOf(const Fault& fault);
// Its own name, or "fault 3 (cut)" for the third of the scenario.
std::string NameOf(const Scenario& scenario, int fault);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SCENARIO_CAST_H_
