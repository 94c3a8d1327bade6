#include "store/protocol/dialect.h"

#include <map>
#include <string>

#include "gtest/gtest.h"

namespace rollcall::protocol {
namespace {

constexpr Dialect kAll[] = {Dialect::kModern, Dialect::kLegacy, Dialect::kTorch21};

TEST(Dialect, NamesGoBothWays) {
  for (Dialect dialect : kAll) EXPECT_EQ(ParseDialect(DialectName(dialect)), dialect);
  EXPECT_EQ(ParseDialect("ancient"), std::nullopt);
}

TEST(Dialect, OpcodesGoBothWays) {
  for (Dialect dialect : kAll) {
    int known = 0;
    for (int opcode = 0; opcode < 256; ++opcode) {
      const auto operation = OperationOf(dialect, static_cast<uint8_t>(opcode));
      if (!operation.has_value()) continue;
      ++known;
      EXPECT_EQ(OpcodeOf(dialect, *operation), opcode) << OperationName(*operation);
    }
    int spoken = 0;
    for (int i = 0; i < kOperationCount; ++i) {
      spoken += OpcodeOf(dialect, static_cast<Operation>(i)).has_value();
    }
    EXPECT_EQ(known, spoken) << DialectName(dialect);
  }
}

TEST(Dialect, ModernOpcodesAreZeroToEighteenAndTwoOfOurOwn) {
  for (int opcode = 0; opcode <= 18; ++opcode) {
    EXPECT_TRUE(OperationOf(Dialect::kModern, static_cast<uint8_t>(opcode)).has_value()) << opcode;
  }
  for (int opcode = 19; opcode <= 63; ++opcode) {
    EXPECT_EQ(OperationOf(Dialect::kModern, static_cast<uint8_t>(opcode)), std::nullopt) << opcode;
  }
  EXPECT_EQ(OperationOf(Dialect::kModern, 64), Operation::kSession);
  EXPECT_EQ(OperationOf(Dialect::kModern, 65), Operation::kNumbered);
  EXPECT_EQ(OperationOf(Dialect::kModern, 66), std::nullopt);
  EXPECT_EQ(OperationOf(Dialect::kLegacy, 64), std::nullopt);
  EXPECT_EQ(OperationOf(Dialect::kModern, 255), std::nullopt);
}

TEST(Dialect, SevenAndEightTellTorch21FromItsElders) {
  EXPECT_EQ(OperationOf(Dialect::kLegacy, 7), Operation::kWatchKey);
  EXPECT_EQ(OperationOf(Dialect::kLegacy, 8), Operation::kDeleteKey);
  EXPECT_EQ(OperationOf(Dialect::kTorch21, 7), Operation::kDeleteKey);
  EXPECT_EQ(OperationOf(Dialect::kTorch21, 8), Operation::kAppend);
  EXPECT_EQ(OperationOf(Dialect::kLegacy, 12), Operation::kCancelWait);
  EXPECT_EQ(OperationOf(Dialect::kLegacy, 13), std::nullopt);
  EXPECT_EQ(OperationOf(Dialect::kTorch21, 12), std::nullopt);
}

}  // namespace
}  // namespace rollcall::protocol
