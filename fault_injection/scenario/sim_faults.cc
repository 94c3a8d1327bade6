#include "fault_injection/scenario/sim_faults.h"

#include <errno.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fault_injection/scenario/host_set.h"
#include "fault_injection/sim_address.h"
#include "glog/logging.h"
#include "net/address.h"

namespace rollcall::fault {
namespace {

constexpr uint64_t kPauseSteps = 1000;
constexpr int kRunFraction = 10;

IpAddress ParseIp(const std::string& text) {
  const absl::StatusOr<net::SocketAddress> address = net::SocketAddress::FromNumeric(text, 0);
  CHECK(address.ok()) << address.status();
  IpEndpoint endpoint;
  IpEndpoint::FromSockaddr(address->family(), address->data(), address->size_bytes(), &endpoint);
  return endpoint.ip;
}

}  // namespace

SimFaults::SimFaults(const Scenario& scenario, const Cast& cast, World* world, SimNet* net,
                     CallFaults* call_faults, SimProcesses* processes, RunRecorder* recorder)
    : scenario_(scenario),
      cast_(cast),
      world_(*world),
      net_(*net),
      call_faults_(*call_faults),
      processes_(*processes),
      recorder_(recorder) {}

std::vector<std::string> SimFaults::HostsOf(const std::string& text) const {
  return HostsNamed(text, cast_.hosts).value();
}

void SimFaults::ForEachHost(const std::string& text,
                            const std::function<void(const std::string&)>& act) {
  for (const std::string& host : HostsOf(text)) act(host);
}

template <typename Path>
void SimFaults::ForEachWay(const Path& path, const Way& act, bool both_ways) {
  for (const std::string& from : HostsOf(path.from())) {
    for (const std::string& to : HostsOf(path.to())) {
      if (from == to) continue;
      act(from, to);
      if (both_ways) act(to, from);
    }
  }
}

void SimFaults::Note(absl::string_view text, const std::vector<std::string>& hosts) {
  world_.Trace(text);
  if (recorder_ != nullptr) recorder_->NoteFault(world_.Now(), text, hosts);
}

void SimFaults::Begin(int index) {
  const Fault& fault = scenario_.faults(index);
  if (fault.has_call()) {
    call_faults_.Enable(index, true);
  } else {
    BeginOnLinks(fault);
    BeginOnHosts(fault);
    BeginOnMachine(fault);
  }
}

void SimFaults::BeginOnLinks(const Fault& fault) {
  switch (fault.action_case()) {
    case Fault::kCut:
      return ForEachWay(
          fault.cut(), [&](auto& from, auto& to) { net_.Cut(from, to); }, fault.cut().both_ways());
    case Fault::kHeal:
      return ForEachWay(
          fault.heal(), [&](auto& from, auto& to) { net_.Heal(from, to); },
          fault.heal().both_ways());
    case Fault::kReset:
      return ForEachWay(
          fault.reset(), [&](auto& from, auto& to) { net_.ResetConnections(from, to); }, false);
    case Fault::kUnreachable: {
      const int error = fault.unreachable().error() == "ENETUNREACH" ? ENETUNREACH : EHOSTUNREACH;
      return ForEachWay(
          fault.unreachable(), [&](auto& from, auto& to) { net_.Unreachable(from, to, error); },
          false);
    }
    case Fault::kLatency: {
      const absl::Duration latency = DurationOf(fault.latency().latency(), absl::ZeroDuration());
      const absl::Duration jitter = DurationOf(fault.latency().jitter(), absl::ZeroDuration());
      return ForEachWay(
          fault.latency(),
          [&](auto& from, auto& to) { net_.SetLatency(from, to, latency, jitter); },
          fault.latency().both_ways());
    }
    case Fault::kRate:
      return ForEachWay(
          fault.rate(),
          [&](auto& from, auto& to) { net_.SetRate(from, to, fault.rate().bytes_per_second()); },
          fault.rate().both_ways());
    default:
      return;
  }
}

void SimFaults::BeginOnHosts(const Fault& fault) {
  switch (fault.action_case()) {
    case Fault::kBlackHole:
      return ForEachHost(fault.black_hole(), [&](auto& host) { net_.BlackHole(host); });
    case Fault::kRefuse:
      return ForEachHost(fault.refuse(), [&](auto& host) { net_.Refuse(host); });
    case Fault::kHealHost:
      return ForEachHost(fault.heal_host(), [&](auto& host) { net_.HealHost(host); });
    case Fault::kPause:
      return ForEachHost(fault.pause(), [&](auto& host) { Pause(host); });
    case Fault::kResume:
      return ForEachHost(fault.resume(), [&](auto& host) { Resume(host); });
    case Fault::kStarve:
      return Starve(fault.starve());
    case Fault::kKill:
      return ForEachHost(fault.kill(), [&](auto& host) { processes_.Kill(host, false); });
    case Fault::kCrash:
      return ForEachHost(fault.crash(), [&](auto& host) { processes_.Kill(host, true); });
    case Fault::kRestart:
      return ForEachHost(fault.restart(), [&](auto& host) { processes_.Restart(host); });
    default:
      return;
  }
}

void SimFaults::BeginOnMachine(const Fault& fault) {
  switch (fault.action_case()) {
    case Fault::kDescriptors:
      return ForEachHost(fault.descriptors().host(), [&](auto& host) {
        net_.options_of(host).descriptors_max = fault.descriptors().max();
      });
    case Fault::kBacklog:
      return ForEachHost(fault.backlog().host(), [&](auto& host) {
        net_.options_of(host).listen_backlog_max = fault.backlog().max();
        net_.options_of(host).abort_on_overflow = fault.backlog().overflow_resets();
      });
    case Fault::kOccupyPort:
      return ForEachHost(fault.occupy_port().host(), [&](auto& host) {
        processes_.OccupyPort(host, fault.occupy_port().time_wait());
      });
    case Fault::kStopServer:
      return processes_.StopServer();
    case Fault::kNames:
      return SetNames(fault.names());
    case Fault::kLocalPorts:
      return ForEachHost(fault.local_ports().host(), [&](auto& host) {
        SetLocalPorts(host, fault.local_ports().first(), fault.local_ports().last());
      });
    default:
      return;
  }
}

void SimFaults::SetNames(const Names& names) {
  std::vector<IpAddress> addresses;
  for (const std::string& address : names.addresses()) {
    addresses.push_back(net_.HasHost(address) ? net_.AddressesOf(address).front()
                                              : ParseIp(address));
  }
  if (!addresses.empty()) net_.names().Set(names.name(), std::move(addresses));
  net_.names().Delay(names.name(), DurationOf(names.look_up_takes(), absl::ZeroDuration()));
  Note(absl::StrCat("the name ", names.name(), " is looked up elsewhere"), {});
}

void SimFaults::SetLocalPorts(const std::string& host, int first, int last) {
  Note(absl::StrCat(host, " picks local ports from ", first, " to ", last), {host});
  net_.SetLocalPorts(host, static_cast<uint16_t>(first), static_cast<uint16_t>(last));
}

// --- Standing still ---

void SimFaults::Pause(const std::string& host) {
  Note(absl::StrCat("pause ", host), {host});
  if (recorder_ != nullptr && !pauses_.contains(host)) {
    pauses_[host] = recorder_->BeginBand(world_.Now(), host, "", "paused");
  }
  world_.Pause(host);
}

void SimFaults::Resume(const std::string& host) {
  Note(absl::StrCat("resume ", host), {host});
  const auto band = pauses_.find(host);
  if (band != pauses_.end()) {
    recorder_->EndBand(world_.Now(), band->second);
    pauses_.erase(band);
  }
  world_.Resume(host);
}

void SimFaults::Starve(const class Starve& starve) {
  const absl::Duration longest = DurationOf(starve.pauses_max(), absl::Milliseconds(100));
  ForEachHost(starve.host(), [&](const std::string& host) {
    starving_.insert(host);
    world_.SpawnDaemon(absl::StrCat("faults/starve ", host), [this, host, longest] {
      const auto sleep = [&](absl::Duration at_most) {
        const uint64_t part = world_.Choose("starve", kPauseSteps) + 1;
        const absl::Time until = world_.Now() + at_most / kPauseSteps * part;
        while (world_.Now() < until) world_.Block(until, "the end of a pause");
      };
      while (starving_.contains(host)) {
        Pause(host);
        sleep(longest);
        Resume(host);
        sleep(longest / kRunFraction);
      }
    });
  });
}

// --- The end of what lasts for a while ---

void SimFaults::End(int index) {
  const Fault& fault = scenario_.faults(index);
  const SimNetOptions normal;
  const SimHostOptions normal_host;
  const auto heal = [&](auto& from, auto& to) { net_.Heal(from, to); };
  switch (fault.action_case()) {
    case Fault::kCall:
      return call_faults_.Enable(index, false);
    case Fault::kCut:
      return ForEachWay(fault.cut(), heal, fault.cut().both_ways());
    case Fault::kUnreachable:
      return ForEachWay(fault.unreachable(), heal, false);
    case Fault::kLatency:
      return ForEachWay(
          fault.latency(),
          [&](auto& from, auto& to) {
            net_.SetLatency(from, to,
                            DurationOf(scenario_.network().latency(), normal.link.latency),
                            DurationOf(scenario_.network().jitter(), absl::ZeroDuration()));
          },
          fault.latency().both_ways());
    case Fault::kRate:
      return ForEachWay(
          fault.rate(), [&](auto& from, auto& to) { net_.SetRate(from, to, 0); },
          fault.rate().both_ways());
    case Fault::kBlackHole:
      return ForEachHost(fault.black_hole(), [&](auto& host) { net_.HealHost(host); });
    case Fault::kRefuse:
      return ForEachHost(fault.refuse(), [&](auto& host) { net_.HealHost(host); });
    case Fault::kPause:
      return ForEachHost(fault.pause(), [&](auto& host) { Resume(host); });
    case Fault::kStarve:
      return ForEachHost(fault.starve().host(), [&](auto& host) { starving_.erase(host); });
    case Fault::kDescriptors:
      return ForEachHost(fault.descriptors().host(), [&](auto& host) {
        net_.options_of(host).descriptors_max = normal_host.descriptors_max;
      });
    case Fault::kBacklog:
      return ForEachHost(fault.backlog().host(), [&](auto& host) {
        net_.options_of(host).listen_backlog_max = normal_host.listen_backlog_max;
        net_.options_of(host).abort_on_overflow = normal_host.abort_on_overflow;
      });
    case Fault::kOccupyPort:
      return ForEachHost(fault.occupy_port().host(),
                         [&](auto& host) { processes_.FreePort(host); });
    case Fault::kLocalPorts:
      return ForEachHost(fault.local_ports().host(), [&](auto& host) {
        SetLocalPorts(host, normal_host.ephemeral_first, normal_host.ephemeral_last);
      });
    default:
      return;
  }
}

}  // namespace rollcall::fault
