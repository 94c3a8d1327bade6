// TLS over the simulated network: the client and the server of production, and what becomes of a
// handshake that the network interrupts.
//
// OpenSSL draws its own random numbers, so the bytes differ from run to run, and a world does not
// look at them. Their lengths and all else are the same: keys and signatures are of kinds whose
// length is fixed (testing/tls_authority.h).
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fault_injection/determinism.h"
#include "fault_injection/sim_env.h"
#include "fault_injection/sim_net.h"
#include "fault_injection/world.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/env.h"
#include "net/tls/tls_files.h"
#include "store/dist_error.h"
#include "store/error_code.h"
#include "store/server/store_server.h"
#include "store/tcp_store.h"
#include "testing/tls_directory.h"

namespace rollcall::fault {
namespace {

using testing::AnyOf;
using testing::Eq;
using testing::IsEmpty;

constexpr uint16_t kPort = 29500;
constexpr absl::Duration kTimeout = absl::Seconds(2);
// A handshake, a greeting and a token are over 600 us after the client began, at 50 us a packet.
constexpr absl::Duration kStep = absl::Microseconds(25);
constexpr int kSteps = 32;

class SimTlsTest : public testing::Test {
 protected:
  // A server that wants a certificate and a token, and one client that has both and begins after a
  // second; `client` is told how it went.
  void Meet(World& world, const std::function<void(SimNet&)>& prepare,
            const std::function<void(net::Env&, absl::StatusOr<std::unique_ptr<TcpStore>>)>& client,
            const std::function<void(net::Env&, StoreServer&)>& server_at_the_end) {
    SimNet net(&world);
    SimEnv server_env(&world, &net.AddHost("server", {"10.0.0.1"}), SimProcess{.host = "server"});
    SimEnv client_env(&world, &net.AddHost("w0", {"10.0.0.2"}), SimProcess{.host = "w0"});
    prepare(net);
    const absl::Time start = world.options().start;
    server_env.Start([&] {
      auto server = StoreServer::Start(
          server_env,
          {.port = kPort, .tls = files_.Server(/*mutual=*/true), .token_file = token_file_});
      ASSERT_TRUE(server.ok()) << server.status();
      server_env.SleepUntil(start + absl::Minutes(5));
      server_at_the_end(server_env, **server);
    });
    client_env.Start([&] {
      client_env.SleepUntil(start + absl::Seconds(1));
      TcpStoreOptions options;
      options.host = "server";
      options.port = kPort;
      options.tls = client_;
      options.tls_server_name = "localhost";
      options.token_file = token_file_;
      options.timeout = kTimeout;
      client(client_env, TcpStore::Open(client_env, options));
    });
    EXPECT_EQ(world.Run(), absl::OkStatus()) << net.Sockets();
    for (const auto& kernel : net.hosts()) {
      EXPECT_EQ(kernel->usage().descriptors, 0) << kernel->host_name() << "\n" << net.Sockets();
    }
    EXPECT_THAT(world.abandoned(), IsEmpty());
  }

  static void ExpectServed(absl::StatusOr<std::unique_ptr<TcpStore>> store) {
    ASSERT_TRUE(store.ok()) << store.status();
    (*store)->Set("key", "value");
    EXPECT_EQ((*store)->Get("key", kTimeout), "value");
  }

  TlsDirectory files_{WorldOptions().start};
  const net::TlsClientFiles client_ = files_.Client(/*known=*/true);
  const std::string token_file_ = files_.Write("tokens", "the_token_of_the_world");
};

TEST_F(SimTlsTest, ARunIsTheSameEveryTime) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    WorldOptions options;
    options.seed = seed;
    EXPECT_EQ(
        RunTwiceAndCompare(options,
                           [&](World& world) {
                             Meet(
                                 world, [](SimNet&) {},
                                 [](net::Env&, auto store) { ExpectServed(std::move(store)); },
                                 [](net::Env&, StoreServer& server) {
                                   EXPECT_EQ(server.stats().connections, 0u);
                                 });
                           }),
        absl::OkStatus());
  }
}

// Whatever it breaks off, the client begins again and comes in.
TEST_F(SimTlsTest, AResetAtAnyMomentOfTheHandshakeCostsOneAttempt) {
  for (int step = 0; step < kSteps; ++step) {
    World world((WorldOptions()));
    Meet(
        world,
        [&](SimNet& net) {
          world.At(world.options().start + absl::Seconds(1) + step * kStep, "reset",
                   [&net] { net.ResetConnections("w0"); });
        },
        [&](net::Env& env, absl::StatusOr<std::unique_ptr<TcpStore>> store) {
          SCOPED_TRACE(step);
          ASSERT_TRUE(store.ok()) << store.status();
          env.SleepUntil(env.Now() + absl::Seconds(1));
          try {
            (*store)->Add("n", 1);
          } catch (const DistNetworkError& error) {
            // It came in before.
            EXPECT_EQ(error.code(), ErrorCode::kConnectionLost);
          }
          EXPECT_THAT((*store)->Add("n", 1), AnyOf(Eq(1), Eq(2)));
        },
        [](net::Env&, StoreServer& server) { EXPECT_EQ(server.stats().connections, 0u); });
  }
}

// The client gives up at its deadline and says so; the server keeps nothing of it.
TEST_F(SimTlsTest, SilenceFromAnyMomentOfTheHandshakeOnEndsAtTheDeadline) {
  int failed_in_tls = 0;
  for (int step = 0; step < kSteps; ++step) {
    World world((WorldOptions()));
    Meet(
        world,
        [&](SimNet& net) {
          world.At(world.options().start + absl::Seconds(1) + step * kStep, "silence",
                   [&net] { net.CutBothWays("server", "w0"); });
        },
        [&](net::Env& env, absl::StatusOr<std::unique_ptr<TcpStore>> store) {
          SCOPED_TRACE(step);
          if (store.ok()) return;
          EXPECT_EQ(env.Now(), WorldOptions().start + absl::Seconds(1) + kTimeout);
          const ErrorCode code = CodeOf(store.status());
          EXPECT_THAT(code, AnyOf(Eq(ErrorCode::kConnectNoAnswer), Eq(ErrorCode::kTlsFailed),
                                  Eq(ErrorCode::kNotAStore)))
              << store.status();
          if (code == ErrorCode::kTlsFailed) ++failed_in_tls;
        },
        [](net::Env&, StoreServer& server) { EXPECT_EQ(server.stats().connections, 0u); });
  }
  EXPECT_GT(failed_in_tls, 0);
}

}  // namespace
}  // namespace rollcall::fault
