#include "testing/env_contract.h"

#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "net/address.h"
#include "net/connection.h"
#include "net/monitor.h"
#include "net/net_error.h"

namespace rollcall {

using net::Connection;
using net::Env;
using net::ListeningSocket;
using net::NetErrorKind;
using net::SocketAddress;
using net::Thread;
using testing::HasSubstr;

std::string NameOfEnvContractParam(const testing::TestParamInfo<EnvContractParam>& info) {
  return info.param.name;
}

namespace {

// For what must happen; never waited out where an Env is right.
absl::Time Soon(Env& env) { return env.Now() + absl::Seconds(60); }

std::string KindOf(const absl::Status& status) {
  const std::optional<net::NetErrorInfo> info = net::GetNetErrorInfo(status);
  return std::string(info.has_value() ? net::NetErrorKindName(info->kind) : "no NetErrorInfo");
}

std::unique_ptr<ListeningSocket> Listen(Env& env) {
  absl::StatusOr<std::unique_ptr<ListeningSocket>> listener = env.Listen({"127.0.0.1", 0});
  EXPECT_TRUE(listener.ok()) << listener.status();
  return *std::move(listener);
}

struct Pair {
  std::unique_ptr<Connection> client;
  std::unique_ptr<Connection> server;
};

Pair Connect(Env& env) {
  const std::unique_ptr<ListeningSocket> listener = Listen(env);
  Pair pair;
  pair.client = *env.ConnectAny({listener->address()}, Soon(env));
  pair.server = *listener->Accept(Soon(env));
  return pair;
}

// The bytes, or the kind of the error.
std::string Read(Env& env, Connection& connection, std::optional<absl::Time> deadline = {}) {
  char buffer[256];
  const absl::StatusOr<size_t> got =
      connection.Read(buffer, sizeof(buffer), deadline.value_or(Soon(env)));
  return got.ok() ? std::string(buffer, *got) : KindOf(got.status());
}

std::string Write(Env& env, Connection& connection, absl::string_view bytes) {
  const absl::Status written = connection.Write(bytes, Soon(env));
  return written.ok() ? "OK" : KindOf(written);
}

}  // namespace

TEST_P(EnvContract, TimeNeverGoesBackAndSleepingEndsNotBeforeTheDeadline) {
  Run([](Env& env) {
    const absl::Time start = env.Now();
    const absl::Time deadline = start + absl::Milliseconds(2);
    env.SleepUntil(deadline);
    EXPECT_GE(env.Now(), deadline);
    env.SleepUntil(start);  // The past: at once.
    env.SleepUntil(absl::InfinitePast());
    EXPECT_GE(env.Now(), deadline);
  });
}

TEST_P(EnvContract, DestroyingAThreadJoinsIt) {
  Run([](Env& env) {
    bool ran = false;
    std::unique_ptr<Thread> thread = env.StartThread("a thread with a long name", [&] {
      env.SleepUntil(env.Now() + absl::Milliseconds(1));
      ran = true;
    });
    thread = nullptr;
    EXPECT_TRUE(ran);
  });
}

TEST_P(EnvContract, AMonitorExcludesEvenAcrossABlockingCall) {
  Run([](Env& env) {
    const std::unique_ptr<net::Monitor> monitor = env.NewMonitor();
    int inside = 0;
    const auto enter = [&] {
      for (int i = 0; i < 3; ++i) {
        net::MonitorLock lock(monitor.get());
        EXPECT_EQ(++inside, 1);
        env.SleepUntil(env.Now() + absl::Microseconds(100));
        --inside;
      }
    };
    const std::unique_ptr<Thread> other = env.StartThread("other", enter);
    enter();
  });
}

TEST_P(EnvContract, NotifyAllWakesEveryWaiter) {
  Run([](Env& env) {
    const std::unique_ptr<net::Monitor> monitor = env.NewMonitor();
    bool open = false;
    int passed = 0;
    std::vector<std::unique_ptr<Thread>> waiters;
    for (int i = 0; i < 3; ++i) {
      waiters.push_back(env.StartThread("waiter", [&] {
        net::MonitorLock lock(monitor.get());
        while (!open) monitor->WaitUntil(absl::InfiniteFuture());
        ++passed;
      }));
    }
    {
      net::MonitorLock lock(monitor.get());
      open = true;
      monitor->NotifyAll();
    }
    waiters.clear();
    EXPECT_EQ(passed, 3);
  });
}

TEST_P(EnvContract, AWaitEndsAtItsDeadlineAndSaysSo) {
  Run([](Env& env) {
    const std::unique_ptr<net::Monitor> monitor = env.NewMonitor();
    net::MonitorLock lock(monitor.get());
    const absl::Time deadline = env.Now() + absl::Milliseconds(2);
    while (monitor->WaitUntil(deadline)) {
    }
    EXPECT_GE(env.Now(), deadline);
    EXPECT_FALSE(monitor->WaitUntil(absl::InfinitePast()));
  });
}

TEST_P(EnvContract, NumbersAndTheHostsOwnNamesResolve) {
  Run([](Env& env) {
    const auto numeric = env.Resolve({"10.1.2.3", 7}, env.Now());
    ASSERT_TRUE(numeric.ok()) << numeric.status();
    ASSERT_EQ(numeric->size(), 1u);
    EXPECT_EQ(numeric->front().ToString(), "10.1.2.3:7");

    const auto localhost = env.Resolve({"localhost", 7}, Soon(env));
    ASSERT_TRUE(localhost.ok()) << localhost.status();
    for (const SocketAddress& address : *localhost) EXPECT_TRUE(address.is_loopback());
    EXPECT_TRUE(env.Resolve({env.HostName(), 7}, Soon(env)).ok());
  });
}

TEST_P(EnvContract, AnUnknownNameIsALookUpErrorThatNamesIt) {
  Run([](Env& env) {
    const absl::Status status = env.Resolve({"no_such_host.invalid", 7}, Soon(env)).status();
    // A machine whose name servers do not answer cannot know better.
    EXPECT_THAT(KindOf(status), testing::AnyOf("name look-up failed", "timed out"));
    EXPECT_THAT(std::string(status.message()), HasSubstr("no_such_host.invalid"));
  });
}

TEST_P(EnvContract, ConnectsToTheFirstAddressThatAnswers) {
  Run([](Env& env) {
    const SocketAddress nobody = Listen(env)->address();
    const std::unique_ptr<ListeningSocket> listener = Listen(env);
    const auto connection = env.ConnectAny({nobody, listener->address()}, Soon(env));
    ASSERT_TRUE(connection.ok()) << connection.status();
    EXPECT_EQ((*connection)->peer_address(), listener->address());
    const auto accepted = listener->Accept(Soon(env));
    ASSERT_TRUE(accepted.ok()) << accepted.status();
    EXPECT_EQ((*accepted)->peer_address(), (*connection)->local_address());
  });
}

TEST_P(EnvContract, ARefusalIsToldAtOnceWithAddressAndErrno) {
  Run([](Env& env) {
    const SocketAddress nobody = Listen(env)->address();
    const absl::Status status = env.ConnectAny({nobody}, Soon(env)).status();
    EXPECT_EQ(KindOf(status), "refused");
    EXPECT_THAT(std::string(status.message()), HasSubstr(nobody.ToString()));
    EXPECT_THAT(std::string(status.message()), HasSubstr("ECONNREFUSED"));
  });
}

TEST_P(EnvContract, APortHasOneListener) {
  Run([](Env& env) {
    const std::unique_ptr<ListeningSocket> listener = Listen(env);
    const absl::Status status = env.Listen({"127.0.0.1", listener->address().port()}).status();
    EXPECT_EQ(KindOf(status), "address in use");
    EXPECT_THAT(std::string(status.message()), HasSubstr("Address already in use"));
    EXPECT_EQ(KindOf(listener->Accept(env.Now() + absl::Milliseconds(1)).status()), "timed out");
  });
}

TEST_P(EnvContract, BytesGoBothWaysAtOnceInOrder) {
  Run([](Env& env) {
    const Pair pair = Connect(env);
    const std::string sent(300'000, 'a');
    std::string echoed;
    const std::unique_ptr<Thread> server = env.StartThread("echo", [&] {
      for (size_t count = 0; count < sent.size();) {
        const std::string bytes = Read(env, *pair.server);
        ASSERT_EQ(Write(env, *pair.server, bytes), "OK");
        count += bytes.size();
      }
    });
    const std::unique_ptr<Thread> writer =
        env.StartThread("writer", [&] { EXPECT_EQ(Write(env, *pair.client, sent), "OK"); });
    while (echoed.size() < sent.size()) echoed += Read(env, *pair.client);
    EXPECT_EQ(echoed, sent);
  });
}

TEST_P(EnvContract, ASilentPeerIsATimeOutAndTheStreamStaysGood) {
  Run([](Env& env) {
    const Pair pair = Connect(env);
    const absl::Time deadline = env.Now() + absl::Milliseconds(3);
    EXPECT_EQ(Read(env, *pair.client, deadline), "timed out");
    EXPECT_GE(env.Now(), deadline);
    EXPECT_EQ(Write(env, *pair.server, "late"), "OK");
    EXPECT_EQ(Read(env, *pair.client), "late");
  });
}

TEST_P(EnvContract, AHalfClosedStreamCanStillBeReadFrom) {
  Run([](Env& env) {
    const Pair pair = Connect(env);
    EXPECT_EQ(Write(env, *pair.client, "last"), "OK");
    EXPECT_TRUE(pair.client->ShutdownWrite().ok());
    EXPECT_EQ(Read(env, *pair.server), "last");
    EXPECT_EQ(Read(env, *pair.server), "closed by peer");
    EXPECT_EQ(Write(env, *pair.server, "reply"), "OK");
    EXPECT_EQ(Read(env, *pair.client), "reply");
    EXPECT_EQ(Write(env, *pair.client, "x"), "shut down");
  });
}

TEST_P(EnvContract, AClosedPeerIsTheEndAndOneWithUnreadBytesAReset) {
  Run([](Env& env) {
    Pair clean = Connect(env);
    clean.server = nullptr;
    EXPECT_EQ(Read(env, *clean.client), "closed by peer");

    Pair dirty = Connect(env);
    EXPECT_EQ(Write(env, *dirty.client, "unread"), "OK");
    EXPECT_EQ(Write(env, *dirty.server, "abc"), "OK");
    dirty.server = nullptr;
    EXPECT_EQ(Read(env, *dirty.client), "abc");
    EXPECT_EQ(Read(env, *dirty.client), "reset");
  });
}

TEST_P(EnvContract, AConnectionThatIsToBeResetIsCutWhenItGoes) {
  Run([](Env& env) {
    Pair pair = Connect(env);
    pair.client->ResetOnClose();
    pair.client = nullptr;
    EXPECT_EQ(Read(env, *pair.server), "reset");
  });
}

TEST_P(EnvContract, ShutdownFromAnotherThreadEndsARead) {
  Run([](Env& env) {
    const Pair pair = Connect(env);
    std::unique_ptr<Thread> stopper = env.StartThread("stopper", [&] { pair.client->Shutdown(); });
    EXPECT_EQ(Read(env, *pair.client), "shut down");
    stopper = nullptr;
    EXPECT_EQ(Write(env, *pair.client, "x"), "shut down");
    EXPECT_EQ(Read(env, *pair.server), "closed by peer");
  });
}

TEST_P(EnvContract, HasAnEventLoopOrSaysThatItHasNone) {
  Run([](Env& env) {
    for (net::EventLoopKind kind : {net::EventLoopKind::kEpoll, net::EventLoopKind::kLibuv}) {
      const auto loop = env.NewEventLoop(kind);
      if (loop.ok()) {
        EXPECT_EQ((*loop)->kind(), kind);
      } else {
        EXPECT_EQ(loop.status().code(), absl::StatusCode::kUnimplemented);
      }
    }
  });
}

TEST_P(EnvContract, RandomBitsDifferAndTheProcessHasAName) {
  Run([](Env& env) {
    std::set<uint64_t> seen;
    for (int i = 0; i < 100; ++i) seen.insert(env.RandomBits());
    EXPECT_EQ(seen.size(), 100u);
    EXPECT_GT(env.ProcessId(), 0);
    EXPECT_FALSE(env.HostName().empty());
    EXPECT_EQ(env.GetEnvironmentVariable("ROLLCALL_NO_SUCH_VARIABLE"), std::nullopt);
  });
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EnvContract);

}  // namespace rollcall
