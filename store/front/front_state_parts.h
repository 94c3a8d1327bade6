// What FrontState is made of, for its own three files: loops, jobs and what listens to a watcher.
#ifndef ROLLCALL_STORE_FRONT_FRONT_STATE_PARTS_H_
#define ROLLCALL_STORE_FRONT_FRONT_STATE_PARTS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "net/env.h"
#include "store/etcd/etcd_watch.h"
#include "store/front/front_call.h"
#include "store/front/front_state.h"
#include "store/front/front_watcher.h"
#include "store/protocol/request.h"
#include "store/server/late_replies.h"
#include "store/server/loop_wake.h"

namespace rollcall::front {

// One event loop, and what is to be said to its clients.
struct FrontState::Loop {
  explicit Loop(net::Env& env) : wake(env) {}

  // Guarded by the state's lock.
  LateReplies inbox;
  bool is_woken = false;

  LoopWake wake;
};

// One client's share of a job.
struct FrontState::Part {
  Client client;
  protocol::Request request;
  std::string key;  // Of an operation that has one.
  size_t requests = 1;
  size_t bytes = 0;
  absl::Time ready_since;
  WaitId wait = 0;
  RegistrationId registration = 0;

  Outcome outcome;
  // What was looked at, or the sum of an add and of all in its job.
  std::vector<etcd::Seen> seen;
  int64_t sum = 0;
  int64_t sum_of_all = 0;
  int64_t revision = 0;
};

// What is done at once: one request, or many that add to one key.
struct FrontState::Job {
  Space space;
  std::vector<Part> parts;
  bool has_turn = false;
  std::string turn;
};

// Tells the state what a space's watcher has to tell.
class FrontState::Watching final : public FrontWatcher::Listener {
 public:
  Watching(FrontState* state, std::weak_ptr<FrontSpace> space,
           std::shared_ptr<etcd::EtcdSession> session)
      : state_(*state), space_(std::move(space)), session_(std::move(session)) {}

  void OnChanges(const std::vector<etcd::EtcdWatch::Change>& changes) override;
  absl::StatusOr<int64_t> OnForgotten(const etcd::EtcdCall& call) override;
  void OnLost(const absl::Status& why) override;

 private:
  FrontState& state_;
  const std::weak_ptr<FrontSpace> space_;
  // The space's own, which may have ended.
  const std::shared_ptr<etcd::EtcdSession> session_;
};

// What a request takes while it waits: its texts, and what is around them.
size_t BytesOf(const protocol::Request& request);

}  // namespace rollcall::front

#endif  // ROLLCALL_STORE_FRONT_FRONT_STATE_PARTS_H_
