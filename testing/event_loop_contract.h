// What every net::EventLoop must do, as a suite that runs on any implementation: ours, or one of
// your own.
//
//   INSTANTIATE_TEST_SUITE_P(MyLoop, EventLoopContract,
//   testing::Values(EventLoopContractParam{...}),
//                            NameOfEventLoopContractParam);
//
// It looks at a loop from outside, through an Env, and never sleeps: it runs as well in simulated
// time.
#ifndef ROLLCALL_TESTING_EVENT_LOOP_CONTRACT_H_
#define ROLLCALL_TESTING_EVENT_LOOP_CONTRACT_H_

#include <functional>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "net/env.h"
#include "net/event_loop.h"
#include "testing/loop_scenario.h"

namespace rollcall {

struct EventLoopContractParam {
  std::string name;  // For the test's name: letters, digits and _.
  net::EventLoopKind kind = net::EventLoopKind::kEpoll;
  // Runs `scenario` to its end in a world of its own. On this machine:
  // [](const auto& scenario) { scenario(net::RealEnv()); }
  std::function<void(const std::function<void(net::Env&)>& scenario)> run;
  // The descriptors that are open in that world now.
  std::function<int()> count_descriptors;
};

std::string NameOfEventLoopContractParam(
    const testing::TestParamInfo<EventLoopContractParam>& info);

class EventLoopContract : public testing::TestWithParam<EventLoopContractParam> {
 protected:
  // Runs `scenario` with a loop that nobody runs yet.
  void WithLoop(const std::function<void(net::Env&, net::EventLoop&)>& scenario);
  // Runs `scenario` with a loop that runs in a thread of its own.
  void WithRunningLoop(const std::function<void(LoopScenario&)>& scenario);
};

}  // namespace rollcall

#endif  // ROLLCALL_TESTING_EVENT_LOOP_CONTRACT_H_
