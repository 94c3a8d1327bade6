// A pipeline's way over the wire: see store_client.cc for single operations.
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/client/lane.h"
#include "store/client/pipeline.h"
#include "store/client/resumption.h"
#include "store/client/store_client.h"
#include "store/dist_error.h"
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

// What can be said of a run that ended after so many answers.
bool MayHaveChanged(const std::vector<Pipeline::Item>& items, size_t answered) {
  for (size_t i = 0; i < items.size(); ++i) {
    // A write without a reply counts as answered, and is not known to be applied.
    const bool is_known = i < answered && items[i].done != nullptr;
    if (!is_known && ChangesSomething(items[i].operation)) return true;
  }
  return false;
}

// Over one channel after another, each of which it has for itself meanwhile.
class Flights {
 public:
  Flights(std::vector<Pipeline::Item>& items, std::string confirm, absl::Time deadline)
      : items_(items), confirm_(std::move(confirm)), deadline_(deadline) {}

  // `lane`: nullptr, or what to number requests by, and to go on after a channel broke. Always the
  // same.
  absl::Status Run(Channel& channel, Lane* lane) {
    channel_ = &channel;
    lane_ = lane;
    // What was not confirmed flies again, with the numbers that it had.
    answered_ = sent_ = confirmed_;
    awaits_value_ = false;
    while (sent_ < items_.size() || awaits_value_) {
      if (absl::Status done = RunOne(); !done.ok()) return done;
    }
    return absl::OkStatus();
  }

  // How many of the items are over, from the front.
  size_t answered() const { return answered_; }
  // How many of them are known to be applied, from the front.
  size_t confirmed() const { return confirmed_; }

 private:
  bool MaySendGet() const { return channel_->answers_get_of_missing_key(); }

  absl::Status RunOne() {
    std::string bytes;
    // Of an item whose check has flown before.
    const bool begins_with_value = std::exchange(awaits_value_, false);
    if (begins_with_value) bytes = items_[answered_].get;
    bool ends_with_check = false;
    while (sent_ < items_.size() && !ends_with_check) {
      const Pipeline::Item& item = items_[sent_];
      if (!bytes.empty() &&
          bytes.size() + item.request.size() + item.get.size() > kFlightBytesMax) {
        break;
      }
      if (absl::Status numbered = AppendHead(sent_, bytes); !numbered.ok()) return numbered;
      bytes += item.request;
      if (MaySendGet()) {
        bytes += item.get;
      } else {
        ends_with_check = !item.get.empty();
      }
      ++sent_;
    }
    const bool confirms = Confirms();
    if (confirms) bytes += confirm_;
    if (absl::Status sent = channel_->Send(bytes, deadline_); !sent.ok()) return sent;
    if (begins_with_value) {
      if (absl::Status got = TakeValue(items_[answered_], /*is_there=*/true); !got.ok()) return got;
      Answered();
    }
    while (answered_ < sent_ && !awaits_value_) {
      if (absl::Status taken = TakeReply(items_[answered_]); !taken.ok()) return taken;
      if (!awaits_value_) Answered();
    }
    if (!confirms) return absl::OkStatus();
    absl::Status confirmed = channel_->Receive(ReplyKind::kNumber, 0, deadline_).status();
    if (confirmed.ok()) Confirm();
    return confirmed;
  }

  // Whether the flight, as it stands, ends with a request whose reply confirms it.
  bool Confirms() const {
    if (sent_ == 0 || items_[sent_ - 1].done != nullptr) return false;
    // Each by itself, where it may have to fly again.
    return sent_ == items_.size() || lane_ != nullptr;
  }

  absl::Status AppendHead(size_t item, std::string& bytes) {
    if (lane_ == nullptr || !ChangesSomething(items_[item].operation)) return absl::OkStatus();
    numbers_.resize(items_.size());
    std::unique_ptr<Lane::Number>& number = numbers_[item];
    if (number == nullptr) number = std::make_unique<Lane::Number>();
    const absl::StatusOr<std::string> head = number->Head(*lane_, *channel_, deadline_);
    if (head.ok()) bytes += *head;
    return head.status();
  }

  void Answered() {
    // A reply confirms what was sent before it.
    if (items_[answered_++].done != nullptr) Confirm();
  }
  void Confirm() {
    for (; confirmed_ < answered_; ++confirmed_) {
      if (!numbers_.empty()) numbers_[confirmed_].reset();
    }
  }

  absl::Status TakeReply(Pipeline::Item& item) {
    if (item.done == nullptr) {
      if (lane_ == nullptr) channel_->CountUnacknowledged(1);
      return absl::OkStatus();
    }
    // A get's check comes first.
    const bool is_get = item.operation == Operation::kGet;
    const ReplyKind kind = is_get ? ReplyKind::kSignal : *protocol::ReplyOf(item.operation);
    absl::StatusOr<OwnedReply> reply = channel_->Receive(kind, 0, deadline_);
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
    absl::StatusOr<OwnedReply> value = channel_->Receive(ReplyKind::kBytes, 0, deadline_);
    if (!value.ok()) return value.status();
    item.done(is_there ? *std::move(value) : OwnedReply());
    return absl::OkStatus();
  }

  Channel* channel_ = nullptr;
  std::vector<Pipeline::Item>& items_;
  const std::string confirm_;
  const absl::Time deadline_;
  Lane* lane_ = nullptr;
  std::vector<std::unique_ptr<Lane::Number>> numbers_;  // By item; empty without a lane.
  size_t sent_ = 0;
  size_t answered_ = 0;
  size_t confirmed_ = 0;
  // The check of items_[answered_] has found the key, and its get has not been sent.
  bool awaits_value_ = false;
};

}  // namespace

absl::Status StoreClient::Run(Pipeline& pipeline, absl::Duration timeout) {
  const Call call = Begin("batch", timeout);
  std::vector<Pipeline::Item> items = pipeline.Take();
  if (items.empty()) return absl::OkStatus();
  std::string confirm;
  // Every dialect and every server has it.
  protocol::AppendBareRequest(options_.dialect, Operation::kNumKeys, confirm).IgnoreError();
  Flights flights(items, std::move(confirm), call.deadline);
  Resumption resumption(&env_, &channels_, call.deadline);
  absl::Status told;
  bool was_sent = false;
  Lane* lane = nullptr;
  while (true) {
    absl::Status failed;
    {
      const absl::StatusOr<ChannelSet::Lease> channel = channels_.Primary(call.deadline);
      failed = channel.status();
      if (channel.ok()) {
        if (!was_sent && (*channel)->keeps_journal()) lane = &channels_.lane();
        was_sent = true;
        const int unacknowledged = (*channel)->unacknowledged();
        failed = flights.Run(**channel, lane);
        if (failed.ok()) return failed;
        told = Failed(call, failed, MayHaveChanged(items, flights.answered()), unacknowledged);
      } else if (!was_sent) {
        told = NotSent(call, failed);
      }
    }
    // What flew without numbers flies once, even if by now there is a server with a journal.
    const bool tries_again = (lane != nullptr || !was_sent) && resumption.TryAgain(failed);
    if (!tries_again || resumption.orderly_hang_ups() >= 2) {
      const bool is_orderly = IsOrderlyHangUp(failed);
      absl::Status explained = ExplainRun(call, items, flights.answered(), told, is_orderly);
      if (!tries_again || rollcall::CodeOf(explained) == ErrorCode::kNotANumber) {
        told = std::move(explained);
        break;
      }
    }
  }
  for (size_t i = flights.answered(); i < items.size(); ++i) {
    if (items[i].done != nullptr) items[i].done(told);
  }
  return told;
}

absl::Status StoreClient::ExplainRun(const Call& call, const std::vector<Pipeline::Item>& items,
                                     size_t answered, const absl::Status& failed, bool is_orderly) {
  if (answered == items.size() || items[answered].operation != Operation::kAdd) return failed;
  const absl::string_view key = items[answered].key;
  Call add = call;
  add.operation = "add";
  add.key = &key;
  return ExplainHangUp(add, failed, is_orderly ? HangUp::kOrderly : HangUp::kNone);
}

}  // namespace rollcall::client
