#include "fault_injection/sim_names.h"

#include <netinet/in.h>

#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "net/address.h"

namespace rollcall::fault {
namespace {

std::string Key(absl::string_view name) { return absl::AsciiStrToLower(name); }

std::optional<IpAddress> Numeric(const char* host) {
  const absl::StatusOr<net::SocketAddress> address = net::SocketAddress::FromNumeric(host, 0);
  if (!address.ok()) return std::nullopt;
  IpEndpoint endpoint;
  IpEndpoint::FromSockaddr(address->family(), address->data(), address->size_bytes(), &endpoint);
  return endpoint.ip;
}

// One block for the entry and its address, so that freeing it is one call.
struct Entry {
  addrinfo info = {};
  sockaddr_storage address = {};
};

}  // namespace

SimNames::SimNames() { Set("localhost", {IpAddress::LoopbackV6(), IpAddress::LoopbackV4()}); }

void SimNames::Set(absl::string_view name, std::vector<IpAddress> addresses) {
  table_[Key(name)] = std::move(addresses);
}

void SimNames::Remove(absl::string_view name) { table_.erase(Key(name)); }

void SimNames::Fail(absl::string_view name, int eai_error, int count) {
  failures_[Key(name)] = {eai_error, count};
}

void SimNames::Delay(absl::string_view name, absl::Duration delay) { delays_[Key(name)] = delay; }

absl::Duration SimNames::DelayOf(absl::string_view name) const {
  if (delays_.empty()) return absl::ZeroDuration();
  auto found = delays_.find(Key(name));
  if (found == delays_.end()) found = delays_.find("");
  return found == delays_.end() ? absl::ZeroDuration() : found->second;
}

int SimNames::AddressesOf(const char* host, int flags, std::vector<IpAddress>* addresses) {
  if (host == nullptr) {
    const bool passive = (flags & AI_PASSIVE) != 0;
    *addresses = passive ? std::vector{IpAddress::AnyV4(), IpAddress::AnyV6()}
                         : std::vector{IpAddress::LoopbackV6(), IpAddress::LoopbackV4()};
    return 0;
  }
  if (const std::optional<IpAddress> numeric = Numeric(host); numeric.has_value()) {
    *addresses = {*numeric};
    return 0;
  }
  if (flags & AI_NUMERICHOST) return EAI_NONAME;
  if (!failures_.empty()) {
    for (const std::string& key : {Key(host), std::string()}) {
      const auto failure = failures_.find(key);
      if (failure != failures_.end() && failure->second.count > 0) {
        --failure->second.count;
        return failure->second.eai_error;
      }
    }
  }
  const auto found = table_.find(Key(host));
  if (found == table_.end()) return EAI_NONAME;
  *addresses = found->second;
  return 0;
}

int SimNames::LookUp(const char* host, const char* service, const addrinfo* hints,
                     addrinfo** result) {
  *result = nullptr;
  const int family = hints == nullptr ? AF_UNSPEC : hints->ai_family;
  const int flags = hints == nullptr ? 0 : hints->ai_flags;
  if (family != AF_UNSPEC && family != AF_INET && family != AF_INET6) return EAI_FAMILY;
  if (host == nullptr && service == nullptr) return EAI_NONAME;
  uint32_t port = 0;
  if (service != nullptr && (!absl::SimpleAtoi(service, &port) || port > 0xffff)) {
    return EAI_SERVICE;
  }
  std::vector<IpAddress> addresses;
  if (const int error = AddressesOf(host, flags, &addresses); error != 0) return error;
  addrinfo** next = result;
  for (const IpAddress& ip : addresses) {
    const int its_family = ip.is_v4() ? AF_INET : AF_INET6;
    if (family != AF_UNSPEC && family != its_family) continue;
    auto* const entry = new Entry;
    entry->info.ai_family = its_family;
    entry->info.ai_socktype = SOCK_STREAM;
    entry->info.ai_protocol = IPPROTO_TCP;
    entry->info.ai_addr = reinterpret_cast<sockaddr*>(&entry->address);
    entry->info.ai_addrlen = sizeof(entry->address);
    IpEndpoint{ip, static_cast<uint16_t>(port)}.ToSockaddr(its_family, entry->info.ai_addr,
                                                           &entry->info.ai_addrlen);
    *next = &entry->info;
    next = &entry->info.ai_next;
  }
  return *result == nullptr ? EAI_NONAME : 0;
}

void SimNames::Free(addrinfo* list) {
  while (list != nullptr) {
    addrinfo* const next = list->ai_next;
    delete reinterpret_cast<Entry*>(list);  // The info is its first member.
    list = next;
  }
}

}  // namespace rollcall::fault
