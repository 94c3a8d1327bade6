#include "store/etcd/etcd_names.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace rollcall::etcd {
namespace {

TEST(EtcdNames, KeepKeysOfAnyBytes) {
  const EtcdNames names("/job");
  for (const std::string& key : {std::string(""), std::string("a/b"), std::string("\0\xff", 2)}) {
    EXPECT_EQ(std::string(names.KeyOf(names.Key(key))), key);
    EXPECT_TRUE(absl::StartsWith(names.Key(key), names.UserKeys()));
  }
}

TEST(EtcdNames, NoQueueIsTheBeginningOfAnother) {
  const EtcdNames names("/job");
  EXPECT_FALSE(absl::StartsWith(names.Queue("a/b"), names.Queue("a")));
  EXPECT_FALSE(absl::StartsWith(names.Queue("ab"), names.Queue("a")));
}

TEST(EtcdNames, AUsersKeyIsOneWhetherItComesFromAStoreOrOverTheWire) {
  const EtcdNames store("/job");
  const EtcdNames wire("/job", KeyStyle::kOfWire);
  EXPECT_EQ(wire.Key("/k"), store.Key("k"));
  EXPECT_EQ(wire.Queue("/q"), store.Queue("q"));
  EXPECT_NE(wire.Key("k"), store.Key("k"));
  EXPECT_FALSE(absl::StartsWith(wire.Key("init/"), store.UserKeys()));
}

TEST(EtcdNames, EveryContentIsInTheRangeAndTellsWhatItIs) {
  for (const KeyStyle style : {KeyStyle::kOfStore, KeyStyle::kOfWire}) {
    const EtcdNames names("/job", style);
    for (const std::string& key : {std::string(""), std::string("/"), std::string("/a/b"),
                                   std::string("init/"), std::string("/\0\xff", 3)}) {
      const std::string name = names.Key(key);
      EXPECT_GE(name, names.ContentsBegin());
      EXPECT_LT(name, names.ContentsEnd());
      EXPECT_EQ(names.PlaceOf(name).kind, EtcdNames::Place::kKey);
      EXPECT_EQ(names.PlaceOf(name).name, key);
      const std::string element = names.Queue(key) + "element";
      EXPECT_GE(element, names.ContentsBegin());
      EXPECT_LT(element, names.ContentsEnd());
      EXPECT_EQ(names.PlaceOf(element).kind, EtcdNames::Place::kElement);
      EXPECT_EQ(names.PlaceOf(element).name, key);
    }
    EXPECT_GE(names.Slots("client"), names.ContentsEnd());
    EXPECT_GE(PrefixOfSpace("/job", "a"), names.ContentsEnd());
    for (const absl::string_view name : {"", "/job", "/jo", "/job/lease", "/job/q/0000000",
                                         "/x/k/a", "/job/q/00000002/a", "/job/q/zzzzzzzz/a/b"}) {
      EXPECT_EQ(names.PlaceOf(name).kind, EtcdNames::Place::kNeither) << name;
    }
  }
}

TEST(EtcdNames, NameSpacesAreApartWhateverTheyAreCalled) {
  EXPECT_EQ(PrefixOfSpace("/job", "a"), "/job/space/a");
  EXPECT_EQ(PrefixOfSpace("/job", "a/k"), "/job/space/a%2Fk");
  EXPECT_NE(PrefixOfSpace("/job", "a%2Fk"), PrefixOfSpace("/job", "a/k"));
}

TEST(EtcdNames, TheEndIsBehindAllThatBeginSo) {
  EXPECT_EQ(EndOf("a/"), "a0");
  EXPECT_EQ(EndOf("a\xff"), "b");
  EXPECT_EQ(EndOf("\xff\xff"), std::string(1, '\0'));
}

}  // namespace
}  // namespace rollcall::etcd
