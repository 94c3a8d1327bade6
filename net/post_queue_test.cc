#include "net/post_queue.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"

namespace rollcall::net {
namespace {

TEST(PostQueue, AsksForOneWakeUpASleep) {
  PostQueue posts;
  EXPECT_FALSE(posts.Post([] {})) << "nobody sleeps";
  EXPECT_FALSE(posts.PrepareToSleep()) << "there is work";
  EXPECT_TRUE(posts.RunPosted());
  EXPECT_TRUE(posts.PrepareToSleep());
  EXPECT_TRUE(posts.Post([] {}));
  EXPECT_FALSE(posts.Post([] {})) << "one wake-up is enough";
  posts.Awake();
  EXPECT_TRUE(posts.RunPosted());
  EXPECT_TRUE(posts.PrepareToSleep());
  posts.Awake();
  EXPECT_FALSE(posts.PostStop()) << "it is awake";
}

TEST(PostQueue, RunsWhatWorkPostsTheNextTime) {
  PostQueue posts;
  std::string ran;
  (void)posts.Post([&] {
    ran += "a";
    (void)posts.Post([&] { ran += "c"; });
  });
  (void)posts.Post([&] { ran += "b"; });
  EXPECT_TRUE(posts.RunPosted());
  EXPECT_EQ(ran, "ab");
  EXPECT_TRUE(posts.RunPosted());
  EXPECT_EQ(ran, "abc");
}

TEST(PostQueue, StopsAtTheMarkAndKeepsTheRestInOrder) {
  PostQueue posts;
  std::string ran;
  (void)posts.Post([&] {
    ran += "a";
    (void)posts.Post([&] { ran += "d"; });
  });
  (void)posts.PostStop();
  (void)posts.PostStop();
  (void)posts.Post([&] { ran += "b"; });
  (void)posts.Post([&] { ran += "c"; });
  EXPECT_FALSE(posts.RunPosted());
  EXPECT_EQ(ran, "a");
  EXPECT_TRUE(posts.RunPosted());
  EXPECT_EQ(ran, "abcd");
}

TEST(PostQueue, DestroysWorkAsSoonAsItHasRun) {
  PostQueue posts;
  const auto owned = std::make_shared<int>(0);
  (void)posts.Post([owned] {});
  (void)posts.Post([&owned] { EXPECT_EQ(owned.use_count(), 1); });
  EXPECT_TRUE(posts.RunPosted());
}

TEST(PostQueue, ClearsWithoutRunning) {
  PostQueue posts;
  const auto owned = std::make_shared<int>(0);
  (void)posts.Post([owned] { FAIL(); });
  (void)posts.PostStop();
  posts.Clear();
  EXPECT_EQ(owned.use_count(), 1);
  EXPECT_TRUE(posts.PrepareToSleep());
}

}  // namespace
}  // namespace rollcall::net
