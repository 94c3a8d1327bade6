// What a group of ranks does on any Store: meet, and exchange small values. Every time-out names
// the ranks that are missing.
#ifndef ROLLCALL_STORE_COLLECTIVES_H_
#define ROLLCALL_STORE_COLLECTIVES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/env.h"
#include "store/error_code.h"
#include "store/store.h"

namespace rollcall {

// Who calls, among how many. rank is in [0, world_size), else std::invalid_argument.
struct Place {
  int rank = 0;
  int world_size = 1;
};

// The collectives of one group of ranks on `store`, under keys that begin with `prefix`. Each rank
// makes one, with the same prefix, and makes the same calls in the same order; a rank that starts
// anew must not take the prefix of its earlier life. What a round leaves in the store is taken away
// in the next round of the same name. Not thread-safe. `env` and `store` must outlive it.
//
// Every call ends by its deadline, now + timeout, with all that it asks of the store: in between,
// the store's own time-out is what is left of it (and is put back at the end, whatever happens).
// With a time-out of zero it has a second for its round trips; with an infinite one the store's own
// time-out bounds each of them. If the deadline has come when a further request is due, because
// this process stood still or an answer came at the last moment, that one has up to a second more,
// once: to be counted, and to learn who is missing. Besides its own error it raises what the store
// raises. A call that timed out has been counted: to make it again means to wait on. After a
// DistNetworkError of the add it is not known whether it was.
class Collectives {
 public:
  // std::invalid_argument for an impossible place.
  Collectives(net::Env& env, Store& store, Place place, absl::string_view prefix);

  // Returns once every rank has called it as often under this name. May be used again and again.
  // BARRIER_TIMEOUT with missing_ranks.
  void Barrier(absl::string_view name, absl::Duration timeout);

  // Every rank's value, by rank, for every rank. GATHER_TIMEOUT with missing_ranks; with none, if
  // all came, but the last one too late for the values to be fetched.
  std::vector<std::string> AllGather(absl::string_view name, absl::string_view value,
                                     absl::Duration timeout);

  // As AllGather, but only `root` reads the values: the others return an empty vector, once all
  // have come.
  std::vector<std::string> Gather(absl::string_view name, absl::string_view value, int root,
                                  absl::Duration timeout);

  // AllGather, after which rank 0, which usually hosts the server, leaves last.
  std::vector<std::string> Synchronize(absl::string_view name, absl::string_view value,
                                       absl::Duration timeout);

 private:
  struct Round;
  struct Call;
  struct State {
    int64_t finished = 0;  // Rounds.
    bool arrived = false;  // In the round after those, ...
    bool opens = false;    // ... as the last one.
  };

  Call Begin(absl::string_view operation, ErrorCode code, absl::Duration timeout);
  // The store, with what is left to the call as its time-out.
  Store& Within(Call& call);
  absl::Duration Left(Call& call);
  // Leaves this rank's value in the round at hand, and opens the round if it is the last to come.
  Round Arrive(Call& call, absl::string_view kind, absl::string_view name, absl::string_view value);
  void AwaitDone(Call& call, const Round& round);
  [[noreturn]] void ThrowTimeout(
      const Call& call, const Round& round, std::optional<std::vector<int>> missing,
      absl::string_view if_all_came = "the last one has not yet said so");
  // False if the time was up first.
  bool WaitFor(const std::string& key, absl::Duration timeout);
  // nullopt if the store does not answer.
  std::optional<std::vector<int>> MissingRanks(Call& call, const Round& round);
  std::vector<std::string> Collect(Call& call, absl::string_view name, absl::string_view value,
                                   bool reads);
  std::vector<std::string> Values(Call& call, const Round& round);
  // The same, with GATHER_TIMEOUT where the time runs out.
  std::vector<std::string> Fetch(Call& call, const Round& round);
  void Finish(Call& call, const Round& round);
  // What nobody needs any more: if it stays, that costs a few bytes.
  void TidyAway(Call& call, const std::string& key);

  net::Env& env_;
  Store& store_;
  const Place place_;
  const std::string prefix_;
  absl::flat_hash_map<std::string, State> states_;  // By the base of the round's keys.
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_COLLECTIVES_H_
