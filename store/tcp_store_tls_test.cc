// TLS between a TcpStore and a server, over real sockets, on both event loops.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/event_loop.h"
#include "net/tls/tls_files.h"
#include "store/dist_error.h"
#include "store/error_code.h"
#include "store/factory.h"
#include "store/security_scenario.h"
#include "store/server/server_options.h"
#include "store/server/store_server.h"
#include "store/store.h"
#include "store/tcp_store.h"
#include "testing/dist_error_matchers.h"
#include "testing/tls_authority.h"

namespace rollcall {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kToken[] = "a_token_of_the_job";

class TlsStoreTest : public SecurityScenario {};

TEST_P(TlsStoreTest, ServesOverTls) {
  Serve(ServerWith(files_.Server()));
  const auto store = Open(Client(files_.Client()));
  ExpectServed(*store);
  const auto clone = store->Clone();
  ExpectServed(*clone);
}

TEST_P(TlsStoreTest, CarriesTheLargestValuesBothWays) {
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

TEST_P(TlsStoreTest, OneThreadWaitsWhileOthersWrite) {
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

TEST_P(TlsStoreTest, ClosingAStoreEndsAWaitOverTls) {
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

TEST_P(TlsStoreTest, ServesManyAtOnce) {
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

TEST_P(TlsStoreTest, MutualTlsServesOnlyWhomTheAuthorityKnows) {
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

TEST_P(TlsStoreTest, AClientLooksAtTheServersCertificate) {
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

TEST_P(TlsStoreTest, EachSideIsToldWhenTheOtherHasNoTls) {
  Serve(ServerWith(files_.Server()));
  EXPECT_THAT(Failure(Client()), testing::AllOf(HasSubstr("TLS_FAILED: "),
                                                HasSubstr("the server's port is one for TLS")));
  ExpectServed(*Open(Client(files_.Client())));
  Serve(ServerWith({}));
  EXPECT_THAT(Failure(Client(files_.Client())),
              testing::AllOf(HasSubstr("TLS_FAILED: "), HasSubstr("the port is one without TLS")));
  ExpectServed(*Open(Client()));
}

TEST_P(TlsStoreTest, WhoDoesNotShakeHandsIsCutOff) {
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

TEST_P(TlsStoreTest, PlainBytesCostThatOneConnection) {
  Serve(ServerWith(files_.Server()));
  const auto store = Open(Client(files_.Client()));
  const auto stranger = RawClient(server_->port());
  ASSERT_EQ(stranger->Write("GET / HTTP/1.1\r\n", Soon()), absl::OkStatus());
  EXPECT_EQ(HearToTheEnd(*stranger).substr(0, 2), "\x15\x03");
  ExpectServed(*store);
}

TEST_P(TlsStoreTest, CertificatesAreReadAnewWithoutDroppingAnybody) {
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

TEST_P(TlsStoreTest, ABrokenFileChangesNothing) {
  Serve(ServerWith(files_.Server()));
  files_.Write("server.key", "no key");
  const absl::Status reloaded = server_->Reload();
  EXPECT_THAT(reloaded.ToString(), testing::AllOf(HasSubstr("server.key"),
                                                  HasSubstr("the private key is no PEM of one")));
  ExpectServed(*Open(Client(files_.Client())));
}

TEST_P(TlsStoreTest, TwoPortsAreServedAtOnceAndThePlainOneIsOfThisHost) {
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

TEST_P(TlsStoreTest, AServerThatCannotBeWhatItShouldDoesNotStart) {
  net::TlsServerFiles files = files_.Server();
  files.private_key = files_.Path("nowhere");
  EXPECT_THAT(StoreServer::Start(env_, ServerWith(files)).status().ToString(),
              testing::AllOf(HasSubstr("cannot read"), HasSubstr("nowhere: No such file")));
}

TEST_P(TlsStoreTest, ALargeValueThatHasNoRoomIsRefusedWhileItIsSent) {
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

// --- By URL ---

TEST_P(TlsStoreTest, ATlsUrlHostsAndJoins) {
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

TEST_P(TlsStoreTest, ATlsUrlThatHostsNeedsACertificate) {
  try {
    CreateStore(env_, "tls://127.0.0.1:29500?rank=0&world_size=1");
    ADD_FAILURE() << "it has no certificate";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("needs the parameters cert and key"));
  }
  EXPECT_THROW(CreateStore(env_, "tcp://127.0.0.1:29500?rank=0&world_size=1&cert=x"),
               std::invalid_argument);
}

INSTANTIATE_TEST_SUITE_P(EventLoops, TlsStoreTest, EveryLoops(), LoopsName);

}  // namespace
}  // namespace rollcall
