// The proxy's end of one TCP connection.
#ifndef ROLLCALL_FAULT_INJECTION_PROXY_SOCKET_END_H_
#define ROLLCALL_FAULT_INJECTION_PROXY_SOCKET_END_H_

#include <cstddef>
#include <cstdint>

#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "net/owned_fd.h"
#include "net/socket_loop.h"

namespace rollcall::fault {

// On the loop's thread only. Closes the connection when destroyed: as a process that dies.
class SocketEnd final : public net::Watcher {
 public:
  // `fd` is a connected, non-blocking socket; `on_ready` gets a set of net::Readiness and may
  // close, but not destroy, this.
  SocketEnd(net::SocketLoop* loop, net::OwnedFd fd, absl::AnyInvocable<void(uint8_t)> on_ready);
  ~SocketEnd() { Close(); }

  bool is_open() const { return fd_.is_open(); }
  // net::kReadable, net::kWritable. 0: nothing is told, not even that the connection broke.
  void SetInterest(uint8_t interest);

  // As recv and send, non-blocking: -errno.
  ssize_t Receive(absl::Span<char> buffer);
  ssize_t Send(absl::string_view bytes);
  // FIN.
  void EndWriting();
  // RST; what is unsent is dropped.
  void Reset();
  void Close();

 private:
  void OnReady(uint8_t readiness) override { on_ready_(readiness); }

  net::SocketLoop& loop_;
  net::OwnedFd fd_;
  absl::AnyInvocable<void(uint8_t)> on_ready_;
  uint8_t interest_ = 0;
};

// As SocketEnd::Reset.
void CloseWithReset(net::Syscalls& syscalls, net::OwnedFd& fd);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_PROXY_SOCKET_END_H_
