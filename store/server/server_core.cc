#include "store/server/server_core.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "glog/logging.h"
#include "net/net_error.h"
#include "net/tls/tls_context.h"
#include "net/tls/tls_error.h"
#include "store/protocol/dialect.h"
#include "store/protocol/first_bytes.h"
#include "store/protocol/reply_writer.h"
#include "store/server/loop_number.h"

namespace rollcall {
namespace {

// Gathered replies are written when they are this many, even if more are to come.
constexpr size_t kGatheredBytesMax = 128 << 10;
// Where a batch holds up other loops it ends after so many requests, small as they may be: then
// comes a write, and the others' turn.
constexpr int kRequestsPerBatchMax = 256;
// From here on a write of its own costs less than a copy.
constexpr size_t kUncopiedBytesMin = 32 << 10;

bool IsWorthNoCopy(const protocol::Reply& reply) {
  return reply.texts.size() == 1 && reply.texts[0].size() >= kUncopiedBytesMin;
}

}  // namespace

ServerCore::ServerCore(const CoreParts& parts, const ServerOptions& options)
    : loop_(parts.loop),
      number_(parts.number),
      engine_(parts.engine),
      replies_outlive_batches_(parts.engine->replies_outlive_batches()),
      doorkeeper_(parts.doorkeeper),
      security_(parts.security),
      options_(options),
      tls_acceptor_(parts.loop, options.tls_handshake_timeout),
      sessions_(parts.number),
      parsers_(&options_.parser),
      self_(std::make_shared<ServerCore*>(this)) {
  engine_->SetWake([this] { loop_->Post(WhileAlive(&ServerCore::TakeLate)); });
  if (parts.latency_clock != nullptr) meter_.MeasureLatencies(parts.latency_clock);
  // Who comes and goes is no news for the log.
  for (const IncidentKind kind : {IncidentKind::kConnectionLost, IncidentKind::kLeftWaiting}) {
    logs_[static_cast<size_t>(kind)] =
        LimitedLog([](absl::string_view line) { VLOG(1) << std::string(line); });
  }
  doorkeeper_->SetMakeWay(number_,
                          [this] { loop_->Post(WhileAlive(&ServerCore::RefuseOldestSilent)); });
}

ServerCore::~ServerCore() {
  self_.reset();
  loop_->CancelTimer(sweep_timer_);
  loop_->CancelTimer(shutdown_timer_);
  for (Session* session : sessions_.All()) session->stream().Close();
}

// --- Connections come and go ---

std::unique_ptr<Admission> ServerCore::NewAdmission() const {
  std::shared_ptr<const TokenTable> tokens = security_->tokens();
  if (tokens == nullptr) return nullptr;
  auto admission = std::make_unique<Admission>();
  admission->gate = std::make_unique<TokenGate>(std::move(tokens));
  return admission;
}

void ServerCore::Welcome(std::unique_ptr<net::Stream> stream, uint64_t arrival, bool secured) {
  secured = secured && security_ != nullptr;
  if (secured) {
    std::shared_ptr<const net::TlsContext> tls = security_->tls();
    if (tls != nullptr) stream = tls_acceptor_.Wrap(std::move(stream), std::move(tls));
  }
  SessionOwner* const owner = this;
  Session& session =
      sessions_.Add(std::make_unique<Session>(owner, sessions_.NextId(arrival), std::move(stream)));
  if (secured) session.admission = NewAdmission();
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

void ServerCore::Note(IncidentKind kind, const net::SocketAddress& peer, engine::ClientId client,
                      absl::FunctionRef<std::string()> reason) {
  meter_.Count(kind);
  logs_[static_cast<size_t>(kind)].Write(loop_->Now(), [&] {
    Incident incident = {.when = loop_->Now(), .kind = kind, .peer = peer, .client = client};
    incident.reason = reason();
    std::string line = absl::StrCat(InfoOf(kind).refused ? "closing" : "lost",
                                    " the connection of ", peer.ToString(), ": ", incident.reason);
    meter_.Remember(std::move(incident));
    return line;
  });
}

void ServerCore::NoteOf(IncidentKind kind, Session& session,
                        absl::FunctionRef<std::string()> reason) {
  Note(kind, session.stream().peer_address(), session.id(), reason);
}

void ServerCore::Finish(Session& session) {
  EndSilence(session);
  Forget(session);
  PublishStats();
  Flush(nullptr);
  if (session.stream().unsent_bytes() == 0) {
    Close(session);
  } else {
    session.phase = SessionPhase::kLingering;
    parsers_.Put(std::move(session.parser));
    session.held.reset();
    if (!session.paused) session.stream().PauseReading();
    session.paused = true;
    SessionQueue::Remove(session);
    hurrying_.Push(session, loop_->Now());
    ArmSweep();
  }
  RefuseDoomed();
}

void ServerCore::Close(Session& session) {
  EndSilence(session);
  Forget(session);
  outbox_.Drop(session);
  Flush(nullptr);
  parsers_.Put(std::move(session.parser));
  session.held.reset();
  SessionQueue::Remove(session);
  session.phase = SessionPhase::kClosed;
  // Not destroyed now: a callback of its own may be what led here.
  if (closed_.empty()) loop_->Post(WhileAlive(&ServerCore::DestroyClosed));
  closed_.push_back(sessions_.Remove(session));
  doorkeeper_->Left(number_);
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

// --- Requests and replies ---

void ServerCore::OnBytes(Session& session, absl::string_view bytes) {
  meter_.Received(bytes.size());
  const bool is_first = session.phase == SessionPhase::kSilent;
  EndSilence(session);
  if (session.phase != SessionPhase::kOpen) return;
  // It will be refused as any stranger, but such a one can be told why.
  if (is_first && protocol::LooksLikeTls(bytes)) session.stream().Write(net::PlainTlsAlert());
  const bool is_stranger = session.admission != nullptr && session.admission->gate != nullptr;
  is_stranger ? PassGate(session, bytes) : Serve(session, bytes);
}

void ServerCore::PassGate(Session& session, absl::string_view bytes) {
  TokenGate& gate = *session.admission->gate;
  std::string answer;
  const TokenGate::Verdict verdict = gate.Take(bytes, answer);
  session.stream().Write(answer);
  if (verdict == TokenGate::Verdict::kRefused) {
    return Refuse(session, IncidentKind::kNoToken, [&] { return gate.reason(); });
  }
  if (verdict == TokenGate::Verdict::kMore) {
    // A stranger has one such time for all that it has to say.
    if (hurrying_.Has(session)) return;
    hurrying_.Push(session, loop_->Now());
    return ArmSweep();
  }
  SessionQueue::Remove(session);
  session.admission->name = gate.name();
  const absl::string_view behind = gate.unread();
  session.admission->gate.reset();
  session.dialect = protocol::Dialect::kModern;
  if (!behind.empty()) Serve(session, behind);
}

absl::Span<char> ServerCore::Room(Session& session) {
  if (session.phase != SessionPhase::kOpen) return {};
  return session.parser->TextRoom();
}

void ServerCore::OnBytesInPlace(Session& session, size_t count) {
  meter_.Received(count);
  session.parser->TookInPlace(count);
}

void ServerCore::OnDrained(Session& session) {
  if (session.phase == SessionPhase::kLingering) Close(session);
  if (session.phase == SessionPhase::kOpen && session.paused) {
    session.paused = false;
    if (session.held != nullptr) {
      const std::unique_ptr<std::string> held = std::move(session.held);
      Serve(session, *held);
    }
    if (session.phase == SessionPhase::kOpen && !session.paused) {
      session.stream().ResumeReading();
      UpdateClock(session, /*new_request=*/false);
    }
  }
}

void ServerCore::Serve(Session& session, absl::string_view bytes) {
  std::unique_ptr<protocol::RequestParser> parser =
      session.parser != nullptr ? std::move(session.parser) : parsers_.Take(session.dialect);
  bool new_request = false;
  bool all_parsed = false;
  meter_.Begins(loop_->Now());
  parser->Feed(bytes);
  while (session.phase == SessionPhase::kOpen && !session.paused && !all_parsed) {
    protocol::Request* const request = parser->Next();
    all_parsed = request == nullptr || ApplyBatch(session, *parser, request);
    if (request == nullptr) break;
    new_request = true;
    Settle(&session);
  }
  meter_.Ends(loop_->Now());
  PutAway(session, std::move(parser), all_parsed);
  if (session.phase == SessionPhase::kOpen) UpdateClock(session, new_request);
}

bool ServerCore::ApplyBatch(Session& session, protocol::RequestParser& parser,
                            protocol::Request* request) {
  OpenBatch();
  // What the engine has for it from others may have been too much.
  if (session.phase == SessionPhase::kOpen && !session.is_known) {
    session.is_known = true;
    session.dialect = parser.dialect();
    engine_->Connect(session.id(), *session.dialect);
  }
  for (int i = 0; request != nullptr && session.phase == SessionPhase::kOpen; ++i) {
    replies_.clear();
    engine_->Apply(session.id(), *request, loop_->Now(), replies_);
    ++stats_.requests;
    meter_.Requested(request->operation);
    Deliver(session);
    // Where much is gathered, it is written before more is made; not in a batch that holds up
    // others.
    if (session.paused || outbox_.total_bytes() >= kGatheredBytesMax) break;
    if (i + 1 == kRequestsPerBatchMax && !replies_outlive_batches_) break;
    if (session.phase == SessionPhase::kOpen) request = parser.Next();
  }
  CloseBatch();
  return request == nullptr;
}

void ServerCore::PutAway(Session& session, std::unique_ptr<protocol::RequestParser> parser,
                         bool all_parsed) {
  if (session.phase == SessionPhase::kOpen) {
    session.dialect = parser->dialect();
    if (!parser->status().ok()) {
      Refuse(session, IncidentKind::kBadBytes,
             [&] { return std::string(parser->status().message()); });
    } else if (all_parsed && parser->mid_request()) {
      session.parser = std::move(parser);
    } else if (!parser->unread().empty()) {
      session.held = std::make_unique<std::string>(parser->unread());
    }
  }
  parsers_.Put(std::move(parser));
}

void ServerCore::OpenBatch() {
  engine_->Begin(late_);
  if (!late_.empty()) DeliverLate();
}

void ServerCore::CloseBatch() {
  PublishStats();
  engine_->End();
}

void ServerCore::TakeLate() {
  OpenBatch();
  CloseBatch();
  Settle(nullptr);
}

void ServerCore::Deliver(const Session& from) {
  for (engine::Outgoing& outgoing : replies_) {
    Session* const to = sessions_.Find(outgoing.to);
    if (to == nullptr || to->phase != SessionPhase::kOpen) continue;
    if (outgoing.reply.kind == protocol::ReplyKind::kHangUp) {
      Doom(*to, IncidentKind::kBadRequest, std::move(outgoing.reply.reason), /*at_once=*/false);
      continue;
    }
    if (!MakeRoom(*to, protocol::EncodedBytes(outgoing.reply))) continue;
    if (IsWorthNoCopy(outgoing.reply) && &outgoing == &replies_.back() &&
        replies_outlive_batches_) {
      WriteGathered(from);
      WriteUncopied(*to, outgoing.reply);
      continue;
    }
    outbox_.Append(*to, outgoing.reply);
    if (outbox_.total_bytes() >= kGatheredBytesMax && replies_outlive_batches_) WriteGathered(from);
  }
  if (!leaving_.empty()) ForgetDoomed();
}

void ServerCore::WriteGathered(const Session& from) {
  CloseBatch();
  Flush(&from);
  OpenBatch();
}

void ServerCore::DeliverLate() {
  late_.ForEach([this](engine::ClientId id, absl::string_view bytes, bool hang_up) {
    Session* const to = sessions_.Find(id);
    if (to == nullptr || to->phase != SessionPhase::kOpen) return;
    if (hang_up) return Doom(*to, IncidentKind::kBadRequest, std::string(bytes), /*at_once=*/false);
    if (MakeRoom(*to, bytes.size())) outbox_.AppendBytes(*to, bytes);
  });
  late_.Clear();
  ForgetDoomed();
}

bool ServerCore::MakeRoom(Session& session, size_t size_bytes) {
  const size_t unsent = session.stream().unsent_bytes() + outbox_.gathered_bytes(session);
  if (unsent + size_bytes <= options_.unsent_bytes_hard_max) {
    meter_.Replied(size_bytes);
    return true;
  }
  Doom(session, IncidentKind::kTooSlow,
       absl::StrCat("its next reply has ", size_bytes, " bytes and ", unsent,
                    " before it are unsent; the limit of unsent bytes is ",
                    options_.unsent_bytes_hard_max),
       /*at_once=*/true);
  return false;
}

void ServerCore::Doom(Session& session, IncidentKind kind, std::string reason, bool at_once) {
  session.phase = SessionPhase::kDoomed;
  if (at_once) outbox_.Drop(session);
  doomed_.push_back(
      {.session = &session, .kind = kind, .reason = std::move(reason), .at_once = at_once});
  if (std::exchange(session.is_known, false)) leaving_.push_back(session.id());
}

void ServerCore::ForgetDoomed() {
  for (const engine::ClientId id : leaving_) engine_->Disconnect(id, loop_->Now());
  leaving_.clear();
}

void ServerCore::RefuseDoomed() {
  while (!doomed_.empty()) {
    const Doomed doomed = std::move(doomed_.back());
    doomed_.pop_back();
    Session& session = *doomed.session;
    if (session.phase != SessionPhase::kDoomed) continue;
    ++stats_.connections_refused;
    NoteOf(doomed.kind, session, [&] { return doomed.reason; });
    doomed.at_once ? Close(session) : Finish(session);
  }
}

void ServerCore::Flush(const Session* last) {
  outbox_.Flush(last, [this](Session& session) { PauseIfBehind(session); });
}

void ServerCore::Settle(const Session* last) {
  Flush(last);
  RefuseDoomed();
}

void ServerCore::WriteUncopied(Session& session, const protocol::Reply& reply) {
  protocol::ReplyParts(reply, framing_, parts_);
  session.stream().WriteParts(parts_);
  PauseIfBehind(session);
}

void ServerCore::PauseIfBehind(Session& session) {
  if (session.paused) return;
  if (session.stream().unsent_bytes() <= options_.unsent_bytes_soft_max) return;
  session.paused = true;
  session.stream().PauseReading();
  // Its time does not run while it is not listened to.
  SessionQueue::Remove(session);
}

// --- Time ---

void ServerCore::UpdateClock(Session& session, bool new_request) {
  if (session.parser == nullptr || session.paused) return SessionQueue::Remove(session);
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
    if (session->phase == SessionPhase::kLingering) {
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
  loop_->Post(std::move(shutdown_done_));
}

LoopSnapshot ServerCore::Snapshot() {
  // Seconds in which nothing came are over too.
  meter_.Begins(loop_->Now());
  return TakeLoopSnapshot(sessions_, meter_);
}

void ServerCore::PublishStats() {
  stats_.connections = sessions_.size();
  shared_stats_.Publish(stats_);
}

}  // namespace rollcall
