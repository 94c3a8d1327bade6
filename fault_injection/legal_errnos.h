// Every system call of the simulated kernel that can fail, and what Linux may fail it with: what a
// sweep walks through, and what a plan may ask for.
#ifndef ROLLCALL_FAULT_INJECTION_LEGAL_ERRNOS_H_
#define ROLLCALL_FAULT_INJECTION_LEGAL_ERRNOS_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace rollcall::fault {

enum class Call : uint8_t {
  kSocket,
  kBind,
  kListen,
  kAccept,
  kConnect,
  kGetSockName,
  kGetPeerName,
  kGetSockOpt,
  kSetSockOpt,
  kRecv,
  kSend,
  kSendMsg,
  kShutdown,
  kClose,
  kFcntl,
  kPoll,
  kEpollCreate,
  kEpollCtl,
  kEpollWait,
  kEventFd,
  kEventFdSignal,
  kEventFdDrain,
  kGetAddrInfo,
};

constexpr size_t kCallCount = static_cast<size_t>(Call::kGetAddrInfo) + 1;

struct CallRow {
  Call call;
  absl::string_view name;  // As plans and traces write it: "accept4".
  // What the call may fail with on a socket that is in order. For getaddrinfo, EAI_* codes with
  // their sign turned. Bugs of the caller (EFAULT, ENOTSOCK) are left out, but for EBADF: another
  // part of the process may have closed the descriptor.
  absl::Span<const int> legal_errnos;
  bool may_shorten = false;  // May move fewer bytes than asked for.
};

// The one row of `call`. Lives for ever.
const CallRow& RowOf(Call call);

// All rows, in the order of Call.
absl::Span<const CallRow> CallTable();

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_LEGAL_ERRNOS_H_
