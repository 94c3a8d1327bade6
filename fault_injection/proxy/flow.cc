#include "fault_injection/proxy/flow.h"

#include <errno.h>

#include <algorithm>
#include <utility>

namespace rollcall::fault {

Flow::Flow(Lane* lane, const Lane* back, FrameScanner* scanner, RequestScanner* requests)
    : lane_(*lane), back_(*back), scanner_(*scanner), requests_(requests) {}

Flow::~Flow() { lane_.faults.Forget(this); }

// --- In ---

void Flow::Read(SocketEnd& from, SocketEnd& to, absl::Span<char> buffer, absl::Time now) {
  if (!wants_read()) return;
  const ssize_t received = from.Receive(buffer);
  if (received > 0) {
    Take({buffer.data(), static_cast<size_t>(received)}, to, now);
  } else if (received != -EAGAIN && received != -EINTR) {
    const bool is_fin = received == 0 && !source_is_broken_;
    TakeEnd(is_fin ? PieceKind::kFin : PieceKind::kReset, to, now);
  }
}

void Flow::Take(absl::string_view bytes, SocketEnd& to, absl::Time now) {
  if (discards_) return;
  if (lane_.changes_frames()) return TakeChanged(bytes, to, now);
  for (absl::string_view rest = bytes; !rest.empty();) {
    const FramePart part = scanner_.Next(rest);
    lane_.stats.frames += part.ends;
    rest.remove_prefix(part.size_bytes);
  }
  Forward(bytes, to, now);
}

void Flow::TakeChanged(absl::string_view bytes, SocketEnd& to, absl::Time now) {
  std::string changed;
  while (!bytes.empty() && !discards_) {
    const FramePart part = scanner_.Next(bytes);
    lane_.stats.frames += part.ends;
    FrameFaults::Outcome outcome =
        lane_.faults.Apply(this, part, bytes.substr(0, part.size_bytes), lane_.stats);
    bytes.remove_prefix(part.size_bytes);
    if (outcome.repeats_frame && requests_ != nullptr) requests_->RepeatLast();
    if (lane_.settings.coalesced_frames > 1) {
      coalesced_.append(outcome.bytes);
      queued_bytes_ += outcome.bytes.size();
      coalesced_frames_ += part.ends;
      const bool is_full = coalesced_frames_ >= lane_.settings.coalesced_frames ||
                           coalesced_.size() >= kQueuedBytesMax || scanner_.is_lost();
      if (is_full || outcome.ending.has_value()) ForwardCoalesced(to, now);
    } else {
      changed.append(outcome.bytes);
    }
    if (outcome.ending.has_value()) {
      Forward(std::exchange(changed, {}), to, now);
      discards_ = true;
      if (*outcome.ending == Ending::kFin) EnqueueEnd(PieceKind::kFin, now);
      if (*outcome.ending == Ending::kReset) EnqueueEnd(PieceKind::kReset, now);
    }
  }
  Forward(changed, to, now);
  Pump(to, now);
}

void Flow::TakeEnd(PieceKind kind, SocketEnd& to, absl::Time now) {
  source_ended_ = true;
  source_is_reset_ = kind == PieceKind::kReset;
  ForwardCoalesced(to, now);
  EnqueueEnd(kind, now);
  Pump(to, now);
}

void Flow::Forward(absl::string_view bytes, SocketEnd& to, absl::Time now) {
  if (bytes.empty() || receiver_is_gone_) return;
  if (queue_.empty() && lane_.is_plain() && !receiver_has_vanished_) {
    bytes.remove_prefix(Send(bytes, to));
  }
  while (!bytes.empty() && !receiver_is_gone_) {
    const absl::string_view packet = bytes.substr(0, lane_.PacketBytes(bytes.size()));
    bytes.remove_prefix(packet.size());
    Enqueue(PieceKind::kBytes, packet, now);
  }
  if (!queue_.empty() && !wants_write_) Pump(to, now);
}

void Flow::ForwardCoalesced(SocketEnd& to, absl::Time now) {
  if (coalesced_.empty()) return;
  const std::string bytes = std::exchange(coalesced_, {});
  queued_bytes_ -= bytes.size();
  if (std::exchange(coalesced_frames_, 0) > 1) ++lane_.stats.coalesced;
  Forward(bytes, to, now);
}

void Flow::EnqueueEnd(PieceKind kind, absl::Time now) {
  if (std::exchange(end_is_queued_, true) || receiver_is_gone_) return;
  Enqueue(kind, {}, now);
}

void Flow::Enqueue(PieceKind kind, absl::string_view bytes, absl::Time now) {
  // TCP keeps the order, however the packets came.
  last_due_ = std::max(last_due_, lane_.ArrivalOf(bytes.size(), now));
  if (last_due_ > now) ++lane_.stats.delayed;
  queue_.push_back({.kind = kind, .bytes = std::string(bytes), .due = last_due_});
  queued_bytes_ += bytes.size();
}

// --- Out ---

void Flow::Pump(SocketEnd& to, absl::Time now) {
  if (lane_.settings.coalesced_frames <= 1) ForwardCoalesced(to, now);
  wake_at_ = absl::InfiniteFuture();
  wants_write_ = false;
  while (!queue_.empty()) {
    Piece& front = queue_.front();
    if (front.due > now) {
      wake_at_ = front.due;
      return;
    }
    if (lane_.holds()) {
      // A cut leaves what was sent in its sender's kernel, and a reset has that thrown away.
      if (source_is_reset_) {
        source_has_vanished_ |= front.kind == PieceKind::kReset;
        ++lane_.stats.lost;
        DropFront();
        continue;
      }
      if (!std::exchange(front.was_held, true)) ++lane_.stats.held;
      return;
    }
    if (receiver_has_vanished_) {
      met_nobody_ = true;
      DropFront();
      continue;
    }
    if (front.kind == PieceKind::kBytes) {
      if (!SendFront(to, now)) return;
      continue;
    }
    const bool is_fin = front.kind == PieceKind::kFin;
    queue_.pop_front();
    end_sent_ = true;
    if (is_fin) {
      to.EndWriting();
    } else {
      wants_reset_ = true;
    }
  }
}

bool Flow::SendFront(SocketEnd& to, absl::Time now) {
  Piece& front = queue_.front();
  const size_t slice_bytes = lane_.settings.slice_bytes;
  absl::string_view bytes = absl::string_view(front.bytes).substr(front.sent_bytes);
  if (slice_bytes > 0) {
    if (next_slice_at_ > now) {
      wake_at_ = next_slice_at_;
      return false;
    }
    bytes = bytes.substr(0, slice_bytes);
  }
  const size_t sent = Send(bytes, to);
  if (sent == 0) return false;
  queued_bytes_ -= sent;
  front.sent_bytes += sent;
  if (slice_bytes > 0) {
    ++lane_.stats.sliced;
    next_slice_at_ = now + lane_.settings.slice_pause;
  }
  if (front.sent_bytes == front.bytes.size()) queue_.pop_front();
  return true;
}

size_t Flow::Send(absl::string_view bytes, SocketEnd& to) {
  const ssize_t sent = to.Send(bytes);
  if (sent > 0) {
    lane_.stats.bytes += sent;
    is_unacknowledged_ |= back_.holds();
    return static_cast<size_t>(sent);
  }
  if (sent == 0 || sent == -EAGAIN || sent == -EINTR || sent == -ENOBUFS || sent == -ENOMEM) {
    wants_write_ = true;
  } else {
    receiver_is_gone_ = true;
    DropAll();
  }
  return 0;
}

// --- Ends ---

void Flow::EndNow(SocketEnd& to) {
  DropAll();
  if (std::exchange(end_sent_, true) || receiver_is_gone_) return;
  end_is_queued_ = true;
  to.EndWriting();
}

void Flow::NoteSourceBroken(SocketEnd& to, absl::Time now) {
  source_is_broken_ = true;
  if (!source_ended_ || std::exchange(source_is_reset_, true)) return;
  if (end_sent_) {
    // What was to be said has been said: this is all that can still be lost.
    source_has_vanished_ = lane_.holds();
    lane_.stats.lost += source_has_vanished_;
    wants_reset_ = !source_has_vanished_;
  } else if (!queue_.empty() && queue_.back().kind == PieceKind::kFin) {
    queue_.back().kind = PieceKind::kReset;
    Pump(to, now);
  }
}

void Flow::LoseSource() {
  if (end_sent_) return;
  queue_.clear();
  coalesced_.clear();
  coalesced_frames_ = 0;
  queued_bytes_ = 0;
  source_ended_ = source_is_reset_ = source_has_vanished_ = true;
}

void Flow::NoteReceiverVanished() {
  if (std::exchange(receiver_has_vanished_, true)) return;
  wants_write_ = false;
  // The sender's kernel will repeat it.
  met_nobody_ |= is_unacknowledged_;
}

void Flow::AnswerWithReset(SocketEnd& to, absl::Time now) {
  // The sender repeats what it sent, until an answer has got through: one is enough.
  if (lane_.holds() || !queue_.empty() || receiver_is_gone_) return;
  Enqueue(PieceKind::kReset, {}, now);
  Pump(to, now);
}

void Flow::NoteWayBack() {
  if (!back_.holds() && !receiver_has_vanished_) is_unacknowledged_ = false;
}

void Flow::DropFront() {
  queued_bytes_ -= queue_.front().unsent_bytes();
  queue_.pop_front();
}

void Flow::DropAll() {
  queue_.clear();
  coalesced_.clear();
  coalesced_frames_ = 0;
  queued_bytes_ = 0;
  discards_ = true;
  wants_write_ = false;
  wake_at_ = absl::InfiniteFuture();
}

}  // namespace rollcall::fault
