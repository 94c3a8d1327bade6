// The system calls that make, name, connect and end a TCP socket.
#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fault_injection/sim_fabric.h"
#include "fault_injection/sim_tcp.h"
#include "fault_injection/sim_tcp_internal.h"

namespace rollcall::fault {
namespace {

// How long Linux asks its neighbours for an address that nobody has.
constexpr absl::Duration kNeighbourTimeout = absl::Seconds(3);
constexpr uint32_t kEndEvents = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

}  // namespace

TcpSocket::TcpSocket(SimHost* host, int family)
    : SimFile(Kind::kSocket, &host->fabric().scheduler()), host_(*host), fabric_(host->fabric()) {
  is_v6 = family == AF_INET6;
  local.ip = remote.ip = is_v6 ? IpAddress::AnyV6() : IpAddress::AnyV4();
  options_.send_buffer_bytes = host->options().send_buffer_bytes;
  options_.receive_buffer_bytes = host->options().receive_buffer_bytes;
  fabric_.Add(this);
}

TcpSocket::~TcpSocket() {
  for (size_t i = 0; i < kTaskCount; ++i) Cancel(static_cast<Task>(i));
  if (peer_ != nullptr && peer_->peer_ == this) peer_->peer_ = nullptr;
  flight_.Clear(fabric_.packets());
  unsent_.Clear(fabric_.packets());
  received_.Clear(fabric_.packets());
  host_.ports().Remove(this);
  fabric_.Remove(this);
}

uint32_t TcpSocket::Readiness() {
  if (state_ == TcpState::kListen) {
    return listen_->accept_queue.empty() ? 0u : EPOLLIN | EPOLLRDNORM;
  }
  uint32_t ready = 0;
  if (shutdown_ == kBothShut || state_ == TcpState::kClosed) ready |= EPOLLHUP;
  if (shutdown_ & kReceiveShut) ready |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
  if (state_ != TcpState::kSynSent) {
    if (received_.size_bytes() >= static_cast<size_t>(options_.receive_low_water)) {
      ready |= EPOLLIN | EPOLLRDNORM;
    }
    if ((shutdown_ & kSendShut) != 0 || IsWritable()) {
      ready |= EPOLLOUT | EPOLLWRNORM;
    } else {
      lacks_space_ = true;
    }
  }
  if (error_ != 0) ready |= EPOLLERR;
  return ready;
}

int TcpSocket::TakeError() { return std::exchange(error_, 0); }

// --- Names ---

int TcpSocket::CheckLocal(const IpEndpoint& wanted) const {
  if (is_v6 && v6_only && wanted.ip.is_v4()) return -EINVAL;
  if (wanted.ip.is_any() || host_.HasAddress(wanted.ip)) return 0;
  return -EADDRNOTAVAIL;
}

int TcpSocket::Bind(const sockaddr* address, socklen_t length_bytes) {
  IpEndpoint wanted;
  if (const int error = IpEndpoint::FromSockaddr(family(), address, length_bytes, &wanted);
      error < 0) {
    return error;
  }
  if (const int error = CheckLocal(wanted); error < 0) return error;
  if (state_ != TcpState::kClosed || local.port != 0) return -EINVAL;
  return BindLocal(wanted);
}

int TcpSocket::BindLocal(const IpEndpoint& wanted) {
  const absl::Time now = fabric_.Now();
  const IpEndpoint before = std::exchange(local, wanted);
  if (wanted.port == 0) {
    local.port = host_.ports().PortToBind(
        *this, now, [this](uint64_t n) { return scheduler().Choose("net.ephemeral_port", n); });
  }
  if (local.port == 0 || host_.ports().Conflicts(*this, now)) {
    local = before;
    return -EADDRINUSE;
  }
  is_bound_by_name = true;
  host_.ports().Add(this);
  return 0;
}

void TcpSocket::Unbind() { host_.ports().Remove(this); }

int TcpSocket::PeerName(IpEndpoint* peer) const {
  if (remote.port == 0 || state_ == TcpState::kClosed || state_ == TcpState::kSynSent) {
    return -ENOTCONN;
  }
  *peer = remote;
  return 0;
}

// --- Listening ---

int TcpSocket::Listen(int backlog) {
  const bool was_listening = state_ == TcpState::kListen;
  if (layer_ != Layer::kUnconnected || (!was_listening && state_ != TcpState::kClosed)) {
    return -EINVAL;
  }
  const int backlog_max = host_.options().listen_backlog_max;
  const size_t limit = backlog < 0 || backlog > backlog_max ? backlog_max : backlog;
  if (was_listening) {
    listen_->backlog = limit;
    return 0;
  }
  if (local.port == 0) {
    if (const int error = BindLocal(local); error < 0) return error;
  } else if (host_.ports().Conflicts(*this, fabric_.Now())) {
    return -EADDRINUSE;  // Two may bind it with SO_REUSEADDR, but only one may listen.
  }
  listen_ = std::make_unique<ListenState>();
  listen_->backlog = limit;
  state_ = TcpState::kListen;
  host_.ports().StartListening(this);
  shutdown_ = 0;
  return 0;
}

TcpSocket* TcpSocket::Accept(int* result) {
  const absl::Time deadline =
      nonblocking() ? absl::InfinitePast() : fabric_.Now() + options_.receive_timeout;
  while (true) {
    if (state_ != TcpState::kListen) return *result = -EINVAL, nullptr;
    if (!listen_->accept_queue.empty()) break;
    if (nonblocking() || fabric_.Now() >= deadline) return *result = -EAGAIN, nullptr;
    WaitFor(EPOLLIN | kEndEvents, deadline, "accept");
  }
  TcpSocket* const accepted = listen_->accept_queue.front();
  listen_->accept_queue.pop_front();
  accepted->listener_ = nullptr;
  return accepted;
}

// Whoever waits in the backlog is reset; whoever has not got so far hears of it when he comes.
void TcpSocket::CloseListener() {
  const std::unique_ptr<ListenState> listen = std::move(listen_);
  host_.ports().StopListening(this);
  state_ = TcpState::kClosed;
  for (TcpSocket* child : listen->half_open) {
    child->listener_ = nullptr;
    child->EnterClosed();
  }
  for (TcpSocket* child : listen->accept_queue) {
    child->listener_ = nullptr;
    if (child->state_ == TcpState::kEstablished) child->SendReset();
    child->EnterClosed();
  }
  // Whoever still waits to accept.
  Notify(EPOLLHUP);
}

// --- Connecting ---

int TcpSocket::Connect(const sockaddr* address, socklen_t length_bytes, bool in_background) {
  if (length_bytes < sizeof(address->sa_family)) return -EINVAL;
  if (layer_ == Layer::kConnected) return -EISCONN;
  if (layer_ == Layer::kUnconnected) {
    if (state_ != TcpState::kClosed) return -EISCONN;
    IpEndpoint to;
    if (const int error = IpEndpoint::FromSockaddr(family(), address, length_bytes, &to);
        error < 0) {
      return error;
    }
    if (const int error = StartConnect(to); error < 0) return error;
    layer_ = Layer::kConnecting;
    if (nonblocking() || in_background) return -EINPROGRESS;
  } else if (state_ == TcpState::kSynSent && nonblocking()) {
    return -EALREADY;
  }
  return WaitForConnect(in_background);
}

int TcpSocket::WaitForConnect(bool in_background) {
  fabric_.Settle();  // Where no time passes, the answer is here.
  const absl::Time deadline = fabric_.Now() + options_.send_timeout;
  while (state_ == TcpState::kSynSent) {
    if (in_background || fabric_.Now() >= deadline) return -EINPROGRESS;
    WaitFor(EPOLLOUT | kEndEvents, deadline, absl::StrCat("connection to ", remote.ToString()));
  }
  return FinishConnect();
}

int TcpSocket::FinishConnect() {
  if (state_ != TcpState::kClosed) {
    layer_ = Layer::kConnected;
    return 0;
  }
  // Linux gives the socket back, as it was before: it may try again.
  const int error = TakeError();
  layer_ = Layer::kUnconnected;
  shutdown_ = 0;
  fin_received_ = fin_sent_ = fin_delivered_ = false;
  retransmits_ = 0;
  if (!is_bound_by_name) local = {is_v6 ? IpAddress::AnyV6() : IpAddress::AnyV4(), 0};
  remote.port = 0;
  return error != 0 ? -error : -ECONNABORTED;
}

int TcpSocket::StartConnect(IpEndpoint to) {
  if (to.ip.is_any()) to.ip = to.ip.is_v4() ? IpAddress::LoopbackV4() : IpAddress::LoopbackV6();
  if (is_v6 && v6_only && to.ip.is_v4()) return -ENETUNREACH;
  remote = to;
  if (const int error = ChooseSource(); error < 0) {
    remote.port = 0;
    return error;
  }
  remote_host_ = to.ip.is_loopback() ? &host_ : fabric_.HostOf(to.ip);
  state_ = TcpState::kSynSent;
  syn_sent_ = fabric_.Now();
  if (remote_host_ == nullptr) {
    soft_error_ = EHOSTUNREACH;
    Schedule(Task::kUnreachable, syn_sent_ + kNeighbourTimeout);
  } else {
    SendControl(PacketKind::kSyn);
  }
  return 0;
}

int TcpSocket::ChooseSource() {
  const IpAddress bound = local.ip;
  const bool may_choose = bound.is_any();
  const std::optional<IpAddress> source = host_.SourceFor(remote.ip);
  if (!source.has_value()) return -ENETUNREACH;
  if (!may_choose && bound.is_v4() != remote.ip.is_v4()) return -EINVAL;
  if (may_choose) local.ip = *source;
  const absl::Time now = fabric_.Now();
  if (local.port != 0) {
    if (!host_.ports().IsConnected(*this, now)) return 0;
    local.ip = bound;
    return -EADDRNOTAVAIL;
  }
  local.port = host_.ports().PortToConnect(
      *this, now, [this](uint64_t n) { return scheduler().Choose("net.ephemeral_port", n); });
  if (local.port == 0) {
    local.ip = bound;
    return -EADDRNOTAVAIL;
  }
  host_.ports().Add(this);
  return 0;
}

// --- Ending ---

int TcpSocket::Shutdown(int how) {
  if (how < SHUT_RD || how > SHUT_RDWR) return -EINVAL;
  const uint8_t bits = static_cast<uint8_t>(how + 1);
  int result = 0;
  switch (state_) {
    case TcpState::kListen:
      if (bits & kReceiveShut) {
        CloseListener();
        if (!is_bound_by_name) Unbind();
      }
      return 0;
    case TcpState::kSynSent:
      Abort(ECONNRESET);
      shutdown_ = 0;
      layer_ = Layer::kUnconnected;
      return 0;
    case TcpState::kClosed:
      result = -ENOTCONN;
      shutdown_ |= bits;
      break;
    default:
      shutdown_ |= bits;
      if ((bits & kSendShut) && !fin_sent_) SendFin();
  }
  Notify(EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP);
  return result;
}

void TcpSocket::OnLastReference() {
  is_bound_by_name = false;
  if (state_ == TcpState::kListen) CloseListener();
  const bool has_unread = received_.size_bytes() > 0;
  received_.Clear(fabric_.packets());
  if (state_ == TcpState::kEstablished) {
    shutdown_ = kBothShut;
    if (has_unread || (options_.lingers && options_.linger_s == 0)) {
      SendReset();
      EnterClosed();
    } else {
      if (!fin_sent_) SendFin();
      Cancel(Task::kKeepAlive);
      if (fin_delivered_) AwaitPeersFin();
    }
  } else if (state_ != TcpState::kClosed) {
    EnterClosed();
  }
  if (state_ == TcpState::kClosed) Unbind();
  if (IsGarbage()) fabric_.NoteGarbage(this);
}

}  // namespace rollcall::fault
