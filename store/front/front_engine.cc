#include "store/front/front_engine.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "store/front/front_state.h"

namespace rollcall {
namespace {

class FrontPort final : public EnginePort {
 public:
  FrontPort(front::FrontState* state, size_t loop) : state_(*state), loop_(loop) {}

  void SetWake(absl::AnyInvocable<void()> wake) override { state_.SetWake(loop_, std::move(wake)); }
  void Begin(LateReplies& late) override { state_.TakeLate(loop_, late); }
  void End() override { state_.WakeOthers(); }
  void Connect(engine::ClientId client, protocol::Dialect dialect,
               absl::string_view name_space) override {
    state_.Connect(client, dialect, name_space);
  }
  bool Disconnect(engine::ClientId client, absl::Time now) override {
    return state_.Disconnect(client, now);
  }
  bool Awaits(engine::ClientId client) override { return state_.Awaits(client); }
  void Apply(engine::ClientId from, protocol::Request& request, absl::Time now,
             engine::Replies& /*replies*/) override {
    state_.Apply(from, request, now);
  }
  bool replies_outlive_batches() const override { return false; }
  bool answers_later() const override { return true; }
  bool IsFull(engine::ClientId client) override { return state_.IsFull(client); }
  bool IsDone(engine::ClientId client) override { return state_.IsDone(client); }
  std::vector<EngineSnapshot> Snapshot() override { return state_.Snapshot(); }
  EngineNumbers numbers() const override { return state_.numbers(); }

 private:
  front::FrontState& state_;
  const size_t loop_;
};

class FrontEngine final : public ServerEngine {
 public:
  FrontEngine(net::Env& env, size_t loops, FrontOptions options)
      : state_(env, loops, std::move(options)) {
    for (size_t i = 0; i < loops; ++i) ports_.push_back(std::make_unique<FrontPort>(&state_, i));
  }

  absl::Status Start() { return state_.Start(); }
  EnginePort* port(size_t loop) const override { return ports_[loop].get(); }
  bool has_name_spaces() const override { return true; }

 private:
  front::FrontState state_;
  std::vector<std::unique_ptr<FrontPort>> ports_;
};

}  // namespace

ServerEngineFactory NewFrontEngine(FrontOptions options) {
  return [options = std::move(options)](
             net::Env& env, size_t loops) -> absl::StatusOr<std::unique_ptr<ServerEngine>> {
    if (absl::Status valid = ValidateEtcdOptions(options.etcd); !valid.ok()) return valid;
    auto engine = std::make_unique<FrontEngine>(env, loops, options);
    if (absl::Status started = engine->Start(); !started.ok()) return started;
    return engine;
  };
}

}  // namespace rollcall
