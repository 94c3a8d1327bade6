#include "fault_injection/scenario/sim_stage.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "fault_injection/scenario/judge.h"
#include "fault_injection/scenario/scenario_server.h"
#include "fault_injection/scenario/stranger.h"
#include "fault_injection/stable_hash.h"
#include "glog/logging.h"
#include "store/journal/journaled_engine.h"
#include "store/server/store_server.h"

namespace rollcall::fault {
namespace {

// Of a server's journal: an SSD's.
constexpr absl::Duration kCommitLatency = absl::Milliseconds(1);

constexpr uint16_t kPort = 29500;
constexpr char kFaultsActor[] = "faults";

WorldOptions WorldOptionsOf(const Scenario& scenario, const SimRunOptions& options) {
  WorldOptions world;
  world.seed = options.seed;
  world.replay = options.replay;
  world.start = SimWorldBegin();
  world.time_max = DurationOf(scenario.time_max(), kTimeMax);
  world.trace = options.recorder;
  return world;
}

SimNetOptions NetOptionsOf(const Scenario& scenario) {
  SimNetOptions net;
  net.link.latency = DurationOf(scenario.network().latency(), net.link.latency);
  net.link.jitter = DurationOf(scenario.network().jitter(), net.link.jitter);
  net.short_transfer_percent = scenario.network().short_transfer_percent();
  return net;
}

}  // namespace

absl::Time SimWorldBegin() { return WorldOptions().start; }

// --- What listens to the run ---

class SimStage::Listener final : public StepListener {
 public:
  explicit Listener(SimStage& stage) : stage_(stage) {}

  void OnBegin(const StepOutcome& outcome) override {
    index_ = stage_.AddOutcome(outcome);
    if (RunRecorder* const recorder = stage_.options_.recorder) {
      step_ = recorder->BeginStep(stage_.world_.Now(), outcome.who(), outcome.step());
    }
    stage_.Note(outcome, /*ends=*/false);
    if (stage_.options_.steps != nullptr) stage_.options_.steps->OnBegin(outcome);
  }
  void OnEnd(const StepOutcome& outcome) override {
    stage_.outcomes_[index_] = outcome;
    if (stage_.options_.steps != nullptr) stage_.options_.steps->OnEnd(outcome);
    if (RunRecorder* const recorder = stage_.options_.recorder) {
      recorder->EndStep(stage_.world_.Now(), step_, outcome.ok(),
                        outcome.ok() ? ShownValue(outcome.value()) : outcome.code());
    }
    stage_.Note(outcome, /*ends=*/true);
  }

 private:
  SimStage& stage_;
  size_t index_ = 0;
  StepId step_ = 0;
};

// The scenario's own faults come before those of whoever runs it.
class SimStage::Injector final : public FaultInjector {
 public:
  Injector(CallFaults* own, FaultInjector* other) : own_(*own), other_(other) {}

  CallFault OnCall(const CallSite& site) override {
    const CallFault fault = own_.OnCall(site);
    const bool acts = fault.errno_value != 0 || fault.transfer_bytes_max.has_value() ||
                      fault.delay > absl::ZeroDuration();
    return acts || other_ == nullptr ? fault : other_->OnCall(site);
  }

 private:
  CallFaults& own_;
  FaultInjector* const other_;
};

// --- Setting up ---

SimStage::SimStage(const Scenario& scenario, const Fixtures& fixtures, const SimRunOptions& options)
    : scenario_(scenario),
      fixtures_(fixtures),
      options_(options),
      cast_(CastOf(scenario)),
      world_(WorldOptionsOf(scenario, options)),
      net_(&world_, NetOptionsOf(scenario)),
      call_faults_(
          scenario, [this](absl::string_view what, uint64_t n) { return world_.Choose(what, n); },
          [this](int fault, const CallSite& site) {
            ++result_.acted[fault];
            const std::string& error = scenario_.faults(fault).call().fails();
            if (!error.empty()) ++result_.injected[{std::string(site.call), error}];
          }),
      injector_(std::make_unique<Injector>(&call_faults_, options.injector)),
      faults_(scenario, cast_, &world_, &net_, &call_faults_, this, options.recorder),
      director_(scenario) {
  result_.acted.assign(static_cast<size_t>(scenario.faults_size()), 0);
  net_.SetObserver(options.recorder);
  net_.SetInjector(injector_.get());
  AddHosts();
}

SimStage::~SimStage() = default;

void SimStage::AddHosts() {
  int number = 0;
  for (const std::string& host : cast_.hosts) {
    ++number;
    net_.AddHost(host, {absl::StrCat("10.0.", number / 250, ".", number % 250 + 1)});
    if (options_.recorder != nullptr) options_.recorder->AddHost(host);
  }
  recorder_env_ =
      std::make_unique<SimEnv>(&world_, &net_.host(kServerHost), SimProcess{.host = "history"});
  if (scenario_.linearizable()) history_ = std::make_unique<HistoryRecorder>(*recorder_env_);
}

SimEnv& SimStage::BeginProcess(const std::string& host, int life) {
  Process& process = processes_[host];
  if (process.env != nullptr) past_lives_.push_back(std::move(process.env));
  process.env = std::make_unique<SimEnv>(&world_, &net_.host(host), SimProcess{.host = host});
  process.life = life;
  process.is_alive = true;
  return *process.env;
}

void SimStage::AwaitBeginning(const std::string& start_at) {
  const absl::Time until = SimWorldBegin() + DurationOf(start_at, absl::ZeroDuration());
  while (world_.Now() < until) world_.Block(until, "its start");
  LetFaultsHappen();
}

void SimStage::StartWorker(const WorkerRole& role, int life) {
  SimEnv& env = BeginProcess(role.host, life);
  ++workers_alive_;
  env.Start([this, &env, &role, life] {
    AwaitBeginning(life == 1 ? role.group->start_at() : "");
    WorkerSituation situation;
    situation.world_size = cast_.world_size();
    situation.life = life;
    situation.server_name =
        role.group->server_name().empty() ? cast_.serving_host : role.group->server_name();
    situation.server_port = kPort;
    situation.world_began = SimWorldBegin();
    situation.directory = "/nonexistent";
    Listener listener(*this);
    RunWorker(env, role, situation, fixtures_, history_.get(), listener);
    processes_[role.host].is_alive = false;
    NoteWorkerEnd();
  });
}

void SimStage::NoteWorkerEnd() {
  --workers_alive_;
  if (workers_alive_ == 0) world_.Unblock(server_fiber_);
}

void SimStage::StartServer(int life) {
  SimEnv& env = BeginProcess(kServerHost, life);
  env.Start([this, &env, life] {
    AwaitBeginning(life == 1 ? scenario_.server().start_at() : "");
    Serve(env, life);
    processes_[kServerHost].is_alive = false;
  });
}

StepOutcome& SimStage::BeginOutcome(const std::string& who, int life, const std::string& step) {
  StepOutcome outcome;
  outcome.set_who(who);
  outcome.set_life(life);
  outcome.set_step(step);
  outcome.set_operation(step);
  outcome.set_began_ns(absl::ToInt64Nanoseconds(SinceBeginning()));
  return outcomes_[AddOutcome(outcome)];
}

void SimStage::Serve(SimEnv& env, int life) {
  StepOutcome& outcome = BeginOutcome(kServerHost, life, kStartStep);
  if (options_.steps != nullptr) options_.steps->OnBegin(outcome);
  const absl::StatusOr<std::unique_ptr<StoreServer>> server =
      StoreServer::Start(env, ServerOptionsOf(scenario_.server(), kPort), NewEngine(env));
  outcome.set_ended_ns(absl::ToInt64Nanoseconds(SinceBeginning()));
  SetStarted(server.status(), outcome);
  if (options_.steps != nullptr) options_.steps->OnEnd(outcome);
  if (!server.ok()) return;
  Note(outcome, /*ends=*/true);
  server_fiber_ = world_.current();
  const absl::Time stop_at =
      SimWorldBegin() + DurationOf(scenario_.server().stop_at(), absl::InfiniteDuration());
  while (workers_alive_ > 0 && !is_stop_requested_ && world_.Now() < stop_at) {
    world_.Block(stop_at, "the workers to end");
  }
  (*server)->Stop();
}

ServerEngineFactory SimStage::NewEngine(SimEnv& env) {
  if (!scenario_.server().journal()) return nullptr;
  if (disk_ == nullptr) disk_ = std::make_unique<FakeDisk>(env);
  return NewJournaledEngine({.open_journal = disk_->Opener(env, kCommitLatency)});
}

void SimStage::StartStranger(const Stranger& stranger) {
  const std::string host = stranger.listens() ? kServerHost : stranger.name();
  SimEnv& env = BeginProcess(host, 1);
  world_.SpawnDaemon(host, [this, &env, &stranger, host] {
    AwaitBeginning(stranger.start_at());
    if (stranger.listens()) {
      return AnswerAsStranger(env, net_.host(host), stranger, kPort, absl::InfiniteFuture());
    }
    StepOutcome& outcome = BeginOutcome(stranger.name(), 1, kTalkStep);
    outcome.set_value(TalkToServer(env, net_.host(host), stranger, cast_.serving_host, kPort,
                                   absl::InfiniteFuture()));
    outcome.set_ended_ns(absl::ToInt64Nanoseconds(SinceBeginning()));
    outcome.set_has_ended(true);
    outcome.set_ok(true);
    Note(outcome, /*ends=*/true);
  });
}

// --- Faults ---

void SimStage::Direct() {
  while (true) {
    for (const Director::Cue& cue : director_.Take(SinceBeginning())) {
      if (cue.ends) {
        faults_.End(cue.fault);
      } else {
        faults_.Begin(cue.fault);
        if (!call_faults_.IsMine(cue.fault)) ++result_.acted[cue.fault];
      }
    }
    is_directing_ = false;
    WakeAll(held_up_);
    while (director_.next() > SinceBeginning()) {
      world_.Block(SimWorldBegin() + director_.next(), "the next fault");
    }
    is_directing_ = true;
  }
}

void SimStage::WakeAll(std::vector<FiberId>& fibers) {
  for (const FiberId fiber : std::exchange(fibers, {})) world_.Unblock(fiber);
}

void SimStage::Note(const StepOutcome& outcome, bool ends) {
  // A step begins when the scenario's order lets it: what is to happen then would else happen
  // before what the step waits for.
  while (!ends && !director_.MayBegin(outcome.who(), outcome.step())) {
    held_up_.push_back(world_.current());
    world_.Block(absl::InfiniteFuture(), "another's step, by the scenario's order");
  }
  director_.Note(outcome.who(), outcome.step(), ends, SinceBeginning());
  LetFaultsHappen();
  WakeAll(held_up_);
}

void SimStage::LetFaultsHappen() {
  if (director_.next() <= SinceBeginning()) is_directing_ = true;
  // Also where the next fault is yet to come: it may be due before the one that is waited for.
  if (director_.next() < absl::InfiniteDuration()) world_.Unblock(director_fiber_);
  while (is_directing_) {
    held_up_.push_back(world_.current());
    world_.Block(absl::InfiniteFuture(), "the faults that are due");
  }
}

size_t SimStage::AddOutcome(const StepOutcome& outcome) {
  outcomes_.push_back(outcome);
  return outcomes_.size() - 1;
}

void SimStage::Kill(const std::string& host, bool is_machine) {
  if (is_machine) {
    net_.CrashHost(host);
  } else {
    net_.ExitProcess(host);
  }
  world_.Kill(host);
  Process& process = processes_[host];
  const bool was_alive = std::exchange(process.is_alive, false);
  if (was_alive && host != kServerHost) NoteWorkerEnd();
}

void SimStage::Restart(const std::string& host) {
  net_.RestartHost(host);
  const int life = processes_[host].life + 1;
  if (host == kServerHost) return StartServer(life);
  for (const WorkerRole& role : cast_.workers) {
    if (role.host == host) StartWorker(role, life);
  }
}

void SimStage::StopServer() {
  is_stop_requested_ = true;
  world_.Unblock(server_fiber_);
}

void SimStage::OccupyPort(const std::string& host, bool time_wait) {
  world_.SpawnDaemon(absl::StrCat(host, "/occupant"), [this, host, time_wait] {
    Stranger occupant;
    occupant.set_name("occupant");
    occupant.set_listens(true);
    occupant.set_closes(time_wait);
    const absl::Time end =
        time_wait ? world_.Now() + absl::Milliseconds(1) : absl::InfiniteFuture();
    AnswerAsStranger(*recorder_env_, net_.host(host), occupant, kPort, end);
  });
  if (!time_wait) return;
  world_.SpawnDaemon(absl::StrCat(host, "/visitor"), [this, host] {
    Stranger visitor;
    visitor.set_name("visitor");
    TalkToServer(*recorder_env_, net_.host(host), visitor, "127.0.0.1", kPort,
                 absl::InfiniteFuture());
  });
}

void SimStage::FreePort(const std::string& host) { world_.Kill(absl::StrCat(host, "/occupant")); }

// --- The run ---

RunResult SimStage::Run() {
  director_fiber_ = world_.SpawnDaemon(kFaultsActor, [this] { Direct(); });
  is_directing_ = true;
  if (cast_.has_server) StartServer(/*life=*/1);
  for (const Stranger* const stranger : cast_.strangers) StartStranger(*stranger);
  for (const WorkerRole& role : cast_.workers) StartWorker(role, /*life=*/1);
  result_.ended = world_.Run();
  if (!result_.ended.ok()) {
    result_.ended =
        absl::Status(result_.ended.code(), absl::StrCat(result_.ended.message(), net_.Sockets()));
  }
  result_.elapsed = SinceBeginning();
  result_.fingerprint = HashCombine(world_.fingerprint(), net_.fingerprint());
  result_.choices = world_.choices();
  if (history_ != nullptr) result_.history = history_->history();
  processes_.clear();
  past_lives_.clear();
  world_.KillAll();
  LookForLeaks();
  for (StepOutcome& outcome : outcomes_) result_.outcomes.push_back(std::move(outcome));
  return std::move(result_);
}

void SimStage::LookForLeaks() {
  for (const std::unique_ptr<SimKernel>& kernel : net_.hosts()) {
    const int descriptors = kernel->usage().descriptors;
    if (descriptors > 0) {
      result_.leaks.push_back(
          absl::StrCat(kernel->host_name(), " left ", descriptors, " descriptors open"));
    }
  }
  for (const std::string& actor : world_.abandoned()) {
    result_.leaks.push_back(absl::StrCat(actor, " did not end when it was to"));
  }
}

}  // namespace rollcall::fault
