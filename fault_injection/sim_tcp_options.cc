// getsockopt and setsockopt.
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/time.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "fault_injection/sim_fabric.h"
#include "fault_injection/sim_tcp.h"

namespace rollcall::fault {
namespace {

// Linux doubles what is asked for, and does not go below this.
constexpr size_t kSendBufferBytesMin = 4608;
constexpr size_t kReceiveBufferBytesMin = 2304;

template <typename T>
int CopyOut(const T& value, void* to, socklen_t* length_bytes) {
  const socklen_t taken = std::min<socklen_t>(*length_bytes, sizeof(value));
  std::memcpy(to, &value, taken);
  *length_bytes = taken;
  return 0;
}

timeval ShownTimeout(absl::Duration timeout) {
  return timeout == absl::InfiniteDuration() ? timeval{} : absl::ToTimeval(timeout);
}

int SetTimeout(const void* value, socklen_t length_bytes, absl::Duration* timeout) {
  timeval given;
  if (length_bytes < sizeof(given)) return -EINVAL;
  std::memcpy(&given, value, sizeof(given));
  if (given.tv_usec < 0 || given.tv_usec >= 1'000'000) return -EDOM;
  const absl::Duration wanted = absl::DurationFromTimeval(given);
  // As Linux: a negative one does not wait at all.
  *timeout = wanted == absl::ZeroDuration() ? absl::InfiniteDuration()
                                            : std::max(wanted, absl::ZeroDuration());
  return 0;
}

int SetInRange(int value, int smallest, int largest, int* option) {
  if (value < smallest || value > largest) return -EINVAL;
  *option = value;
  return 0;
}

}  // namespace

int TcpSocket::GetOption(int level, int name, void* value, socklen_t* length_bytes) {
  const auto get_int = [&](int64_t number) {
    return CopyOut(static_cast<int>(number), value, length_bytes);
  };
  if (level == SOL_SOCKET) {
    switch (name) {
      case SO_ERROR: {
        const int error = TakeError();
        return get_int(error != 0 ? error : std::exchange(soft_error_, 0));
      }
      case SO_TYPE:
        return get_int(SOCK_STREAM);
      case SO_DOMAIN:
        return get_int(family());
      case SO_PROTOCOL:
        return get_int(IPPROTO_TCP);
      case SO_ACCEPTCONN:
        return get_int(state_ == TcpState::kListen);
      case SO_REUSEADDR:
        return get_int(reuse_address);
      case SO_REUSEPORT:
        return get_int(reuse_port);
      case SO_KEEPALIVE:
        return get_int(options_.keep_alive);
      case SO_SNDBUF:
        return get_int(options_.send_buffer_bytes);
      case SO_RCVBUF:
        return get_int(options_.receive_buffer_bytes);
      case SO_RCVLOWAT:
        return get_int(options_.receive_low_water);
      case SO_RCVTIMEO:
        return CopyOut(ShownTimeout(options_.receive_timeout), value, length_bytes);
      case SO_SNDTIMEO:
        return CopyOut(ShownTimeout(options_.send_timeout), value, length_bytes);
      case SO_LINGER:
        return CopyOut(linger{options_.lingers, options_.linger_s}, value, length_bytes);
    }
  } else if (level == IPPROTO_TCP) {
    switch (name) {
      case TCP_NODELAY:
        return get_int(options_.no_delay);
      case TCP_KEEPIDLE:
        return get_int(options_.keep_idle_s);
      case TCP_KEEPINTVL:
        return get_int(options_.keep_interval_s);
      case TCP_KEEPCNT:
        return get_int(options_.keep_probes);
      case TCP_USER_TIMEOUT:
        return get_int(options_.user_timeout_ms);
    }
  } else if (level == IPPROTO_IPV6 && is_v6) {
    if (name == IPV6_V6ONLY) return get_int(v6_only);
  } else {
    return -EOPNOTSUPP;
  }
  return -ENOPROTOOPT;
}

int TcpSocket::SetOption(int level, int name, const void* value, socklen_t length_bytes) {
  if (level == SOL_SOCKET && name == SO_RCVTIMEO) {
    return SetTimeout(value, length_bytes, &options_.receive_timeout);
  }
  if (level == SOL_SOCKET && name == SO_SNDTIMEO) {
    return SetTimeout(value, length_bytes, &options_.send_timeout);
  }
  int number = 0;
  if (length_bytes < sizeof(number)) return -EINVAL;
  std::memcpy(&number, value, sizeof(number));
  if (level == SOL_SOCKET) {
    switch (name) {
      case SO_REUSEADDR:
        return reuse_address = number != 0, 0;
      case SO_REUSEPORT:
        return reuse_port = number != 0, 0;
      case SO_KEEPALIVE:
        return options_.keep_alive = number != 0, 0;
      case SO_RCVLOWAT:
        return options_.receive_low_water = std::max(number, 1), 0;
      case SO_SNDBUF:
        options_.send_buffer_bytes =
            std::max(2 * static_cast<size_t>(std::max(number, 0)), kSendBufferBytesMin);
        return 0;
      case SO_RCVBUF:
        options_.receive_buffer_bytes =
            std::max(2 * static_cast<size_t>(std::max(number, 0)), kReceiveBufferBytesMin);
        return 0;
      case SO_LINGER: {
        linger given;
        if (length_bytes < sizeof(given)) return -EINVAL;
        std::memcpy(&given, value, sizeof(given));
        options_.lingers = given.l_onoff != 0;
        options_.linger_s = given.l_linger;
        return 0;
      }
    }
  } else if (level == IPPROTO_TCP) {
    switch (name) {
      case TCP_NODELAY:
        return options_.no_delay = number != 0, 0;
      case TCP_KEEPIDLE:
        return SetInRange(number, 1, 32767, &options_.keep_idle_s);
      case TCP_KEEPINTVL:
        return SetInRange(number, 1, 32767, &options_.keep_interval_s);
      case TCP_KEEPCNT:
        return SetInRange(number, 1, 127, &options_.keep_probes);
      case TCP_USER_TIMEOUT:
        return SetInRange(number, 0, std::numeric_limits<int>::max(), &options_.user_timeout_ms);
    }
  } else if (level == IPPROTO_IPV6 && is_v6) {
    if (name == IPV6_V6ONLY) {
      if (local.port != 0) return -EINVAL;  // It has told others already what it takes.
      v6_only = number != 0;
      return 0;
    }
  }
  return -ENOPROTOOPT;
}

}  // namespace rollcall::fault
