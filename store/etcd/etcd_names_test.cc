#include "store/etcd/etcd_names.h"

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace rollcall::etcd {
namespace {

TEST(EtcdNames, KeepKeysOfAnyBytes) {
  const EtcdNames names("/job");
  for (const std::string& key : {std::string(""), std::string("a/b"), std::string("\0\xff", 2)}) {
    EXPECT_EQ(std::string(names.KeyOf(names.Key(key))), key);
    EXPECT_TRUE(absl::StartsWith(names.Key(key), names.AllKeys()));
  }
}

TEST(EtcdNames, NoQueueIsTheBeginningOfAnother) {
  const EtcdNames names("/job");
  EXPECT_FALSE(absl::StartsWith(names.Queue("a/b"), names.Queue("a")));
  EXPECT_FALSE(absl::StartsWith(names.Queue("ab"), names.Queue("a")));
}

TEST(EtcdNames, TheEndIsBehindAllThatBeginSo) {
  EXPECT_EQ(EndOf("a/"), "a0");
  EXPECT_EQ(EndOf("a\xff"), "b");
  EXPECT_EQ(EndOf("\xff\xff"), std::string(1, '\0'));
}

}  // namespace
}  // namespace rollcall::etcd
