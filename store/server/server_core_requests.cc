// What a ServerCore does between the bytes that come and those that go.
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "net/tls/tls_error.h"
#include "store/protocol/dialect.h"
#include "store/protocol/features.h"
#include "store/protocol/first_bytes.h"
#include "store/protocol/goodbye.h"
#include "store/protocol/operation.h"
#include "store/protocol/reply.h"
#include "store/protocol/reply_writer.h"
#include "store/protocol/request.h"
#include "store/server/server_core.h"

namespace rollcall {
namespace {

// Gathered replies are written when they are this many, even if more are to come.
constexpr size_t kGatheredBytesMax = 128 << 10;
// Where a batch holds up other loops it ends after so many requests, small as they may be: then
// comes a write, and the others' turn.
constexpr int kRequestsPerBatchMax = 256;
// From here on a write of its own costs less than a copy.
constexpr size_t kUncopiedBytesMin = 32 << 10;

// The one sum that would be taken for a goodbye.
constexpr char kUntellable[] = "the sum is the number that stands for a goodbye";

IncidentKind KindOf(protocol::HangUpCause cause) {
  return cause == protocol::HangUpCause::kStoreFull ? IncidentKind::kStoreFull
                                                    : IncidentKind::kBadRequest;
}

bool IsWorthNoCopy(const protocol::Reply& reply) {
  return reply.texts.size() == 1 && reply.texts[0].size() >= kUncopiedBytesMin;
}

}  // namespace

void ServerCore::OnBytes(Session& session, absl::string_view bytes) {
  CountReceived(session, bytes.size());
  const bool is_first = session.phase == SessionPhase::kSilent;
  EndSilence(session);
  if (session.phase != SessionPhase::kOpen) return;
  // It will be refused as any stranger, but such a one can be told why.
  if (is_first && protocol::LooksLikeTls(bytes)) session.stream().Write(net::PlainTlsAlert());
  const bool is_stranger = session.admission != nullptr && session.admission->gate != nullptr;
  is_stranger ? PassGate(session, bytes) : Serve(session, bytes);
}

void ServerCore::CountReceived(const Session& session, size_t size_bytes) {
  meter_.Received(size_bytes);
  if (NameSpaceTraffic* const traffic = session.traffic()) {
    traffic->work.received_bytes += size_bytes;
  }
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
  session.takes_goodbye = true;  // It has greeted as ours do.
  session.admission->told_rank = gate.told_rank();
  if (options_.name_space_per_token) EnterNameSpace(session, gate.name());
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
  CountReceived(session, count);
  session.parser->TookInPlace(count);
  if (transfers_.are_counted()) CountRequest(session);
}

void ServerCore::OnDrained(Session& session) {
  if (transfers_.are_counted()) transfers_.SetReplies(session.id(), 0);
  if (session.phase == SessionPhase::kLingering) Close(session);
  if (session.phase == SessionPhase::kOpen) Resume(session);
}

void ServerCore::Resume(Session& session) {
  if (!session.paused || session.engine_is_full || session.is_finishing) return;
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

void ServerCore::LetGoOn() {
  let_go_on_is_posted_ = false;
  for (const engine::ClientId id : std::exchange(going_on_, {})) {
    Session* const session = sessions_.Find(id);
    if (session == nullptr || session->phase != SessionPhase::kOpen) continue;
    if (session->is_finishing) {
      session->is_finishing = false;
      Finish(*session);
    } else if (std::exchange(session->engine_is_full, false) &&
               session->stream().unsent_bytes() <= options_.unsent_bytes_soft_max) {
      Resume(*session);
    }
  }
}

void ServerCore::Serve(Session& session, absl::string_view bytes) {
  std::unique_ptr<protocol::RequestParser> parser =
      session.parser != nullptr ? std::move(session.parser) : parsers_.Take(session.dialect);
  bool new_request = false;
  bool all_parsed = false;
  // What the engine will count is counted no more.
  if (transfers_.are_counted()) transfers_.SetRequests(session.id(), 0);
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
    engine_->Connect(session.id(), *session.dialect, session.name_space());
    if (session.admission != nullptr) TellRank(session);
  }
  bool is_full = false;
  for (int i = 0; request != nullptr && session.phase == SessionPhase::kOpen; ++i) {
    replies_.clear();
    if (request->operation == protocol::Operation::kPing) {
      session.takes_goodbye |= protocol::AsksFeatures(request->number);
    }
    engine_->Apply(session.id(), *request, loop_->Now(), replies_);
    meter_.Requested(request->operation);
    if (NameSpaceTraffic* const traffic = session.traffic()) ++traffic->work.requests;
    Deliver(session);
    // Where much is gathered, it is written before more is made; not in a batch that holds up
    // others.
    if (session.paused || outbox_.total_bytes() >= kGatheredBytesMax) break;
    is_full = answers_later_ && engine_->IsFull(session.id());
    if (is_full) break;
    if (i + 1 == kRequestsPerBatchMax && !replies_outlive_batches_) break;
    if (session.phase == SessionPhase::kOpen) request = parser.Next();
  }
  CloseBatch();
  if (is_full && session.phase == SessionPhase::kOpen) {
    session.engine_is_full = true;
    Pause(session);
  }
  return request == nullptr;
}

void ServerCore::TellRank(const Session& session) {
  if (!session.admission->told_rank) return;
  protocol::Request ping{.operation = protocol::Operation::kPing};
  ping.number = protocol::AskFeaturesAs(session.admission->told_rank);
  // It was answered long ago.
  replies_.clear();
  engine_->Apply(session.id(), ping, loop_->Now(), replies_);
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
  if (transfers_.are_counted()) CountRequest(session);
}

void ServerCore::OpenBatch() {
  engine_->Begin(late_);
  if (!late_.empty()) DeliverLate();
}

void ServerCore::CloseBatch() {
  PublishStats();
  engine_->End();
  // Not at once: it leads to other batches.
  if (going_on_.empty() || std::exchange(let_go_on_is_posted_, true)) return;
  loop_->Post(WhileAlive(&ServerCore::LetGoOn));
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
      Doom(*to, KindOf(outgoing.reply.cause), std::move(outgoing.reply.reason), /*at_once=*/false);
      continue;
    }
    if (outgoing.reply.kind == protocol::ReplyKind::kNumber &&
        outgoing.reply.number == static_cast<int64_t>(protocol::kGoodbyeNumber) &&
        to->takes_goodbye) {
      Doom(*to, IncidentKind::kBadRequest, kUntellable, /*at_once=*/false);
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
  late_.ForEach([this](engine::ClientId id, LateKind kind, absl::string_view bytes) {
    Session* const to = sessions_.Find(id);
    if (to == nullptr || to->phase != SessionPhase::kOpen) return;
    switch (kind) {
      case LateKind::kReply:
        if (to->takes_goodbye && bytes == protocol::kGoodbyeMark) {
          return Doom(*to, IncidentKind::kBadRequest, kUntellable, /*at_once=*/false);
        }
        if (MakeRoom(*to, bytes.size())) outbox_.AppendBytes(*to, bytes);
        return;
      case LateKind::kHangUp:
        return Doom(*to, IncidentKind::kBadRequest, std::string(bytes), /*at_once=*/false);
      case LateKind::kStoreFull:
        return Doom(*to, IncidentKind::kStoreFull, std::string(bytes), /*at_once=*/false);
      case LateKind::kEngineFailed:
        return Doom(*to, IncidentKind::kEngineFailed, std::string(bytes), /*at_once=*/false);
      case LateKind::kGoOn:
        going_on_.push_back(id);
        return;
    }
  });
  late_.Clear();
  ForgetDoomed();
}

bool ServerCore::MakeRoom(Session& session, size_t size_bytes) {
  const size_t unsent = session.stream().unsent_bytes() + outbox_.gathered_bytes(session);
  if (unsent + size_bytes <= options_.unsent_bytes_hard_max) {
    meter_.Replied(size_bytes);
    if (NameSpaceTraffic* const traffic = session.traffic()) traffic->work.sent_bytes += size_bytes;
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
    if (doomed.kind == IncidentKind::kStoreFull && session.takes_goodbye) {
      std::string goodbye;
      protocol::AppendGoodbye(InfoOf(doomed.kind).code, doomed.reason, goodbye);
      session.stream().Write(goodbye);
    }
    doomed.at_once ? Close(session) : Finish(session);
  }
}

void ServerCore::Flush(const Session* last) {
  outbox_.Flush(last, [this](Session& session) { Wrote(session); });
}

void ServerCore::Settle(const Session* last) {
  Flush(last);
  RefuseDoomed();
}

void ServerCore::WriteUncopied(Session& session, const protocol::Reply& reply) {
  protocol::ReplyParts(reply, framing_, parts_);
  session.stream().WriteParts(parts_);
  Wrote(session);
}

void ServerCore::Wrote(Session& session) {
  if (idle_.Has(session)) {
    SessionQueue::Remove(session);
    idle_.Push(session, loop_->Now());
  }
  const size_t unsent = session.stream().unsent_bytes();
  if (unsent <= unnoticed_unsent_bytes_max_) return;
  if (transfers_.are_counted()) CountReplies(session, unsent);
  if (session.paused || unsent <= options_.unsent_bytes_soft_max) return;
  Pause(session);
}

void ServerCore::Pause(Session& session) {
  session.paused = true;
  session.stream().PauseReading();
  // Its time does not run while it is not listened to.
  SessionQueue::Remove(session);
}

}  // namespace rollcall
