// For tests: real system calls, of which chosen ones fail.
#ifndef ROLLCALL_NET_SCRIPTED_SYSCALLS_H_
#define ROLLCALL_NET_SCRIPTED_SYSCALLS_H_

#include <deque>
#include <initializer_list>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "absl/time/time.h"
#include "net/syscalls.h"
#include "net/syscalls_decorator.h"

namespace rollcall::net {

// The next calls of a name answer what was scripted for them instead of reaching the kernel. Counts
// calls, and remembers the descriptors it gave out and has not closed. Thread-safe.
class ScriptedSyscalls : public SyscallsDecorator {
 public:
  using SyscallsDecorator::SyscallsDecorator;

  // In a script: this call goes to the kernel.
  static constexpr int kReal = std::numeric_limits<int>::max();

  // `results` are -errno (or whatever the call may return), one per call of `name`: "socket",
  // "bind", "listen", "accept4", "connect", "getsockname", "getpeername", "getsockopt",
  // "setsockopt", "recv", "send", "shutdown", "poll".
  void Script(const std::string& name, std::initializer_list<int> results) {
    std::lock_guard<std::mutex> lock(mutex_);
    scripts_[name].insert(scripts_[name].end(), results);
  }

  int calls(const std::string& name) const {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = calls_.find(name);
    return found == calls_.end() ? 0 : found->second;
  }

  void ForgetCalls() {
    std::lock_guard<std::mutex> lock(mutex_);
    calls_.clear();
  }

  std::set<int> open_descriptors() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return open_;
  }

  // Every transfer moves at most this many bytes.
  void set_transfer_bytes_max(size_t bytes) {
    std::lock_guard<std::mutex> lock(mutex_);
    transfer_bytes_max_ = bytes;
  }

  int Socket(int family, int type, int protocol) override {
    if (const auto result = Take("socket")) return *result;
    return Opened(SyscallsDecorator::Socket(family, type, protocol));
  }
  int Bind(int fd, const sockaddr* address, socklen_t length_bytes) override {
    if (const auto result = Take("bind")) return *result;
    return SyscallsDecorator::Bind(fd, address, length_bytes);
  }
  int Listen(int fd, int backlog) override {
    if (const auto result = Take("listen")) return *result;
    return SyscallsDecorator::Listen(fd, backlog);
  }
  int Accept4(int fd, sockaddr* address, socklen_t* length_bytes, int flags) override {
    if (const auto result = Take("accept4")) return *result;
    return Opened(SyscallsDecorator::Accept4(fd, address, length_bytes, flags));
  }
  int Connect(int fd, const sockaddr* address, socklen_t length_bytes) override {
    if (const auto result = Take("connect")) return *result;
    return SyscallsDecorator::Connect(fd, address, length_bytes);
  }
  int GetSockName(int fd, sockaddr* address, socklen_t* length_bytes) override {
    if (const auto result = Take("getsockname")) return *result;
    return SyscallsDecorator::GetSockName(fd, address, length_bytes);
  }
  int GetPeerName(int fd, sockaddr* address, socklen_t* length_bytes) override {
    if (const auto result = Take("getpeername")) return *result;
    return SyscallsDecorator::GetPeerName(fd, address, length_bytes);
  }
  int GetSockOpt(int fd, int level, int name, void* value, socklen_t* length_bytes) override {
    if (const auto result = Take("getsockopt")) return *result;
    return SyscallsDecorator::GetSockOpt(fd, level, name, value, length_bytes);
  }
  int SetSockOpt(int fd, int level, int name, const void* value, socklen_t length_bytes) override {
    if (const auto result = Take("setsockopt")) return *result;
    return SyscallsDecorator::SetSockOpt(fd, level, name, value, length_bytes);
  }
  ssize_t Recv(int fd, void* buffer, size_t size_bytes, int flags) override {
    if (const auto result = Take("recv")) return *result;
    return SyscallsDecorator::Recv(fd, buffer, Cut(size_bytes), flags);
  }
  ssize_t Send(int fd, const void* buffer, size_t size_bytes, int flags) override {
    if (const auto result = Take("send")) return *result;
    return SyscallsDecorator::Send(fd, buffer, Cut(size_bytes), flags);
  }
  int Shutdown(int fd, int how) override {
    if (const auto result = Take("shutdown")) return *result;
    return SyscallsDecorator::Shutdown(fd, how);
  }
  int Poll(pollfd* fds, nfds_t count, absl::Duration timeout) override {
    if (const auto result = Take("poll")) return *result;
    return SyscallsDecorator::Poll(fds, count, timeout);
  }
  int Close(int fd) override {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      open_.erase(fd);
    }
    return SyscallsDecorator::Close(fd);
  }

 protected:
  // Counts the call; what it is to answer, if anything.
  std::optional<int> Take(const std::string& name) {
    std::lock_guard<std::mutex> lock(mutex_);
    ++calls_[name];
    std::deque<int>& script = scripts_[name];
    if (script.empty()) return std::nullopt;
    const int result = script.front();
    script.pop_front();
    return result == kReal ? std::nullopt : std::optional<int>(result);
  }

 private:
  int Opened(int fd) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (fd >= 0) open_.insert(fd);
    return fd;
  }

  size_t Cut(size_t size_bytes) const {
    std::lock_guard<std::mutex> lock(mutex_);
    return size_bytes < transfer_bytes_max_ ? size_bytes : transfer_bytes_max_;
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::deque<int>> scripts_;
  std::map<std::string, int> calls_;
  std::set<int> open_;
  size_t transfer_bytes_max_ = static_cast<size_t>(-1);
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_SCRIPTED_SYSCALLS_H_
