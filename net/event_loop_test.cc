// The event loops of this machine, held to the contract.
#include "net/event_loop.h"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <iterator>
#include <string>

#include "gtest/gtest.h"
#include "net/env.h"
#include "testing/event_loop_contract.h"

namespace rollcall {
namespace {

int CountDescriptors() {
  const std::filesystem::directory_iterator open_now("/proc/self/fd");
  return static_cast<int>(std::distance(begin(open_now), end(open_now)));
}

EventLoopContractParam OnThisMachine(net::EventLoopKind kind) {
  return {
      .name = std::string(net::EventLoopKindName(kind)),
      .kind = kind,
      .run = [](const std::function<void(net::Env&)>& scenario) { scenario(net::RealEnv()); },
      .count_descriptors = &CountDescriptors,
  };
}

INSTANTIATE_TEST_SUITE_P(RealSockets, EventLoopContract,
                         testing::Values(OnThisMachine(net::EventLoopKind::kEpoll),
                                         OnThisMachine(net::EventLoopKind::kLibuv)),
                         NameOfEventLoopContractParam);

}  // namespace
}  // namespace rollcall
