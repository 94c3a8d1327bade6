// The code of production, unmodified, on the simulated network: connections, the epoll loop, the
// server, the client and the factory, in one OS thread and in virtual time.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/sim_env.h"
#include "fault_injection/sim_net.h"
#include "fault_injection/sim_net_options.h"
#include "fault_injection/world.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/address.h"
#include "net/connection.h"
#include "net/event_loop.h"
#include "store/dist_error.h"
#include "store/factory.h"
#include "store/server/store_server.h"
#include "store/tcp_store.h"
#include "testing/dist_error_matchers.h"

namespace rollcall::fault {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr uint16_t kPort = 29500;

// A world with a network; each host has a process.
class SimStoreTest : public testing::Test {
 protected:
  SimStoreTest() : SimStoreTest(WorldOptions{}, SimNetOptions{}) {}
  SimStoreTest(const WorldOptions& world_options, const SimNetOptions& net_options)
      : world_(world_options), net_(&world_, net_options) {}
  ~SimStoreTest() override { End(); }

  SimEnv& AddHost(const std::string& name) {
    const std::string address = absl::StrCat("10.0.0.", envs_.size() + 1);
    SimKernel& kernel = net_.AddHost(name, {address});
    SimProcess process;
    process.host = name;
    envs_.push_back(std::make_unique<SimEnv>(&world_, &kernel, process));
    return *envs_.back();
  }
  void Run() {
    const absl::Status ran = world_.Run();
    EXPECT_TRUE(ran.ok()) << ran << "\n" << net_.Sockets();
  }
  // Ends every process, and looks at what they leave.
  void End() {
    envs_.clear();
    for (const std::unique_ptr<SimKernel>& kernel : net_.hosts()) {
      EXPECT_EQ(kernel->usage().descriptors, 0) << kernel->host_name();
    }
    EXPECT_THAT(world_.abandoned(), testing::IsEmpty());
  }

  World world_;
  SimNet net_;
  std::vector<std::unique_ptr<SimEnv>> envs_;
};

TEST_F(SimStoreTest, ABlockingConnectionMeetsAnEventLoop) {
  SimEnv& server = AddHost("server");
  SimEnv& client = AddHost("client");

  class Echo final : public net::StreamHandler {
   public:
    Echo(net::EventLoop* loop, std::unique_ptr<net::Stream> stream)
        : loop_(*loop), stream_(std::move(stream)) {
      stream_->Start(this);
    }
    void OnBytes(absl::string_view bytes) override { stream_->Write(bytes); }
    void OnDrained() override {}
    void OnEnd(absl::Status) override {
      stream_->Close();
      loop_.Stop();
    }

   private:
    net::EventLoop& loop_;
    std::unique_ptr<net::Stream> stream_;
  };

  server.Start([&] {
    auto loop = server.NewEventLoop(net::EventLoopKind::kEpoll);
    ASSERT_TRUE(loop.ok());
    std::unique_ptr<Echo> echo;
    net::ListenOptions options;
    options.port = kPort;
    auto listener = (*loop)->Listen(options, [&](std::unique_ptr<net::Stream> stream) {
      echo = std::make_unique<Echo>(loop->get(), std::move(stream));
    });
    ASSERT_TRUE(listener.ok());
    (*loop)->Run();
  });
  client.Start([&] {
    client.SleepUntil(client.Now() + absl::Milliseconds(1));
    const absl::Time deadline = client.Now() + absl::Seconds(5);
    const auto addresses = client.Resolve({"server", kPort}, deadline);
    ASSERT_TRUE(addresses.ok()) << addresses.status();
    auto connection = client.ConnectAny(*addresses, deadline);
    ASSERT_TRUE(connection.ok()) << connection.status();
    const std::string sent(3'000'000, 'x');
    std::string received;
    const std::unique_ptr<net::Thread> writer = client.StartThread(
        "writer", [&] { EXPECT_TRUE((*connection)->Write(sent, deadline).ok()); });
    std::vector<char> buffer(1 << 16);
    while (received.size() < sent.size()) {
      const auto size_bytes = (*connection)->Read(buffer.data(), buffer.size(), deadline);
      ASSERT_TRUE(size_bytes.ok()) << size_bytes.status();
      received.append(buffer.data(), *size_bytes);
    }
    EXPECT_EQ(received, sent);
  });
  Run();
}

TEST_F(SimStoreTest, ASilentPeerTimesOutExactly) {
  SimEnv& server = AddHost("server");
  SimEnv& client = AddHost("client");
  server.Start([&] {
    auto listening = server.Listen({"", kPort});
    ASSERT_TRUE(listening.ok());
    auto connection = (*listening)->Accept(server.Now() + absl::Seconds(1));
    ASSERT_TRUE(connection.ok());
    server.SleepUntil(server.Now() + absl::Hours(1));
  });
  client.Start([&] {
    client.SleepUntil(client.Now() + absl::Milliseconds(1));
    auto connection = client.ConnectAny(
        {net::SocketAddress::FromNumeric("10.0.0.1", kPort).value()}, absl::InfiniteFuture());
    ASSERT_TRUE(connection.ok());
    const absl::Time start = client.Now();
    char byte;
    const auto read = (*connection)->Read(&byte, 1, start + absl::Minutes(5));
    EXPECT_FALSE(read.ok());
    EXPECT_EQ(client.Now() - start, absl::Minutes(5));
  });
  Run();
}

// What `rank` of `world_size` calls.
C10dStoreOptions OptionsOf(int rank, int world_size) {
  C10dStoreOptions options;
  options.is_server = rank == 0;
  options.server_addr = "w0";
  options.server_port = kPort;
  options.world_size = world_size;
  options.rank = rank;
  options.timeout = absl::Seconds(300);
  options.use_libuv = false;
  return options;
}

class SimRendezvousTest : public SimStoreTest, public testing::WithParamInterface<uint64_t> {
 protected:
  SimRendezvousTest() : SimStoreTest(WorldOptionsOfSeed(), NetOptions()) {}

  static WorldOptions WorldOptionsOfSeed() {
    WorldOptions options;
    options.seed = GetParam();
    return options;
  }
  static SimNetOptions NetOptions() {
    SimNetOptions options;
    options.link.jitter = absl::Microseconds(300);
    options.short_transfer_percent = 20;
    return options;
  }
};

TEST_P(SimRendezvousTest, FourRanksMeet) {
  constexpr int kWorldSize = 4;
  int met = 0;
  for (int rank = 0; rank < kWorldSize; ++rank) {
    SimEnv& env = AddHost(absl::StrCat("w", rank));
    env.Start([&, rank] {
      const std::unique_ptr<TcpStore> store = CreateC10dStore(env, OptionsOf(rank, kWorldSize));
      store->Set(absl::StrCat("addr/", rank), absl::StrCat("host", rank));
      for (int other = 0; other < kWorldSize; ++other) {
        EXPECT_EQ(store->Get(absl::StrCat("addr/", other)), absl::StrCat("host", other));
      }
      // The server leaves last.
      if (store->Add("done", 1) == kWorldSize) store->Set("all done", "");
      if (rank == 0) store->Wait({"all done"});
      ++met;
    });
  }
  Run();
  EXPECT_EQ(met, kWorldSize);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SimRendezvousTest, testing::Range<uint64_t>(1, 21));

// A server on three threads, and ranks that meet through it.
class SimThreadsTest : public SimRendezvousTest {};

TEST_P(SimThreadsTest, RanksOnDifferentThreadsOfTheServerMeet) {
  constexpr int kRanks = 12;
  SimEnv& server = AddHost("server");
  server.Start([&] {
    const auto started = StoreServer::Start(server, {.port = kPort, .io_threads = 3}).value();
    while (started->stats().connections_accepted < kRanks || started->stats().connections > 0) {
      server.SleepUntil(server.Now() + absl::Milliseconds(100));
    }
    EXPECT_EQ(started->stats().waiting_clients, 0u);
    started->Stop();
  });
  int met = 0;
  for (int rank = 0; rank < kRanks; ++rank) {
    SimEnv& env = AddHost(absl::StrCat("w", rank));
    env.Start([&, rank] {
      C10dStoreOptions options = OptionsOf(rank, kRanks);
      options.server_addr = "server";
      options.is_server = false;
      const std::unique_ptr<TcpStore> store = CreateC10dStore(env, options);
      store->Set(absl::StrCat("addr/", rank), absl::StrCat("host", rank));
      for (int other = 0; other < kRanks; ++other) {
        EXPECT_EQ(store->Get(absl::StrCat("addr/", other)), absl::StrCat("host", other));
      }
      store->Barrier("met", kRanks);
      store->QueuePush(absl::StrCat("for/", (rank + 1) % kRanks), absl::StrCat("from ", rank));
      EXPECT_EQ(store->QueuePop(absl::StrCat("for/", rank)),
                absl::StrCat("from ", (rank + kRanks - 1) % kRanks));
      ++met;
    });
  }
  Run();
  EXPECT_EQ(met, kRanks);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SimThreadsTest, testing::Range<uint64_t>(1, 21));

TEST_F(SimStoreTest, AServerThatGetsNoThreadSaysSoAndLeavesNothingOpen) {
  SimProcess process;
  process.host = "server";
  process.threads_max = 0;
  SimKernel& kernel = net_.AddHost("server", {"10.0.0.1"});
  envs_.push_back(std::make_unique<SimEnv>(&world_, &kernel, process));
  SimEnv& server = *envs_.back();
  server.Start([&] {
    const auto started = StoreServer::Start(server, {.port = kPort});
    EXPECT_EQ(started.status().code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(CodeOf(started.status()), ErrorCode::kResourceExhausted);
    EXPECT_THAT(std::string(started.status().message()), HasSubstr("thread"));
    EXPECT_EQ(kernel.usage().descriptors, 0);
  });
  Run();
}

TEST_F(SimStoreTest, AServerThatNeverComesIsADeadlineKeptExactly) {
  AddHost("w0");
  SimEnv& worker = AddHost("w1");
  worker.Start([&] {
    try {
      CreateC10dStore(worker, OptionsOf(1, 2));
      FAIL() << "nobody serves";
    } catch (const DistNetworkError& error) {
      EXPECT_THAT(error.what(), HasSubstr("refused"));
    }
    EXPECT_EQ(world_.elapsed(), absl::Seconds(300));
  });
  Run();
}

TEST_F(SimStoreTest, AWaitForAKeyThatNeverComesEndsExactly) {
  SimEnv& env = AddHost("w0");
  env.Start([&] {
    const std::unique_ptr<TcpStore> store = CreateC10dStore(env, OptionsOf(0, 1));
    const absl::Time start = env.Now();
    EXPECT_THROW(store->Wait({"never"}, absl::Seconds(42)), DistStoreError);
    EXPECT_EQ(env.Now() - start, absl::Seconds(42));
  });
  Run();
}

// --- Who does not come in time. The count and the census of the ranks go on until shortly before
// the deadline: only here do they always end before it. ---

TEST_F(SimStoreTest, AWorkerLearnsWhichRanksAreMissing) {
  SimEnv& host = AddHost("w0");
  host.Start([&] {
    C10dStoreOptions options = OptionsOf(0, 1);
    options.wait_for_workers = false;
    options.rank = -1;
    const std::unique_ptr<TcpStore> store = CreateC10dStore(host, options);
    host.SleepUntil(host.Now() + absl::Seconds(1));
  });
  SimEnv& worker = AddHost("w1");
  worker.Start([&] {
    C10dStoreOptions options = OptionsOf(2, 4);
    options.timeout = absl::Milliseconds(400);
    const absl::Time start = worker.Now();
    const auto error = DistErrorOf([&] { CreateC10dStore(worker, options); });
    EXPECT_EQ(worker.Now() - start, absl::Milliseconds(400));
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->code(), ErrorCode::kJoinTimeout);
    EXPECT_THAT(error->what(), StartsWith("Timed out after 0.4 seconds waiting for clients. 1/4 "
                                          "clients joined. missing ranks: 0, 1, 3"));
    EXPECT_THAT(error->details().missing_ranks, ElementsAre(0, 1, 3));
  });
  Run();
}

TEST_F(SimStoreTest, MissingWorkersAreNamedAtTheDeadline) {
  TcpStoreOptions options;
  options.host = "w0";
  options.port = kPort;
  options.world_size = 6;
  options.timeout = absl::Seconds(1);
  options.use_libuv = false;
  SimEnv& host = AddHost("w0");
  host.Start([&, options]() mutable {
    options.is_server = true;
    options.rank = 0;
    const auto error = DistErrorOf([&] { TcpStore(host, options); });
    EXPECT_EQ(world_.elapsed(), absl::Seconds(1));
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->code(), ErrorCode::kJoinTimeout);
    EXPECT_THAT(error->what(),
                StartsWith("Timed out after 1 seconds waiting for clients. 4/6 clients joined. "
                           "missing ranks: 1, 3, 5; 1 worker gave no rank and may be one of them"));
    EXPECT_THAT(error->details().missing_ranks, ElementsAre(1, 3, 5));
    EXPECT_EQ(error->details().world_size, 6);
  });
  for (const int rank : {2, 4, -1}) {
    SimEnv& worker = AddHost(absl::StrCat("worker", rank));
    worker.Start([&worker, options, rank]() mutable {
      options.rank = rank;
      TcpStore(worker, options);
    });
  }
  Run();
}

TEST_F(SimStoreTest, WorkersWithoutRanksCanOnlyBeCounted) {
  SimEnv& host = AddHost("w0");
  host.Start([&] {
    C10dStoreOptions options = OptionsOf(0, 2);
    options.rank = -1;
    options.timeout = absl::Milliseconds(1500);
    const auto error = DistErrorOf([&] { CreateC10dStore(host, options); });
    ASSERT_TRUE(error.has_value());
    EXPECT_THAT(error->what(),
                StartsWith("Timed out after 1.5 seconds waiting for clients. 1/2 clients joined. "
                           "the workers that joined gave no rank"));
    EXPECT_TRUE(error->details().missing_ranks.empty());
  });
  Run();
}

}  // namespace
}  // namespace rollcall::fault
