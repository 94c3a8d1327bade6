// The processes of a scenario that is run for real, and what makes its faults happen.
#ifndef ROLLCALL_FAULT_INJECTION_REAL_REAL_STAGE_H_
#define ROLLCALL_FAULT_INJECTION_REAL_REAL_STAGE_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/proxy/fault_proxy.h"
#include "fault_injection/real/proxy_faults.h"
#include "fault_injection/real/real_run.h"
#include "fault_injection/real/role_process.h"
#include "fault_injection/real/server_port.h"
#include "fault_injection/scenario/cast.h"
#include "fault_injection/scenario/director.h"
#include "fault_injection/scenario/run_result.h"
#include "fault_injection/scenario/scenario.pb.h"

namespace rollcall::fault {

// One thread's, the caller's: it waits for what the processes say, and for what is due. Times are
// since the beginning.
class RealStage {
 public:
  RealStage(const Scenario& scenario, const RealRunOptions& options);
  ~RealStage();

  absl::StatusOr<RunResult> Run();

 private:
  // Who waits for `go`: after a step's end, or before it begins.
  struct Waiting {
    std::string step;
    bool is_noted = false;  // The director has been told of it.
  };
  // One role, and the process that plays it now.
  struct Player {
    std::string name;
    std::string host;  // The name, or "server" for a stranger that listens.
    bool is_worker = false;
    bool is_stranger = false;
    absl::Duration start_at;
    int life = 1;
    std::unique_ptr<RoleProcess> process;  // Null: none, or it is dead.
    bool is_ready = false;
    bool has_started = false;
    bool is_over = false;  // It has said so, and will end.
    bool is_paused = false;
    int unanswered = 0;  // Enables and disables.
    std::optional<Waiting> waiting;
    std::optional<size_t> outcome;  // Of the step it is in.
    int descriptors_before = 0;     // Its limit, while a lower one holds.
  };
  // A host that is paused again and again.
  struct Starving {
    std::string host;
    absl::Duration longest;
    absl::Duration next;
    bool is_paused = false;
  };

  // --- Setting up ---
  absl::Status SetUp();
  absl::Status StartProxy();
  void AddPlayers();
  absl::Status StartProcess(Player& player);
  absl::Status AwaitReady();
  bool StartsServer() const { return cast_.has_server && !options_.server.has_value(); }

  // --- The run ---
  // Until something happens or `deadline`.
  void Pump(absl::Duration deadline);
  void AwaitServer();
  void MakeDueThingsHappen();
  void StartWhoIsDue();
  void NoteWhoBegins();
  void LetGo();
  // The time of the next thing that is due by itself.
  absl::Duration NextDue() const;
  void HearFrom(Player& player);
  void OnLine(Player& player, absl::string_view line);
  void OnStep(Player& player, const StepOutcome& outcome, bool ends);
  void OnActed(absl::string_view text);
  void OnOperation(const Player& player, absl::string_view text);
  void Fail(absl::string_view why);
  bool HasLiveWorkers() const;
  bool HasUnanswered() const;
  void StopAll();
  // With the port that the server has in every scenario, in the place of those of this run.
  std::string InScenarioTerms(const std::string& text) const;

  // --- Faults (real_stage_faults.cc) ---
  void Begin(int index);
  void End(int index);
  void EnableCall(int index, bool enabled);
  void TellEnabled(Player& player, int index, bool enabled);
  std::vector<std::string> HostsOf(const std::string& hosts) const;
  void ForEachPlayer(const std::string& hosts, const std::function<void(Player&)>& act);
  void Pause(const std::string& hosts, bool paused);
  void Kill(Player& player);
  void Crash(const std::string& hosts);
  void Restart(Player& player);
  void LimitDescriptors(const std::string& hosts, std::optional<int> max);
  void OccupyPort(const class OccupyPort& occupy);
  void StopServer();
  void BeginStarving(const class Starve& starve);
  void EndStarving(const std::string& hosts);
  void StarveOn(Starving& starving);

  absl::Duration Now() const;

  const Scenario& scenario_;
  const RealRunOptions& options_;
  const Cast cast_;
  Director director_;
  std::optional<ServerPort> port_;
  std::string directory_;
  std::unique_ptr<FaultProxy> proxy_;
  std::unique_ptr<ProxyFaults> proxy_faults_;
  std::vector<Player> players_;
  std::vector<Starving> starving_;
  std::set<int> enabled_calls_;
  std::set<std::string> crashed_;
  absl::Duration began_;  // Of the machine's clock.
  bool is_stop_due_ = false;
  bool awaits_server_ = false;  // Nobody else may start yet.
  RunResult result_;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REAL_REAL_STAGE_H_
