#include "net/socket_loop.h"

#include <algorithm>
#include <utility>

#include "glog/logging.h"
#include "net/listen_sockets.h"
#include "net/socket_listener.h"
#include "net/socket_stream.h"

namespace rollcall::net {

SocketLoop::SocketLoop(Syscalls* syscalls, Clock* clock)
    : syscalls_(syscalls),
      clock_(clock),
      read_buffer_(std::make_unique_for_overwrite<char[]>(kReadBufferBytes)) {}

SocketLoop::~SocketLoop() = default;

void SocketLoop::Clear() {
  // What is destroyed may post, and set timers, on its way out.
  do {
    timers_.Clear();
    posts_.Clear();
  } while (!timers_.empty());
}

void SocketLoop::Run() {
  CHECK(!running_) << "Run inside Run";
  running_ = true;
  stopped_ = false;
  while (!stopped_) RunTurn();
  running_ = false;
  now_.reset();
}

void SocketLoop::RunTurn() {
  const absl::Duration timeout = TimeToWait();
  now_.reset();
  WaitAndDispatch(timeout);
  posts_.Awake();
  if (!timers_.empty()) timers_.RunDue(Now());
  stopped_ = !posts_.RunPosted();
  ReportFailures();
}

absl::Duration SocketLoop::TimeToWait() {
  if (!failed_.empty() || !posts_.PrepareToSleep()) return absl::ZeroDuration();
  const absl::Time deadline = timers_.NextDeadline();
  if (deadline == absl::InfiniteFuture()) return absl::InfiniteDuration();
  return std::max(deadline - clock_->Now(), absl::ZeroDuration());
}

void SocketLoop::Stop() {
  if (posts_.PostStop()) Wake();
}

void SocketLoop::Post(absl::AnyInvocable<void()> work) {
  if (posts_.Post(std::move(work))) Wake();
}

absl::Time SocketLoop::Now() {
  if (!running_) return clock_->Now();
  if (!now_.has_value()) now_ = clock_->Now();
  return *now_;
}

TimerId SocketLoop::RunAt(absl::Time when, absl::AnyInvocable<void()> work) {
  CHECK(work) << "timed work is empty";
  return timers_.Add(when, std::move(work));
}

void SocketLoop::CancelTimer(TimerId timer) { timers_.Cancel(timer); }

absl::StatusOr<std::unique_ptr<Listener>> SocketLoop::Listen(const ListenOptions& options,
                                                             AcceptCallback on_accept) {
  absl::StatusOr<std::vector<BoundSocket>> sockets = OpenListenSockets(*syscalls_, options);
  if (!sockets.ok()) return sockets.status();
  return SocketListener::Start(this, *std::move(sockets), options.adopt_fd >= 0,
                               std::move(on_accept));
}

void SocketLoop::ReportFailureLater(SocketStream* stream) { failed_.push_back(stream); }

void SocketLoop::ForgetFailure(SocketStream* stream) {
  std::replace(failed_.begin(), failed_.end(), stream, static_cast<SocketStream*>(nullptr));
}

void SocketLoop::ReportFailures() {
  if (failed_.empty()) return;
  // By index, and not past what is there now: handlers may close any of these, and fail others.
  const size_t count = failed_.size();
  for (size_t i = 0; i < count; ++i) {
    if (SocketStream* stream = std::exchange(failed_[i], nullptr)) stream->ReportFailure();
  }
  failed_.erase(failed_.begin(), failed_.begin() + count);
}

void SocketLoop::OnDescriptorFreed() {
  if (resting_.empty()) return;
  const absl::flat_hash_set<SocketListener*> resting = std::exchange(resting_, {});
  for (SocketListener* listener : resting) listener->Resume();
}

}  // namespace rollcall::net
