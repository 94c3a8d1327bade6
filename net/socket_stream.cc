#include "net/socket_stream.h"

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "glog/logging.h"
#include "net/net_error.h"

namespace rollcall::net {
namespace {

// What one connection may take of one turn, so that the others get theirs.
constexpr int kReceivesPerTurn = 4;
constexpr int kSendsPerTurn = 4;
constexpr size_t kPartsPerSend = 16;

static_assert(sizeof(SocketStream) <= 96, "this is what each idle connection costs");

}  // namespace

SocketStream::SocketStream(SocketLoop* loop, int fd, const SocketAddress& peer)
    : loop_(loop), peer_(peer), fd_(fd) {}

SocketStream::~SocketStream() { Close(); }

void SocketStream::MoveTo(EventLoop* loop) {
  CHECK(handler_ == nullptr && interest_ == 0) << "a stream stays where it was started";
  CHECK(loop->kind() == loop_->kind()) << "a stream cannot go to another kind of loop";
  loop_ = static_cast<SocketLoop*>(loop);
}

void SocketStream::Start(StreamHandler* handler) {
  CHECK(handler_ == nullptr) << "a stream is started once";
  handler_ = handler;
  if (!is_closed()) UpdateInterest();
}

void SocketStream::OnReady(uint8_t readiness) {
  const bool broken = (readiness & kBroken) != 0;
  // Out before in: requests make replies. But a broken socket has nothing left except to read.
  if ((readiness & kWritable) != 0 && !broken) Flush();
  if (is_closed() || failed_errno_ != 0) return;
  if (reads()) {
    if (readiness & ~kWritable) Receive(broken || (readiness & kPeerEnded) != 0);
  } else if (broken) {
    OnBrokenUnread();
  }
}

// The kernel says once that there is something new. A receive that leaves room in the buffer has
// emptied the socket, unless an end or an error is known to follow: no second call to be told
// EAGAIN.
void SocketStream::Receive(bool more_is_certain) {
  for (int i = 0; i < kReceivesPerTurn && !is_closed() && reads(); ++i) {
    const absl::Span<char> room = handler_->Room();
    const absl::Span<char> buffer = room.empty() ? loop_->read_buffer() : room;
    const ssize_t count = loop_->syscalls().Recv(fd_, buffer.data(), buffer.size(), 0);
    if (count > 0) {
      const size_t size_bytes = static_cast<size_t>(count);
      if (room.empty()) {
        handler_->OnBytes(absl::string_view(buffer.data(), size_bytes));
      } else {
        handler_->OnBytesInPlace(size_bytes);
      }
      if (size_bytes < buffer.size() && !more_is_certain) return;
    } else if (count == 0) {
      ended_ = true;
      handler_->OnEnd(absl::OkStatus());
      // Most owners close it there, which saves telling the loop.
      if (!is_closed()) UpdateInterest();
    } else if (count == -EAGAIN || count == -EWOULDBLOCK) {
      break;
    } else if (count != -EINTR) {
      return Fail("recv", static_cast<int>(-count));
    }
  }
  // There may be more.
  if ((interest_ & kNewsOnly) != 0) SetInterest(interest_);
}

// Broken while nobody wants to read: paused, or after the end of the stream. The kernel would tell
// it again in each turn, so it has to be dealt with now.
void SocketStream::OnBrokenUnread() {
  int error = 0;
  socklen_t length_bytes = sizeof(error);
  const int result = loop_->syscalls().GetSockOpt(fd_, SOL_SOCKET, SO_ERROR, &error, &length_bytes);
  Fail("connection", result < 0 ? -result : error != 0 ? error : ECONNRESET);
}

void SocketStream::Write(absl::string_view bytes) {
  if (is_closed() || failed_errno_ != 0 || bytes.empty()) return;
  if (unsent_ != nullptr) return unsent_->Append(bytes);
  ssize_t count;
  do {
    count = loop_->syscalls().Send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } while (count == -EINTR);
  KeepUnsent({&bytes, 1}, count);
}

void SocketStream::WriteParts(absl::Span<const absl::string_view> parts) {
  if (is_closed() || failed_errno_ != 0) return;
  ssize_t count = 0;
  if (unsent_ == nullptr) {
    iovec vectors[kPartsPerSend];
    msghdr message = {};
    message.msg_iov = vectors;
    for (const absl::string_view part : parts.first(std::min(parts.size(), kPartsPerSend))) {
      vectors[message.msg_iovlen++] = {const_cast<char*>(part.data()), part.size()};
    }
    do {
      count = loop_->syscalls().SendMsg(fd_, &message, MSG_NOSIGNAL);
    } while (count == -EINTR);
  }
  KeepUnsent(parts, count);
}

void SocketStream::KeepUnsent(absl::Span<const absl::string_view> parts, ssize_t sent) {
  if (sent < 0 && sent != -EAGAIN && sent != -EWOULDBLOCK) {
    return FailLater(static_cast<int>(-sent));
  }
  size_t skip = sent > 0 ? static_cast<size_t>(sent) : 0;
  for (absl::string_view part : parts) {
    const size_t skipped = std::min(skip, part.size());
    skip -= skipped;
    part.remove_prefix(skipped);
    if (part.empty()) continue;
    if (unsent_ == nullptr) unsent_ = std::make_unique<WriteQueue>();
    unsent_->Append(part);
  }
  if (unsent_ != nullptr) UpdateInterest();
}

void SocketStream::Flush() {
  if (unsent_ == nullptr) return;
  for (int i = 0; i < kSendsPerTurn && unsent_->size_bytes() > 0; ++i) {
    iovec parts[kPartsPerSend];
    msghdr message = {};
    message.msg_iov = parts;
    message.msg_iovlen = unsent_->Peek(absl::MakeSpan(parts));
    const ssize_t count = loop_->syscalls().SendMsg(fd_, &message, MSG_NOSIGNAL);
    if (count == -EAGAIN || count == -EWOULDBLOCK) return;
    if (count == -EINTR) continue;
    if (count < 0) return Fail("send", static_cast<int>(-count));
    unsent_->Consume(static_cast<size_t>(count));
  }
  if (unsent_->size_bytes() > 0) return;
  unsent_.reset();
  UpdateInterest();
  if (handler_ != nullptr) handler_->OnDrained();
}

void SocketStream::PauseReading() {
  paused_ = true;
  if (!is_closed()) UpdateInterest();
}

void SocketStream::ResumeReading() {
  paused_ = false;
  if (!is_closed()) UpdateInterest();
}

void SocketStream::UpdateInterest() {
  const uint8_t interest = (reads() ? kReadable : 0) | (unsent_ != nullptr ? kWritable : 0);
  // Not for writing: a kernel short of memory says EAGAIN without news to follow.
  const uint8_t manner = interest == kReadable ? kNewsOnly : 0;
  if ((interest | manner) != interest_) SetInterest(interest | manner);
}

void SocketStream::SetInterest(uint8_t interest) {
  if (failed_errno_ != 0 || is_closed()) return;
  const int result = loop_->Watch(this, fd_, interest);
  if (result < 0) return FailLater(-result);
  interest_ = interest;
}

void SocketStream::FailLater(int errno_value) {
  failed_errno_ = static_cast<int16_t>(errno_value);
  loop_->Unwatch(this, fd_);
  loop_->ReportFailureLater(this);
}

void SocketStream::ReportFailure() { Fail("connection", failed_errno_); }

void SocketStream::Fail(absl::string_view call, int errno_value) {
  failed_errno_ = static_cast<int16_t>(errno_value);
  loop_->Unwatch(this, fd_);
  const bool had_unsent = unsent_ != nullptr;
  unsent_.reset();
  if (handler_ == nullptr) return;
  if (!ended_) {
    ended_ = true;
    handler_->OnEnd(ErrnoError(call, errno_value, Phase::kTransfer, peer_.ToString()));
  } else if (had_unsent) {
    // OnEnd came and does not come twice. An owner that waits to close until all is sent is told
    // that there is nothing left to wait for.
    handler_->OnDrained();
  }
}

void SocketStream::Close() {
  if (is_closed()) return;
  if (failed_errno_ != 0) loop_->ForgetFailure(this);
  loop_->Unwatch(this, fd_);
  loop_->syscalls().Close(std::exchange(fd_, -1));
  unsent_.reset();
  loop_->OnDescriptorFreed();
}

}  // namespace rollcall::net
