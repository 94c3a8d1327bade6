// Addresses as the simulated kernel compares them: IPv4 inside IPv6, so that dual-stack needs no
// second case.
#ifndef ROLLCALL_FAULT_INJECTION_SIM_ADDRESS_H_
#define ROLLCALL_FAULT_INJECTION_SIM_ADDRESS_H_

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace rollcall::fault {

// An IPv6 address, or an IPv4 one as ::ffff:a.b.c.d.
struct IpAddress {
  std::array<uint8_t, 16> bytes = {};

  static IpAddress AnyV4();
  static IpAddress AnyV6() { return {}; }
  static IpAddress LoopbackV4();
  static IpAddress LoopbackV6();

  bool is_v4() const;
  bool is_any() const;       // 0.0.0.0 or ::.
  bool is_loopback() const;  // 127.0.0.0/8 or ::1.

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

struct IpEndpoint {
  IpAddress ip;
  uint16_t port = 0;

  // 0, or the -errno with which a call on a socket of `family` refuses such a sockaddr.
  static int FromSockaddr(int family, const sockaddr* address, socklen_t length_bytes,
                          IpEndpoint* result);
  // As getsockname does: cuts off what does not fit, and says how long it was.
  void ToSockaddr(int family, sockaddr* address, socklen_t* length_bytes) const;
  // "10.0.0.1:29500", "[::1]:29500".
  std::string ToString() const;

  friend bool operator==(const IpEndpoint&, const IpEndpoint&) = default;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SIM_ADDRESS_H_
