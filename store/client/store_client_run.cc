// A pipeline's way over the wire: see store_client.cc for single operations.
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/client/pipeline.h"
#include "store/client/store_client.h"
#include "store/protocol/reply_of.h"
#include "store/protocol/request_writer.h"

namespace rollcall::client {
namespace {

using protocol::Operation;
using protocol::OwnedReply;
using protocol::ReplyKind;

// While a flight is being sent nobody reads the answers to its beginning, so it has to fit into
// what the two kernels hold between them: else a server that will not read before it has written,
// as torch's poll server, and a client that will not read before it has sent, wait for each other.
// A longer request flies alone.
constexpr size_t kFlightBytesMax = 32 << 10;

// On one channel, which it has for itself.
class Flights {
 public:
  Flights(Channel& channel, std::vector<Pipeline::Item>& items, std::string confirm,
          absl::Time deadline)
      : channel_(channel), items_(items), confirm_(std::move(confirm)), deadline_(deadline) {}

  absl::Status Run() {
    while (sent_ < items_.size() || awaits_value_) {
      if (absl::Status done = RunOne(); !done.ok()) return done;
    }
    return absl::OkStatus();
  }

  // How many of the items are over, from the front.
  size_t answered() const { return answered_; }

 private:
  bool MaySendGet() const { return channel_.answers_get_of_missing_key(); }

  absl::Status RunOne() {
    std::string bytes;
    // Of an item whose check has flown before.
    const bool begins_with_value = std::exchange(awaits_value_, false);
    if (begins_with_value) bytes = std::move(items_[answered_].get);
    bool ends_with_check = false;
    while (sent_ < items_.size() && !ends_with_check) {
      Pipeline::Item& item = items_[sent_];
      if (!bytes.empty() &&
          bytes.size() + item.request.size() + item.get.size() > kFlightBytesMax) {
        break;
      }
      bytes += item.request;
      if (MaySendGet()) {
        bytes += item.get;
      } else {
        ends_with_check = !item.get.empty();
      }
      ++sent_;
    }
    const bool confirms =
        sent_ == items_.size() && !items_.empty() && items_.back().done == nullptr;
    if (confirms) bytes += confirm_;
    if (absl::Status sent = channel_.Send(bytes, deadline_); !sent.ok()) return sent;
    if (begins_with_value) {
      if (absl::Status got = TakeValue(items_[answered_], /*is_there=*/true); !got.ok()) return got;
      ++answered_;
    }
    while (answered_ < sent_ && !awaits_value_) {
      if (absl::Status taken = TakeReply(items_[answered_]); !taken.ok()) return taken;
      if (!awaits_value_) ++answered_;
    }
    if (!confirms) return absl::OkStatus();
    return channel_.Receive(ReplyKind::kNumber, 0, deadline_).status();
  }

  absl::Status TakeReply(Pipeline::Item& item) {
    if (item.done == nullptr) {
      channel_.CountUnacknowledged(1);
      return absl::OkStatus();
    }
    // A get's check comes first.
    const bool is_get = item.operation == Operation::kGet;
    const ReplyKind kind = is_get ? ReplyKind::kSignal : *protocol::ReplyOf(item.operation);
    absl::StatusOr<OwnedReply> reply = channel_.Receive(kind, 0, deadline_);
    if (!reply.ok()) return reply.status();
    if (!is_get) {
      item.done(*std::move(reply));
      return absl::OkStatus();
    }
    const bool is_there = reply->signal == protocol::kReady;
    if (MaySendGet()) return TakeValue(item, is_there);
    if (is_there) {
      awaits_value_ = true;
    } else {
      item.done(OwnedReply());
    }
    return absl::OkStatus();
  }

  absl::Status TakeValue(Pipeline::Item& item, bool is_there) {
    absl::StatusOr<OwnedReply> value = channel_.Receive(ReplyKind::kBytes, 0, deadline_);
    if (!value.ok()) return value.status();
    item.done(is_there ? *std::move(value) : OwnedReply());
    return absl::OkStatus();
  }

  Channel& channel_;
  std::vector<Pipeline::Item>& items_;
  const std::string confirm_;
  const absl::Time deadline_;
  size_t sent_ = 0;
  size_t answered_ = 0;
  // The check of items_[answered_] has found the key, and its get has not been sent.
  bool awaits_value_ = false;
};

bool ChangesSomething(Operation operation) {
  switch (operation) {
    case Operation::kCheck:
    case Operation::kGet:
    case Operation::kNumKeys:
    case Operation::kQueueLen:
      return false;
    default:
      return true;
  }
}

}  // namespace

absl::Status StoreClient::Run(Pipeline& pipeline, absl::Duration timeout) {
  Call call = Begin("batch", timeout);
  std::vector<Pipeline::Item> items = pipeline.Take();
  if (items.empty()) return absl::OkStatus();
  absl::Status failed;
  size_t answered = 0;
  HangUp hang_up = HangUp::kNone;
  {
    absl::StatusOr<ChannelSet::Lease> channel = channels_.Primary(call.deadline);
    if (channel.ok()) {
      const int unacknowledged = (*channel)->unacknowledged();
      std::string confirm;
      // Every dialect and every server has it.
      protocol::AppendBareRequest(options_.dialect, Operation::kNumKeys, confirm).IgnoreError();
      Flights flights(**channel, items, std::move(confirm), call.deadline);
      const absl::Status flown = flights.Run();
      if (flown.ok()) return flown;
      answered = flights.answered();
      if (IsOrderlyHangUp(flown)) hang_up = HangUp::kOrderly;
      bool changes_something = false;
      // A write without a reply counts as answered, and is not known to be applied.
      for (size_t i = 0; i < items.size(); ++i) {
        const bool is_known = i < answered && items[i].done != nullptr;
        changes_something |= !is_known && ChangesSomething(items[i].operation);
      }
      failed = Failed(call, flown, changes_something, unacknowledged);
    } else {
      failed = NotSent(call, channel.status());
    }
  }
  if (answered < items.size() && items[answered].operation == Operation::kAdd) {
    const absl::string_view key = items[answered].key;
    Call add = call;
    add.operation = "add";
    add.key = &key;
    failed = ExplainHangUp(add, failed, hang_up);
  }
  for (size_t i = answered; i < items.size(); ++i) {
    if (items[i].done != nullptr) items[i].done(failed);
  }
  return failed;
}

}  // namespace rollcall::client
