#include "net/resolver.h"

#include <errno.h>
#include <netdb.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "net/net_error.h"

namespace rollcall::net {
namespace {

struct Answer {
  int gai_error = 0;
  int errno_value = 0;
  std::vector<SocketAddress> addresses;
};

// Blocks for as long as it likes.
Answer AskSystem(Syscalls& syscalls, const Endpoint& endpoint) {
  // No AI_ADDRCONFIG: it hides addresses from a host that has a loopback interface only.
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  Answer answer;
  answer.gai_error = syscalls.GetAddrInfo(endpoint.host.c_str(), nullptr, &hints, &list);
  answer.errno_value = answer.gai_error == EAI_SYSTEM ? errno : 0;
  if (answer.gai_error != 0) return answer;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    SocketAddress address(entry->ai_addr, entry->ai_addrlen);
    if (!address.is_valid()) continue;
    address.set_port(endpoint.port);
    if (std::find(answer.addresses.begin(), answer.addresses.end(), address) ==
        answer.addresses.end()) {
      answer.addresses.push_back(address);
    }
  }
  syscalls.FreeAddrInfo(list);
  if (answer.addresses.empty()) answer.gai_error = EAI_NONAME;
  return answer;
}

absl::Status LookUpError(const Endpoint& endpoint, absl::string_view why, NetErrorKind kind,
                         absl::Duration elapsed, int errno_value = 0) {
  return NetError(absl::StrCat("cannot look up the host name \"", endpoint.host, "\": ", why),
                  {.kind = kind,
                   .errno_value = errno_value,
                   .address = endpoint.ToString(),
                   .elapsed = elapsed});
}

absl::Status LookUpError(const Endpoint& endpoint, const Answer& answer, absl::Duration elapsed) {
  if (answer.gai_error == EAI_MEMORY) {
    return LookUpError(endpoint, "out of memory", NetErrorKind::kResourceExhausted, elapsed);
  }
  return LookUpError(endpoint, gai_strerror(answer.gai_error), NetErrorKind::kNameLookup, elapsed,
                     answer.errno_value);
}

}  // namespace

// Shared by the one who waits and the thread that asks; `thread` ends first.
struct Resolver::LookUp {
  std::unique_ptr<Monitor> monitor;
  std::atomic<bool> is_done = false;  // Set with the monitor held; read anywhere.
  Answer answer ABSL_GUARDED_BY(*monitor);
  std::unique_ptr<Thread> thread;

  bool WaitUntil(absl::Time deadline) {
    MonitorLock lock(monitor.get());
    while (!is_done) {
      if (!monitor->WaitUntil(deadline)) return is_done;
    }
    return true;
  }

  Answer TakeAnswer() {
    MonitorLock lock(monitor.get());
    return std::move(answer);
  }
};

Resolver::Resolver(Env* env, Syscalls* syscalls) : env_(env), syscalls_(syscalls) {}

Resolver::~Resolver() = default;

absl::StatusOr<std::vector<SocketAddress>> Resolver::Resolve(const Endpoint& endpoint,
                                                             absl::Time deadline) {
  const absl::Time start = env_->Now();
  if (endpoint.host.empty()) {
    return LookUpError(endpoint, "it is empty", NetErrorKind::kNameLookup, absl::ZeroDuration());
  }
  if (absl::StatusOr<SocketAddress> numeric =
          SocketAddress::FromNumeric(endpoint.host, endpoint.port);
      numeric.ok()) {
    return std::vector<SocketAddress>{*numeric};
  }
  absl::StatusOr<std::unique_ptr<LookUp>> look_up = Start(endpoint);
  if (!look_up.ok()) return look_up.status();
  if (!(*look_up)->WaitUntil(deadline)) {
    std::lock_guard<std::mutex> lock(mutex_);
    hanging_.push_back(*std::move(look_up));
    return LookUpError(endpoint, "the system's resolver has not answered", NetErrorKind::kTimedOut,
                       env_->Now() - start);
  }
  Answer answer = (*look_up)->TakeAnswer();
  if (answer.gai_error == 0) return std::move(answer.addresses);
  if (IsOwnName(endpoint.host)) {
    return std::vector<SocketAddress>{SocketAddress::LoopbackV6(endpoint.port),
                                      SocketAddress::LoopbackV4(endpoint.port)};
  }
  return LookUpError(endpoint, answer, env_->Now() - start);
}

absl::StatusOr<std::unique_ptr<Resolver::LookUp>> Resolver::Start(const Endpoint& endpoint) {
  if (!ReapHanging()) {
    return LookUpError(endpoint,
                       absl::StrCat(kHangingLookUpsMax,
                                    " earlier look-ups hang in the system's resolver; are the "
                                    "name servers in /etc/resolv.conf alive?"),
                       NetErrorKind::kResourceExhausted, absl::ZeroDuration());
  }
  auto look_up = std::make_unique<LookUp>();
  look_up->monitor = env_->NewMonitor();
  look_up->thread = env_->StartThread("rollcall-lookup",
                                      [look_up = look_up.get(), syscalls = syscalls_, endpoint] {
                                        Answer answer = AskSystem(*syscalls, endpoint);
                                        MonitorLock lock(look_up->monitor.get());
                                        look_up->answer = std::move(answer);
                                        look_up->is_done = true;
                                        look_up->monitor->NotifyAll();
                                      });
  if (look_up->thread == nullptr) {
    return LookUpError(endpoint, "the system has no thread to give",
                       NetErrorKind::kResourceExhausted, absl::ZeroDuration());
  }
  return look_up;
}

bool Resolver::ReapHanging() {
  std::vector<std::unique_ptr<LookUp>> ended;  // Joined after the lock is released.
  std::lock_guard<std::mutex> lock(mutex_);
  const auto first_ended =
      std::partition(hanging_.begin(), hanging_.end(),
                     [](const std::unique_ptr<LookUp>& look_up) { return !look_up->is_done; });
  std::move(first_ended, hanging_.end(), std::back_inserter(ended));
  hanging_.erase(first_ended, hanging_.end());
  return hanging_.size() < kHangingLookUpsMax;
}

bool Resolver::IsOwnName(absl::string_view host) {
  return absl::EqualsIgnoreCase(host, "localhost") ||
         absl::EqualsIgnoreCase(host, env_->HostName());
}

}  // namespace rollcall::net
