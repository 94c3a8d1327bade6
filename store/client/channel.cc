#include "store/client/channel.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "store/client/call.h"
#include "store/protocol/goodbye.h"

namespace rollcall::client {
namespace {

// Most replies are a few bytes; a rank keeps one of these for as long as the job runs.
constexpr size_t kBufferBytesMin = 512;
// For long replies: each read should be worth its system call.
constexpr size_t kBufferBytesMax = 128 << 10;

}  // namespace

Channel::Channel(std::unique_ptr<net::Connection> connection, uint32_t features)
    : connection_(std::move(connection)), features_(features), buffer_(kBufferBytesMin) {}

Channel::~Channel() {
  if (!in_step_) connection_->ResetOnClose();
}

absl::Status Channel::Send(absl::string_view request, absl::Time deadline) {
  absl::Status sent = connection_->Write(request, deadline);
  if (sent.ok()) return sent;
  Break();
  return WhyHungUp(std::move(sent));
}

absl::Status Channel::WhyHungUp(absl::Status failure) {
  if ((features_ & protocol::kSaysGoodbye) == 0 || !IsHangUp(failure)) return failure;
  // All of it has come, or will not.
  const absl::Time now = absl::InfinitePast();
  while (owes()) {
    if (absl::StatusOr<uint8_t> owed = ReceiveOwed(now); !owed.ok()) {
      return IsGoodbye(owed.status()) ? owed.status() : failure;
    }
  }
  absl::Status said = CheckGoodbye(/*head_bytes=*/1, kBufferBytesMin, now);
  return IsGoodbye(said) ? said : failure;
}

absl::Status Channel::SendFromOutside(absl::string_view request) {
  absl::Status sent = connection_->Write(request, absl::InfinitePast());
  // The receiver finds out by itself; in_step_ is its own.
  if (!sent.ok()) connection_->Shutdown();
  return sent;
}

absl::Status Channel::Fill(size_t wanted_bytes, absl::Time deadline, size_t bytes_min) {
  while (filled_ - read_ < bytes_min) {
    // Nearly always none.
    std::copy(buffer_.begin() + static_cast<ptrdiff_t>(read_),
              buffer_.begin() + static_cast<ptrdiff_t>(filled_), buffer_.begin());
    filled_ -= std::exchange(read_, 0);
    const size_t size = std::clamp(wanted_bytes, kBufferBytesMin, kBufferBytesMax);
    if (size > buffer_.size()) buffer_.resize(size);
    absl::StatusOr<size_t> got =
        connection_->Read(buffer_.data() + filled_, buffer_.size() - filled_, deadline);
    if (!got.ok()) return got.status();
    filled_ += *got;
  }
  return absl::OkStatus();
}

absl::Status Channel::CheckGoodbye(size_t head_bytes, size_t wanted_bytes, absl::Time deadline) {
  if ((features_ & protocol::kSaysGoodbye) == 0) return absl::OkStatus();
  for (size_t i = 0; i < std::min(head_bytes, protocol::kGoodbyeMark.size()); ++i) {
    if (absl::Status filled = Fill(wanted_bytes, deadline, i + 1); !filled.ok()) return filled;
    if (unread()[i] != protocol::kGoodbyeMark[i]) return absl::OkStatus();
  }
  return TakeGoodbye(deadline);
}

absl::Status Channel::TakeGoodbye(absl::Time deadline) {
  constexpr int kTexts = 2;
  Break();
  const absl::string_view mark = protocol::kGoodbyeMark;
  if (absl::Status filled = Fill(kBufferBytesMin, deadline, mark.size()); !filled.ok()) {
    return filled;
  }
  if (!absl::StartsWith(unread(), mark)) {
    return absl::DataLossError("a reply that begins as a goodbye and is none");
  }
  read_ += mark.size();
  protocol::ReplyParser parser(protocol::ReplyKind::kTexts, kTexts,
                               {.text_bytes_max = 2 * protocol::kGoodbyeTextBytesMax});
  while (!parser.done()) {
    if (absl::Status filled = Fill(parser.missing_bytes(), deadline); !filled.ok()) return filled;
    absl::StatusOr<size_t> consumed = parser.Consume(unread());
    if (!consumed.ok()) return consumed.status();
    read_ += *consumed;
  }
  const protocol::OwnedReply said = parser.Take();
  return GoodbyeStatus(said.texts[0], said.texts[1]);
}

absl::StatusOr<uint8_t> Channel::ReceiveByte(absl::Time deadline) {
  absl::Status filled = Fill(1, deadline);
  if (filled.ok()) filled = CheckGoodbye(/*head_bytes=*/1, /*wanted_bytes=*/1, deadline);
  if (!filled.ok()) {
    if (!IsTimeout(filled)) Break();
    return filled;
  }
  return static_cast<uint8_t>(buffer_[read_++]);
}

absl::Status Channel::Parse(protocol::ReplyParser& parser, size_t bytes_behind,
                            absl::Time deadline) {
  while (!parser.done()) {
    const size_t wanted_bytes = parser.missing_bytes() + bytes_behind;
    absl::Status filled = Fill(wanted_bytes, deadline);
    if (filled.ok() && !parser.begun()) {
      filled = CheckGoodbye(parser.missing_bytes(), wanted_bytes, deadline);
    }
    if (!filled.ok()) {
      if (!IsTimeout(filled)) Break();
      return filled;
    }
    absl::StatusOr<size_t> consumed = parser.Consume(unread());
    if (!consumed.ok()) {
      Break();
      return consumed.status();
    }
    read_ += *consumed;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Channel::ReceiveFirstOwedText(absl::Time deadline) {
  if (text_parser_ == nullptr) {
    text_parser_ = std::make_unique<protocol::ReplyParser>(protocol::ReplyKind::kBytes);
  }
  // The answer to the wait that was sent with it is most likely right behind.
  absl::Status parsed = Parse(*text_parser_, /*bytes_behind=*/1, deadline);
  if (!parsed.ok()) return parsed;
  std::string text = std::move(text_parser_->Take().texts[0]);
  text_parser_.reset();
  owed_.erase(owed_.begin());
  return text;
}

absl::StatusOr<std::string> Channel::ReceiveOwedText(absl::Time deadline) {
  while (owed_.size() > 1) {
    if (absl::StatusOr<uint8_t> owed = ReceiveOwed(deadline); !owed.ok()) return owed.status();
  }
  absl::StatusOr<std::string> text = ReceiveFirstOwedText(deadline);
  if (text.ok()) unacknowledged_ = 0;
  return text;
}

absl::StatusOr<uint8_t> Channel::ReceiveOwed(absl::Time deadline) {
  if (owed_.front() == Owed::kText) {
    if (absl::StatusOr<std::string> text = ReceiveFirstOwedText(deadline); !text.ok()) {
      return text.status();
    }
    return uint8_t{0};
  }
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
  ShrinkBuffer();
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
  if (absl::Status parsed = Parse(parser, /*bytes_behind=*/0, deadline); !parsed.ok()) {
    Break();
    return parsed;
  }
  unacknowledged_ = 0;
  ShrinkBuffer();
  return parser.Take();
}

void Channel::ShrinkBuffer() {
  if (buffer_.size() <= kBufferBytesMin || read_ < filled_) return;
  buffer_ = std::vector<char>(kBufferBytesMin);
  read_ = filled_ = 0;
}

void Channel::OweCancelAnswer() { owed_.push_back(Owed::kCancelAnswer); }

void Channel::OweText() { owed_.push_back(Owed::kText); }

void Channel::OweSignals(size_t count) { owed_.insert(owed_.end(), count, Owed::kSignal); }

}  // namespace rollcall::client
