// A network of simulated hosts: the links between them and what goes wrong on them.
//
//   SimNet net(&world);
//   SimKernel& server = net.AddHost("server", {"10.0.0.1"});
//   SimKernel& worker = net.AddHost("w0", {"10.0.0.2"});
//   net.SetLatency("w0", "server", absl::Milliseconds(2));
//   net.Cut("server", "w0");  // Requests pass, replies do not.
#ifndef ROLLCALL_FAULT_INJECTION_SIM_NET_H_
#define ROLLCALL_FAULT_INJECTION_SIM_NET_H_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fault_injection/fault_point.h"
#include "fault_injection/net_observer.h"
#include "fault_injection/scheduler.h"
#include "fault_injection/sim_address.h"
#include "fault_injection/sim_kernel.h"
#include "fault_injection/sim_names.h"
#include "fault_injection/sim_net_options.h"

namespace rollcall::fault {

class SimFabric;

// Belongs to one world and its OS thread. Faults may be set from fibers, events and between runs,
// and hold from that moment on, also for what is on the way. A host's name that is not known is a
// bug of the caller's (CHECK): ask HasHost first where a user wrote it.
class SimNet {
 public:
  // `scheduler` must outlive it; all fibers that are in a call of its kernels must have ended
  // before it does.
  explicit SimNet(Scheduler* scheduler, SimNetOptions options = {});
  ~SimNet();

  // A host with numeric `addresses` (IPv4 and IPv6, beside the loopback's that each host has); its
  // name then leads to them in the host table. The kernel lives as long as the network.
  SimKernel& AddHost(absl::string_view name, std::initializer_list<absl::string_view> addresses,
                     SimHostOptions options = {});
  SimKernel& AddHost(absl::string_view name, absl::Span<const std::string> addresses,
                     SimHostOptions options = {});
  bool HasHost(absl::string_view name) const;
  SimKernel& host(absl::string_view name);
  absl::Span<const std::unique_ptr<SimKernel>> hosts() const { return kernels_; }
  SimNames& names() { return names_; }

  // Asked before each fallible call of every host; null ends it. Must outlive that.
  void SetInjector(FaultInjector* injector);
  // Told of every packet and every fault from here on; null ends it. Must outlive that. What it
  // hears is the same for every run of a seed, and it changes neither the run nor a fingerprint.
  // Set it while nothing is on the way.
  void SetObserver(NetObserver* observer);

  // --- Links, each direction for itself ---
  void SetLatency(absl::string_view from, absl::string_view to, absl::Duration latency,
                  absl::Duration jitter = absl::ZeroDuration());
  // Bytes a second, shared by all connections of the link; 0: no limit.
  void SetRate(absl::string_view from, absl::string_view to, int64_t bytes_per_second);
  // Packets from `from` to `to` are lost without a word; what was sent is repeated by `from`'s
  // kernel until Heal or its patience ends (ETIMEDOUT).
  void Cut(absl::string_view from, absl::string_view to);
  void CutBothWays(absl::string_view a, absl::string_view b);
  // Packets from `from` to `to` are answered by a router: `errno_value` is EHOSTUNREACH or
  // ENETUNREACH.
  void Unreachable(absl::string_view from, absl::string_view to, int errno_value);
  // Ends Cut and Unreachable, in that direction.
  void Heal(absl::string_view from, absl::string_view to);
  void HealBothWays(absl::string_view a, absl::string_view b);

  // --- Hosts ---
  // Whatever is sent to the host or by it is lost, except to itself.
  void BlackHole(absl::string_view host);
  // Connections to `port` (0: to any port) are refused, whoever listens.
  void Refuse(absl::string_view host, uint16_t port = 0);
  // Ends BlackHole and Refuse.
  void HealHost(absl::string_view host);
  // Every connection of the host, at once and at both ends; with `peer`, only those between the
  // two.
  void ResetConnections(absl::string_view host, absl::string_view peer = {});
  // SO_SNDBUF and SO_RCVBUF of sockets yet to be made; a listen backlog's cap; descriptors.
  SimHostOptions& options_of(absl::string_view host);
  // Where its kernel picks ports from, inclusive, for sockets yet to ask for one.
  void SetLocalPorts(absl::string_view host, uint16_t first, uint16_t last);
  // Without the loopback's.
  const std::vector<IpAddress>& AddressesOf(absl::string_view host);
  void SetShortTransferPercent(int percent);

  // --- Processes: see SimKernel for what becomes of their fibers ---
  // The process is killed: its kernel closes its descriptors, with FIN or, where bytes lay unread,
  // RST.
  void ExitProcess(absl::string_view host);
  // The machine is lost: nobody is told anything. Until RestartHost what is sent to it is lost;
  // then it answers with resets.
  void CrashHost(absl::string_view host);
  // After ExitProcess or CrashHost: a new process may begin.
  void RestartHost(absl::string_view host);

  // --- The record ---
  // Of every packet: when, from where to where, what, and whether it was lost.
  uint64_t fingerprint() const;
  // Every socket of every host, a line each, for the picture of a world that is stuck.
  std::string Sockets() const;

 private:
  struct Path;

  Path PathOf(absl::string_view from, absl::string_view to);

  std::unique_ptr<SimFabric> fabric_;
  SimNames names_;
  std::vector<std::unique_ptr<SimKernel>> kernels_;
  absl::flat_hash_map<std::string, SimKernel*> kernel_of_;  // By name.
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SIM_NET_H_
