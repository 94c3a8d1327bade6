// A front's one watch over all that a job stores, in a thread of its own.
#ifndef ROLLCALL_STORE_FRONT_FRONT_WATCHER_H_
#define ROLLCALL_STORE_FRONT_FRONT_WATCHER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "net/env.h"
#include "net/monitor.h"
#include "store/etcd/etcd_session.h"
#include "store/etcd/etcd_watch.h"

namespace rollcall::front {

// Goes on with another member where one fails, for as long as it takes. Thread-safe.
class FrontWatcher {
 public:
  // Told by the watcher's thread; must not destroy the watcher in it.
  class Listener {
   public:
    virtual ~Listener() = default;
    // All that happened, in the order of its revisions.
    virtual void OnChanges(const std::vector<etcd::EtcdWatch::Change>& changes) = 0;
    // Some of what happened up to now is not known any more: to look again at what matters, by way
    // of `call`, which is given up when the watcher ends. Returns a revision of now; what is later
    // than that is told.
    virtual absl::StatusOr<int64_t> OnForgotten(const etcd::EtcdCall& call) = 0;
    // The last call: the job's lease is lost, or etcd does not let us in.
    virtual void OnLost(const absl::Status& why) = 0;
  };

  // Tells of what is later than `revision`. Both must outlive it.
  FrontWatcher(etcd::EtcdSession* session, Listener* listener, int64_t revision);
  ~FrontWatcher();

  // False if the system has no thread to give.
  bool Start();

 private:
  // For as long as it takes: whoever waits for a key waits until it comes.
  etcd::EtcdCall EndlessCall(const char* operation) const;
  void Run();
  // Until nothing more can be told by the watch at hand: OK where history is lost.
  absl::Status Follow();

  etcd::EtcdSession& session_;
  Listener& listener_;
  int64_t revision_;
  std::atomic<bool> stops_{false};
  const std::unique_ptr<net::Monitor> monitor_;
  etcd::EtcdWatch* watch_ ABSL_GUARDED_BY(*monitor_) = nullptr;
  std::unique_ptr<net::Thread> thread_;
};

}  // namespace rollcall::front

#endif  // ROLLCALL_STORE_FRONT_FRONT_WATCHER_H_
