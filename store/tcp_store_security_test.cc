// TLS and tokens between a TcpStore and a server, over real sockets, on both event loops.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/address.h"
#include "net/connection.h"
#include "net/event_loop.h"
#include "net/real_env.h"
#include "net/tls/tls_files.h"
#include "store/dist_error.h"
#include "store/error_code.h"
#include "store/factory.h"
#include "store/protocol/dialect.h"
#include "store/server/server_options.h"
#include "store/server/server_snapshot.h"
#include "store/server/store_server.h"
#include "store/store.h"
#include "store/tcp_store.h"
#include "testing/dist_error_matchers.h"
#include "testing/tls_authority.h"
#include "testing/tls_directory.h"

namespace rollcall {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kToken[] = "a_token_of_the_job";

struct Loops {
  net::EventLoopKind kind = net::EventLoopKind::kEpoll;
  int count = 1;
};

class SecurityTest : public testing::TestWithParam<Loops> {
 protected:
  ServerOptions ServerWith(net::TlsServerFiles tls) {
    ServerOptions options;
    options.host = "127.0.0.1";
    options.event_loop = GetParam().kind;
    options.io_threads = GetParam().count;
    options.tls = std::move(tls);
    return options;
  }
  void Serve(const ServerOptions& options) {
    absl::StatusOr<std::unique_ptr<StoreServer>> server = StoreServer::Start(env_, options);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  std::string TokenFile(absl::string_view tokens) { return files_.Write("tokens", tokens); }

  TcpStoreOptions Client() {
    TcpStoreOptions options;
    options.host = "127.0.0.1";
    options.port = server_->port();
    options.timeout = absl::Seconds(30);
    return options;
  }
  TcpStoreOptions Client(net::TlsClientFiles tls) {
    TcpStoreOptions options = Client();
    options.port = server_->tls_port().value_or(server_->port());
    options.tls = std::move(tls);
    return options;
  }
  std::unique_ptr<TcpStore> Open(const TcpStoreOptions& options) {
    absl::StatusOr<std::unique_ptr<TcpStore>> store = TcpStore::Open(env_, options);
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  // "TLS_FAILED: why"
  std::string Failure(const TcpStoreOptions& options) {
    const absl::Status why = TcpStore::Open(env_, options).status();
    if (why.ok()) return "OK";
    // At once, and not when its time is over.
    EXPECT_LT(DetailsOf(why).elapsed, absl::Seconds(20));
    return std::string(ErrorCodeName(CodeOf(why))) + ": " + std::string(why.message());
  }
  void ExpectServed(Store& store) {
    store.Set("key", "value");
    EXPECT_EQ(store.Get("key", absl::Seconds(30)), "value");
  }
  std::unique_ptr<net::Connection> RawClient(uint16_t port) {
    return *env_.ConnectAny({net::SocketAddress::LoopbackV4(port)}, Soon());
  }
  // All that comes until the other side ends it.
  std::string HearToTheEnd(net::Connection& connection) {
    std::string heard;
    char buffer[100];
    while (true) {
      const absl::StatusOr<size_t> count = connection.Read(buffer, sizeof(buffer), Soon());
      if (!count.ok()) return heard;
      heard.append(buffer, *count);
    }
  }
  absl::Time Soon() { return env_.Now() + absl::Seconds(30); }

  net::Env& env_ = net::RealEnv();
  TlsDirectory files_{env_.Now()};
  std::unique_ptr<StoreServer> server_;
};

// --- TLS ---

TEST_P(SecurityTest, ServesOverTls) {
  Serve(ServerWith(files_.Server()));
  const auto store = Open(Client(files_.Client()));
  ExpectServed(*store);
  const auto clone = store->Clone();
  ExpectServed(*clone);
}

TEST_P(SecurityTest, CarriesTheLargestValuesBothWays) {
  Serve(ServerWith(files_.Server()));
  const auto store = Open(Client(files_.Client()));
  std::string large(8 << 20, 'x');
  for (size_t i = 0; i < large.size(); i += 4099) large[i] = static_cast<char>(i);
  for (const char* const key : {"a", "b", "c"}) {
    store->Set(key, large);
    EXPECT_TRUE(store->Get(key, absl::Seconds(60)) == large) << key;
  }
  EXPECT_EQ(store->MultiGet({"a", "b", "c"}), (std::vector<std::string>{large, large, large}));
}

TEST_P(SecurityTest, OneThreadWaitsWhileOthersWrite) {
  Serve(ServerWith(files_.Server()));
  const auto store = Open(Client(files_.Client()));
  const auto waiter =
      env_.StartThread("waiter", [&] { EXPECT_EQ(store->Get("late", absl::Seconds(60)), "came"); });
  const auto adder = env_.StartThread("adder", [&] {
    for (int i = 0; i < 200; ++i) store->Add("count", 1);
  });
  while (store->Add("count", 0) < 200) {
  }
  store->Set("late", "came");
}

TEST_P(SecurityTest, ClosingAStoreEndsAWaitOverTls) {
  Serve(ServerWith(files_.Server()));
  const auto store = Open(Client(files_.Client()));
  const auto waiter = env_.StartThread("waiter", [&] {
    try {
      store->Get("never", absl::Seconds(60));
      ADD_FAILURE() << "the key is not there";
    } catch (const DistNetworkError& error) {
      EXPECT_EQ(error.code(), ErrorCode::kClosed);
    }
  });
  while (server_->stats().waiting_clients == 0) env_.SleepUntil(env_.Now());
  store->Close();
}

TEST_P(SecurityTest, ServesManyAtOnce) {
  constexpr int kThreads = 8;
  constexpr int kStoresEach = 25;
  Serve(ServerWith(files_.Server(/*mutual=*/true)));
  const TcpStoreOptions options = Client(files_.Client(/*known=*/true));
  std::vector<std::unique_ptr<TcpStore>> stores(kThreads * kStoresEach);
  {
    std::vector<std::unique_ptr<net::Thread>> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.push_back(env_.StartThread("ranks", [&, thread] {
        for (int i = thread; i < kThreads * kStoresEach; i += kThreads) {
          stores[i] = Open(options);
          stores[i]->Add("joined", 1);
        }
      }));
    }
  }
  EXPECT_EQ(stores[0]->Add("joined", 0), kThreads * kStoresEach);
  EXPECT_EQ(server_->stats().connections, static_cast<size_t>(kThreads * kStoresEach));
}

TEST_P(SecurityTest, MutualTlsServesOnlyWhomTheAuthorityKnows) {
  Serve(ServerWith(files_.Server(/*mutual=*/true)));
  ExpectServed(*Open(Client(files_.Client(/*known=*/true))));
  EXPECT_THAT(Failure(Client(files_.Client())),
              testing::AllOf(HasSubstr("TLS_FAILED: "), HasSubstr("certificate required")));
  const TlsAuthority stranger(env_.Now(), "somebody else");
  EXPECT_THAT(Failure(Client(files_.Client(stranger.Issue()))), HasSubstr("TLS_FAILED: "));
  EXPECT_THAT(
      Failure(Client(files_.Client(
          files_.authority().Issue({.begins = -absl::Hours(3), .ends = -absl::Hours(2)})))),
      testing::AllOf(HasSubstr("TLS_FAILED: "), HasSubstr("our certificate is out of date")));
}

TEST_P(SecurityTest, AClientLooksAtTheServersCertificate) {
  files_.ReplaceServer(files_.authority().Issue({.names = {"elsewhere"}}));
  Serve(ServerWith(files_.Server()));
  EXPECT_THAT(Failure(Client(files_.Client())),
              testing::AllOf(HasSubstr("TLS_FAILED: The client socket has failed to connect"),
                             HasSubstr("IP address mismatch")));
  TcpStoreOptions knows_the_name = Client(files_.Client());
  knows_the_name.tls_server_name = "elsewhere";
  ExpectServed(*Open(knows_the_name));
  EXPECT_THAT(Failure(Client(net::TlsClientFiles())), HasSubstr("TLS_FAILED: "))
      << "nobody but the test trusts its authority";
}

TEST_P(SecurityTest, EachSideIsToldWhenTheOtherHasNoTls) {
  Serve(ServerWith(files_.Server()));
  EXPECT_THAT(Failure(Client()), testing::AllOf(HasSubstr("TLS_FAILED: "),
                                                HasSubstr("the server's port is one for TLS")));
  ExpectServed(*Open(Client(files_.Client())));
  Serve(ServerWith({}));
  EXPECT_THAT(Failure(Client(files_.Client())),
              testing::AllOf(HasSubstr("TLS_FAILED: "), HasSubstr("the port is one without TLS")));
  ExpectServed(*Open(Client()));
}

TEST_P(SecurityTest, WhoDoesNotShakeHandsIsCutOff) {
  ServerOptions options = ServerWith(files_.Server());
  options.tls_handshake_timeout = absl::Milliseconds(50);
  Serve(options);
  const auto silent = RawClient(server_->port());
  const auto half = RawClient(server_->port());
  ASSERT_EQ(half->Write("\x16\x03\x01", Soon()), absl::OkStatus());
  EXPECT_EQ(HearToTheEnd(*silent), "");
  EXPECT_EQ(HearToTheEnd(*half), "");
  EXPECT_EQ(server_->stats().connections_refused, 2u);
}

TEST_P(SecurityTest, PlainBytesCostThatOneConnection) {
  Serve(ServerWith(files_.Server()));
  const auto store = Open(Client(files_.Client()));
  const auto stranger = RawClient(server_->port());
  ASSERT_EQ(stranger->Write("GET / HTTP/1.1\r\n", Soon()), absl::OkStatus());
  EXPECT_EQ(HearToTheEnd(*stranger).substr(0, 2), "\x15\x03");
  ExpectServed(*store);
}

TEST_P(SecurityTest, CertificatesAreReadAnewWithoutDroppingAnybody) {
  Serve(ServerWith(files_.Server()));
  const auto before = Open(Client(files_.Client()));
  const TlsAuthority successor(env_.Now(), "the successor");
  files_.ReplaceServer(successor.Issue());
  ASSERT_EQ(server_->Reload(), absl::OkStatus());
  ExpectServed(*before);
  EXPECT_THAT(Failure(Client(files_.Client())), HasSubstr("TLS_FAILED: "));
  files_.Write("ca.pem", successor.certificate());
  ExpectServed(*Open(Client(files_.Client())));
  ExpectServed(*before);
}

TEST_P(SecurityTest, ABrokenFileChangesNothing) {
  Serve(ServerWith(files_.Server()));
  files_.Write("server.key", "no key");
  const absl::Status reloaded = server_->Reload();
  EXPECT_THAT(reloaded.ToString(), testing::AllOf(HasSubstr("server.key"),
                                                  HasSubstr("the private key is no PEM of one")));
  ExpectServed(*Open(Client(files_.Client())));
}

TEST_P(SecurityTest, TwoPortsAreServedAtOnceAndThePlainOneIsOfThisHost) {
  ServerOptions options = ServerWith(files_.Server());
  options.host = "";
  options.tls_port = 0;
  options.token_file = TokenFile(kToken);
  Serve(options);
  ASSERT_TRUE(server_->tls_port().has_value());
  EXPECT_NE(server_->port(), *server_->tls_port());
  EXPECT_THAT(server_->address(), Not(HasSubstr("[::]")));
  EXPECT_THAT(server_->tls_address(), HasSubstr("[::]"));
  // The plain one is for clients that have no token.
  const auto plain = Open(Client());
  TcpStoreOptions secured_options = Client(files_.Client());
  secured_options.token_file = options.token_file;
  const auto secured = Open(secured_options);
  plain->Set("from", "plain");
  EXPECT_EQ(secured->Get("from", absl::Seconds(30)), "plain");
}

TEST_P(SecurityTest, AServerThatCannotBeWhatItShouldDoesNotStart) {
  net::TlsServerFiles files = files_.Server();
  files.private_key = files_.Path("nowhere");
  EXPECT_THAT(StoreServer::Start(env_, ServerWith(files)).status().ToString(),
              testing::AllOf(HasSubstr("cannot read"), HasSubstr("nowhere: No such file")));
}

// --- Tokens ---

TEST_P(SecurityTest, ServesWhoShowsAToken) {
  ServerOptions options = ServerWith(files_.Server());
  options.token_file = TokenFile("job:a_token_of_the_job\nold:another_token_of_the_job\n");
  Serve(options);
  TcpStoreOptions client = Client(files_.Client());
  for (const char* const token : {"a_token_of_the_job", "any:another_token_of_the_job"}) {
    client.token_file = files_.Write("my_token", token);
    const auto store = Open(client);
    ExpectServed(*store);
    ExpectServed(*store->Clone());
  }
}

TEST_P(SecurityTest, ARankWhoseConnectionBrokeIsThereAgainWithItsNextCall) {
  for (const bool secured : {false, true}) {
    ServerOptions options = ServerWith({});
    if (secured) options.token_file = TokenFile(kToken);
    Serve(options);
    TcpStoreOptions client = Client();
    client.rank = 1;
    client.world_size = 2;
    if (secured) client.token_file = options.token_file;
    const auto store = Open(client);
    store->Set("text", "no number");
    // Which is answered by hanging up.
    EXPECT_DIST_ERROR(store->Add("text", 1), ErrorCode::kNotANumber);
    ExpectServed(*store);
    const ServerSnapshot snapshot = server_->Snapshot(Soon()).value();
    EXPECT_EQ(server_->stats().connections_accepted, 2u);
    ASSERT_EQ(snapshot.name_spaces[0].ranks.size(), 1u);
    EXPECT_EQ(snapshot.name_spaces[0].ranks[0].rank, 1);
    EXPECT_FALSE(snapshot.name_spaces[0].ranks[0].gone.has_value()) << secured;
  }
}

TEST_P(SecurityTest, WhoShowsAnotherTokenOrNoneIsToldSo) {
  ServerOptions options = ServerWith(files_.Server());
  options.token_file = TokenFile(kToken);
  Serve(options);
  TcpStoreOptions client = Client(files_.Client());
  EXPECT_THAT(Failure(client),
              testing::AllOf(HasSubstr("TOKEN_REJECTED: "), HasSubstr("this client has none")));
  client.token_file = files_.Write("my_token", "the_token_of_another_job");
  EXPECT_THAT(Failure(client),
              testing::AllOf(HasSubstr("TOKEN_REJECTED: "), HasSubstr("none of those"),
                             Not(HasSubstr("the_token_of_another_job"))));
  EXPECT_EQ(server_->stats().keys, 0u);
}

TEST_P(SecurityTest, ATokenIsKeptFromServersThatDoNotAskForIt) {
  Serve(ServerWith({}));
  TcpStoreOptions client = Client();
  client.token_file = TokenFile(kToken);
  const auto store = Open(client);
  ExpectServed(*store);
  EXPECT_EQ(store->NumKeys(), 1);
}

TEST_P(SecurityTest, AClientOfTorchIsClosedWhereATokenIsWanted) {
  ServerOptions options = ServerWith({});
  options.token_file = TokenFile(kToken);
  Serve(options);
  // VALIDATE and a ping with a process's number; then an opcode of torch 1.x.
  for (const absl::string_view opening :
       {absl::string_view("\x00\xCE\xF7\x85\x3C\x0D\x79\x71\x00\x00", 10),
        absl::string_view("\x03")}) {
    const auto torch = RawClient(server_->port());
    ASSERT_EQ(torch->Write(opening, Soon()), absl::OkStatus());
    EXPECT_EQ(HearToTheEnd(*torch), "");
  }
  EXPECT_EQ(server_->stats().connections_refused, 2u);
}

TEST_P(SecurityTest, TokensAreReadAnewAndThoseInsideStay) {
  ServerOptions options = ServerWith({});
  options.token_file = TokenFile(kToken);
  Serve(options);
  TcpStoreOptions client = Client();
  client.token_file = files_.Write("my_token", kToken);
  const auto before = Open(client);
  TokenFile("the_token_that_comes_next");
  ASSERT_EQ(server_->Reload(), absl::OkStatus());
  ExpectServed(*before);
  EXPECT_THAT(Failure(client), HasSubstr("TOKEN_REJECTED: "));
  TokenFile("short");
  EXPECT_THAT(server_->Reload().ToString(), HasSubstr("tokens: line 1 of the tokens has a token"));
  client.token_file = files_.Write("my_token", "the_token_that_comes_next");
  ExpectServed(*Open(client));
}

TEST_P(SecurityTest, ALostConnectionShowsTheTokenAgain) {
  ServerOptions options = ServerWith(files_.Server());
  options.token_file = TokenFile(kToken);
  options.port = 0;
  Serve(options);
  TcpStoreOptions client = Client(files_.Client());
  client.token_file = options.token_file;
  const auto store = Open(client);
  ExpectServed(*store);
  options.port = server_->port();
  server_.reset();
  EXPECT_THROW(store->Add("lost", 1), DistNetworkError);
  Serve(options);
  ExpectServed(*store);
  // The next one is told what has changed meanwhile.
  server_.reset();
  TokenFile("the_token_that_comes_next");
  Serve(options);
  EXPECT_THROW(store->Add("lost", 1), DistNetworkError);
  try {
    store->Add("lost", 1);
    ADD_FAILURE() << "its token is of no use any more";
  } catch (const DistNetworkError& error) {
    EXPECT_EQ(error.code(), ErrorCode::kTokenRejected);
  }
}

TEST_P(SecurityTest, EachTokenMayHaveANameSpaceOfItsOwn) {
  ServerOptions options = ServerWith(files_.Server());
  options.token_file =
      TokenFile("a:a_token_of_job_a\na:another_one_of_a\nb:a_token_of_job_b\na_token_of_default\n");
  options.name_space_per_token = true;
  options.store_limits.own = {{"a", {.keys_max = 2}}};
  Serve(options);
  const auto client = [&](absl::string_view token) {
    TcpStoreOptions client_options = Client(files_.Client());
    client_options.token_file = files_.Write(std::string(token), std::string(token));
    return Open(client_options);
  };
  const auto a = client("a_token_of_job_a");
  const auto also_a = client("another_one_of_a");
  const auto b = client("a_token_of_job_b");
  const auto other = client("a_token_of_default");
  a->Set("k", "of a");
  a->Ping();
  EXPECT_EQ(also_a->Get("k", absl::Seconds(30)), "of a");
  EXPECT_EQ(a->Clone()->NumKeys(), 1);
  for (Store* const elsewhere : {static_cast<Store*>(b.get()), static_cast<Store*>(other.get())}) {
    EXPECT_FALSE(elsewhere->Check({"k"}));
    EXPECT_EQ(elsewhere->NumKeys(), 0);
    EXPECT_FALSE(elsewhere->DeleteKey("k"));
    EXPECT_EQ(elsewhere->Add("k", 1), 1);
  }
  EXPECT_EQ(a->Get("k", absl::Seconds(30)), "of a");
  EXPECT_EQ(server_->stats().keys, 3u);
  const ServerSnapshot snapshot = server_->Snapshot(Soon()).value();
  ASSERT_EQ(snapshot.name_spaces.size(), 3u);
  EXPECT_EQ(snapshot.name_spaces[0].connections, 1u);
  EXPECT_EQ(snapshot.name_spaces[1].name, "a");
  EXPECT_GE(snapshot.name_spaces[1].connections, 2u);
  EXPECT_EQ(snapshot.name_spaces[2].keys, 1u);
  EXPECT_GT(snapshot.name_spaces[2].work.requests, 3u);

  TcpStoreOptions stranger = Client(files_.Client());
  stranger.token_file = files_.Write("none", "a_token_of_nobody_here");
  EXPECT_EQ(CodeOf(TcpStore::Open(env_, stranger).status()), ErrorCode::kTokenRejected);
  EXPECT_DIST_ERROR(a->Add("k", 1), ErrorCode::kNotANumber);
  const std::vector<Incident> incidents = server_->Snapshot(Soon()).value().incidents;
  ASSERT_EQ(incidents.size(), 2u);
  // Each of a loop of its own, perhaps, whose times are its own.
  for (const Incident& incident : incidents) {
    const bool is_stranger = incident.kind == IncidentKind::kNoToken;
    EXPECT_EQ(incident.name_space, is_stranger ? std::nullopt : std::optional<std::string>("a"));
  }
  EXPECT_NE(incidents[0].kind, incidents[1].kind);
}

TEST_P(SecurityTest, ALargeValueThatHasNoRoomIsRefusedWhileItIsSent) {
  for (const bool secured : {false, true}) {
    ServerOptions options = ServerWith(secured ? files_.Server() : net::TlsServerFiles());
    options.store_limits.memory_bytes_max = 1 << 20;
    Serve(options);
    const auto store = Open(secured ? Client(files_.Client()) : Client());
    store->Set("kept", "as it was");
    store->Set("large", std::string(8 << 20, 'v'));
    EXPECT_DIST_ERROR(store->Get("kept"), ErrorCode::kStoreFull);
    EXPECT_EQ(store->Get("kept"), "as it was");
    EXPECT_FALSE(store->Check({"large"}));
    EXPECT_EQ(server_->Snapshot(Soon()).value().transfer_bytes, 0u);
  }
}

TEST_P(SecurityTest, ATokenIsOfNoUseInALegacyDialect) {
  Serve(ServerWith({}));
  TcpStoreOptions client = Client();
  client.token_file = TokenFile(kToken);
  client.dialect = protocol::Dialect::kLegacy;
  EXPECT_THROW(TcpStore(env_, client), std::invalid_argument);
}

// --- By URL ---

TEST_P(SecurityTest, ATlsUrlHostsAndJoins) {
  const net::TlsServerFiles server = files_.Server(/*mutual=*/true);
  // So that everybody can know the port.
  const uint16_t port = GetFreePort(env_);
  const std::string common =
      "tls://127.0.0.1:" + std::to_string(port) +
      "?world_size=2&use_libuv=" + (GetParam().kind == net::EventLoopKind::kLibuv ? "1" : "0") +
      "&ca=" + files_.Path("ca.pem") + "&cert=" + server.certificate_chain +
      "&key=" + server.private_key + "&token_file=" + TokenFile(kToken);
  const auto worker = env_.StartThread("worker", [&] {
    const auto store = CreateStore(env_, common + "&rank=1");
    store->Set("from", "rank 1");
  });
  const auto host = CreateStore(env_, common + "&rank=0&client_ca=" + files_.Path("ca.pem"));
  EXPECT_EQ(host->Get("from", absl::Seconds(30)), "rank 1");
  const auto further = CreateStore(env_, common + "&rank=0&is_server=0");
  EXPECT_EQ(further->Get("from", absl::Seconds(30)), "rank 1");
}

TEST_P(SecurityTest, ATlsUrlThatHostsNeedsACertificate) {
  try {
    CreateStore(env_, "tls://127.0.0.1:29500?rank=0&world_size=1");
    ADD_FAILURE() << "it has no certificate";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("needs the parameters cert and key"));
  }
  EXPECT_THROW(CreateStore(env_, "tcp://127.0.0.1:29500?rank=0&world_size=1&cert=x"),
               std::invalid_argument);
}

INSTANTIATE_TEST_SUITE_P(EventLoops, SecurityTest,
                         testing::Values(Loops{net::EventLoopKind::kEpoll, 1},
                                         Loops{net::EventLoopKind::kLibuv, 1},
                                         Loops{net::EventLoopKind::kEpoll, 3}),
                         [](const auto& info) {
                           return absl::StrCat(net::EventLoopKindName(info.param.kind),
                                               info.param.count);
                         });

}  // namespace
}  // namespace rollcall
