// The server contract on this machine's sockets, on both event loops, on one of them and on three.

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "net/env.h"
#include "net/event_loop.h"
#include "testing/server_contract.h"

namespace rollcall {
namespace {

ServerContractParam OnThisMachine(net::EventLoopKind kind, int io_threads) {
  return {.name = absl::StrCat(net::EventLoopKindName(kind), "_on_", io_threads),
          .event_loop = kind,
          .io_threads = io_threads,
          .run = [](const auto& scenario) { scenario(net::RealEnv()); }};
}

INSTANTIATE_TEST_SUITE_P(RealSockets, ServerContract,
                         testing::Values(OnThisMachine(net::EventLoopKind::kEpoll, 1),
                                         OnThisMachine(net::EventLoopKind::kEpoll, 3),
                                         OnThisMachine(net::EventLoopKind::kLibuv, 1),
                                         OnThisMachine(net::EventLoopKind::kLibuv, 3)),
                         NameOfServerContractParam);

}  // namespace
}  // namespace rollcall
