// How a store server starts on this machine, and what the machine does to it.

#include "store/server/store_server.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/net_error.h"
#include "net/real_env.h"
#include "net/syscalls.h"
#include "net/syscalls_decorator.h"
#include "store/protocol/features.h"
#include "store/protocol/goodbye.h"
#include "store/protocol/operation.h"
#include "store/server/server_engine.h"
#include "store/server/server_snapshot.h"
#include "store/server/sole_engine.h"
#include "testing/server_scenario.h"

namespace rollcall {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(30);

net::NetErrorKind KindOf(const absl::Status& status) {
  const std::optional<net::NetErrorInfo> info = net::GetNetErrorInfo(status);
  return info.has_value() ? info->kind : net::NetErrorKind::kUnknown;
}

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

class StoreServerTest : public testing::TestWithParam<net::EventLoopKind> {
 protected:
  ServerOptions Options() const {
    ServerOptions options;
    options.event_loop = GetParam();
    return options;
  }

  net::Env& env_ = net::RealEnv();

  absl::Status ConnectTo(const net::SocketAddress& address) {
    return env_.ConnectAny({address}, env_.Now() + kPatience).status();
  }
  static net::SocketAddress Numeric(absl::string_view host, uint16_t port) {
    return net::SocketAddress::FromNumeric(host, port).value();
  }
};

INSTANTIATE_TEST_SUITE_P(Loops, StoreServerTest,
                         testing::Values(net::EventLoopKind::kEpoll, net::EventLoopKind::kLibuv),
                         [](const auto& info) {
                           return std::string(net::EventLoopKindName(info.param));
                         });

TEST_P(StoreServerTest, ListensOnAllInterfacesUnlessToldOtherwise) {
  const auto server = StoreServer::Start(env_, Options());
  ASSERT_TRUE(server.ok()) << server.status();
  const uint16_t port = (*server)->port();
  EXPECT_NE(port, 0);
  EXPECT_NE((*server)->address().find(absl::StrCat(":", port)), std::string::npos);
  EXPECT_TRUE(ConnectTo(Numeric("127.0.0.1", port)).ok());
  EXPECT_TRUE(ConnectTo(Numeric("127.0.0.2", port)).ok());
}

TEST_P(StoreServerTest, AnEngineThatCannotKeepWhatTheOptionsPromiseIsRefused) {
  class PlainEngine final : public ServerEngine {
   public:
    EnginePort* port(size_t /*loop*/) const override { return sole_.get(); }

   private:
    const std::unique_ptr<SoleEngine> sole_ = std::make_unique<SoleEngine>();
  };
  const ServerEngineFactory plain =
      [](net::Env& /*env*/, size_t /*loops*/) -> absl::StatusOr<std::unique_ptr<ServerEngine>> {
    return std::make_unique<PlainEngine>();
  };
  EXPECT_TRUE(StoreServer::Start(env_, Options(), plain).ok());
  ServerOptions options = Options();
  options.name_space_ports = {{.name_space = "a", .host = "127.0.0.1", .port = 0}};
  EXPECT_TRUE(absl::IsInvalidArgument(StoreServer::Start(env_, options, plain).status()));
  options = Options();
  options.store_limits.memory_bytes_max = 1;
  EXPECT_TRUE(absl::IsInvalidArgument(StoreServer::Start(env_, options, plain).status()));
}

TEST_P(StoreServerTest, ANameSpacesPortThatIsTakenIsNamedWithTheNameSpace) {
  ServerOptions options = Options();
  options.host = "127.0.0.1";
  const auto first = StoreServer::Start(env_, options);
  ASSERT_TRUE(first.ok()) << first.status();
  options.name_space_ports = {
      {.name_space = "jobA", .host = "127.0.0.1", .port = (*first)->port()}};
  const absl::Status second = StoreServer::Start(env_, options).status();
  EXPECT_EQ(KindOf(second), net::NetErrorKind::kAddressInUse);
  EXPECT_NE(second.message().find("for the name space jobA"), absl::string_view::npos) << second;
}

TEST_P(StoreServerTest, AQuotaForANameThatNobodyHasIsRefused) {
  ServerOptions options = Options();
  options.name_space_ports = {{.name_space = "jobA", .host = "127.0.0.1", .port = 0}};
  options.store_limits.own = {{"jobA", {.keys_max = 7}}, {"", {.clients_max = 3}}};
  const auto server = StoreServer::Start(env_, options);
  ASSERT_TRUE(server.ok()) << server.status();
  const absl::StatusOr<ServerSnapshot> snapshot =
      (*server)->Snapshot(absl::Now() + absl::Seconds(60));
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  ASSERT_EQ(snapshot->name_spaces.size(), 2u);
  EXPECT_EQ(snapshot->name_spaces[0].limits.clients_max, 3u);
  EXPECT_EQ(snapshot->name_spaces[1].limits.keys_max, 7u);
  options.store_limits.own.emplace("jobB", engine::StoreLimits());
  const absl::Status refused = StoreServer::Start(env_, options).status();
  EXPECT_TRUE(absl::IsInvalidArgument(refused)) << refused;
  EXPECT_THAT(refused.message(), testing::HasSubstr("the name space jobB, and no port"));
}

TEST_P(StoreServerTest, AWriteWithoutRoomIsTheEndOfItsConnectionAndOfNothingElse) {
  ServerOptions options = Options();
  options.store_limits.memory_bytes_max = 1000;
  ServerScenario scenario(env_, options);
  RawPeer other = scenario.Client();
  other.Say(ServerScenario::SetRequest("/k", "v"));
  ServerScenario::ExpectServed(other);
  RawPeer torch = scenario.Client();
  torch.Say(ServerScenario::SetRequest("/large", std::string(1000, 'v')));
  EXPECT_EQ(torch.HearToTheEnd(), "");
  // One of ours is told why.
  RawPeer ours = scenario.Client();
  const uint32_t asks = protocol::kAskFeatures;
  const uint32_t answer = protocol::kAskFeatures | protocol::kServerFeatures;
  EXPECT_EQ(ServerScenario::Ask(ours, absl::StrCat("ping ", asks), "nonce 0"),
            ServerScenario::Reply(absl::StrCat("nonce ", answer)));
  ours.Say(ServerScenario::SetRequest("/large", std::string(1000, 'v')));
  const std::string goodbye = ours.HearToTheEnd();
  EXPECT_THAT(goodbye, testing::StartsWith(std::string(protocol::kGoodbyeMark)));
  EXPECT_THAT(goodbye, testing::HasSubstr("STORE_FULL"));
  EXPECT_THAT(goodbye, testing::HasSubstr("of the 1000 bytes that it may hold"));
  EXPECT_EQ(ServerScenario::Ask(other, R"(get "/k")", R"(bytes "v")"),
            ServerScenario::Reply(R"(bytes "v")"));
  EXPECT_EQ(scenario.server().stats().keys, 1u);
  EXPECT_EQ(scenario.server().stats().connections_refused, 2u);
}

TEST_P(StoreServerTest, ListensOnlyWhereItIsTold) {
  ServerOptions options = Options();
  options.host = "127.0.0.1";
  const auto server = StoreServer::Start(env_, options);
  ASSERT_TRUE(server.ok()) << server.status();
  const uint16_t port = (*server)->port();
  EXPECT_EQ((*server)->address(), absl::StrCat("127.0.0.1:", port));
  EXPECT_TRUE(ConnectTo(Numeric("127.0.0.1", port)).ok());
  EXPECT_EQ(KindOf(ConnectTo(Numeric("127.0.0.2", port))), net::NetErrorKind::kRefused);
}

TEST_P(StoreServerTest, TakesOverABoundDescriptor) {
  auto socket = env_.Listen({.host = "127.0.0.1", .port = 0});
  ASSERT_TRUE(socket.ok()) << socket.status();
  const uint16_t port = (*socket)->address().port();
  ServerOptions options = Options();
  options.port = port;
  options.listen_fd = (*socket)->fd();
  {
    ServerScenario scenario(env_, options);
    (*socket)->Release();
    EXPECT_EQ(scenario.server().port(), port);
    RawPeer client = scenario.Client();
    ServerScenario::ExpectServed(client);
  }
  EXPECT_FALSE(IsOpen(options.listen_fd));
}

TEST_P(StoreServerTest, ADescriptorThatDoesNotFitStaysTheCallers) {
  const auto socket = env_.Listen({.host = "127.0.0.1", .port = 0});
  ASSERT_TRUE(socket.ok()) << socket.status();
  ServerOptions options = Options();
  options.port = (*socket)->address().port() == 1 ? 2 : 1;
  options.listen_fd = (*socket)->fd();
  const auto server = StoreServer::Start(env_, options);
  ASSERT_FALSE(server.ok());
  EXPECT_EQ(KindOf(server.status()), net::NetErrorKind::kBadDescriptor) << server.status();
  EXPECT_TRUE(IsOpen(options.listen_fd));
}

TEST_P(StoreServerTest, AHostThatIsNotOursOrUnknownIsNamed) {
  ServerOptions options = Options();
  options.host = "192.0.2.1";
  const auto foreign = StoreServer::Start(env_, options);
  ASSERT_FALSE(foreign.ok());
  EXPECT_EQ(KindOf(foreign.status()), net::NetErrorKind::kAddressNotLocal) << foreign.status();
  EXPECT_NE(foreign.status().message().find("192.0.2.1"), absl::string_view::npos);

  options.host = "no-such-host.invalid";
  const auto unknown = StoreServer::Start(env_, options);
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(KindOf(unknown.status()), net::NetErrorKind::kNameLookup) << unknown.status();
  EXPECT_NE(unknown.status().message().find("no-such-host.invalid"), absl::string_view::npos);
}

TEST_P(StoreServerTest, ASnapshotIsOfAllItsLoops) {
  ServerOptions options = Options();
  options.io_threads = 3;
  options.measure_latencies = true;
  ServerScenario scenario(env_, options);
  std::vector<RawPeer> ranks;
  for (int rank = 0; rank < 6; ++rank) {
    ranks.push_back(scenario.Client());
    ranks.back().Say(
        ServerScenario::Request(absl::StrCat("set \"rollcall/rank/", rank, "\" \"7\"")));
    if (rank > 0) ServerScenario::BeginWait(ranks.back(), "/leader");
  }
  ServerScenario::ExpectServed(ranks[0]);
  const absl::StatusOr<ServerSnapshot> snapshot =
      scenario.server().Snapshot(env_.Now() + kPatience);
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  ASSERT_EQ(snapshot->name_spaces[0].ranks.size(), 6u);
  for (const RankSeen& rank : snapshot->name_spaces[0].ranks)
    EXPECT_TRUE(rank.peer.is_loopback()) << rank.rank;
  EXPECT_EQ(snapshot->name_spaces[0].world_size_told, 7);
  EXPECT_EQ(snapshot->name_spaces[0].waits.size(), 5u);
  EXPECT_EQ(snapshot->name_spaces[0].nameless_connections, 0u);
  EXPECT_EQ(snapshot->metrics.requests[static_cast<size_t>(protocol::Operation::kSet)], 6u);
  EXPECT_EQ(snapshot->stats.requests, snapshot->metrics.work.requests);
  EXPECT_GT(snapshot->metrics.serving_times[static_cast<size_t>(protocol::Operation::kSet)].sum(),
            absl::ZeroDuration());
}

TEST_P(StoreServerTest, SaysWhetherItIsAlive) {
  ServerScenario scenario(env_, Options());
  EXPECT_TRUE(scenario.server().CheckAlive(env_.Now() + kPatience).ok());
  scenario.server().Stop();
  EXPECT_EQ(scenario.server().CheckAlive(env_.Now() + kPatience).code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(scenario.server().Snapshot(env_.Now() + kPatience).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_P(StoreServerTest, OptionsThatContradictEachOtherAreInvalid) {
  ServerOptions options = Options();
  options.unsent_bytes_soft_max = options.unsent_bytes_hard_max + 1;
  EXPECT_EQ(StoreServer::Start(env_, options).status().code(), absl::StatusCode::kInvalidArgument);
}

// The first accepts fail for want of descriptors.
class FewDescriptors final : public net::SyscallsDecorator {
 public:
  int Accept4(int fd, sockaddr* address, socklen_t* length_bytes, int flags) override {
    if (failures_.fetch_add(1) < 3) return -EMFILE;
    return SyscallsDecorator::Accept4(fd, address, length_bytes, flags);
  }
  int failures() const { return failures_; }

 private:
  std::atomic<int> failures_ = 0;
};

// While it is told to, the loop does not come back from looking for events.
class StuckLoop final : public net::SyscallsDecorator {
 public:
  int EpollWait(int epoll_fd, epoll_event* events, int count, absl::Duration timeout) override {
    while (stuck.load()) stuck.wait(true);
    return SyscallsDecorator::EpollWait(epoll_fd, events, count, timeout);
  }
  std::atomic<bool> stuck = false;
};

TEST(StoreServerFaultTest, SaysThatItsLoopIsStuck) {
  StuckLoop syscalls;
  net::SystemEnv env(&syscalls);
  ServerScenario scenario(env, {});
  EXPECT_TRUE(scenario.server().CheckAlive(env.Now() + kPatience).ok());
  syscalls.stuck = true;
  // Until then it may have been in the call that it was in before.
  absl::Status alive;
  do {
    alive = scenario.server().CheckAlive(env.Now() + absl::Milliseconds(20));
  } while (alive.ok());
  EXPECT_EQ(alive.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(alive.message().substr(0, 36), "1 of 1 event loop did not answer in ") << alive;
  syscalls.stuck = false;
  syscalls.stuck.notify_all();
  EXPECT_TRUE(scenario.server().CheckAlive(env.Now() + kPatience).ok());
}

TEST(StoreServerFaultTest, ServesOnAfterDescriptorsRanOut) {
  FewDescriptors syscalls;
  net::SystemEnv env(&syscalls);
  ServerScenario scenario(env, {});
  RawPeer client = scenario.Client();
  ServerScenario::ExpectServed(client);
  EXPECT_GT(syscalls.failures(), 3);
}

}  // namespace
}  // namespace rollcall
