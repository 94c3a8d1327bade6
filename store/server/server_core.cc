#include "store/server/server_core.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "glog/logging.h"
#include "net/net_error.h"
#include "net/tls/tls_context.h"
#include "store/server/loop_number.h"
#include "store/server/server_snapshot.h"

namespace rollcall {

ServerCore::ServerCore(const CoreParts& parts, const ServerOptions& options)
    : loop_(parts.loop),
      number_(parts.number),
      engine_(parts.engine),
      replies_outlive_batches_(parts.engine->replies_outlive_batches()),
      answers_later_(parts.engine->answers_later()),
      doorkeeper_(parts.doorkeeper),
      security_(parts.security),
      options_(options),
      tls_acceptor_(parts.loop, options.tls_handshake_timeout),
      sessions_(parts.number),
      transfers_(parts.transfers),
      unnoticed_unsent_bytes_max_(parts.transfers->is_limited() ? 0
                                                                : options.unsent_bytes_soft_max),
      parsers_(&options_.parser),
      incidents_(&meter_),
      self_(std::make_shared<ServerCore*>(this)) {
  engine_->SetWake([this] { loop_->Post(WhileAlive(&ServerCore::TakeLate)); });
  if (parts.latency_clock != nullptr) meter_.MeasureLatencies(parts.latency_clock);
  doorkeeper_->SetMakeWay(number_,
                          [this] { loop_->Post(WhileAlive(&ServerCore::RefuseOldestSilent)); });
}

ServerCore::~ServerCore() {
  engine_->SetWake(nullptr);
  self_.reset();
  loop_->CancelTimer(sweep_timer_);
  loop_->CancelTimer(idle_timer_);
  loop_->CancelTimer(shutdown_timer_);
  for (Session* session : sessions_.All()) session->stream().Close();
}

// --- Connections come and go ---

std::unique_ptr<Admission> ServerCore::NewAdmission(Arrival& arrival) const {
  std::shared_ptr<const TokenTable> tokens = arrival.secured ? security_->tokens() : nullptr;
  if (tokens == nullptr && arrival.ticket.is_empty() && arrival.name_space == nullptr) {
    return nullptr;
  }
  auto admission = std::make_unique<Admission>();
  if (tokens != nullptr) {
    admission->gate = std::make_unique<TokenGate>(std::move(tokens), engine_->features());
  }
  admission->ticket = std::move(arrival.ticket);
  return admission;
}

void ServerCore::EnterNameSpace(Session& session, std::shared_ptr<const std::string> name_space) {
  if (name_space != nullptr && *name_space == kDefaultNameSpace) name_space = nullptr;
  if (NameSpaceTraffic* const left = session.traffic()) --left->connections;
  session.admission->traffic = nullptr;
  if (name_space != nullptr) {
    session.admission->traffic = &traffics_[*name_space];
    ++session.admission->traffic->connections;
  }
  session.admission->name_space = std::move(name_space);
}

std::optional<std::string> ServerCore::NameSpaceOf(const Session& session) const {
  const bool is_stranger = session.admission != nullptr && session.admission->gate != nullptr;
  if (is_stranger && options_.name_space_per_token && session.name_space().empty()) {
    return std::nullopt;
  }
  return std::string(session.name_space());
}

void ServerCore::Welcome(Arrival arrival) {
  arrival.secured = arrival.secured && security_ != nullptr;
  std::unique_ptr<net::Stream> stream = std::move(arrival.stream);
  if (arrival.secured) {
    std::shared_ptr<const net::TlsContext> tls = security_->tls();
    if (tls != nullptr) stream = tls_acceptor_.Wrap(std::move(stream), std::move(tls));
  }
  SessionOwner* const owner = this;
  Session& session = sessions_.Add(
      std::make_unique<Session>(owner, sessions_.NextId(arrival.number), std::move(stream)));
  session.admission = NewAdmission(arrival);
  if (arrival.name_space != nullptr) EnterNameSpace(session, std::move(arrival.name_space));
  // Other loops have as many.
  spare_memory_.Grew(sessions_.size() * doorkeeper_->loops());
  silent_.Push(session, loop_->Now());
  doorkeeper_->Silent(number_, OldestSilent());
  session.stream().Start(&session);
  PublishStats();
}

uint64_t ServerCore::OldestSilent() const {
  return silent_.front() == nullptr ? Doorkeeper::kNobody : ArrivalOf(silent_.front()->id());
}

void ServerCore::EndSilence(Session& session) {
  if (session.phase != SessionPhase::kSilent) return;
  SessionQueue::Remove(session);
  session.phase = SessionPhase::kOpen;
  doorkeeper_->NoLongerSilent(number_, OldestSilent());
}

void ServerCore::RefuseOldestSilent() {
  if (!doorkeeper_->TooManyAreSilent()) return;
  // Others that made too many may have asked for it before.
  if (silent_.front() == nullptr) return doorkeeper_->MakeWay();
  Refuse(*silent_.front(), IncidentKind::kTooManySilent, [&] {
    return absl::StrCat("it has said nothing yet and is the oldest of the ",
                        options_.silent_connections_max, " such that are allowed");
  });
}

void ServerCore::OnEnd(Session& session, const absl::Status& why) {
  if (session.phase == SessionPhase::kClosed) return;
  session.paused = true;  // There is nothing to read any more.
  if (why.ok()) {
    if (FinishesLater(session)) return;
    if (Forget(session)) {
      NoteOf(IncidentKind::kLeftWaiting, session, [] { return "it ended its side"; });
    }
    // It may have closed only its own side, and still take its replies.
    Finish(session);
  } else {
    const std::optional<net::NetErrorInfo> info = net::GetNetErrorInfo(why);
    if (info.has_value() && info->kind == net::NetErrorKind::kTls) {
      ++stats_.connections_refused;
      NoteOf(IncidentKind::kTlsFailed, session, [&] { return std::string(why.message()); });
    } else {
      NoteOf(IncidentKind::kConnectionLost, session, [&] { return std::string(why.message()); });
    }
    Close(session);
  }
  PublishStats();
}

void ServerCore::Refuse(Session& session, IncidentKind kind,
                        absl::FunctionRef<std::string()> reason) {
  ++stats_.connections_refused;
  NoteOf(kind, session, reason);
  Finish(session);
}

void ServerCore::Note(Incident incident, absl::FunctionRef<std::string()> reason) {
  incidents_.Note(loop_->Now(), std::move(incident), reason);
}

void ServerCore::NoteOf(IncidentKind kind, Session& session,
                        absl::FunctionRef<std::string()> reason) {
  Note({.kind = kind,
        .peer = session.stream().peer_address(),
        .client = session.id(),
        .name_space = NameSpaceOf(session)},
       reason);
}

bool ServerCore::OwesReplies(const Session& session) {
  if (!answers_later_ || !session.is_known) return false;
  OpenBatch();
  // It may have been doomed by what it had coming.
  const bool owes = session.is_known && !engine_->IsDone(session.id());
  CloseBatch();
  return owes;
}

bool ServerCore::FinishesLater(Session& session) {
  session.is_finishing = OwesReplies(session);
  if (!session.is_finishing) return false;
  if (!session.paused) Pause(session);
  SessionQueue::Remove(session);
  parsers_.Put(std::move(session.parser));
  session.held.reset();
  if (transfers_.are_counted()) transfers_.SetRequests(session.id(), 0);
  Flush(nullptr);
  RefuseDoomed();
  return true;
}

void ServerCore::Finish(Session& session) {
  EndSilence(session);
  if (FinishesLater(session)) return;
  Forget(session);
  PublishStats();
  session.phase = SessionPhase::kLingering;
  Flush(nullptr);
  // It may have turned out that it is the one that is furthest behind.
  if (session.phase == SessionPhase::kDoomed) return RefuseDoomed();
  if (session.stream().unsent_bytes() == 0) {
    Close(session);
  } else {
    if (!session.paused) session.stream().PauseReading();
    session.paused = true;
    Linger(session);
  }
  RefuseDoomed();
}

void ServerCore::Linger(Session& session) {
  session.phase = SessionPhase::kLingering;
  parsers_.Put(std::move(session.parser));
  session.held.reset();
  if (transfers_.are_counted()) transfers_.SetRequests(session.id(), 0);
  SessionQueue::Remove(session);
  hurrying_.Push(session, loop_->Now());
  ArmSweep();
}

void ServerCore::Close(Session& session) {
  EndSilence(session);
  Forget(session);
  outbox_.Drop(session);
  if (transfers_.are_counted()) transfers_.Forget(session.id());
  Flush(nullptr);
  parsers_.Put(std::move(session.parser));
  session.held.reset();
  SessionQueue::Remove(session);
  session.phase = SessionPhase::kClosed;
  // Not destroyed now: a callback of its own may be what led here.
  if (closed_.empty()) loop_->Post(WhileAlive(&ServerCore::DestroyClosed));
  closed_.push_back(sessions_.Remove(session));
  doorkeeper_->Left(number_);
  if (session.admission != nullptr) {
    session.admission->ticket = PeerCounts::Ticket();
    EnterNameSpace(session, nullptr);
  }
  PublishStats();
  session.stream().Close();
  if (stopping_ && sessions_.size() == 0) EndShutdown();
  RefuseDoomed();
}

void ServerCore::DestroyClosed() {
  closed_.clear();
  if (!spare_memory_.IsDue(sessions_.size() * doorkeeper_->loops())) return;
  closed_.shrink_to_fit();
  ReturnFreeMemory();
}

bool ServerCore::Forget(Session& session) {
  if (!session.is_known) return false;
  OpenBatch();
  const bool waited = engine_->Disconnect(session.id(), loop_->Now());
  session.is_known = false;
  CloseBatch();
  return waited;
}

absl::AnyInvocable<void()> ServerCore::WhileAlive(void (ServerCore::*work)()) {
  return [core = std::weak_ptr<ServerCore*>(self_), work] {
    if (const auto alive = core.lock()) ((*alive)->*work)();
  };
}

// --- Time ---

void ServerCore::UpdateClock(Session& session, bool new_request) {
  if (session.parser == nullptr || session.paused) {
    SessionQueue::Remove(session);
    if (session.paused || !HasIdleTimeout()) return;
    idle_.Push(session, loop_->Now());
    return ArmIdleSweep();
  }
  if (!new_request && hurrying_.Has(session)) return;
  SessionQueue::Remove(session);
  hurrying_.Push(session, loop_->Now());
  ArmSweep();
}

void ServerCore::ArmSweep() {
  if (sweep_timer_ != 0 || hurrying_.front() == nullptr) return;
  sweep_timer_ =
      loop_->RunAt(hurrying_.front_time() + options_.half_request_timeout, [this] { Sweep(); });
}

void ServerCore::Sweep() {
  sweep_timer_ = 0;
  const absl::Time started_by = loop_->Now() - options_.half_request_timeout;
  while (Session* const session = hurrying_.front()) {
    if (hurrying_.front_time() > started_by) break;
    if (session->phase == SessionPhase::kLingering && session->stream().unsent_bytes() == 0) {
      Close(*session);  // It was told why, and goes on sending.
    } else if (session->phase == SessionPhase::kLingering) {
      NoteOf(IncidentKind::kTooSlow, *session, [&] {
        return absl::StrCat("it has not taken its last ", session->stream().unsent_bytes(),
                            " bytes in ", absl::FormatDuration(options_.half_request_timeout));
      });
      Close(*session);
    } else {
      Refuse(*session, IncidentKind::kTooLate, [&] {
        return absl::StrCat("it began ", session->dialect.has_value() ? "a request" : "a greeting",
                            " ", absl::FormatDuration(options_.half_request_timeout),
                            " ago and has not finished it");
      });
    }
  }
  ArmSweep();
  PublishStats();
}

void ServerCore::ArmIdleSweep() {
  if (idle_timer_ != 0 || idle_.front() == nullptr) return;
  idle_timer_ = loop_->RunAt(idle_.front_time() + options_.idle_timeout, [this] { SweepIdle(); });
}

void ServerCore::SweepIdle() {
  idle_timer_ = 0;
  const absl::Time now = loop_->Now();
  std::vector<Session*> idle;
  OpenBatch();
  while (Session* const session = idle_.front()) {
    if (idle_.front_time() > now - options_.idle_timeout) break;
    SessionQueue::Remove(*session);
    // What others had for it came with the batch.
    if (outbox_.gathered_bytes(*session) > 0 ||
        (session->is_known && engine_->Awaits(session->id()))) {
      idle_.Push(*session, now);
    } else {
      idle.push_back(session);
    }
  }
  CloseBatch();
  Settle(nullptr);
  for (Session* const session : idle) {
    if (session->phase != SessionPhase::kOpen) continue;
    Refuse(*session, IncidentKind::kIdle, [&] {
      return absl::StrCat("it has said nothing for ", absl::FormatDuration(options_.idle_timeout),
                          " and awaits nothing");
    });
  }
  ArmIdleSweep();
  PublishStats();
}

// --- The end ---

void ServerCore::Shutdown(absl::AnyInvocable<void()> done) {
  CHECK(!stopping_) << "Shutdown was called twice";
  shutdown_done_ = std::move(done);
  for (Session* session : sessions_.All()) {
    // One of them may take along others.
    if (session->phase != SessionPhase::kClosed) Finish(*session);
  }
  stopping_ = true;
  PublishStats();
  if (sessions_.size() == 0) return EndShutdown();
  shutdown_timer_ = loop_->RunAt(loop_->Now() + options_.shutdown_grace, [this] {
    for (Session* session : sessions_.All()) {
      if (session->phase != SessionPhase::kClosed) Close(*session);
    }
    PublishStats();
  });
}

void ServerCore::EndShutdown() {
  loop_->CancelTimer(shutdown_timer_);
  loop_->CancelTimer(sweep_timer_);
  loop_->CancelTimer(idle_timer_);
  loop_->Post(std::move(shutdown_done_));
}

LoopSnapshot ServerCore::Snapshot() {
  // Seconds in which nothing came are over too.
  meter_.Begins(loop_->Now());
  return TakeLoopSnapshot(sessions_, traffics_, meter_);
}

void ServerCore::PublishStats() {
  stats_.connections = sessions_.size();
  stats_.requests = meter_.metrics().work.requests;
  shared_stats_.Publish(stats_);
}

}  // namespace rollcall
