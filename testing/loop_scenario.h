// A server on an event loop and its clients: the vocabulary of the event loop tests.
#ifndef ROLLCALL_TESTING_LOOP_SCENARIO_H_
#define ROLLCALL_TESTING_LOOP_SCENARIO_H_

#include <cstddef>
#include <cstdint>
#include <functional>
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
#include "net/connection.h"
#include "net/env.h"
#include "net/event_loop.h"
#include "net/net_error.h"

namespace rollcall {

// Within this, everything in these tests has happened; most takes a millisecond.
constexpr absl::Duration kPatience = absl::Seconds(60);

// The kind that `status` carries; kUnknown if none.
net::NetErrorKind KindOf(const absl::Status& status);

// `size_bytes` bytes that differ from place to place, so that a loss or a swap is seen.
std::string Pattern(size_t size_bytes);

// One accepted connection and what its handler was told. Touched on the loop's thread only.
class Session : public net::StreamHandler {
 public:
  std::unique_ptr<net::Stream> stream;
  std::string received;
  int times_drained = 0;
  int times_ended = 0;
  absl::Status why;  // Of OnEnd.

  // Not 0: so much room of its own is offered for what comes. Its bytes end in `received` too.
  size_t room_bytes = 0;

  std::function<void(absl::string_view)> on_bytes;
  std::function<void()> on_drained;
  std::function<void()> on_end;

  void OnBytes(absl::string_view bytes) override;
  absl::Span<char> Room() override;
  void OnBytesInPlace(size_t count) override;
  void OnDrained() override;
  void OnEnd(absl::Status status) override;

 private:
  std::string room_;
};

// A loop running in a thread of its own. The destructor stops it, joins it and destroys everything
// in the right order.
class LoopScenario {
 public:
  LoopScenario(net::Env& env, std::unique_ptr<net::EventLoop> loop);
  ~LoopScenario();
  LoopScenario(const LoopScenario&) = delete;
  LoopScenario& operator=(const LoopScenario&) = delete;

  net::Env& env() { return env_; }
  net::EventLoop& loop() { return *loop_; }

  // Runs `work` on the loop's thread and returns when it is done.
  void OnLoop(const std::function<void()>& work);
  // Waits until `condition`, looked at on the loop's thread again and again, is true; false after
  // kPatience.
  bool Eventually(const std::function<bool()>& condition);
  // Keeps the loop's thread from doing anything while `meanwhile` runs here.
  void WhileLoopIsBusy(const std::function<void()>& meanwhile);

  // --- The server's side ---
  // What is done with a new session; by default it is only started. Set it before Listen.
  std::function<void(Session&)> on_accept = [](Session& session) {
    session.stream->Start(&session);
  };
  static void Echo(Session& session);

  absl::Status Listen(const net::ListenOptions& options);
  // On the IPv4 loopback, any port.
  void Listen();
  // CHECKs that there is one.
  net::Listener& listener();
  void CloseListener();

  // In the order they came. Loop's thread only.
  std::vector<std::unique_ptr<Session>>& sessions() { return sessions_; }
  Session& session(size_t i) { return *sessions_.at(i); }
  // Waits until there are `count` sessions.
  bool HaveSessions(size_t count);
  // No callback follows: for tests whose callbacks refer to their local variables.
  void EndSessions();

  // --- The clients' side ---
  absl::StatusOr<std::unique_ptr<net::Connection>> TryConnect(const net::SocketAddress& address);
  // To the first address of the listener; CHECKs that it works.
  std::unique_ptr<net::Connection> Connect();
  // Also waits for its session, which is the last one then.
  std::unique_ptr<net::Connection> ConnectAndMeet();
  void Send(net::Connection& connection, absl::string_view bytes);
  // Exactly so many; shorter if the stream ended.
  std::string Receive(net::Connection& connection, size_t size_bytes);
  // Until the end of the stream, however it comes.
  std::string ReceiveAll(net::Connection& connection);
  std::unique_ptr<net::Thread> StartThread(absl::AnyInvocable<void()> body);

 private:
  absl::Time deadline() { return env_.Now() + kPatience; }
  void Look(const std::function<bool()>& condition, absl::Time deadline,
            const std::function<void(bool)>& finish);

  net::Env& env_;
  std::unique_ptr<net::EventLoop> loop_;
  std::unique_ptr<net::Monitor> monitor_;
  std::unique_ptr<net::Listener> listener_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::unique_ptr<net::Thread> thread_;
};

}  // namespace rollcall

#endif  // ROLLCALL_TESTING_LOOP_SCENARIO_H_
