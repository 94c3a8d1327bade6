#include "net/connector.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "glog/logging.h"
#include "net/net_error.h"

namespace rollcall::net {
namespace {

// Whoever waits longer than this gets a line in the log, and again whenever the wait has doubled.
constexpr absl::Duration kFirstLogAfter = absl::Seconds(10);

enum class Step { kLookUp, kConnect, kHandshake };

// What an attempt ran into, as a reader of the error wants it said.
std::string Outcome(Step step, NetErrorKind kind) {
  if (kind == NetErrorKind::kTimedOut) {
    return step == Step::kHandshake ? "accepted but did not answer the handshake"
                                    : "name look-up not answered";
  }
  const absl::string_view name = NetErrorKindName(kind);
  return step == Step::kHandshake ? absl::StrCat(name, " during the handshake") : std::string(name);
}

class Joining {
 public:
  Joining(Env& env, const Endpoint& endpoint, const RetryOptions& options, absl::Time deadline,
          Handshake handshake)
      : env_(env),
        endpoint_(endpoint),
        deadline_(deadline),
        handshake_(handshake),
        backoff_(options.backoff),
        start_(env.Now()) {}

  absl::StatusOr<std::unique_ptr<Connection>> Run() {
    while (true) {
      const absl::Time attempt_start = env_.Now();
      absl::StatusOr<std::unique_ptr<Connection>> connection = Attempt();
      if (connection.ok() || !MayRetry(connection.status())) return connection;
      Note(connection.status(), attempt_start);
      const absl::Time next = env_.Now() + backoff_.Next(env_.RandomBits());
      if (next < deadline_) LogIfLong();
      env_.SleepUntil(std::min(next, deadline_));
      if (env_.Now() >= deadline_) return Failure();
    }
  }

 private:
  struct Tally {
    std::string outcome;
    int count = 0;
  };

  absl::StatusOr<std::unique_ptr<Connection>> Attempt() {
    ++attempts_;
    step_ = Step::kLookUp;
    const absl::StatusOr<std::vector<SocketAddress>> addresses = env_.Resolve(endpoint_, deadline_);
    if (!addresses.ok()) return addresses.status();
    step_ = Step::kConnect;
    absl::StatusOr<std::unique_ptr<Connection>> connection = env_.ConnectAny(*addresses, deadline_);
    if (!connection.ok()) return connection.status();
    step_ = Step::kHandshake;
    absl::Status shaken = handshake_(*connection, deadline_);
    if (!shaken.ok()) return shaken;
    return connection;
  }

  void Note(const absl::Status& failure, absl::Time attempt_start) {
    const NetErrorInfo info = *GetNetErrorInfo(failure);
    const absl::Time now = env_.Now();
    if (now >= deadline_ && attempts_ > 1 && now - attempt_start < kConnectHeadStart) {
      was_cut_off_ = true;
      return;
    }
    last_ = info;
    const std::string outcome = Outcome(step_, info.kind);
    for (Tally& tally : tallies_) {
      if (tally.outcome == outcome) {
        ++tally.count;
        return;
      }
    }
    tallies_.push_back({outcome, 1});
  }

  std::string History() const {
    return absl::StrJoin(tallies_, ", ", [](std::string* out, const Tally& tally) {
      absl::StrAppend(out, tally.outcome,
                      tally.count == 1 ? "" : absl::StrCat(" ", tally.count, " times"));
    });
  }

  absl::Status Failure() const {
    NetErrorInfo info = last_;
    info.attempts = attempts_;
    info.elapsed = env_.Now() - start_;
    // The message names the address that failed last, the payload the endpoint that was asked for.
    const std::string last_address = std::exchange(info.address, endpoint_.ToString());
    std::string what =
        absl::StrCat("could not join ", endpoint_.ToString(), " before the deadline: ", History());
    if (was_cut_off_) absl::StrAppend(&what, ", last attempt cut off");
    if (!last_address.empty() && last_address != info.address) {
      absl::StrAppend(&what, " (last at ", last_address, ")");
    }
    return DeadlinePassed(NetError(what, info));
  }

  void LogIfLong() {
    const absl::Duration elapsed = env_.Now() - start_;
    if (elapsed < next_log_after_) return;
    next_log_after_ = 2 * elapsed;
    LOG(WARNING) << "still trying to join " << endpoint_.ToString() << " after "
                 << absl::FormatDuration(absl::Trunc(elapsed, absl::Seconds(1))) << ": "
                 << History();
  }

  Env& env_;
  const Endpoint& endpoint_;
  const absl::Time deadline_;
  const Handshake handshake_;
  Backoff backoff_;
  const absl::Time start_;
  Step step_ = Step::kLookUp;
  int attempts_ = 0;
  NetErrorInfo last_;
  std::vector<Tally> tallies_;
  bool was_cut_off_ = false;
  absl::Duration next_log_after_ = kFirstLogAfter;
};

}  // namespace

bool MayRetry(const absl::Status& failure) {
  const std::optional<NetErrorInfo> info = GetNetErrorInfo(failure);
  if (!info.has_value()) return false;
  switch (info->kind) {
    case NetErrorKind::kUnknown:
    case NetErrorKind::kRefused:
    case NetErrorKind::kNoAnswer:
    case NetErrorKind::kUnreachable:
    case NetErrorKind::kNameLookup:
    case NetErrorKind::kClosedByPeer:
    case NetErrorKind::kReset:
    case NetErrorKind::kPeerVanished:
    case NetErrorKind::kTimedOut:
    case NetErrorKind::kResourceExhausted:
      return true;
    default:
      return false;
  }
}

absl::StatusOr<std::unique_ptr<Connection>> ConnectWithRetry(Env& env, const Endpoint& endpoint,
                                                             const RetryOptions& options,
                                                             absl::Time deadline,
                                                             Handshake handshake) {
  return Joining(env, endpoint, options, deadline, handshake).Run();
}

}  // namespace rollcall::net
