// The server without its thread: connections in, the engine behind, on whatever event loop it is
// given, a simulated one as well.
#ifndef ROLLCALL_STORE_SERVER_SERVER_CORE_H_
#define ROLLCALL_STORE_SERVER_SERVER_CORE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "net/address.h"
#include "net/event_loop.h"
#include "store/engine/store_engine.h"
#include "store/server/limited_log.h"
#include "store/server/outbox.h"
#include "store/server/parser_pool.h"
#include "store/server/server_options.h"
#include "store/server/server_stats.h"
#include "store/server/session.h"
#include "store/server/session_queue.h"
#include "store/server/session_table.h"
#include "store/server/spare_memory.h"

namespace rollcall {

// All but stats() is for the loop's thread, or for any one thread while the loop does not run. All
// that it does follows from what the loop tells it: it has no clock, thread or chance of its own.
class ServerCore final : private SessionOwner {
 public:
  // `*loop` must outlive the core. `options` must be valid (ValidateServerOptions).
  ServerCore(net::EventLoop* loop, const ServerOptions& options);
  // Closes all that is open, at once. Not inside a callback of the loop that the core runs in.
  ~ServerCore();

  ServerCore(const ServerCore&) = delete;
  ServerCore& operator=(const ServerCore&) = delete;

  // Listens on `addresses`, or on all interfaces if empty, at options.port; or takes over
  // options.listen_fd. Errors as EventLoop::Listen. Once.
  absl::Status Listen(const std::vector<net::SocketAddress>& addresses);
  // What is listened on. Not before Listen, nor after Shutdown.
  const std::vector<net::SocketAddress>& addresses() const { return listener_->addresses(); }

  // Closes the listener and every connection; those with unsent replies have
  // options.shutdown_grace to take them. `done` runs later, on the loop, when all is closed. Once.
  void Shutdown(absl::AnyInvocable<void()> done);

  // From any thread. Includes all that any client has seen the effect of.
  ServerStats stats() const { return shared_stats_.Look(); }

  // For tests and leak checks.
  const engine::StoreEngine& engine() const { return engine_; }

 private:
  // Why a connection is closed, as far as the log is concerned: each has its own limit of lines.
  enum LogKind {
    kBadBytes,
    kBadRequest,
    kTooManyConnections,
    kTooManySilent,
    kTooLate,
    kTooSlow,
    kLogKinds,
  };

  void Accept(std::unique_ptr<net::Stream> stream);

  // SessionOwner:
  void OnBytes(Session& session, absl::string_view bytes) override;
  absl::Span<char> Room(Session& session) override;
  void OnBytesInPlace(Session& session, size_t count) override;
  void OnDrained(Session& session) override;
  void OnEnd(Session& session, const absl::Status& why) override;

  // Parses, applies, answers.
  void Serve(Session& session, absl::string_view bytes);
  // Tells the engine of the session once its dialect is known.
  void Introduce(Session& session, const protocol::RequestParser& parser);
  // Keeps what the session's next bytes will need: the parser if it has half a request, or what it
  // has not parsed, unless it has parsed all.
  void PutAway(Session& session, std::unique_ptr<protocol::RequestParser> parser, bool all_parsed);
  // Gathers replies_, which are what a request of `from` led to.
  void Deliver(const Session& from);
  // False: the session had no room for the reply and has been closed.
  bool MakeRoom(Session& session, const protocol::Reply& reply);
  void Flush(const Session* last);
  // Writes a reply from where its texts are kept, past the outbox, which has nothing for `session`.
  void WriteUncopied(Session& session, const protocol::Reply& reply);
  // Reads no more of its requests until it has taken its replies, if they are many.
  void PauseIfBehind(Session& session);
  // Starts, restarts or stops the time that the session has for the rest of its request.
  void UpdateClock(Session& session, bool new_request);

  // Logs and counts it, then finishes the session.
  void Refuse(Session& session, LogKind kind, absl::FunctionRef<std::string()> reason);
  void LogClosing(LogKind kind, const net::SocketAddress& peer,
                  absl::FunctionRef<std::string()> reason);
  // Serves it no more, sends what is due, then closes it.
  void Finish(Session& session);
  // Closes it at once. The object lives on until the loop's next turn.
  void Close(Session& session);
  void DestroyClosed();
  // The engine forgets the session; at the end of Deliver if that is at work.
  void Forget(const Session& session);

  // Closes who is too late, and comes again when the next one may be.
  void Sweep();
  void ArmSweep();
  void EndShutdown();
  // Before each write and close, so that no client knows more than the numbers say.
  void PublishStats();

  net::EventLoop* const loop_;
  const ServerOptions options_;
  engine::StoreEngine engine_;
  std::unique_ptr<net::Listener> listener_;

  SessionTable sessions_;
  SessionQueue silent_;    // In phase kSilent, oldest first.
  SessionQueue hurrying_;  // With half a request, or lingering; who is first too late is first.
  std::vector<std::unique_ptr<Session>> closed_;  // To be destroyed in the loop's next turn.
  SpareMemory spare_memory_;
  net::TimerId sweep_timer_ = 0;

  ParserPool parsers_;
  Outbox outbox_;
  engine::Replies replies_;  // Of one request; a member to keep its memory, as the next two are.
  std::string framing_;
  std::vector<absl::string_view> parts_;
  bool delivering_ = false;
  std::vector<engine::ClientId> leaving_;  // To be forgotten by the engine after Deliver.

  bool stopping_ = false;
  absl::AnyInvocable<void()> shutdown_done_;
  net::TimerId shutdown_timer_ = 0;

  std::array<LimitedLog, kLogKinds> logs_;
  ServerStats stats_;
  SharedServerStats shared_stats_;
  // What posted work holds weakly, to find that the core is gone.
  std::shared_ptr<ServerCore*> self_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_SERVER_CORE_H_
