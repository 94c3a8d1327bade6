#include "fault_injection/proxy/relay.h"

#include <errno.h>

#include <algorithm>
#include <utility>

namespace rollcall::fault {

Relay::Relay(const RelayContext& context, net::OwnedFd client, absl::AnyInvocable<void()> on_done)
    : context_(context),
      on_done_(std::move(on_done)),
      requests_(context.legacy_dialect, &replies_),
      to_server_(context.to_server, context.to_client, &requests_, &requests_),
      to_client_(context.to_client, context.to_server, &replies_, nullptr),
      client_(context.loop, std::move(client),
              [this](uint8_t readiness) { OnReady(client_, readiness); }) {}

Relay::~Relay() {
  if (timer_ != 0) context_.loop->CancelTimer(timer_);
}

void Relay::Begin(net::OwnedFd server) {
  AttachServer(std::move(server));
  Settle();
}

void Relay::Connect(const net::SocketAddress& target, absl::AnyInvocable<void(int)> on_failed) {
  dial_ = std::make_unique<Dial>(
      context_.loop, target,
      [this, on_failed = std::move(on_failed)](int errno_value, net::OwnedFd fd) mutable {
        dial_.reset();
        if (errno_value == 0) return Begin(std::move(fd));
        on_failed(errno_value);
        Reset();
      });
}

void Relay::TurnAway() {
  is_turned_away_ = true;
  to_client_.EndNow(client_);
  Settle();
}

void Relay::AttachServer(net::OwnedFd server) {
  server_.emplace(context_.loop, std::move(server),
                  [this](uint8_t readiness) { OnReady(*server_, readiness); });
}

void Relay::Reset() {
  client_.Reset();
  if (server_.has_value()) server_->Reset();
  Finish();
}

void Relay::CloseOrderly() {
  if (is_finished_) return;
  if (!server_.has_value()) {
    dial_.reset();
    return TurnAway();
  }
  to_client_.EndNow(client_);
  to_server_.EndNow(*server_);
  Settle();
}

void Relay::LoseSender(Direction direction) {
  if (is_finished_ || !server_.has_value()) return;
  (direction == Direction::kToServer ? to_server_ : to_client_).LoseSource();
  Settle();
}

void Relay::Refresh() {
  if (is_finished_ || !server_.has_value()) return;
  const absl::Time now = context_.loop->Now();
  to_server_.NoteWayBack();
  to_client_.NoteWayBack();
  to_server_.Pump(*server_, now);
  to_client_.Pump(client_, now);
  Settle();
}

void Relay::OnReady(SocketEnd& end, uint8_t readiness) {
  const absl::Time now = context_.loop->Now();
  if (is_turned_away_) {
    const ssize_t received = client_.Receive(context_.buffer);
    if (received > 0 || received == -EAGAIN || received == -EINTR) return;
    client_.Close();
    return Finish();
  }
  const bool is_client = &end == &client_;
  Flow& out_of = is_client ? to_server_ : to_client_;
  Flow& into = is_client ? to_client_ : to_server_;
  if ((readiness & net::kWritable) && into.wants_write()) into.Pump(end, now);
  constexpr uint8_t kSomethingToRead = net::kReadable | net::kPeerEnded | net::kBroken;
  if (readiness & kSomethingToRead) {
    if (out_of.wants_read()) {
      out_of.Read(end, is_client ? *server_ : client_, context_.buffer, now);
    } else if (readiness & net::kBroken) {
      // It would be told again and again. What flows into it finds out by itself.
      end.SetInterest(0);
      into.Pump(end, now);
    }
  }
  Settle();
}

void Relay::Settle() {
  if (is_finished_) return;
  if (is_turned_away_) return client_.SetInterest(net::kReadable);
  TellOfLostEnds();
  const bool nobody_is_left = to_server_.source_has_vanished() && to_client_.source_has_vanished();
  if (nobody_is_left || to_server_.wants_reset() || to_client_.wants_reset()) return Reset();
  if (to_server_.is_done() && to_client_.is_done()) {
    client_.Close();
    server_->Close();
    return Finish();
  }
  const auto interest = [](const Flow& out_of, const Flow& into) {
    return static_cast<uint8_t>((out_of.wants_read() ? net::kReadable : 0) |
                                (into.wants_write() ? net::kWritable : 0));
  };
  client_.SetInterest(interest(to_server_, to_client_));
  server_->SetInterest(interest(to_client_, to_server_));
  SetTimer();
}

// To each flow what the other has found out.
void Relay::TellOfLostEnds() {
  const absl::Time now = context_.loop->Now();
  if (to_server_.receiver_is_gone()) to_client_.NoteSourceBroken(client_, now);
  if (to_client_.receiver_is_gone()) to_server_.NoteSourceBroken(*server_, now);
  if (to_server_.source_has_vanished()) to_client_.NoteReceiverVanished();
  if (to_client_.source_has_vanished()) to_server_.NoteReceiverVanished();
  if (to_server_.met_nobody()) to_client_.AnswerWithReset(client_, now);
  if (to_client_.met_nobody()) to_server_.AnswerWithReset(*server_, now);
}

void Relay::SetTimer() {
  const absl::Time wake_at = std::min(to_server_.wake_at(), to_client_.wake_at());
  if (wake_at == timer_at_) return;
  if (timer_ != 0) context_.loop->CancelTimer(std::exchange(timer_, 0));
  timer_at_ = wake_at;
  if (wake_at == absl::InfiniteFuture()) return;
  timer_ = context_.loop->RunAt(wake_at, [this] {
    timer_ = 0;
    timer_at_ = absl::InfiniteFuture();
    Refresh();
  });
}

void Relay::Finish() {
  if (std::exchange(is_finished_, true)) return;
  dial_.reset();
  if (timer_ != 0) context_.loop->CancelTimer(std::exchange(timer_, 0));
  on_done_();
}

}  // namespace rollcall::fault
