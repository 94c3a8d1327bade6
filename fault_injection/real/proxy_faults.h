// The faults of a scenario that happen on the network, made by a fault proxy.
#ifndef ROLLCALL_FAULT_INJECTION_REAL_PROXY_FAULTS_H_
#define ROLLCALL_FAULT_INJECTION_REAL_PROXY_FAULTS_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "fault_injection/proxy/fault_proxy.h"
#include "fault_injection/proxy/proxy_types.h"
#include "fault_injection/scenario/cast.h"
#include "fault_injection/scenario/scenario.pb.h"

namespace rollcall::fault {

// Every host but the serving one reaches that one by a route of its own name; between any other
// two there is nothing that could go wrong. Not thread-safe. All must outlive it.
class ProxyFaults {
 public:
  ProxyFaults(const Scenario& scenario, const Cast& cast, FaultProxy* proxy);

  // The scenario's `network`, from the beginning.
  void SetUp();
  // Of another kind than these: does nothing.
  void Begin(const Fault& fault);
  void End(const Fault& fault);
  // What is sent to or by the host is lost; and no longer.
  void BlackHole(const std::string& host);
  void Heal(const std::string& host);
  // As BlackHole, and its machine forgets the connections. To be called before its processes end.
  void Crash(const std::string& host);

 private:
  using Act = absl::FunctionRef<void(const std::string& route, Direction direction)>;
  template <typename Path>
  void ForEachWay(const Path& path, bool both_ways, Act act);
  void ForEachHost(const std::string& hosts, absl::FunctionRef<void(const std::string&)> act);
  std::vector<std::string> HostsOf(const std::string& text) const;
  // The routes on which the host's traffic runs.
  std::vector<std::string> RoutesOf(const std::string& host) const;
  void Refuse(const std::string& host);
  void ResetConnections(const Path& path);

  const Scenario& scenario_;
  const Cast& cast_;
  FaultProxy& proxy_;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REAL_PROXY_FAULTS_H_
