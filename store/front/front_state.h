// The engine of a front: what is asked of it by the loops' ports, what its crew does with etcd, and
// what comes of that.
#ifndef ROLLCALL_STORE_FRONT_FRONT_STATE_H_
#define ROLLCALL_STORE_FRONT_FRONT_STATE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/env.h"
#include "net/monitor.h"
#include "store/engine/client_id.h"
#include "store/engine/wait_list.h"
#include "store/etcd/etcd_operations.h"
#include "store/etcd/etcd_session.h"
#include "store/etcd/etcd_watch.h"
#include "store/front/front_call.h"
#include "store/front/front_crew.h"
#include "store/front/front_options.h"
#include "store/front/front_space.h"
#include "store/protocol/dialect.h"
#include "store/protocol/request.h"
#include "store/server/engine_port.h"
#include "store/server/late_replies.h"

namespace rollcall::front {

// The lock is never held across a call of etcd, nor across a system call: what wakes other threads
// is put down and done by WakeOthers. Thread-safe.
class FrontState {
 public:
  FrontState(net::Env& env, size_t loops, FrontOptions options);
  // Goes on for options.farewell with what has been asked for, then ends all.
  ~FrontState();

  // Opens the default name space. Once, before anything else.
  absl::Status Start();

  // --- What a port is asked (EnginePort), by the number of its loop ---
  void SetWake(size_t loop, absl::AnyInvocable<void()> wake);
  void TakeLate(size_t loop, LateReplies& late);
  void Connect(engine::ClientId id, protocol::Dialect dialect, absl::string_view name_space);
  bool Disconnect(engine::ClientId id, absl::Time now);
  void Apply(engine::ClientId id, protocol::Request& request, absl::Time now);
  bool IsFull(engine::ClientId id);
  bool IsDone(engine::ClientId id);
  bool Awaits(engine::ClientId id);
  std::vector<EngineSnapshot> Snapshot();
  EngineNumbers numbers() const;
  // Not under the lock, and may make system calls.
  void WakeOthers();

 private:
  class Watching;
  struct Loop;
  struct Part;
  struct Job;
  using Client = std::shared_ptr<FrontClient>;
  using Space = std::shared_ptr<FrontSpace>;

  // --- Clients (front_state.cc) ---
  void Say(engine::ClientId to, LateKind kind, absl::string_view bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  void Reply(const FrontClient& to, absl::string_view bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  // Does what needs no etcd, and has the crew do the next that does.
  void Advance(const Client& client) ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  // Takes the first request off the queue.
  protocol::Request TakeFirst(FrontClient& client) ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  void Forget(FrontClient& client, size_t requests, size_t bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  void ForgetQueue(FrontClient& client) ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  void CancelWaits(FrontClient& client) ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  // Hangs up on it.
  void Fail(FrontClient& client, LateKind kind, absl::string_view reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  bool HasTooMuch(const FrontClient& client) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  // Tells the loops of clients that have room again.
  void LetGoOn(FrontClient& client) ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  void Answer(FrontSpace& space, const std::vector<engine::Released>& released)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  static void Describe(const FrontSpace& space, EngineSnapshot& snapshot);
  void PublishNumbers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);

  // --- Jobs, of the crew (front_state_jobs.cc) ---
  void ServeClient(const Client& client);
  void BeginJob(const Client& client, Job& job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  // Lists the client as one that waits for its turn. False: there is nobody before it.
  bool WaitsForTurn(const Client& client, const std::string& turn)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  // Ends the turn if there is nobody.
  void TakeNextInTurn(Job& job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  void AddPart(const Client& client, Job& job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  // False if it is refused.
  bool BeginPart(Part& part) ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  void GatherSets(FrontClient& client, Part& part) ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  void Execute(Job& job);
  void ExecuteAdds(Job& job);
  void ExecuteLook(Job& job);
  void FinishJob(Job& job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  void FinishPart(Part& part) ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  // What its waits and registrations have come to.
  void SettlePart(Part& part) ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  void NoteTrouble(FrontSpace& space, const absl::Status& failed)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  etcd::EtcdCall CallOf(const protocol::Request& request) const;

  // --- Name spaces (front_state_spaces.cc) ---
  Space SpaceOf(absl::string_view name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  void OpenSpace(const Space& space);
  absl::Status TryToOpen(const Space& space, absl::Duration timeout);
  void Lose(const Space& space, const absl::Status& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  // Ends what the space has of etcd, once no job uses it any more.
  void CloseIfUnused(const Space& space) ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  void OnChanges(FrontSpace& space, const etcd::EtcdNames& names,
                 const std::vector<etcd::EtcdWatch::Change>& changes);
  absl::StatusOr<int64_t> OnForgotten(FrontSpace& space, etcd::EtcdSession& session,
                                      const etcd::EtcdCall& call);
  void ReleaseSeen(FrontSpace& space, const std::vector<std::string>& names,
                   const std::vector<etcd::Seen>& seen, etcd::Look look);
  void TellWatches(FrontSpace& space, const std::string& key, const etcd::EtcdWatch::Change& change)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);

  net::Env& env_;
  const FrontOptions options_;
  std::atomic<bool> is_given_up_{false};
  const std::unique_ptr<net::Monitor> owned_monitor_;
  net::Monitor* const monitor_;
  std::vector<std::unique_ptr<Loop>> loops_;
  absl::flat_hash_map<engine::ClientId, Client> clients_ ABSL_GUARDED_BY(monitor_);
  absl::flat_hash_set<engine::ClientId> full_ ABSL_GUARDED_BY(monitor_);
  size_t all_bytes_ ABSL_GUARDED_BY(monitor_) = 0;
  absl::flat_hash_map<std::string, Space> spaces_ ABSL_GUARDED_BY(monitor_);
  // For WakeOthers: numbers of loops, and what is to be logged.
  std::vector<size_t> to_wake_ ABSL_GUARDED_BY(monitor_);
  std::vector<std::string> to_log_ ABSL_GUARDED_BY(monitor_);
  std::atomic<size_t> keys_{0};
  std::atomic<size_t> waiting_clients_{0};
  // Last: its tasks use all of the above.
  FrontCrew crew_;
};

}  // namespace rollcall::front

#endif  // ROLLCALL_STORE_FRONT_FRONT_STATE_H_
