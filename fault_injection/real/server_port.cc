#include "fault_injection/real/server_port.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "absl/strings/str_cat.h"
#include "net/syscalls.h"

namespace rollcall::fault {
namespace {

constexpr int kBacklog = 128;

absl::Status Failed(const char* call) {
  return absl::ResourceExhaustedError(
      absl::StrCat("the server's port: ", call, ": ", strerror(errno)));
}

net::OwnedFd TcpSocket() {
  return {&net::RealSyscalls(), socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
}

sockaddr_in AddressOf(in_addr_t host, uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(host);
  address.sin_port = htons(port);
  return address;
}

// All interfaces.
absl::StatusOr<net::OwnedFd> Bound(uint16_t port) {
  net::OwnedFd fd = TcpSocket();
  const int yes = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const sockaddr_in address = AddressOf(INADDR_ANY, port);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Failed("bind");
  }
  return fd;
}

absl::StatusOr<net::OwnedFd> Listening(uint16_t port) {
  absl::StatusOr<net::OwnedFd> fd = Bound(port);
  if (fd.ok() && listen(fd->get(), kBacklog) != 0) return Failed("listen");
  return fd;
}

}  // namespace

absl::StatusOr<ServerPort> ServerPort::Reserve() {
  absl::StatusOr<net::OwnedFd> fd = Bound(0);
  if (!fd.ok()) return fd.status();
  sockaddr_in address = {};
  socklen_t length_bytes = sizeof address;
  if (getsockname(fd->get(), reinterpret_cast<sockaddr*>(&address), &length_bytes) != 0) {
    return Failed("getsockname");
  }
  return ServerPort(*std::move(fd), ntohs(address.sin_port));
}

absl::Status ServerPort::Occupy() {
  absl::StatusOr<net::OwnedFd> fd = Listening(number_);
  if (!fd.ok()) return fd.status();
  occupant_ = *std::move(fd);
  return absl::OkStatus();
}

absl::Status ServerPort::LeaveInTimeWait() {
  const absl::StatusOr<net::OwnedFd> listener = Listening(number_);
  if (!listener.ok()) return listener.status();
  const net::OwnedFd client = TcpSocket();
  const sockaddr_in address = AddressOf(INADDR_LOOPBACK, number_);
  if (connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Failed("connect");
  }
  net::OwnedFd accepted(&net::RealSyscalls(), accept(listener->get(), nullptr, nullptr));
  // The side that closes first is left with it.
  accepted.Reset();
  char end = 0;
  if (recv(client.get(), &end, sizeof end, 0) != 0) return Failed("recv");
  return absl::OkStatus();
}

}  // namespace rollcall::fault
