#include "net/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace rollcall::net {
namespace {

constexpr size_t kHostNameBytesMax = 253;  // RFC 1035, without the trailing dot.
constexpr int kPortMax = 65535;

absl::Status WrongEndpoint(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("endpoint \"", text, "\": ", why,
                   "; expected HOST:PORT, such as node0:29500 or [::1]:29500"));
}

absl::StatusOr<uint16_t> ParsePort(absl::string_view endpoint, absl::string_view text) {
  if (text.empty()) return WrongEndpoint(endpoint, "the port after the colon is missing");
  int port = 0;
  const bool is_number =
      std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isdigit(c); });
  if (!is_number) {
    return WrongEndpoint(endpoint, absl::StrCat("the port \"", text, "\" is not a number"));
  }
  if (!absl::SimpleAtoi(text, &port) || port > kPortMax) {
    return WrongEndpoint(endpoint, absl::StrCat("the port ", text, " is larger than ", kPortMax));
  }
  return static_cast<uint16_t>(port);
}

absl::Status CheckHost(absl::string_view endpoint, absl::string_view host) {
  if (host.size() > kHostNameBytesMax) {
    return WrongEndpoint(endpoint, absl::StrCat("the host is ", host.size(),
                                                " bytes long; the limit is ", kHostNameBytesMax));
  }
  for (char c : host) {
    if (absl::ascii_isspace(c) || absl::ascii_iscntrl(c) ||
        absl::StrContains("/@[]?#", absl::string_view(&c, 1))) {
      return WrongEndpoint(endpoint,
                           absl::StrCat("the host has a character that no host name has, \"",
                                        absl::string_view(&c, 1), "\""));
    }
  }
  return absl::OkStatus();
}

// "[v6]:port", from its bracket on.
absl::StatusOr<Endpoint> ParseBracketed(absl::string_view text) {
  const size_t closing = text.find(']');
  if (closing == absl::string_view::npos) {
    return WrongEndpoint(text, "the closing bracket is missing");
  }
  const absl::string_view host = text.substr(1, closing - 1);
  const absl::string_view rest = text.substr(closing + 1);
  const absl::StatusOr<SocketAddress> numeric = SocketAddress::FromNumeric(host, 0);
  if (!numeric.ok() || numeric->family() != AF_INET6) {
    return WrongEndpoint(text, absl::StrCat("\"", host, "\" in brackets is not an IPv6 address"));
  }
  if (rest.empty()) return WrongEndpoint(text, "the port is missing");
  if (rest.front() != ':') {
    return WrongEndpoint(text, "a colon must follow the closing bracket");
  }
  const absl::StatusOr<uint16_t> port = ParsePort(text, rest.substr(1));
  if (!port.ok()) return port.status();
  return Endpoint{std::string(host), *port};
}

// A scope is a number or the name of an interface; 0 if it is neither.
uint32_t ScopeId(absl::string_view scope) {
  uint32_t id = 0;
  if (absl::SimpleAtoi(scope, &id)) return id;
  return if_nametoindex(std::string(scope).c_str());
}

SocketAddress FromV4(in_addr address, uint16_t port) {
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  v4.sin_addr = address;
  return SocketAddress(reinterpret_cast<const sockaddr*>(&v4), sizeof(v4));
}

SocketAddress FromV6(const in6_addr& address, uint32_t scope_id, uint16_t port) {
  sockaddr_in6 v6 = {};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  v6.sin6_addr = address;
  v6.sin6_scope_id = scope_id;
  return SocketAddress(reinterpret_cast<const sockaddr*>(&v6), sizeof(v6));
}

// As inet_ntop, whose printf is most of what an address in a message costs.
std::string DottedV4(const void* address) {
  uint8_t bytes[4];
  std::memcpy(bytes, address, sizeof(bytes));
  return absl::StrCat(bytes[0], ".", bytes[1], ".", bytes[2], ".", bytes[3]);
}

}  // namespace

absl::StatusOr<Endpoint> Endpoint::Parse(absl::string_view text) {
  if (text.empty()) return WrongEndpoint(text, "it is empty");
  if (absl::StrContains(text, "://")) {
    return WrongEndpoint(text, "it is a URL, and only a host and a port are wanted here");
  }
  if (text.front() == '[') return ParseBracketed(text);
  const size_t colon = text.find(':');
  if (colon == absl::string_view::npos) return WrongEndpoint(text, "the port is missing");
  if (text.find(':', colon + 1) != absl::string_view::npos) {
    return WrongEndpoint(text, "it has more than one colon; an IPv6 address needs brackets");
  }
  const absl::string_view host = text.substr(0, colon);
  if (absl::Status checked = CheckHost(text, host); !checked.ok()) return checked;
  const absl::StatusOr<uint16_t> port = ParsePort(text, text.substr(colon + 1));
  if (!port.ok()) return port.status();
  return Endpoint{std::string(host), *port};
}

std::string Endpoint::ToString() const {
  if (absl::StrContains(host, ":")) return absl::StrCat("[", host, "]:", port);
  return absl::StrCat(host, ":", port);
}

SocketAddress::SocketAddress(const sockaddr* address, socklen_t length_bytes) {
  if (address == nullptr || length_bytes < sizeof(sa_family_t)) return;
  // The bytes decide, not the pointer's type: a kernel structure need not be aligned for us.
  sa_family_t family = AF_UNSPEC;
  std::memcpy(&family, &address->sa_family, sizeof(family));
  const size_t needed_bytes = family == AF_INET    ? sizeof(sockaddr_in)
                              : family == AF_INET6 ? sizeof(sockaddr_in6)
                                                   : 0;
  if (needed_bytes == 0 || length_bytes < needed_bytes) return;
  std::memcpy(&storage_, address, needed_bytes);
  length_bytes_ = static_cast<socklen_t>(needed_bytes);
}

SocketAddress SocketAddress::AnyV4(uint16_t port) { return FromV4({htonl(INADDR_ANY)}, port); }
SocketAddress SocketAddress::AnyV6(uint16_t port) { return FromV6(in6addr_any, 0, port); }
SocketAddress SocketAddress::LoopbackV4(uint16_t port) {
  return FromV4({htonl(INADDR_LOOPBACK)}, port);
}
SocketAddress SocketAddress::LoopbackV6(uint16_t port) { return FromV6(in6addr_loopback, 0, port); }

absl::StatusOr<SocketAddress> SocketAddress::FromNumeric(absl::string_view host, uint16_t port) {
  if (host.find('\0') != absl::string_view::npos) {
    return absl::InvalidArgumentError("a numeric address with a zero byte in it");
  }
  in_addr v4 = {};
  if (inet_pton(AF_INET, std::string(host).c_str(), &v4) == 1) return FromV4(v4, port);

  const size_t percent = host.find('%');
  uint32_t scope_id = 0;
  if (percent != absl::string_view::npos) {
    const absl::string_view scope = host.substr(percent + 1);
    scope_id = ScopeId(scope);
    if (scope_id == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", host, "\": this host has no network interface \"", scope, "\""));
    }
  }
  in6_addr v6 = {};
  if (inet_pton(AF_INET6, std::string(host.substr(0, percent)).c_str(), &v6) == 1) {
    return FromV6(v6, scope_id, port);
  }
  return absl::InvalidArgumentError(absl::StrCat("\"", host, "\" is not a numeric address"));
}

uint16_t SocketAddress::port() const {
  if (family() == AF_INET) return ntohs(storage_.v4.sin_port);
  if (family() == AF_INET6) return ntohs(storage_.v6.sin6_port);
  return 0;
}

void SocketAddress::set_port(uint16_t port) {
  if (family() == AF_INET) storage_.v4.sin_port = htons(port);
  if (family() == AF_INET6) storage_.v6.sin6_port = htons(port);
}

bool SocketAddress::is_loopback() const {
  constexpr uint8_t kLoopbackNetwork = 127;
  if (family() == AF_INET) {
    return ntohl(storage_.v4.sin_addr.s_addr) >> 24 == kLoopbackNetwork;
  }
  if (family() != AF_INET6) return false;
  const in6_addr& v6 = storage_.v6.sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) return v6.s6_addr[12] == kLoopbackNetwork;
  return IN6_IS_ADDR_LOOPBACK(&v6);
}

IpBytes SocketAddress::ip_bytes() const {
  IpBytes bytes = {};
  if (family() == AF_INET6) {
    std::memcpy(bytes.data(), &storage_.v6.sin6_addr, bytes.size());
  } else if (family() == AF_INET) {
    bytes[10] = bytes[11] = 0xFF;
    std::memcpy(&bytes[12], &storage_.v4.sin_addr, sizeof(in_addr));
  }
  return bytes;
}

std::string SocketAddress::host() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET) return DottedV4(&storage_.v4.sin_addr);
  if (family() != AF_INET6) return "";
  const sockaddr_in6& v6 = storage_.v6;
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) return DottedV4(&v6.sin6_addr.s6_addr[12]);
  inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
  if (v6.sin6_scope_id == 0) return text;
  return absl::StrCat(text, "%", v6.sin6_scope_id);
}

std::string SocketAddress::ToString() const {
  if (!is_valid()) return "(no address)";
  return Endpoint{host(), port()}.ToString();
}

bool operator==(const SocketAddress& a, const SocketAddress& b) {
  if (a.family() != b.family() || a.port() != b.port()) return false;
  if (a.family() == AF_INET) {
    return a.storage_.v4.sin_addr.s_addr == b.storage_.v4.sin_addr.s_addr;
  }
  if (a.family() != AF_INET6) return true;
  const sockaddr_in6& v6 = a.storage_.v6;
  const sockaddr_in6& other = b.storage_.v6;
  return IN6_ARE_ADDR_EQUAL(&v6.sin6_addr, &other.sin6_addr) &&
         v6.sin6_scope_id == other.sin6_scope_id;
}

}  // namespace rollcall::net
