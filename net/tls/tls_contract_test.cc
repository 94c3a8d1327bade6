// Encrypted connections keep the contracts of plain ones.
#include <filesystem>
#include <iterator>
#include <string>

#include "gtest/gtest.h"
#include "net/env.h"
#include "net/event_loop.h"
#include "testing/env_contract.h"
#include "testing/event_loop_contract.h"
#include "testing/tls_env.h"

namespace rollcall {
namespace {

template <typename Scenario>
void OverTls(const Scenario& scenario) {
  TlsEnv env(&net::RealEnv());
  scenario(env);
}

INSTANTIATE_TEST_SUITE_P(Tls, EnvContract,
                         testing::Values(EnvContractParam{
                             "System", [](const auto& scenario) { OverTls(scenario); }}),
                         NameOfEnvContractParam);

EventLoopContractParam Loop(net::EventLoopKind kind) {
  return {.name = std::string(net::EventLoopKindName(kind)),
          .kind = kind,
          .run = [](const auto& scenario) { OverTls(scenario); },
          .count_descriptors =
              [] {
                const std::filesystem::directory_iterator open("/proc/self/fd");
                return static_cast<int>(std::distance(begin(open), end(open)));
              }};
}

INSTANTIATE_TEST_SUITE_P(Tls, EventLoopContract,
                         testing::Values(Loop(net::EventLoopKind::kEpoll),
                                         Loop(net::EventLoopKind::kLibuv)),
                         NameOfEventLoopContractParam);

}  // namespace
}  // namespace rollcall
