// Env::Resolve, on a system resolver that is played.
#include "net/resolver.h"

#include <errno.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/address.h"
#include "net/env.h"
#include "net/net_error.h"
#include "net/real_env.h"
#include "net/syscalls_decorator.h"

namespace rollcall::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Answers what it is told to; while it hangs, no call returns.
class PlayedResolver : public SyscallsDecorator {
 public:
  int GetAddrInfo(const char*, const char*, const addrinfo*, addrinfo** result) override {
    std::unique_lock<std::mutex> lock(mutex_);
    ++calls_;
    changed_.wait(lock, [this] { return !hangs_; });
    errno = EMFILE;
    if (error_ != 0) return error_;
    for (auto address = answers_.rbegin(); address != answers_.rend(); ++address) {
      auto* const entry = new addrinfo{};
      entry->ai_addr = const_cast<sockaddr*>(address->data());
      entry->ai_addrlen = address->size_bytes();
      entry->ai_next = *result;
      *result = entry;
    }
    return 0;
  }
  void FreeAddrInfo(addrinfo* list) override {
    while (list != nullptr) delete std::exchange(list, list->ai_next);
  }

  void Answer(const std::vector<const char*>& hosts) {
    std::lock_guard<std::mutex> lock(mutex_);
    answers_.clear();
    for (const char* host : hosts) answers_.push_back(*SocketAddress::FromNumeric(host, 0));
    error_ = 0;
  }
  void Fail(int gai_error) {
    std::lock_guard<std::mutex> lock(mutex_);
    error_ = gai_error;
  }
  void Hang(bool hangs) {
    std::lock_guard<std::mutex> lock(mutex_);
    hangs_ = hangs;
    changed_.notify_all();
  }
  int calls() {
    std::lock_guard<std::mutex> lock(mutex_);
    return calls_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool hangs_ = false;
  int error_ = 0;
  int calls_ = 0;
  std::vector<SocketAddress> answers_;
};

class ResolverTest : public ::testing::Test {
 protected:
  ~ResolverTest() override { system_.Hang(false); }

  static absl::Time Soon() { return RealEnv().Now() + absl::Seconds(60); }

  std::vector<std::string> Resolve(const std::string& host) {
    const absl::StatusOr<std::vector<SocketAddress>> addresses = env_.Resolve({host, 7}, Soon());
    EXPECT_TRUE(addresses.ok()) << addresses.status();
    std::vector<std::string> texts;
    if (!addresses.ok()) return texts;
    for (const SocketAddress& address : *addresses) texts.push_back(address.ToString());
    return texts;
  }

  absl::Status Failure(const std::string& host, absl::Time deadline = Soon()) {
    return env_.Resolve({host, 7}, deadline).status();
  }

  static NetErrorKind KindOf(const absl::Status& status) {
    const std::optional<NetErrorInfo> info = GetNetErrorInfo(status);
    EXPECT_TRUE(info.has_value()) << status;
    return info.has_value() ? info->kind : NetErrorKind::kUnknown;
  }

  PlayedResolver system_;
  SystemEnv env_{&system_};
};

TEST_F(ResolverTest, ANumberNeedsNoLookUp) {
  EXPECT_THAT(Resolve("10.0.0.1"), ElementsAre("10.0.0.1:7"));
  EXPECT_THAT(Resolve("::1"), ElementsAre("[::1]:7"));
  EXPECT_EQ(system_.calls(), 0);
}

TEST_F(ResolverTest, KeepsTheSystemsOrderAndNamesEachAddressOnce) {
  system_.Answer({"fd00::2", "10.0.0.2", "fd00::2", "10.0.0.1", "10.0.0.2"});
  EXPECT_THAT(Resolve("node0"), ElementsAre("[fd00::2]:7", "10.0.0.2:7", "10.0.0.1:7"));
}

TEST_F(ResolverTest, AFailureSaysWhatTheSystemSaid) {
  system_.Fail(EAI_AGAIN);
  const absl::Status status = Failure("node0");
  EXPECT_EQ(KindOf(status), NetErrorKind::kNameLookup);
  EXPECT_THAT(std::string(status.message()), HasSubstr("\"node0\""));
  EXPECT_THAT(std::string(status.message()), HasSubstr(gai_strerror(EAI_AGAIN)));

  system_.Fail(EAI_SYSTEM);
  EXPECT_THAT(std::string(Failure("node0").message()), HasSubstr("EMFILE"));
  system_.Fail(EAI_MEMORY);
  EXPECT_EQ(KindOf(Failure("node0")), NetErrorKind::kResourceExhausted);
  system_.Answer({});
  EXPECT_EQ(KindOf(Failure("node0")), NetErrorKind::kNameLookup);
  EXPECT_EQ(KindOf(Failure("")), NetErrorKind::kNameLookup);
}

TEST_F(ResolverTest, TheHostItselfIsReachableEvenIfNoNameServerKnowsIt) {
  system_.Fail(EAI_NONAME);
  EXPECT_THAT(Resolve("localhost"), ElementsAre("[::1]:7", "127.0.0.1:7"));
  EXPECT_THAT(Resolve("LocalHost"), ElementsAre("[::1]:7", "127.0.0.1:7"));
  EXPECT_THAT(Resolve(env_.HostName()), ElementsAre("[::1]:7", "127.0.0.1:7"));
}

TEST_F(ResolverTest, AHangingLookUpEndsAtTheDeadline) {
  system_.Hang(true);
  const absl::Time deadline = RealEnv().Now() + absl::Milliseconds(20);
  const absl::Status status = Failure("node0", deadline);
  EXPECT_GE(RealEnv().Now(), deadline);
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(KindOf(status), NetErrorKind::kTimedOut);
  EXPECT_THAT(std::string(status.message()), HasSubstr("has not answered"));
}

TEST_F(ResolverTest, OnlySoManyLookUpsMayHang) {
  system_.Hang(true);
  for (size_t i = 0; i < kHangingLookUpsMax; ++i) {
    EXPECT_EQ(KindOf(Failure("node0", RealEnv().Now())), NetErrorKind::kTimedOut);
  }
  const absl::Status status = Failure("node0");
  EXPECT_EQ(KindOf(status), NetErrorKind::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("/etc/resolv.conf"));

  // They end; then there is room again.
  system_.Answer({"10.0.0.1"});
  system_.Hang(false);
  while (env_.Resolve({"node0", 7}, Soon()).status().code() ==
         absl::StatusCode::kResourceExhausted) {
    std::this_thread::yield();
  }
  EXPECT_THAT(Resolve("node0"), ElementsAre("10.0.0.1:7"));
}

TEST(RealResolverTest, LocalhostIsTheLoopback) {
  const auto addresses = RealEnv().Resolve({"localhost", 7}, RealEnv().Now() + absl::Seconds(60));
  ASSERT_TRUE(addresses.ok()) << addresses.status();
  ASSERT_FALSE(addresses->empty());
  for (const SocketAddress& address : *addresses) {
    EXPECT_TRUE(address.is_loopback()) << address.ToString();
    EXPECT_EQ(address.port(), 7);
  }
}

}  // namespace
}  // namespace rollcall::net
