#include "tools/bench/target.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/bench/dialog.h"

namespace rollcall::bench {
namespace {

using testing::HasSubstr;

TEST(RunningTarget, IsReadFromItsText) {
  const absl::StatusOr<Target> target =
      RunningTarget(absl::StrCat("torch=127.0.0.1:29500,", getpid(), ",legacy"), {});
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->name, "torch");
  EXPECT_FALSE(target->starts_anew);
  EXPECT_EQ(target->dialog->Hello().bytes, "");
  const std::unique_ptr<Server> server = *target->start();
  EXPECT_EQ(server->pid(), getpid());
  EXPECT_EQ(ntohs(server->address().sin_port), 29500);
}

TEST(RunningTarget, NeedNotSayItsProcess) {
  const absl::StatusOr<Target> target = RunningTarget("torch=10.0.0.7:1", {});
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ((*target->start())->pid(), 0);
  EXPECT_NE(target->dialog->Hello().bytes, "");
}

TEST(RunningTarget, RefusesWhatItCannotRead) {
  for (absl::string_view text :
       {"", "torch", "=127.0.0.1:1", "torch=host:1", "torch=127.0.0.1", "torch=127.0.0.1:0",
        "torch=127.0.0.1:65536", "torch=127.0.0.1:1,new", "torch=127.0.0.1:1,99999999"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(RunningTarget(text, {}).status())) << text;
  }
}

TEST(StoreTarget, IsReadFromItsName) {
  for (const absl::string_view name : {"epoll", "libuv-legacy", "epoll@2", "libuv@16-legacy"}) {
    const absl::StatusOr<Target> target = StoreTarget(name, {});
    ASSERT_TRUE(target.ok()) << target.status();
    EXPECT_EQ(target->name, name);
    EXPECT_TRUE(target->starts_anew);
  }
  EXPECT_EQ(StoreTarget("epoll@2-legacy", {})->dialog->Hello().bytes, "");
  EXPECT_NE(StoreTarget("epoll@2", {})->dialog->Hello().bytes, "");
  for (const absl::string_view name : {"epoll-klingon", "epoll@0", "epoll@many", "epoll@-1"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(StoreTarget(name, {}).status())) << name;
  }
}

TEST(StoreTarget, ATargetWithLayersKnowsThePlainOne) {
  EXPECT_EQ(StoreTarget("epoll", {})->plain, "");
  EXPECT_EQ(StoreTarget("epoll", {})->tls, nullptr);
  EXPECT_EQ(StoreTarget("epoll", {})->dialog->Token(), std::nullopt);
  const Target encrypted = *StoreTarget("libuv@2+tls", {});
  EXPECT_EQ(encrypted.name, "libuv@2+tls");
  EXPECT_EQ(encrypted.plain, "libuv@2");
  EXPECT_NE(encrypted.tls, nullptr);
  EXPECT_EQ(encrypted.dialog->Token(), std::nullopt);
  const Target both = *StoreTarget("epoll+mtls+token", {});
  EXPECT_EQ(both.plain, "epoll");
  EXPECT_NE(both.tls, nullptr);
  EXPECT_NE(both.dialog->Token(), std::nullopt);
}

TEST(StoreTarget, RefusesLayersThatItDoesNotKnowOrThatContradictEachOther) {
  const absl::Status unknown = StoreTarget("epoll+armour", {}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(unknown));
  EXPECT_THAT(unknown.message(),
              HasSubstr("no layer \"armour\"; there are: tls, mtls, token, journal, etcd"));
  for (const absl::string_view name : {"epoll+tls+mtls", "epoll+token+token", "epoll+"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(StoreTarget(name, {}).status())) << name;
  }
  EXPECT_THAT(StoreTarget("epoll-legacy+token", {}).status().message(),
              HasSubstr("a client of that dialect has no \"token\""));
}

TEST(Programs, AreFoundInTheUsualFolders) {
  EXPECT_NE(FindProgram("sh"), "");
  EXPECT_EQ(FindProgram("no such program"), "");
}

}  // namespace
}  // namespace rollcall::bench
