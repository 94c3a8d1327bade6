// What every server must do, of one with a journal on this machine's disk; and what every store
// must do, with a journal in memory: its cases allow less time than a busy disk takes.
#include <cstddef>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "net/env.h"
#include "net/event_loop.h"
#include "net/real_env.h"
#include "store/engine/name_spaces.h"
#include "store/journal/fake_journal.h"
#include "store/journal/journaled_engine.h"
#include "store/journal/sqlite_journal.h"
#include "store/server/server_engine.h"
#include "store/server/store_server.h"
#include "store/store.h"
#include "store/tcp_store.h"
#include "testing/server_contract.h"
#include "testing/store_contract.h"
#include "testing/temp_directory.h"

namespace rollcall {
namespace {

// `directory` lives as long as what this gives.
ServerEngineFactory JournaledIn(std::shared_ptr<TempDirectory> directory,
                                const engine::NameSpaceLimits& limits) {
  return NewJournaledEngine(
      {.open_journal =
           [directory] { return OpenSqliteJournal({.directory = directory->File("journal")}); },
       .limits = limits});
}

ServerContractParam Server(net::EventLoopKind kind, int io_threads,
                           const engine::NameSpaceLimits& limits = {}) {
  return {
      .name = absl::StrCat(net::EventLoopKindName(kind), "_on_", io_threads,
                           limits.any() ? "_within_limits" : ""),
      .event_loop = kind,
      .io_threads = io_threads,
      .run = [](const auto& scenario) { scenario(net::RealEnv()); },
      .new_engine = [limits] { return JournaledIn(std::make_shared<TempDirectory>(), limits); }};
}

// More than any case takes.
engine::NameSpaceLimits Roomy() {
  return {
      .each = {.keys_max = 1'000'000, .memory_bytes_max = size_t{1} << 30, .clients_max = 100'000},
      .memory_bytes_max = size_t{1} << 30};
}

INSTANTIATE_TEST_SUITE_P(Journaled, ServerContract,
                         testing::Values(Server(net::EventLoopKind::kEpoll, 1),
                                         Server(net::EventLoopKind::kEpoll, 3),
                                         Server(net::EventLoopKind::kEpoll, 1, Roomy()),
                                         Server(net::EventLoopKind::kLibuv, 1)),
                         NameOfServerContractParam);

template <int kThreads>
class JournaledWorld : public StoreWorld {
 public:
  std::unique_ptr<Store> Join() override {
    TcpStoreOptions options;
    options.host = "127.0.0.1";
    options.port = server_->port();
    options.timeout = absl::Seconds(30);
    return std::make_unique<TcpStore>(net::RealEnv(), options);
  }

 private:
  FakeDisk disk_{net::RealEnv()};
  const std::unique_ptr<StoreServer> server_ =
      StoreServer::Start(
          net::RealEnv(), {.host = "127.0.0.1", .io_threads = kThreads},
          NewJournaledEngine({.open_journal = disk_.Opener(net::RealEnv(), absl::ZeroDuration())}))
          .value();
};

template <int kThreads>
StoreContractParam Client(std::string name) {
  return {.name = std::move(name),
          .new_world = [] { return std::make_unique<JournaledWorld<kThreads>>(); },
          .env = &net::RealEnv()};
}

INSTANTIATE_TEST_SUITE_P(Journaled, StoreContract,
                         testing::Values(Client<1>("OneThread"), Client<3>("ThreeThreads")),
                         NameOfStoreContractParam);

}  // namespace
}  // namespace rollcall
