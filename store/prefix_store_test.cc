#include "store/prefix_store.h"

#include <memory>
#include <stdexcept>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "store/hash_store.h"
#include "store/store.h"

namespace rollcall {
namespace {

using testing::UnorderedElementsAre;

std::shared_ptr<Store> NewHashStore() { return std::make_shared<HashStore>(net::RealEnv()); }

TEST(PrefixStore, PutsThePrefixAndASlashBeforeTheKey) {
  std::shared_ptr<Store> below = NewHashStore();
  PrefixStore("p", below).Set("foo", "bar");
  EXPECT_EQ(below->Get("p/foo"), "bar");
  PrefixStore("", below).Set("k", "v");
  EXPECT_EQ(below->Get("/k"), "v");
}

TEST(PrefixStore, PrefixesNest) {
  std::shared_ptr<Store> below = NewHashStore();
  PrefixStore("b", std::make_shared<PrefixStore>("a", below)).Set("k", "v");
  EXPECT_EQ(below->Get("a/b/k"), "v");
}

TEST(PrefixStore, SeesNoOtherPrefixsKeys) {
  std::shared_ptr<Store> below = NewHashStore();
  below->Set("a/x", "");
  below->Set("ab/x", "");
  below->Set("a", "");
  below->Set("other", "");
  PrefixStore store("a", below);
  EXPECT_THAT(store.ListKeys(), UnorderedElementsAre("x"));
  EXPECT_EQ(store.NumKeys(), 1);
}

TEST(PrefixStore, KnowsWhatIsBelow) {
  std::shared_ptr<Store> below = NewHashStore();
  auto middle = std::make_shared<PrefixStore>("a", below);
  PrefixStore top("b", middle);
  EXPECT_EQ(&top.underlying_store(), middle.get());
  EXPECT_EQ(&top.underlying_non_prefix_store(), below.get());
}

TEST(PrefixStore, NeedsAStore) { EXPECT_THROW(PrefixStore("p", nullptr), std::invalid_argument); }

TEST(PrefixStore, LeavesNothingBehindAtABarrier) {
  std::shared_ptr<Store> below = NewHashStore();
  PrefixStore("p", below).Barrier("b", 1);
  EXPECT_THAT(below->ListKeys(), UnorderedElementsAre("p/b"));
}

}  // namespace
}  // namespace rollcall
