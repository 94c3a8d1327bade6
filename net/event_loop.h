// One thread, many connections: what a server backend implements. epoll and libuv are two; the
// contract suite in testing/event_loop_contract.h runs on any.
#ifndef ROLLCALL_NET_EVENT_LOOP_H_
#define ROLLCALL_NET_EVENT_LOOP_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "net/address.h"

namespace rollcall::net {

enum class EventLoopKind { kEpoll, kLibuv };
absl::string_view EventLoopKindName(EventLoopKind kind);  // "epoll", "libuv"

class EventLoop;

// What the owner of a Stream is told. All calls come on the loop's thread, never from inside a call
// of the owner's into the Stream.
class StreamHandler {
 public:
  virtual ~StreamHandler() = default;
  // At least one byte came. The bytes belong to the loop and are gone when this returns.
  virtual void OnBytes(absl::string_view bytes) = 0;
  // Where to put the next bytes, if the owner has a place of its own for them: then they are not
  // copied once more, and OnBytesInPlace tells how many came. Asked before bytes are read, and
  // again before the next; nothing may come. A loop need not ask.
  virtual absl::Span<char> Room() { return {}; }
  virtual void OnBytesInPlace(size_t /*count*/) {}
  // Every byte written so far has been taken by the kernel; called after a Write that could not be
  // done at once (that left unsent_bytes()), and after no other. Also after OnEnd(OK), and there
  // even if writing failed in the end: either way there is nothing left to wait for.
  virtual void OnDrained() = 0;
  // The last call but for OnDrained, exactly once, unless the owner closed or destroyed the Stream
  // before: OK when the peer ended its side of the stream cleanly, else why reading or writing
  // failed (with a NetErrorInfo). The stream can no longer be read from; after OK it can still be
  // written to.
  virtual void OnEnd(absl::Status why) = 0;
};

// One accepted connection. Use on the loop's thread only. Destroying it closes the connection; do
// not destroy it inside a callback of its own handler: Close() it and Post the destruction.
class Stream {
 public:
  virtual ~Stream() = default;

  // Before Start, on the thread of the loop that accepted it: from now on it belongs to `loop`,
  // which must be of the same kind and Env, and all other calls are for that loop's thread.
  virtual void MoveTo(EventLoop* loop) = 0;

  // Begins to read; the first call to make but for MoveTo. `handler` must outlive the Stream or its
  // Close().
  virtual void Start(StreamHandler* handler) = 0;

  // Sends `bytes`, in order: at once as far as the kernel takes them, the rest when it can. Never
  // calls the handler before it returns. After Close() or a failed write, does nothing.
  virtual void Write(absl::string_view bytes) = 0;
  // The same for several pieces in a row. What the kernel takes at once is copied by nobody else.
  virtual void WriteParts(absl::Span<const absl::string_view> parts) {
    for (const absl::string_view part : parts) Write(part);
  }

  // What Write has been given and the kernel has not yet taken. Unbounded: the owner must look at
  // it and pause reading, or close.
  virtual size_t unsent_bytes() const = 0;

  // While paused, no OnBytes, and the peer's end of stream is not noticed. That the connection
  // broke may be: OnEnd with the error, and what had come and was not read is lost.
  virtual void PauseReading() = 0;
  virtual void ResumeReading() = 0;

  // Closes at once and drops what is unsent. No callback follows.
  virtual void Close() = 0;

  virtual const SocketAddress& peer_address() const = 0;
};

// Accepts connections until destroyed. Loop's thread only, like a Stream; not to be destroyed
// inside its own AcceptCallback.
class Listener {
 public:
  virtual ~Listener() = default;
  // With the real port where 0 was asked for. One per socket: all interfaces may need two.
  virtual const std::vector<SocketAddress>& addresses() const = 0;
  uint16_t port() const { return addresses().front().port(); }
};

struct ListenOptions {
  // Resolved addresses to listen on, all with the same port; port 0 lets the system choose one that
  // is free on all of them. Empty: all interfaces (one dual-stack socket; IPv4 alone where the
  // kernel has no IPv6) at `port`.
  std::vector<SocketAddress> addresses;
  uint16_t port = 0;
  // The kernel cuts it to net.core.somaxconn.
  int backlog = 1 << 16;
  // >= 0: take over this bound stream socket (listening or not) instead of binding one. `port` must
  // be its port, or 0. Ownership passes on success; on an error the caller keeps it
  // (kBadDescriptor).
  int adopt_fd = -1;
};

// Called for each accepted connection, on the loop's thread. It has TCP_NODELAY, keep-alive and
// TCP_USER_TIMEOUT (socket_options.h) and does not survive exec.
using AcceptCallback = absl::AnyInvocable<void(std::unique_ptr<Stream>)>;

using TimerId = uint64_t;  // 0 is no timer.

// Everything but Post and Stop is for the loop's thread, or for any one thread while Run is not
// running. Destroying a loop destroys neither its Streams nor its Listeners: destroy those first
// (posted work and timers that own some are destroyed in time).
class EventLoop {
 public:
  virtual ~EventLoop() = default;

  // Runs callbacks until Stop. Time-outs, readiness and posted work are served in turn; none can
  // starve the others.
  virtual void Run() = 0;
  // From any thread: Run returns at the end of a turn, the one at hand or the next; what was posted
  // before is run first, what is posted after waits for another Run. Before Run, it ends that Run.
  virtual void Stop() = 0;
  // From any thread: runs `work` on the loop's thread, in the order posted, soon but never inside
  // this call.
  virtual void Post(absl::AnyInvocable<void()> work) = 0;

  // Constant within one turn of the loop; the Env's clock.
  virtual absl::Time Now() = 0;
  // Runs `work` once, at the first turn whose Now() is >= `when`. Timers of one time run in the
  // order they were made.
  virtual TimerId RunAt(absl::Time when, absl::AnyInvocable<void()> work) = 0;
  // The work will not run; it is destroyed before this returns. Unknown and past timers: no effect.
  virtual void CancelTimer(TimerId timer) = 0;

  // Binds and listens before it returns. kAddressInUse, kAddressNotLocal, kPermission,
  // kBadDescriptor, kResourceExhausted. When accepting fails for want of descriptors or memory
  // (EMFILE and the like), the listener logs once per interval, rests, and tries again: no
  // connection in the backlog is lost, no core is burnt.
  virtual absl::StatusOr<std::unique_ptr<Listener>> Listen(const ListenOptions& options,
                                                           AcceptCallback on_accept) = 0;

  virtual EventLoopKind kind() const = 0;
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_EVENT_LOOP_H_
