#include "net/tls/tls_stream.h"

#include <sys/uio.h>

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "net/net_error.h"
#include "net/tls/tls_error.h"

namespace rollcall::net {
namespace {

// What is encrypted before it is handed on.
constexpr size_t kPieceBytesMax = 64 << 10;
// Memory that a large write may leave behind with the acceptor.
constexpr size_t kOutBytesKept = 256 << 10;

}  // namespace

TlsAcceptor::TlsAcceptor(EventLoop* loop, absl::Duration handshake_timeout)
    : loop_(loop), handshake_timeout_(handshake_timeout) {
  plain_.resize(TlsSession::kRecordBytesMax);
}

std::unique_ptr<Stream> TlsAcceptor::Wrap(std::unique_ptr<Stream> inner,
                                          std::shared_ptr<const TlsContext> context) {
  return std::make_unique<TlsStream>(this, std::move(inner), std::move(context));
}

TlsStream::TlsStream(TlsAcceptor* acceptor, std::unique_ptr<Stream> inner,
                     std::shared_ptr<const TlsContext> context)
    : acceptor_(acceptor),
      inner_(std::move(inner)),
      session_(TlsSession::ForServer(std::move(context), acceptor->loop_->Now())) {
  timer_ = acceptor_->loop_->RunAt(acceptor_->loop_->Now() + acceptor_->handshake_timeout_,
                                   [this] { OnHandshakeDeadline(); });
  inner_->Start(this);
}

TlsStream::~TlsStream() { Close(); }

void TlsStream::MoveTo(EventLoop* /*loop*/) {
  LOG(FATAL) << "an encrypted stream stays with the loop of its acceptor";
}

void TlsStream::Start(StreamHandler* handler) {
  CHECK(handler_ == nullptr) << "a stream is started once";
  handler_ = handler;
  if (phase_ != Phase::kOver) UpdateReading();
  if (why_ != nullptr || session_->has_unread() || session_->peer_ended()) AdvanceLater();
}

// --- Time ---

void TlsStream::CancelTimer() { acceptor_->loop_->CancelTimer(std::exchange(timer_, 0)); }

void TlsStream::OnHandshakeDeadline() {
  timer_ = 0;
  if (phase_ == Phase::kFailing) return Report(*why_);
  Report(TlsFailure(absl::StrCat("the TLS handshake was not over within ",
                                 absl::FormatDuration(acceptor_->handshake_timeout_), ": the peer ",
                                 any_bytes_ ? "began it and stopped" : "said nothing")));
}

// --- In ---

void TlsStream::OnBytes(absl::string_view bytes) {
  any_bytes_ = true;
  if (phase_ == Phase::kFailing || phase_ == Phase::kOver) return;
  session_->Feed(bytes);
  Advance();
  session_->KeepUnread();
}

void TlsStream::OnEnd(absl::Status why) {
  if (phase_ == Phase::kOver) return;
  if (!why.ok()) inner_failed_ = true;
  if (phase_ == Phase::kFailing) return Report(*why_);
  if (ended_) {
    // The owner that waits to close until all is sent is told that there is nothing to wait for.
    if (!why.ok() && std::exchange(owes_drained_, false)) handler_->OnDrained();
    return;
  }
  if (why.ok() && phase_ == Phase::kHandshake && any_bytes_) {
    why = TlsFailure("the peer went in the middle of the TLS handshake");
  } else if (why.ok() && phase_ == Phase::kOpen && !session_->peer_ended()) {
    why = NetError("the stream was cut off without TLS's word for its end",
                   {.kind = NetErrorKind::kReset, .address = peer_address().ToString()});
  }
  why_ = std::make_unique<absl::Status>(std::move(why));
  Advance();
}

void TlsStream::AdvanceLater() {
  if (self_ == nullptr) self_ = std::make_shared<TlsStream*>(this);
  acceptor_->loop_->Post([self = std::weak_ptr<TlsStream*>(self_)] {
    if (const auto stream = self.lock()) {
      (*stream)->Advance();
      (*stream)->session_->KeepUnread();
    }
  });
}

void TlsStream::Advance() {
  if (phase_ == Phase::kHandshake && why_ == nullptr && !AdvanceHandshake()) return;
  if (phase_ == Phase::kOpen) Deliver();
  if (ended_ || handler_ == nullptr || phase_ == Phase::kFailing) return;
  // That the connection broke is told to one that has paused, too.
  if (why_ != nullptr && !why_->ok()) return Report(*why_);
  if (paused_ || phase_ == Phase::kOver) return;
  if (why_ != nullptr || session_->peer_ended()) Report(absl::OkStatus());
}

bool TlsStream::AdvanceHandshake() {
  const absl::Status shaken = session_->Handshake(acceptor_->out_);
  SendOut();
  if (!shaken.ok()) {
    FailHandshake(shaken);
    return false;
  }
  if (!session_->established()) return false;
  CancelTimer();
  phase_ = Phase::kOpen;
  if (early_ != nullptr) {
    const std::unique_ptr<WriteQueue> early = std::move(early_);
    while (early->size_bytes() > 0) {
      iovec part = {};
      early->Peek({&part, 1});
      Write(absl::string_view(static_cast<const char*>(part.iov_base), part.iov_len));
      early->Consume(part.iov_len);
    }
    if (inner_->unsent_bytes() == 0) OnDrained();
  }
  if (phase_ == Phase::kOpen) UpdateReading();
  return phase_ == Phase::kOpen;
}

void TlsStream::Deliver() {
  while (phase_ == Phase::kOpen && reads()) {
    const absl::Span<char> room = handler_->Room();
    const absl::Span<char> buffer = room.empty() ? absl::MakeSpan(acceptor_->plain_) : room;
    const absl::StatusOr<size_t> count = session_->Read(buffer, acceptor_->out_);
    SendOut();
    if (!count.ok()) return Report(count.status());
    if (*count == 0) return;
    if (room.empty()) {
      handler_->OnBytes(absl::string_view(buffer.data(), *count));
    } else {
      handler_->OnBytesInPlace(*count);
    }
  }
}

void TlsStream::FailHandshake(const absl::Status& why) {
  CancelTimer();
  phase_ = Phase::kFailing;
  early_.reset();
  why_ = std::make_unique<absl::Status>(why);
  timer_ = acceptor_->loop_->RunAt(acceptor_->loop_->Now() + TlsAcceptor::kLingerTime,
                                   [this] { OnHandshakeDeadline(); });
}

void TlsStream::Report(absl::Status why) {
  const bool is_over = !why.ok();
  if (is_over) {
    CancelTimer();
    phase_ = Phase::kOver;
    early_.reset();
  }
  if (handler_ == nullptr) {
    why_ = std::make_unique<absl::Status>(std::move(why));
  } else if (!ended_) {
    ended_ = true;
    handler_->OnEnd(std::move(why));
  }
  // The owner first: what it knows must not be less than what the peer sees.
  if (is_over) inner_->Close();
}

// --- Out ---

void TlsStream::SendOut() {
  std::string& out = acceptor_->out_;
  if (out.empty()) return;
  inner_->Write(out);
  out.clear();
  if (out.capacity() > kOutBytesKept) out = std::string();
}

void TlsStream::Write(absl::string_view bytes) { WriteParts({&bytes, 1}); }

void TlsStream::WriteParts(absl::Span<const absl::string_view> parts) {
  if (phase_ == Phase::kFailing || phase_ == Phase::kOver || inner_failed_) return;
  std::string& joined = acceptor_->joined_;
  const auto encrypt = [this](absl::string_view bytes) {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kPieceBytesMax))) {
      if (!session_->Write(bytes.substr(0, kPieceBytesMax), acceptor_->out_).ok()) return;
      if (acceptor_->out_.size() >= kPieceBytesMax) SendOut();
    }
  };
  for (const absl::string_view part : parts) {
    if (part.empty()) continue;
    if (phase_ == Phase::kHandshake) {
      if (early_ == nullptr) early_ = std::make_unique<WriteQueue>();
      early_->Append(part);
      continue;
    }
    if (joined.size() + part.size() > TlsSession::kRecordBytesMax) {
      encrypt(joined);
      joined.clear();
    }
    if (part.size() >= TlsSession::kRecordBytesMax || parts.size() == 1) {
      encrypt(part);
    } else {
      joined.append(part.data(), part.size());
    }
  }
  encrypt(joined);
  joined.clear();
  SendOut();
  if (unsent_bytes() > 0) owes_drained_ = true;
}

size_t TlsStream::unsent_bytes() const {
  return (early_ == nullptr ? 0 : early_->size_bytes()) + inner_->unsent_bytes();
}

void TlsStream::OnDrained() {
  if (phase_ != Phase::kOpen || unsent_bytes() > 0) return;
  if (handler_ != nullptr && std::exchange(owes_drained_, false)) handler_->OnDrained();
}

// --- Pausing and the end ---

void TlsStream::UpdateReading() {
  // A handshake goes on whatever its owner wants to read.
  const bool pauses = phase_ == Phase::kOpen && (paused_ || handler_ == nullptr);
  if (pauses == inner_paused_) return;
  inner_paused_ = pauses;
  if (pauses) {
    inner_->PauseReading();
  } else {
    inner_->ResumeReading();
  }
}

void TlsStream::PauseReading() {
  paused_ = true;
  if (phase_ != Phase::kOver) UpdateReading();
}

void TlsStream::ResumeReading() {
  paused_ = false;
  if (phase_ == Phase::kOver) return;
  UpdateReading();
  if (why_ != nullptr || session_->has_unread() || session_->peer_ended()) AdvanceLater();
}

void TlsStream::Close() {
  self_.reset();
  why_.reset();
  if (phase_ == Phase::kOver) return;
  CancelTimer();
  // One that drops what is unsent is cut off, and the peer is to know that it was.
  if (phase_ == Phase::kOpen && inner_->unsent_bytes() == 0) {
    session_->End(acceptor_->out_);
    SendOut();
  }
  phase_ = Phase::kOver;
  early_.reset();
  inner_->Close();
}

}  // namespace rollcall::net
