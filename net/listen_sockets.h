// Opening and adopting the sockets that a server listens on: one way for every event loop.
#ifndef ROLLCALL_NET_LISTEN_SOCKETS_H_
#define ROLLCALL_NET_LISTEN_SOCKETS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "net/address.h"
#include "net/event_loop.h"
#include "net/syscalls.h"

namespace rollcall::net {

// A socket that listens: non-blocking and close-on-exec. Whoever gets it must close it.
struct BoundSocket {
  int fd = -1;
  SocketAddress address;  // With the real port.
};

// As ListenOptions says. All sockets have one port; there is at least one. An address whose family
// this kernel lacks, or that is not this host's, is left out as long as another one is left (so
// that "localhost" works where there is no ::1). On an error nothing stays open, and a descriptor
// that was to be adopted is still the caller's, as it was.
//
// kAddressInUse: the message contains "Address already in use" and the port. kAddressNotLocal,
// kPermission, kResourceExhausted, kBadDescriptor, each with the address and what to do about it.
absl::StatusOr<std::vector<BoundSocket>> OpenListenSockets(Syscalls& syscalls,
                                                           const ListenOptions& options);

// What a failed accept (its errno) asks the listener to do.
enum class AcceptFailure {
  kNothingToAccept,  // EAGAIN: wait until the socket is readable.
  kTryAgain,         // That connection died in the queue, or a signal came: accept the next one.
  kRest,             // Descriptors or memory have run out: accept again after a pause.
  kBroken,           // The listening socket itself is unusable.
};
AcceptFailure ClassifyAcceptFailure(int errno_value);

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_LISTEN_SOCKETS_H_
