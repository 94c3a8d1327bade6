// Addresses as the simulated kernel compares them: IPv4 inside IPv6, so that dual-stack needs no
// second case.
#ifndef ROLLCALL_FAULT_INJECTION_SIM_ADDRESS_H_
#define ROLLCALL_FAULT_INJECTION_SIM_ADDRESS_H_

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

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

  // The same sixteen bytes: cheaper to compare and to hash.
  std::array<uint64_t, 2> Halves() const {
    std::array<uint64_t, 2> halves;
    std::memcpy(halves.data(), bytes.data(), bytes.size());
    return halves;
  }

  friend bool operator==(const IpAddress& a, const IpAddress& b) {
    const auto a_halves = a.Halves();
    const auto b_halves = b.Halves();
    return ((a_halves[0] ^ b_halves[0]) | (a_halves[1] ^ b_halves[1])) == 0;
  }
  template <typename H>
  friend H AbslHashValue(H hash, const IpAddress& address) {
    const auto halves = address.Halves();
    return H::combine(std::move(hash), halves[0], halves[1]);
  }
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
