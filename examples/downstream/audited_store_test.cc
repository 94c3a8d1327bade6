// Our own Store keeps the promises that every Store of Rollcall makes: the module's contract suite
// says so, on a real server.
#include "audited_store.h"

#include <memory>

#include "gtest/gtest.h"
#include "net/env.h"
#include "store/factory.h"
#include "store/server/store_server.h"
#include "testing/store_contract.h"

namespace rollcall {  // The contract's test suite lives here.
namespace {

class AuditedWorld : public StoreWorld {
 public:
  AuditedWorld() : server_(StoreServer::Start(net::RealEnv(), {.host = "127.0.0.1"}).value()) {}

  std::unique_ptr<Store> Join() override {
    return std::make_unique<AuditedStore>(
        CreateC10dStore(net::RealEnv(), {.server_addr = "127.0.0.1",
                                         .server_port = server_->port(),
                                         .wait_for_workers = false}),
        log_);
  }

  const AuditLog& log() const { return *log_; }

 private:
  const std::unique_ptr<StoreServer> server_;
  const std::shared_ptr<AuditLog> log_ = std::make_shared<AuditLog>();
};

INSTANTIATE_TEST_SUITE_P(Audited, StoreContract,
                         testing::Values(StoreContractParam{
                             .name = "OnAServer",
                             .new_world = [] { return std::make_unique<AuditedWorld>(); },
                             .env = &net::RealEnv()}),
                         NameOfStoreContractParam);

TEST(AuditedStore, CountsTheWritesOfItsClonesToo) {
  AuditedWorld world;
  auto store = world.Join();
  store->Set("a", "1");
  store->Clone()->DeleteKey("a");
  EXPECT_EQ(world.log().writes(), 2);
}

}  // namespace
}  // namespace rollcall
