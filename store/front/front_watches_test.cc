#include "store/front/front_watches.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "store/engine/client_id.h"
#include "store/engine/watch_list.h"

namespace rollcall::front {
namespace {

using Clients = std::vector<engine::ClientId>;
using Events = std::vector<std::string>;

class FrontWatchesTest : public testing::Test {
 protected:
  Clients Tell(const std::string& key, int64_t revision) {
    std::string event;
    return watches_.Tell(
        key, revision, [&] { return key + std::to_string(revision); }, event);
  }

  FrontWatches watches_;
};

TEST_F(FrontWatchesTest, WhoHasRegisteredHearsOfWhatIsLaterThanThat) {
  const RegistrationId one = watches_.Add(1, "a");
  EXPECT_EQ(watches_.HearsFrom(one, 10), Events{});
  EXPECT_EQ(Tell("a", 10), Clients{});
  EXPECT_EQ(Tell("b", 11), Clients{});
  EXPECT_EQ(Tell("a", 11), Clients{1});
}

TEST_F(FrontWatchesTest, WhatIsToldWhileItRegistersIsKeptForIt) {
  const RegistrationId one = watches_.Add(1, "a");
  EXPECT_EQ(Tell("a", 9), Clients{});
  EXPECT_EQ(Tell("a", 11), Clients{});
  EXPECT_EQ(Tell("a", 12), Clients{});
  EXPECT_EQ(watches_.HearsFrom(one, 10), (Events{"a11", "a12"}));
  EXPECT_EQ(Tell("a", 13), Clients{1});
}

TEST_F(FrontWatchesTest, WhoRegistersTwiceHearsTwiceUntilItGoes) {
  const RegistrationId one = watches_.Add(1, "a");
  const RegistrationId two = watches_.Add(1, "a");
  watches_.HearsFrom(one, 10);
  watches_.HearsFrom(two, 10);
  watches_.HearsFrom(watches_.Add(2, "a"), 10);
  EXPECT_EQ(Tell("a", 11), (Clients{1, 1, 2}));
  watches_.Drop(1);
  watches_.Drop(1);
  EXPECT_EQ(Tell("a", 12), Clients{2});
  EXPECT_EQ(watches_.Clients(), Clients{2});
  EXPECT_EQ(watches_.HearsFrom(one, 12), Events{});
}

TEST_F(FrontWatchesTest, OneClientHasNoMoreThanSoMany) {
  for (size_t i = 0; i < engine::kWatchesMax; ++i) EXPECT_NE(watches_.Add(1, "a"), 0u);
  EXPECT_EQ(watches_.Add(1, "b"), 0u);
  EXPECT_NE(watches_.Add(2, "b"), 0u);
}

}  // namespace
}  // namespace rollcall::front
