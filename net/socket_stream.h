// An accepted TCP connection on a SocketLoop.
#ifndef ROLLCALL_NET_SOCKET_STREAM_H_
#define ROLLCALL_NET_SOCKET_STREAM_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "net/address.h"
#include "net/event_loop.h"
#include "net/socket_loop.h"
#include "net/write_queue.h"

namespace rollcall::net {

// There may be tens of thousands of these, nearly all of them idle: an idle one is one small object
// without a buffer.
class SocketStream final : public Stream, private Watcher {
 public:
  // Takes over `fd`, a connected non-blocking socket.
  SocketStream(SocketLoop* loop, int fd, const SocketAddress& peer);
  ~SocketStream() override;
  SocketStream(const SocketStream&) = delete;
  SocketStream& operator=(const SocketStream&) = delete;

  void MoveTo(EventLoop* loop) override;
  void Start(StreamHandler* handler) override;
  void Write(absl::string_view bytes) override;
  void WriteParts(absl::Span<const absl::string_view> parts) override;
  size_t unsent_bytes() const override { return unsent_ == nullptr ? 0 : unsent_->size_bytes(); }
  void PauseReading() override;
  void ResumeReading() override;
  void Close() override;
  const SocketAddress& peer_address() const override { return peer_; }

  // The loop's answer to ReportFailureLater.
  void ReportFailure();

 private:
  void OnReady(uint8_t readiness) override;
  void Receive(bool more_is_certain);
  void Flush();
  // Queues all of `parts` but the first `sent` bytes; a negative `sent` is an errno.
  void KeepUnsent(absl::Span<const absl::string_view> parts, ssize_t sent);
  void OnBrokenUnread();

  bool is_closed() const { return fd_ < 0; }
  bool reads() const { return handler_ != nullptr && !paused_ && !ended_; }
  // Watches for what there is to do now.
  void UpdateInterest();
  void SetInterest(uint8_t interest);
  // Notes that the stream is broken, to be reported at the end of the turn.
  void FailLater(int errno_value);
  // Reports that it is, now. Not inside a call of the owner's.
  void Fail(absl::string_view call, int errno_value);

  SocketLoop* loop_;
  StreamHandler* handler_ = nullptr;
  std::unique_ptr<WriteQueue> unsent_;  // Null when there is nothing.
  const SocketAddress peer_;
  int fd_;
  int16_t failed_errno_ = 0;  // Not zero: nothing more can be sent, and OnEnd is due or done.
  uint8_t interest_ = 0;      // What the loop has been told.
  bool paused_ : 1 = false;
  bool ended_ : 1 = false;  // OnEnd has been called.
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_SOCKET_STREAM_H_
