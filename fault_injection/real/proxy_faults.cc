#include "fault_injection/real/proxy_faults.h"

#include <set>
#include <utility>

#include "absl/time/time.h"
#include "fault_injection/scenario/host_set.h"

namespace rollcall::fault {

ProxyFaults::ProxyFaults(const Scenario& scenario, const Cast& cast, FaultProxy* proxy)
    : scenario_(scenario), cast_(cast), proxy_(*proxy) {}

void ProxyFaults::SetUp() {
  const absl::Duration latency = DurationOf(scenario_.network().latency(), absl::ZeroDuration());
  const absl::Duration jitter = DurationOf(scenario_.network().jitter(), absl::ZeroDuration());
  for (const Direction direction : {Direction::kToServer, Direction::kToClient}) {
    proxy_.SetLatency("", direction, latency, jitter);
  }
}

std::vector<std::string> ProxyFaults::HostsOf(const std::string& text) const {
  return HostsNamed(text, cast_.hosts).value();
}

template <typename Path>
void ProxyFaults::ForEachWay(const Path& path, bool both_ways, Act act) {
  const auto act_one_way = [&](const std::string& from, const std::string& to) {
    if (to == cast_.serving_host && proxy_.HasRoute(from)) act(from, Direction::kToServer);
    if (from == cast_.serving_host && proxy_.HasRoute(to)) act(to, Direction::kToClient);
  };
  for (const std::string& from : HostsOf(path.from())) {
    for (const std::string& to : HostsOf(path.to())) {
      act_one_way(from, to);
      if (both_ways) act_one_way(to, from);
    }
  }
}

void ProxyFaults::ForEachHost(const std::string& hosts,
                              absl::FunctionRef<void(const std::string&)> act) {
  if (hosts.empty()) return;
  for (const std::string& host : HostsOf(hosts)) act(host);
}

std::vector<std::string> ProxyFaults::RoutesOf(const std::string& host) const {
  std::vector<std::string> routes;
  for (const std::string& route : cast_.hosts) {
    if (proxy_.HasRoute(route) && (route == host || host == cast_.serving_host)) {
      routes.push_back(route);
    }
  }
  return routes;
}

void ProxyFaults::BlackHole(const std::string& host) {
  for (const std::string& route : RoutesOf(host)) proxy_.BlackHole(route);
}

void ProxyFaults::Crash(const std::string& host) {
  BlackHole(host);
  const Direction from_host =
      host == cast_.serving_host ? Direction::kToClient : Direction::kToServer;
  for (const std::string& route : RoutesOf(host)) proxy_.LoseSenders(route, from_host);
}

void ProxyFaults::Refuse(const std::string& host) {
  // Nobody connects to the others.
  if (host != cast_.serving_host) return;
  for (const std::string& route : RoutesOf(host)) proxy_.Refuse(route);
}

void ProxyFaults::Heal(const std::string& host) {
  for (const std::string& route : RoutesOf(host)) {
    proxy_.HealBlackHole(route);
    proxy_.HealRefuse(route);
  }
}

void ProxyFaults::ResetConnections(const Path& path) {
  std::set<std::string> routes;
  ForEachWay(path, /*both_ways=*/false,
             [&](const std::string& route, Direction) { routes.insert(route); });
  for (const std::string& route : routes) proxy_.Reset(route);
}

void ProxyFaults::Begin(const Fault& fault) {
  const auto cut = [&](const std::string& route, Direction way) { proxy_.Cut(route, way); };
  const auto heal = [&](const std::string& route, Direction way) { proxy_.Heal(route, way); };
  const Latency& late = fault.latency();
  const auto delay = [&](const std::string& route, Direction way) {
    proxy_.SetLatency(route, way, DurationOf(late.latency(), absl::ZeroDuration()),
                      DurationOf(late.jitter(), absl::ZeroDuration()));
  };
  const auto slow = [&](const std::string& route, Direction way) {
    proxy_.SetRate(route, way, fault.rate().bytes_per_second());
  };
  switch (fault.action_case()) {
    case Fault::kCut:
      return ForEachWay(fault.cut(), fault.cut().both_ways(), cut);
    case Fault::kHeal:
      return ForEachWay(fault.heal(), fault.heal().both_ways(), heal);
    case Fault::kLatency:
      return ForEachWay(late, late.both_ways(), delay);
    case Fault::kRate:
      return ForEachWay(fault.rate(), fault.rate().both_ways(), slow);
    case Fault::kReset:
      return ResetConnections(fault.reset());
    case Fault::kBlackHole:
      return ForEachHost(fault.black_hole(), [&](auto& host) { BlackHole(host); });
    case Fault::kRefuse:
      return ForEachHost(fault.refuse(), [&](auto& host) { Refuse(host); });
    case Fault::kHealHost:
      return ForEachHost(fault.heal_host(), [&](auto& host) { Heal(host); });
    default:
      return;
  }
}

void ProxyFaults::End(const Fault& fault) {
  const auto heal = [&](const std::string& route, Direction way) { proxy_.Heal(route, way); };
  const auto as_before = [&](const std::string& route, Direction way) {
    proxy_.SetLatency(route, way, DurationOf(scenario_.network().latency(), absl::ZeroDuration()),
                      DurationOf(scenario_.network().jitter(), absl::ZeroDuration()));
  };
  const auto no_limit = [&](const std::string& route, Direction way) {
    proxy_.SetRate(route, way, 0);
  };
  switch (fault.action_case()) {
    case Fault::kCut:
      return ForEachWay(fault.cut(), fault.cut().both_ways(), heal);
    case Fault::kLatency:
      return ForEachWay(fault.latency(), fault.latency().both_ways(), as_before);
    case Fault::kRate:
      return ForEachWay(fault.rate(), fault.rate().both_ways(), no_limit);
    default:
      ForEachHost(fault.black_hole(), [&](auto& host) { Heal(host); });
      return ForEachHost(fault.refuse(), [&](auto& host) { Heal(host); });
  }
}

}  // namespace rollcall::fault
