// How a TcpStore comes to be: its server, its connection, and the workers that join.
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/dist_error.h"
#include "store/tcp_store.h"
#include "store/tcp_store_fixture.h"
#include "testing/dist_error_matchers.h"

namespace rollcall {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

INSTANTIATE_TEST_SUITE_P(Backend, TcpStoreTest, testing::Bool(), BackendName);

// --- Making one ---

TEST_P(TcpStoreTest, DescribesItself) {
  const auto host = NewHost();
  EXPECT_THAT(host->Describe(),
              MatchesRegex(absl::StrCat("TcpStore\\(client=.*127.0.0.1:[0-9]+ -> .*127.0.0.1:",
                                        host->port(), ", server=\\[::\\]:", host->port(), " \\(",
                                        GetParam() ? "libuv" : "epoll", "\\)\\)")));
  EXPECT_THAT(NewClient(*host)->Describe(), HasSubstr("server=none"));
  EXPECT_EQ(host->host(), "127.0.0.1");
  EXPECT_EQ(host->libuvBackend(), GetParam());
  EXPECT_TRUE(host->is_server());
  EXPECT_FALSE(NewClient(*host)->is_server());
  host->Ping();
}

TEST_P(TcpStoreTest, ClonesShareTheDataAndNotTheServer) {
  const auto host = NewHost();
  host->SetTimeout(absl::Seconds(7));
  const auto clone = host->Clone();
  clone->Set("k", "v");
  EXPECT_EQ(host->Get("k"), "v");
  EXPECT_EQ(clone->timeout(), absl::Seconds(7));
  EXPECT_THAT(clone->Describe(), HasSubstr("server=none"));
}

TEST_P(TcpStoreTest, ATakenPortIsAnErrorAtOnce) {
  const auto host = NewHost();
  TcpStoreOptions options = ServerOptionsOf();
  options.port = host->port();
  const auto error = DistErrorOf([&] { NewStore(options); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kAddressInUse);
  EXPECT_THAT(error->what(),
              AllOf(StartsWith("The server socket has failed to listen on any local network "
                               "address. port: "),
                    HasSubstr(absl::StrCat(host->port())), HasSubstr("address already in use")));
}

TEST_P(TcpStoreTest, MultiTenantServersOnOnePortAreOne) {
  TcpStoreOptions options = ServerOptionsOf();
  options.multi_tenant = true;
  auto first = NewStore(options);
  options.port = first->port();
  options.use_libuv = !options.use_libuv;
  const auto second = NewStore(options);
  EXPECT_EQ(first->server(), second->server());
  first->Set("k", "v");
  EXPECT_EQ(second->Get("k"), "v");
  first.reset();
  EXPECT_EQ(second->Get("k"), "v");
  options.port = 0;
  EXPECT_NE(NewStore(options)->port(), second->port());
}

TEST_P(TcpStoreTest, AMultiTenantServerEndsWithItsLastStoreAndCanBeStartedAgain) {
  TcpStoreOptions options = ServerOptionsOf();
  options.multi_tenant = true;
  options.port = NewStore(options)->port();
  for (int round = 0; round < 3; ++round) {
    const auto host = NewStore(options);
    EXPECT_EQ(host->NumKeys(), 0);
    host->Set("k", "v");
  }
}

// Sets an environment variable for as long as it lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    setenv(name, value.c_str(), /*overwrite=*/1);
  }
  ~Variable() { unsetenv(name_); }

 private:
  const char* const name_;
};

TEST_P(TcpStoreTest, WhereTheAgentHasTheStoreAServerBecomesItsClient) {
  const auto agent = NewHost();
  TcpStoreOptions options = ServerOptionsOf();
  options.port = agent->port();
  EXPECT_DIST_ERROR(NewStore(options), ErrorCode::kAddressInUse);
  const Variable use("TORCHELASTIC_USE_AGENT_STORE", "True");
  {
    const Variable other_port("MASTER_PORT", "1");
    EXPECT_DIST_ERROR(NewStore(options), ErrorCode::kAddressInUse);
  }
  const Variable port("MASTER_PORT", absl::StrCat(agent->port()));
  const auto rank = NewStore(options);
  EXPECT_FALSE(rank->is_server());
  rank->Set("k", "v");
  EXPECT_EQ(agent->Get("k"), "v");
}

TEST_P(TcpStoreTest, AServerTakesOverABoundSocket) {
  auto socket = env_.Listen({.host = "127.0.0.1", .port = 0}).value();
  TcpStoreOptions options = ServerOptionsOf();
  const uint16_t port = socket->address().port();
  options.port = port == 65535 ? 65534 : port + 1;
  options.listen_fd = socket->fd();
  EXPECT_DIST_ERROR(NewStore(options), ErrorCode::kListenDescriptor);
  options.port = port;
  const auto host = NewStore(options);
  socket->Release();
  EXPECT_EQ(host->port(), port);
}

TEST_P(TcpStoreTest, ContradictingOptionsAreInvalidArguments) {
  TcpStoreOptions options = ServerOptionsOf();
  options.world_size = 0;
  EXPECT_THROW(NewStore(options), std::invalid_argument);
  options = ServerOptionsOf();
  options.host = "";
  EXPECT_THROW(NewStore(options), std::invalid_argument);
  options = ServerOptionsOf();
  options.timeout = -absl::Seconds(1);
  EXPECT_THROW(NewStore(options), std::invalid_argument);
  options = ServerOptionsOf();
  options.is_server = false;
  options.listen_fd = 0;
  EXPECT_THROW(NewStore(options), std::invalid_argument);
}

TEST_P(TcpStoreTest, NobodyListening) {
  TcpStoreOptions options = ServerOptionsOf();
  options.is_server = false;
  {
    const auto socket = env_.Listen({.host = "127.0.0.1", .port = 0}).value();
    options.port = socket->address().port();
  }
  options.timeout = absl::Milliseconds(200);
  const absl::Time start = env_.Now();
  const auto error = DistErrorOf([&] { NewStore(options); });
  const absl::Duration took = env_.Now() - start;
  EXPECT_GE(took, absl::Milliseconds(200));
  EXPECT_LT(took, absl::Seconds(2));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kConnectRefused);
  EXPECT_THAT(error->what(),
              StartsWith(absl::StrCat("The client socket has timed out after 200ms while trying to "
                                      "connect to (127.0.0.1, ",
                                      options.port, ").")));
  EXPECT_GT(error->details().attempts, 1);
}

TEST_P(TcpStoreTest, AHostWithoutAnAddress) {
  TcpStoreOptions options = ServerOptionsOf();
  options.is_server = false;
  options.host = "dnsnotexist.invalid";
  options.port = 1;
  options.timeout = absl::Milliseconds(200);
  const auto error = DistErrorOf([&] { NewStore(options); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kNameLookup);
  EXPECT_THAT(error->what(), MatchesRegex("The client socket has timed out after .*dnsnotexist.*"));
}

// --- Joining; fault_injection/sim_store_test.cc has who does not come in time ---

TEST_P(TcpStoreTest, TheHostWaitsUntilAllWorkersHaveJoined) {
  TcpStoreOptions options = ServerOptionsOf();
  options.world_size = 3;
  TakeOverFreePort(options);
  std::vector<std::unique_ptr<net::Thread>> workers;
  for (int rank = 1; rank < 3; ++rank) {
    workers.push_back(Start([this, options, rank] {
      TcpStoreOptions worker = options;
      worker.is_server = false;
      worker.listen_fd = -1;
      worker.rank = rank;
      NewStore(worker)->Set(absl::StrCat("rank", rank), "was here");
    }));
  }
  const auto host = NewStore(options);
  host->Wait({"rank1", "rank2"});
  // The counter; the marks are not counted.
  EXPECT_EQ(host->NumKeys(), 3);
  EXPECT_THAT(host->ListKeys(), testing::UnorderedElementsAre("rank1", "rank2"));
}

}  // namespace
}  // namespace rollcall
