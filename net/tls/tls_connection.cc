#include "net/tls/tls_connection.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "net/net_error.h"

namespace rollcall::net {
namespace {

// Encrypted and sent in pieces: the whole would be in memory twice.
constexpr size_t kPieceBytesMax = 128 << 10;
// A record with what is around it.
constexpr size_t kReceiveBytes = TlsSession::kRecordBytesMax + 512;

constexpr absl::string_view kReading = "reading from ";
constexpr absl::string_view kWriting = "writing to ";

}  // namespace

TlsConnection::TlsConnection(Env* env, std::unique_ptr<Connection> inner,
                             std::unique_ptr<TlsSession> session)
    : inner_(std::move(inner)),
      owned_monitor_(env->NewMonitor()),
      monitor_(owned_monitor_.get()),
      session_(std::move(session)) {}

TlsConnection::~TlsConnection() {
  if (resets_ || !shaken_) return;
  if (HasUnread()) {
    inner_->ResetOnClose();
  } else {
    ShutdownWrite().IgnoreError();
  }
}

absl::Status TlsConnection::Located(const absl::Status& status) const {
  std::optional<NetErrorInfo> info = GetNetErrorInfo(status);
  if (!info.has_value() || !info->address.empty()) return status;
  info->address = peer_address().ToString();
  return NetError(status.message(), *info);
}

absl::Status TlsConnection::Ended(absl::string_view what, NetErrorKind kind) const {
  const std::string peer = peer_address().ToString();
  return NetError(absl::StrCat(what, peer, ": ", NetErrorKindName(kind)),
                  {.kind = kind, .address = peer});
}

absl::Status TlsConnection::SendAll(std::string& out, absl::Time deadline) {
  if (out.empty()) return absl::OkStatus();
  absl::Status sent = inner_->Write(out, deadline);
  out.clear();
  return sent;
}

absl::Status TlsConnection::Receive(absl::Time deadline) {
  char buffer[kReceiveBytes];
  const absl::StatusOr<size_t> got = inner_->Read(buffer, sizeof(buffer), deadline);
  if (!got.ok()) return got.status();
  MonitorLock lock(monitor_);
  session_->Feed(absl::string_view(buffer, *got));
  session_->KeepUnread();
  return absl::OkStatus();
}

absl::Status TlsConnection::Handshake(absl::Time deadline) {
  while (true) {
    std::string out;
    absl::Status shaken;
    {
      MonitorLock lock(monitor_);
      shaken = session_->Handshake(out);
      shaken_ = session_->established();
    }
    absl::Status sent = SendAll(out, deadline);
    if (!shaken.ok()) return Located(shaken);
    if (!sent.ok()) return sent;
    if (shaken_) return absl::OkStatus();
    if (absl::Status received = Receive(deadline); !received.ok()) {
      std::optional<NetErrorInfo> info = GetNetErrorInfo(received);
      if (!info.has_value()) return received;
      return NetError(absl::StrCat("during the TLS handshake with ", peer_address().ToString(),
                                   ": ", NetErrorKindName(info->kind)),
                      *info);
    }
  }
}

absl::Status TlsConnection::Write(absl::string_view bytes, absl::Time deadline) {
  std::string out;
  while (true) {
    const absl::string_view piece = bytes.substr(0, kPieceBytesMax);
    bytes.remove_prefix(piece.size());
    {
      MonitorLock lock(monitor_);
      if (shut_down_ || write_ended_) return Ended(kWriting, NetErrorKind::kShutDown);
      if (absl::Status written = session_->Write(piece, out); !written.ok()) {
        return Located(written);
      }
      writing_ = true;
    }
    absl::Status sent = SendAll(out, deadline);
    MonitorLock lock(monitor_);
    writing_ = false;
    if (!sent.ok() || bytes.empty()) return sent;
  }
}

absl::StatusOr<size_t> TlsConnection::Read(char* buffer, size_t size_bytes, absl::Time deadline) {
  while (true) {
    if (shut_down_) return Ended(kReading, NetErrorKind::kShutDown);
    std::string out;  // At most an alert, of a connection that is of no more use.
    {
      MonitorLock lock(monitor_);
      const absl::StatusOr<size_t> count = session_->Read(absl::MakeSpan(buffer, size_bytes), out);
      if (!count.ok()) return Located(count.status());
      if (*count > 0) return *count;
      if (session_->peer_ended()) return Ended(kReading, NetErrorKind::kClosedByPeer);
    }
    absl::Status received = Receive(deadline);
    if (received.ok()) continue;
    std::optional<NetErrorInfo> info = GetNetErrorInfo(received);
    if (!info.has_value() || info->kind != NetErrorKind::kClosedByPeer) return received;
    info->kind = NetErrorKind::kReset;
    return NetError(absl::StrCat("reading from ", peer_address().ToString(),
                                 ": the stream was cut off without TLS's word for its end"),
                    *info);
  }
}

absl::Status TlsConnection::ShutdownWrite() {
  std::string out;
  {
    MonitorLock lock(monitor_);
    if (!shut_down_) session_->End(out);
    write_ended_ = true;
  }
  // A few bytes: where the kernel has no room for them, nobody waits for it.
  absl::Status sent = SendAll(out, absl::InfinitePast());
  absl::Status ended = inner_->ShutdownWrite();
  return sent.ok() ? ended : sent;
}

void TlsConnection::Shutdown() {
  std::string out;
  {
    MonitorLock lock(monitor_);
    // In the middle of what another thread writes the word for the end would be damage.
    if (!shut_down_ && !writing_) session_->End(out);
    shut_down_ = true;
  }
  SendAll(out, absl::InfinitePast()).IgnoreError();
  inner_->Shutdown();
}

void TlsConnection::ResetOnClose() {
  resets_ = true;
  inner_->ResetOnClose();
}

bool TlsConnection::HasUnread() {
  char buffer[1];
  return Read(buffer, sizeof(buffer), absl::InfinitePast()).ok();
}

}  // namespace rollcall::net
