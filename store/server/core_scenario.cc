#include "store/server/core_scenario.h"

#include <vector>

#include "net/address.h"
#include "store/protocol/wire_text.h"

namespace rollcall {

using protocol::Dialect;

CoreScenario::~CoreScenario() {
  core_.reset();
  loop_.RunUntilIdle();
  EXPECT_EQ(loop_.pending_timers(), 0u);
}

ServerCores& CoreScenario::core() {
  if (core_ == nullptr) {
    EXPECT_TRUE(ValidateServerOptions(options_).ok());
    engine_ = std::make_unique<SoleEngine>(options_.store_limits);
    core_ = std::make_unique<ServerCores>(
        std::vector<ServerLoop>{{.loop = &loop_, .engine = engine_.get()}}, options_);
    EXPECT_TRUE(core_->Listen({}).ok());
  }
  return *core_;
}

CoreScenario::Peer CoreScenario::Connect(absl::string_view host) {
  net::SocketAddress from;
  if (!host.empty()) from = net::SocketAddress::FromNumeric(host, 4711).value();
  Peer peer = loop_.Connect(core().addresses().front().port(), from);
  loop_.RunUntilIdle();
  return peer;
}

CoreScenario::Peer CoreScenario::Client(Dialect dialect) {
  Peer peer = Connect();
  const std::string greeting = protocol::Greeting(dialect);
  if (!greeting.empty()) Send(peer, greeting);
  return peer;
}

void CoreScenario::Send(const Peer& peer, absl::string_view bytes) {
  peer->Send(bytes);
  loop_.RunUntilIdle();
}

void CoreScenario::Say(const Peer& peer, absl::string_view request) {
  Send(peer, Request(request));
}

std::string CoreScenario::Ask(const Peer& peer, absl::string_view request) {
  Say(peer, request);
  return peer->TakeReceived();
}

ServerSnapshot CoreScenario::Snapshot() {
  return core().Complete(core().SnapshotOfEngine(), {core().SnapshotOfLoop(0)}, loop_.Now());
}

std::string Request(absl::string_view line) {
  return protocol::RequestBytes(Dialect::kModern, line);
}

std::string Reply(absl::string_view line) {
  std::string bytes;
  EXPECT_TRUE(protocol::AppendReplyLine(line, bytes).ok()) << line;
  return bytes;
}

std::string Repeated(absl::string_view text, size_t times) {
  std::string result;
  for (size_t i = 0; i < times; ++i) result.append(text.data(), text.size());
  return result;
}

}  // namespace rollcall
