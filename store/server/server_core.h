// The connections of one event loop, whatever loop that is, a simulated one as well; the engine is
// behind a port.
#ifndef ROLLCALL_STORE_SERVER_SERVER_CORE_H_
#define ROLLCALL_STORE_SERVER_SERVER_CORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "net/address.h"
#include "net/clock.h"
#include "net/event_loop.h"
#include "net/tls/tls_stream.h"
#include "store/engine/client_id.h"
#include "store/engine/store_engine.h"
#include "store/protocol/request.h"
#include "store/protocol/request_parser.h"
#include "store/server/doorkeeper.h"
#include "store/server/engine_port.h"
#include "store/server/incident.h"
#include "store/server/incident_log.h"
#include "store/server/late_replies.h"
#include "store/server/meter.h"
#include "store/server/name_space_traffic.h"
#include "store/server/outbox.h"
#include "store/server/parser_pool.h"
#include "store/server/peer_counts.h"
#include "store/server/server_options.h"
#include "store/server/server_security.h"
#include "store/server/server_stats.h"
#include "store/server/session.h"
#include "store/server/session_queue.h"
#include "store/server/session_table.h"
#include "store/server/snapshot_parts.h"
#include "store/server/spare_memory.h"
#include "store/server/transfer_memory.h"

namespace rollcall {

// A connection that was let in.
struct Arrival {
  std::unique_ptr<net::Stream> stream;
  uint64_t number = 0;   // How manieth of the server it is.
  bool secured = false;  // It came by a port on which the server's security holds.
  std::shared_ptr<const std::string> name_space;  // That port's; nullptr: the default one.
  PeerCounts::Ticket ticket;
};

// What a core works with. All of it must outlive the core.
struct CoreParts {
  net::EventLoop* loop = nullptr;
  size_t number = 0;  // Of the loop, among the server's.
  EnginePort* engine = nullptr;
  Doorkeeper* doorkeeper = nullptr;
  TransferMemory* transfers = nullptr;
  // Where latencies are to be measured: the clock of the loop. nullptr: they are not.
  net::Clock* latency_clock = nullptr;
  // nullptr: everybody is let in, in clear, whatever the options say.
  const ServerSecurity* security = nullptr;
};

// All but stats() is for the loop's thread, or for any one thread while the loop does not run. All
// that it does follows from what the loop and the engine tell it: it has no clock, thread or chance
// of its own.
class ServerCore final : private SessionOwner {
 public:
  // `options` must be valid (ValidateServerOptions).
  ServerCore(const CoreParts& parts, const ServerOptions& options);
  // Closes all that is open, at once. Not inside a callback of the loop that the core runs in, and
  // not while other loops run that share its engine.
  ~ServerCore();

  ServerCore(const ServerCore&) = delete;
  ServerCore& operator=(const ServerCore&) = delete;

  // Serves it. It belongs to the core's loop and was admitted by its doorkeeper.
  void Welcome(Arrival arrival);

  // Closes every connection; those with unsent replies have options.shutdown_grace to take them.
  // `done` runs later, on the loop, when all is closed. Once, and no Welcome after it.
  void Shutdown(absl::AnyInvocable<void()> done);

  // From any thread: of this loop's connections, without what the door and the engine count.
  // Includes all that any client has seen the effect of.
  ServerStats stats() const { return shared_stats_.Look(); }

  // What this loop knows, for a snapshot of the server.
  LoopSnapshot Snapshot();
  // Logs and counts that a connection was closed, or has gone, and remembers it: the last two at
  // most as often as the log may be written. `incident` as IncidentLog::Note has it.
  void Note(Incident incident, absl::FunctionRef<std::string()> reason);

 private:
  // SessionOwner:
  void OnBytes(Session& session, absl::string_view bytes) override;
  absl::Span<char> Room(Session& session) override;
  void OnBytesInPlace(Session& session, size_t count) override;
  void OnDrained(Session& session) override;
  void OnEnd(Session& session, const absl::Status& why) override;

  // nullptr: it need not show anything, and nothing is counted.
  std::unique_ptr<Admission> NewAdmission(Arrival& arrival) const;
  // From now on it is in this one; nullptr: in the default one.
  void EnterNameSpace(Session& session, std::shared_ptr<const std::string> name_space);
  // nullopt: its token will say.
  std::optional<std::string> NameSpaceOf(const Session& session) const;
  void CountReceived(const Session& session, size_t size_bytes);
  // Hears what the session says before it is served.
  void PassGate(Session& session, absl::string_view bytes);
  // Parses, applies, answers.
  void Serve(Session& session, absl::string_view bytes);
  // One batch: `request` and what more of them the parser has, as far as it may go on. True if the
  // parser has no further one.
  bool ApplyBatch(Session& session, protocol::RequestParser& parser, protocol::Request* request);
  // The engine is told what the session said of its rank before it had shown a token.
  void TellRank(const Session& session);
  // Keeps what the session's next bytes will need: the parser if it has half a request, or what it
  // has not parsed, unless it has parsed all.
  void PutAway(Session& session, std::unique_ptr<protocol::RequestParser> parser, bool all_parsed);
  // --- Where --max_memory bounds what is on its way (TransferMemory) ---
  // The part of a request that the session has sent; refuses it if there is no room for the rest.
  void CountRequest(Session& session);
  // Its unsent bytes; where there is no room for them, who is furthest behind is refused.
  void CountReplies(Session& session, size_t unsent_bytes);
  // The rest of its request has no place: tells it so, if it can be told, while it sends that.
  void RefuseHalfRequest(Session& session, const std::string& reason);

  // Around each use of the engine. The first gathers what it has for us because of others.
  void OpenBatch();
  void CloseBatch();
  // Gathers replies_, which are what a request of `from` led to.
  void Deliver(const Session& from);
  // Amidst a request's replies, which must outlive the batch.
  void WriteGathered(const Session& from);
  void DeliverLate();
  // The engine says that there is something for us.
  void TakeLate();
  // False: the session had no room for a reply of so many bytes and is doomed.
  bool MakeRoom(Session& session, size_t size_bytes);
  // To be closed by RefuseDoomed, after the batch; `at_once`: without what is due. At the end of
  // Deliver or DeliverLate the engine forgets it.
  void Doom(Session& session, IncidentKind kind, std::string reason, bool at_once);
  void ForgetDoomed();
  void RefuseDoomed();
  // Writes all that is gathered; what is for `last` comes last.
  void Flush(const Session* last);
  // After a batch.
  void Settle(const Session* last);
  // Writes a reply from where its texts are kept, past the outbox, which has nothing for `session`.
  void WriteUncopied(Session& session, const protocol::Reply& reply);
  // After each write to it. Reads no more of its requests until it has taken its replies, if they
  // are many.
  void Wrote(Session& session);
  void Pause(Session& session);
  // Reads and serves it again, if nothing is against it any more.
  void Resume(Session& session);
  // The engine has still to answer it.
  bool OwesReplies(const Session& session);
  // True if so: then it is finished, once that is done.
  bool FinishesLater(Session& session);
  // The engine says that sessions can go on, or be finished.
  void LetGoOn();
  // Starts, restarts or stops the time that the session has for the rest of its request.
  void UpdateClock(Session& session, bool new_request);

  // Logs and counts it, then finishes the session.
  void Refuse(Session& session, IncidentKind kind, absl::FunctionRef<std::string()> reason);
  void NoteOf(IncidentKind kind, Session& session, absl::FunctionRef<std::string()> reason);
  // Serves it no more, sends what is due, then closes it.
  void Finish(Session& session);
  // Serves it no more; waits for it to take its replies, or to go.
  void Linger(Session& session);
  // Closes it at once. The object lives on until the loop's next turn.
  void Close(Session& session);
  void DestroyClosed();
  // The engine forgets the session, in a batch of its own. True if the session waited.
  bool Forget(Session& session);

  uint64_t OldestSilent() const;
  void EndSilence(Session& session);
  void RefuseOldestSilent();
  // `work`, to be posted: nothing is done if the core is gone by then. From any thread.
  absl::AnyInvocable<void()> WhileAlive(void (ServerCore::*work)());

  // Closes who is too late, and comes again when the next one may be.
  void Sweep();
  void ArmSweep();
  // The same of who is idle.
  void SweepIdle();
  void ArmIdleSweep();
  bool HasIdleTimeout() const { return options_.idle_timeout < absl::InfiniteDuration(); }
  void EndShutdown();
  // Before each write and close, and before other loops see what was done, so that no client knows
  // more than the numbers say.
  void PublishStats();

  net::EventLoop* const loop_;
  const size_t number_;
  EnginePort* const engine_;
  const bool replies_outlive_batches_;  // The engine's.
  const bool answers_later_;            // Likewise.
  Doorkeeper* const doorkeeper_;
  const ServerSecurity* const security_;
  const ServerOptions options_;
  net::TlsAcceptor tls_acceptor_;

  SessionTable sessions_;
  SessionQueue silent_;    // In phase kSilent, oldest first.
  SessionQueue hurrying_;  // With half a request, or lingering; who is first too late is first.
  SessionQueue idle_;      // With nothing under way that it said; empty without an idle_timeout.
  std::vector<std::unique_ptr<Session>> closed_;  // To be destroyed in the loop's next turn.
  SpareMemory spare_memory_;
  net::TimerId sweep_timer_ = 0;
  net::TimerId idle_timer_ = 0;

  NameSpaceTraffics traffics_;
  LoopTransfers transfers_;
  const size_t unnoticed_unsent_bytes_max_;  // Of a session: what makes no difference.

  ParserPool parsers_;
  Outbox outbox_;
  engine::Replies replies_;  // Of one request; a member to keep its memory, as the next three are.
  LateReplies late_;
  std::string framing_;
  std::vector<absl::string_view> parts_;

  struct Doomed {
    Session* session = nullptr;
    IncidentKind kind = IncidentKind::kBadRequest;
    std::string reason;
    bool at_once = false;
  };
  std::vector<Doomed> doomed_;
  std::vector<engine::ClientId> leaving_;   // Doomed, and still known to the engine.
  std::vector<engine::ClientId> going_on_;  // To be let go on, in the loop's next turn.
  bool let_go_on_is_posted_ = false;

  bool stopping_ = false;
  absl::AnyInvocable<void()> shutdown_done_;
  net::TimerId shutdown_timer_ = 0;

  Meter meter_;
  IncidentLog incidents_;  // Tells the meter.
  ServerStats stats_;
  SharedServerStats shared_stats_;
  // What posted work holds weakly, to find that the core is gone.
  std::shared_ptr<ServerCore*> self_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_SERVER_CORE_H_
