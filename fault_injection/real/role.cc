#include "fault_injection/real/role.h"

#include <exception>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fault_injection/history.h"
#include "fault_injection/real/faulty_syscalls.h"
#include "fault_injection/real/role_lines.h"
#include "fault_injection/real/role_talk.h"
#include "fault_injection/recording_store.h"
#include "fault_injection/scenario/call_faults.h"
#include "fault_injection/scenario/cast.h"
#include "fault_injection/scenario/scenario_server.h"
#include "fault_injection/scenario/stranger.h"
#include "fault_injection/scenario/worker.h"
#include "glog/logging.h"
#include "net/env.h"
#include "net/real_env.h"
#include "store/journal/journaled_engine.h"
#include "store/journal/sqlite_journal.h"
#include "store/server/server_engine.h"
#include "store/server/store_server.h"

namespace rollcall::fault {
namespace {

class TalkingListener final : public StepListener {
 public:
  explicit TalkingListener(RoleTalk* talk) : talk_(*talk) {}

  void OnBegin(const StepOutcome& outcome) override { Say("begin ", outcome); }
  void OnEnd(const StepOutcome& outcome) override { Say("end ", outcome); }

 private:
  void Say(absl::string_view word, const StepOutcome& outcome) {
    talk_.Say(absl::StrCat(word, OutcomeToHex(outcome)));
    talk_.AwaitGo();
  }

  RoleTalk& talk_;
};

class Role {
 public:
  Role(const Scenario& scenario, const RoleOptions& options, const Fixtures& fixtures)
      : scenario_(scenario),
        options_(options),
        fixtures_(fixtures),
        cast_(CastOf(scenario)),
        faults_monitor_(net::RealEnv().NewMonitor()),
        call_faults_(
            scenario, [](absl::string_view, uint64_t n) { return net::RealEnv().RandomBits() % n; },
            [this](int fault, const CallSite&) { SayActed(fault); }),
        calls_(HostOf(scenario, options.role), cast_.hosts, &call_faults_, faults_monitor_.get(),
               [](absl::Duration time) { net::RealEnv().SleepUntil(net::RealEnv().Now() + time); }),
        env_(&calls_),
        talk_(&net::RealEnv(), [this](int fault, bool enabled) {
          const net::MonitorLock lock(faults_monitor_.get());
          call_faults_.Enable(fault, enabled);
        }) {}

  int Play() {
    talk_.Say("ready");
    began_ = talk_.AwaitStart();
    try {
      return PlayPart();
    } catch (const std::exception& error) {
      talk_.Say(absl::StrCat("failed ", absl::BytesToHexString(error.what())));
      return 1;
    }
  }

 private:
  // A stranger that listens does so on the server's machine.
  static std::string HostOf(const Scenario& scenario, const std::string& role) {
    for (const Stranger& stranger : scenario.strangers()) {
      if (stranger.name() == role && stranger.listens()) return kServerHost;
    }
    return role;
  }

  void SayActed(int fault) {
    talk_.Say(absl::StrCat("acted ", fault, " ", scenario_.faults(fault).call().fails()));
  }

  int PlayPart() {
    if (options_.role == kServerHost && cast_.has_server) return Serve();
    for (const WorkerRole& worker : cast_.workers) {
      if (worker.host == options_.role) return Work(worker);
    }
    for (const Stranger* const stranger : cast_.strangers) {
      if (stranger->name() == options_.role) return Meddle(*stranger);
    }
    LOG(ERROR) << "nobody in the scenario is called \"" << options_.role << "\"";
    return 1;
  }

  int Work(const WorkerRole& worker) {
    WorkerSituation situation;
    situation.world_size = cast_.world_size();
    situation.life = options_.life;
    situation.server_name = cast_.serving_host;
    situation.server_port = options_.server_port;
    situation.world_began = began_;
    situation.directory = options_.directory;
    TalkingListener listener(&talk_);
    HistoryRecorder history(env_);
    RunWorker(env_, worker, situation, fixtures_, scenario_.linearizable() ? &history : nullptr,
              listener);
    for (const Operation& operation : history.history()) {
      talk_.Say(absl::StrCat("operation ", operation.ToString()));
    }
    return 0;
  }

  int Serve() {
    StepOutcome outcome = Begun(kStartStep);
    const absl::StatusOr<std::unique_ptr<StoreServer>> server = StoreServer::Start(
        env_, ServerOptionsOf(scenario_.server(), options_.server_port), NewEngine());
    outcome.set_ended_ns(SinceBeginning());
    SetStarted(server.status(), outcome);
    SayEnded(outcome);
    if (!server.ok()) return 0;
    talk_.AwaitStop();
    (*server)->Stop();
    return 0;
  }

  ServerEngineFactory NewEngine() {
    if (!scenario_.server().journal()) return nullptr;
    const std::string directory = absl::StrCat(options_.directory, "/journal");
    return NewJournaledEngine(
        {.open_journal = [directory] { return OpenSqliteJournal({.directory = directory}); }});
  }

  int Meddle(const Stranger& stranger) {
    if (stranger.listens()) {
      AnswerAsStranger(env_, calls_, stranger, options_.server_port, absl::InfiniteFuture());
      return 0;
    }
    StepOutcome outcome = Begun(kTalkStep);
    outcome.set_value(TalkToServer(env_, calls_, stranger, cast_.serving_host, options_.server_port,
                                   absl::InfiniteFuture()));
    outcome.set_ended_ns(SinceBeginning());
    outcome.set_has_ended(true);
    outcome.set_ok(true);
    SayEnded(outcome);
    return 0;
  }

  StepOutcome Begun(absl::string_view step) {
    StepOutcome outcome;
    outcome.set_who(options_.role);
    outcome.set_life(options_.life);
    outcome.set_step(std::string(step));
    outcome.set_operation(std::string(step));
    outcome.set_began_ns(SinceBeginning());
    talk_.Say(absl::StrCat("begin ", OutcomeToHex(outcome)));
    talk_.AwaitGo();
    outcome.set_began_ns(SinceBeginning());
    return outcome;
  }

  void SayEnded(const StepOutcome& outcome) {
    talk_.Say(absl::StrCat("end ", OutcomeToHex(outcome)));
    talk_.AwaitGo();
  }

  int64_t SinceBeginning() { return absl::ToInt64Nanoseconds(env_.Now() - began_); }

  const Scenario& scenario_;
  const RoleOptions& options_;
  const Fixtures& fixtures_;
  const Cast cast_;
  const std::unique_ptr<net::Monitor> faults_monitor_;
  CallFaults call_faults_;
  FaultySyscalls calls_;
  net::SystemEnv env_;
  RoleTalk talk_;
  absl::Time began_;
};

}  // namespace

int PlayRole(const Scenario& scenario, const RoleOptions& options, const Fixtures& fixtures) {
  return Role(scenario, options, fixtures).Play();
}

}  // namespace rollcall::fault
