// Where a peer is: by name (Endpoint), or as the kernel sees it (SocketAddress).
#ifndef ROLLCALL_NET_ADDRESS_H_
#define ROLLCALL_NET_ADDRESS_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rollcall::net {

// A host (name or numeric address, never in brackets) and a port, as a user writes them.
struct Endpoint {
  std::string host;
  uint16_t port = 0;

  // "host:port", "1.2.3.4:port", "[v6]:port", ":port" (empty host: all interfaces). A bare v6
  // address needs its brackets. InvalidArgument says which part is wrong and what is expected.
  static absl::StatusOr<Endpoint> Parse(absl::string_view text);

  // The inverse of Parse: brackets where the host has a colon.
  std::string ToString() const;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// An address alone, in the order of the wire; of IPv4, the one that IPv6 maps it to.
using IpBytes = std::array<uint8_t, 16>;

// An IPv4 or IPv6 address with a port. A value type.
class SocketAddress {
 public:
  SocketAddress() = default;  // AF_UNSPEC: is_valid() is false.
  SocketAddress(const sockaddr* address, socklen_t length_bytes);

  static SocketAddress AnyV4(uint16_t port);
  static SocketAddress AnyV6(uint16_t port);
  static SocketAddress LoopbackV4(uint16_t port);
  static SocketAddress LoopbackV6(uint16_t port);
  // A numeric address ("127.0.0.1", "::1", "fe80::1%eth0"), without any look-up.
  static absl::StatusOr<SocketAddress> FromNumeric(absl::string_view host, uint16_t port);

  bool is_valid() const { return family() != AF_UNSPEC; }
  int family() const { return storage_.any.sa_family; }
  uint16_t port() const;
  void set_port(uint16_t port);
  // 127.0.0.0/8, ::1 and ::ffff:127.0.0.0/104.
  bool is_loopback() const;

  IpBytes ip_bytes() const;  // Without port and scope; all zeros where it is not valid.

  const sockaddr* data() const { return &storage_.any; }
  socklen_t size_bytes() const { return length_bytes_; }

  std::string host() const;      // Numeric, without a port.
  std::string ToString() const;  // "1.2.3.4:80", "[::1]:80"; a v4-mapped address shows as IPv4.

  friend bool operator==(const SocketAddress& a, const SocketAddress& b);

 private:
  // Not sockaddr_storage: each connection holds one of these, and that takes 128 bytes.
  union Storage {
    sockaddr_in6 v6;  // The largest, so that {} clears all.
    sockaddr_in v4;
    sockaddr any;
  };

  Storage storage_ = {};
  socklen_t length_bytes_ = 0;
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_ADDRESS_H_
