#include "testing/event_loop_contract.h"

#include <utility>

#include "absl/status/statusor.h"

namespace rollcall {

std::string NameOfEventLoopContractParam(
    const testing::TestParamInfo<EventLoopContractParam>& info) {
  return info.param.name;
}

void EventLoopContract::WithLoop(const std::function<void(net::Env&, net::EventLoop&)>& scenario) {
  GetParam().run([&](net::Env& env) {
    absl::StatusOr<std::unique_ptr<net::EventLoop>> loop = env.NewEventLoop(GetParam().kind);
    ASSERT_TRUE(loop.ok()) << loop.status();
    EXPECT_EQ((*loop)->kind(), GetParam().kind);
    scenario(env, **loop);
  });
}

void EventLoopContract::WithRunningLoop(const std::function<void(LoopScenario&)>& scenario) {
  GetParam().run([&](net::Env& env) {
    absl::StatusOr<std::unique_ptr<net::EventLoop>> loop = env.NewEventLoop(GetParam().kind);
    ASSERT_TRUE(loop.ok()) << loop.status();
    LoopScenario running(env, *std::move(loop));
    scenario(running);
  });
}

}  // namespace rollcall
