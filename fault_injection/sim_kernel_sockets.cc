// The socket calls of a SimKernel: faults and descriptors here, TCP in TcpSocket.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>

#include <algorithm>

#include "fault_injection/sim_fabric.h"
#include "fault_injection/sim_kernel.h"
#include "fault_injection/sim_tcp.h"

namespace rollcall::fault {
namespace {

// A call on a socket: keeps it, and does what takes no time at the end.
class SocketCall {
 public:
  explicit SocketCall(TcpSocket* socket) : fabric_(socket->host().fabric()), socket_(*socket) {
    socket->Ref();
  }
  ~SocketCall() {
    socket_.Unref();
    fabric_.Settle();
  }
  SocketCall(const SocketCall&) = delete;
  SocketCall& operator=(const SocketCall&) = delete;

 private:
  SimFabric& fabric_;
  TcpSocket& socket_;
};

constexpr int kTypeFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;

}  // namespace

TcpSocket* SimKernel::SocketOf(int fd, int* error) const {
  SimFile* const file = FileOf(fd);
  if (file == nullptr) {
    *error = -EBADF;
  } else if (file->kind() != SimFile::Kind::kSocket) {
    *error = -ENOTSOCK;
  } else {
    return static_cast<TcpSocket*>(file);
  }
  return nullptr;
}

int SimKernel::Socket(int family, int type, int protocol) {
  if (const int error = Enter(Call::kSocket).error; error > 0) return -error;
  if (family != AF_INET && (family != AF_INET6 || !host_.options().has_ipv6)) return -EAFNOSUPPORT;
  if ((type & ~kTypeFlags) != SOCK_STREAM || (protocol != 0 && protocol != IPPROTO_TCP)) {
    return -EPROTONOSUPPORT;
  }
  const int fd = FindDescriptor();
  if (fd < 0) return fd;
  auto* const socket = new TcpSocket(&host_, family);
  socket->set_nonblocking((type & SOCK_NONBLOCK) != 0);
  return Install(fd, socket);
}

int SimKernel::Bind(int fd, const sockaddr* address, socklen_t length_bytes) {
  int error = -Enter(Call::kBind).error;
  if (error < 0) return error;
  TcpSocket* const socket = SocketOf(fd, &error);
  return socket == nullptr ? error : socket->Bind(address, length_bytes);
}

int SimKernel::Listen(int fd, int backlog) {
  int error = -Enter(Call::kListen).error;
  if (error < 0) return error;
  TcpSocket* const socket = SocketOf(fd, &error);
  return socket == nullptr ? error : socket->Listen(backlog);
}

int SimKernel::Accept4(int fd, sockaddr* address, socklen_t* length_bytes, int flags) {
  int error = -Enter(Call::kAccept).error;
  if (error < 0) return error;
  TcpSocket* const listener = SocketOf(fd, &error);
  if (listener == nullptr) return error;
  if ((flags & ~kTypeFlags) != 0) return -EINVAL;
  // As Linux: the descriptor is found before there is a connection to go with it.
  if (const int free_fd = FindDescriptor(); free_fd < 0) return free_fd;
  const SocketCall call(listener);
  TcpSocket* const accepted = listener->Accept(&error);
  if (IsProcessDead(/*may_block=*/true)) return -EBADF;
  if (accepted == nullptr) return error;
  accepted->set_nonblocking((flags & SOCK_NONBLOCK) != 0);
  accepted->remote.ToSockaddr(accepted->family(), address, length_bytes);
  return Install(FindDescriptor(), accepted);
}

int SimKernel::Connect(int fd, const sockaddr* address, socklen_t length_bytes) {
  const int fault = Enter(Call::kConnect).error;
  // A connect that is interrupted goes on by itself.
  const bool goes_on = fault == EINTR || fault == EINPROGRESS;
  if (fault != 0 && !goes_on) return -fault;
  int error = 0;
  TcpSocket* const socket = SocketOf(fd, &error);
  if (socket == nullptr) return error;
  const SocketCall call(socket);
  const int result = socket->Connect(address, length_bytes, goes_on);
  if (IsProcessDead(/*may_block=*/true)) return -EBADF;
  return goes_on && result == -EINPROGRESS ? -fault : result;
}

int SimKernel::GetSockName(int fd, sockaddr* address, socklen_t* length_bytes) {
  int error = -Enter(Call::kGetSockName).error;
  if (error < 0) return error;
  TcpSocket* const socket = SocketOf(fd, &error);
  if (socket == nullptr) return error;
  socket->local.ToSockaddr(socket->family(), address, length_bytes);
  return 0;
}

int SimKernel::GetPeerName(int fd, sockaddr* address, socklen_t* length_bytes) {
  int error = -Enter(Call::kGetPeerName).error;
  if (error < 0) return error;
  TcpSocket* const socket = SocketOf(fd, &error);
  if (socket == nullptr) return error;
  IpEndpoint peer;
  if (error = socket->PeerName(&peer); error < 0) return error;
  peer.ToSockaddr(socket->family(), address, length_bytes);
  return 0;
}

int SimKernel::GetSockOpt(int fd, int level, int name, void* value, socklen_t* length_bytes) {
  int error = -Enter(Call::kGetSockOpt).error;
  if (error < 0) return error;
  TcpSocket* const socket = SocketOf(fd, &error);
  return socket == nullptr ? error : socket->GetOption(level, name, value, length_bytes);
}

int SimKernel::SetSockOpt(int fd, int level, int name, const void* value, socklen_t length_bytes) {
  int error = -Enter(Call::kSetSockOpt).error;
  if (error < 0) return error;
  TcpSocket* const socket = SocketOf(fd, &error);
  return socket == nullptr ? error : socket->SetOption(level, name, value, length_bytes);
}

ssize_t SimKernel::Recv(int fd, void* buffer, size_t size_bytes, int flags) {
  const Verdict verdict = Enter(Call::kRecv, size_bytes);
  if (verdict.error > 0) return -verdict.error;
  int error = 0;
  TcpSocket* const socket = SocketOf(fd, &error);
  if (socket == nullptr) return error;
  const SocketCall call(socket);
  const ssize_t result = socket->Recv(static_cast<char*>(buffer),
                                      std::min(size_bytes, verdict.transfer_bytes_max), flags);
  if (result > 0 && verdict.transfer_bytes_max < size_bytes) socket->AnnounceRest();
  return IsProcessDead(/*may_block=*/true) ? -EBADF : result;
}

ssize_t SimKernel::Send(int fd, const void* buffer, size_t size_bytes, int flags) {
  const Verdict verdict = Enter(Call::kSend, size_bytes);
  if (verdict.error > 0) return -verdict.error;
  int error = 0;
  TcpSocket* const socket = SocketOf(fd, &error);
  if (socket == nullptr) return error;
  const SocketCall call(socket);
  const iovec part = {const_cast<void*>(buffer), size_bytes};
  const ssize_t result = socket->Send({&part, 1}, verdict.transfer_bytes_max, flags);
  return IsProcessDead(/*may_block=*/true) ? -EBADF : result;
}

ssize_t SimKernel::SendMsg(int fd, const msghdr* message, int flags) {
  const absl::Span<const iovec> parts(message->msg_iov, message->msg_iovlen);
  size_t size_bytes = 0;
  for (const iovec& part : parts) size_bytes += part.iov_len;
  const Verdict verdict = Enter(Call::kSendMsg, size_bytes);
  if (verdict.error > 0) return -verdict.error;
  int error = 0;
  TcpSocket* const socket = SocketOf(fd, &error);
  if (socket == nullptr) return error;
  const SocketCall call(socket);
  const ssize_t result = socket->Send(parts, verdict.transfer_bytes_max, flags);
  return IsProcessDead(/*may_block=*/true) ? -EBADF : result;
}

int SimKernel::Shutdown(int fd, int how) {
  int error = -Enter(Call::kShutdown).error;
  if (error < 0) return error;
  TcpSocket* const socket = SocketOf(fd, &error);
  if (socket == nullptr) return error;
  const SocketCall call(socket);
  return socket->Shutdown(how);
}

}  // namespace rollcall::fault
