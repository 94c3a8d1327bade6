// What a simulated network and its hosts are set to.
#ifndef ROLLCALL_FAULT_INJECTION_SIM_NET_OPTIONS_H_
#define ROLLCALL_FAULT_INJECTION_SIM_NET_OPTIONS_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "fault_injection/sim_link.h"

namespace rollcall::fault {

struct SimNetOptions {
  // Between any two hosts, until set otherwise.
  LinkOptions link;
  // Of a host to itself. Zero: what is sent is there before the call returns, as on Linux.
  absl::Duration loopback_latency = absl::Microseconds(10);
  // How often, of 100, recv and a non-blocking send move fewer bytes than they could. The choices
  // decide how many.
  int short_transfer_percent = 0;
  // Where a real thread could be pre-empted, calls let others run first if the choices say so.
  bool yields = true;
  // Every packet and every fault is a line in the world's trace. The fingerprint does not need it.
  bool traces = false;
  // How long a look-up in the host table takes.
  absl::Duration look_up_latency = absl::ZeroDuration();
};

// The defaults are Linux's.
struct SimHostOptions {
  bool has_ipv6 = true;
  // RLIMIT_NOFILE: descriptors are numbered below it. 0, 1 and 2 are taken.
  int descriptors_max = 1 << 16;
  int listen_backlog_max = 4096;  // net.core.somaxconn
  // net.ipv4.tcp_abort_on_overflow: a full accept queue resets who believes to be connected.
  bool abort_on_overflow = false;
  int syn_retries = 6;          // net.ipv4.tcp_syn_retries
  int syn_linear_timeouts = 0;  // net.ipv4.tcp_syn_linear_timeouts: 4 from Linux 6.5 on.
  int syn_ack_retries = 5;      // net.ipv4.tcp_synack_retries
  int retransmits_max = 15;     // net.ipv4.tcp_retries2
  int orphan_retransmits_max = 8;
  uint16_t ephemeral_first = 32768;
  uint16_t ephemeral_last = 60999;
  // What the kernel's own tuning lets a connection grow to.
  size_t send_buffer_bytes = 2560 << 10;
  size_t receive_buffer_bytes = 1344 << 10;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SIM_NET_OPTIONS_H_
