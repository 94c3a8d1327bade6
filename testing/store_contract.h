// What every Store must do, as a suite that runs on any implementation: ours, or one of your own.
//
//   INSTANTIATE_TEST_SUITE_P(MyStore, StoreContract, testing::Values(StoreContractParam{...}),
//                            NameOfStoreContractParam);
//
// The cases are those of PyTorch's own store tests, and what they leave out.
#ifndef ROLLCALL_TESTING_STORE_CONTRACT_H_
#define ROLLCALL_TESTING_STORE_CONTRACT_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "gtest/gtest.h"
#include "net/env.h"
#include "net/real_env.h"
#include "store/prefix_store.h"
#include "store/store.h"

namespace rollcall {

// One set of data and a way to reach it: a server with its clients, a file, a piece of memory.
class StoreWorld {
 public:
  virtual ~StoreWorld() = default;
  // A store on the world's data, each with an identity (a connection, ...) of its own.
  virtual std::unique_ptr<Store> Join() = 0;
};

struct StoreContractParam {
  std::string name;  // For the test's name: letters, digits and _.
  std::function<std::unique_ptr<StoreWorld>()> new_world;
  net::Env* env = nullptr;
  // Keys that the implementation itself leaves in a world, as NumKeys() counts them.
  int bookkeeping_keys = 0;
  bool has_queues = true;

  friend void PrintTo(const StoreContractParam& param, std::ostream* out) { *out << param.name; }
};

// For a `World` that needs nothing to be made, in real time.
template <typename World>
StoreContractParam ParamOf(std::string name, int bookkeeping_keys = 0, bool has_queues = true) {
  return {.name = std::move(name),
          .new_world = [] { return std::make_unique<World>(); },
          .env = &net::RealEnv(),
          .bookkeeping_keys = bookkeeping_keys,
          .has_queues = has_queues};
}

// A part of a `World`: each store is a PrefixStore on one of its stores.
template <typename World>
class PrefixWorld final : public StoreWorld {
 public:
  std::unique_ptr<Store> Join() override {
    return std::make_unique<PrefixStore>("prefix", std::shared_ptr<Store>(world_.Join()));
  }

 private:
  World world_;
};

std::string NameOfStoreContractParam(const testing::TestParamInfo<StoreContractParam>& info);

// Each test begins with a fresh world and one store on it.
class StoreContract : public testing::TestWithParam<StoreContractParam> {
 protected:
  void SetUp() override;

  net::Env& env() { return *GetParam().env; }
  Store& store() { return *store_; }
  std::unique_ptr<Store> Join() { return world_->Join(); }
  bool has_queues() const { return GetParam().has_queues; }
  int64_t NumKeysOfUsers() { return store_->NumKeys() - GetParam().bookkeeping_keys; }

  // Runs `body` in a thread that the test's end joins.
  void Start(absl::AnyInvocable<void()> body);
  void JoinThreads() { threads_.clear(); }

 private:
  std::unique_ptr<StoreWorld> world_;
  std::unique_ptr<Store> store_;
  std::vector<std::unique_ptr<net::Thread>> threads_;
};

}  // namespace rollcall

#endif  // ROLLCALL_TESTING_STORE_CONTRACT_H_
