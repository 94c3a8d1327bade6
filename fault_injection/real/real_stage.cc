#include "fault_injection/real/real_stage.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "fault_injection/proxy/proxy_types.h"
#include "fault_injection/real/machine_clock.h"
#include "fault_injection/real/role_lines.h"
#include "fault_injection/scenario/host_set.h"
#include "glog/logging.h"
#include "net/env.h"
#include "net/syscalls.h"

namespace rollcall::fault {
namespace {

constexpr char kLoopback[] = "127.0.0.1";
constexpr char kScenarioPort[] = "29500";
// Of processes that are not waited for by the scenario: to start, and to end when told so.
constexpr absl::Duration kProcessPatience = absl::Seconds(30);
// How long the others wait for the server, which may be kept from starting by the scenario.
constexpr absl::Duration kServerPatience = absl::Milliseconds(200);
constexpr absl::Duration kProbeInterval = absl::Milliseconds(1);

// The proxy's spare connection is one more for a server that counts them, and for whoever is told
// which of its calls goes wrong.
bool MaySeeSpares(const Scenario& scenario, const Cast& cast) {
  const bool counts_calls = absl::c_any_of(scenario.faults(), [&](const Fault& fault) {
    const std::string hosts = absl::StrCat(fault.call().host(), fault.descriptors().host());
    return !hosts.empty() && NamesHost(hosts, cast.serving_host);
  });
  const bool answers = absl::c_any_of(cast.strangers, [](auto* s) { return s->listens(); });
  return !counts_calls && !answers && scenario.server().connections_max() == 0 &&
         scenario.server().silent_connections_max() == 0;
}

}  // namespace

RealStage::RealStage(const Scenario& scenario, const RealRunOptions& options)
    : scenario_(scenario), options_(options), cast_(CastOf(scenario)), director_(scenario) {
  result_.acted.assign(static_cast<size_t>(scenario.faults_size()), 0);
}

RealStage::~RealStage() {
  players_.clear();
  std::error_code ignored;
  if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
}

absl::Duration RealStage::Now() const { return MachineNow() - began_; }

// --- Setting up ---

absl::Status RealStage::SetUp() {
  absl::StatusOr<ServerPort> port = ServerPort::Reserve();
  if (!port.ok()) return port.status();
  port_.emplace(*std::move(port));
  std::error_code error;
  std::string folder = std::filesystem::temp_directory_path(error) / "rollcall-fault-XXXXXX";
  if (error || mkdtemp(folder.data()) == nullptr) {
    return absl::ResourceExhaustedError(absl::StrCat("cannot make the folder ", folder));
  }
  directory_ = folder;
  AddPlayers();
  if (absl::Status started = StartProxy(); !started.ok()) return started;
  for (Player& player : players_) {
    if (absl::Status started = StartProcess(player); !started.ok()) return started;
  }
  return AwaitReady();
}

absl::Status RealStage::StartProxy() {
  const net::Endpoint target =
      options_.server.value_or(net::Endpoint{.host = kLoopback, .port = port_->number()});
  std::vector<Route> routes;
  for (const Player& player : players_) {
    if (player.host == cast_.serving_host) continue;
    routes.push_back(
        {.name = player.name, .target = target, .keeps_spare = MaySeeSpares(scenario_, cast_)});
  }
  absl::StatusOr<std::unique_ptr<FaultProxy>> proxy =
      FaultProxy::Start(net::RealEnv(), &net::RealSyscalls(), routes);
  if (!proxy.ok()) return proxy.status();
  proxy_ = *std::move(proxy);
  proxy_faults_ = std::make_unique<ProxyFaults>(scenario_, cast_, proxy_.get());
  proxy_faults_->SetUp();
  return absl::OkStatus();
}

void RealStage::AddPlayers() {
  const auto time = [](const std::string& text) { return DurationOf(text, absl::ZeroDuration()); };
  if (StartsServer()) {
    Player& server = players_.emplace_back();
    server.name = server.host = kServerHost;
    server.start_at = time(scenario_.server().start_at());
  }
  for (const Stranger* const stranger : cast_.strangers) {
    Player& player = players_.emplace_back();
    player.name = stranger->name();
    player.host = stranger->listens() ? std::string(kServerHost) : player.name;
    player.is_stranger = true;
    player.start_at = time(stranger->start_at());
  }
  for (const WorkerRole& worker : cast_.workers) {
    Player& player = players_.emplace_back();
    player.name = player.host = worker.host;
    player.is_worker = true;
    player.start_at = time(worker.group->start_at());
  }
}

absl::Status RealStage::StartProcess(Player& player) {
  const uint16_t port =
      player.host == cast_.serving_host ? port_->number() : proxy_->port(player.name);
  absl::StatusOr<std::unique_ptr<RoleProcess>> process = RoleProcess::Start(
      {options_.process_path, absl::StrCat("--scenario=", options_.scenario_path),
       absl::StrCat("--role=", player.name), absl::StrCat("--life=", player.life),
       absl::StrCat("--server_port=", port), absl::StrCat("--directory=", directory_),
       absl::StrCat("--parent=", getpid())});
  if (!process.ok()) return process.status();
  player.process = *std::move(process);
  player.is_ready = player.has_started = player.is_over = player.is_paused = false;
  player.unanswered = 0;
  player.waiting.reset();
  player.outcome.reset();
  return absl::OkStatus();
}

absl::Status RealStage::AwaitReady() {
  began_ = MachineNow();
  const auto is_ready = [](const Player& player) { return player.is_ready; };
  while (!absl::c_all_of(players_, is_ready) && result_.ended.ok()) {
    if (Now() > kProcessPatience) {
      return absl::UnavailableError(absl::StrCat("the processes of the scenario took more than ",
                                                 absl::FormatDuration(kProcessPatience),
                                                 " to be ready"));
    }
    Pump(kProcessPatience);
  }
  return result_.ended.ok() ? absl::OkStatus() : absl::UnavailableError(result_.ended.message());
}

// --- The run ---

absl::StatusOr<RunResult> RealStage::Run() {
  if (absl::Status set_up = SetUp(); !set_up.ok()) return set_up;
  began_ = MachineNow();
  if (StartsServer() && scenario_.server().start_at().empty()) AwaitServer();
  const absl::Duration time_max = DurationOf(scenario_.time_max(), kTimeMax);
  const absl::Duration stop_at = DurationOf(scenario_.server().stop_at(), absl::InfiniteDuration());
  while (HasLiveWorkers() && result_.ended.ok()) {
    if (Now() > time_max) {
      Fail(absl::StrCat("the run took longer than ", absl::FormatDuration(time_max)));
      break;
    }
    if (Now() >= stop_at && !std::exchange(is_stop_due_, true)) StopServer();
    MakeDueThingsHappen();
    Pump(std::min({NextDue(), time_max, is_stop_due_ ? time_max : stop_at}));
  }
  result_.elapsed = Now();
  StopAll();
  for (StepOutcome& outcome : result_.outcomes) {
    outcome.set_text(InScenarioTerms(outcome.text()));
    outcome.set_value(InScenarioTerms(outcome.value()));
  }
  return std::move(result_);
}

// How long a process takes to start is no part of a scenario: it begins when its server serves, as
// in the simulator.
void RealStage::AwaitServer() {
  const Player& server = players_.front();
  const auto serves = [&] {
    return server.outcome.has_value() && result_.outcomes[*server.outcome].ok();
  };
  const auto is_known = [&](const Player& player) {
    return !proxy_->HasRoute(player.name) || proxy_->stats(player.name).target_is_up;
  };
  awaits_server_ = true;
  while (!serves() && Now() < kServerPatience && result_.ended.ok()) {
    MakeDueThingsHappen();
    Pump(std::min(NextDue(), kServerPatience));
  }
  while (serves() && !absl::c_all_of(players_, is_known) && Now() < kServerPatience) {
    Pump(Now() + kProbeInterval);
  }
  awaits_server_ = false;
  if (serves()) began_ = MachineNow();
}

void RealStage::MakeDueThingsHappen() {
  NoteWhoBegins();
  for (const Director::Cue& cue : director_.Take(Now())) {
    if (cue.ends) {
      End(cue.fault);
    } else {
      Begin(cue.fault);
    }
  }
  for (Starving& starving : starving_) {
    if (starving.next <= Now()) StarveOn(starving);
  }
  // Nobody goes on before the faults that he may have waited for have been made.
  if (HasUnanswered()) return;
  StartWhoIsDue();
  LetGo();
}

void RealStage::StartWhoIsDue() {
  for (Player& player : players_) {
    if (!player.is_ready || player.has_started || player.start_at > Now()) continue;
    if (awaits_server_ && player.name != kServerHost) continue;
    player.has_started = true;
    player.process->Say(absl::StrCat("start ", absl::ToInt64Nanoseconds(began_)));
  }
}

// A step begins when the scenario's order lets it, and not when its worker has come so far: what is
// to happen then would else happen too early.
void RealStage::NoteWhoBegins() {
  const auto may_begin = [this](const Player& player) {
    return player.process != nullptr && player.waiting.has_value() && !player.waiting->is_noted &&
           director_.MayBegin(player.name, player.waiting->step);
  };
  // The beginning of one may be what another waits for.
  for (auto next = absl::c_find_if(players_, may_begin); next != players_.end();
       next = absl::c_find_if(players_, may_begin)) {
    next->waiting->is_noted = true;
    director_.Note(next->name, next->waiting->step, /*ends=*/false, Now());
  }
}

void RealStage::LetGo() {
  for (Player& player : players_) {
    if (!player.waiting.has_value() || player.process == nullptr) continue;
    if (!player.waiting->is_noted) continue;
    player.waiting.reset();
    player.process->Say("go");
  }
}

bool RealStage::HasUnanswered() const {
  return absl::c_any_of(players_, [](const Player& player) {
    return player.process != nullptr && player.unanswered > 0 && !player.is_paused;
  });
}

bool RealStage::HasLiveWorkers() const {
  return absl::c_any_of(players_, [](const Player& player) {
    return player.is_worker && player.process != nullptr && !player.is_over;
  });
}

absl::Duration RealStage::NextDue() const {
  absl::Duration next = director_.next();
  for (const Player& player : players_) {
    if (awaits_server_ && player.name != kServerHost) continue;
    if (player.is_ready && !player.has_started) next = std::min(next, player.start_at);
  }
  for (const Starving& starving : starving_) next = std::min(next, starving.next);
  return next;
}

void RealStage::Pump(absl::Duration deadline) {
  std::vector<pollfd> fds;
  std::vector<Player*> players;
  for (Player& player : players_) {
    if (player.process == nullptr) continue;
    fds.push_back({.fd = player.process->fd(), .events = POLLIN, .revents = 0});
    players.push_back(&player);
  }
  const absl::Duration left = std::clamp(deadline - Now(), absl::ZeroDuration(), absl::Hours(1));
  const timespec timeout = absl::ToTimespec(left);
  if (ppoll(fds.data(), fds.size(), &timeout, nullptr) <= 0) return;
  for (size_t i = 0; i < fds.size(); ++i) {
    if (fds[i].revents != 0 && players[i]->process != nullptr) HearFrom(*players[i]);
  }
}

void RealStage::HearFrom(Player& player) {
  const bool will_say_more = player.process->Hear();
  while (const std::optional<std::string> line = player.process->NextLine()) OnLine(player, *line);
  if (will_say_more) return;
  const int exit_status = player.process->Reap();
  player.process.reset();
  if (!player.is_over) {
    Fail(absl::StrCat(player.name, "'s process ended by itself, with status ", exit_status));
  }
}

// --- What processes say ---

void RealStage::OnLine(Player& player, absl::string_view text) {
  const RoleLine line = RoleLineOf(text);
  if (line.word == "ready") {
    player.is_ready = true;
    if (player.life > 1) {
      for (const int fault : enabled_calls_) TellEnabled(player, fault, true);
    }
  } else if (line.word == "begin" || line.word == "end") {
    const std::optional<StepOutcome> outcome = OutcomeFromHex(line.rest);
    if (!outcome.has_value()) return Fail(absl::StrCat(player.name, " says: ", text));
    OnStep(player, *outcome, line.word == "end");
  } else if (line.word == "done_with") {
    --player.unanswered;
  } else if (line.word == "acted") {
    OnActed(line.rest);
  } else if (line.word == "operation") {
    OnOperation(player, line.rest);
  } else if (line.word == "failed") {
    Fail(absl::StrCat(player.name, ": ", absl::HexStringToBytes(line.rest)));
  } else if (line.word == "over") {
    player.is_over = true;
    player.process->SayNoMore();
  } else {
    Fail(absl::StrCat(player.name, " says: ", text));
  }
}

void RealStage::OnStep(Player& player, const StepOutcome& outcome, bool ends) {
  if (ends && player.outcome.has_value()) {
    result_.outcomes[*player.outcome] = outcome;
  } else {
    player.outcome = result_.outcomes.size();
    result_.outcomes.push_back(outcome);
  }
  player.waiting = Waiting{.step = outcome.step(), .is_noted = ends};
  if (ends) director_.Note(player.name, outcome.step(), ends, Now());
}

void RealStage::OnActed(absl::string_view text) {
  const RoleLine acted = RoleLineOf(text);
  int fault = 0;
  if (!absl::SimpleAtoi(acted.word, &fault) || fault < 0 || fault >= scenario_.faults_size()) {
    return Fail(absl::StrCat("a fault that is none has acted: ", text));
  }
  ++result_.acted[fault];
  if (!acted.rest.empty()) {
    ++result_.injected[{scenario_.faults(fault).call().call(), acted.rest}];
  }
}

void RealStage::OnOperation(const Player& player, absl::string_view text) {
  absl::StatusOr<History> history = HistoryFromText(text);
  if (!history.ok()) return Fail(history.status().message());
  // Each process counts its clients from 0, and a process is one client at a time.
  constexpr int kClientsMax = 1000;
  const int place = static_cast<int>(&player - players_.data());
  for (Operation& operation : *history) {
    operation.client += (place * kClientsMax + player.life) * kClientsMax;
    result_.history.push_back(std::move(operation));
  }
}

void RealStage::Fail(absl::string_view why) {
  if (result_.ended.ok()) result_.ended = absl::InternalError(why);
}

// --- The end ---

void RealStage::StopAll() {
  // Whoever is no worker only lives as long as they do.
  for (Player& player : players_) {
    if (player.process == nullptr) continue;
    if (player.is_stranger || !player.has_started) Kill(player);
  }
  if (!result_.ended.ok()) return players_.clear();
  Pause("*", /*paused=*/false);
  StopServer();
  const absl::Duration deadline = Now() + kProcessPatience;
  const auto is_gone = [](const Player& player) { return player.process == nullptr; };
  while (!absl::c_all_of(players_, is_gone)) {
    if (Now() > deadline) {
      Fail(absl::StrCat("a process did not end within ", absl::FormatDuration(kProcessPatience)));
      return players_.clear();
    }
    NoteWhoBegins();
    LetGo();
    Pump(deadline);
  }
}

std::string RealStage::InScenarioTerms(const std::string& text) const {
  std::string translated = text;
  const auto translate = [&](uint16_t port) {
    translated = absl::StrReplaceAll(translated, {{absl::StrCat(port), kScenarioPort}});
  };
  translate(port_->number());
  for (const Player& player : players_) {
    if (proxy_->HasRoute(player.name)) translate(proxy_->port(player.name));
  }
  return translated;
}

}  // namespace rollcall::fault
