// The contract of every store, held in virtual time: each test's body is a fiber, each of its
// threads another, and a wait of five minutes takes none.
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "fault_injection/sim_env.h"
#include "fault_injection/world.h"
#include "gtest/gtest.h"
#include "net/env.h"
#include "net/syscalls.h"
#include "store/hash_store.h"
#include "store/store.h"
#include "testing/store_contract.h"

namespace rollcall::fault {
namespace {

// All the tests of the process run in it, one after another.
net::Env& TheSimEnv() {
  static World* const world = new World({.time_max = absl::InfiniteDuration()});
  static SimEnv* const env = new SimEnv(world, &net::RealSyscalls(), {.host = "host"});
  static CallerFiber* const test [[maybe_unused]] = new CallerFiber(world, "test");
  return *env;
}

class HashStoreWorld final : public StoreWorld {
 public:
  std::unique_ptr<Store> Join() override { return store_.Clone(); }

 private:
  HashStore store_{TheSimEnv()};
};

INSTANTIATE_TEST_SUITE_P(SimHash, StoreContract,
                         testing::Values(StoreContractParam{
                             .name = "Hash",
                             .new_world = [] { return std::make_unique<HashStoreWorld>(); },
                             .env = &TheSimEnv(),
                         }),
                         NameOfStoreContractParam);

}  // namespace
}  // namespace rollcall::fault
