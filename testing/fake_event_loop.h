// An event loop without threads, sockets or a clock: a test plays the peers and moves the time.
#ifndef ROLLCALL_TESTING_FAKE_EVENT_LOOP_H_
#define ROLLCALL_TESTING_FAKE_EVENT_LOOP_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/address.h"
#include "net/event_loop.h"

namespace rollcall {

class FakeStream;

// The far end of a connection to a FakeEventLoop. What it does is noticed in the loop's next turn.
class FakePeer {
 public:
  // Each call's bytes come to the server as one OnBytes.
  void Send(absl::string_view bytes) { sent_.emplace_back(bytes.data(), bytes.size()); }
  // Closes its own side: the server reads the end of the stream after what was sent before.
  void EndStream() { ended_ = true; }
  // Is gone, and the server's next read or write fails. What was sent and not read is lost.
  void Reset();

  // What the server has sent and has not been asked for yet.
  std::string TakeReceived() { return std::exchange(received_, ""); }
  // The server has closed the connection.
  bool closed_by_server() const { return closed_by_server_; }
  // How many times the server has called Stream::Write.
  size_t writes() const { return writes_; }
  // It takes this many more bytes and then no more: the rest stays unsent at the server. At first
  // there is no limit.
  void SetWindow(size_t bytes) { window_bytes_ = bytes; }
  bool read_from() const { return read_from_; }  // The server does not pause reading.

 private:
  friend class FakeEventLoop;
  friend class FakeStream;

  std::deque<std::string> sent_;
  bool ended_ = false;
  bool reset_ = false;
  std::string received_;
  size_t window_bytes_ = std::numeric_limits<size_t>::max();
  bool closed_by_server_ = false;
  bool read_from_ = false;
  size_t writes_ = 0;
  net::SocketAddress address_;  // Not valid: one of the loopback, another for each.
};

// Single-threaded, Post included. The time moves only in AdvanceTo, AdvanceBy and Run.
class FakeEventLoop final : public net::EventLoop {
 public:
  FakeEventLoop() = default;
  ~FakeEventLoop() override;

  // --- For the test ---
  // Connects to the listener at `port`, which must be there; from an address of the loopback, or
  // from the one given.
  std::shared_ptr<FakePeer> Connect(uint16_t port, const net::SocketAddress& from = {});
  // Runs turns until one has nothing to do.
  void RunUntilIdle();
  // Moves the time to `when`, stopping at each timer on the way to run it and what follows from it.
  void AdvanceTo(absl::Time when);
  void AdvanceBy(absl::Duration duration) { AdvanceTo(now_ + duration); }
  size_t open_streams() const { return streams_.size(); }
  size_t pending_timers() const { return timers_.size(); }

  // --- net::EventLoop ---
  // Also returns when nothing is left to do, for nothing can come any more.
  void Run() override;
  void Stop() override { stopped_ = true; }
  void Post(absl::AnyInvocable<void()> work) override { posted_.push_back(std::move(work)); }
  absl::Time Now() override { return now_; }
  net::TimerId RunAt(absl::Time when, absl::AnyInvocable<void()> work) override;
  void CancelTimer(net::TimerId timer) override;
  // Knows no interfaces: a port is free or taken on all addresses. Adopts no descriptors.
  absl::StatusOr<std::unique_ptr<net::Listener>> Listen(const net::ListenOptions& options,
                                                        net::AcceptCallback on_accept) override;
  net::EventLoopKind kind() const override { return net::EventLoopKind::kEpoll; }

 private:
  friend class FakeStream;
  friend class FakeListener;

  using TimerKey = std::pair<absl::Time, net::TimerId>;

  // Each gives whether there was something to do.
  bool RunOneTurn();
  bool RunPosted();
  bool RunDueTimers();
  bool AcceptConnections();
  bool ServeStreams();

  absl::Time now_ = absl::UnixEpoch();
  bool stopped_ = false;
  std::deque<absl::AnyInvocable<void()>> posted_;
  std::map<TimerKey, absl::AnyInvocable<void()>> timers_;
  net::TimerId last_timer_ = 0;
  std::map<uint16_t, net::AcceptCallback> listeners_;  // By port.
  std::deque<std::pair<uint16_t, std::shared_ptr<FakePeer>>> connecting_;
  std::map<uint64_t, FakeStream*> streams_;  // By age.
  uint64_t streams_made_ = 0;
};

}  // namespace rollcall

#endif  // ROLLCALL_TESTING_FAKE_EVENT_LOOP_H_
