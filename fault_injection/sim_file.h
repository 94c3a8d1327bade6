// What a descriptor of the simulated kernel refers to: ready or not, watched by blocked calls and
// epoll sets.
#ifndef ROLLCALL_FAULT_INJECTION_SIM_FILE_H_
#define ROLLCALL_FAULT_INJECTION_SIM_FILE_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/scheduler.h"

namespace rollcall::fault {

class SimFile;

// Somebody who is told of events on a file for as long as he is attached to it.
class FileObserver {
 public:
  FileObserver() = default;
  FileObserver(const FileObserver&) = delete;
  FileObserver& operator=(const FileObserver&) = delete;
  // Detaches itself.
  virtual ~FileObserver() { Detach(); }

  void AttachTo(SimFile* file);
  void Detach();
  SimFile* file() const { return file_; }

  // EPOLL* bits that have just become true, or may have. Must not attach or detach anything.
  virtual void OnEvents(uint32_t events) = 0;

 private:
  friend class SimFile;

  SimFile* file_ = nullptr;
  FileObserver* previous_ = nullptr;
  FileObserver* next_ = nullptr;
};

// Alive while a descriptor or a blocked call refers to it, and then for as long as it likes.
class SimFile {
 public:
  enum class Kind : uint8_t { kSocket, kEpoll, kEventFd };

  SimFile(Kind kind, Scheduler* scheduler) : scheduler_(*scheduler), kind_(kind) {}
  virtual ~SimFile();
  SimFile(const SimFile&) = delete;
  SimFile& operator=(const SimFile&) = delete;

  Kind kind() const { return kind_; }
  // EPOLL* bits, as poll would show them to one who asks for all.
  virtual uint32_t Readiness() = 0;

  bool nonblocking() const { return nonblocking_; }
  void set_nonblocking(bool nonblocking) { nonblocking_ = nonblocking; }

  void Ref() { ++references_; }
  void Unref() {
    if (--references_ == 0) OnLastReference();
  }
  bool is_referenced() const { return references_ > 0; }

 protected:
  Scheduler& scheduler() { return scheduler_; }
  // Tells all observers.
  void Notify(uint32_t events);
  // Blocks the running fiber until one of `events`, or an error, may be true: test again. False if
  // `deadline` came first.
  bool WaitFor(uint32_t events, absl::Time deadline, absl::string_view what);
  // The last descriptor was closed and no call is under way. May delete itself.
  virtual void OnLastReference() = 0;

 private:
  friend class FileObserver;

  Scheduler& scheduler_;
  FileObserver* first_ = nullptr;
  FileObserver* last_ = nullptr;
  int references_ = 0;
  const Kind kind_;
  bool nonblocking_ = false;
};

// A fiber that a file's events make runnable.
class FiberWaiter final : public FileObserver {
 public:
  FiberWaiter(Scheduler* scheduler, uint32_t events)
      : scheduler_(*scheduler), fiber_(scheduler->current()), events_(events) {}

  void OnEvents(uint32_t events) override {
    if (events & events_) scheduler_.Unblock(fiber_);
  }

 private:
  Scheduler& scheduler_;
  const FiberId fiber_;
  const uint32_t events_;
};

// Keeps a file for the length of a call, which others may close meanwhile.
class FileRef {
 public:
  explicit FileRef(SimFile* file) : file_(file) { file_->Ref(); }
  ~FileRef() { file_->Unref(); }
  FileRef(const FileRef&) = delete;
  FileRef& operator=(const FileRef&) = delete;

 private:
  SimFile* const file_;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SIM_FILE_H_
