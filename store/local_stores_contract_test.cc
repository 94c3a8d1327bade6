// The contract, on the stores that need no server.
#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "net/real_env.h"
#include "store/file_store.h"
#include "store/hash_store.h"
#include "store/prefix_store.h"
#include "store/store.h"
#include "testing/store_contract.h"
#include "testing/temp_directory.h"

namespace rollcall {
namespace {

class HashWorld : public StoreWorld {
 public:
  std::unique_ptr<Store> Join() override { return root_.Clone(); }

 private:
  HashStore root_{net::RealEnv()};
};

class FileWorld : public StoreWorld {
 public:
  std::unique_ptr<Store> Join() override {
    return std::make_unique<FileStore>(net::RealEnv(), directory_.File("store"));
  }

 private:
  TempDirectory directory_;
};

template <typename World>
class PrefixWorld : public StoreWorld {
 public:
  std::unique_ptr<Store> Join() override {
    return std::make_unique<PrefixStore>("prefix", std::shared_ptr<Store>(world_.Join()));
  }

 private:
  World world_;
};

template <typename World>
StoreContractParam Param(std::string name, int bookkeeping_keys, bool has_queues) {
  return {.name = std::move(name),
          .new_world = [] { return std::make_unique<World>(); },
          .env = &net::RealEnv(),
          .bookkeeping_keys = bookkeeping_keys,
          .has_queues = has_queues};
}

INSTANTIATE_TEST_SUITE_P(Local, StoreContract,
                         testing::Values(Param<HashWorld>("Hash", 0, true),
                                         Param<FileWorld>("File", 1, false),  // refcount/
                                         Param<PrefixWorld<HashWorld>>("PrefixHash", 0, true),
                                         Param<PrefixWorld<FileWorld>>("PrefixFile", 0, false)),
                         NameOfStoreContractParam);

}  // namespace
}  // namespace rollcall
