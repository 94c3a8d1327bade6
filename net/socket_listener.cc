#include "net/socket_listener.h"

#include <utility>

#include "absl/status/status.h"
#include "glog/logging.h"
#include "net/net_error.h"
#include "net/socket_options.h"
#include "net/socket_stream.h"

namespace rollcall::net {
namespace {

// A storm of joiners must not keep those who have joined from being served.
constexpr int kAcceptsPerTurn = 256;
constexpr absl::Duration kRest = absl::Milliseconds(100);
constexpr absl::Duration kLogInterval = absl::Seconds(10);

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> SocketListener::Start(SocketLoop* loop,
                                                                std::vector<BoundSocket> sockets,
                                                                bool adopted,
                                                                AcceptCallback on_accept) {
  std::unique_ptr<SocketListener> listener(
      new SocketListener(loop, std::move(sockets), adopted, std::move(on_accept)));
  const int result = listener->WatchAll(kReadable);
  if (result < 0) {
    if (adopted) {
      for (const std::unique_ptr<Socket>& socket : listener->sockets_) socket->Release();
    }
    return ErrnoError("watching the listening socket", -result, Phase::kOther,
                      listener->addresses_.front().ToString());
  }
  return std::unique_ptr<Listener>(std::move(listener));
}

SocketListener::SocketListener(SocketLoop* loop, std::vector<BoundSocket> sockets, bool adopted,
                               AcceptCallback on_accept)
    : loop_(loop), adopted_(adopted), on_accept_(std::move(on_accept)) {
  for (const BoundSocket& socket : sockets) {
    addresses_.push_back(socket.address);
    sockets_.push_back(std::make_unique<Socket>(this, OwnedFd(&loop->syscalls(), socket.fd)));
  }
}

SocketListener::~SocketListener() {
  loop_->RemoveResting(this);
  loop_->CancelTimer(rest_timer_);
}

void SocketListener::Socket::Release() {
  listener_->loop_->Unwatch(this, fd_.get());
  fd_.Release();
}

int SocketListener::WatchAll(uint8_t interest) {
  int first_error = 0;
  for (const std::unique_ptr<Socket>& socket : sockets_) {
    const int result = socket->Watch(interest);
    if (result < 0 && first_error == 0) first_error = result;
  }
  return first_error;
}

void SocketListener::Accept(int fd) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    sockaddr_storage storage;
    socklen_t length_bytes = sizeof(storage);
    const int result = loop_->syscalls().Accept4(fd, reinterpret_cast<sockaddr*>(&storage),
                                                 &length_bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (result >= 0) {
      // Sockets that we opened hand their options down. One that came from elsewhere may have
      // connections in its backlog from before it had them.
      if (adopted_) SetConnectionOptions(loop_->syscalls(), result);
      const SocketAddress peer(reinterpret_cast<const sockaddr*>(&storage), length_bytes);
      on_accept_(std::make_unique<SocketStream>(loop_, result, peer));
      continue;
    }
    switch (ClassifyAcceptFailure(-result)) {
      case AcceptFailure::kNothingToAccept:
        return;
      case AcceptFailure::kTryAgain:
        break;
      case AcceptFailure::kRest:
      case AcceptFailure::kBroken:  // A bug of somebody's. Say so, and do not spin.
        return Rest(-result);
    }
  }
}

void SocketListener::Rest(int errno_value) {
  if (loop_->Now() >= next_log_) {
    next_log_ = loop_->Now() + kLogInterval;
    const absl::Status shortage = ErrnoError("accepting a connection", errno_value, Phase::kOther,
                                             addresses_.front().ToString());
    LOG(WARNING) << shortage.message()
                 << ". Connections wait in the backlog until one closes; trying again every "
                 << kRest << ". If descriptors are short, raise the limit (ulimit -n).";
  }
  // Fails only for want of memory: then the listener is asked, and rests, again in the next turn.
  WatchAll(0);
  loop_->AddResting(this);
  loop_->CancelTimer(rest_timer_);
  rest_timer_ = loop_->RunAt(loop_->Now() + kRest, [this] { Resume(); });
}

void SocketListener::Resume() {
  loop_->RemoveResting(this);
  loop_->CancelTimer(std::exchange(rest_timer_, 0));
  if (WatchAll(kReadable) == 0) return;
  // As Rest, without its log line: this is the same shortage still.
  loop_->AddResting(this);
  rest_timer_ = loop_->RunAt(loop_->Now() + kRest, [this] { Resume(); });
}

}  // namespace rollcall::net
