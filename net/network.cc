#include "net/network.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace rollcall::net {
namespace {

constexpr int kV6Bits = 128;
constexpr int kV4Bits = 32;
constexpr int kMappedBits = kV6Bits - kV4Bits;  // What all IPv4 addresses have in common.

absl::Status Wrong(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("network \"", text, "\": ", why,
                   "; expected ADDRESS or ADDRESS/BITS, such as 10.0.0.0/8 or ::1"));
}

bool IsV4(const IpBytes& bytes) {
  constexpr size_t kZeros = 10;
  return std::all_of(bytes.begin(), bytes.begin() + kZeros,
                     [](uint8_t byte) { return byte == 0; }) &&
         bytes[kZeros] == 0xFF && bytes[kZeros + 1] == 0xFF;
}

// With all but the first `bits` cleared.
IpBytes Cut(IpBytes bytes, int bits) {
  for (int i = 0; i < static_cast<int>(bytes.size()); ++i) {
    const int kept = std::clamp(bits - 8 * i, 0, 8);
    bytes[static_cast<size_t>(i)] &= static_cast<uint8_t>(0xFF00 >> kept);
  }
  return bytes;
}

}  // namespace

Network::Network(const SocketAddress& address, int bits)
    : first_(address.ip_bytes()), bits_(bits), is_v4_(IsV4(first_)), host_(address.host()) {}

absl::StatusOr<Network> Network::Parse(absl::string_view text) {
  const size_t slash = text.find('/');
  const absl::string_view host = text.substr(0, slash);
  if (absl::StrContains(host, "%")) return Wrong(text, "a network has no interface");
  const absl::StatusOr<SocketAddress> address = SocketAddress::FromNumeric(host, 0);
  if (!address.ok()) return Wrong(text, absl::StrCat("\"", host, "\" is not a numeric address"));
  const int bits_max = address->family() == AF_INET ? kV4Bits : kV6Bits;
  int bits = bits_max;
  if (slash != absl::string_view::npos) {
    const absl::string_view digits = text.substr(slash + 1);
    const bool is_number = !digits.empty() && std::all_of(digits.begin(), digits.end(), [](char c) {
      return absl::ascii_isdigit(c);
    });
    if (!is_number || !absl::SimpleAtoi(digits, &bits) || bits > bits_max) {
      return Wrong(text, absl::StrCat("the number of bits must be 0 to ", bits_max));
    }
  }
  if (address->family() == AF_INET) bits += kMappedBits;
  const Network network(*address, bits);
  if (Cut(network.first_, bits) != network.first_) {
    return Wrong(text, "the address has bits behind those that count");
  }
  return network;
}

bool Network::Contains(const SocketAddress& address) const {
  if (!address.is_valid()) return false;
  const IpBytes bytes = address.ip_bytes();
  return IsV4(bytes) == is_v4_ && Cut(bytes, bits_) == first_;
}

std::string Network::ToString() const {
  if (bits_ == kV6Bits) return host_;
  return absl::StrCat(host_, "/", is_v4_ ? bits_ - kMappedBits : bits_);
}

absl::StatusOr<std::vector<Network>> ParseNetworks(absl::string_view list) {
  std::vector<Network> networks;
  if (list.empty()) return networks;
  for (const absl::string_view text : absl::StrSplit(list, ',')) {
    absl::StatusOr<Network> network = Network::Parse(absl::StripAsciiWhitespace(text));
    if (!network.ok()) return network.status();
    networks.push_back(*std::move(network));
  }
  return networks;
}

}  // namespace rollcall::net
