// The contract, part one: operations that are answered at once.
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/dist_error_matchers.h"
#include "testing/store_contract.h"

namespace rollcall {
namespace {

using testing::ElementsAre;
using testing::IsSupersetOf;

TEST_P(StoreContract, SetGetCheckAndCount) {
  const int64_t before = NumKeysOfUsers();
  store().Add("key", 1);
  store().Add("key", 2);
  store().Add("key", 3);
  store().Set("key0", "value0");
  store().Add("key3", 1);
  store().Set("key1", "value1");
  store().Set("key2", "value2");
  EXPECT_EQ(store().Get("key"), "6");
  EXPECT_EQ(store().Get("key0"), "value0");
  EXPECT_EQ(store().Get("key1"), "value1");
  EXPECT_EQ(store().Get("key2"), "value2");
  store().Add("key3", 2);
  store().Add("key3", 18);
  EXPECT_EQ(store().Get("key3"), "21");
  EXPECT_TRUE(store().Check({"key3"}));
  EXPECT_FALSE(store().Check({"Randomkey3"}));
  EXPECT_FALSE(store().Check({"key3", "Randomkey3"}));
  EXPECT_EQ(NumKeysOfUsers() - before, 5);
  // A name that a log-structured store could mistake for a deletion.
  store().Set("-key3", "7");
  EXPECT_EQ(store().Get("-key3"), "7");
  EXPECT_EQ(store().Get("key3"), "21");
  EXPECT_TRUE(store().DeleteKey("-key3"));
  EXPECT_EQ(NumKeysOfUsers() - before, 5);
}

TEST_P(StoreContract, SetReplacesAValue) {
  store().Set("k", "first");
  store().Set("k", "second");
  EXPECT_EQ(store().Get("k"), "second");
}

TEST_P(StoreContract, KeysAndValuesAreAnyBytes) {
  const std::string bytes("\0a\nb\xff/ ", 7);
  store().Set(bytes, bytes);
  store().Set("", "the empty key");
  store().Set("empty value", "");
  EXPECT_EQ(store().Get(bytes), bytes);
  EXPECT_EQ(store().Get(""), "the empty key");
  EXPECT_EQ(store().Get("empty value"), "");
}

TEST_P(StoreContract, ValuesUpToEightMebibytes) {
  const std::string big(8 << 20, 'x');
  store().Set("big", big);
  EXPECT_EQ(store().Get("big"), big);
}

TEST_P(StoreContract, CompareSet) {
  EXPECT_EQ(store().CompareSet("cs", "wrong", "new"), "wrong") << "missing: expected comes back";
  EXPECT_FALSE(store().Check({"cs"}));
  store().Set("cs", "value0");
  EXPECT_EQ(store().CompareSet("cs", "wrong", "value1"), "value0");
  EXPECT_EQ(store().Get("cs"), "value0");
  EXPECT_EQ(store().CompareSet("cs", "value0", "value1"), "value1");
  EXPECT_EQ(store().Get("cs"), "value1");
  EXPECT_EQ(store().CompareSet("new", "", "born"), "born");
  EXPECT_EQ(store().Get("new"), "born");
  store().Set("hollow", "");
  EXPECT_EQ(store().CompareSet("hollow", "", "filled"), "filled");
}

TEST_P(StoreContract, AddCountsFromNothingAndByAnything) {
  EXPECT_EQ(store().Add("n", 0), 0);
  EXPECT_EQ(store().Get("n"), "0");
  EXPECT_EQ(store().Add("n", 5), 5);
  EXPECT_EQ(store().Add("n", -7), -2);
  EXPECT_EQ(store().Get("n"), "-2");
}

TEST_P(StoreContract, AddReadsNumbersAsTorchDoes) {
  const std::vector<std::pair<std::string, int64_t>> plus_one = {
      {"12abc", 13}, {"0x10", 1}, {" 7", 8}, {"+3", 4}, {"-1", 0}, {"007", 8}};
  for (const auto& [text, sum] : plus_one) {
    store().Set("n", text);
    EXPECT_EQ(store().Add("n", 1), sum) << text;
    EXPECT_EQ(store().Get("n"), absl::StrCat(sum));
  }
}

TEST_P(StoreContract, AddWrapsAround) {
  store().Set("n", absl::StrCat(std::numeric_limits<int64_t>::max()));
  EXPECT_EQ(store().Add("n", 1), std::numeric_limits<int64_t>::min());
}

TEST_P(StoreContract, AddToWhatIsNoNumberChangesNothing) {
  for (const std::string text : {"", "abc", "99999999999999999999"}) {
    store().Set("n", text);
    EXPECT_DIST_ERROR(store().Add("n", 1), ErrorCode::kNotANumber);
    EXPECT_EQ(store().Get("n"), text) << "and the store is usable";
  }
}

TEST_P(StoreContract, DeleteKey) {
  store().Set("k", "v");
  EXPECT_TRUE(store().DeleteKey("k"));
  EXPECT_FALSE(store().DeleteKey("k"));
  EXPECT_FALSE(store().Check({"k"}));
  EXPECT_DIST_ERROR(store().Get("k", absl::Milliseconds(20)), ErrorCode::kWaitTimeout);
  store().Set("k", "again");
  EXPECT_EQ(store().Get("k"), "again");
}

TEST_P(StoreContract, CheckOfNothingIsTrue) { EXPECT_TRUE(store().Check({})); }

TEST_P(StoreContract, Append) {
  ASSERT_TRUE(store().HasExtendedApi());
  store().Append("a", "foo");
  EXPECT_EQ(store().Get("a"), "foo");
  store().Append("a", "");
  store().Append("a", "bar");
  EXPECT_EQ(store().Get("a"), "foobar");
}

TEST_P(StoreContract, MultiSetAndMultiGet) {
  store().MultiSet({"m1", "m2", "m3"}, {"1", "", "333"});
  EXPECT_EQ(store().Get("m3"), "333");
  EXPECT_THAT(store().MultiGet({"m3", "m1", "m2", "m1"}), ElementsAre("333", "1", "", "1"));
  store().MultiSet({}, {});
  EXPECT_THAT(store().MultiGet({}), ElementsAre());
}

TEST_P(StoreContract, MultiSetNeedsAValueForEachKey) {
  EXPECT_DIST_ERROR(store().MultiSet({"m1", "m2"}, {"1"}), ErrorCode::kSizeMismatch);
  EXPECT_FALSE(store().Check({"m1"}));
}

TEST_P(StoreContract, ListKeysNamesKeysAsTheUserDid) {
  store().Set("k", "v");
  store().Set("rollcall/rank/1", "a user's key, not a mark");
  store().Set("", "");
  EXPECT_THAT(store().ListKeys(), IsSupersetOf({"k", "rollcall/rank/1", ""}));
}

TEST_P(StoreContract, CloneSeesTheSameData) {
  store().SetTimeout(absl::Seconds(17));
  std::unique_ptr<Store> clone = store().Clone();
  EXPECT_EQ(clone->timeout(), absl::Seconds(17));
  store().Set("k", "from the original");
  EXPECT_EQ(clone->Get("k"), "from the original");
  clone->Set("k", "from the clone");
  EXPECT_TRUE(clone->Check({"k"}));  // Answered, so the set before it has been applied.
  EXPECT_EQ(store().CompareSet("k", "from the clone", "seen"), "seen");
}

TEST_P(StoreContract, StoresOfOneWorldSeeEachOther) {
  std::unique_ptr<Store> other = Join();
  store().Set("k", "v");
  EXPECT_EQ(other->Get("k"), "v");
  EXPECT_EQ(other->Add("n", 1), 1);
  EXPECT_EQ(store().Add("n", 1), 2);
}

TEST_P(StoreContract, DescribesItself) { EXPECT_NE(store().Describe(), ""); }

TEST_P(StoreContract, NegativeTimeoutsAreRefused) {
  store().Set("k", "v");
  EXPECT_THROW(store().Get("k", absl::Milliseconds(-1)), std::invalid_argument);
  EXPECT_THROW(store().SetTimeout(absl::Milliseconds(-1)), std::invalid_argument);
}

}  // namespace
}  // namespace rollcall
