// One direction of one connection: from what is read at one end to what is sent from the other.
#ifndef ROLLCALL_FAULT_INJECTION_PROXY_FLOW_H_
#define ROLLCALL_FAULT_INJECTION_PROXY_FLOW_H_

#include <cstddef>
#include <deque>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/proxy/frame_scanner.h"
#include "fault_injection/proxy/lane.h"
#include "fault_injection/proxy/socket_end.h"

namespace rollcall::fault {

// Reads, applies the lane's faults, and sends in time; passive: whoever owns it calls Read when
// there is something, Pump when time has passed or the lane or the receiving socket has changed,
// and then looks at what the flow wants. Beyond kQueuedBytesMax it reads nothing more until some of
// it has gone, so that a sender is held back as a network would.
class Flow {
 public:
  static constexpr size_t kQueuedBytesMax = 4 << 20;

  // All must outlive it. `back` is the other direction's lane. `requests` is the scanner where it
  // carries requests, else null.
  Flow(Lane* lane, const Lane* back, FrameScanner* scanner, RequestScanner* requests);
  ~Flow();
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;

  void Read(SocketEnd& from, SocketEnd& to, absl::Span<char> buffer, absl::Time now);
  void Pump(SocketEnd& to, absl::Time now);

  // Sends the end of the stream at once, instead of all that is still to come.
  void EndNow(SocketEnd& to);
  // The socket that it reads from was found broken by the other flow, which may have taken the
  // error: what comes next from it, an end of stream too, is a reset.
  void NoteSourceBroken(SocketEnd& to, absl::Time now);
  // The other flow's source_has_vanished(): what is sent meets nobody.
  void NoteReceiverVanished();
  // The source's machine is lost, with all that it had sent and that is still under way.
  void LoseSource();
  // To who sends where this flow's source was. Nothing, if it does not get through now.
  void AnswerWithReset(SocketEnd& to, absl::Time now);
  // The settings of the lane back have changed.
  void NoteWayBack();

  bool wants_read() const { return !source_ended_ && queued_bytes_ < kQueuedBytesMax; }
  bool wants_write() const { return wants_write_; }
  // Both ends are to be reset.
  bool wants_reset() const { return wants_reset_; }
  // The receiver is gone.
  bool receiver_is_gone() const { return receiver_is_gone_; }
  // The source was reset, and the cut that its lane was in has lost what says so; or its machine is
  // lost. No kernel repeats that, so the receiver learns of it only by the answer to what it sends.
  bool source_has_vanished() const { return source_has_vanished_; }
  // Something was sent, and may have to be repeated, where nobody is any more.
  bool met_nobody() const { return met_nobody_; }
  bool is_done() const { return source_ended_ && (end_sent_ || receiver_is_gone_); }
  // When Pump has something to do.
  absl::Time wake_at() const { return wake_at_; }

 private:
  enum class PieceKind { kBytes, kFin, kReset };
  struct Piece {
    PieceKind kind = PieceKind::kBytes;
    std::string bytes;
    size_t sent_bytes = 0;
    absl::Time due;
    bool was_held = false;

    size_t unsent_bytes() const { return bytes.size() - sent_bytes; }
  };

  void Take(absl::string_view bytes, SocketEnd& to, absl::Time now);
  void TakeChanged(absl::string_view bytes, SocketEnd& to, absl::Time now);
  void TakeEnd(PieceKind kind, SocketEnd& to, absl::Time now);
  void Forward(absl::string_view bytes, SocketEnd& to, absl::Time now);
  void ForwardCoalesced(SocketEnd& to, absl::Time now);
  void EnqueueEnd(PieceKind kind, absl::Time now);
  void Enqueue(PieceKind kind, absl::string_view bytes, absl::Time now);
  // How much was sent; nothing, too, where it failed for good.
  size_t Send(absl::string_view bytes, SocketEnd& to);
  // False: the piece at the front cannot be finished now.
  bool SendFront(SocketEnd& to, absl::Time now);
  // Of the queue: it is lost, or meets nobody.
  void DropFront();
  void DropAll();

  Lane& lane_;
  const Lane& back_;
  FrameScanner& scanner_;
  RequestScanner* const requests_;
  std::deque<Piece> queue_;
  size_t queued_bytes_ = 0;   // In the queue and in coalesced_.
  std::string coalesced_;     // Frames that wait for their next.
  int coalesced_frames_ = 0;  // Whole ones among them.
  absl::Time last_due_ = absl::InfinitePast();
  absl::Time next_slice_at_ = absl::InfinitePast();
  absl::Time wake_at_ = absl::InfiniteFuture();
  bool discards_ = false;  // What is read is dropped.
  bool end_is_queued_ = false;
  bool end_sent_ = false;
  bool source_ended_ = false;
  bool source_is_broken_ = false;
  bool source_is_reset_ = false;  // It sends nothing twice any more.
  bool source_has_vanished_ = false;
  bool receiver_is_gone_ = false;
  bool receiver_has_vanished_ = false;
  bool is_unacknowledged_ = false;  // Bytes have arrived whose sender cannot know it yet.
  bool met_nobody_ = false;
  bool wants_write_ = false;
  bool wants_reset_ = false;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_PROXY_FLOW_H_
