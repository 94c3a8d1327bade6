// What every store server must do, whatever event loop it runs on, as a suite that runs on any:
//
//   INSTANTIATE_TEST_SUITE_P(MyLoop, ServerContract, testing::Values(ServerContractParam{...}),
//                            NameOfServerContractParam);
//
// It looks at a server from outside, through an Env, and never sleeps: it runs as well in simulated
// time.
#ifndef ROLLCALL_TESTING_SERVER_CONTRACT_H_
#define ROLLCALL_TESTING_SERVER_CONTRACT_H_

#include <functional>
#include <string>

#include "gtest/gtest.h"
#include "net/env.h"
#include "net/event_loop.h"
#include "store/server/server_engine.h"
#include "store/server/server_options.h"
#include "testing/server_scenario.h"

namespace rollcall {

struct ServerContractParam {
  std::string name;  // For the test's name: letters, digits and _.
  net::EventLoopKind event_loop = net::EventLoopKind::kEpoll;
  int io_threads = 1;
  // Runs `scenario` to its end in a world of its own. On this machine:
  // [](const auto& scenario) { scenario(net::RealEnv()); }
  std::function<void(const std::function<void(net::Env&)>& scenario)> run;
  // Of each server, one with nothing in it. The engine must take values of 8 MiB.
  std::function<ServerEngineFactory()> new_engine = [] { return nullptr; };
};

std::string NameOfServerContractParam(const testing::TestParamInfo<ServerContractParam>& info);

class ServerContract : public testing::TestWithParam<ServerContractParam> {
 protected:
  // Runs `scenario` with a server that is stopped after it.
  void WithServer(const std::function<void(ServerScenario&)>& scenario) {
    WithServer(ServerOptions(), scenario);
  }
  void WithServer(ServerOptions options, const std::function<void(ServerScenario&)>& scenario);
};

}  // namespace rollcall

#endif  // ROLLCALL_TESTING_SERVER_CONTRACT_H_
