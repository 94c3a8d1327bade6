#include "store/server/server_engine.h"

#include "store/server/shared_engine.h"
#include "store/server/sole_engine.h"

namespace rollcall {
namespace {

class OneLoopEngine final : public ServerEngine {
 public:
  explicit OneLoopEngine(const engine::NameSpaceLimits& limits)
      : is_limited_(limits.any()), sole_(std::make_unique<SoleEngine>(limits)) {}
  EnginePort* port(size_t /*loop*/) const override { return sole_.get(); }
  bool has_name_spaces() const override { return true; }
  bool has_limits() const override { return is_limited_; }

 private:
  const bool is_limited_;
  const std::unique_ptr<SoleEngine> sole_;
};

class ManyLoopsEngine final : public ServerEngine {
 public:
  ManyLoopsEngine(net::Env& env, size_t loops, const engine::NameSpaceLimits& limits)
      : is_limited_(limits.any()), shared_(env.NewMonitor(), loops, limits) {}
  EnginePort* port(size_t loop) const override { return shared_.port(loop); }
  bool has_name_spaces() const override { return true; }
  bool has_limits() const override { return is_limited_; }

 private:
  const bool is_limited_;
  const SharedEngine shared_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ServerEngine>> NewMemoryEngine(net::Env& env, size_t loops) {
  return LimitedMemoryEngine({})(env, loops);
}

ServerEngineFactory LimitedMemoryEngine(const engine::NameSpaceLimits& limits) {
  return [limits](net::Env& env, size_t loops) -> absl::StatusOr<std::unique_ptr<ServerEngine>> {
    if (loops == 1) return std::make_unique<OneLoopEngine>(limits);
    return std::make_unique<ManyLoopsEngine>(env, loops, limits);
  };
}

}  // namespace rollcall
