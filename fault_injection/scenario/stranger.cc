#include "fault_injection/scenario/stranger.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "glog/logging.h"
#include "net/address.h"

namespace rollcall::fault {
namespace {

constexpr int kBacklog = 16;
constexpr size_t kHeardBytesMax = 4096;
constexpr size_t kGreetingBytes = 10;  // Of a modern client: VALIDATE and a ping.
constexpr size_t kNonceBytes = 4;      // Which end it, and are to be sent back.

// A socket that is closed with it.
class OwnSocket {
 public:
  OwnSocket(net::Syscalls& calls, int fd) : calls_(calls), fd_(fd) {}
  OwnSocket(OwnSocket&& other) noexcept : calls_(other.calls_), fd_(std::exchange(other.fd_, -1)) {}
  OwnSocket& operator=(OwnSocket&&) = delete;
  ~OwnSocket() {
    if (fd_ >= 0) calls_.Close(fd_);
  }

  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

  // Its close will be a reset.
  void ResetOnClose() {
    const linger at_once = {.l_onoff = 1, .l_linger = 0};
    calls_.SetSockOpt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }

  void Say(absl::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = calls_.Send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<size_t>(sent));
    }
  }

  // Until so much has come, the other side closes, or the deadline. What came.
  std::string Hear(net::Env& env, size_t bytes_max, absl::Time deadline) {
    std::string heard;
    char buffer[512];
    while (env.Now() < deadline && heard.size() < bytes_max) {
      pollfd ready = {.fd = fd_, .events = POLLIN, .revents = 0};
      if (calls_.Poll(&ready, 1, deadline - env.Now()) <= 0) continue;
      const ssize_t size_bytes =
          calls_.Recv(fd_, buffer, std::min(sizeof buffer, bytes_max - heard.size()), 0);
      if (size_bytes <= 0) break;
      heard.append(buffer, static_cast<size_t>(size_bytes));
    }
    return heard;
  }

 private:
  net::Syscalls& calls_;
  int fd_;
};

std::string Piece(const Stranger& stranger) { return stranger.says(); }

OwnSocket ConnectTo(net::Syscalls& calls, const net::SocketAddress& address) {
  OwnSocket socket(calls, calls.Socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.is_open()) calls.Connect(socket.fd(), address.data(), address.size_bytes());
  return socket;
}

}  // namespace

std::string TalkToServer(net::Env& env, net::Syscalls& calls, const Stranger& stranger,
                         const std::string& server_name, uint16_t port, absl::Time deadline) {
  const auto addresses = env.Resolve({server_name, port}, deadline);
  if (!addresses.ok()) {
    LOG(WARNING) << stranger.name() << " does not find the server: " << addresses.status();
    return "";
  }
  std::vector<OwnSocket> sockets;
  for (int i = 0; i < std::max(stranger.connections(), 1); ++i) {
    sockets.push_back(ConnectTo(calls, addresses->front()));
    OwnSocket& socket = sockets.back();
    socket.Say(Piece(stranger));
    if (stranger.closes()) calls.Shutdown(socket.fd(), SHUT_WR);
    if (stranger.resets()) {
      socket.ResetOnClose();
      sockets.pop_back();
    }
  }
  return sockets.empty() ? "" : sockets.back().Hear(env, kHeardBytesMax, deadline);
}

void AnswerAsStranger(net::Env& env, net::Syscalls& calls, const Stranger& stranger, uint16_t port,
                      absl::Time deadline) {
  OwnSocket listener(calls, calls.Socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  const int yes = 1;
  calls.SetSockOpt(listener.fd(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (calls.Bind(listener.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 ||
      calls.Listen(listener.fd(), kBacklog) < 0) {
    LOG(ERROR) << stranger.name() << " cannot listen on port " << port;
    return;
  }
  std::vector<OwnSocket> accepted;
  while (env.Now() < deadline) {
    pollfd ready = {.fd = listener.fd(), .events = POLLIN, .revents = 0};
    if (calls.Poll(&ready, 1, deadline - env.Now()) <= 0) continue;
    const int fd = calls.Accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    OwnSocket socket(calls, fd);
    if (stranger.greets()) {
      const std::string greeting = socket.Hear(env, kGreetingBytes, deadline);
      if (greeting.size() == kGreetingBytes) {
        socket.Say(absl::string_view(greeting).substr(kGreetingBytes - kNonceBytes));
      }
    }
    socket.Say(Piece(stranger));
    if (stranger.resets()) socket.ResetOnClose();
    if (!stranger.resets() && !stranger.closes()) accepted.push_back(std::move(socket));
  }
}

}  // namespace rollcall::fault
