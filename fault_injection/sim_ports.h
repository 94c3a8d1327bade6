// Who holds which port of a simulated host, by Linux's rules.
#ifndef ROLLCALL_FAULT_INJECTION_SIM_PORTS_H_
#define ROLLCALL_FAULT_INJECTION_SIM_PORTS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fault_injection/sim_address.h"

namespace rollcall::fault {

// What a socket shows of itself to the table.
struct PortHolder {
  IpEndpoint local;
  IpEndpoint remote;  // Port 0: not connected.
  bool is_v6 = false;
  bool v6_only = false;
  bool reuse_address = false;
  bool reuse_port = false;
  bool listens = false;
  bool is_bound_by_name = false;  // By bind, not by connect.
  size_t index = SIZE_MAX;        // The table's own.
};

constexpr absl::Duration kTimeWait = absl::Seconds(60);

// One per host. Thread-compatible.
class PortTable {
 public:
  // A number in [0, n), as Scheduler::Choose.
  using ChooseRef = absl::FunctionRef<uint64_t(uint64_t n)>;

  void set_ephemeral_range(uint16_t first, uint16_t last) { first_ = first, last_ = last; }

  // `holder` has taken its local port. It must be removed before it dies.
  void Add(PortHolder* holder);
  // No effect if it is not there.
  void Remove(PortHolder* holder);
  // `holder`, which is in it, begins or ends to take connections (PortHolder::listens).
  void StartListening(PortHolder* holder);
  void StopListening(PortHolder* holder);
  bool Holds(const PortHolder& holder) const { return holder.index != SIZE_MAX; }
  absl::Span<PortHolder* const> holders() const { return holders_; }

  // Whether Linux would refuse `wanted` its local endpoint with EADDRINUSE. Holders in TIME_WAIT
  // count until `now` has come to their end.
  bool Conflicts(const PortHolder& wanted, absl::Time now);
  // A port for a bind to port 0; 0 if none is left.
  uint16_t PortToBind(PortHolder wanted, absl::Time now, ChooseRef choose);
  // A port for a connect from `wanted`'s local address to its remote endpoint; 0 if none is left.
  uint16_t PortToConnect(const PortHolder& wanted, absl::Time now, ChooseRef choose);
  // Whether another than `wanted` has its two endpoints.
  bool IsConnected(const PortHolder& wanted, absl::Time now);

  // The most particular listener for connections to `local`; null if nobody listens.
  PortHolder* FindListener(const IpEndpoint& local) const;

  // The endpoint stays in use for kTimeWait. `holder` itself may be removed.
  void AddTimeWait(const PortHolder& holder, absl::Time now);
  // A reset came for it.
  void ForgetTimeWait(const IpEndpoint& local, const IpEndpoint& remote);

 private:
  struct TimeWait {
    PortHolder holder;
    absl::Time end;
  };

  void DropPastTimeWaits(absl::Time now);
  template <typename Usable>
  uint16_t Search(ChooseRef choose, Usable usable) const;

  std::vector<PortHolder*> holders_;
  std::vector<PortHolder*> listeners_;  // Those of them that listen.
  std::vector<TimeWait> time_waits_;    // In the order of their ends.
  uint16_t first_ = 32768;
  uint16_t last_ = 60999;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SIM_PORTS_H_
