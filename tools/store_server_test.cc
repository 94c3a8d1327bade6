// The program store_server, as whoever starts it meets it.

#include <signal.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "nlohmann/json.hpp"
#include "testing/server_scenario.h"
#include "testing/subprocess.h"
#include "testing/tls_authority.h"
#include "testing/tls_directory.h"

namespace rollcall {
namespace {

using testing::HasSubstr;
using testing::Not;

absl::Time Soon() { return absl::Now() + absl::Seconds(60); }

class StoreServerToolTest : public testing::Test {
 protected:
  static std::unique_ptr<Subprocess> Start(std::vector<std::string> flags) {
    SubprocessOptions options;
    options.argv = {RunfilePath("tools/store_server")};
    for (std::string& flag : flags) options.argv.push_back(std::move(flag));
    absl::StatusOr<std::unique_ptr<Subprocess>> started = Subprocess::Start(options);
    EXPECT_TRUE(started.ok()) << started.status();
    return *std::move(started);
  }

  // Waits until it listens, on an IPv4 address, and gives the port.
  static uint16_t PortOf(Subprocess& server) {
    const absl::StatusOr<std::string> line = server.ReadLine(Soon());
    EXPECT_TRUE(line.ok()) << line.status();
    const std::vector<std::string> parts = absl::StrSplit(*line, ':');
    int port = 0;
    EXPECT_TRUE(absl::SimpleAtoi(parts.back(), &port)) << *line;
    EXPECT_EQ(*line, absl::StrCat("listening on 127.0.0.1:", port));
    return static_cast<uint16_t>(port);
  }

  static RawPeer Client(uint16_t port) {
    return RawPeer(net::RealEnv(), net::SocketAddress::LoopbackV4(port));
  }

  static std::string TempPath(absl::string_view name) {
    return absl::StrCat(testing::TempDir(), "/", name);
  }

  struct Ended {
    int status = -1;
    std::string output;
    std::string errors;
  };
  static Ended RunToItsEnd(std::vector<std::string> flags) {
    const std::unique_ptr<Subprocess> server = Start(std::move(flags));
    Ended ended;
    ended.output = server->ReadToEnd(Soon()).value_or("?");
    ended.status = server->WaitForExit(Soon()).value_or(-1);
    ended.errors = server->StderrSoFar();
    return ended;
  }
};

TEST_F(StoreServerToolTest, ServesUntilASignalThatTellsEveryWaiter) {
  for (const absl::string_view backend : {"epoll", "libuv"}) {
    for (const int ending_signal : {SIGTERM, SIGINT}) {
      const std::unique_ptr<Subprocess> server =
          Start({"--host=127.0.0.1", "--port=0", absl::StrCat("--backend=", backend)});
      RawPeer waiter = Client(PortOf(*server));
      waiter.Say(std::string("\x00\xCE\xF7\x85\x3C", 5));
      ServerScenario::BeginWait(waiter, "/never");
      ASSERT_TRUE(server->Signal(ending_signal).ok());
      EXPECT_EQ(waiter.HearToTheEnd(), "");
      EXPECT_EQ(server->WaitForExit(Soon()).value_or(-1), 0) << server->StderrSoFar();
      EXPECT_EQ(server->ReadToEnd(Soon()).value_or("?"), "");
    }
  }
}

TEST_F(StoreServerToolTest, ATakenPortIsOneClearLineAndStatus3) {
  const std::unique_ptr<Subprocess> first = Start({"--host=127.0.0.1", "--port=0"});
  const uint16_t port = PortOf(*first);
  const Ended second = RunToItsEnd({"--host=127.0.0.1", absl::StrCat("--port=", port)});
  EXPECT_EQ(second.status, 3);
  EXPECT_EQ(second.output, "");
  EXPECT_THAT(second.errors, HasSubstr("address already in use"));
  EXPECT_THAT(second.errors, HasSubstr(absl::StrCat(port)));
  EXPECT_THAT(second.errors.substr(0, second.errors.size() - 1), Not(HasSubstr("\n")));
}

TEST_F(StoreServerToolTest, WritesThePortToAFileOnceItListens) {
  const std::string path = TempPath("port");
  std::ofstream(path) << "left by another\n";
  const std::unique_ptr<Subprocess> server =
      Start({"--host=127.0.0.1", "--port=0", absl::StrCat("--port_file=", path)});
  const uint16_t port = PortOf(*server);
  std::string content;
  std::getline(std::ifstream(path), content, '\0');
  EXPECT_EQ(content, absl::StrCat(port, "\n"));
}

TEST_F(StoreServerToolTest, APortFileThatCannotBeWrittenIsNamed) {
  const Ended ended =
      RunToItsEnd({"--host=127.0.0.1", "--port=0", "--port_file=/no/such/folder/port"});
  EXPECT_EQ(ended.status, 3);
  EXPECT_THAT(ended.errors, HasSubstr("--port_file=/no/such/folder/port"));
  EXPECT_THAT(ended.errors, HasSubstr("No such file or directory"));
}

TEST_F(StoreServerToolTest, AHostThatIsNotOursIsNamed) {
  const Ended ended = RunToItsEnd({"--host=192.0.2.1", "--port=0"});
  EXPECT_EQ(ended.status, 3);
  EXPECT_THAT(ended.errors, HasSubstr("192.0.2.1"));
}

TEST_F(StoreServerToolTest, WrongFlagsAreNamedWithWhatTheyTake) {
  const std::vector<std::pair<std::string, std::string>> kWrong = {
      {"--port=70000", "--port=70000: must be 0 to 65535"},
      {"--port=-1", "--port=-1: must be 0 to 65535"},
      {"--backend=poll", "--backend=poll: must be epoll or libuv"},
      {"--io_threads=0", "--io_threads=0: must be 1 to 64"},
      {"--max_key_bytes=0", "--max_key_bytes=0: must be 1 to "},
      {"--max_key_bytes=-5", "max_key_bytes"},
      {"--max_value_bytes=18446744073709551615", "must be 0 to 1099511627776"},
      {"--legacy_dialect=modern", "--legacy_dialect=modern: must be legacy"},
      {"--allow=10.0.0.0/8,node0", "--allow=10.0.0.0/8,node0: network \"node0\": "},
      {"--idle_timeout=soon", "--idle_timeout must be a duration"},
      {"--request_timeout=0s", "--request_timeout=0s: must be more than 0"},
      {"--request_timeout=inf", "--request_timeout=inf: must be less than inf"},
      {"--max_unsent_bytes=1000", "--max_unsent_bytes=1000: must be 16793600 (twice"},
      {"--max_silent_connections=0", "--max_silent_connections=0: must be 1 or more"},
      {"--listen=jobA", "--listen=jobA: must be NAME=HOST:PORT"},
      {"--listen=job/A=:29511", "--listen=job/A=:29511: must be NAME=HOST:PORT"},
      {"--quota=jobA", "--quota=jobA: must be NAME:memory=BYTES:keys=N:clients=N"},
      {"--quota=jobA:memory=1TB", "--quota=jobA:memory=1TB: must be NAME:"},
      {"--quota=jobA:ranks=4", "--quota=jobA:ranks=4: must be NAME:"},
      {"--quota=jobA:keys=1:keys=2", "--quota=jobA:keys=1:keys=2: must be NAME:"},
      {"--quota=a:keys=1,a:keys=2", "--quota=a:keys=2: must be the only one of its name"},
      {"--name_space_per_token", "--name_space_per_token needs --token_file"},
      {"--world_size=-1", "--world_size=-1: must be 0 (unknown) or more"},
      {"--http_port=70000", "--http_port=70000: must be 0 to 65535"},
      {"--log_format=xml", "--log_format=xml: must be text or json"},
      {"--prot=29500", "prot"},
      {"29500", "\"29500\""},
      {"--engine=disk", "--engine=disk: must be memory or etcd"},
      {"--engine=etcd", "--engine=etcd needs --etcd="},
      {"--etcd=127.0.0.1:2379", "--etcd needs --engine=etcd"},
  };
  for (const auto& [flag, complaint] : kWrong) {
    const Ended ended = RunToItsEnd({flag});
    EXPECT_EQ(ended.status, 1) << flag;
    EXPECT_EQ(ended.output, "") << flag;
    EXPECT_THAT(ended.errors, HasSubstr(complaint));
  }
}

TEST_F(StoreServerToolTest, AFrontNamesEtcdsOwnQuotaToWhoGivesItALimit) {
  const std::vector<std::string> kLimits = {"max_memory", "max_memory_per_name_space",
                                            "max_keys_per_name_space",
                                            "max_clients_per_name_space"};
  for (const std::string& limit : kLimits) {
    const Ended ended = RunToItsEnd(
        {"--engine=etcd", "--etcd=127.0.0.1:2379/p", absl::StrCat("--", limit, "=1000")});
    EXPECT_EQ(ended.status, 1) << limit;
    EXPECT_THAT(ended.errors, HasSubstr(absl::StrCat("--", limit, " is for --engine=memory")));
    EXPECT_THAT(ended.errors, HasSubstr("--quota-backend-bytes"));
  }
}

TEST_F(StoreServerToolTest, WhatIsWrongWithThePlaceOfEtcdIsNamed) {
  const std::vector<std::pair<std::string, std::string>> kWrong = {
      {"host/job", "--etcd=host/job: invalid etcd:// URL: host has no port"},
      {"host:2379/job?ttl=1s", "at least 5s; got 1s"},
      {"host:2379/job?color=red", "unknown parameter \"color\""},
      {"host:2379/job?ca=/no/such/file", "/no/such/file"},
  };
  for (const auto& [place, complaint] : kWrong) {
    const Ended ended = RunToItsEnd({"--engine=etcd", absl::StrCat("--etcd=", place)});
    EXPECT_EQ(ended.status, 1) << place;
    EXPECT_THAT(ended.errors, HasSubstr(complaint));
  }
}

TEST_F(StoreServerToolTest, LimitsAndDialectsAreWhatTheFlagsSay) {
  const std::unique_ptr<Subprocess> server =
      Start({"--host=127.0.0.1", "--port=0", "--max_key_bytes=3", "--max_value_bytes=2",
             "--nolegacy", "--max_connections=1", "--world_size=2000000000"});
  const uint16_t port = PortOf(*server);
  const std::string greeting("\x00\xCE\xF7\x85\x3C", 5);
  {
    RawPeer client = Client(port);
    client.Say(greeting + ServerScenario::Request(R"(set "/kk" "vv")"));
    ServerScenario::ExpectServed(client);
    EXPECT_EQ(Client(port).HearToTheEnd(), "");
    client.Say(ServerScenario::Request(R"(set "/kk" "vvv")"));
    EXPECT_EQ(client.HearToTheEnd(), "");
  }
  RawPeer legacy = Client(port);
  legacy.Say(ServerScenario::LegacyRequest(R"(add "/k" 1)"));
  EXPECT_EQ(legacy.HearToTheEnd(), "");
  ASSERT_TRUE(server->Signal(SIGTERM).ok());
  EXPECT_EQ(server->WaitForExit(Soon()).value_or(-1), 0);
  const std::string errors = server->StderrSoFar();
  EXPECT_THAT(errors, HasSubstr("2000000000 clients are expected"));
  EXPECT_THAT(errors, HasSubstr("value of 3 bytes; limit is 2"));
  EXPECT_THAT(errors, HasSubstr("limit of 1 connections"));
  EXPECT_THAT(errors, HasSubstr("legacy clients are not accepted"));
}

TEST_F(StoreServerToolTest, WhoIsLetInAndWhatIsStoredAreWhatTheFlagsSay) {
  const std::unique_ptr<Subprocess> server =
      Start({"--host=127.0.0.1", "--port=0", "--allow=127.0.0.1,::1",
             "--max_connections_per_peer=2", "--max_memory=1000"});
  const uint16_t port = PortOf(*server);
  const std::string greeting("\x00\xCE\xF7\x85\x3C", 5);
  RawPeer client = Client(port);
  client.Say(greeting);
  ServerScenario::ExpectServed(client);
  RawPeer greedy = Client(port);
  EXPECT_EQ(Client(port).HearToTheEnd(), "");
  greedy.Say(greeting + ServerScenario::SetRequest("/k", std::string(1000, 'v')));
  EXPECT_EQ(greedy.HearToTheEnd(), "");
  ServerScenario::ExpectServed(client);
  ASSERT_TRUE(server->Signal(SIGTERM).ok());
  EXPECT_EQ(server->WaitForExit(Soon()).value_or(-1), 0);
  EXPECT_THAT(server->StderrSoFar(), HasSubstr("limit of 2 connections of one address"));
  EXPECT_THAT(server->StderrSoFar(), HasSubstr("of the 1000 bytes that it may hold"));

  const std::unique_ptr<Subprocess> closed =
      Start({"--host=127.0.0.1", "--port=0", "--allow=10.0.0.0/8"});
  EXPECT_EQ(Client(PortOf(*closed)).HearToTheEnd(), "");
}

TEST_F(StoreServerToolTest, APagesPortThatIsTakenIsOneClearLineAndStatus3) {
  const std::unique_ptr<Subprocess> first = Start({"--host=127.0.0.1", "--port=0"});
  const uint16_t port = PortOf(*first);
  const Ended second =
      RunToItsEnd({"--host=127.0.0.1", "--port=0", absl::StrCat("--http_port=", port)});
  EXPECT_EQ(second.status, 3);
  EXPECT_EQ(second.output, "") << "it must not say that it listens";
  EXPECT_THAT(second.errors, HasSubstr(absl::StrCat("--http_port=", port)));
}

TEST_F(StoreServerToolTest, LogsAnObjectALineWhereAsked) {
  const std::unique_ptr<Subprocess> server =
      Start({"--host=127.0.0.1", "--port=0", "--log_format=json"});
  RawPeer stranger = Client(PortOf(*server));
  stranger.Say("GET / HTTP/1.1\r\n");
  EXPECT_EQ(stranger.HearToTheEnd(), "");
  ASSERT_TRUE(server->Signal(SIGTERM).ok());
  EXPECT_EQ(server->WaitForExit(Soon()).value_or(-1), 0);
  const std::vector<std::string> lines =
      absl::StrSplit(server->StderrSoFar(), '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 2u) << server->StderrSoFar();
  const nlohmann::json warning = nlohmann::json::parse(lines[0]);
  EXPECT_EQ(warning["severity"], "WARNING");
  EXPECT_THAT(warning["message"], HasSubstr("it looks like an HTTP request"));
  EXPECT_EQ(nlohmann::json::parse(lines[1])["severity"], "INFO");
}

TEST_F(StoreServerToolTest, HelpIsNoError) {
  const Ended ended = RunToItsEnd({"--help"});
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.output, HasSubstr("--port_file=FILE"));
}

// --- Who gets in ---

class SecuredServerToolTest : public StoreServerToolTest {
 protected:
  struct Ports {
    std::string tls;
    std::string plain;
  };
  // "listening with TLS on [::]:1234", "listening on 127.0.0.1:4711".
  static Ports PortsOf(Subprocess& server) {
    const auto port_of = [&] {
      const std::string line = server.ReadLine(Soon()).value_or("?");
      return line.substr(line.rfind(':') + 1);
    };
    Ports ports;
    ports.tls = port_of();
    ports.plain = port_of();
    return ports;
  }
  Ended Cli(std::vector<std::string> flags) {
    SubprocessOptions options;
    options.argv = {RunfilePath("tools/store_cli"), "--timeout=30s"};
    options.argv.insert(options.argv.end(), flags.begin(), flags.end());
    absl::StatusOr<std::unique_ptr<Subprocess>> cli = Subprocess::Start(options);
    EXPECT_TRUE(cli.ok()) << cli.status();
    Ended ended;
    ended.output = (*cli)->ReadToEnd(Soon()).value_or("?");
    ended.status = (*cli)->WaitForExit(Soon()).value_or(-1);
    ended.errors = (*cli)->StderrSoFar();
    return ended;
  }

  TlsDirectory files_{absl::Now()};
};

TEST_F(SecuredServerToolTest, TwoPortsATokenAndCertificatesThatChange) {
  const net::TlsServerFiles tls = files_.Server();
  const std::string tokens = files_.Write("tokens", "job:the_token_of_the_job\n");
  const std::unique_ptr<Subprocess> server = Start(
      {"--port=0", "--tls_port=0", "--tls_host=127.0.0.1", "--tls_cert=" + tls.certificate_chain,
       "--tls_key=" + tls.private_key, "--token_file=" + tokens});
  const Ports ports = PortsOf(*server);
  const std::string endpoint = "--endpoint=tls://localhost:" + ports.tls;
  const std::string ca = "--ca=" + files_.Path("ca.pem");
  const std::string token = "--token_file=" + tokens;
  EXPECT_EQ(Cli({endpoint, ca, token, "set", "key", "value"}).errors, "");
  EXPECT_EQ(Cli({"--endpoint=localhost:" + ports.plain, "get", "key"}).output, "value");
  EXPECT_THAT(Cli({endpoint, ca, "get", "key"}).errors, HasSubstr("TOKEN_REJECTED"));
  EXPECT_THAT(Cli({endpoint, token, "get", "key"}).errors, HasSubstr("TLS_FAILED"));
  EXPECT_THAT(Cli({"--endpoint=localhost:" + ports.tls, "get", "key"}).errors,
              HasSubstr("TLS_FAILED"));

  files_.Write("server.pem", "damaged");
  ASSERT_TRUE(server->Signal(SIGHUP).ok());
  ASSERT_TRUE(
      server->AwaitStderr("going on with the certificates and tokens of before: in ", Soon()).ok());
  EXPECT_EQ(Cli({endpoint, ca, token, "get", "key"}).output, "value");

  const TlsAuthority successor(absl::Now(), "the successor");
  files_.ReplaceServer(successor.Issue());
  ASSERT_TRUE(server->Signal(SIGHUP).ok());
  ASSERT_TRUE(server->AwaitStderr("were read anew", Soon()).ok());
  EXPECT_EQ(Cli({endpoint, "--ca=" + files_.Write("new_ca.pem", successor.certificate()), token,
                 "get", "key"})
                .output,
            "value");
  EXPECT_THAT(server->StderrSoFar(), Not(HasSubstr("the_token_of_the_job")));
}

TEST_F(SecuredServerToolTest, FlagsThatBelongTogetherAreAskedFor) {
  const auto why = [](std::vector<std::string> flags) {
    const Ended ended = RunToItsEnd(std::move(flags));
    return absl::StrCat(ended.status, " ", ended.errors);
  };
  EXPECT_THAT(why({"--tls_cert=x"}), HasSubstr("1 store_server: --tls_cert and --tls_key go"));
  EXPECT_THAT(why({"--tls_port=1"}), HasSubstr("--tls_port needs --tls_cert and --tls_key"));
  EXPECT_THAT(why({"--tls_client_ca=x"}), HasSubstr("--tls_client_ca needs --tls_cert"));
  EXPECT_THAT(why({"--tls_host=x"}), HasSubstr("--tls_host needs --tls_port"));
  EXPECT_THAT(why({"--tls_min_version=1.1"}), HasSubstr("must be 1.2 or 1.3"));
  EXPECT_THAT(why({"--token_file=/nowhere"}), HasSubstr("cannot read /nowhere"));
}

}  // namespace
}  // namespace rollcall
