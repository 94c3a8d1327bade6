#include "net/uv_loop.h"

#include "glog/logging.h"
#include "net/net_error.h"

namespace rollcall::net {
namespace {

int UvEventsOf(uint8_t interest) {
  return ((interest & kReadable) ? UV_READABLE | UV_DISCONNECT : 0) |
         ((interest & kWritable) ? UV_WRITABLE : 0);
}

uint8_t ReadinessOf(int status, int uv_events) {
  if (status < 0) return kBroken;
  uint8_t readiness = 0;
  if (uv_events & UV_READABLE) readiness |= kReadable;
  if (uv_events & UV_WRITABLE) readiness |= kWritable;
  if (uv_events & UV_DISCONNECT) readiness |= kPeerEnded;
  return readiness;
}

}  // namespace

// What libuv keeps of one descriptor; lives until libuv has closed it, a turn after our Unwatch.
struct UvLoop::Watched {
  uv_poll_t poll;
  Watcher* watcher;  // Null once unwatched.
  uint8_t interest;
};

absl::StatusOr<std::unique_ptr<UvLoop>> UvLoop::New(Syscalls* syscalls, Clock* clock) {
  std::unique_ptr<UvLoop> loop(new UvLoop(syscalls, clock));
  const int result = loop->Init();
  if (result < 0) return ErrnoError("making an event loop (libuv)", -result, Phase::kOther);
  return loop;
}

int UvLoop::Init() {
  if (const int result = uv_loop_init(&loop_); result < 0) return result;
  if (const int result = uv_async_init(&loop_, &wake_up_, [](uv_async_t*) {}); result < 0) {
    uv_loop_close(&loop_);
    return result;
  }
  uv_timer_init(&loop_, &timer_);
  initialised_ = true;
  return 0;
}

UvLoop::~UvLoop() {
  if (!initialised_) return;
  Clear();
  uv_close(reinterpret_cast<uv_handle_t*>(&wake_up_), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&timer_), nullptr);
  uv_run(&loop_, UV_RUN_NOWAIT);  // The turn in which libuv lets go of what was closed.
  CHECK_EQ(uv_loop_close(&loop_), 0) << "a stream or a listener outlived its event loop";
}

int UvLoop::Watch(Watcher* watcher, int fd, uint8_t interest) {
  auto* watched = static_cast<Watched*>(watcher->registration_);
  if (watched == nullptr) {
    auto fresh = std::make_unique<Watched>();
    if (const int result = uv_poll_init(&loop_, &fresh->poll, fd); result < 0) return result;
    fresh->watcher = watcher;
    fresh->poll.data = fresh.get();
    watched = fresh.release();
    watcher->registration_ = watched;
  } else if (watched->interest == interest) {
    return 0;  // libuv tells in every turn anyway.
  }
  watched->interest = interest;
  return interest == 0 ? uv_poll_stop(&watched->poll)
                       : uv_poll_start(&watched->poll, UvEventsOf(interest), OnPoll);
}

void UvLoop::Unwatch(Watcher* watcher, int /*fd*/) {
  auto* watched = static_cast<Watched*>(watcher->registration_);
  if (watched == nullptr) return;
  watcher->registration_ = nullptr;
  watched->watcher = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&watched->poll),
           [](uv_handle_t* handle) { delete static_cast<Watched*>(handle->data); });
}

void UvLoop::OnPoll(uv_poll_t* poll, int status, int events) {
  auto* watched = static_cast<Watched*>(poll->data);
  watched->watcher->OnReady(ReadinessOf(status, events));
  // On an error libuv stops the handle; but a watcher may have left some of what there is to read.
  if (status < 0 && watched->watcher != nullptr && watched->interest != 0) {
    uv_poll_start(poll, UvEventsOf(watched->interest), OnPoll);
  }
}

void UvLoop::WaitAndDispatch(absl::Duration timeout) {
  if (timeout <= absl::ZeroDuration()) {
    uv_run(&loop_, UV_RUN_NOWAIT);
    return;
  }
  if (timeout != absl::InfiniteDuration()) {
    // libuv counts from the time it took note of last, which may be a turn ago.
    uv_update_time(&loop_);
    const absl::Duration rounded_up = absl::Ceil(timeout, absl::Milliseconds(1));
    // It repeats, because uv_run may find it due before it begins to wait: a timer that is over
    // then would not end the wait.
    uv_timer_start(
        &timer_, [](uv_timer_t*) {}, static_cast<uint64_t>(absl::ToInt64Milliseconds(rounded_up)),
        /*repeat=*/1);
  }
  uv_run(&loop_, UV_RUN_ONCE);
  uv_timer_stop(&timer_);
}

void UvLoop::Wake() { uv_async_send(&wake_up_); }

}  // namespace rollcall::net
