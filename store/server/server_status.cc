#include "store/server/server_status.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace rollcall {
namespace {

void SetWorld(const ServerSnapshot& snapshot, const NameSpaceSnapshot& space,
              ServerStatus& status) {
  // The flag is about the job that the server was started for.
  status.world_size_from_flag = snapshot.world_size_flag > 0 && space.name.empty();
  status.world_size =
      status.world_size_from_flag ? snapshot.world_size_flag : space.world_size_told;
  status.workers_joined = space.workers_joined;
  const int highest = space.ranks.empty() ? -1 : space.ranks.back().rank;
  const int shown = std::min(std::max(status.world_size, highest + 1), kStatusRanksMax);
  status.rank_states.assign(static_cast<size_t>(shown), static_cast<char>(RankState::kMissing));
  const auto set = [&status](int rank, RankState state) {
    if (rank < 0 || rank >= static_cast<int>(status.rank_states.size())) return;
    status.rank_states[static_cast<size_t>(rank)] = static_cast<char>(state);
  };
  for (const RankSeen& seen : space.ranks) {
    set(seen.rank, seen.gone.has_value() ? RankState::kGone : RankState::kJoined);
  }
  for (const WaitSeen& wait : space.waits) set(wait.rank, RankState::kWaiting);
}

std::vector<int> RanksIn(const ServerStatus& status, RankState state) {
  std::vector<int> ranks;
  for (size_t rank = 0; rank < status.rank_states.size(); ++rank) {
    if (status.rank_states[rank] == static_cast<char>(state)) {
      ranks.push_back(static_cast<int>(rank));
    }
  }
  return ranks;
}

void CountRanks(ServerStatus& status) {
  const std::vector<int> gone = RanksIn(status, RankState::kGone);
  // Where it is not known who is expected, a gap in the ranks that came is no proof of one missing.
  const std::vector<int> missing =
      status.world_size > 0 ? RanksIn(status, RankState::kMissing) : std::vector<int>();
  status.waiting = RanksIn(status, RankState::kWaiting).size();
  status.joined = status.waiting + RanksIn(status, RankState::kJoined).size();
  status.gone = gone.size();
  status.missing = missing.size();
  status.gone_ranks = RankRanges(gone);
  status.missing_ranks = RankRanges(missing);
}

struct WaitGroup {
  WaitStatus status;
  std::set<int> ranks;
};

// The ranks of the world that are not in `group`, if that has most of them.
std::string AbsentRanks(const ServerStatus& status, const WaitGroup& group) {
  if (group.ranks.size() * 2 < status.rank_states.size()) return "";
  std::vector<int> absent;
  for (int rank = 0; rank < static_cast<int>(status.rank_states.size()); ++rank) {
    if (group.ranks.count(rank) == 0) absent.push_back(rank);
  }
  return RankRanges(absent);
}

void SetWaits(const ServerSnapshot& snapshot, const NameSpaceSnapshot& space,
              ServerStatus& status) {
  std::map<std::pair<bool, absl::string_view>, WaitGroup> groups;
  for (const WaitSeen& wait : space.waits) {
    for (const std::string& name : wait.names) {
      WaitGroup& group = groups[{wait.at_barrier, name}];
      group.status.at_barrier = wait.at_barrier;
      ++group.status.waiters;
      group.status.longest = std::max(group.status.longest, snapshot.now - wait.since);
      if (wait.rank >= 0) {
        group.ranks.insert(wait.rank);
      } else {
        ++group.status.nameless;
      }
    }
  }
  std::vector<std::pair<absl::string_view, const WaitGroup*>> order;
  for (const auto& [key, group] : groups) order.emplace_back(key.second, &group);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.second->status.longest > b.second->status.longest;
  });
  status.waits_in_all = order.size();
  for (const auto& [key, group] : order) {
    if (status.waits.size() == kStatusWaitsMax) break;
    WaitStatus& wait = status.waits.emplace_back(group->status);
    wait.key = ShownKey(key);
    wait.ranks = RankRanges(std::vector<int>(group->ranks.begin(), group->ranks.end()));
    wait.absent_ranks = AbsentRanks(status, *group);
  }
}

void SetSlowest(const NameSpaceSnapshot& space, ServerStatus& status) {
  if (space.ranks.size() < 2) return;
  std::vector<const RankSeen*> order;
  for (const RankSeen& seen : space.ranks) order.push_back(&seen);
  std::sort(order.begin(), order.end(), [](const RankSeen* a, const RankSeen* b) {
    return std::make_pair(a->joined, a->rank) > std::make_pair(b->joined, b->rank);
  });
  const absl::Time first = order.back()->joined;
  for (size_t i = 0; i < std::min(kStatusSlowestMax, order.size() - 1); ++i) {
    status.slowest.push_back({order[i]->rank, order[i]->joined - first});
  }
}

void SetClients(const ServerSnapshot& snapshot, const NameSpaceSnapshot& space,
                ServerStatus& status) {
  std::map<std::string, const WaitSeen*> waits;  // The first, which is the longest.
  for (const WaitSeen& wait : space.waits) {
    if (wait.rank < 0) waits.emplace(wait.peer.ToString(), &wait);
  }
  for (const NamelessSeen& seen : space.nameless) {
    if (status.clients.size() == kStatusClientsMax) break;
    ClientStatus& client = status.clients.emplace_back();
    client.address = seen.peer.ToString();
    if (seen.dialect.has_value())
      client.dialect = std::string(protocol::DialectName(*seen.dialect));
    const auto wait = waits.find(client.address);
    if (wait == waits.end()) continue;
    client.waiting_time = snapshot.now - wait->second->since;
    if (!wait->second->names.empty()) client.key = ShownKey(wait->second->names.front());
  }
  std::stable_sort(status.clients.begin(), status.clients.end(),
                   [](const ClientStatus& a, const ClientStatus& b) {
                     return a.waiting_time.value_or(absl::ZeroDuration()) >
                            b.waiting_time.value_or(absl::ZeroDuration());
                   });
  status.clients_in_all = space.nameless_connections;
}

// The words are ours, quotes and all; what they quote need not be.
std::string Printable(absl::string_view text) {
  std::string printable;
  for (const char byte : text) {
    if (absl::ascii_isprint(static_cast<unsigned char>(byte))) {
      printable.push_back(byte);
    } else {
      absl::StrAppend(&printable, absl::CHexEscape(absl::string_view(&byte, 1)));
    }
  }
  return printable;
}

// `space`: nullptr: of all.
void SetIncidents(const ServerSnapshot& snapshot, const NameSpaceSnapshot* space,
                  ServerStatus& status) {
  for (auto it = snapshot.incidents.rbegin(); it != snapshot.incidents.rend(); ++it) {
    // A reason may name a key, which is no other job's to know.
    if (space != nullptr && it->name_space != space->name) continue;
    IncidentStatus& incident = status.incidents.emplace_back();
    incident.when = it->when;
    incident.info = &InfoOf(it->kind);
    if (it->peer.is_valid()) incident.address = it->peer.ToString();
    incident.rank = it->rank;
    if (it->name_space.has_value()) {
      incident.name_space = it->name_space->empty() ? kDefaultNameSpace : *it->name_space;
    }
    incident.reason = Printable(it->reason);
  }
}

std::string Plural(size_t count, absl::string_view one, absl::string_view many) {
  return absl::StrCat(count, " ", count == 1 ? one : many);
}

std::string WhoIsThere(const ServerStatus& status, const NameSpaceSnapshot& space) {
  if (status.world_size > 0 && !space.ranks.empty()) {
    if (status.missing + status.gone == 0) {
      return absl::StrCat("All ", status.world_size, " ranks have joined.");
    }
    std::string text =
        absl::StrCat(status.joined, " of ", status.world_size, " ranks are connected.");
    if (status.missing > 0) absl::StrAppend(&text, " Missing: ", status.missing_ranks, ".");
    if (status.gone > 0) absl::StrAppend(&text, " Gone: ", status.gone_ranks, ".");
    return text;
  }
  if (!space.ranks.empty()) {
    std::string text = absl::StrCat(Plural(status.joined, "rank is", "ranks are"),
                                    " connected; how many are expected is not known.");
    if (status.gone > 0) absl::StrAppend(&text, " Gone: ", status.gone_ranks, ".");
    return text;
  }
  if (status.clients_in_all == 0) {
    return status.world_size > 0
               ? absl::StrCat("Nobody is connected; ", status.world_size, " ranks are expected.")
               : "Nobody is connected.";
  }
  std::string text =
      absl::StrCat(Plural(status.clients_in_all, "connection", "connections"),
                   "; which ranks they are is not known, because torch's own clients do not say.");
  if (status.workers_joined.has_value()) {
    absl::StrAppend(&text, " ", *status.workers_joined,
                    status.world_size > 0 ? absl::StrCat(" of ", status.world_size) : "",
                    " workers have counted themselves in.");
  }
  return text;
}

// `incidents_of`: nullptr: of all.
ServerStatus StatusWithIncidents(const ServerSnapshot& snapshot, const NameSpaceSnapshot& space,
                                 const NameSpaceSnapshot* incidents_of) {
  ServerStatus status;
  status.now = snapshot.now;
  status.uptime = snapshot.now - snapshot.started;
  SetWorld(snapshot, space, status);
  CountRanks(status);
  SetWaits(snapshot, space, status);
  SetSlowest(space, status);
  SetClients(snapshot, space, status);
  SetIncidents(snapshot, incidents_of, status);
  status.seconds = snapshot.seconds;
  status.summary = WhoIsThere(status, space);
  if (!status.waits.empty()) {
    const WaitStatus& longest = status.waits.front();
    absl::StrAppend(
        &status.wait_summary, Plural(space.waiting_clients, "client waits", "clients wait"),
        ", the longest for ", ShownDuration(longest.longest),
        longest.at_barrier ? " at the barrier \"" : " for the key \"", longest.key, "\".");
  }
  return status;
}

}  // namespace

absl::string_view RankStateName(RankState state) {
  switch (state) {
    case RankState::kMissing:
      return "missing";
    case RankState::kJoined:
      return "joined";
    case RankState::kWaiting:
      return "waiting";
    case RankState::kGone:
      return "gone";
  }
  return "unknown";
}

std::string ShownKey(absl::string_view wire_key) {
  absl::ConsumePrefix(&wire_key, "/");
  return absl::CHexEscape(wire_key);
}

std::string ShownDuration(absl::Duration duration) {
  if (duration < absl::Seconds(1)) {
    return absl::StrCat(absl::ToInt64Milliseconds(duration), "ms");
  }
  const int64_t seconds = absl::ToInt64Seconds(duration);
  if (seconds < 60) return absl::StrCat(seconds, "s");
  if (seconds < 3600) return absl::StrCat(seconds / 60, "m ", seconds % 60, "s");
  if (seconds < 86400) return absl::StrCat(seconds / 3600, "h ", seconds / 60 % 60, "m");
  return absl::StrCat(seconds / 86400, "d ", seconds / 3600 % 24, "h");
}

std::string RankRanges(absl::Span<const int> ranks) {
  std::string text;
  size_t ranges = 0;
  for (size_t i = 0; i < ranks.size(); ++ranges) {
    if (ranges == kStatusRangesMax) {
      absl::StrAppend(&text, " and ", ranks.size() - i, " more");
      break;
    }
    size_t last = i;
    while (last + 1 < ranks.size() && ranks[last + 1] == ranks[last] + 1) ++last;
    absl::StrAppend(&text, text.empty() ? "" : ", ", ranks[i]);
    if (last > i) absl::StrAppend(&text, last == i + 1 ? ", " : "-", ranks[last]);
    i = last + 1;
  }
  return text;
}

ServerStatus StatusOf(const ServerSnapshot& snapshot) {
  return StatusWithIncidents(snapshot, snapshot.name_spaces.front(), /*incidents_of=*/nullptr);
}

ServerStatus StatusOf(const ServerSnapshot& snapshot, const NameSpaceSnapshot& space) {
  return StatusWithIncidents(snapshot, space, &space);
}

std::optional<RankDetails> DetailsOf(const ServerSnapshot& snapshot, const NameSpaceSnapshot& space,
                                     int rank) {
  const ServerStatus status = StatusOf(snapshot, space);
  if (rank < 0 || rank >= static_cast<int>(status.rank_states.size())) return std::nullopt;
  RankDetails details;
  details.rank = rank;
  details.state = static_cast<RankState>(status.rank_states[static_cast<size_t>(rank)]);
  for (const RankSeen& seen : space.ranks) {
    if (seen.rank != rank) continue;
    if (seen.peer.is_valid()) details.address = seen.peer.ToString();
    details.since_joined = snapshot.now - seen.joined;
    if (seen.gone.has_value()) details.since_gone = snapshot.now - *seen.gone;
  }
  for (const WaitSeen& wait : space.waits) {
    if (wait.rank != rank) continue;
    if (!details.waiting_time.has_value()) details.waiting_time = snapshot.now - wait.since;
    for (const std::string& name : wait.names) {
      if (details.keys.size() < kSnapshotNamesMax) details.keys.push_back(ShownKey(name));
    }
    details.keys_in_all += wait.missing;
  }
  return details;
}

}  // namespace rollcall
