// The vocabulary of tests that drive a server's connections on a FakeEventLoop.
#ifndef ROLLCALL_STORE_SERVER_CORE_SCENARIO_H_
#define ROLLCALL_STORE_SERVER_CORE_SCENARIO_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "store/engine/store_engine.h"
#include "store/protocol/dialect.h"
#include "store/server/server_cores.h"
#include "store/server/server_options.h"
#include "store/server/server_snapshot.h"
#include "store/server/server_stats.h"
#include "store/server/sole_engine.h"
#include "testing/fake_event_loop.h"

namespace rollcall {

// Requests and replies are lines as in store/protocol/wire_text.h: set "/k" "v", signal 0.
class CoreScenario : public testing::Test {
 protected:
  using Peer = std::shared_ptr<FakePeer>;

  ~CoreScenario() override;

  // Changes to this count until the first client comes.
  ServerOptions options_;

  // A connection that has said nothing, of the loopback or from `host`.
  Peer Connect(absl::string_view host = "");
  // A client that has greeted as its dialect wants.
  Peer Client(protocol::Dialect dialect = protocol::Dialect::kModern);
  // Sends bytes and lets the server do all that follows.
  void Send(const Peer& peer, absl::string_view bytes);
  // Sends one request of a modern client.
  void Say(const Peer& peer, absl::string_view request);
  // Says it, and gives what came back.
  std::string Ask(const Peer& peer, absl::string_view request);

  ServerCores& core();
  const engine::StoreEngine& engine() {
    core();
    return engine_->engine();
  }
  ServerStats stats() { return core().stats(); }
  ServerSnapshot Snapshot();

  FakeEventLoop loop_;

 private:
  std::unique_ptr<SoleEngine> engine_;
  std::unique_ptr<ServerCores> core_;
};

// The bytes of a modern client's request, and of a reply.
std::string Request(absl::string_view line);
std::string Reply(absl::string_view line);
std::string Repeated(absl::string_view text, size_t times);

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_CORE_SCENARIO_H_
