// One engine for several event loops, each in a thread of its own.
#ifndef ROLLCALL_STORE_SERVER_SHARED_ENGINE_H_
#define ROLLCALL_STORE_SERVER_SHARED_ENGINE_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "net/monitor.h"
#include "store/engine/name_spaces.h"
#include "store/engine/store_engine.h"
#include "store/server/engine_port.h"

namespace rollcall {

// A batch holds the one lock from Begin to End, so that the store is one sequence of requests,
// whatever loop they come by. What a batch has to say to clients of other loops is encoded into
// those loops' inboxes before the lock is released, and each of them is woken once, after that.
class SharedEngine {
 public:
  // Loops are numbered from 0, at most kServerLoopsMax of them.
  SharedEngine(std::unique_ptr<net::Monitor> monitor, size_t loops,
               const engine::NameSpaceLimits& limits = {});
  ~SharedEngine();

  // Lives as long as the engine.
  EnginePort* port(size_t loop) const;

  // The default name space's. For tests and leak checks; no batch may be going on.
  const engine::StoreEngine& engine() const ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return stores_.default_one();
  }

 private:
  class Port;

  const std::unique_ptr<net::Monitor> owned_monitor_;
  net::Monitor* const monitor_;
  engine::NameSpaces stores_ ABSL_GUARDED_BY(monitor_);
  std::vector<std::unique_ptr<Port>> ports_;
  std::atomic<size_t> keys_{0};
  std::atomic<size_t> waiting_clients_{0};
  std::atomic<size_t> memory_bytes_{0};
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_SHARED_ENGINE_H_
