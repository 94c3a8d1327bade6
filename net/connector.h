// Joining a server that may not be up yet: look-up, connect, handshake, and again, under one
// absolute deadline.
#ifndef ROLLCALL_NET_CONNECTOR_H_
#define ROLLCALL_NET_CONNECTOR_H_

#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "net/address.h"
#include "net/backoff.h"
#include "net/connection.h"
#include "net/env.h"

namespace rollcall::net {

struct RetryOptions {
  BackoffOptions backoff;
};

// Finds out whether the right server is at the other end, for as long as `deadline` allows. What it
// returns must be the failed Connection call's own status where one failed, since its NetErrorInfo
// says whether another attempt may help. It may put another Connection in the place of the one that
// it is given, such as one that encrypts what that one carries.
using Handshake =
    absl::FunctionRef<absl::Status(std::unique_ptr<Connection>& connection, absl::Time deadline)>;

// Whether a new attempt can go better than the one that gave `failure`: true for a peer that
// refused, said nothing, reset, closed or vanished, for a name or a route that is not there yet,
// and for resources that have run out. False for everything else, and for a status that is not of
// net/.
bool MayRetry(const absl::Status& failure);

// Tries, each attempt being a look-up, a connect to every address (Env::ConnectAny) and a
// handshake, with a jittered back-off in between, until the handshake is OK or `deadline` has
// passed. Makes at least one attempt, even if the deadline has passed already; never sleeps beyond
// it.
//
// Errors:
//  - of the first attempt that may not be retried, as it is (kPermission; whatever the handshake
//    says, such as "not a store");
//  - kDeadlineExceeded: the deadline passed (no other error of ours has that code). NetErrorInfo
//  has what
//    kept us from joining as its kind: kRefused, kNoAnswer, kUnreachable, kNameLookup, kReset,
//    kClosedByPeer..., or kTimedOut: connected, but the handshake was not answered (or, if the
//    message says so, the look-up was not). It also has the errno, the endpoint, the attempts and
//    the time they took; the message adds how often each happened. An attempt that the deadline
//    cut off before kConnectHeadStart was over has found out nothing; then the kind is that of the
//    attempt before.
absl::StatusOr<std::unique_ptr<Connection>> ConnectWithRetry(Env& env, const Endpoint& endpoint,
                                                             const RetryOptions& options,
                                                             absl::Time deadline,
                                                             Handshake handshake);

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_CONNECTOR_H_
