// What the sockets of a simulated network share: hosts, links, time, packets. Private to it.
#ifndef ROLLCALL_FAULT_INJECTION_SIM_FABRIC_H_
#define ROLLCALL_FAULT_INJECTION_SIM_FABRIC_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/fault_point.h"
#include "fault_injection/net_observer.h"
#include "fault_injection/scheduler.h"
#include "fault_injection/sim_address.h"
#include "fault_injection/sim_link.h"
#include "fault_injection/sim_net_options.h"
#include "fault_injection/sim_packet.h"
#include "fault_injection/sim_ports.h"
#include "fault_injection/sim_tcp.h"

namespace rollcall::fault {

class SimFabric;

// One host as the network sees it.
class SimHost {
 public:
  SimHost(SimFabric* fabric, std::string name, std::vector<IpAddress> addresses,
          const SimHostOptions& options);

  SimFabric& fabric() { return fabric_; }
  const std::string& name() const { return name_; }
  const SimHostOptions& options() const { return options_; }
  SimHostOptions& mutable_options() { return options_; }
  PortTable& ports() { return ports_; }
  const std::vector<IpAddress>& addresses() const { return addresses_; }

  bool is_up() const { return is_up_; }
  void set_up(bool is_up) { is_up_ = is_up; }
  bool is_isolated() const { return is_isolated_; }
  void set_isolated(bool is_isolated) { is_isolated_ = is_isolated; }

  // An own address, or a loopback one.
  bool HasAddress(const IpAddress& address) const;
  // The local address of connections to `destination`; nullopt where there is no route.
  std::optional<IpAddress> SourceFor(const IpAddress& destination) const;

  // SYNs to this port (0: to any) are answered with a reset, whoever listens.
  void Refuse(uint16_t port) { refused_ports_.push_back(port); }
  void StopRefusing() { refused_ports_.clear(); }
  bool Refuses(uint16_t port) const;

  Link& LinkTo(const SimHost& to);

 private:
  SimFabric& fabric_;
  const std::string name_;
  const std::vector<IpAddress> addresses_;
  SimHostOptions options_;
  PortTable ports_;
  std::vector<uint16_t> refused_ports_;
  absl::flat_hash_map<const SimHost*, Link> links_;  // Those that are not as all others.
  bool is_up_ = true;
  bool is_isolated_ = false;

  friend class SimFabric;
};

class SimFabric {
 public:
  SimFabric(Scheduler* scheduler, const SimNetOptions& options);
  ~SimFabric();

  Scheduler& scheduler() { return scheduler_; }
  absl::Time Now() const { return clock_; }
  PacketPool& packets() { return packets_; }
  const SimNetOptions& options() const { return options_; }
  void set_short_transfer_percent(int percent) { options_.short_transfer_percent = percent; }
  FaultInjector* const& injector() const { return injector_; }
  void set_injector(FaultInjector* injector) { injector_ = injector; }
  NetObserver* observer() const { return observer_; }
  void set_observer(NetObserver* observer) { observer_ = observer; }

  // --- Hosts and the ways between them ---
  SimHost& AddHost(std::string name, std::vector<IpAddress> addresses,
                   const SimHostOptions& options);
  // Null: nobody has that address.
  SimHost* HostOf(const IpAddress& address);
  // endpoint.ToString(), until the next call: most of those that are asked for in a row are the
  // server's.
  const std::string& NameOf(const IpEndpoint& endpoint);
  // Whether a packet would get through.
  bool Passes(SimHost& from, SimHost& to) { return !paths_have_changed_ || PassesNow(from, to); }
  int UnreachableErrno(SimHost& from, SimHost& to);
  absl::Duration LatencyOf(SimHost& from, SimHost& to);
  absl::Time ArrivalOf(SimHost& from, SimHost& to, size_t size_bytes);
  // From here on, Passes looks closer, and sockets mend what is lost.
  void OnPathsChanged();

  // --- Sockets ---
  void Add(TcpSocket* socket);
  void Remove(TcpSocket* socket);
  absl::Span<TcpSocket* const> sockets() const { return sockets_; }
  // For a task that takes no time at all: Settle runs it.
  void RunSoon(TcpSocket* socket, TcpSocket::Task task) { soon_.push_back({socket, task}); }
  void NoteGarbage(TcpSocket* socket) { garbage_.push_back(socket); }
  // Does what is due without any time passing, then frees the dead. At the end of each system call
  // and of each event; never from inside a socket.
  void Settle() {
    if (!soon_.empty() || !garbage_.empty()) SettleAll();
  }

  // --- The record ---
  void NotePacket(const TcpSocket& from, Packet& packet, bool lost);
  void NoteFault(NetFaultKind kind, absl::string_view host, absl::string_view peer,
                 absl::string_view text);
  // What only an observer is told, since it has no part in the fingerprint: a packet that goes down
  // with its connection or is repeated in vain;
  void ObserveLost(const TcpSocket& from, Packet& packet) {
    if (observer_ != nullptr) TellObserver(from, packet, /*is_lost=*/true);
  }
  // one that is none here, because it only asks or refuses (in the second case it goes to
  // `socket`);
  void ObserveProbe(const TcpSocket& socket, bool is_lost);
  void ObserveRefusal(const TcpSocket& socket, bool is_lost);
  // one that has arrived, but was not taken.
  void ObserveDrop(const TcpSocket& from);
  uint64_t fingerprint() const { return fingerprint_; }

 private:
  struct Soon {
    TcpSocket* socket;
    TcpSocket::Task task;
  };

  bool PassesNow(SimHost& from, SimHost& to);
  void SettleAll();
  void TellObserver(const TcpSocket& from, Packet& packet, bool is_lost);

  Scheduler& scheduler_;
  const absl::Time& clock_;
  SimNetOptions options_;
  FaultInjector* injector_ = nullptr;
  NetObserver* observer_ = nullptr;
  PacketPool packets_;
  std::vector<std::unique_ptr<SimHost>> hosts_;
  absl::flat_hash_map<IpAddress, SimHost*> host_of_;
  IpEndpoint named_;
  std::string name_;  // Of named_.
  std::vector<TcpSocket*> sockets_;
  std::vector<Soon> soon_;
  std::vector<TcpSocket*> garbage_;
  Link default_link_;
  bool is_settling_ = false;
  bool paths_have_changed_ = false;
  uint64_t fingerprint_ = 0;
  absl::Time noted_ = absl::InfinitePast();  // When the last packet was.
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SIM_FABRIC_H_
