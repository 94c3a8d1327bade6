#include "fault_injection/sim_epoll.h"

#include <errno.h>

#include <utility>

namespace rollcall::fault {
namespace {

// What an eventfd's counter can hold at most.
constexpr uint64_t kCounterMax = 0xfffffffffffffffe;
constexpr uint32_t kAlwaysWatched = EPOLLERR | EPOLLHUP;
// What one-shot leaves of the events that were asked for.
constexpr uint32_t kModes = EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE;

}  // namespace

class SimEpoll::Watch final : public FileObserver {
 public:
  Watch(SimEpoll* epoll, const epoll_event& event) : epoll_(*epoll) { Set(event); }
  ~Watch() override { epoll_.RemoveReady(this); }

  void Set(const epoll_event& event) {
    data = event.data;
    events = event.events;
    wanted = events | kAlwaysWatched;
  }
  // One-shot: nothing more, not even errors, until it is set again.
  void Disarm() { events = wanted = events & kModes; }

  // A file that its last descriptor's end has destroyed is ready for nothing.
  uint32_t Ready() const { return file() == nullptr ? 0 : file()->Readiness() & wanted & ~kModes; }

  void OnEvents(uint32_t happened) override {
    if (happened & wanted & ~kModes) epoll_.MakeReady(this);
  }

  epoll_data_t data;
  uint32_t events = 0;
  uint32_t wanted = 0;
  bool is_ready = false;
  Watch* previous_ready = nullptr;
  Watch* next_ready = nullptr;

 private:
  SimEpoll& epoll_;
};

SimEpoll::SimEpoll(Scheduler* scheduler) : SimFile(Kind::kEpoll, scheduler) {}

SimEpoll::~SimEpoll() { watches_.clear(); }

int SimEpoll::Control(int operation, int fd, SimFile* file, const epoll_event* event) {
  if (file == this) return -EINVAL;
  if (static_cast<size_t>(fd) >= watches_.size()) watches_.resize(fd + 1);
  std::unique_ptr<Watch>& watch = watches_[fd];
  switch (operation) {
    case EPOLL_CTL_ADD:
      if (watch != nullptr) return -EEXIST;
      watch = std::make_unique<Watch>(this, *event);
      watch->AttachTo(file);
      break;
    case EPOLL_CTL_MOD:
      if (watch == nullptr) return -ENOENT;
      watch->Set(*event);
      break;
    case EPOLL_CTL_DEL:
      if (watch == nullptr) return -ENOENT;
      watch.reset();
      return 0;
    default:
      return -EINVAL;
  }
  if (watch->Ready() != 0) MakeReady(watch.get());
  return 0;
}

void SimEpoll::Forget(int fd) {
  if (static_cast<size_t>(fd) < watches_.size()) watches_[fd].reset();
}

int SimEpoll::Wait(epoll_event* events, int count, absl::Time deadline) {
  while (true) {
    const int collected = Collect(events, count);
    if (collected > 0 || deadline <= scheduler().Now()) return collected;
    WaitFor(EPOLLIN, deadline, "epoll_wait");
  }
}

int SimEpoll::Collect(epoll_event* events, int count) {
  int collected = 0;
  Watch* const last = last_ready_;  // Whoever is put behind it has been told in this call.
  for (Watch* watch = first_ready_; watch != nullptr && collected < count;) {
    Watch* const next = watch == last ? nullptr : watch->next_ready;
    RemoveReady(watch);
    if (const uint32_t ready = watch->Ready(); ready != 0) {
      events[collected].events = ready;
      events[collected].data = watch->data;
      ++collected;
      if (watch->events & EPOLLONESHOT) {
        watch->Disarm();
      } else if (!(watch->events & EPOLLET)) {
        MakeReady(watch);
      }
    }
    watch = next;
  }
  return collected;
}

void SimEpoll::MakeReady(Watch* watch) {
  if (watch->is_ready) return;
  watch->is_ready = true;
  watch->previous_ready = last_ready_;
  watch->next_ready = nullptr;
  (last_ready_ == nullptr ? first_ready_ : last_ready_->next_ready) = watch;
  last_ready_ = watch;
  Notify(EPOLLIN);
}

void SimEpoll::RemoveReady(Watch* watch) {
  if (!watch->is_ready) return;
  watch->is_ready = false;
  Watch* const previous = watch->previous_ready;
  Watch* const next = watch->next_ready;
  (previous == nullptr ? first_ready_ : previous->next_ready) = next;
  (next == nullptr ? last_ready_ : next->previous_ready) = previous;
}

int SimEventFd::Signal() {
  if (counter_ == kCounterMax) return -EAGAIN;
  ++counter_;
  Notify(EPOLLIN);
  return sizeof(counter_);
}

int SimEventFd::Drain() {
  if (counter_ == 0) return -EAGAIN;
  counter_ = 0;
  Notify(EPOLLOUT);
  return sizeof(counter_);
}

uint32_t SimEventFd::Readiness() {
  return (counter_ > 0 ? uint32_t{EPOLLIN} : 0u) |
         (counter_ < kCounterMax ? uint32_t{EPOLLOUT} : 0u);
}

}  // namespace rollcall::fault
