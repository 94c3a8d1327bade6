#include "store/client/channel.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "store/client/call.h"

namespace rollcall::client {
namespace {

// Most replies are a few bytes; a rank keeps one of these for as long as the job runs.
constexpr size_t kBufferBytesMin = 512;
// For long replies: each read should be worth its system call.
constexpr size_t kBufferBytesMax = 128 << 10;

}  // namespace

Channel::Channel(std::unique_ptr<net::Connection> connection)
    : connection_(std::move(connection)), buffer_(kBufferBytesMin) {}

Channel::~Channel() {
  if (!in_step_) connection_->ResetOnClose();
}

absl::Status Channel::Send(absl::string_view request, absl::Time deadline) {
  absl::Status sent = connection_->Write(request, deadline);
  if (!sent.ok()) Break();
  return sent;
}

absl::Status Channel::SendFromOutside(absl::string_view request) {
  absl::Status sent = connection_->Write(request, absl::InfinitePast());
  // The receiver finds out by itself; in_step_ is its own.
  if (!sent.ok()) connection_->Shutdown();
  return sent;
}

absl::Status Channel::Fill(size_t wanted_bytes, absl::Time deadline) {
  if (read_ < filled_) return absl::OkStatus();
  read_ = filled_ = 0;
  const size_t size = std::clamp(wanted_bytes, kBufferBytesMin, kBufferBytesMax);
  if (size > buffer_.size()) buffer_.resize(size);
  absl::StatusOr<size_t> got = connection_->Read(buffer_.data(), buffer_.size(), deadline);
  if (!got.ok()) return got.status();
  filled_ = *got;
  return absl::OkStatus();
}

absl::StatusOr<uint8_t> Channel::ReceiveByte(absl::Time deadline) {
  if (absl::Status filled = Fill(1, deadline); !filled.ok()) {
    if (!IsTimeout(filled)) Break();
    return filled;
  }
  return static_cast<uint8_t>(buffer_[read_++]);
}

absl::StatusOr<uint8_t> Channel::ReceiveOwed(absl::Time deadline) {
  while (true) {
    absl::StatusOr<uint8_t> byte = ReceiveByte(deadline);
    if (!byte.ok()) return byte;
    if (owed_.front() == Owed::kSignal) {
      owed_.erase(owed_.begin());
      return byte;
    }
    const bool crossed = owed_.front() == Owed::kCancelAnswerCrossed;
    if (*byte == protocol::kWaitCanceled) {
      owed_.erase(owed_.begin());
      return crossed ? protocol::kStopWaiting : protocol::kWaitCanceled;
    }
    if (*byte != protocol::kStopWaiting || crossed) {
      Break();
      return absl::DataLossError(
          absl::StrCat("the server answered the cancelling of a wait with byte ", int{*byte}));
    }
    owed_.front() = Owed::kCancelAnswerCrossed;
  }
}

absl::StatusOr<uint8_t> Channel::ReceiveSignal(absl::Time deadline) {
  while (owes()) {
    if (absl::StatusOr<uint8_t> owed = ReceiveOwed(deadline); !owed.ok()) return owed;
  }
  absl::StatusOr<uint8_t> signal = ReceiveByte(deadline);
  if (signal.ok()) unacknowledged_ = 0;
  return signal;
}

absl::StatusOr<protocol::OwnedReply> Channel::Receive(protocol::ReplyKind kind, size_t texts,
                                                      absl::Time deadline) {
  while (owes()) {
    if (absl::StatusOr<uint8_t> owed = ReceiveOwed(deadline); !owed.ok()) {
      Break();
      return owed.status();
    }
  }
  protocol::ReplyParser parser(kind, texts);
  while (!parser.done()) {
    if (absl::Status filled = Fill(parser.missing_bytes(), deadline); !filled.ok()) {
      Break();
      return filled;
    }
    absl::StatusOr<size_t> consumed = parser.Consume(unread());
    if (!consumed.ok()) {
      Break();
      return consumed.status();
    }
    read_ += *consumed;
  }
  unacknowledged_ = 0;
  if (buffer_.size() > kBufferBytesMin && read_ == filled_) {
    buffer_ = std::vector<char>(kBufferBytesMin);
    read_ = filled_ = 0;
  }
  return parser.Take();
}

void Channel::OweCancelAnswer() { owed_.push_back(Owed::kCancelAnswer); }

void Channel::OweSignals(size_t count) { owed_.insert(owed_.end(), count, Owed::kSignal); }

}  // namespace rollcall::client
