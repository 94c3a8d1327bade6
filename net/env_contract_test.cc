// The contract of an Env, on this machine.
#include "testing/env_contract.h"

#include "gtest/gtest.h"
#include "net/env.h"

namespace rollcall {
namespace {

INSTANTIATE_TEST_SUITE_P(Real, EnvContract,
                         testing::Values(EnvContractParam{
                             "System", [](const auto& scenario) { scenario(net::RealEnv()); }}),
                         NameOfEnvContractParam);

}  // namespace
}  // namespace rollcall
