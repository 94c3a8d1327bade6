#include "store/server/server_core.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "glog/logging.h"
#include "store/protocol/reply_writer.h"

namespace rollcall {
namespace {

// Gathered replies are written when they are this many, even if more are to come.
constexpr size_t kGatheredBytesMax = 128 << 10;
// From here on a write of its own costs less than a copy.
constexpr size_t kUncopiedBytesMin = 32 << 10;

bool IsWorthNoCopy(const protocol::Reply& reply) {
  return reply.texts.size() == 1 && reply.texts[0].size() >= kUncopiedBytesMin;
}

}  // namespace

ServerCore::ServerCore(net::EventLoop* loop, const ServerOptions& options)
    : loop_(loop),
      options_(options),
      parsers_(&options_.parser),
      self_(std::make_shared<ServerCore*>(this)) {}

ServerCore::~ServerCore() {
  self_.reset();
  loop_->CancelTimer(sweep_timer_);
  loop_->CancelTimer(shutdown_timer_);
  listener_.reset();
  for (Session* session : sessions_.All()) session->stream().Close();
}

absl::Status ServerCore::Listen(const std::vector<net::SocketAddress>& addresses) {
  net::ListenOptions listen_options;
  listen_options.addresses = addresses;
  listen_options.port = options_.port;
  listen_options.adopt_fd = options_.listen_fd;
  absl::StatusOr<std::unique_ptr<net::Listener>> listener = loop_->Listen(
      listen_options, [this](std::unique_ptr<net::Stream> stream) { Accept(std::move(stream)); });
  if (!listener.ok()) return listener.status();
  listener_ = *std::move(listener);
  return absl::OkStatus();
}

// --- Connections come and go ---

void ServerCore::Accept(std::unique_ptr<net::Stream> stream) {
  ++stats_.connections_accepted;
  const size_t connections_max =
      options_.connections_max == 0 ? SessionTable::kSessionsMax : options_.connections_max;
  if (sessions_.size() >= connections_max) {
    ++stats_.connections_refused;
    LogClosing(kTooManyConnections, stream->peer_address(), [&] {
      return absl::StrCat("it is one more than the limit of ", connections_max, " connections");
    });
    return PublishStats();
  }
  if (silent_.size() >= options_.silent_connections_max) {
    Refuse(*silent_.front(), kTooManySilent, [&] {
      return absl::StrCat("it has said nothing yet and is the oldest of the ",
                          options_.silent_connections_max, " such that are allowed");
    });
  }
  SessionOwner* const owner = this;
  Session& session =
      sessions_.Add(std::make_unique<Session>(owner, sessions_.next_id(), std::move(stream)));
  spare_memory_.Grew(sessions_.size());
  silent_.Push(session, loop_->Now());
  session.stream().Start(&session);
  PublishStats();
}

void ServerCore::OnEnd(Session& session, const absl::Status& why) {
  if (session.phase == SessionPhase::kClosed) return;
  session.paused = true;  // There is nothing to read any more.
  if (why.ok()) {
    // It may have closed only its own side, and still take its replies.
    Finish(session);
  } else {
    VLOG(1) << "connection of " << session.stream().peer_address().ToString() << ": " << why;
    Close(session);
  }
  PublishStats();
}

void ServerCore::Refuse(Session& session, LogKind kind, absl::FunctionRef<std::string()> reason) {
  ++stats_.connections_refused;
  LogClosing(kind, session.stream().peer_address(), reason);
  Finish(session);
}

void ServerCore::LogClosing(LogKind kind, const net::SocketAddress& peer,
                            absl::FunctionRef<std::string()> reason) {
  logs_[kind].Write(loop_->Now(), [&] {
    return absl::StrCat("closing the connection of ", peer.ToString(), ": ", reason());
  });
}

void ServerCore::Finish(Session& session) {
  Forget(session);
  outbox_.FlushOne(session);
  if (session.stream().unsent_bytes() == 0) return Close(session);
  session.phase = SessionPhase::kLingering;
  parsers_.Put(std::move(session.parser));
  session.held.reset();
  if (!session.paused) session.stream().PauseReading();
  session.paused = true;
  SessionQueue::Remove(session);
  hurrying_.Push(session, loop_->Now());
  ArmSweep();
}

void ServerCore::Close(Session& session) {
  Forget(session);
  outbox_.Drop(session);
  parsers_.Put(std::move(session.parser));
  session.held.reset();
  SessionQueue::Remove(session);
  session.phase = SessionPhase::kClosed;
  // Not destroyed now: a callback of its own may be what led here.
  if (closed_.empty()) {
    loop_->Post([self = std::weak_ptr<ServerCore*>(self_)] {
      if (const auto core = self.lock()) (*core)->DestroyClosed();
    });
  }
  closed_.push_back(sessions_.Remove(session));
  PublishStats();
  session.stream().Close();
  if (stopping_ && sessions_.size() == 0) EndShutdown();
}

void ServerCore::DestroyClosed() {
  closed_.clear();
  if (!spare_memory_.IsDue(sessions_.size())) return;
  closed_.shrink_to_fit();
  ReturnFreeMemory();
}

void ServerCore::Forget(const Session& session) {
  if (!session.dialect.has_value()) return;
  if (delivering_) {
    leaving_.push_back(session.id());
  } else {
    engine_.Disconnect(session.id());
  }
}

// --- Requests and replies ---

void ServerCore::OnBytes(Session& session, absl::string_view bytes) {
  if (session.phase == SessionPhase::kSilent) {
    SessionQueue::Remove(session);
    session.phase = SessionPhase::kOpen;
  }
  if (session.phase == SessionPhase::kOpen) Serve(session, bytes);
}

absl::Span<char> ServerCore::Room(Session& session) {
  if (session.phase != SessionPhase::kOpen) return {};
  return session.parser->TextRoom();
}

void ServerCore::OnBytesInPlace(Session& session, size_t count) {
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
  parser->Feed(bytes);
  while (session.phase == SessionPhase::kOpen && !session.paused) {
    protocol::Request* const request = parser->Next();
    if (request == nullptr) {
      all_parsed = true;
      break;
    }
    Introduce(session, *parser);
    replies_.clear();
    engine_.Apply(session.id(), *request, loop_->Now(), replies_);
    ++stats_.requests;
    new_request = true;
    Deliver(session);
  }
  Flush(&session);
  PutAway(session, std::move(parser), all_parsed);
  if (session.phase == SessionPhase::kOpen) UpdateClock(session, new_request);
}

void ServerCore::Introduce(Session& session, const protocol::RequestParser& parser) {
  if (session.dialect.has_value() || !parser.dialect().has_value()) return;
  session.dialect = parser.dialect();
  engine_.Connect(session.id(), *session.dialect);
}

void ServerCore::PutAway(Session& session, std::unique_ptr<protocol::RequestParser> parser,
                         bool all_parsed) {
  if (session.phase == SessionPhase::kOpen) {
    Introduce(session, *parser);
    if (!parser->status().ok()) {
      Refuse(session, kBadBytes, [&] { return std::string(parser->status().message()); });
    } else if (all_parsed && parser->mid_request()) {
      session.parser = std::move(parser);
    } else if (!parser->unread().empty()) {
      session.held = std::make_unique<std::string>(parser->unread());
    }
  }
  parsers_.Put(std::move(parser));
}

void ServerCore::Deliver(const Session& from) {
  delivering_ = true;
  for (engine::Outgoing& outgoing : replies_) {
    Session* const to = sessions_.Find(outgoing.to);
    if (to == nullptr || to->phase != SessionPhase::kOpen) continue;
    if (outgoing.reply.kind == protocol::ReplyKind::kHangUp) {
      Refuse(*to, kBadRequest, [&] { return std::move(outgoing.reply.reason); });
      continue;
    }
    if (!MakeRoom(*to, outgoing.reply)) continue;
    if (IsWorthNoCopy(outgoing.reply) && &outgoing == &replies_.back()) {
      Flush(&from);
      WriteUncopied(*to, outgoing.reply);
      continue;
    }
    outbox_.Append(*to, outgoing.reply);
    if (outbox_.total_bytes() >= kGatheredBytesMax) Flush(&from);
  }
  delivering_ = false;
  for (const engine::ClientId id : leaving_) engine_.Disconnect(id);
  leaving_.clear();
}

bool ServerCore::MakeRoom(Session& session, const protocol::Reply& reply) {
  const size_t unsent = session.stream().unsent_bytes() + outbox_.gathered_bytes(session);
  const size_t size_bytes = protocol::EncodedBytes(reply);
  if (unsent + size_bytes <= options_.unsent_bytes_hard_max) return true;
  ++stats_.connections_refused;
  LogClosing(kTooSlow, session.stream().peer_address(), [&] {
    return absl::StrCat("its next reply has ", size_bytes, " bytes and ", unsent,
                        " before it are unsent; the limit of unsent bytes is ",
                        options_.unsent_bytes_hard_max);
  });
  Close(session);
  return false;
}

void ServerCore::Flush(const Session* last) {
  PublishStats();
  outbox_.Flush(last, [this](Session& session) { PauseIfBehind(session); });
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
      LogClosing(kTooSlow, session->stream().peer_address(), [&] {
        return absl::StrCat("it has not taken its last ", session->stream().unsent_bytes(),
                            " bytes in ", absl::FormatDuration(options_.half_request_timeout));
      });
      Close(*session);
    } else {
      Refuse(*session, kTooLate, [&] {
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
  listener_.reset();
  for (Session* session : sessions_.All()) Finish(*session);
  stopping_ = true;
  PublishStats();
  if (sessions_.size() == 0) return EndShutdown();
  shutdown_timer_ = loop_->RunAt(loop_->Now() + options_.shutdown_grace, [this] {
    for (Session* session : sessions_.All()) Close(*session);
    PublishStats();
  });
}

void ServerCore::EndShutdown() {
  loop_->CancelTimer(shutdown_timer_);
  loop_->CancelTimer(sweep_timer_);
  loop_->Post(std::move(shutdown_done_));
}

void ServerCore::PublishStats() {
  stats_.connections = sessions_.size();
  stats_.waiting_clients = engine_.waiting_clients();
  stats_.keys = engine_.key_count();
  shared_stats_.Publish(stats_);
}

}  // namespace rollcall
