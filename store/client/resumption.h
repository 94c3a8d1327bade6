// Whether and when a call whose connection broke is made again.
#ifndef ROLLCALL_STORE_CLIENT_RESUMPTION_H_
#define ROLLCALL_STORE_CLIENT_RESUMPTION_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "net/backoff.h"
#include "net/env.h"
#include "store/client/channel_set.h"

namespace rollcall::client {

// Of one call. Where the server keeps no journal, never.
class Resumption {
 public:
  // Both must outlive it.
  Resumption(net::Env* env, ChannelSet* channels, absl::Time deadline)
      : env_(*env), channels_(*channels), deadline_(deadline), backoff_({}) {}

  // The call, or the connecting for it, failed with `why`, and holds no channel. True after a pause
  // if it is to be made again; false at once if that is of no use, and at the deadline.
  bool TryAgain(const absl::Status& why);

  // How many times the server has ended the connection in an orderly way, as it does with a request
  // that it refuses, and as the kernel does for a server that was killed.
  int orderly_hang_ups() const { return orderly_hang_ups_; }

 private:
  // A server that hangs up so often on the same request does not like it.
  static constexpr int kHangUpsMax = 10;

  net::Env& env_;
  ChannelSet& channels_;
  const absl::Time deadline_;
  net::Backoff backoff_;
  int orderly_hang_ups_ = 0;
};

}  // namespace rollcall::client

#endif  // ROLLCALL_STORE_CLIENT_RESUMPTION_H_
