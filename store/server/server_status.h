// A snapshot as whoever operates a job wants to know it: who is missing, who waits for what, what
// went wrong. Pages and programs show this, and nothing else.
#ifndef ROLLCALL_STORE_SERVER_SERVER_STATUS_H_
#define ROLLCALL_STORE_SERVER_SERVER_STATUS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "store/server/server_snapshot.h"

namespace rollcall {

// What is listed of each kind at most; all of it is counted.
inline constexpr int kStatusRanksMax = 1 << 16;
inline constexpr size_t kStatusWaitsMax = 50;
inline constexpr size_t kStatusClientsMax = 256;
inline constexpr size_t kStatusSlowestMax = 5;
inline constexpr size_t kStatusRangesMax = 32;  // In a text of ranks.

enum class RankState : char {
  kMissing = 'm',  // Is expected and never came.
  kJoined = 'j',
  kWaiting = 'w',  // Has joined and waits for a key or at a barrier.
  kGone = 'g',     // Had joined; its last connection has ended.
};
// "missing"; "unknown" for what is no state.
absl::string_view RankStateName(RankState state);

// All who wait for one key, or at one barrier.
struct WaitStatus {
  std::string key;  // As users know it, with what is not printable ASCII escaped.
  bool at_barrier = false;
  size_t waiters = 0;
  size_t nameless = 0;  // Of them those whose rank is not known.
  absl::Duration longest;
  std::string ranks;  // "0-15, 17"
  // Where at least half of the ranks wait: those that do not.
  std::string absent_ranks;
};

// A client whose rank is not known.
struct ClientStatus {
  std::string address;
  std::string dialect;  // "modern", "legacy", "torch21"; "" while it is silent.
  std::optional<absl::Duration> waiting_time;  // nullopt: does not wait.
  std::string key;
};

struct LateRank {
  int rank = 0;
  absl::Duration after_first;  // How long after the first rank it joined.
};

struct IncidentStatus {
  absl::Time when;
  const IncidentInfo* info = nullptr;
  std::string address;
  int rank = -1;
  std::optional<std::string> name_space;  // As users call it; nullopt: not known.
  std::string reason;
};

struct ServerStatus {
  absl::Time now;
  absl::Duration uptime;
  std::string summary;       // Who is there, in one to three sentences.
  std::string wait_summary;  // Who waits, in one sentence that changes all the time; "": nobody.

  int world_size = 0;  // 0: not known.
  bool world_size_from_flag = false;
  std::optional<int64_t> workers_joined;  // As in ServerSnapshot.
  std::string rank_states;                // One RankState a rank, from 0.
  size_t joined = 0;                      // Connected now, waiting or not.
  size_t waiting = 0;
  size_t gone = 0;
  size_t missing = 0;
  std::string missing_ranks;
  std::string gone_ranks;

  std::vector<WaitStatus> waits;  // Who has waited longest first.
  size_t waits_in_all = 0;        // Keys and barriers that are waited for.
  std::vector<LateRank> slowest;  // Who joined last, latest first.
  std::vector<ClientStatus> clients;
  size_t clients_in_all = 0;
  std::vector<IncidentStatus> incidents;  // Newest first.
  std::vector<Work> seconds;              // Oldest first.
};

// Of one of the snapshot's name spaces: of the incidents those that are known to be of it; or of
// the default one, with the incidents of all. A pure function; for 65,536 ranks it takes some ten
// milliseconds.
ServerStatus StatusOf(const ServerSnapshot& snapshot, const NameSpaceSnapshot& space);
ServerStatus StatusOf(const ServerSnapshot& snapshot);

// What the grid shows of one rank.
struct RankDetails {
  int rank = 0;
  RankState state = RankState::kMissing;
  std::string address;  // "": it is not connected.
  std::optional<absl::Duration> since_joined;
  std::optional<absl::Duration> since_gone;
  std::optional<absl::Duration> waiting_time;
  std::vector<std::string> keys;  // The first that it waits for.
  size_t keys_in_all = 0;
};
// nullopt: nothing is known of such a rank, nor is it expected.
std::optional<RankDetails> DetailsOf(const ServerSnapshot& snapshot, const NameSpaceSnapshot& space,
                                     int rank);

// "0-15, 17", at most kStatusRangesMax ranges, then " and 9 more". `ranks` must be sorted.
std::string RankRanges(absl::Span<const int> ranks);
// A key as its user knows it: without the "/" that clients put before it, escaped.
std::string ShownKey(absl::string_view wire_key);
// "1h 2m", "35s", "120ms": two units at most.
std::string ShownDuration(absl::Duration duration);

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_SERVER_STATUS_H_
