// Which client said which rank it is, for those who ask who is missing. Knows no key but the marks.
#ifndef ROLLCALL_STORE_ENGINE_RANK_LIST_H_
#define ROLLCALL_STORE_ENGINE_RANK_LIST_H_

#include <map>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "store/engine/client_id.h"

namespace rollcall::engine {

// The mark that a joining client sets is "rollcall/rank/N", and its value how many ranks it
// expects.
inline constexpr char kRankMarkPrefix[] = "rollcall/rank/";

// One rank that has joined at some time.
struct RankPlace {
  int rank = 0;
  // Its connections, in the order in which they said so; of one that is gone, the last it had.
  absl::InlinedVector<ClientId, 1> clients;
  absl::Time joined;               // When it last said so by a mark.
  std::optional<absl::Time> gone;  // When the last of them ended; nullopt: some are there.
};

// Anybody can set a mark, so what is in it is what was claimed. Not thread-safe.
class RankList {
 public:
  // Higher ranks are not taken down: a peer could make the list as long as it likes.
  static constexpr int kRanksMax = 1 << 16;

  // `client` has set `key` to `value`: of interest if that is a mark.
  void Note(ClientId client, absl::string_view key, absl::string_view value, absl::Time now);
  // `client` is a further connection of a rank that has joined before, here or at a server that had
  // this one's place.
  void NoteReturn(ClientId client, int rank, absl::Time now);
  void ClientGone(ClientId client, absl::Time now);

  // nullopt: it never said.
  std::optional<int> RankOf(ClientId client) const;
  // By rank.
  std::vector<RankPlace> All() const;
  // What the last client to join expects. 0: nobody told one that has room for all in the list.
  int world_size() const;

 private:
  struct Place;

  Place& Put(ClientId client, int rank, absl::Time now);

  struct Place {
    ClientId last_client = 0;
    absl::Time joined;
    absl::Time gone;
    absl::InlinedVector<ClientId, 1> clients;  // Connected now.
  };

  std::map<int, Place> places_;
  absl::flat_hash_map<ClientId, int> rank_of_;
  int told_world_size_ = 0;
};

}  // namespace rollcall::engine

#endif  // ROLLCALL_STORE_ENGINE_RANK_LIST_H_
