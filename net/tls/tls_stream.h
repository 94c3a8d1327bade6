// Accepted connections that are encrypted, over the streams of any event loop.
#ifndef ROLLCALL_NET_TLS_TLS_STREAM_H_
#define ROLLCALL_NET_TLS_TLS_STREAM_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "net/address.h"
#include "net/event_loop.h"
#include "net/tls/tls_context.h"
#include "net/tls/tls_session.h"
#include "net/write_queue.h"

namespace rollcall::net {

// Makes encrypted streams of plain ones, and lends them what only the one at work needs. For one
// loop, and on its thread.
class TlsAcceptor {
 public:
  static constexpr absl::Duration kHandshakeTimeout = absl::Seconds(10);

  // `*loop` must outlive it, and it all streams that it made.
  explicit TlsAcceptor(EventLoop* loop, absl::Duration handshake_timeout = kHandshakeTimeout);

  // A stream over `inner`, which nobody has started, and which is of this loop (Stream::MoveTo).
  // Keeps the contract of Stream. The handshake begins at once; what is written before it is over
  // waits in the stream. OnEnd may also come with kTls, whose message says why: the handshake
  // failed, or was not over in time (then it says what had come), or a record was damaged. A failed
  // handshake is told when the peer has taken notice and gone, or after kLingerTime: closing at
  // once could cost it the alert that tells it why. A peer that goes before it has said anything
  // ended cleanly; one that goes later without TLS's word for it is kReset.
  std::unique_ptr<Stream> Wrap(std::unique_ptr<Stream> inner,
                               std::shared_ptr<const TlsContext> context);

  static constexpr absl::Duration kLingerTime = absl::Seconds(1);

 private:
  friend class TlsStream;

  EventLoop* const loop_;
  const absl::Duration handshake_timeout_;
  std::string plain_;   // A record that was decrypted, for a handler that has no room of its own.
  std::string out_;     // Encrypted bytes on their way out: empty between two calls.
  std::string joined_;  // Parts of a write that go into one record.
};

class TlsStream final : public Stream, private StreamHandler {
 public:
  TlsStream(TlsAcceptor* acceptor, std::unique_ptr<Stream> inner,
            std::shared_ptr<const TlsContext> context);
  ~TlsStream() override;
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  // CHECK-fails: what is to move moves before it is wrapped.
  void MoveTo(EventLoop* loop) override;
  void Start(StreamHandler* handler) override;
  void Write(absl::string_view bytes) override;
  void WriteParts(absl::Span<const absl::string_view> parts) override;
  size_t unsent_bytes() const override;
  void PauseReading() override;
  void ResumeReading() override;
  void Close() override;
  const SocketAddress& peer_address() const override { return inner_->peer_address(); }

 private:
  enum class Phase : uint8_t {
    kHandshake,
    kOpen,
    kFailing,  // The alert is out, and the peer has a moment to read it.
    kOver,     // OnEnd has come, or has nobody to come to; or Close.
  };

  // Of the stream below.
  void OnBytes(absl::string_view bytes) override;
  void OnDrained() override;
  void OnEnd(absl::Status why) override;

  // As far as the bytes reach: the handshake, then what is encrypted, then the end.
  void Advance();
  bool AdvanceHandshake();
  void Deliver();
  // Advance, but not inside a call of the owner's.
  void AdvanceLater();
  void OnHandshakeDeadline();
  void FailHandshake(const absl::Status& why);
  void Report(absl::Status why);
  void SendOut();
  void CancelTimer();
  bool reads() const { return handler_ != nullptr && !paused_ && !ended_; }
  // Whether the stream below is to be read now.
  void UpdateReading();

  TlsAcceptor* const acceptor_;
  const std::unique_ptr<Stream> inner_;
  const std::unique_ptr<TlsSession> session_;
  StreamHandler* handler_ = nullptr;
  std::unique_ptr<WriteQueue> early_;  // Written before the handshake was over.
  std::unique_ptr<absl::Status> why_;  // It failed, or the stream below ended, so; to be told.
  std::shared_ptr<TlsStream*> self_;   // What posted work holds weakly; made when needed.
  TimerId timer_ = 0;
  Phase phase_ = Phase::kHandshake;
  bool any_bytes_ = false;
  bool paused_ = false;
  bool inner_paused_ = false;
  bool ended_ = false;         // OnEnd has been called.
  bool owes_drained_ = false;  // A Write left something unsent.
  bool inner_failed_ = false;  // Nothing more can be sent.
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_TLS_TLS_STREAM_H_
