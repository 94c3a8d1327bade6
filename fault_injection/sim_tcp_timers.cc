// What a socket does when time has passed: repeating what was lost, giving up, keep-alive.
#include <errno.h>
#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "fault_injection/sim_fabric.h"
#include "fault_injection/sim_tcp.h"
#include "glog/logging.h"

namespace rollcall::fault {
namespace {

// Linux's.
constexpr absl::Duration kSynRetransmit = absl::Seconds(1);
constexpr absl::Duration kRetransmitMin = absl::Milliseconds(200);
constexpr absl::Duration kRetransmitMax = absl::Seconds(120);
constexpr absl::Duration kFinTimeout = absl::Seconds(60);

absl::string_view TaskName(TcpSocket::Task task) {
  switch (task) {
    case TcpSocket::Task::kDeliver:
      return "net/deliver";
    case TcpSocket::Task::kReset:
      return "net/reset";
    case TcpSocket::Task::kUnreachable:
      return "net/unreachable";
    case TcpSocket::Task::kWindow:
      return "net/window";
    case TcpSocket::Task::kRetransmit:
      return "net/retransmit";
    case TcpSocket::Task::kKeepAlive:
      return "net/keep-alive";
  }
  return "net";
}

}  // namespace

void TcpSocket::Schedule(Task task, absl::Time when) {
  const size_t index = static_cast<size_t>(task);
  Cancel(task);
  is_scheduled_[index] = true;
  if (when <= fabric_.Now()) return fabric_.RunSoon(this, task);
  events_[index] = scheduler().At(when, TaskName(task), [this, task] {
    SimFabric& fabric = fabric_;  // This may be garbage afterwards.
    events_[static_cast<size_t>(task)] = 0;
    Run(task);
    fabric.Settle();
  });
}

void TcpSocket::Cancel(Task task) {
  const size_t index = static_cast<size_t>(task);
  if (!std::exchange(is_scheduled_[index], false)) return;
  if (const EventId event = std::exchange(events_[index], 0); event != 0) scheduler().Cancel(event);
}

void TcpSocket::Run(Task task) {
  // Cancelled after the network had been told to run it soon.
  if (!std::exchange(is_scheduled_[static_cast<size_t>(task)], false)) return;
  switch (task) {
    case Task::kDeliver:
      return DeliverDue();
    case Task::kReset:
      return OnReset();
    case Task::kUnreachable:
      if (state_ == TcpState::kSynSent) Abort(std::exchange(soft_error_, 0));
      return;
    case Task::kWindow:
      return OnWindow();
    case Task::kRetransmit:
      return OnRetransmitTimer();
    case Task::kKeepAlive:
      return OnKeepAliveTimer();
  }
}

void TcpSocket::ScheduleRetransmit() {
  if (IsScheduled(Task::kRetransmit)) return;
  absl::Time when = fabric_.Now();
  switch (state_) {
    case TcpState::kClosed:
    case TcpState::kListen:
      return;
    case TcpState::kSynSent: {
      const int doublings = std::max(0, retransmits_ - host_.options().syn_linear_timeouts);
      when = syn_sent_ +
             std::min(kSynRetransmit * (int64_t{1} << std::min(doublings, 30)), kRetransmitMax);
      break;
    }
    case TcpState::kSynReceived:
      when += std::min(kSynRetransmit * (int64_t{1} << std::min(retransmits_, 30)), kRetransmitMax);
      break;
    case TcpState::kEstablished:
      if (retransmit_delay_ == absl::ZeroDuration()) {
        retransmit_delay_ = kRetransmitMin + fabric_.LatencyOf(host_, *remote_host_) +
                            fabric_.LatencyOf(*remote_host_, host_);
      }
      when += retransmit_delay_;
      // TCP_USER_TIMEOUT counts from the first repetition.
      if (user_timeout() > absl::ZeroDuration() && first_retransmit_ != absl::InfinitePast()) {
        when = std::min(when, std::max(first_retransmit_ + user_timeout(), fabric_.Now()));
      }
      break;
  }
  Schedule(Task::kRetransmit, when);
}

void TcpSocket::OnRetransmitTimer() {
  switch (state_) {
    case TcpState::kSynSent:
      return RetransmitSyn();
    case TcpState::kSynReceived:
      return RetransmitSynAck();
    case TcpState::kEstablished:
      return RetransmitData();
    default:
      return;
  }
}

void TcpSocket::RetransmitSyn() {
  const SimHostOptions& options = host_.options();
  if (retransmits_ >= options.syn_retries + options.syn_linear_timeouts) return Abort(ETIMEDOUT);
  ++retransmits_;
  syn_sent_ = fabric_.Now();
  SendControl(PacketKind::kSyn);
}

void TcpSocket::RetransmitSynAck() {
  if (retransmits_ >= host_.options().syn_ack_retries) {
    LeaveListener();
    return EnterClosed();
  }
  ++retransmits_;
  SendControl(PacketKind::kSynAck);
}

void TcpSocket::RetransmitData() {
  if (!is_resending_ && !is_stalled_ && unacknowledged_ == 0) return;
  const absl::Time now = fabric_.Now();
  const int retransmits_max =
      is_referenced() ? host_.options().retransmits_max : host_.options().orphan_retransmits_max;
  const bool user_gives_up = user_timeout() > absl::ZeroDuration() &&
                             first_retransmit_ != absl::InfinitePast() &&
                             now - first_retransmit_ >= user_timeout();
  if (user_gives_up || retransmits_ >= retransmits_max) {
    return Abort(soft_error_ != 0 ? soft_error_ : ETIMEDOUT);
  }
  if (first_retransmit_ == absl::InfinitePast()) first_retransmit_ = now;
  ++retransmits_;
  retransmit_delay_ = std::min(2 * retransmit_delay_, kRetransmitMax);
  if (!fabric_.Passes(host_, *remote_host_)) {
    ObserveRepetition();
    HearUnreachable();
    return ScheduleRetransmit();
  }
  const bool answer_passes = fabric_.Passes(*remote_host_, host_);
  if (std::exchange(is_resending_, false) || (is_stalled_ && answer_passes)) PushUnsent();
  if (unacknowledged_ > 0 && (peer_ == nullptr || peer_->state_ == TcpState::kClosed)) {
    AnswerWithReset();
  } else if (unacknowledged_ > 0 && answer_passes) {
    acknowledged_late_ += std::exchange(unacknowledged_, 0);
    OnAcknowledged();
    OnWindow();
  }
  // A peer that answers, but has no room, is asked again for as long as the user lets us.
  if (is_stalled_ && answer_passes) retransmits_ = 0;
  if (is_stalled_ || unacknowledged_ > 0) ScheduleRetransmit();
}

// What is lost again.
void TcpSocket::ObserveRepetition() {
  if (fabric_.observer() == nullptr) return;
  if (!is_resending_) return fabric_.ObserveProbe(*this, /*is_lost=*/true);
  unsent_.first()->sent = fabric_.Now();
  fabric_.ObserveLost(*this, *unsent_.first());
}

void TcpSocket::HearUnreachable() {
  const int unreachable = fabric_.UnreachableErrno(host_, *remote_host_);
  if (unreachable == 0) return;
  soft_error_ = unreachable;
  if (state_ == TcpState::kSynSent) {
    Schedule(Task::kUnreachable, fabric_.Now() + fabric_.LatencyOf(host_, *remote_host_));
  }
}

bool TcpSocket::PathIsSound() {
  return peer_ != nullptr && peer_->IsConnected() && fabric_.Passes(host_, *remote_host_) &&
         fabric_.Passes(*remote_host_, host_);
}

// Keep-alive on a sound path changes nothing that anybody could see. So its timer runs only from
// the moment that the path is broken.
void TcpSocket::OnPathChanged() {
  if (!IsConnected() || fin_received_ || !is_referenced() || !options_.keep_alive) return;
  if (IsScheduled(Task::kKeepAlive) || PathIsSound()) return;
  const absl::Duration idle = absl::Seconds(options_.keep_idle_s);
  absl::Duration since_last;
  const int64_t answered = absl::IDivDuration(fabric_.Now() - last_heard_, idle, &since_last);
  last_heard_ += answered * idle;  // By the probes so far.
  keep_alive_probes_ = 0;
  Schedule(Task::kKeepAlive, last_heard_ + idle);
}

void TcpSocket::OnKeepAliveTimer() {
  if (!IsConnected()) return;
  if (!is_referenced()) return EnterClosed();  // FIN_WAIT2 has an end.
  const absl::Time now = fabric_.Now();
  const absl::Duration idle = absl::Seconds(options_.keep_idle_s);
  if (PathIsSound()) {
    last_heard_ = now;
    return;
  }
  if (!unsent_.empty() || unacknowledged_ > 0) return Schedule(Task::kKeepAlive, now + idle);
  const absl::Duration silence = now - last_heard_;
  if (silence < idle) {
    keep_alive_probes_ = 0;
    return Schedule(Task::kKeepAlive, last_heard_ + idle);
  }
  const bool asked_enough = user_timeout() > absl::ZeroDuration()
                                ? silence >= user_timeout() && keep_alive_probes_ > 0
                                : keep_alive_probes_ >= options_.keep_probes;
  if (asked_enough) {
    SendReset();
    return Abort(soft_error_ != 0 ? soft_error_ : ETIMEDOUT);
  }
  ++keep_alive_probes_;
  const bool probe_arrives = fabric_.Passes(host_, *remote_host_);
  fabric_.ObserveProbe(*this, !probe_arrives);
  if (probe_arrives && (peer_ == nullptr || !peer_->IsConnected())) AnswerWithReset();
  if (!probe_arrives) HearUnreachable();
  Schedule(Task::kKeepAlive, now + absl::Seconds(options_.keep_interval_s));
}

void TcpSocket::AwaitPeersFin() { Schedule(Task::kKeepAlive, fabric_.Now() + kFinTimeout); }

}  // namespace rollcall::fault
