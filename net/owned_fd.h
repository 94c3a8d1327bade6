// A descriptor with an owner.
#ifndef ROLLCALL_NET_OWNED_FD_H_
#define ROLLCALL_NET_OWNED_FD_H_

#include <utility>

#include "net/syscalls.h"

namespace rollcall::net {

// Closes its descriptor, unless released.
class OwnedFd {
 public:
  OwnedFd() = default;
  OwnedFd(Syscalls* syscalls, int fd) : syscalls_(syscalls), fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : syscalls_(other.syscalls_), fd_(other.Release()) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    if (this != &other) {
      Reset();
      syscalls_ = other.syscalls_;
      fd_ = other.Release();
    }
    return *this;
  }
  ~OwnedFd() { Reset(); }

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset() {
    // The descriptor is gone whatever close returns; a second close might hit another thread's.
    if (is_open()) syscalls_->Close(Release());
  }

 private:
  Syscalls* syscalls_ = nullptr;
  int fd_ = -1;
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_OWNED_FD_H_
