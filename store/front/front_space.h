// What a front knows of one name space, and of each client in it. Without a lock of its own: all of
// it is guarded by the engine's.
#ifndef ROLLCALL_STORE_FRONT_FRONT_SPACE_H_
#define ROLLCALL_STORE_FRONT_FRONT_SPACE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "store/engine/client_id.h"
#include "store/engine/duration_histogram.h"
#include "store/engine/rank_list.h"
#include "store/etcd/etcd_session.h"
#include "store/front/front_waits.h"
#include "store/front/front_watcher.h"
#include "store/front/front_watches.h"
#include "store/protocol/operation.h"
#include "store/protocol/request.h"

namespace rollcall::front {

struct FrontClient;

struct FrontSpace {
  enum class State { kOpening, kOpen, kLost };

  std::string name;
  State state = State::kOpening;
  // Of one that is open; whoever uses them counts as a job.
  std::shared_ptr<etcd::EtcdSession> session;
  std::unique_ptr<FrontWatcher::Listener> listener;
  std::unique_ptr<FrontWatcher> watcher;
  size_t jobs = 0;
  // Clients that wait for it to be open.
  std::vector<std::shared_ptr<FrontClient>> parked;
  // Why etcd could not be asked, the last time; OK if it could.
  absl::Status trouble;

  // By key or queue: those whose request waits for that of another to be done, which there is as
  // long as there is an entry.
  absl::flat_hash_map<std::string, std::deque<std::shared_ptr<FrontClient>>> turns;
  FrontWaits waits;
  FrontWatches watches;

  // --- For who looks at the server ---
  int64_t keys = 0;
  std::optional<int64_t> workers_joined;
  engine::RankList ranks;
  engine::DurationHistogram waiting_times{&engine::kWaitingTimes};
};

// One connection. At most one request of it is with etcd; those behind it wait here.
struct FrontClient {
  enum class State {
    kIdle,    // Nothing to do.
    kReady,   // The first of `queue` is to be done next.
    kInTurn,  // Likewise, once others have been done.
    kAtWork,
  };

  engine::ClientId id = 0;
  bool is_legacy = false;
  std::shared_ptr<FrontSpace> space;

  State state = State::kIdle;
  protocol::Operation at_work = protocol::Operation::kPing;
  std::deque<protocol::Request> queue;
  absl::Time ready_since;
  // What the queue and the request at work take.
  size_t requests = 0;
  size_t bytes = 0;

  bool is_connected = true;
  bool has_failed = false;  // It is to be hung up on, and nothing more is done for it.
  bool is_full = false;     // Its loop has been told so, and waits for a kGoOn.
  bool is_leaving = false;  // Likewise, until all is done.
};

}  // namespace rollcall::front

#endif  // ROLLCALL_STORE_FRONT_FRONT_SPACE_H_
