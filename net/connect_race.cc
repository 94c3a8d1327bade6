#include "net/connect_race.h"

#include <errno.h>
#include <fcntl.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "net/env.h"
#include "net/socket_options.h"

namespace rollcall::net {
namespace {

// How far an attempt came decides which error is told of several: that the peer said no helps more
// than that it said nothing, and that more than that this host has no IPv6.
int Progress(NetErrorKind kind) {
  switch (kind) {
    case NetErrorKind::kRefused:
    case NetErrorKind::kReset:
      return 2;
    case NetErrorKind::kNoAnswer:
      return 1;
    default:
      return 0;
  }
}

bool IsUnderWay(int result) {
  // A connect that a signal interrupts goes on by itself.
  return result == -EINPROGRESS || result == -EINTR || result == -EALREADY;
}

}  // namespace

ConnectRace::ConnectRace(Syscalls* syscalls, Clock* clock,
                         absl::Span<const SocketAddress> addresses, absl::Time deadline)
    : syscalls_(syscalls),
      clock_(clock),
      addresses_(addresses),
      deadline_(deadline),
      start_(clock->Now()),
      next_start_(start_) {}

absl::StatusOr<ConnectRace::Winner> ConnectRace::Run() {
  if (addresses_.empty()) {
    return NetError("cannot connect: no address", {.kind = NetErrorKind::kNameLookup});
  }
  while (!winner_.has_value()) {
    const bool is_next_due = !AnyInRace() || clock_->Now() >= next_start_;
    if (lanes_.size() < addresses_.size() && is_next_due) {
      StartNext();
    } else if (!AnyInRace()) {
      return Failure();
    } else {
      WaitForLanes();
      if (!winner_.has_value() && clock_->Now() >= deadline_) {
        for (size_t i = 0; i < lanes_.size(); ++i) {
          if (!lanes_[i].failed) Fail(i, NetErrorKind::kNoAnswer, 0);
        }
        return Failure();
      }
    }
  }
  return *std::move(winner_);
}

void ConnectRace::StartNext() {
  const size_t index = lanes_.size();
  const SocketAddress& address = addresses_[index];
  lanes_.emplace_back();
  next_start_ = clock_->Now() + kConnectHeadStart;
  const int fd = syscalls_->Socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return Fail(index, KindOfErrno(-fd, Phase::kConnect), -fd);
  lanes_[index].fd = OwnedFd(syscalls_, fd);
  const int result = syscalls_->Connect(fd, address.data(), address.size_bytes());
  if (result == 0 || result == -EISCONN) return Finish(index);
  if (!IsUnderWay(result)) Fail(index, KindOfErrno(-result, Phase::kConnect), -result);
}

void ConnectRace::WaitForLanes() {
  absl::InlinedVector<pollfd, kLanesInline> polled;
  absl::InlinedVector<size_t, kLanesInline> indexes;
  for (size_t i = 0; i < lanes_.size(); ++i) {
    if (lanes_[i].failed) continue;
    polled.push_back({.fd = lanes_[i].fd.get(), .events = POLLOUT, .revents = 0});
    indexes.push_back(i);
  }
  const bool is_last = lanes_.size() == addresses_.size();
  const absl::Time until = is_last ? deadline_ : std::min(deadline_, next_start_);
  const int ready = syscalls_->Poll(polled.data(), polled.size(),
                                    std::max(until - clock_->Now(), absl::ZeroDuration()));
  if (ready == 0 || ready == -EINTR) return;
  if (ready < 0) {
    for (size_t index : indexes) Fail(index, KindOfErrno(-ready, Phase::kConnect), -ready);
    return;
  }
  for (size_t i = 0; i < polled.size() && !winner_.has_value(); ++i) {
    if (polled[i].revents != 0) OnReady(indexes[i], polled[i].revents);
  }
}

void ConnectRace::OnReady(size_t index, short events) {
  int error = 0;
  socklen_t length_bytes = sizeof(error);
  const int got =
      syscalls_->GetSockOpt(lanes_[index].fd.get(), SOL_SOCKET, SO_ERROR, &error, &length_bytes);
  if (got < 0) error = -got;
  if (error != 0) return Fail(index, KindOfErrno(error, Phase::kConnect), error);
  if (PeerAddressOf(*syscalls_, lanes_[index].fd.get()).ok()) return Finish(index);
  // Neither connected nor in error: woken for nothing, unless the other side has hung up already.
  if ((events & (POLLHUP | POLLERR)) != 0) Fail(index, NetErrorKind::kReset, ECONNRESET);
}

void ConnectRace::Finish(size_t index) {
  const int fd = lanes_[index].fd.get();
  const absl::StatusOr<SocketAddress> local = LocalAddressOf(*syscalls_, fd);
  if (!local.ok()) return Fail(index, NetErrorKind::kReset, ECONNRESET);
  // Where nobody listens on a port of this host's, the system may give the connecting socket that
  // very port, and TCP lets it meet itself; a server that comes up later then finds it taken.
  if (*local == addresses_[index]) return Fail(index, NetErrorKind::kRefused, ECONNREFUSED);
  const int flags = syscalls_->GetFlags(fd);
  if (flags >= 0) syscalls_->SetFlags(fd, flags & ~O_NONBLOCK);
  winner_.emplace(Winner{std::move(lanes_[index].fd), *local, addresses_[index]});
}

void ConnectRace::Fail(size_t index, NetErrorKind kind, int errno_value) {
  lanes_[index] = {.fd = {}, .failed = true, .kind = kind, .errno_value = errno_value};
  next_start_ = clock_->Now();
}

bool ConnectRace::AnyInRace() const {
  return std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return !lane.failed; });
}

absl::Status ConnectRace::Failure() const {
  size_t told = 0;
  std::vector<std::string> lanes;
  for (size_t i = 0; i < lanes_.size(); ++i) {
    const Lane& lane = lanes_[i];
    if (Progress(lane.kind) > Progress(lanes_[told].kind)) told = i;
    lanes.push_back(absl::StrCat(addresses_[i].ToString(), " (", NetErrorKindName(lane.kind), ")"));
  }
  return NetError(absl::StrCat("cannot connect to ", absl::StrJoin(lanes, " or ")),
                  {.kind = lanes_[told].kind,
                   .errno_value = lanes_[told].errno_value,
                   .address = addresses_[told].ToString(),
                   .attempts = static_cast<int>(lanes_.size()),
                   .elapsed = clock_->Now() - start_});
}

}  // namespace rollcall::net
