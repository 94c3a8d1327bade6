#include "fault_injection/report/reply_labels.h"

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "fault_injection/report/report_text.h"
#include "store/protocol/reply.h"
#include "store/protocol/reply_of.h"

namespace rollcall::fault {
namespace {

using protocol::Operation;
using protocol::ReplyKind;

constexpr size_t kValueBytesMax = 24;

std::string ResultText(Operation operation, ReplyKind kind, const protocol::OwnedReply& reply) {
  switch (kind) {
    case ReplyKind::kSignal:
      if (operation == Operation::kCheck) {
        return reply.signal == protocol::kReady ? "ready" : "not ready";
      }
      return reply.signal == protocol::kStopWaiting ? "over" : "cancelled";
    case ReplyKind::kNumber:
      return absl::StrCat(reply.number);
    case ReplyKind::kNonce:
      return "answered";
    case ReplyKind::kBytes:
      return Shortened(absl::CHexEscape(reply.texts.front()), kValueBytesMax);
    case ReplyKind::kPopped:
      if (reply.texts.empty()) return "empty";
      return Shortened(absl::CHexEscape(reply.texts.front()), kValueBytesMax);
    case ReplyKind::kTexts:
    case ReplyKind::kList:
      return Count(reply.texts.size(), "text");
    case ReplyKind::kKeyEvent:
    case ReplyKind::kHangUp:
      break;
  }
  return "";
}

}  // namespace

void ReplyLabels::Expect(const protocol::Request& request) {
  if (request.operation == Operation::kWatchKey) is_lost_ = true;
  if (protocol::ReplyOf(request.operation).has_value()) {
    expected_.push_back({request.operation, request.keys.size()});
  }
}

// A wait that is cancelled and its cancel_wait have one answer; a wait that was over by then, and
// the cancel_wait that came too late, have two.
void ReplyLabels::EndFirst(const protocol::OwnedReply& reply) {
  const Operation ended = expected_.front().operation;
  expected_.pop_front();
  const bool was_cancelled = (ended == Operation::kWait || ended == Operation::kBarrier) &&
                             reply.signal == protocol::kWaitCanceled;
  if (was_cancelled && !expected_.empty() &&
      expected_.front().operation == Operation::kCancelWait) {
    expected_.pop_front();
  }
}

std::vector<std::string> ReplyLabels::Read(absl::string_view bytes) {
  std::vector<std::string> labels;
  while (!bytes.empty() && !is_lost_) {
    if (expected_.empty()) {
      is_lost_ = true;
      break;
    }
    const Expected& next = expected_.front();
    const ReplyKind kind = *protocol::ReplyOf(next.operation);
    if (!parser_.has_value()) parser_.emplace(kind, next.keys);
    const absl::StatusOr<size_t> taken = parser_->Consume(bytes);
    if (!taken.ok()) {
      is_lost_ = true;
      break;
    }
    bytes.remove_prefix(*taken);
    if (!parser_->done()) break;
    const protocol::OwnedReply reply = parser_->Take();
    labels.push_back(absl::StrCat(protocol::OperationName(next.operation), ": ",
                                  ResultText(next.operation, kind, reply)));
    parser_.reset();
    EndFirst(reply);
  }
  return labels;
}

}  // namespace rollcall::fault
