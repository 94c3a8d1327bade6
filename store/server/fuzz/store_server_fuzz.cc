// A whole server, on one to four fake event loops, and up to eight peers that send, stop, vanish
// and read slowly as the input says. Whatever they do, others are served, and nothing is left when
// they go. The first byte picks the server's options.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "glog/logging.h"
#include "net/event_loop.h"
#include "net/std_monitor.h"
#include "store/engine/store_engine.h"
#include "store/protocol/dialect.h"
#include "store/protocol/wire_text.h"
#include "store/server/engine_port.h"
#include "store/server/fuzz/script.h"
#include "store/server/server_cores.h"
#include "store/server/server_options.h"
#include "store/server/shared_engine.h"
#include "store/server/sole_engine.h"
#include "testing/fake_event_loop.h"

namespace rollcall::fuzz {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

ServerOptions OptionsFrom(uint8_t bits) {
  ServerOptions options;
  options.parser.accept_legacy = (bits & 1) == 0;
  if ((bits & 2) != 0) options.parser.legacy_dialect = protocol::Dialect::kTorch21;
  // Few inputs are long enough for the real limits.
  if ((bits & 4) != 0) options.parser.limits = {16, 32, 4, 80};
  if ((bits & 8) != 0) options.silent_connections_max = 2;
  if ((bits & 16) != 0) {
    options.unsent_bytes_soft_max = 8;
    options.unsent_bytes_hard_max = 64;
  }
  if ((bits & 32) != 0) options.connections_max = 4;
  return options;
}

class World {
 public:
  explicit World(uint8_t bits) {
    const size_t loops = size_t{1} + (bits >> 6);
    std::vector<ServerLoop> server_loops;
    if (loops > 1) shared_.emplace(std::make_unique<net::StdMonitor>(), loops);
    for (size_t i = 0; i < loops; ++i) {
      loops_.push_back(std::make_unique<FakeEventLoop>());
      EnginePort* const port = loops == 1 ? &sole_ : shared_->port(i);
      server_loops.push_back({.loop = loops_[i].get(), .engine = port});
    }
    cores_ = std::make_unique<ServerCores>(server_loops, OptionsFrom(bits));
    Require(cores_->Listen({}).ok());
  }

  void Take(const Step& step) {
    std::shared_ptr<FakePeer>& peer = peers_[step.peer];
    if (peer == nullptr) peer = Connect();
    switch (step.action) {
      case Action::kSend:
      case Action::kSendAndRun:
        peer->Send(step.bytes);
        if (step.action == Action::kSendAndRun) Run();
        break;
      case Action::kEndStream:
        peer->EndStream();
        break;
      case Action::kReset:
        peer->Reset();
        break;
      case Action::kReconnect:
        peer->EndStream();
        peer->SetWindow(std::numeric_limits<size_t>::max());
        peer = Connect();
        break;
      case Action::kWindow:
        peer->SetWindow(step.argument);
        break;
      case Action::kOpenWindow:
        peer->SetWindow(std::numeric_limits<size_t>::max());
        break;
      case Action::kWait:
        AdvanceBy(absl::Seconds(step.argument));
        break;
    }
  }

  void EndAllPeers() {
    Run();
    for (const std::shared_ptr<FakePeer>& peer : peers_) {
      if (peer == nullptr) continue;
      peer->SetWindow(std::numeric_limits<size_t>::max());
      peer->EndStream();
    }
    Run();
    for (const std::shared_ptr<FakePeer>& peer : peers_) {
      Require(peer == nullptr || peer->closed_by_server());
    }
    RequireThatNothingIsLeft();
  }

  // A client that does nothing wrong is served.
  void RequireService() {
    const std::shared_ptr<FakePeer> client = Connect();
    client->Send(protocol::Greeting(protocol::Dialect::kModern));
    client->Send(protocol::RequestBytes(protocol::Dialect::kModern, "ping 7"));
    Run();
    std::string pong;
    Require(protocol::AppendReplyLine("nonce 7", pong).ok());
    Require(client->TakeReceived() == pong);
    client->EndStream();
    Run();
    RequireThatNothingIsLeft();
  }

  void Shutdown() {
    size_t done = 0;
    cores_->Shutdown([&](net::EventLoop*) { ++done; });
    Run();
    AdvanceBy(ServerOptions().shutdown_grace);
    Require(done == loops_.size());
    RequireThatNothingIsLeft();
    for (const auto& loop : loops_) Require(loop->pending_timers() == 0);
  }

 private:
  std::shared_ptr<FakePeer> Connect() {
    return loops_[0]->Connect(cores_->addresses().front().port());
  }

  // Until none has anything to do; what one does may be something to do for the others.
  void Run() {
    for (int round = 0; round < 4; ++round) {
      for (const auto& loop : loops_) loop->RunUntilIdle();
    }
  }

  void AdvanceBy(absl::Duration duration) {
    for (const auto& loop : loops_) loop->AdvanceBy(duration);
    Run();
  }

  const engine::StoreEngine& engine() const {
    return shared_.has_value() ? shared_->engine() : sole_.engine();
  }

  void RequireThatNothingIsLeft() {
    for (const auto& loop : loops_) Require(loop->open_streams() == 0);
    Require(cores_->stats().connections == 0);
    Require(engine().client_count() == 0);
    Require(engine().waiting_clients() == 0);
  }

  std::vector<std::unique_ptr<FakeEventLoop>> loops_;
  SoleEngine sole_;
  std::optional<SharedEngine> shared_;
  std::unique_ptr<ServerCores> cores_;
  std::array<std::shared_ptr<FakePeer>, kPeers> peers_;
};

}  // namespace
}  // namespace rollcall::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rollcall::fuzz;
  FLAGS_minloglevel = google::GLOG_FATAL;
  if (size < 1) return 0;
  World world(data[0]);
  const absl::string_view script(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (const Step& step : DecodeScript(script)) world.Take(step);
  // Half of them end by a shutdown that finds whatever there is.
  if ((data[0] & 64) == 0) {
    world.EndAllPeers();
    world.RequireService();
  }
  world.Shutdown();
  return 0;
}
