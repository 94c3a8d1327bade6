#include "store/engine/rank_list.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "store/engine/table_memory.h"

namespace rollcall::engine {

void RankList::Note(ClientId client, absl::string_view key, absl::string_view value,
                    absl::Time now) {
  int rank = 0;
  if (!absl::ConsumePrefix(&key, kRankMarkPrefix) || !absl::SimpleAtoi(key, &rank)) return;
  if (rank < 0 || rank >= kRanksMax) return;
  Put(client, rank, now).joined = now;
  int world_size = 0;
  if (absl::SimpleAtoi(value, &world_size) && world_size > 0) told_world_size_ = world_size;
}

void RankList::NoteReturn(ClientId client, int rank, absl::Time now) {
  if (rank < 0 || rank >= kRanksMax) return;
  const bool is_new = places_.find(rank) == places_.end();
  Place& place = Put(client, rank, now);
  if (is_new) place.joined = now;
}

RankList::Place& RankList::Put(ClientId client, int rank, absl::Time now) {
  ClientGone(client, now);  // Of whatever rank it was before.
  rank_of_[client] = rank;
  Place& place = places_[rank];
  place.clients.push_back(client);
  return place;
}

void RankList::ClientGone(ClientId client, absl::Time now) {
  const auto rank = rank_of_.find(client);
  if (rank == rank_of_.end()) return;
  Place& place = places_[rank->second];
  place.last_client = client;
  place.clients.erase(std::find(place.clients.begin(), place.clients.end(), client));
  place.gone = now;
  rank_of_.erase(rank);
  ReleaseSpareCapacity(rank_of_);
}

std::optional<int> RankList::RankOf(ClientId client) const {
  const auto rank = rank_of_.find(client);
  if (rank == rank_of_.end()) return std::nullopt;
  return rank->second;
}

std::vector<RankPlace> RankList::All() const {
  std::vector<RankPlace> all;
  all.reserve(places_.size());
  for (const auto& [rank, place] : places_) {
    RankPlace& told = all.emplace_back();
    told = {.rank = rank, .clients = place.clients, .joined = place.joined, .gone = {}};
    if (!place.clients.empty()) continue;
    told.clients = {place.last_client};
    told.gone = place.gone;
  }
  return all;
}

int RankList::world_size() const {
  if (!places_.empty() && places_.rbegin()->first >= told_world_size_) return 0;
  return told_world_size_;
}

}  // namespace rollcall::engine
