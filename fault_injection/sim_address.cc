#include "fault_injection/sim_address.h"

#include <errno.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "net/address.h"

namespace rollcall::fault {
namespace {

constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
// A sockaddr_in6 without the scope, which old programs pass.
constexpr socklen_t kSmallestV6Bytes = 24;

}  // namespace

IpAddress IpAddress::AnyV4() {
  IpAddress address;
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin());
  return address;
}

IpAddress IpAddress::LoopbackV4() {
  IpAddress address = AnyV4();
  address.bytes[12] = 127;
  address.bytes[15] = 1;
  return address;
}

IpAddress IpAddress::LoopbackV6() {
  IpAddress address;
  address.bytes[15] = 1;
  return address;
}

bool IpAddress::is_v4() const {
  return std::memcmp(bytes.data(), kMappedPrefix.data(), kMappedPrefix.size()) == 0;
}

bool IpAddress::is_any() const { return *this == AnyV6() || *this == AnyV4(); }

bool IpAddress::is_loopback() const { return is_v4() ? bytes[12] == 127 : *this == LoopbackV6(); }

int IpEndpoint::FromSockaddr(int family, const sockaddr* address, socklen_t length_bytes,
                             IpEndpoint* result) {
  const socklen_t smallest = family == AF_INET ? sizeof(sockaddr_in) : kSmallestV6Bytes;
  if (length_bytes < smallest) return -EINVAL;
  if (address->sa_family != family) return -EAFNOSUPPORT;
  if (family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof(v4));
    result->ip = IpAddress::AnyV4();
    std::memcpy(&result->ip.bytes[12], &v4.sin_addr, 4);
    result->port = ntohs(v4.sin_port);
  } else {
    sockaddr_in6 v6 = {};
    std::memcpy(&v6, address, std::min<size_t>(length_bytes, sizeof(v6)));
    std::memcpy(result->ip.bytes.data(), &v6.sin6_addr, 16);
    result->port = ntohs(v6.sin6_port);
  }
  return 0;
}

void IpEndpoint::ToSockaddr(int family, sockaddr* address, socklen_t* length_bytes) const {
  if (address == nullptr || length_bytes == nullptr) return;
  const socklen_t room = *length_bytes;
  if (family == AF_INET) {
    sockaddr_in v4 = {};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, &ip.bytes[12], 4);
    std::memcpy(address, &v4, std::min<size_t>(room, sizeof(v4)));
    *length_bytes = sizeof(v4);
  } else {
    sockaddr_in6 v6 = {};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, ip.bytes.data(), 16);
    std::memcpy(address, &v6, std::min<size_t>(room, sizeof(v6)));
    *length_bytes = sizeof(v6);
  }
}

std::string IpEndpoint::ToString() const {
  sockaddr_storage storage = {};
  socklen_t length_bytes = sizeof(storage);
  ToSockaddr(ip.is_v4() ? AF_INET : AF_INET6, reinterpret_cast<sockaddr*>(&storage), &length_bytes);
  return net::SocketAddress(reinterpret_cast<const sockaddr*>(&storage), length_bytes).ToString();
}

}  // namespace rollcall::fault
