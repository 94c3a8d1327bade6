// The part of the server contract about peers that are wrong, too many or too slow.
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "net/address.h"
#include "store/protocol/dialect.h"
#include "store/protocol/wire_text.h"
#include "testing/server_contract.h"

namespace rollcall {
namespace {

using protocol::Dialect;
using protocol::Hex;
using protocol::Unhex;

}  // namespace

// --- Wrong peers ---

TEST_P(ServerContract, AWrongGreetingClosesThatConnectionAtOnceAndNoOther) {
  WithServer([](ServerScenario& scenario) {
    RawPeer client = scenario.Client();
    for (const std::string& opening :
         {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("SSH-2.0-OpenSSH_9.2\r\n"),
          Unhex("00DEADBEEF"), Unhex("FF")}) {
      RawPeer stranger = scenario.Connect();
      stranger.Say(opening);
      EXPECT_EQ(stranger.HearToTheEnd(), "") << Hex(opening);
      ServerScenario::ExpectServed(client);
    }
    EXPECT_EQ(scenario.server().stats().connections_refused, 4u);
  });
}

TEST_P(ServerContract, ATlsHandshakeIsAnsweredWithAnAlertWhereThereIsNoTls) {
  WithServer([](ServerScenario& scenario) {
    RawPeer stranger = scenario.Connect();
    stranger.Say(Unhex("16030100"));
    EXPECT_EQ(Hex(stranger.HearToTheEnd()), Hex(Unhex("15030100020246")));
    EXPECT_EQ(scenario.server().stats().connections_refused, 1u);
  });
}

TEST_P(ServerContract, UnknownOpcodesAndSecondGreetingsClose) {
  WithServer([](ServerScenario& scenario) {
    for (const absl::string_view wrong : {"13", "FF", "00CEF7853C"}) {
      RawPeer client = scenario.Client();
      client.Say(ServerScenario::Request("ping 1") + Unhex(wrong));
      EXPECT_EQ(client.HearToTheEnd(), ServerScenario::Reply("nonce 1")) << wrong;
    }
  });
}

TEST_P(ServerContract, HalfARequestHoldsUpNobodyAndIsAppliedInNoPart) {
  WithServer([](ServerScenario& scenario) {
    RawPeer half = scenario.Client();
    const std::string request = ServerScenario::Request(R"(multi_set "/a" "1" "/b" "2")");
    half.Say(request.substr(0, request.size() - 1));
    RawPeer other = scenario.Client();
    ServerScenario::ExpectServed(other);
    half.CloseOwnSide();
    EXPECT_EQ(half.HearToTheEnd(), "");
    EXPECT_EQ(ServerScenario::Ask(other, R"(check "/a")", "signal 0"),
              ServerScenario::Reply("signal 1"));
  });
}

TEST_P(ServerContract, HalfARequestIsGivenUpAfterItsTime) {
  ServerOptions options;
  options.half_request_timeout = absl::Milliseconds(50);
  WithServer(options, [](ServerScenario& scenario) {
    RawPeer idle = scenario.Client();
    RawPeer half = scenario.Client();
    half.Say(ServerScenario::SetRequest("/k", "value").substr(0, 9));
    RawPeer half_greeting = scenario.Connect();
    half_greeting.Say(Unhex("00CE"));
    EXPECT_EQ(half.HearToTheEnd(), "");
    EXPECT_EQ(half_greeting.HearToTheEnd(), "");
    ServerScenario::ExpectServed(idle);
  });
}

TEST_P(ServerContract, LimitsAreInclusiveAndAnswerWithTheEnd) {
  ServerOptions options;
  options.parser.limits.key_bytes_max = 10;
  options.parser.limits.value_bytes_max = 20;
  options.parser.limits.keys_per_request_max = 3;
  WithServer(options, [](ServerScenario& scenario) {
    RawPeer client = scenario.Client();
    const std::string key(10, 'k');
    client.Say(ServerScenario::SetRequest(key, std::string(20, 'v')));
    EXPECT_EQ(
        ServerScenario::Ask(client, absl::StrCat("check \"", key, "\" \"", key, "\" \"", key, "\""),
                            "signal 0"),
        ServerScenario::Reply("signal 0"));
    for (const std::string& too_much : {ServerScenario::SetRequest(key + "k", "v"),
                                        ServerScenario::SetRequest("/v", std::string(21, 'v')),
                                        ServerScenario::Request(R"(check "1" "2" "3" "4")"),
                                        // A length that no memory can hold, and nothing after it.
                                        Unhex("01 FFFFFFFFFFFFFFFF")}) {
      RawPeer greedy = scenario.Client();
      greedy.Say(too_much);
      EXPECT_EQ(greedy.HearToTheEnd(), "");
    }
    ServerScenario::ExpectServed(client);
  });
}

TEST_P(ServerContract, AMissingKeyIsEmptyForModernClientsAndTheEndForLegacyOnes) {
  WithServer([](ServerScenario& scenario) {
    RawPeer modern = scenario.Client();
    EXPECT_EQ(ServerScenario::Ask(modern, R"(get "/none")", R"(bytes "")"),
              ServerScenario::Reply(R"(bytes "")"));
    RawPeer legacy = scenario.Client(Dialect::kLegacy);
    legacy.Say(ServerScenario::LegacyRequest(R"(get "/none")"));
    EXPECT_EQ(legacy.HearToTheEnd(), "");
    ServerScenario::ExpectServed(modern);
  });
}

TEST_P(ServerContract, AWaiterThatIsGoneDoesNotHurtTheSetter) {
  WithServer([](ServerScenario& scenario) {
    RawPeer setter = scenario.Client();
    for (int i = 0; i < 20; ++i) {
      RawPeer waiter = scenario.Client();
      ServerScenario::BeginWait(waiter, "/k");
    }
    RawPeer alive = scenario.Client();
    ServerScenario::BeginWait(alive, "/k");
    setter.Say(ServerScenario::SetRequest("/k", "v"));
    ServerScenario::ExpectServed(setter);
    EXPECT_EQ(alive.Hear(1), ServerScenario::Reply("signal 0"));
  });
}

TEST_P(ServerContract, AClientThatClosedItsSideStillGetsItsReplies) {
  WithServer([](ServerScenario& scenario) {
    RawPeer client = scenario.Client();
    const std::string value(1 << 20, 'v');
    client.Say(ServerScenario::SetRequest("/k", value) +
               ServerScenario::Repeated(ServerScenario::Request(R"(get "/k")"), 20));
    client.CloseOwnSide();
    EXPECT_EQ(client.HearToTheEnd().size(), 20 * (8 + value.size()));
  });
}

// --- Jobs beside each other ---

TEST_P(ServerContract, ClientsOfAPortOfItsOwnHaveANameSpaceOfTheirOwn) {
  ServerOptions options;
  options.name_space_ports = {{.name_space = "a", .host = "127.0.0.1", .port = 0},
                              {.name_space = "b", .host = "127.0.0.1", .port = 0}};
  WithServer(options, [](ServerScenario& scenario) {
    const std::vector<net::SocketAddress> ports = scenario.server().name_space_addresses();
    ASSERT_EQ(ports.size(), 2u);
    RawPeer plain = scenario.Client();
    RawPeer a(scenario.env(), ports[0]);
    RawPeer b(scenario.env(), ports[1]);
    a.Say(protocol::Greeting(Dialect::kModern));
    b.Say(protocol::Greeting(Dialect::kModern));
    ServerScenario::BeginWait(plain, "/k");
    ServerScenario::BeginWait(b, "/k");
    a.Say(ServerScenario::SetRequest("/k", "of a"));
    EXPECT_EQ(ServerScenario::Ask(a, "num_keys", "number 0"), ServerScenario::Reply("number 1"));
    // A client of torch 1.x at the same port.
    RawPeer legacy(scenario.env(), ports[0]);
    legacy.Say(ServerScenario::LegacyRequest(R"(get "/k")"));
    EXPECT_EQ(legacy.Hear(12), ServerScenario::Reply(R"(bytes "of a")"));
    RawPeer also_plain = scenario.Client();
    EXPECT_EQ(ServerScenario::Ask(also_plain, "num_keys", "number 0"),
              ServerScenario::Reply("number 0"));
    EXPECT_EQ(scenario.server().stats().waiting_clients, 2u);
    also_plain.Say(ServerScenario::SetRequest("/k", "plain"));
    EXPECT_EQ(plain.Hear(1), ServerScenario::Reply("signal 0"));
    ServerScenario::ExpectServed(also_plain);
    EXPECT_EQ(scenario.server().stats().waiting_clients, 1u);
  });
}

// --- Too many, too slow ---

TEST_P(ServerContract, TheOldestSilentConnectionMakesWay) {
  ServerOptions options;
  options.silent_connections_max = 2;
  WithServer(options, [](ServerScenario& scenario) {
    RawPeer first = scenario.Connect();
    RawPeer second = scenario.Connect();
    RawPeer third = scenario.Connect();
    EXPECT_EQ(first.HearToTheEnd(), "");
    for (RawPeer* const peer : {&second, &third}) {
      peer->Say(protocol::Greeting(Dialect::kModern));
      ServerScenario::ExpectServed(*peer);
    }
  });
}

TEST_P(ServerContract, ConnectionsBeyondTheLimitAreClosed) {
  ServerOptions options;
  options.connections_max = 2;
  WithServer(options, [](ServerScenario& scenario) {
    RawPeer first = scenario.Client();
    RawPeer second = scenario.Client();
    RawPeer third = scenario.Client();
    EXPECT_EQ(third.HearToTheEnd(), "");
    first.CloseOwnSide();
    EXPECT_EQ(first.HearToTheEnd(), "");
    RawPeer fourth = scenario.Client();
    ServerScenario::ExpectServed(fourth);
    ServerScenario::ExpectServed(second);
  });
}

TEST_P(ServerContract, ASlowReaderCostsBoundedMemoryAndNobodyElseNotices) {
  ServerOptions options;
  options.unsent_bytes_soft_max = 64 << 10;
  constexpr int kGets = 64;
  WithServer(options, [](ServerScenario& scenario) {
    RawPeer slow = scenario.Client();
    const std::string value(1 << 20, 'v');
    slow.Say(ServerScenario::SetRequest("/k", value) +
             ServerScenario::Repeated(ServerScenario::Request(R"(get "/k")"), kGets));
    RawPeer other = scenario.Client();
    ServerScenario::BeginWait(other, "/k2");
    ServerScenario::ExpectServed(other);
    // Some fit into the kernel's buffers, the others are not even made.
    EXPECT_LT(scenario.server().stats().requests, uint64_t{kGets});
    const std::string reply = ServerScenario::Reply(absl::StrCat("bytes \"", value, "\""));
    for (int i = 0; i < kGets; ++i) EXPECT_TRUE(slow.Hear(reply.size()) == reply) << i;
    ServerScenario::ExpectServed(slow);
  });
}

TEST_P(ServerContract, AWatcherThatReadsNothingIsClosedAtTheHardLimit) {
  ServerOptions options;
  options.unsent_bytes_soft_max = 64 << 10;
  options.unsent_bytes_hard_max = 1 << 20;
  WithServer(options, [](ServerScenario& scenario) {
    RawPeer watcher = scenario.Connect();
    watcher.Say(ServerScenario::LegacyRequest(R"(watch_key "/k")"));
    EXPECT_EQ(watcher.Hear(1), ServerScenario::Reply("signal 3"));
    RawPeer setter = scenario.Client();
    const std::string set = ServerScenario::SetRequest("/k", std::string(256 << 10, 'v'));
    // Each event carries the old value and the new one.
    constexpr int kSets = 100;
    for (int i = 0; i < kSets; ++i) {
      setter.Say(set);
      ServerScenario::ExpectServed(setter);
    }
    EXPECT_EQ(scenario.server().stats().connections_refused, 1u);
    EXPECT_LT(watcher.HearToTheEnd().size(), size_t{kSets} * (512 << 10));
  });
}

}  // namespace rollcall
