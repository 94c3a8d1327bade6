// recv and send.
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "fault_injection/sim_fabric.h"
#include "fault_injection/sim_tcp.h"
#include "fault_injection/sim_tcp_internal.h"

namespace rollcall::fault {

// What the choices leave of a transfer that may legally be shorter.
inline size_t TcpSocket::Shorten(absl::string_view site, size_t size_bytes) {
  return fabric_.options().short_transfer_percent == 0 || size_bytes <= 1
             ? size_bytes
             : DrawShorter(site, size_bytes);
}

size_t TcpSocket::DrawShorter(absl::string_view site, size_t size_bytes) {
  const uint64_t percent = static_cast<uint64_t>(fabric_.options().short_transfer_percent);
  // 0, the dull choice, shortens nothing.
  if (scheduler().Choose("net.short", 100) < 100 - percent) return size_bytes;
  return size_bytes - static_cast<size_t>(scheduler().Choose(site, size_bytes));
}

ssize_t TcpSocket::Recv(char* buffer, size_t size_bytes, int flags) {
  if (state_ == TcpState::kListen) return -ENOTCONN;
  const bool blocks = !nonblocking() && (flags & MSG_DONTWAIT) == 0;
  const absl::Time deadline =
      blocks ? fabric_.Now() + options_.receive_timeout : absl::InfinitePast();
  const bool peeks = (flags & MSG_PEEK) != 0;
  size_t copied = 0;
  while (copied < size_bytes) {
    if (received_.size_bytes() > 0) {
      const size_t wanted =
          Shorten("net.recv_size", std::min(size_bytes - copied, received_.size_bytes()));
      if (peeks) return static_cast<ssize_t>(received_.Peek(buffer, wanted));
      copied += received_.Read(buffer + copied, wanted, fabric_.packets());
      OpenWindow();
      if ((flags & MSG_WAITALL) != 0 && blocks) continue;
      if (copied < size_bytes) AnnounceRest();
      break;
    }
    if (copied > 0 && (error_ != 0 || fin_received_ || state_ == TcpState::kClosed)) break;
    if (fin_received_) return 0;
    if (error_ != 0) return -TakeError();
    if (shutdown_ & kReceiveShut) break;
    if (state_ == TcpState::kClosed) return -ENOTCONN;
    if (!blocks || fabric_.Now() >= deadline) return copied > 0 ? copied : -EAGAIN;
    // The waits of one connection are many.
    if (receive_label_.empty()) {
      receive_label_ = absl::StrCat("bytes from ", fabric_.NameOf(remote));
    }
    WaitFor(EPOLLIN | EPOLLRDHUP, deadline, receive_label_);
  }
  return static_cast<ssize_t>(copied);
}

void TcpSocket::AnnounceRest() {
  if (received_.size_bytes() > 0) Notify(EPOLLIN | EPOLLRDNORM);
}

ssize_t TcpSocket::Send(absl::Span<const iovec> parts, size_t size_bytes_max, int flags) {
  const bool blocks = !nonblocking() && (flags & MSG_DONTWAIT) == 0;
  const absl::Time deadline = blocks ? fabric_.Now() + options_.send_timeout : absl::InfinitePast();
  if (state_ != TcpState::kEstablished) {
    if (const int error = SendWithoutConnection(blocks, deadline); error < 0) return error;
  }
  size_t size_bytes = 0;
  for (const iovec& part : parts) size_bytes += part.iov_len;
  size_bytes = std::min(size_bytes, size_bytes_max);
  if (!blocks) size_bytes = Shorten("net.send_size", size_bytes);
  size_t copied = 0;
  while (copied < size_bytes) {
    if (error_ != 0 || (shutdown_ & kSendShut) != 0) {
      if (copied > 0) break;
      const int error = TakeError();
      return error != 0 ? -error : -EPIPE;
    }
    const size_t room =
        options_.send_buffer_bytes - std::min(options_.send_buffer_bytes, queued_bytes_);
    if (room > 0) {
      copied += CopyIn(parts, copied, std::min(room, size_bytes - copied));
      PushUnsent();
      fabric_.Settle();
      continue;
    }
    lacks_space_ = true;
    if (!blocks || fabric_.Now() >= deadline) return copied > 0 ? copied : -EAGAIN;
    WaitFor(EPOLLOUT, deadline, absl::StrCat("room to send to ", remote.ToString()));
  }
  return static_cast<ssize_t>(copied);
}

// 0: it has come about meanwhile.
int TcpSocket::SendWithoutConnection(bool blocks, absl::Time deadline) {
  while (state_ != TcpState::kEstablished) {
    if (const int error = TakeError(); error != 0) return -error;
    if (state_ != TcpState::kSynSent) return -EPIPE;
    if (!blocks || fabric_.Now() >= deadline) return -EAGAIN;
    WaitFor(EPOLLOUT, deadline, absl::StrCat("connection to ", remote.ToString()));
  }
  return 0;
}

// Queues up to `size_bytes` of what lies in `parts` from `from_byte` on; how many.
size_t TcpSocket::CopyIn(absl::Span<const iovec> parts, size_t from_byte, size_t size_bytes) {
  size_t skipped = from_byte;
  size_t copied = 0;
  for (const iovec& part : parts) {
    const size_t skip = std::min(skipped, part.iov_len);
    skipped -= skip;
    absl::string_view bytes(static_cast<const char*>(part.iov_base) + skip,
                            std::min(part.iov_len - skip, size_bytes - copied));
    copied += bytes.size();
    while (!bytes.empty()) {
      size_t taken = unsent_.AppendToLast(bytes);
      if (taken == 0) {
        taken = std::min(bytes.size(), kPacketBytesMax);
        Packet* const packet = fabric_.packets().New(PacketKind::kData, taken);
        std::memcpy(packet->bytes(), bytes.data(), taken);
        packet->end = static_cast<uint32_t>(taken);
        unsent_.Push(packet);
      }
      bytes.remove_prefix(taken);
    }
    if (copied == size_bytes) break;
  }
  queued_bytes_ += copied;
  return copied;
}

}  // namespace rollcall::fault
