// The server contract, on fronts of a real etcd.
#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "net/env.h"
#include "net/event_loop.h"
#include "net/real_env.h"
#include "store/front/front_engine.h"
#include "store/front/front_options.h"
#include "store/server/server_engine.h"
#include "testing/etcd_cluster.h"
#include "testing/server_contract.h"

namespace rollcall {
namespace {

ServerEngineFactory NewFront() {
  static std::atomic<int> fronts = 0;
  return NewFrontEngine({.etcd = {.endpoints = SharedEtcdCluster().endpoints(),
                                  .prefix = absl::StrCat("/front", ++fronts)}});
}

ServerContractParam OnFront(net::EventLoopKind kind, int io_threads) {
  return {.name = absl::StrCat("front_", net::EventLoopKindName(kind), "_on_", io_threads),
          .event_loop = kind,
          .io_threads = io_threads,
          .run = [](const auto& scenario) { scenario(net::RealEnv()); },
          .new_engine = NewFront};
}

INSTANTIATE_TEST_SUITE_P(Front, ServerContract,
                         testing::Values(OnFront(net::EventLoopKind::kEpoll, 1),
                                         OnFront(net::EventLoopKind::kEpoll, 3),
                                         OnFront(net::EventLoopKind::kLibuv, 1)),
                         NameOfServerContractParam);

}  // namespace
}  // namespace rollcall
