#include "store/protocol/operation.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace rollcall::protocol {
namespace {

TEST(Operation, EveryOneHasANameOfItsOwn) {
  std::set<std::string> names;
  for (const OperationRow& row : kOperations) {
    EXPECT_TRUE(names.insert(std::string(row.name)).second) << row.name;
    EXPECT_EQ(OperationName(row.operation), row.name);
  }
  EXPECT_EQ(OperationName(Operation::kWatchKey), "watch_key");
}

TEST(Operation, OnlyKeysHaveValues) {
  for (const OperationRow& row : kOperations) {
    if (row.keys != KeyFields::kNone) continue;
    EXPECT_EQ(row.values_per_key, 0) << row.name;
  }
}

}  // namespace
}  // namespace rollcall::protocol
