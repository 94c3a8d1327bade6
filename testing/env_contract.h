// What every net::Env must do, as a suite that runs on any implementation:
//
//   INSTANTIATE_TEST_SUITE_P(Mine, EnvContract, testing::Values(EnvContractParam{...}),
//                            NameOfEnvContractParam);
//
// It never sleeps for a time of its own and takes no port by number: it runs as well in simulated
// time.
#ifndef ROLLCALL_TESTING_ENV_CONTRACT_H_
#define ROLLCALL_TESTING_ENV_CONTRACT_H_

#include <functional>
#include <string>

#include "gtest/gtest.h"
#include "net/env.h"

namespace rollcall {

struct EnvContractParam {
  std::string name;  // For the test's name: letters, digits and _.
  // Runs `scenario` to its end, on a thread of an Env. On this machine:
  // [](const auto& scenario) { scenario(net::RealEnv()); }
  std::function<void(const std::function<void(net::Env&)>& scenario)> run;
};

std::string NameOfEnvContractParam(const testing::TestParamInfo<EnvContractParam>& info);

class EnvContract : public testing::TestWithParam<EnvContractParam> {
 protected:
  void Run(const std::function<void(net::Env&)>& scenario) { GetParam().run(scenario); }
};

}  // namespace rollcall

#endif  // ROLLCALL_TESTING_ENV_CONTRACT_H_
