#include "store/engine/key_space.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace rollcall::engine {
namespace {

void Set(KeySpace& keys, std::string key, std::string value) {
  const KeySpace::Entry entry = keys.FindOrCreate(std::move(key));
  *entry.value = std::move(value);
  keys.CountChange(entry);
}

TEST(ParseCounterTest, ReadsNumbersAsStollDoes) {
  const struct {
    std::string text;
    int64_t number;
  } cases[] = {
      {"0", 0},
      {"7", 7},
      {"-7", -7},
      {"+7", 7},
      {"-0", 0},
      {"007", 7},
      {" 7", 7},
      {" \t\n\v\f\r-7", -7},
      {"12abc", 12},
      {"0x10", 0},
      {"7 8", 7},
      {"1.5", 1},
      {std::string("7\0008", 3), 7},
      {"9223372036854775807", std::numeric_limits<int64_t>::max()},
      {"-9223372036854775808", std::numeric_limits<int64_t>::min()},
      {"000000000000000000000000000000000001", 1},
  };
  for (const auto& [text, number] : cases) {
    ASSERT_TRUE(ParseCounter(text).ok()) << text;
    EXPECT_EQ(*ParseCounter(text), number) << text;
    EXPECT_EQ(std::stoll(text), number) << "the table is wrong about " << text;
  }
}

TEST(ParseCounterTest, RefusesWhatStollRefuses) {
  for (const std::string text :
       {"", " ", "abc", "+", "-", "+-7", "-+7", "--7", "- 7", "x7", ".5"}) {
    EXPECT_EQ(ParseCounter(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THROW(std::stoll(text), std::invalid_argument) << "the table is wrong about " << text;
  }
  EXPECT_FALSE(ParseCounter(absl::string_view("\0"
                                              "7",
                                              2))
                   .ok());
  for (const std::string text :
       {"9223372036854775808", "-9223372036854775809", "99999999999999999999999"}) {
    EXPECT_EQ(ParseCounter(text).status().code(), absl::StatusCode::kOutOfRange) << text;
    EXPECT_THROW(std::stoll(text), std::out_of_range) << "the table is wrong about " << text;
  }
}

TEST(ParseCounterTest, SaysWhatWasFoundWithoutItsUnprintableBytesOrItsFullLength) {
  const absl::Status refused =
      ParseCounter(absl::StrCat("\n\x01", std::string(100000, 'x'))).status();
  EXPECT_TRUE(absl::StrContains(refused.message(), "\"\\n\\x01xxx")) << refused;
  EXPECT_TRUE(absl::StrContains(refused.message(), "xxx\"...")) << refused;
  EXPECT_LT(refused.message().size(), 200u);
}

TEST(KeySpaceTest, AKeyIsCreatedOnce) {
  KeySpace keys;
  EXPECT_EQ(keys.Find("k"), nullptr);
  EXPECT_TRUE(keys.FindOrCreate("k").created);
  EXPECT_FALSE(keys.FindOrCreate("k").created);
  Set(keys, "k", "v");
  ASSERT_NE(keys.Find("k"), nullptr);
  EXPECT_EQ(*keys.Find("k"), "v");
  EXPECT_EQ(keys.Erase("k"), "v");
  EXPECT_EQ(keys.Erase("k"), std::nullopt);
}

TEST(KeySpaceTest, AnExistingKeysNameIsLeftWithTheCaller) {
  KeySpace keys;
  std::string name = "a name that is too long to be kept inside a string";
  const std::string copy = name;
  keys.FindOrCreate(std::string(name));
  keys.FindOrCreate(std::move(name));
  EXPECT_EQ(name, copy);  // NOLINT(bugprone-use-after-move): that is the promise.
}

TEST(KeySpaceTest, AnyBytesAreAKey) {
  KeySpace keys;
  Set(keys, "", "empty");
  Set(keys, std::string("\0", 1), "nul");
  EXPECT_EQ(*keys.Find(""), "empty");
  EXPECT_EQ(*keys.Find(absl::string_view("\0", 1)), "nul");
  EXPECT_EQ(keys.visible_key_count(), 2u);
}

TEST(KeySpaceTest, HiddenKeysAreKeptButNotShown) {
  KeySpace keys;
  Set(keys, "rollcall/rank/3", "here");
  Set(keys, "/rollcall/", "a user's key");
  Set(keys, "rollcall", "not hidden: the slash is missing");
  Set(keys, "init/", "1");
  EXPECT_EQ(keys.visible_key_count(), 3u);
  EXPECT_EQ(keys.VisibleKeys(),
            (std::vector<absl::string_view>{"/rollcall/", "init/", "rollcall"}));
  EXPECT_TRUE(keys.Exists("rollcall/rank/3"));
  EXPECT_EQ(keys.Erase("rollcall/rank/3"), "here");
  EXPECT_EQ(keys.visible_key_count(), 3u);
}

TEST(KeySpaceTest, QueuesAreFirstInFirstOutAndEndWithTheirLastElement) {
  KeySpace keys;
  EXPECT_EQ(keys.Pop("q"), std::nullopt);
  EXPECT_FALSE(keys.Exists("q"));
  keys.Push("q", "first");
  keys.Push("q", "second");
  EXPECT_TRUE(keys.Exists("q"));
  EXPECT_EQ(keys.QueueLength("q"), 2u);
  EXPECT_EQ(keys.Pop("q"), "first");
  EXPECT_EQ(keys.Pop("q"), "second");
  EXPECT_EQ(keys.Pop("q"), std::nullopt);
  EXPECT_EQ(keys.QueueLength("q"), 0u);
  EXPECT_FALSE(keys.Exists("q"));
}

TEST(KeySpaceTest, CountsTheBytesThatAreThere) {
  KeySpace keys;
  Set(keys, "key", "12345");
  Set(keys, "rollcall/x", "1");
  keys.Push("queue", "1234");
  keys.Push("queue", "12");
  EXPECT_EQ(keys.key_bytes(), 3u + 10 + 5);
  EXPECT_EQ(keys.value_bytes(), 5u + 1 + 4 + 2);
  Set(keys, "key", "1");
  keys.Pop("queue");
  EXPECT_EQ(keys.key_bytes(), 3u + 10 + 5);
  EXPECT_EQ(keys.value_bytes(), 1u + 1 + 2);
  keys.Erase("key");
  keys.Erase("rollcall/x");
  keys.Pop("queue");
  keys.Pop("queue");
  EXPECT_EQ(keys.key_bytes(), 0u);
  EXPECT_EQ(keys.value_bytes(), 0u);
}

TEST(KeySpaceTest, QueuesAndKeysOfOneNameAreStrangers) {
  KeySpace keys;
  keys.Push("k", "element");
  EXPECT_EQ(keys.Find("k"), nullptr);
  EXPECT_EQ(keys.visible_key_count(), 0u);
  Set(keys, "k", "value");
  EXPECT_EQ(keys.Erase("k"), "value");
  EXPECT_EQ(keys.Pop("k"), "element");
}

}  // namespace
}  // namespace rollcall::engine
