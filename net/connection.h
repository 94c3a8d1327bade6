// One blocking TCP connection: what a client holds.
#ifndef ROLLCALL_NET_CONNECTION_H_
#define ROLLCALL_NET_CONNECTION_H_

#include <cstddef>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/address.h"

namespace rollcall::net {

// Made by Env::Connect or Listener::Accept. One thread may read while another writes; two must not
// do the same at once. EINTR, EAGAIN and short transfers are never visible. Destroying it closes
// it. Every error carries a NetErrorInfo (net_error.h).
class Connection {
 public:
  virtual ~Connection() = default;

  // Returns once the kernel has taken every byte. kTimedOut at the deadline: part of the bytes may
  // have gone, so the stream is of no more use. kClosedByPeer, kReset, kPeerVanished.
  virtual absl::Status Write(absl::string_view bytes, absl::Time deadline) = 0;

  // Waits for at least one byte and reads at most `size_bytes`. kTimedOut at the deadline: nothing
  // was consumed and the stream is as good as before. kClosedByPeer at the end of the stream.
  virtual absl::StatusOr<size_t> Read(char* buffer, size_t size_bytes, absl::Time deadline) = 0;

  // Half-close: the peer sees the end of the stream, and can still be read from.
  virtual absl::Status ShutdownWrite() = 0;

  // From any thread: makes a blocked and all later Read and Write fail with kShutDown.
  virtual void Shutdown() = 0;

  // From now on, destroying it cuts the connection with a reset: bytes that were written and have
  // not left are thrown away, where an ordinary close has the kernel deliver them for minutes to
  // come.
  virtual void ResetOnClose() = 0;

  virtual const SocketAddress& local_address() const = 0;
  virtual const SocketAddress& peer_address() const = 0;
};

// A listening socket that is accepted from by blocking. Servers use an EventLoop instead; this is
// for handing a free port around, and for tests that play a server.
class ListeningSocket {
 public:
  virtual ~ListeningSocket() = default;
  virtual absl::StatusOr<std::unique_ptr<Connection>> Accept(absl::Time deadline) = 0;
  virtual const SocketAddress& address() const = 0;  // With the real port.
  // The descriptor, still owned by this object: to be handed to a server that adopts it
  // (ListenOptions::adopt_fd) after Release().
  virtual int fd() const = 0;
  // Gives up ownership of the descriptor without closing it.
  virtual int Release() = 0;
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_CONNECTION_H_
