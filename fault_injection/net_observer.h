// Who watches a simulated network: told of every packet and of every fault, and changes nothing.
#ifndef ROLLCALL_FAULT_INJECTION_NET_OBSERVER_H_
#define ROLLCALL_FAULT_INJECTION_NET_OBSERVER_H_

#include <cstddef>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/packet_kind.h"
#include "fault_injection/sim_address.h"

namespace rollcall::fault {

// A packet whose way is over: it has arrived, or is lost.
struct NetPacket {
  absl::string_view from;  // Hosts.
  absl::string_view to;
  const IpEndpoint& from_endpoint;
  const IpEndpoint& to_endpoint;
  PacketKind kind = PacketKind::kData;
  absl::string_view payload;  // Of kData; else empty.
  absl::Time sent;
  absl::Time ended;  // When it arrived, or was lost; where it is lost before it left, as `sent`.
  bool is_lost = false;
};

enum class NetFaultKind {
  kCut,
  kUnreachable,
  kHeal,  // Of a link.
  kBlackHole,
  kRefuse,
  kHealHost,
  kReset,
  kExit,
  kCrash,
  kRestart,
  kDrop,      // The packet just told of found no room in an accept queue, and is lost.
  kCallFault  // A system call fails, is cut short or is delayed, because the injector says so.
};

struct NetFault {
  NetFaultKind kind;
  absl::Time at;
  absl::string_view host;  // Of a link: its beginning.
  absl::string_view peer;  // Of a link: its end. Empty where the fault is one of `host` alone.
  absl::string_view text;  // "cut w0 -> w1".
};

// All that it is given lives only until its call returns. It must not call the network or the
// world.
class NetObserver {
 public:
  virtual ~NetObserver() = default;
  // When the packet arrives, before its receiver sees it; or when it is lost. A reset that refuses
  // is told when it leaves. What is still on the way at the end of a run is not told.
  virtual void OnPacket(const NetPacket& packet) = 0;
  // Before the fault takes effect, except for kDrop.
  virtual void OnFault(const NetFault& fault) = 0;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_NET_OBSERVER_H_
