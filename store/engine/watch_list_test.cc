#include "store/engine/watch_list.h"

#include <cstddef>
#include <list>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace rollcall::engine {
namespace {

std::string Watchers(const WatchList& watches, absl::string_view key) {
  const std::list<ClientId>* watchers = watches.Watchers(key);
  return watchers == nullptr ? "nobody" : absl::StrJoin(*watchers, " ");
}

TEST(WatchListTest, KeepsTheOrderAndEveryRegistration) {
  WatchList watches;
  EXPECT_EQ(Watchers(watches, "k"), "nobody");
  for (const ClientId client : {2, 1, 2}) EXPECT_TRUE(watches.Add(client, "k"));
  EXPECT_EQ(Watchers(watches, "k"), "2 1 2");
  EXPECT_EQ(Watchers(watches, "other"), "nobody");
}

TEST(WatchListTest, DroppingTakesAllOfAClient) {
  WatchList watches;
  for (const ClientId client : {2, 1, 2, 3}) EXPECT_TRUE(watches.Add(client, "k"));
  EXPECT_TRUE(watches.Add(2, "only mine"));
  watches.Drop(2);
  watches.Drop(2);
  EXPECT_EQ(Watchers(watches, "k"), "1 3");
  EXPECT_EQ(Watchers(watches, "only mine"), "nobody");
  watches.Drop(1);
  watches.Drop(3);
  EXPECT_EQ(watches.watched_keys(), 0u);
}

TEST(WatchListTest, OneClientsRegistrationsAreLimited) {
  WatchList watches;
  for (size_t i = 0; i < kWatchesMax; ++i) EXPECT_TRUE(watches.Add(1, absl::StrCat(i)));
  EXPECT_FALSE(watches.Add(1, "one too many"));
  EXPECT_EQ(watches.watched_keys(), kWatchesMax);
  EXPECT_TRUE(watches.Add(2, "one too many"));
}

}  // namespace
}  // namespace rollcall::engine
