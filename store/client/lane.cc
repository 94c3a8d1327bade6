#include "store/client/lane.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "store/dist_error.h"
#include "store/protocol/dialect.h"
#include "store/protocol/operation.h"
#include "store/protocol/reply.h"
#include "store/protocol/reply_parser.h"
#include "store/protocol/request_number.h"
#include "store/protocol/request_writer.h"
#include "store/protocol/wire.h"

namespace rollcall::client {
namespace {

using protocol::Dialect;
using protocol::Operation;
using protocol::RequestNumber;

constexpr char kSessionLostUrl[] = "rollcall/session_lost";

absl::Status SessionLost() {
  absl::Status status =
      StoreStatus(ErrorCode::kConnectionLost,
                  "the server that came back does not know this client's session: it has another "
                  "journal, or was away for longer than it keeps one",
                  {});
  status.SetPayload(kSessionLostUrl, absl::Cord());
  return status;
}

}  // namespace

bool IsSessionLost(const absl::Status& status) {
  return status.GetPayload(kSessionLostUrl).has_value();
}

Lane::Lane(net::Env& env) : env_(env), monitor_(env.NewMonitor()) {}

Lane::Number::~Number() {
  if (lane_ == nullptr) return;
  net::MonitorLock lock(lane_->monitor_.get());
  lane_->unanswered_.erase(number_);
}

absl::StatusOr<std::string> Lane::Number::Head(Lane& lane, Channel& channel, absl::Time deadline) {
  if (absl::Status entered = lane.Enter(channel, deadline); !entered.ok()) return entered;
  net::MonitorLock lock(lane.monitor_.get());
  if (lane_ == nullptr) {
    lane_ = &lane;
    number_ = lane.next_++;
    incarnation_ = lane.incarnation_;
    lane.unanswered_.insert(number_);
  } else if (incarnation_ != lane.incarnation_) {
    return SessionLost();
  }
  const RequestNumber packed{.number = number_, .unanswered = number_ - *lane.unanswered_.begin()};
  if (packed.unanswered > RequestNumber::kUnansweredMax) {
    return StoreStatus(ErrorCode::kResourceExhausted,
                       absl::StrCat("more than ", RequestNumber::kUnansweredMax,
                                    " later requests have been sent while one is unanswered"),
                       {});
  }
  std::string head;
  absl::Status written = protocol::AppendNumber(Dialect::kModern, packed.Pack(), head);
  if (!written.ok()) return written;
  return head;
}

absl::Status Lane::Enter(Channel& channel, absl::Time deadline) {
  // A server that keeps none has come in the place of one that did.
  if (!channel.keeps_journal()) return SessionLost();
  std::string request;
  bool is_new = false;
  {
    net::MonitorLock lock(monitor_.get());
    is_new = name_.empty();
    if (is_new) {
      protocol::wire::Put(env_.RandomBits(), name_);
      protocol::wire::Put(env_.RandomBits(), name_);
    }
    if (channel.session() == name_) return absl::OkStatus();
    absl::Status written =
        protocol::AppendKeyRequest(Dialect::kModern, Operation::kSession, name_, request);
    if (!written.ok()) return written;
    channel.SetSession(name_);
  }
  if (absl::Status sent = channel.Send(request, deadline); !sent.ok()) return sent;
  const absl::StatusOr<protocol::OwnedReply> known =
      channel.Receive(protocol::ReplyKind::kNumber, 0, deadline);
  if (!known.ok()) return known.status();
  if (is_new || known->number != 0) return absl::OkStatus();
  net::MonitorLock lock(monitor_.get());
  ++incarnation_;
  return absl::OkStatus();
}

}  // namespace rollcall::client
