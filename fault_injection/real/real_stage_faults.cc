// What happens to processes; proxy_faults.cc has what happens between them.
#include <utility>

#include "absl/strings/str_cat.h"
#include "fault_injection/real/real_stage.h"
#include "fault_injection/scenario/host_set.h"
#include "glog/logging.h"
#include "net/env.h"

namespace rollcall::fault {
namespace {

constexpr int kRunFraction = 10;

}  // namespace

std::vector<std::string> RealStage::HostsOf(const std::string& hosts) const {
  return HostsNamed(hosts, cast_.hosts).value();
}

void RealStage::ForEachPlayer(const std::string& hosts, const std::function<void(Player&)>& act) {
  for (Player& player : players_) {
    if (hosts == "*" || (!hosts.empty() && NamesHost(hosts, player.host))) act(player);
  }
}

void RealStage::Begin(int index) {
  const Fault& fault = scenario_.faults(index);
  if (fault.has_call()) {
    // Without a moment of its own it holds from the start of each process.
    if (!fault.at().empty() || fault.has_when()) EnableCall(index, true);
    return;
  }
  ++result_.acted[index];
  proxy_faults_->Begin(fault);
  switch (fault.action_case()) {
    case Fault::kPause:
      return Pause(fault.pause(), true);
    case Fault::kResume:
      return Pause(fault.resume(), false);
    case Fault::kStarve:
      return BeginStarving(fault.starve());
    case Fault::kKill:
      return ForEachPlayer(fault.kill(), [this](Player& player) { Kill(player); });
    case Fault::kCrash:
      return Crash(fault.crash());
    case Fault::kRestart:
      return ForEachPlayer(fault.restart(), [this](Player& player) { Restart(player); });
    case Fault::kDescriptors:
      return LimitDescriptors(fault.descriptors().host(), fault.descriptors().max());
    case Fault::kOccupyPort:
      return OccupyPort(fault.occupy_port());
    case Fault::kStopServer:
      return StopServer();
    default:
      return;
  }
}

void RealStage::End(int index) {
  const Fault& fault = scenario_.faults(index);
  switch (fault.action_case()) {
    case Fault::kCall:
      return EnableCall(index, false);
    case Fault::kPause:
      return Pause(fault.pause(), false);
    case Fault::kStarve:
      return EndStarving(fault.starve().host());
    case Fault::kDescriptors:
      return LimitDescriptors(fault.descriptors().host(), std::nullopt);
    case Fault::kOccupyPort:
      return port_->Vacate();
    default:
      return proxy_faults_->End(fault);
  }
}

// --- System calls ---

void RealStage::EnableCall(int index, bool enabled) {
  if (enabled) {
    enabled_calls_.insert(index);
  } else {
    enabled_calls_.erase(index);
  }
  ForEachPlayer(scenario_.faults(index).call().host(),
                [&](Player& player) { TellEnabled(player, index, enabled); });
}

void RealStage::TellEnabled(Player& player, int index, bool enabled) {
  if (player.process == nullptr || player.is_over) return;
  ++player.unanswered;
  player.process->Say(absl::StrCat(enabled ? "enable " : "disable ", index));
}

// --- Signals ---

void RealStage::Pause(const std::string& hosts, bool paused) {
  ForEachPlayer(hosts, [&](Player& player) {
    if (player.process == nullptr) return;
    player.is_paused = paused;
    if (paused) {
      player.process->Stop();
    } else {
      player.process->Continue();
    }
  });
}

void RealStage::Kill(Player& player) {
  if (player.process == nullptr) return;
  player.process->Kill();
  player.process->Reap();
  // What it said before counts.
  player.process->Hear();
  while (const std::optional<std::string> line = player.process->NextLine()) OnLine(player, *line);
  player.process.reset();
  player.waiting.reset();
}

void RealStage::Crash(const std::string& hosts) {
  for (const std::string& host : HostsOf(hosts)) {
    // First: the end of its connections, which its kernel tells, must not get through.
    proxy_faults_->Crash(host);
    crashed_.insert(host);
  }
  ForEachPlayer(hosts, [this](Player& player) { Kill(player); });
}

void RealStage::Restart(Player& player) {
  if (player.is_stranger) return;
  Kill(player);
  if (crashed_.erase(player.host) > 0) proxy_faults_->Heal(player.host);
  ++player.life;
  player.start_at = absl::ZeroDuration();
  if (const absl::Status started = StartProcess(player); !started.ok()) Fail(started.message());
}

// --- The machine ---

void RealStage::LimitDescriptors(const std::string& hosts, std::optional<int> max) {
  ForEachPlayer(hosts, [&](Player& player) {
    if (player.process == nullptr) return;
    const int before = player.process->LimitDescriptors(max.value_or(player.descriptors_before));
    if (max.has_value()) player.descriptors_before = before;
  });
}

void RealStage::OccupyPort(const class OccupyPort& occupy) {
  // On the other hosts nobody wants a port.
  if (!NamesHost(occupy.host(), cast_.serving_host)) return;
  const absl::Status occupied = occupy.time_wait() ? port_->LeaveInTimeWait() : port_->Occupy();
  if (!occupied.ok()) Fail(occupied.message());
}

void RealStage::StopServer() {
  for (Player& player : players_) {
    if (player.name == kServerHost && player.process != nullptr) player.process->Say("stop");
  }
}

// --- Starvation ---

void RealStage::BeginStarving(const class Starve& starve) {
  const absl::Duration longest = DurationOf(starve.pauses_max(), absl::Milliseconds(100));
  for (const std::string& host : HostsOf(starve.host())) {
    starving_.push_back({.host = host, .longest = longest, .next = Now()});
  }
}

void RealStage::EndStarving(const std::string& hosts) {
  std::erase_if(starving_,
                [&](const Starving& starving) { return NamesHost(hosts, starving.host); });
  Pause(hosts, false);
}

void RealStage::StarveOn(Starving& starving) {
  starving.is_paused = !starving.is_paused;
  Pause(starving.host, starving.is_paused);
  const absl::Duration longest =
      starving.is_paused ? starving.longest : starving.longest / kRunFraction;
  constexpr uint64_t kParts = 1000;
  starving.next = Now() + longest / kParts * (net::RealEnv().RandomBits() % kParts + 1);
}

}  // namespace rollcall::fault
