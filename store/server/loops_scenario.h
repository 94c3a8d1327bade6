// The vocabulary of tests that drive a server with several event loops, all in one thread: which
// loop runs when, and when it learns of what others did, is the test's to say.
#ifndef ROLLCALL_STORE_SERVER_LOOPS_SCENARIO_H_
#define ROLLCALL_STORE_SERVER_LOOPS_SCENARIO_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "store/protocol/dialect.h"
#include "store/server/engine_port.h"
#include "store/server/server_cores.h"
#include "store/server/server_options.h"
#include "store/server/server_stats.h"
#include "store/server/shared_engine.h"
#include "testing/fake_event_loop.h"

namespace rollcall {

// A server on so many loops, each a FakeEventLoop.
class Loops {
 public:
  Loops(size_t loops, const ServerOptions& options);
  // Fails the test if the lock is held or a timer is pending.
  ~Loops();

  size_t count() const { return loops_.size(); }
  FakeEventLoop& loop(size_t i) { return *loops_[i]; }
  ServerCores& cores() { return *cores_; }
  const engine::StoreEngine& engine() const { return engine_->engine(); }

  // A connection, not yet accepted.
  std::shared_ptr<FakePeer> Connect();
  // While deaf, a loop does not hear that there is something for it; it may look by itself.
  void SetDeaf(size_t loop, bool deaf);
  // Runs all of them until none has anything to do.
  void Settle();
  size_t times_locked() const;

 private:
  class CheckedMonitor;
  class DeafPort;

  std::vector<std::unique_ptr<FakeEventLoop>> loops_;
  CheckedMonitor* monitor_;
  std::unique_ptr<SharedEngine> engine_;
  std::vector<std::unique_ptr<DeafPort>> ports_;
  std::unique_ptr<ServerCores> cores_;
};

class LoopsScenario : public testing::Test {
 protected:
  // Changes to these count until the first client comes.
  ServerOptions options_;
  size_t loop_count_ = 3;

  Loops& loops();
  ServerStats stats() { return loops().cores().stats(); }
  // A connection that has said nothing. It is on the loop with the fewest, the first such.
  std::shared_ptr<FakePeer> Connect();
  // A client that has greeted. Clients come to loops 0, 1, 2, 0, ... as long as none leaves.
  std::shared_ptr<FakePeer> Client(protocol::Dialect dialect = protocol::Dialect::kModern);
  // Sends one request of a modern client; no loop runs.
  static void Say(const std::shared_ptr<FakePeer>& peer, absl::string_view request);
  // Says it, lets all that follows happen, and gives what came back.
  std::string Ask(const std::shared_ptr<FakePeer>& peer, absl::string_view request);

 private:
  std::unique_ptr<Loops> loops_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_LOOPS_SCENARIO_H_
