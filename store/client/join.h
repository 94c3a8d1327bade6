// How workers find out that all of them are there: a counter that torch has too, and marks by which
// the missing ranks can be named.
#ifndef ROLLCALL_STORE_CLIENT_JOIN_H_
#define ROLLCALL_STORE_CLIENT_JOIN_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "net/env.h"
#include "store/client/call.h"
#include "store/client/store_client.h"

namespace rollcall::client {

struct JoinPlan {
  int world_size = 1;
  int rank = -1;  // -1: not known.
  // What the user allowed, and when that ends.
  absl::Duration timeout = absl::ZeroDuration();
  absl::Time started = absl::InfinitePast();
  absl::Time deadline = absl::InfiniteFuture();
};

// Counts this worker in under "init/", and leaves the mark "rollcall/rank/N", with the size of the
// world in it, if it knows its rank.
// Both names are outside the users', who have "/" before theirs. How many have joined by now. One
// round trip.
absl::StatusOr<int64_t> JoinWorld(net::Env& env, StoreClient& client, const JoinPlan& plan);

// Returns once world_size workers have joined. JOIN_TIMEOUT at the deadline, in torch's words and
// with the ranks that are missing.
absl::Status WaitForWorld(net::Env& env, StoreClient& client, const JoinPlan& plan);

// torchelastic's second roll call, in which everybody, and not only the server's host, waits for
// all: a barrier of the keys "_tcp_store/num_members/num_members" and ".../last_member".
// JOIN_TIMEOUT.
absl::Status WaitForFullWorld(net::Env& env, StoreClient& client, const JoinPlan& plan);

}  // namespace rollcall::client

#endif  // ROLLCALL_STORE_CLIENT_JOIN_H_
