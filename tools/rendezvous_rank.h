// One rank of the rendezvous: what each worker process runs.
#ifndef ROLLCALL_TOOLS_RENDEZVOUS_RANK_H_
#define ROLLCALL_TOOLS_RENDEZVOUS_RANK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/address.h"
#include "net/env.h"
#include "store/collectives.h"
#include "store/store.h"

namespace rollcall::tools {

// What a rank leaves in the store when it has joined.
struct RankCard {
  std::string host;
  int pid = 0;
  absl::Time joined;
  std::string payload;

  std::string ToText() const;
  static std::optional<RankCard> FromText(absl::string_view text);
};

struct RendezvousOptions {
  net::Endpoint endpoint;
  int world_size = 1;
  absl::Duration timeout = absl::Seconds(30);
  // Rendezvous of different names on one store do not see each other.
  std::string run_id = "rendezvous";
  bool use_libuv = true;
};

// The key under which `rank` leaves its card, for whoever watches.
std::string RankCardKey(const RendezvousOptions& options, int rank);

// Joins the store through the factory, leaves the card, gathers every rank's and passes a barrier.
// Returns the cards by rank. Raises what the store and the collectives raise.
std::vector<RankCard> RunRank(net::Env& env, const RendezvousOptions& options, int rank,
                              absl::string_view payload);

}  // namespace rollcall::tools

#endif  // ROLLCALL_TOOLS_RENDEZVOUS_RANK_H_
