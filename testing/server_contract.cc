#include "testing/server_contract.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "net/net_error.h"
#include "store/protocol/dialect.h"
#include "store/protocol/wire_text.h"

namespace rollcall {
namespace {

using protocol::Dialect;
using protocol::Hex;
using protocol::Unhex;

}  // namespace

std::string NameOfServerContractParam(const testing::TestParamInfo<ServerContractParam>& info) {
  return info.param.name;
}

void ServerContract::WithServer(ServerOptions options,
                                const std::function<void(ServerScenario&)>& scenario) {
  options.event_loop = GetParam().event_loop;
  options.io_threads = GetParam().io_threads;
  GetParam().run([&](net::Env& env) {
    ServerScenario running(env, options, GetParam().new_engine());
    EXPECT_EQ(running.server().event_loop(), options.event_loop);
    scenario(running);
  });
}

// --- Conversations ---

// As captured between torch 2.14's client and server.
TEST_P(ServerContract, SpeaksTheModernDialectToTheByte) {
  struct Turn {
    absl::string_view said;
    absl::string_view heard;
  };
  constexpr Turn kTurns[] = {
      {"00CEF7853C 0D79710000", "79710000"},
      {"04 0500000000000000 696E69742F 0100000000000000", "0100000000000000"},
      {"01 0200000000000000 2F6B 0100000000000000 76", ""},
      {"01 0200000000000000 2F65 0000000000000000", ""},
      {"06 0100000000000000 0200000000000000 2F6B", "00"},
      {"03 0200000000000000 2F6B", "010000000000000076"},
      {"04 0200000000000000 2F6E F9FFFFFFFFFFFFFF", "F9FFFFFFFFFFFFFF"},
      {"02 0200000000000000 2F63 0000000000000000 0100000000000000 78", "010000000000000078"},
      {"08 0200000000000000 2F6B", "0100000000000000"},
      {"07", "0400000000000000"},
      {"05 0200000000000000 0300000000000000 2F6D31 0300000000000000 2F6D39", "01"},
      {"06 0100000000000000 0300000000000000 2F6D31", ""},
      {"0C", "01"},
      {"0B 0200000000000000 0300000000000000 2F6D31 0100000000000000 31"
       " 0300000000000000 2F6D32 0200000000000000 3232",
       ""},
      {"0A 0200000000000000 0300000000000000 2F6D31 0300000000000000 2F6D32",
       "010000000000000031 02000000000000003232"},
      {"12 0200000000000000 2F62 0100000000000000", "00"},
  };
  WithServer([&](ServerScenario& scenario) {
    RawPeer client = scenario.Connect();
    for (const Turn& turn : kTurns) {
      client.Say(Unhex(turn.said));
      const std::string expected = Unhex(turn.heard);
      EXPECT_EQ(Hex(client.Hear(expected.size())), Hex(expected)) << "to " << turn.said;
    }
    ServerScenario::ExpectServed(client);
  });
}

TEST_P(ServerContract, TheGreetingMayComeInAnyPieces) {
  WithServer([](ServerScenario& scenario) {
    RawPeer watcher = scenario.Client();
    const std::string said =
        protocol::Greeting(Dialect::kModern) + ServerScenario::Request("ping 1");
    for (size_t cut = 1; cut < said.size(); ++cut) {
      RawPeer client = scenario.Connect();
      client.Say(said.substr(0, cut));
      // By the time another is answered, the first piece has been read.
      ServerScenario::ExpectServed(watcher);
      client.Say(said.substr(cut));
      EXPECT_EQ(client.Hear(4), ServerScenario::Reply("nonce 1")) << "cut at byte " << cut;
    }
  });
}

TEST_P(ServerContract, LegacyAndModernClientsShareOnePortAndOneStore) {
  WithServer([](ServerScenario& scenario) {
    RawPeer modern = scenario.Client();
    RawPeer legacy = scenario.Client(Dialect::kLegacy);
    RawPeer watch_channel = scenario.Connect();
    // As torch 1.13 sends it: the opcode alone, then the rest.
    const std::string join = ServerScenario::LegacyRequest(R"(add "init/" 1)");
    legacy.Say(join.substr(0, 1));
    legacy.Say(join.substr(1));
    EXPECT_EQ(legacy.Hear(8), ServerScenario::Reply("number 1"));
    EXPECT_EQ(ServerScenario::Ask(modern, R"(add "init/" 1)", "number 0"),
              ServerScenario::Reply("number 2"));
    legacy.Say(ServerScenario::LegacyRequest(R"(wait "/k")"));
    modern.Say(ServerScenario::SetRequest("/k", "v"));
    EXPECT_EQ(legacy.Hear(1), ServerScenario::Reply("signal 0"));
    legacy.Say(ServerScenario::LegacyRequest(R"(get "/k")"));
    EXPECT_EQ(legacy.Hear(9), ServerScenario::Reply(R"(bytes "v")"));
  });
}

TEST_P(ServerContract, TwoHundredClientsThatPipelineAreAllServed) {
  constexpr int kClients = 200;
  constexpr int kRequests = 50;
  WithServer([](ServerScenario& scenario) {
    std::vector<RawPeer> clients;
    for (int i = 0; i < kClients; ++i) clients.push_back(scenario.Client());
    for (int i = 0; i < kClients; ++i) {
      clients[i].Say(ServerScenario::Repeated(
          ServerScenario::Request(absl::StrCat(R"(add "/of/)", i, R"(" 1)")) +
              ServerScenario::Request(R"(add "/of all" 1)"),
          kRequests));
    }
    for (int i = 0; i < kClients; ++i) {
      const std::string heard = clients[i].Hear(size_t{16} * kRequests);
      ASSERT_EQ(heard.size(), size_t{16} * kRequests);
      for (int request = 0; request < kRequests; ++request) {
        EXPECT_EQ(heard.substr(size_t{16} * request, 8),
                  ServerScenario::Reply(absl::StrCat("number ", request + 1)));
      }
    }
    EXPECT_EQ(ServerScenario::Ask(clients[0], R"(add "/of all" 0)", "number 0"),
              ServerScenario::Reply(absl::StrCat("number ", kClients * kRequests)));
  });
}

TEST_P(ServerContract, OneSetWakesAllWhoWait) {
  WithServer([](ServerScenario& scenario) {
    std::vector<RawPeer> waiters;
    for (int i = 0; i < 100; ++i) {
      waiters.push_back(scenario.Client());
      ServerScenario::BeginWait(waiters.back(), "/go");
    }
    RawPeer setter = scenario.Client();
    setter.Say(ServerScenario::SetRequest("/go", ""));
    for (RawPeer& waiter : waiters) EXPECT_EQ(waiter.Hear(1), ServerScenario::Reply("signal 0"));
  });
}

TEST_P(ServerContract, AnEightMebibyteValueGoesInAndOut) {
  WithServer([](ServerScenario& scenario) {
    RawPeer client = scenario.Client();
    const std::string value(8 << 20, 'v');
    client.Say(ServerScenario::SetRequest("/k", value) + ServerScenario::Request(R"(get "/k")"));
    EXPECT_TRUE(client.Hear(8 + value.size()) ==
                ServerScenario::Reply(absl::StrCat("bytes \"", value, "\"")));
  });
}

// --- Beginning and end ---

TEST_P(ServerContract, StopTellsEveryWaiterAndIsIdempotent) {
  WithServer([](ServerScenario& scenario) {
    std::vector<RawPeer> waiters;
    for (int i = 0; i < 20; ++i) {
      waiters.push_back(scenario.Client());
      ServerScenario::BeginWait(waiters.back(), "/never");
    }
    EXPECT_EQ(scenario.server().stats().waiting_clients, 20u);
    RawPeer silent = scenario.Connect();
    scenario.server().Stop();
    scenario.server().Stop();
    for (RawPeer& waiter : waiters) EXPECT_EQ(waiter.HearToTheEnd(), "");
    EXPECT_EQ(silent.HearToTheEnd(), "");
    EXPECT_EQ(scenario.server().stats().connections, 0u);
    EXPECT_EQ(scenario.server().stats().waiting_clients, 0u);
  });
}

TEST_P(ServerContract, StopWaitsForAStuckReaderOnlyForTheGraceTime) {
  ServerOptions options;
  options.shutdown_grace = absl::Milliseconds(20);
  WithServer(options, [](ServerScenario& scenario) {
    RawPeer stuck = scenario.Client();
    const std::string value(8 << 20, 'v');
    stuck.Say(ServerScenario::SetRequest("/k", value) +
              ServerScenario::Repeated(ServerScenario::Request(R"(get "/k")"), 8));
    RawPeer other = scenario.Client();
    ServerScenario::ExpectServed(other);
    scenario.server().Stop();
    EXPECT_LT(stuck.HearToTheEnd().size(), 8 * value.size());
  });
}

TEST_P(ServerContract, ATakenPortIsAnErrorAtOnceThatNamesIt) {
  WithServer([](ServerScenario& scenario) {
    ServerOptions options;
    options.event_loop = scenario.server().event_loop();
    options.host = "127.0.0.1";
    options.port = scenario.server().port();
    const auto second = StoreServer::Start(scenario.env(), options);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(net::GetNetErrorInfo(second.status())->kind, net::NetErrorKind::kAddressInUse);
    const std::string message(second.status().message());
    EXPECT_NE(message.find("address already in use"), std::string::npos) << message;
    EXPECT_NE(message.find(absl::StrCat(options.port)), std::string::npos) << message;
    RawPeer client = scenario.Client();
    ServerScenario::ExpectServed(client);
  });
}

TEST_P(ServerContract, APortIsFreeAgainAfterStop) {
  WithServer([](ServerScenario& scenario) {
    RawPeer client = scenario.Client();
    ServerScenario::ExpectServed(client);
    scenario.server().Stop();
    ServerOptions options;
    options.event_loop = scenario.server().event_loop();
    options.port = scenario.server().port();
    ServerScenario second(scenario.env(), options, GetParam().new_engine());
    EXPECT_EQ(second.server().port(), options.port);
    RawPeer again = second.Client();
    EXPECT_EQ(ServerScenario::Ask(again, "num_keys", "number 0"),
              ServerScenario::Reply("number 0"));
  });
}

TEST_P(ServerContract, ServersInOneProcessShareNothing) {
  WithServer([](ServerScenario& scenario) {
    ServerOptions options;
    options.event_loop = scenario.server().event_loop();
    ServerScenario second(scenario.env(), options, GetParam().new_engine());
    RawPeer here = scenario.Client();
    RawPeer there = second.Client();
    here.Say(ServerScenario::SetRequest("/k", "v"));
    ServerScenario::ExpectServed(here);
    EXPECT_EQ(ServerScenario::Ask(there, R"(check "/k")", "signal 0"),
              ServerScenario::Reply("signal 1"));
  });
}

}  // namespace rollcall
