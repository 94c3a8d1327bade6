#include "testing/net_twin.h"

#include <poll.h>
#include <sys/time.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "net/address.h"
#include "net/net_error.h"

namespace rollcall {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(10);
constexpr short kAllEvents = POLLIN | POLLOUT | POLLRDHUP;

net::SocketAddress ParseAddress(absl::string_view host, uint16_t port) {
  return net::SocketAddress::FromNumeric(host, port).value();
}

std::string OptionName(int level, int option) { return absl::StrCat(level, "/", option); }

}  // namespace

std::string ReadinessText(uint32_t events) {
  constexpr std::pair<uint32_t, const char*> kNames[] = {
      {POLLIN, "IN"},   {POLLOUT, "OUT"}, {POLLRDHUP, "RDHUP"},
      {POLLHUP, "HUP"}, {POLLERR, "ERR"}, {POLLNVAL, "NVAL"},
  };
  std::vector<std::string> names;
  for (const auto& [bit, name] : kNames) {
    if (events & bit) names.push_back(name);
  }
  return names.empty() ? "-" : absl::StrJoin(names, "|");
}

Twin::~Twin() {
  for (const auto& [name, fd] : fds_) {
    if (fd >= 0) calls_.Close(fd);
  }
}

void Twin::Write(absl::string_view what, int64_t result) {
  Write(absl::StrCat(
      what, ": ", result < 0 ? net::ErrnoName(static_cast<int>(-result)) : absl::StrCat(result)));
}

int Twin::fd(const std::string& name) const {
  const auto found = fds_.find(name);
  return found == fds_.end() ? -1 : found->second;
}

void Twin::Socket(const std::string& name, Mode mode, int family) {
  const int result = calls_.Socket(
      family, SOCK_STREAM | SOCK_CLOEXEC | (mode == kNonblocking ? SOCK_NONBLOCK : 0), 0);
  fds_[name] = result;
  if (result < 0) Write(absl::StrCat("socket ", name), result);
}

uint16_t Twin::PortOf(const std::string& name) {
  if (name.empty()) return 0;
  sockaddr_storage storage = {};
  socklen_t length_bytes = sizeof(storage);
  calls_.GetSockName(fd(name), reinterpret_cast<sockaddr*>(&storage), &length_bytes);
  return net::SocketAddress(reinterpret_cast<sockaddr*>(&storage), length_bytes).port();
}

void Twin::Bind(const std::string& name, absl::string_view host, const std::string& port_of) {
  const net::SocketAddress address = ParseAddress(host, PortOf(port_of));
  Write(absl::StrCat("bind ", name, " ", host, ":", port_of),
        calls_.Bind(fd(name), address.data(), address.size_bytes()));
}

bool Twin::TryBind(const std::string& name, absl::string_view host, const std::string& port_of) {
  const net::SocketAddress address = ParseAddress(host, PortOf(port_of));
  return calls_.Bind(fd(name), address.data(), address.size_bytes()) == 0;
}

void Twin::Listen(const std::string& name, int backlog) {
  Write(absl::StrCat("listen ", name, " ", backlog), calls_.Listen(fd(name), backlog));
}

void Twin::Connect(const std::string& name, absl::string_view host, const std::string& port_of) {
  const net::SocketAddress address = ParseAddress(host, PortOf(port_of));
  Write(absl::StrCat("connect ", name, " to ", host, ":", port_of),
        calls_.Connect(fd(name), address.data(), address.size_bytes()));
}

void Twin::Accept(const std::string& listener, const std::string& name, Mode mode) {
  sockaddr_storage storage = {};
  socklen_t length_bytes = sizeof(storage);
  const int result =
      calls_.Accept4(fd(listener), reinterpret_cast<sockaddr*>(&storage), &length_bytes,
                     SOCK_CLOEXEC | (mode == kNonblocking ? SOCK_NONBLOCK : 0));
  fds_[name] = result;
  Write(absl::StrCat("accept ", name), result < 0 ? result : static_cast<int>(storage.ss_family));
}

void Twin::Send(const std::string& name, absl::string_view bytes) {
  Write(absl::StrCat("send ", name),
        calls_.Send(fd(name), bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

void Twin::Recv(const std::string& name, size_t size_bytes, int flags) {
  std::string buffer(size_bytes, '\0');
  const ssize_t result = calls_.Recv(fd(name), &buffer[0], size_bytes, flags);
  if (result > 0 && result <= 16) {
    return Write(absl::StrCat("recv ", name, ": \"", buffer.substr(0, result), "\""));
  }
  Write(absl::StrCat("recv ", name), result);
}

void Twin::Shutdown(const std::string& name, int how) {
  Write(absl::StrCat("shutdown ", name, " ", how), calls_.Shutdown(fd(name), how));
}

void Twin::Close(const std::string& name) {
  const int result = calls_.Close(fd(name));
  fds_.erase(name);
  if (result < 0) Write(absl::StrCat("close ", name), result);
}

void Twin::SetInt(const std::string& name, int level, int option, int value) {
  Write(absl::StrCat("set ", name, " ", OptionName(level, option), " = ", value),
        calls_.SetSockOpt(fd(name), level, option, &value, sizeof(value)));
}

void Twin::GetInt(const std::string& name, int level, int option) {
  int value = -1;
  socklen_t length_bytes = sizeof(value);
  const int result = calls_.GetSockOpt(fd(name), level, option, &value, &length_bytes);
  if (level == SOL_SOCKET && option == SO_ERROR && result == 0) value = -value;
  Write(absl::StrCat("get ", name, " ", OptionName(level, option)), result < 0 ? result : value);
}

void Twin::SetLinger(const std::string& name, int seconds) {
  const linger value = {1, seconds};
  const int result = calls_.SetSockOpt(fd(name), SOL_SOCKET, SO_LINGER, &value, sizeof(value));
  if (result < 0) Write(absl::StrCat("linger ", name), result);
}

void Twin::SetTimeout(const std::string& name, int option, absl::Duration timeout) {
  const timeval value = absl::ToTimeval(timeout);
  Write(absl::StrCat("set time-out of ", name, " ", option),
        calls_.SetSockOpt(fd(name), SOL_SOCKET, option, &value, sizeof(value)));
}

void Twin::Name(const std::string& name, bool peer) {
  sockaddr_storage storage = {};
  socklen_t length_bytes = sizeof(storage);
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  const int result = peer ? calls_.GetPeerName(fd(name), address, &length_bytes)
                          : calls_.GetSockName(fd(name), address, &length_bytes);
  const absl::string_view call = peer ? "getpeername " : "getsockname ";
  if (result < 0) return Write(absl::StrCat(call, name), result);
  net::SocketAddress shown(address, length_bytes);
  Write(absl::StrCat(call, name, ": ", shown.family(), " ", shown.host(), " ",
                     shown.port() == 0 ? "no port" : "a port"));
}

void Twin::PeerName(const std::string& name) { Name(name, true); }

void Twin::LocalName(const std::string& name) { Name(name, false); }

short Twin::Poll(const std::string& name, short events, absl::Duration timeout) {
  pollfd polled = {.fd = fd(name), .events = events, .revents = 0};
  const int result = calls_.Poll(&polled, 1, timeout);
  if (result < 0) Write(absl::StrCat("poll ", name), result);
  return polled.revents;
}

void Twin::Ready(const std::string& name) {
  Write(absl::StrCat("ready ", name, ": ",
                     ReadinessText(Poll(name, kAllEvents, absl::ZeroDuration()))));
}

void Twin::Await(const std::string& name, short events) {
  if (Poll(name, events, kPatience) == 0) Write(absl::StrCat("waited in vain for ", name));
  Ready(name);
}

void Twin::MakePair(Mode mode) {
  const size_t lines_before = lines_.size();
  Socket("listener");
  Bind("listener", "127.0.0.1");
  Listen("listener", 16);
  Socket("client");
  Connect("client", "127.0.0.1", "listener");
  Accept("listener", "server", mode);
  if (mode == kNonblocking) calls_.SetFlags(fd("client"), SOCK_NONBLOCK);
  lines_.resize(lines_before);
}

std::vector<std::string> RunTwinScript(const TwinScript& script, net::Syscalls& calls) {
  Twin twin(&calls);
  script.run(twin);
  return twin.lines();
}

}  // namespace rollcall
