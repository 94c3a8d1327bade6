// What event loops over the kernel's sockets share: timers, posted work, streams, listeners. What
// is left to each of them is how to wait for readiness.
#ifndef ROLLCALL_NET_SOCKET_LOOP_H_
#define ROLLCALL_NET_SOCKET_LOOP_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "net/clock.h"
#include "net/event_loop.h"
#include "net/post_queue.h"
#include "net/syscalls.h"
#include "net/timer_queue.h"

namespace rollcall::net {

class SocketListener;
class SocketStream;

// What a descriptor is, or should be, ready for. A set of these in a uint8_t.
enum Readiness : uint8_t {
  kReadable = 1,
  kWritable = 2,
  // The peer has ended its side: after the bytes at hand comes the end of the stream. Never asked
  // for: comes along with kReadable.
  kPeerEnded = 4,
  // The socket has failed and says why when it is used. Never asked for, always told.
  kBroken = 8,
  // Not a readiness but how to be told of one: once, when there is something new, instead of in
  // every turn. Spares the kernel a second look at each descriptor that was emptied. Whoever leaves
  // something behind calls Watch once more, with the same interest, to be told again. A loop need
  // not heed it.
  kNewsOnly = 16,
};

// Somebody who waits for a descriptor to become ready. One word of state for the loop.
class Watcher {
 public:
  // Never after the loop's Unwatch.
  virtual void OnReady(uint8_t readiness) = 0;

 protected:
  ~Watcher() = default;

 private:
  friend class EpollLoop;
  friend class UvLoop;
  void* registration_ = nullptr;  // The loop's own; null while it is not watched.
};

class SocketLoop : public EventLoop {
 public:
  ~SocketLoop() override;

  void Run() final;
  void Stop() final;
  void Post(absl::AnyInvocable<void()> work) final;
  absl::Time Now() final;
  TimerId RunAt(absl::Time when, absl::AnyInvocable<void()> work) final;
  void CancelTimer(TimerId timer) final;
  absl::StatusOr<std::unique_ptr<Listener>> Listen(const ListenOptions& options,
                                                   AcceptCallback on_accept) final;

  // --- For streams and listeners ---

  // Reports `watcher` when `fd` is ready for `interest`, from the next turn on: in every turn in
  // which it is, but for kNewsOnly. Also changes what it waits for. Returns 0 or -errno.
  virtual int Watch(Watcher* watcher, int fd, uint8_t interest) = 0;
  // Also withdraws what has been seen and not reported. Before `fd` is closed. No effect if it is
  // not watched.
  virtual void Unwatch(Watcher* watcher, int fd) = 0;

  Syscalls& syscalls() { return *syscalls_; }
  // Lent to whoever is reading: one for the whole loop, so that idle connections own none.
  absl::Span<char> read_buffer() { return absl::MakeSpan(read_buffer_.get(), kReadBufferBytes); }

  // Calls stream->ReportFailure() at the end of this turn: never inside a call of its owner's.
  void ReportFailureLater(SocketStream* stream);
  void ForgetFailure(SocketStream* stream);

  // A listener that ran out of descriptors waits here for one to come free.
  void AddResting(SocketListener* listener) { resting_.insert(listener); }
  void RemoveResting(SocketListener* listener) { resting_.erase(listener); }
  void OnDescriptorFreed();

 protected:
  SocketLoop(Syscalls* syscalls, Clock* clock);

  // Destroys posted work and timers, which may own streams. Derived destructors call it first.
  void Clear();

  // One turn of the world outside: waits for readiness, or Wake(), for at most `timeout` (zero:
  // looks and returns; InfiniteDuration(): waits), then tells the watchers. Early returns are
  // harmless.
  virtual void WaitAndDispatch(absl::Duration timeout) = 0;
  // From any thread: ends the current or the next wait.
  virtual void Wake() = 0;

 private:
  static constexpr size_t kReadBufferBytes = 64 << 10;

  void RunTurn();
  absl::Duration TimeToWait();
  void ReportFailures();

  Syscalls* const syscalls_;
  Clock* const clock_;
  PostQueue posts_;
  TimerQueue timers_;
  std::optional<absl::Time> now_;  // Of the turn at hand, once somebody has asked.
  bool running_ = false;
  bool stopped_ = false;
  std::unique_ptr<char[]> read_buffer_;
  std::vector<SocketStream*> failed_;  // Null where one has been forgotten.
  absl::flat_hash_set<SocketListener*> resting_;
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_SOCKET_LOOP_H_
