// What a group of ranks does on any Store: meet, and exchange small values. Every time-out names the
// ranks that are missing.
#ifndef ROLLCALL_STORE_COLLECTIVES_H_
#define ROLLCALL_STORE_COLLECTIVES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/env.h"
#include "store/store.h"

namespace rollcall {

// Who calls, among how many. rank is in [0, world_size), else std::invalid_argument.
struct Place {
  int rank = 0;
  int world_size = 1;
};

// The collectives of one group of ranks on `store`, under keys that begin with `prefix`. Each rank
// makes one, with the same prefix, and makes the same calls in the same order. Not thread-safe.
// `env` and `store` must outlive it.
class Collectives {
 public:
  Collectives(net::Env& env, Store& store, Place place, absl::string_view prefix);

  // Returns once every rank has called it as often under this name. May be used again and again.
  // DistStoreError BARRIER_TIMEOUT with missing_ranks.
  void Barrier(absl::string_view name, absl::Duration timeout);

  // Every rank's value, by rank, for every rank. DistStoreError GATHER_TIMEOUT with missing_ranks.
  std::vector<std::string> AllGather(absl::string_view name, absl::string_view value,
                                     absl::Duration timeout);

  // As AllGather, but only `root` gets (and waits for) the values: others get an empty vector.
  std::vector<std::string> Gather(absl::string_view name, absl::string_view value, int root,
                                  absl::Duration timeout);

  // torchelastic's synchronize: AllGather, after which rank 0, which usually hosts the server, leaves
  // last.
  std::vector<std::string> Synchronize(absl::string_view name, absl::string_view value,
                                       absl::Duration timeout);
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_COLLECTIVES_H_
