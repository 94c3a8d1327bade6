#include "tools/rendezvous_rank.h"

#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "store/factory.h"

namespace rollcall::tools {

std::string RankCard::ToText() const {
  return absl::StrCat(absl::ToUnixNanos(joined), " ", pid, " ", host, " ", payload);
}

std::optional<RankCard> RankCard::FromText(absl::string_view text) {
  const std::vector<std::string> fields = absl::StrSplit(text, absl::MaxSplits(' ', 3));
  RankCard card;
  int64_t joined_nanoseconds = 0;
  if (fields.size() != 4 || !absl::SimpleAtoi(fields[0], &joined_nanoseconds) ||
      !absl::SimpleAtoi(fields[1], &card.pid)) {
    return std::nullopt;
  }
  card.joined = absl::FromUnixNanos(joined_nanoseconds);
  card.host = fields[2];
  card.payload = fields[3];
  return card;
}

std::string RankCardKey(const RendezvousOptions& options, int rank) {
  return absl::StrCat(options.run_id, "/card/", rank);
}

std::vector<RankCard> RunRank(net::Env& env, const RendezvousOptions& options, int rank,
                              absl::string_view payload) {
  const absl::Time deadline = net::DeadlineAfter(env, options.timeout);
  C10dStoreOptions join;
  join.server_addr = options.endpoint.host;
  join.server_port = options.endpoint.port;
  join.world_size = options.world_size;
  join.timeout = options.timeout;
  join.use_libuv = options.use_libuv;
  join.rank = rank;
  // The gathering below waits for everybody, and can say who is missing.
  join.wait_for_workers = false;
  const std::unique_ptr<TcpStore> store = CreateC10dStore(env, join);

  const RankCard card{env.HostName(), env.ProcessId(), env.Now(), std::string(payload)};
  store->Set(RankCardKey(options, rank), card.ToText());
  Collectives group(env, *store, {rank, options.world_size}, options.run_id);
  std::vector<RankCard> cards;
  for (const std::string& text : group.AllGather("card", card.ToText(), deadline - env.Now())) {
    // A card that is none is somebody else's value under our key: shown, and not hidden.
    cards.push_back(RankCard::FromText(text).value_or(RankCard{.host = "?", .payload = text}));
  }
  group.Barrier("done", deadline - env.Now());
  return cards;
}

}  // namespace rollcall::tools
