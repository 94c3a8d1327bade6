#include "store/server/loops_scenario.h"

#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "net/monitor.h"
#include "store/protocol/wire_text.h"
#include "store/server/snapshot_parts.h"

namespace rollcall {

// A lock that one thread takes for several: it must never be free to be taken twice.
class Loops::CheckedMonitor final : public net::Monitor {
 public:
  ~CheckedMonitor() override { EXPECT_FALSE(held_); }
  void Lock() override ABSL_NO_THREAD_SAFETY_ANALYSIS {
    EXPECT_FALSE(std::exchange(held_, true)) << "a batch inside a batch";
    ++times_locked_;
  }
  void Unlock() override ABSL_NO_THREAD_SAFETY_ANALYSIS {
    EXPECT_TRUE(std::exchange(held_, false));
  }
  bool WaitUntil(absl::Time /*deadline*/) override {
    ADD_FAILURE() << "nobody is to wait here";
    return false;
  }
  void NotifyAll() override {}
  size_t times_locked() const { return times_locked_; }

 private:
  bool held_ = false;
  size_t times_locked_ = 0;
};

class Loops::DeafPort final : public EnginePort {
 public:
  explicit DeafPort(EnginePort* port) : port_(*port) {}

  void SetDeaf(bool deaf) {
    deaf_ = deaf;
    if (!deaf && std::exchange(missed_, false)) wake_();
  }

  void SetWake(absl::AnyInvocable<void()> wake) override {
    wake_ = std::move(wake);
    port_.SetWake([this] { deaf_ ? static_cast<void>(missed_ = true) : wake_(); });
  }
  void Begin(LateReplies& late) override { port_.Begin(late); }
  void End() override { port_.End(); }
  void Connect(engine::ClientId client, protocol::Dialect dialect,
               absl::string_view name_space) override {
    port_.Connect(client, dialect, name_space);
  }
  bool Disconnect(engine::ClientId client, absl::Time now) override {
    return port_.Disconnect(client, now);
  }
  bool Awaits(engine::ClientId client) override { return port_.Awaits(client); }
  std::vector<EngineSnapshot> Snapshot() override { return port_.Snapshot(); }
  void Apply(engine::ClientId from, protocol::Request& request, absl::Time now,
             engine::Replies& replies) override {
    port_.Apply(from, request, now, replies);
  }
  bool replies_outlive_batches() const override { return port_.replies_outlive_batches(); }
  EngineNumbers numbers() const override { return port_.numbers(); }
  void CountAlso(const std::atomic<size_t>* bytes) override { port_.CountAlso(bytes); }

 private:
  EnginePort& port_;
  absl::AnyInvocable<void()> wake_;
  bool deaf_ = false;
  bool missed_ = false;
};

Loops::Loops(size_t loops, const ServerOptions& options) {
  EXPECT_TRUE(ValidateServerOptions(options).ok());
  auto monitor = std::make_unique<CheckedMonitor>();
  monitor_ = monitor.get();
  engine_ = std::make_unique<SharedEngine>(std::move(monitor), loops, options.store_limits);
  std::vector<ServerLoop> server_loops;
  for (size_t i = 0; i < loops; ++i) {
    loops_.push_back(std::make_unique<FakeEventLoop>());
    ports_.push_back(std::make_unique<DeafPort>(engine_->port(i)));
    server_loops.push_back({.loop = loops_[i].get(), .engine = ports_[i].get()});
  }
  cores_ = std::make_unique<ServerCores>(server_loops, options);
  EXPECT_TRUE(cores_->Listen({}).ok());
}

Loops::~Loops() {
  cores_.reset();
  Settle();
  for (const std::unique_ptr<FakeEventLoop>& loop : loops_) EXPECT_EQ(loop->pending_timers(), 0u);
}

std::shared_ptr<FakePeer> Loops::Connect() {
  return loops_[0]->Connect(cores_->addresses().front().port());
}

void Loops::SetDeaf(size_t loop, bool deaf) { ports_[loop]->SetDeaf(deaf); }

void Loops::Settle() {
  // What one does may be something to do for each of the others, and for those again.
  for (size_t round = 0; round < 4; ++round) {
    for (const std::unique_ptr<FakeEventLoop>& loop : loops_) loop->RunUntilIdle();
  }
}

size_t Loops::times_locked() const { return monitor_->times_locked(); }

Loops& LoopsScenario::loops() {
  if (loops_ == nullptr) loops_ = std::make_unique<Loops>(loop_count_, options_);
  return *loops_;
}

std::shared_ptr<FakePeer> LoopsScenario::Connect() {
  std::shared_ptr<FakePeer> peer = loops().Connect();
  loops().Settle();
  return peer;
}

std::shared_ptr<FakePeer> LoopsScenario::Client(protocol::Dialect dialect) {
  std::shared_ptr<FakePeer> peer = Connect();
  const std::string greeting = protocol::Greeting(dialect);
  if (!greeting.empty()) peer->Send(greeting);
  loops().Settle();
  return peer;
}

void LoopsScenario::Say(const std::shared_ptr<FakePeer>& peer, absl::string_view request) {
  peer->Send(protocol::RequestBytes(protocol::Dialect::kModern, request));
}

std::string LoopsScenario::Ask(const std::shared_ptr<FakePeer>& peer, absl::string_view request) {
  Say(peer, request);
  loops().Settle();
  return peer->TakeReceived();
}

}  // namespace rollcall
