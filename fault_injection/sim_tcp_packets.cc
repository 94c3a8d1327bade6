// What a socket does with packets: sending, loss, arrival, and what each kind does at its end.
#include <errno.h>
#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "fault_injection/sim_fabric.h"
#include "fault_injection/sim_tcp.h"
#include "fault_injection/sim_tcp_internal.h"

namespace rollcall::fault {
namespace {

bool IsRepeated(PacketKind kind) { return kind == PacketKind::kData || kind == PacketKind::kFin; }

}  // namespace

// --- Sending ---

void TcpSocket::SendControl(PacketKind kind) { Launch(fabric_.packets().New(kind, 0)); }

void TcpSocket::SendFin() {
  fin_sent_ = true;
  closes_first_ = !fin_received_;
  unsent_.Push(fabric_.packets().New(PacketKind::kFin, 0));
  PushUnsent();
}

void TcpSocket::SendReset() {
  unsent_.Clear(fabric_.packets());
  queued_bytes_ = 0;
  if (remote_host_ != nullptr) SendControl(PacketKind::kReset);
}

bool TcpSocket::WindowIsOpen() const {
  if (peer_ == nullptr) return true;  // To be told so by a reset.
  return peer_->received_.size_bytes() + flight_.size_bytes() <
         peer_->options_.receive_buffer_bytes;
}

void TcpSocket::PushUnsent() {
  while (!is_resending_ && !unsent_.empty()) {
    if (unsent_.first()->kind == PacketKind::kData && !WindowIsOpen()) {
      if (!std::exchange(is_stalled_, true)) ScheduleRetransmit();
      return;
    }
    is_stalled_ = false;
    Launch(unsent_.Pop());
  }
}

void TcpSocket::Launch(Packet* packet) {
  if (fabric_.observer() != nullptr) packet->sent = fabric_.Now();
  if (!fabric_.Passes(host_, *remote_host_)) {
    fabric_.NotePacket(*this, *packet, /*lost=*/true);
    HearUnreachable();
    return OnLost(packet, /*has_left=*/false);
  }
  last_arrival_ =
      std::max(last_arrival_, fabric_.ArrivalOf(host_, *remote_host_, packet->size_bytes()));
  packet->arrives = last_arrival_;
  const bool is_first = flight_.empty();
  flight_.Push(packet);
  if (is_first) Schedule(Task::kDeliver, packet->arrives);
}

void TcpSocket::DeliverDue() {
  const absl::Time now = fabric_.Now();
  while (!flight_.empty() && flight_.first()->arrives <= now) {
    Packet* const packet = flight_.Pop();
    const PacketKind kind = packet->kind;
    const size_t size_bytes = packet->size_bytes();
    const bool arrives = fabric_.Passes(host_, *remote_host_);
    fabric_.NotePacket(*this, *packet, !arrives);
    if (arrives && HandOver(packet)) {
      OnDelivered(kind, size_bytes);
    } else {
      if (arrives) fabric_.ObserveDrop(*this);
      OnLost(packet, /*has_left=*/true);
    }
  }
  if (!flight_.empty()) {
    Schedule(Task::kDeliver, flight_.first()->arrives);
  } else if (IsGarbage()) {
    fabric_.NoteGarbage(this);
  }
}

bool TcpSocket::HandOver(Packet* packet) {
  if (packet->kind == PacketKind::kSyn) {
    const bool taken = OnSyn();
    if (taken) fabric_.packets().Free(packet);
    return taken;
  }
  if (peer_ != nullptr && peer_->state_ != TcpState::kClosed) return peer_->OnPacket(packet);
  // Nobody there. Whatever lingers of the connection ends now.
  remote_host_->ports().ForgetTimeWait(remote, local);
  if (packet->kind != PacketKind::kReset) AnswerWithReset();
  fabric_.packets().Free(packet);
  return true;
}

void TcpSocket::OnLost(Packet* packet, bool has_left) {
  if (!IsRepeated(packet->kind) || state_ != TcpState::kEstablished) {
    const PacketKind kind = packet->kind;
    fabric_.packets().Free(packet);
    if (kind == PacketKind::kSyn || kind == PacketKind::kSynAck) ScheduleRetransmit();
    // The other end's timer runs, too, until it has heard.
    const bool was_handshake = kind == PacketKind::kSynAck || kind == PacketKind::kAck;
    if (was_handshake && peer_ != nullptr && !peer_->IsConnected()) peer_->ScheduleRetransmit();
    return;
  }
  PacketQueue lost;
  lost.Push(packet);
  if (has_left) LoseFlight(lost);
  unsent_.Prepend(lost);
  is_resending_ = true;
  ScheduleRetransmit();
}

// What followed a lost packet is of no use without it.
void TcpSocket::LoseFlight(PacketQueue& lost) {
  while (!flight_.empty()) {
    Packet* const next = flight_.Pop();
    fabric_.ObserveLost(*this, *next);
    if (IsRepeated(next->kind)) {
      lost.Push(next);
    } else {
      fabric_.packets().Free(next);
    }
  }
  Cancel(Task::kDeliver);
}

void TcpSocket::OnDelivered(PacketKind kind, size_t size_bytes) {
  if (!IsRepeated(kind) || state_ != TcpState::kEstablished) return;
  if (kind == PacketKind::kFin) {
    fin_delivered_ = true;
    if (fin_received_) return FinishBothSides();
    if (!is_referenced()) AwaitPeersFin();
  }
  if (!fabric_.Passes(*remote_host_, host_)) {
    unacknowledged_ += size_bytes;
    return ScheduleRetransmit();
  }
  OnAcknowledged();
  if (lacks_space_) {
    acknowledged_late_ += size_bytes;
    if (!IsScheduled(Task::kWindow)) {
      Schedule(Task::kWindow, fabric_.Now() + fabric_.LatencyOf(*remote_host_, host_));
    }
  } else {
    queued_bytes_ -= size_bytes;
  }
}

void TcpSocket::OnAcknowledged() {
  last_heard_ = fabric_.Now();
  retransmits_ = 0;
  retransmit_delay_ = absl::ZeroDuration();
  first_retransmit_ = absl::InfinitePast();
}

// News from the other end: bytes have arrived, or have been read.
void TcpSocket::OnWindow() {
  if (state_ != TcpState::kEstablished) return;
  queued_bytes_ -= std::exchange(acknowledged_late_, 0);
  PushUnsent();
  if (lacks_space_ && IsWritable()) {
    lacks_space_ = false;
    Notify(EPOLLOUT);
  }
}

// --- Receiving ---

bool TcpSocket::OnSyn() {
  if (remote_host_->Refuses(remote.port)) {
    AnswerWithReset();
    return true;
  }
  if (peer_ != nullptr) {  // The SYN-ACK was lost, not the first SYN.
    if (peer_->state_ == TcpState::kSynReceived) peer_->SendControl(PacketKind::kSynAck);
    return true;
  }
  PortHolder* const holder = remote_host_->ports().FindListener(remote);
  if (holder == nullptr) {
    const bool meets_itself = remote_host_ == &host_ && remote == local;
    if (meets_itself && state_ == TcpState::kSynSent) {
      peer_ = this;
      Establish();
    } else {
      AnswerWithReset();
    }
    return true;
  }
  auto* const listener = static_cast<TcpSocket*>(holder);
  if (listener->listen_->is_full()) return false;
  StartChild(listener);
  return true;
}

void TcpSocket::StartChild(TcpSocket* listener) {
  auto* const child = new TcpSocket(&listener->host_, listener->family());
  child->local = remote;
  child->remote = local;
  child->v6_only = listener->v6_only;
  child->reuse_address = listener->reuse_address;
  child->reuse_port = listener->reuse_port;
  child->options_ = listener->options_;
  child->remote_host_ = &host_;
  child->state_ = TcpState::kSynReceived;
  child->peer_ = this;
  peer_ = child;
  child->listener_ = listener;
  listener->listen_->half_open.push_back(child);
  child->host_.ports().Add(child);
  child->SendControl(PacketKind::kSynAck);
}

bool TcpSocket::OnPacket(Packet* packet) {
  last_heard_ = fabric_.Now();
  switch (packet->kind) {
    case PacketKind::kData:
      return OnData(packet);
    case PacketKind::kFin:
      if (!OnFin()) return false;
      break;
    case PacketKind::kSynAck:
      OnSynAck();
      break;
    case PacketKind::kReset:
      OnReset();
      break;
    case PacketKind::kAck:
      if (state_ == TcpState::kSynReceived) CompleteHandshake();
      break;
    case PacketKind::kSyn:
    case PacketKind::kProbe:
      break;  // HandOver has dealt with the one, and the other is never sent.
  }
  fabric_.packets().Free(packet);
  return true;
}

bool TcpSocket::OnData(Packet* packet) {
  if (state_ == TcpState::kSynReceived && !CompleteHandshake()) return false;
  const bool nobody_reads = !is_referenced() && listener_ == nullptr;
  const bool both_shut = (shutdown_ & kReceiveShut) != 0 && fin_sent_ && !fin_received_;
  if (state_ != TcpState::kEstablished || nobody_reads || both_shut) {
    if (peer_ != nullptr) peer_->AnswerWithReset();
    fabric_.packets().Free(packet);
    if (state_ == TcpState::kEstablished) Abort(ECONNRESET);
    return true;
  }
  received_.Push(packet);
  Notify(EPOLLIN | EPOLLRDNORM);
  return true;
}

void TcpSocket::OnSynAck() {
  if (state_ == TcpState::kSynSent) {
    Establish();
    SendControl(PacketKind::kAck);
  } else if (state_ == TcpState::kEstablished) {
    SendControl(PacketKind::kAck);
  }
}

void TcpSocket::Establish() {
  state_ = TcpState::kEstablished;
  Cancel(Task::kRetransmit);
  OnAcknowledged();
  Notify(EPOLLOUT | EPOLLWRNORM);
}

// False: the accept queue has no room now; the kernel will hear of it again.
bool TcpSocket::CompleteHandshake() {
  if (listener_->listen_->is_full()) {
    if (host_.options().abort_on_overflow) {
      LeaveListener();
      EnterClosed();
      if (peer_ != nullptr) peer_->AnswerWithReset();
      return true;
    }
    ScheduleRetransmit();
    return false;
  }
  std::vector<TcpSocket*>& half_open = listener_->listen_->half_open;
  *std::find(half_open.begin(), half_open.end(), this) = half_open.back();
  half_open.pop_back();
  listener_->listen_->accept_queue.push_back(this);
  layer_ = Layer::kConnected;
  Establish();
  listener_->Notify(EPOLLIN | EPOLLRDNORM);
  return true;
}

void TcpSocket::LeaveListener() {
  if (listener_ == nullptr) return;
  ListenState& listen = *std::exchange(listener_, nullptr)->listen_;
  listen.half_open.erase(std::remove(listen.half_open.begin(), listen.half_open.end(), this),
                         listen.half_open.end());
  listen.accept_queue.erase(
      std::remove(listen.accept_queue.begin(), listen.accept_queue.end(), this),
      listen.accept_queue.end());
}

bool TcpSocket::OnFin() {
  if (state_ == TcpState::kSynReceived && !CompleteHandshake()) return false;
  if (state_ != TcpState::kEstablished) return true;
  fin_received_ = true;
  shutdown_ |= kReceiveShut;
  Notify(EPOLLIN | EPOLLRDNORM | EPOLLRDHUP | (shutdown_ == kBothShut ? EPOLLHUP : 0u));
  if (fin_delivered_) FinishBothSides();
  return true;
}

// Both FINs have arrived. The side that began keeps the port for a while.
void TcpSocket::FinishBothSides() {
  if (state_ != TcpState::kEstablished) return;
  if (closes_first_) host_.ports().AddTimeWait(*this, fabric_.Now());
  closes_first_ = false;
  EnterClosed();
}

void TcpSocket::OnReset() {
  if (state_ == TcpState::kClosed || state_ == TcpState::kListen) return;
  if (state_ == TcpState::kSynReceived) {
    LeaveListener();
    return EnterClosed();
  }
  const bool peer_had_ended = fin_received_ && !fin_sent_;
  Abort(state_ == TcpState::kSynSent ? ECONNREFUSED : peer_had_ended ? EPIPE : ECONNRESET);
}

void TcpSocket::AnswerWithReset() {
  if (!fabric_.Passes(*remote_host_, host_)) {
    fabric_.ObserveRefusal(*this, /*is_lost=*/true);
    if (state_ == TcpState::kSynSent || state_ == TcpState::kEstablished) ScheduleRetransmit();
    return;
  }
  if (IsScheduled(Task::kReset)) return;
  fabric_.ObserveRefusal(*this, /*is_lost=*/false);
  Schedule(Task::kReset, fabric_.Now() + fabric_.LatencyOf(*remote_host_, host_));
}

void TcpSocket::Reset() {
  if (state_ == TcpState::kEstablished && !IsScheduled(Task::kReset)) {
    Schedule(Task::kReset, fabric_.Now());
  }
}

void TcpSocket::OpenWindow() {
  if (peer_ == nullptr || !peer_->is_stalled_ || !peer_->WindowIsOpen()) return;
  if (!fabric_.Passes(host_, peer_->host_)) return;  // The peer's probes will find out.
  if (peer_->IsScheduled(Task::kWindow)) return;
  peer_->Schedule(Task::kWindow, fabric_.Now() + fabric_.LatencyOf(host_, peer_->host_));
}

// --- The end ---

void TcpSocket::Abort(int errno_value) {
  error_ = errno_value;
  EnterClosed();
}

void TcpSocket::EnterClosed() {
  state_ = TcpState::kClosed;
  shutdown_ = kBothShut;
  unsent_.Clear(fabric_.packets());
  queued_bytes_ = acknowledged_late_ = unacknowledged_ = 0;
  is_stalled_ = is_resending_ = false;
  for (const Task task :
       {Task::kReset, Task::kUnreachable, Task::kWindow, Task::kRetransmit, Task::kKeepAlive}) {
    Cancel(task);
  }
  if (!is_bound_by_name) Unbind();
  Notify(EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM | EPOLLRDHUP | EPOLLHUP | EPOLLERR);
  if (!is_referenced()) fabric_.NoteGarbage(this);
}

bool TcpSocket::IsGarbage() const {
  if (is_referenced() || listener_ != nullptr || !flight_.empty()) return false;
  return state_ == TcpState::kClosed;
}

void TcpSocket::Vanish() {
  LeaveListener();
  if (listen_ != nullptr) {
    for (TcpSocket* child : listen_->half_open) child->listener_ = nullptr;
    for (TcpSocket* child : listen_->accept_queue) child->listener_ = nullptr;
    listen_.reset();
    host_.ports().StopListening(this);
  }
  for (Packet* packet = flight_.first(); packet != nullptr; packet = packet->next) {
    fabric_.ObserveLost(*this, *packet);
  }
  flight_.Clear(fabric_.packets());
  Cancel(Task::kDeliver);
  received_.Clear(fabric_.packets());
  is_bound_by_name = false;
  EnterClosed();
  Unbind();
}

}  // namespace rollcall::fault
