#include "fault_injection/proxy/route_listener.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "net/listen_sockets.h"
#include "net/net_error.h"
#include "net/socket_options.h"
#include "net/wait_ready.h"

namespace rollcall::fault {
namespace {

constexpr int kBacklog = 4096;
// The kernel takes one more than it is told. With a backlog of 0 it would find its queue of half
// open connections full at the very first SYN, and answer that with a cookie or not at all.
constexpr int kSilentBacklog = 1;
constexpr int kFillers = kSilentBacklog + 1;
// Loopback answers at once; without an answer, others have filled the backlog before.
constexpr absl::Duration kFillerPatience = absl::Milliseconds(50);
constexpr absl::Duration kRest = absl::Milliseconds(10);

absl::Status CallFailed(absl::string_view call, const net::SocketAddress& address, int result) {
  return net::ErrnoError(absl::StrCat("the proxy's port ", address.ToString(), ": ", call), -result,
                         net::Phase::kBind, address.ToString());
}

}  // namespace

RouteListener::RouteListener(net::SocketLoop* loop, net::Clock* clock,
                             absl::AnyInvocable<void(net::OwnedFd)> on_accept)
    : loop_(*loop), clock_(*clock), on_accept_(std::move(on_accept)) {}

RouteListener::~RouteListener() { Close(); }

absl::Status RouteListener::Bind(const net::SocketAddress& address) {
  address_ = address;
  absl::StatusOr<net::OwnedFd> bound = BoundSocket();
  if (!bound.ok()) return bound.status();
  holder_ = *std::move(bound);
  const absl::StatusOr<net::SocketAddress> real =
      net::LocalAddressOf(loop_.syscalls(), holder_.get());
  if (!real.ok()) return real.status();
  address_ = *real;
  return absl::OkStatus();
}

absl::StatusOr<net::OwnedFd> RouteListener::BoundSocket() const {
  net::Syscalls& syscalls = loop_.syscalls();
  const int fd = syscalls.Socket(address_.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return CallFailed("socket", address_, fd);
  net::OwnedFd bound(&syscalls, fd);
  // Both the holder and who listens are bound to the port, and so are connections of before.
  const int on = 1;
  syscalls.SetSockOpt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const int result = syscalls.Bind(fd, address_.data(), address_.size_bytes());
  if (result < 0) return CallFailed("bind", address_, result);
  return bound;
}

absl::Status RouteListener::SetState(State state) {
  if (state == state_) return absl::OkStatus();
  if (state_ == State::kOpen) AcceptAll();
  absl::Status done;
  switch (state) {
    case State::kRefuses:
      Close();
      break;
    case State::kOpen:
      done = Listen(kBacklog);
      if (done.ok()) DrainFillers();
      break;
    case State::kSilent:
      done = Listen(kSilentBacklog);
      if (done.ok()) FillBacklog();
      break;
  }
  if (!done.ok()) {
    Close();
    state = State::kRefuses;
  }
  state_ = state;
  return done;
}

absl::Status RouteListener::Listen(int backlog) {
  if (!listening_.is_open()) {
    absl::StatusOr<net::OwnedFd> bound = BoundSocket();
    if (!bound.ok()) return bound.status();
    listening_ = *std::move(bound);
    net::SetConnectionOptions(loop_.syscalls(), listening_.get());
  }
  loop_.Unwatch(this, listening_.get());
  const int listens = loop_.syscalls().Listen(listening_.get(), backlog);
  if (listens < 0) return CallFailed("listen", address_, listens);
  if (backlog == kSilentBacklog) return absl::OkStatus();
  const int watched = loop_.Watch(this, listening_.get(), net::kReadable);
  return watched == 0 ? absl::OkStatus() : CallFailed("epoll_ctl", address_, watched);
}

void RouteListener::FillBacklog() {
  net::Syscalls& syscalls = loop_.syscalls();
  for (int i = 0; i < kFillers; ++i) {
    const int fd =
        syscalls.Socket(address_.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    net::OwnedFd filler(&syscalls, fd);
    syscalls.Connect(fd, address_.data(), address_.size_bytes());
    const bool is_in =
        net::WaitReady(syscalls, clock_, fd, POLLOUT, clock_.Now() + kFillerPatience) > 0;
    const absl::StatusOr<net::SocketAddress> local = net::LocalAddressOf(syscalls, fd);
    if (!is_in || !local.ok()) return;
    fillers_.push_back(std::move(filler));
    filler_addresses_.push_back(*local);
  }
}

// They lie first in the backlog, or nearly.
void RouteListener::DrainFillers() {
  AcceptAll();
  fillers_.clear();
}

bool RouteListener::IsFiller(const net::SocketAddress& peer) const {
  return std::find(filler_addresses_.begin(), filler_addresses_.end(), peer) !=
         filler_addresses_.end();
}

void RouteListener::AcceptAll() {
  net::Syscalls& syscalls = loop_.syscalls();
  while (listening_.is_open()) {
    sockaddr_storage storage = {};
    socklen_t length_bytes = sizeof(storage);
    auto* const raw_peer = reinterpret_cast<sockaddr*>(&storage);
    const int fd =
        syscalls.Accept4(listening_.get(), raw_peer, &length_bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      net::OwnedFd accepted(&syscalls, fd);
      const net::SocketAddress peer(raw_peer, length_bytes);
      if (IsFiller(peer)) {
        std::erase(filler_addresses_, peer);
      } else {
        on_accept_(std::move(accepted));
      }
      continue;
    }
    const net::AcceptFailure failure = net::ClassifyAcceptFailure(-fd);
    if (failure == net::AcceptFailure::kTryAgain) continue;
    if (failure != net::AcceptFailure::kRest || rest_ != 0) return;
    loop_.Unwatch(this, listening_.get());
    rest_ = loop_.RunAt(loop_.Now() + kRest, [this] {
      rest_ = 0;
      if (state_ == State::kOpen) loop_.Watch(this, listening_.get(), net::kReadable);
    });
    return;
  }
}

void RouteListener::Close() {
  if (rest_ != 0) loop_.CancelTimer(std::exchange(rest_, 0));
  if (!listening_.is_open()) return;
  loop_.Unwatch(this, listening_.get());
  // Before the fillers: who lies in the backlog is reset with it, and nobody slips in between.
  listening_.Reset();
  fillers_.clear();
  filler_addresses_.clear();
}

}  // namespace rollcall::fault
