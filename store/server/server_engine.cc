#include "store/server/server_engine.h"

#include "store/server/shared_engine.h"
#include "store/server/sole_engine.h"

namespace rollcall {
namespace {

class OneLoopEngine final : public ServerEngine {
 public:
  EnginePort* port(size_t /*loop*/) const override { return sole_.get(); }

 private:
  const std::unique_ptr<SoleEngine> sole_ = std::make_unique<SoleEngine>();
};

class ManyLoopsEngine final : public ServerEngine {
 public:
  ManyLoopsEngine(net::Env& env, size_t loops) : shared_(env.NewMonitor(), loops) {}
  EnginePort* port(size_t loop) const override { return shared_.port(loop); }

 private:
  const SharedEngine shared_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ServerEngine>> NewMemoryEngine(net::Env& env, size_t loops) {
  if (loops == 1) return std::make_unique<OneLoopEngine>();
  return std::make_unique<ManyLoopsEngine>(env, loops);
}

}  // namespace rollcall
