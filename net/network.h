// Networks, as those who may or may not come in are listed by them.
#ifndef ROLLCALL_NET_NETWORK_H_
#define ROLLCALL_NET_NETWORK_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "net/address.h"

namespace rollcall::net {

// All addresses that have their first bits in common. A value type, immutable.
class Network {
 public:
  // "10.0.0.0/8", "fd00::/8"; an address without a slash is a network of its own. InvalidArgument
  // says what is wrong: no numeric address, a name, a scope (%eth0), more bits than the address
  // has, or an address with bits behind those that count, which is most often a mistake.
  static absl::StatusOr<Network> Parse(absl::string_view text);

  // IPv4 networks contain IPv4 peers of dual-stack sockets too (::ffff:10.0.0.1), and IPv6 networks
  // never do: "::/0" is all of IPv6 and nothing of IPv4.
  bool Contains(const SocketAddress& address) const;

  std::string ToString() const;  // As Parse takes it.

  friend bool operator==(const Network&, const Network&) = default;

 private:
  Network(const SocketAddress& address, int bits);

  IpBytes first_;  // Its first address.
  int bits_ = 0;   // That count, of the 128.
  bool is_v4_ = false;
  std::string host_;
};

// "10.0.0.0/8,::1"; an empty text is no network. InvalidArgument names the wrong one.
absl::StatusOr<std::vector<Network>> ParseNetworks(absl::string_view list);

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_NETWORK_H_
