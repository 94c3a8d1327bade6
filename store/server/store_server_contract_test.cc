// The server contract on this machine's sockets, on both event loops.

#include "gtest/gtest.h"
#include "net/env.h"
#include "net/event_loop.h"
#include "testing/server_contract.h"

namespace rollcall {
namespace {

ServerContractParam OnThisMachine(net::EventLoopKind kind) {
  return {.name = std::string(net::EventLoopKindName(kind)),
          .event_loop = kind,
          .run = [](const auto& scenario) { scenario(net::RealEnv()); }};
}

INSTANTIATE_TEST_SUITE_P(RealSockets, ServerContract,
                         testing::Values(OnThisMachine(net::EventLoopKind::kEpoll),
                                         OnThisMachine(net::EventLoopKind::kLibuv)),
                         NameOfServerContractParam);

}  // namespace
}  // namespace rollcall
