// What each call of a TcpStore costs: the system calls that its thread makes, and how often it
// waits for the network. Time in a world is the network's alone, so that a round trip can be
// counted by the clock.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/fault_point.h"
#include "fault_injection/sim_env.h"
#include "fault_injection/sim_net.h"
#include "fault_injection/world.h"
#include "gtest/gtest.h"
#include "net/env.h"
#include "store/batch.h"
#include "store/server/server_options.h"
#include "store/server/store_server.h"
#include "store/tcp_store.h"

namespace rollcall::fault {
namespace {

constexpr uint16_t kPort = 29500;
constexpr absl::Duration kLatency = absl::Milliseconds(1);

// Writes down the calls of host "w0" that move bytes or wait for them.
class Calls final : public FaultInjector {
 public:
  CallFault OnCall(const CallSite& site) override {
    const bool counts = site.call == "send" || site.call == "sendmsg" || site.call == "recv" ||
                        site.call == "poll" || site.call == "connect";
    if (site.host == "w0" && counts) names_.emplace_back(site.call);
    return {};
  }
  std::vector<std::string> Take() { return std::exchange(names_, {}); }

 private:
  std::vector<std::string> names_;
};

// A server, and a client "w0" one millisecond away.
class RoundTripsTest : public testing::Test {
 protected:
  RoundTripsTest()
      : net_(&world_, {.link = {.latency = kLatency}, .yields = false}),
        server_env_(&world_, &net_.AddHost("server", {"10.0.0.1"}), SimProcess{.host = "server"}),
        client_env_(&world_, &net_.AddHost("w0", {"10.0.0.2"}), SimProcess{.host = "w0"}) {
    net_.SetInjector(&calls_);
  }

  // Runs `body` as the client's process, with a server for as long as it takes.
  void Run(std::function<void()> body) {
    server_env_.Start([this] {
      ServerOptions options;
      options.port = kPort;
      auto server = StoreServer::Start(server_env_, options);
      ASSERT_TRUE(server.ok()) << server.status();
      server_env_.SleepUntil(server_env_.Now() + absl::Seconds(10));
    });
    client_env_.Start([this, body = std::move(body)] {
      client_env_.SleepUntil(client_env_.Now() + absl::Milliseconds(10));
      body();
    });
    EXPECT_EQ(world_.Run(), absl::OkStatus());
  }

  TcpStoreOptions Options() {
    TcpStoreOptions options;
    options.host = "server";
    options.port = kPort;
    return options;
  }

  // "1 round trip: send recv"
  std::string CostOf(const std::function<void()>& call) {
    calls_.Take();
    const absl::Time start = client_env_.Now();
    call();
    const absl::Duration took = client_env_.Now() - start;
    const int64_t trips = took / (2 * kLatency);
    EXPECT_LT(took - trips * 2 * kLatency, kLatency / 10) << "not a whole number of round trips";
    return absl::StrCat(
        trips, trips == 1 ? " round trip: " : " round trips: ", absl::StrJoin(calls_.Take(), " "));
  }

  World world_;
  SimNet net_;
  Calls calls_;
  SimEnv server_env_;
  SimEnv client_env_;
};

TEST_F(RoundTripsTest, ARequestIsOneSendAndItsReplyOneReceive) {
  Run([this] {
    TcpStore store(client_env_, Options());
    constexpr absl::string_view kOne = "1 round trip: send recv";
    EXPECT_EQ(CostOf([&] { store.Add("n", 1); }), kOne);
    EXPECT_EQ(CostOf([&] { store.CompareSet("c", "", "x"); }), kOne);
    EXPECT_EQ(CostOf([&] { store.Check({"n"}); }), kOne);
    EXPECT_EQ(CostOf([&] { store.Wait({"n"}, absl::Seconds(1)); }), kOne);
    EXPECT_EQ(CostOf([&] { store.DeleteKey("c"); }), kOne);
    EXPECT_EQ(CostOf([&] { store.NumKeys(); }), kOne);
    EXPECT_EQ(CostOf([&] { store.ListKeys(); }), kOne);
    EXPECT_EQ(CostOf([&] { store.QueueLen("q"); }), kOne);
    EXPECT_EQ(CostOf([&] { store.Ping(); }), kOne);
  });
}

TEST_F(RoundTripsTest, AWriteWithoutAReplyIsOneSend) {
  Run([this] {
    TcpStore store(client_env_, Options());
    constexpr absl::string_view kSend = "0 round trips: send";
    EXPECT_EQ(CostOf([&] { store.Set("k", "v"); }), kSend);
    EXPECT_EQ(CostOf([&] { store.Append("k", "w"); }), kSend);
    EXPECT_EQ(CostOf([&] { store.MultiSet({"a", "b"}, {"1", "2"}); }), kSend);
    EXPECT_EQ(CostOf([&] { store.QueuePush("q", "job"); }), kSend);
  });
}

TEST_F(RoundTripsTest, ALargeValueIsSentFromWhereItIs) {
  Run([this] {
    TcpStore store(client_env_, Options());
    const std::string value(1 << 20, 'v');
    EXPECT_EQ(CostOf([&] { store.Set("k", value); }), "0 round trips: send send");
    EXPECT_EQ(store.Get("k"), value);
  });
}

TEST_F(RoundTripsTest, AKeyThatIsThereIsGotInOneRoundTrip) {
  Run([this] {
    TcpStore store(client_env_, Options());
    store.Set("k", "v");
    // The first get too: what the server can do was learned from the greeting.
    EXPECT_EQ(CostOf([&] { EXPECT_EQ(store.Get("k"), "v"); }), "1 round trip: send recv");
    EXPECT_EQ(CostOf([&] { EXPECT_EQ(store.Get("k", absl::ZeroDuration()), "v"); }),
              "1 round trip: send recv");
  });
}

TEST_F(RoundTripsTest, AnEmptyValueIsAskedForAgain) {
  Run([this] {
    TcpStore store(client_env_, Options());
    store.Set("empty", "");
    EXPECT_EQ(CostOf([&] { EXPECT_EQ(store.Get("empty"), ""); }),
              "2 round trips: send recv send recv");
  });
}

TEST_F(RoundTripsTest, TheCallsThatWaitAndThenFetchAreTwoRoundTrips) {
  Run([this] {
    TcpStore store(client_env_, Options());
    store.MultiSet({"a", "b"}, {"1", "2"});
    store.QueuePush("q", "job");
    constexpr absl::string_view kTwo = "2 round trips: send recv send recv";
    EXPECT_EQ(CostOf([&] { store.MultiGet({"a", "b"}); }), kTwo);
    EXPECT_EQ(CostOf([&] { store.QueuePop("q"); }), kTwo);
  });
}

TEST_F(RoundTripsTest, ABatchIsOneRoundTrip) {
  Run([this] {
    TcpStore store(client_env_, Options());
    Batch batch(store);
    std::vector<Batch::Result<std::optional<std::string>>> values;
    for (int i = 0; i < 10; ++i) {
      const std::string key = absl::StrCat("key", i);
      batch.Set(key, "value");
      batch.Add("n", 1);
      values.push_back(batch.Get(i % 2 == 0 ? key : "missing"));
    }
    constexpr absl::string_view kOne = "1 round trip: send recv";
    EXPECT_EQ(CostOf([&] { batch.Run(); }), kOne);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(values[i].value().has_value(), i % 2 == 0);
    // Unlike single writes, these are confirmed.
    batch.Set("k", "v");
    batch.Append("k", "w");
    EXPECT_EQ(CostOf([&] { batch.Run(); }), kOne);
  });
}

TEST_F(RoundTripsTest, ConnectingGreetingAndJoiningAreOneRoundTripEach) {
  Run([this] {
    std::optional<TcpStore> store;
    EXPECT_EQ(CostOf([&] { store.emplace(client_env_, Options()); }),
              "2 round trips: connect poll send recv");
    store.reset();
    TcpStoreOptions options = Options();
    options.world_size = 2;
    options.rank = 1;
    EXPECT_EQ(CostOf([&] { store.emplace(client_env_, options); }),
              "3 round trips: connect poll send recv send recv");
  });
}

}  // namespace
}  // namespace rollcall::fault
