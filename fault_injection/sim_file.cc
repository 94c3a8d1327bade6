#include "fault_injection/sim_file.h"

#include <sys/epoll.h>

namespace rollcall::fault {

void FileObserver::AttachTo(SimFile* file) {
  file_ = file;
  previous_ = file->last_;
  next_ = nullptr;
  (previous_ == nullptr ? file->first_ : previous_->next_) = this;
  file->last_ = this;
}

void FileObserver::Detach() {
  if (file_ == nullptr) return;
  (previous_ == nullptr ? file_->first_ : previous_->next_) = next_;
  (next_ == nullptr ? file_->last_ : next_->previous_) = previous_;
  file_ = nullptr;
}

SimFile::~SimFile() {
  while (first_ != nullptr) first_->Detach();
}

void SimFile::Notify(uint32_t events) {
  for (FileObserver* observer = first_; observer != nullptr; observer = observer->next_) {
    observer->OnEvents(events);
  }
}

bool SimFile::WaitFor(uint32_t events, absl::Time deadline, absl::string_view what) {
  FiberWaiter waiter(&scheduler_, events | EPOLLERR | EPOLLHUP);
  waiter.AttachTo(this);
  return scheduler_.Block(deadline, what);
}

}  // namespace rollcall::fault
