// What a ServerCore does where memory bounds what is on its way.
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "store/protocol/goodbye.h"
#include "store/protocol/operation.h"
#include "store/protocol/request_parser.h"
#include "store/server/incident.h"
#include "store/server/server_core.h"
#include "store/server/transfer_memory.h"

namespace rollcall {
namespace {

// Of what a session has sent of a request. Most come whole, and of the rest most are small.
constexpr size_t kUncountedRequestBytesMax = 4 << 10;

}  // namespace

void ServerCore::CountRequest(Session& session) {
  if (session.phase != SessionPhase::kOpen) return;
  protocol::RequestParser::Extent request;
  if (session.parser != nullptr) request = session.parser->InProgress();
  if (session.held != nullptr) request.held_bytes += session.held->size();
  if (request.held_bytes + request.missing_bytes <= kUncountedRequestBytesMax) return;
  transfers_.SetRequests(session.id(), request.held_bytes);
  const TransferMemory& memory = transfers_.memory();
  // What only asks may go as far as its reply may.
  const size_t bytes_max = request.has_values ? memory.bytes_max() : memory.replies_max();
  const size_t used = engine_->numbers().memory_bytes + memory.bytes();
  if (used + request.missing_bytes <= bytes_max) return;
  // In the engine's words, for which there would be no room either.
  const size_t its = request.held_bytes;
  RefuseHalfRequest(session, absl::StrCat("the store holds ", used - its, " of the ", bytes_max,
                                          " bytes that it may hold, ", memory.bytes() - its,
                                          " of them on their way; this ",
                                          protocol::OperationName(request.operation), " needs ",
                                          its + request.missing_bytes, " bytes more"));
}

void ServerCore::RefuseHalfRequest(Session& session, const std::string& reason) {
  // What is due to it has to come before. Until then it goes on sending, and if all of the request
  // has come by then, the engine refuses it.
  const bool is_late = session.takes_goodbye && OwesReplies(session);
  if (is_late || session.phase != SessionPhase::kOpen) return Settle(nullptr);
  ++stats_.connections_refused;
  NoteOf(IncidentKind::kStoreFull, session, [&] { return reason; });
  if (!session.takes_goodbye) return Finish(session);
  Forget(session);
  PublishStats();
  Flush(nullptr);
  std::string goodbye;
  protocol::AppendGoodbye(InfoOf(IncidentKind::kStoreFull).code, reason, goodbye);
  session.stream().Write(goodbye);
  // It is sending. Closed now, its connection would break before it reads why.
  if (session.phase == SessionPhase::kOpen) Linger(session);
  RefuseDoomed();
}

void ServerCore::CountReplies(Session& session, size_t unsent_bytes) {
  if (session.phase == SessionPhase::kDoomed) return;
  transfers_.SetReplies(session.id(), unsent_bytes);
  const TransferMemory& memory = transfers_.memory();
  const size_t stored = engine_->numbers().memory_bytes;
  while (stored + memory.bytes() > memory.replies_max()) {
    const std::optional<engine::ClientId> furthest = transfers_.FurthestBehind();
    if (!furthest.has_value()) return;
    const size_t behind = transfers_.Of(*furthest).replies;
    transfers_.SetReplies(*furthest, 0);
    Session* const refused = sessions_.Find(*furthest);
    if (refused == nullptr) continue;
    // The engine forgets it when it is closed, after the batch if one is open.
    refused->phase = SessionPhase::kDoomed;
    doomed_.push_back({.session = refused,
                       .kind = IncidentKind::kTooSlow,
                       .reason = absl::StrCat("it has not taken ", behind,
                                              " bytes of replies, more than any other, and there "
                                              "is no memory for them: ",
                                              stored,
                                              " bytes are stored, and with what is on its "
                                              "way there may be ",
                                              memory.replies_max()),
                       .at_once = true});
  }
}

}  // namespace rollcall
