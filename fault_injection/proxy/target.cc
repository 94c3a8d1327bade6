#include "fault_injection/proxy/target.h"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace rollcall::fault {

class Target::SpareWatcher final : public net::Watcher {
 public:
  explicit SpareWatcher(Target* target) : target_(*target) {
    target_.loop_.Watch(this, target_.spare_.get(), net::kReadable);
  }
  ~SpareWatcher() { target_.loop_.Unwatch(this, target_.spare_.get()); }

 private:
  void OnReady(uint8_t) override { target_.OnSpareReady(); }

  Target& target_;
};

Target::Target(net::SocketLoop* loop, const net::SocketAddress& address, bool keeps_spare,
               absl::AnyInvocable<void()> on_change)
    : loop_(*loop), address_(address), keeps_spare_(keeps_spare), on_change_(std::move(on_change)) {
  if (keeps_spare) {
    Probe();
  } else {
    state_ = State::kUp;  // Until a client's connection tells otherwise.
  }
}

Target::~Target() {
  CancelTimer();
  dial_.reset();
  watcher_.reset();
}

std::optional<net::OwnedFd> Target::TakeSpare() {
  if (!spare_.is_open()) return std::nullopt;
  watcher_.reset();
  net::OwnedFd taken = std::move(spare_);
  if (keeps_spare_) Probe();
  return taken;
}

void Target::OnConnectFailed(int errno_value) {
  if (errno_value != ECONNREFUSED) return;
  ++refusals_;
  SetState(State::kRefuses);
  if (dial_ == nullptr) ProbeLater();
}

void Target::Probe() {
  CancelTimer();
  last_probe_ = loop_.Now();
  dial_ = std::make_unique<Dial>(&loop_, address_, [this](int errno_value, net::OwnedFd fd) {
    OnProbed(errno_value, std::move(fd));
  });
  timer_ = loop_.RunAt(last_probe_ + kSilentAfter, [this] {
    timer_ = 0;
    // Asked anew rather than left to the kernel, whose pauses grow.
    dial_.reset();
    SetState(State::kSilent);
    ProbeLater();
  });
}

void Target::ProbeLater() {
  CancelTimer();
  timer_ = loop_.RunAt(std::max(last_probe_ + interval_, loop_.Now()), [this] {
    timer_ = 0;
    Probe();
  });
  interval_ = std::min(2 * interval_, kProbeIntervalMax);
}

void Target::OnProbed(int errno_value, net::OwnedFd fd) {
  CancelTimer();
  dial_.reset();
  if (errno_value == 0) {
    interval_ = kProbeIntervalMin;
    spare_ = std::move(fd);
    watcher_ = std::make_unique<SpareWatcher>(this);
    SetState(State::kUp);
    return;
  }
  const bool refused = errno_value == ECONNREFUSED || errno_value == ECONNRESET;
  if (refused) ++refusals_;
  SetState(refused ? State::kRefuses : State::kSilent);
  ProbeLater();
}

void Target::OnSpareReady() {
  watcher_.reset();
  char byte;
  const ssize_t seen = loop_.syscalls().Recv(spare_.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK);
  // A server that speaks first: it is alive, and its words are for the client.
  if (seen > 0) return;
  spare_.Reset();
  // One that takes connections and ends them at once is not asked all the time.
  if (loop_.Now() - last_probe_ < interval_) {
    ProbeLater();
  } else {
    Probe();
  }
}

void Target::SetState(State state) {
  if (std::exchange(state_, state) != state) on_change_();
}

void Target::CancelTimer() {
  if (timer_ != 0) loop_.CancelTimer(std::exchange(timer_, 0));
}

}  // namespace rollcall::fault
