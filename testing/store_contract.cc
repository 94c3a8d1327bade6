#include "testing/store_contract.h"

#include <utility>

namespace rollcall {

// A program that links the suite and instantiates another one is no mistake.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoreContract);

std::string NameOfStoreContractParam(const testing::TestParamInfo<StoreContractParam>& info) {
  return info.param.name;
}

void StoreContract::SetUp() {
  world_ = GetParam().new_world();
  store_ = world_->Join();
}

void StoreContract::Start(absl::AnyInvocable<void()> body) {
  threads_.push_back(env().StartThread("contract", std::move(body)));
}

}  // namespace rollcall
