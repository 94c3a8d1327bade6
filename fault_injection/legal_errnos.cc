#include "fault_injection/legal_errnos.h"

#include <errno.h>
#include <netdb.h>

#include <array>

namespace rollcall::fault {
namespace {

constexpr int kSocketErrnos[] = {EAFNOSUPPORT, EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES};
constexpr int kBindErrnos[] = {EADDRINUSE, EADDRNOTAVAIL, EACCES, ENOMEM};
constexpr int kListenErrnos[] = {EADDRINUSE, ENOBUFS};
// Linux hands accept the errors that the new connection has met already.
constexpr int kAcceptErrnos[] = {EAGAIN, EINTR,   ECONNABORTED, EMFILE,       ENFILE,
                                 EPROTO, ENOBUFS, ENOMEM,       EPERM,        ENETDOWN,
                                 ENONET, EBADF,   EHOSTDOWN,    EHOSTUNREACH, ENETUNREACH};
// EINTR and EINPROGRESS leave the attempt going on in the background, as Linux does. EALREADY and
// EISCONN answer a second connect only: nothing to inject, the simulated socket says them itself.
constexpr int kConnectErrnos[] = {ECONNREFUSED,  ETIMEDOUT,  ENETUNREACH, EHOSTUNREACH, ENETDOWN,
                                  EADDRNOTAVAIL, EADDRINUSE, EINTR,       EINPROGRESS,  EAGAIN,
                                  ENOBUFS,       ENOMEM,     EACCES,      EPERM,        ECONNRESET};
constexpr int kNameErrnos[] = {ENOBUFS, EBADF};
constexpr int kPeerNameErrnos[] = {ENOTCONN, ENOBUFS, EBADF};
constexpr int kSocketOptionErrnos[] = {ENOPROTOOPT, ENOMEM, EBADF};
constexpr int kRecvErrnos[] = {EAGAIN, EINTR,        ECONNRESET,  ETIMEDOUT, ENOBUFS,
                               ENOMEM, EHOSTUNREACH, ENETUNREACH, EBADF};
constexpr int kSendErrnos[] = {EAGAIN,  EINTR,  ECONNRESET,   EPIPE,       ETIMEDOUT,
                               ENOBUFS, ENOMEM, EHOSTUNREACH, ENETUNREACH, EBADF};
constexpr int kShutdownErrnos[] = {ENOTCONN, EBADF};
// The descriptor is gone all the same.
constexpr int kCloseErrnos[] = {EINTR, EIO};
constexpr int kFcntlErrnos[] = {EBADF};
constexpr int kPollErrnos[] = {EINTR, ENOMEM};
constexpr int kEpollCreateErrnos[] = {EMFILE, ENFILE, ENOMEM};
constexpr int kEpollCtlErrnos[] = {ENOMEM, ENOSPC};
constexpr int kEpollWaitErrnos[] = {EINTR};
constexpr int kEventFdErrnos[] = {EMFILE, ENFILE, ENOMEM, ENODEV};
constexpr int kEventFdTransferErrnos[] = {EAGAIN, EINTR};
constexpr int kGetAddrInfoErrors[] = {-EAI_AGAIN, -EAI_FAIL, -EAI_NONAME, -EAI_MEMORY};

constexpr std::array<CallRow, kCallCount> kRows = {{
    {Call::kSocket, "socket", kSocketErrnos},
    {Call::kBind, "bind", kBindErrnos},
    {Call::kListen, "listen", kListenErrnos},
    {Call::kAccept, "accept4", kAcceptErrnos},
    {Call::kConnect, "connect", kConnectErrnos},
    {Call::kGetSockName, "getsockname", kNameErrnos},
    {Call::kGetPeerName, "getpeername", kPeerNameErrnos},
    {Call::kGetSockOpt, "getsockopt", kSocketOptionErrnos},
    {Call::kSetSockOpt, "setsockopt", kSocketOptionErrnos},
    {Call::kRecv, "recv", kRecvErrnos, true},
    {Call::kSend, "send", kSendErrnos, true},
    {Call::kSendMsg, "sendmsg", kSendErrnos, true},
    {Call::kShutdown, "shutdown", kShutdownErrnos},
    {Call::kClose, "close", kCloseErrnos},
    {Call::kFcntl, "fcntl", kFcntlErrnos},
    {Call::kPoll, "poll", kPollErrnos},
    {Call::kEpollCreate, "epoll_create", kEpollCreateErrnos},
    {Call::kEpollCtl, "epoll_ctl", kEpollCtlErrnos},
    {Call::kEpollWait, "epoll_wait", kEpollWaitErrnos},
    {Call::kEventFd, "eventfd", kEventFdErrnos},
    {Call::kEventFdSignal, "eventfd_write", kEventFdTransferErrnos},
    {Call::kEventFdDrain, "eventfd_read", kEventFdTransferErrnos},
    {Call::kGetAddrInfo, "getaddrinfo", kGetAddrInfoErrors},
}};

constexpr bool RowsAreInOrder() {
  for (size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<size_t>(kRows[i].call) != i) return false;
  }
  return true;
}
static_assert(RowsAreInOrder(), "RowOf finds a row by its call's number");

}  // namespace

const CallRow& RowOf(Call call) { return kRows[static_cast<size_t>(call)]; }

absl::Span<const CallRow> CallTable() { return kRows; }

}  // namespace rollcall::fault
