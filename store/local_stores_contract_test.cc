// The contract, on the stores that need no server.
#include <memory>

#include "gtest/gtest.h"
#include "net/real_env.h"
#include "store/file_store.h"
#include "store/hash_store.h"
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

INSTANTIATE_TEST_SUITE_P(
    Local, StoreContract,
    testing::Values(ParamOf<HashWorld>("Hash"),
                    ParamOf<FileWorld>("File", 1, /*has_queues=*/false),  // refcount/
                    ParamOf<PrefixWorld<HashWorld>>("PrefixHash"),
                    ParamOf<PrefixWorld<FileWorld>>("PrefixFile", 0, /*has_queues=*/false)),
    NameOfStoreContractParam);

}  // namespace
}  // namespace rollcall
