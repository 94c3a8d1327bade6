// Listening, adopting, accepting.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "testing/event_loop_contract.h"

namespace rollcall {
namespace {

using net::Connection;
using net::ListenOptions;
using net::NetErrorKind;
using net::SocketAddress;

constexpr int kNoDescriptor = 1 << 20;  // Above any limit.

// The client at `address` is heard, and hears an echo.
void ExpectEchoAt(LoopScenario& scenario, const SocketAddress& address) {
  absl::StatusOr<std::unique_ptr<Connection>> client = scenario.TryConnect(address);
  ASSERT_TRUE(client.ok()) << client.status();
  scenario.Send(**client, "hello");
  EXPECT_EQ(scenario.Receive(**client, 5), "hello") << address.ToString();
}

TEST_P(EventLoopContract, ListensOnAllInterfacesByIPv4AndIPv6) {
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.on_accept = LoopScenario::Echo;
    ASSERT_EQ(scenario.Listen(ListenOptions()), absl::OkStatus());
    const uint16_t port = scenario.listener().port();
    EXPECT_NE(port, 0);
    ExpectEchoAt(scenario, SocketAddress::LoopbackV4(port));
    ExpectEchoAt(scenario, SocketAddress::LoopbackV6(port));
  });
}

TEST_P(EventLoopContract, ListensOnTheAddressAskedForAndOnNoOther) {
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.on_accept = LoopScenario::Echo;
    ASSERT_EQ(scenario.Listen({.addresses = {SocketAddress::LoopbackV6(0)}}), absl::OkStatus());
    const uint16_t port = scenario.listener().port();
    EXPECT_EQ(scenario.listener().addresses(),
              std::vector<SocketAddress>{SocketAddress::LoopbackV6(port)});
    ExpectEchoAt(scenario, SocketAddress::LoopbackV6(port));
    EXPECT_EQ(KindOf(scenario.TryConnect(SocketAddress::LoopbackV4(port)).status()),
              NetErrorKind::kRefused);
  });
}

TEST_P(EventLoopContract, ListensOnSeveralAddressesWithOnePort) {
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.on_accept = LoopScenario::Echo;
    ASSERT_EQ(scenario.Listen(
                  {.addresses = {SocketAddress::LoopbackV4(0), SocketAddress::LoopbackV6(0)}}),
              absl::OkStatus());
    const uint16_t port = scenario.listener().port();
    ExpectEchoAt(scenario, SocketAddress::LoopbackV4(port));
    ExpectEchoAt(scenario, SocketAddress::LoopbackV6(port));
  });
}

TEST_P(EventLoopContract, SaysThatAPortIsTaken) {
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.Listen();
    const uint16_t port = scenario.listener().port();
    EXPECT_EQ(KindOf(scenario.Listen({.addresses = {SocketAddress::LoopbackV4(0)}, .port = port})),
              NetErrorKind::kAddressInUse);
    EXPECT_EQ(KindOf(scenario.Listen({.port = port})), NetErrorKind::kAddressInUse);
  });
}

TEST_P(EventLoopContract, SaysThatAnAddressIsNotOfThisHost) {
  WithRunningLoop([](LoopScenario& scenario) {
    const absl::StatusOr<SocketAddress> elsewhere = SocketAddress::FromNumeric("192.0.2.1", 0);
    ASSERT_TRUE(elsewhere.ok());
    EXPECT_EQ(KindOf(scenario.Listen({.addresses = {*elsewhere}})), NetErrorKind::kAddressNotLocal);
  });
}

TEST_P(EventLoopContract, AdoptsAListeningSocket) {
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.on_accept = LoopScenario::Echo;
    auto socket = scenario.env().Listen({.host = "127.0.0.1", .port = 0});
    ASSERT_TRUE(socket.ok()) << socket.status();
    const SocketAddress address = (*socket)->address();
    ASSERT_EQ(scenario.Listen({.port = address.port(), .adopt_fd = (*socket)->fd()}),
              absl::OkStatus());
    (*socket)->Release();
    EXPECT_EQ(scenario.listener().addresses(), std::vector<SocketAddress>{address});
    ExpectEchoAt(scenario, address);
  });
}

TEST_P(EventLoopContract, LeavesADescriptorAloneThatItCannotAdopt) {
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.on_accept = LoopScenario::Echo;
    auto socket = scenario.env().Listen({.host = "127.0.0.1", .port = 0});
    ASSERT_TRUE(socket.ok()) << socket.status();
    const SocketAddress address = (*socket)->address();
    const uint16_t wrong_port = address.port() == 1 ? 2 : 1;
    EXPECT_EQ(KindOf(scenario.Listen({.port = wrong_port, .adopt_fd = (*socket)->fd()})),
              NetErrorKind::kBadDescriptor);
    EXPECT_EQ(KindOf(scenario.Listen({.adopt_fd = kNoDescriptor})), NetErrorKind::kBadDescriptor);
    // Still open, and as good as before.
    ASSERT_EQ(scenario.Listen({.adopt_fd = (*socket)->fd()}), absl::OkStatus());
    (*socket)->Release();
    ExpectEchoAt(scenario, address);
  });
}

TEST_P(EventLoopContract, AcceptsManyAtOnce) {
  static constexpr size_t kClients = 200;
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.on_accept = LoopScenario::Echo;
    scenario.Listen();
    std::vector<std::unique_ptr<Connection>> clients;
    scenario.WhileLoopIsBusy([&] {
      for (size_t i = 0; i < kClients; ++i) clients.push_back(scenario.Connect());
    });
    for (size_t i = 0; i < kClients; ++i) scenario.Send(*clients[i], std::to_string(1000 + i));
    for (size_t i = 0; i < kClients; ++i) {
      EXPECT_EQ(scenario.Receive(*clients[i], 4), std::to_string(1000 + i));
    }
    scenario.OnLoop([&] { EXPECT_EQ(scenario.sessions().size(), kClients); });
  });
}

TEST_P(EventLoopContract, RefusesOnceTheListenerIsGoneAndKeepsWhatItAccepted) {
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.on_accept = LoopScenario::Echo;
    scenario.Listen();
    const SocketAddress address = scenario.listener().addresses().front();
    const std::unique_ptr<Connection> client = scenario.ConnectAndMeet();
    scenario.CloseListener();
    EXPECT_EQ(KindOf(scenario.TryConnect(address).status()), NetErrorKind::kRefused);
    scenario.Send(*client, "still here");
    EXPECT_EQ(scenario.Receive(*client, 10), "still here");
  });
}

TEST_P(EventLoopContract, ListensAgainOnThePortOfAListenerThatIsGone) {
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.on_accept = LoopScenario::Echo;
    scenario.Listen();
    const SocketAddress address = scenario.listener().addresses().front();
    const std::unique_ptr<Connection> client = scenario.ConnectAndMeet();
    // The server closes first, which leaves its end in TIME_WAIT.
    scenario.EndSessions();
    EXPECT_EQ(scenario.ReceiveAll(*client), "");
    scenario.CloseListener();
    ASSERT_EQ(scenario.Listen({.addresses = {address}}), absl::OkStatus());
    ExpectEchoAt(scenario, address);
  });
}

TEST_P(EventLoopContract, LeavesNoDescriptorBehind) {
  static constexpr int kRounds = 10;
  static constexpr size_t kClients = 100;
  int before = 0;
  GetParam().run([&](net::Env&) { before = GetParam().count_descriptors(); });
  WithRunningLoop([&](LoopScenario& scenario) {
    scenario.on_accept = LoopScenario::Echo;
    scenario.Listen();
    const int listening = GetParam().count_descriptors();
    for (int round = 0; round < kRounds; ++round) {
      std::vector<std::unique_ptr<Connection>> clients;
      for (size_t i = 0; i < kClients; ++i) clients.push_back(scenario.Connect());
      ASSERT_TRUE(scenario.HaveSessions(kClients));
      scenario.EndSessions();
    }
    EXPECT_EQ(GetParam().count_descriptors(), listening);
  });
  GetParam().run([&](net::Env&) { EXPECT_EQ(GetParam().count_descriptors(), before); });
}

}  // namespace
}  // namespace rollcall
