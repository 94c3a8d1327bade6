#include "tools/bench/echo_server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "glog/logging.h"
#include "tools/bench/echo_frame.h"

namespace rollcall::bench {
namespace {

constexpr size_t kReadBytes = 256 << 10;
// Longer ones are made of several.
constexpr size_t kAnswerBytesMax = (8 << 20) + kEchoHeaderBytes;
constexpr int kEventsMax = 512;

// What must be remembered of a connection between two reads. Most have nothing.
struct Unfinished {
  std::array<char, kEchoHeaderBytes> header = {};
  uint8_t header_bytes = 0;   // Of a header that was cut.
  uint32_t request_left = 0;  // Of a request whose header is known.
  EchoFrame frame;
  uint64_t unsent_bytes = 0;
};

struct Holder {
  int fd;
  uint32_t answer_bytes;
};

struct EchoGate {
  bool open = false;
  int passes = 0;
  std::vector<Holder> holders;
};

class EchoServer {
 public:
  explicit EchoServer(int listen_fd)
      : listen_fd_(listen_fd), epoll_fd_(epoll_create1(EPOLL_CLOEXEC)), gates_(kEchoGates) {
    PCHECK(epoll_fd_ >= 0);
    PCHECK(fcntl(listen_fd_, F_SETFL, O_NONBLOCK) == 0);
    Watch(listen_fd_, EPOLLIN, EPOLL_CTL_ADD);
  }

  [[noreturn]] void Run() {
    std::array<epoll_event, kEventsMax> events;
    while (true) {
      const int ready = epoll_wait(epoll_fd_, events.data(), kEventsMax, -1);
      PCHECK(ready >= 0 || errno == EINTR);
      for (int i = 0; i < ready; ++i) {
        const int fd = events[i].data.fd;
        if (fd == listen_fd_) {
          Accept();
        } else if ((events[i].events & EPOLLOUT) != 0) {
          SendMore(fd);
        } else {
          Read(fd);
        }
      }
    }
  }

 private:
  void Watch(int fd, uint32_t events, int operation) {
    epoll_event event = {.events = events, .data = {.fd = fd}};
    PCHECK(epoll_ctl(epoll_fd_, operation, fd, &event) == 0);
  }

  void Accept() {
    while (true) {
      const int fd = accept4(listen_fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) {
        PCHECK(errno == EAGAIN || errno == ECONNABORTED || errno == EINTR);
        if (errno == EAGAIN) return;
        continue;
      }
      const int yes = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
      Watch(fd, EPOLLIN, EPOLL_CTL_ADD);
    }
  }

  void Read(int fd) {
    const ssize_t size = recv(fd, buffer_.data(), buffer_.size(), 0);
    if (size > 0) {
      TakeRequests(fd, absl::string_view(buffer_.data(), static_cast<size_t>(size)));
    } else if (size == 0 || errno != EAGAIN) {
      Close(fd);
    }
  }

  void Close(int fd) {
    unfinished_.erase(fd);
    Place& place = PlaceOf(fd);
    if (place.held) {
      // The last takes its place: nobody promised an order.
      std::vector<Holder>& holders = gates_[place.gate].holders;
      holders[place.index] = holders.back();
      PlaceOf(holders[place.index].fd).index = place.index;
      holders.pop_back();
      place = {};
    }
    close(fd);
  }

  void TakeRequests(int fd, absl::string_view in) {
    Unfinished state;
    const auto found = unfinished_.empty() ? unfinished_.end() : unfinished_.find(fd);
    if (found != unfinished_.end()) state = found->second;
    uint64_t answer_bytes = 0;
    while (!in.empty() && TakeHeader(in, state)) {
      const size_t taken = std::min<size_t>(state.request_left, in.size());
      in.remove_prefix(taken);
      state.request_left -= static_cast<uint32_t>(taken);
      if (state.request_left > 0) break;
      answer_bytes += Answer(fd, state.frame);
      state.frame = {};
    }
    Keep(fd, state);
    if (answer_bytes > 0) Send(fd, answer_bytes);
  }

  // True once the current request's length is known.
  static bool TakeHeader(absl::string_view& in, Unfinished& state) {
    if (state.frame.request_bytes > 0) return true;
    if (state.header_bytes == 0 && in.size() >= kEchoHeaderBytes) {
      state.frame = EchoHeaderOf(in);
      in.remove_prefix(kEchoHeaderBytes);
    } else {
      const size_t taken = std::min(kEchoHeaderBytes - state.header_bytes, in.size());
      std::memcpy(state.header.data() + state.header_bytes, in.data(), taken);
      in.remove_prefix(taken);
      state.header_bytes = static_cast<uint8_t>(state.header_bytes + taken);
      if (state.header_bytes < kEchoHeaderBytes) return false;
      state.frame = EchoHeaderOf(absl::string_view(state.header.data(), kEchoHeaderBytes));
      state.header_bytes = 0;
    }
    state.request_left = state.frame.request_bytes - kEchoHeaderBytes;
    return true;
  }

  void Keep(int fd, const Unfinished& state) {
    if (state.frame.request_bytes > 0 || state.header_bytes > 0 || state.unsent_bytes > 0) {
      unfinished_[fd] = state;
    } else if (!unfinished_.empty()) {
      unfinished_.erase(fd);
    }
  }

  // How many bytes are due at once to the one who asked.
  uint32_t Answer(int fd, const EchoFrame& frame) {
    EchoGate& gate = gates_[frame.gate];
    switch (frame.kind) {
      case EchoKind::kAnswer:
        return frame.answer_bytes;
      case EchoKind::kHold:
        if (gate.open) return frame.answer_bytes;
        if (gate.passes > 0) {
          --gate.passes;
          return frame.answer_bytes;
        }
        PlaceOf(fd) = {
            .held = true, .gate = frame.gate, .index = static_cast<uint32_t>(gate.holders.size())};
        gate.holders.push_back({.fd = fd, .answer_bytes = frame.answer_bytes});
        return 0;
      case EchoKind::kOpen:
        gate.open = true;
        for (const Holder& holder : gate.holders) LetThrough(holder);
        gate.holders.clear();
        return frame.answer_bytes;
      case EchoKind::kPassOne:
        if (gate.holders.empty()) {
          ++gate.passes;
        } else {
          LetThrough(gate.holders.back());
          gate.holders.pop_back();
        }
        return frame.answer_bytes;
    }
    LOG(FATAL) << "no such kind";
  }

  void LetThrough(const Holder& holder) {
    PlaceOf(holder.fd) = {};
    Send(holder.fd, holder.answer_bytes);
  }

  void Send(int fd, uint64_t bytes) {
    const auto found = unfinished_.empty() ? unfinished_.end() : unfinished_.find(fd);
    if (found != unfinished_.end() && found->second.unsent_bytes > 0) {
      found->second.unsent_bytes += bytes;
      return;
    }
    const uint64_t unsent = SendNow(fd, bytes);
    if (unsent == 0) return;
    unfinished_[fd].unsent_bytes = unsent;
    Watch(fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
  }

  void SendMore(int fd) {
    Unfinished& state = unfinished_[fd];
    state.unsent_bytes = SendNow(fd, state.unsent_bytes);
    if (state.unsent_bytes > 0) return;
    Watch(fd, EPOLLIN, EPOLL_CTL_MOD);
    Keep(fd, Unfinished(state));
  }

  // Returns what the kernel did not take. A peer that has gone is met by the next read.
  uint64_t SendNow(int fd, uint64_t bytes) {
    // No value of this length that a store sends lies in the processor's cache. (Made when needed:
    // an idle echo server has no memory worth the name.)
    if (bytes > answers_.size()) answers_.resize(kAnswerBytesMax, 'x');
    while (bytes > 0) {
      const uint64_t size = std::min<uint64_t>(bytes, answers_.size());
      const ssize_t sent = send(fd, answers_.data() + (answers_.size() - size), size, MSG_NOSIGNAL);
      if (sent < 0) return errno == EAGAIN ? bytes : 0;
      bytes -= static_cast<uint64_t>(sent);
    }
    return 0;
  }

  // Where a connection waits.
  struct Place {
    bool held = false;
    uint16_t gate = 0;
    uint32_t index = 0;  // Among its holders.
  };

  Place& PlaceOf(int fd) {
    const auto index = static_cast<size_t>(fd);
    if (index >= places_.size()) places_.resize(index + 1);
    return places_[index];
  }

  const int listen_fd_;
  const int epoll_fd_;
  std::vector<EchoGate> gates_;
  std::vector<Place> places_;  // By descriptor.
  absl::flat_hash_map<int, Unfinished> unfinished_;
  std::vector<char> buffer_ = std::vector<char>(kReadBytes);
  std::vector<char> answers_ = std::vector<char>(kReadBytes);
};

}  // namespace

void ServeEcho(int listen_fd) { EchoServer(listen_fd).Run(); }

}  // namespace rollcall::bench
