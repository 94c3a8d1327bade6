// A server with a journal, and its clients, in a simulated world: what is answered and when, what a
// full disk leaves, and that a server's deaths are seen by nobody but as time.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fault_injection/history.h"
#include "fault_injection/linearize.h"
#include "fault_injection/recording_store.h"
#include "fault_injection/sim_env.h"
#include "fault_injection/sim_net.h"
#include "fault_injection/sim_net_options.h"
#include "fault_injection/world.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/batch.h"
#include "store/dist_error.h"
#include "store/journal/fake_journal.h"
#include "store/journal/journaled_engine.h"
#include "store/server/store_server.h"
#include "store/tcp_store.h"

namespace rollcall::fault {
namespace {

using testing::HasSubstr;

constexpr uint16_t kPort = 29500;
constexpr absl::Duration kCommitLatency = absl::Milliseconds(10);

class SimJournalTest : public testing::Test {
 protected:
  SimJournalTest() : SimJournalTest(WorldOptions{}) {}
  explicit SimJournalTest(const WorldOptions& options) : world_(options), net_(&world_, {}) {
    NewProcess("disk");
    disk_ = std::make_unique<FakeDisk>(*envs_.back());
  }
  ~SimJournalTest() override {
    world_.KillAll();
    disk_.reset();
    envs_.clear();
  }

  SimEnv& NewProcess(const std::string& host) {
    if (!hosts_.contains(host)) {
      hosts_[host] = &net_.AddHost(host, {absl::StrCat("10.0.0.", hosts_.size() + 1)});
    }
    SimProcess process;
    process.host = host;
    envs_.push_back(std::make_unique<SimEnv>(&world_, hosts_[host], process));
    return *envs_.back();
  }

  // Serves until the clients have ended, or it is killed.
  void StartServer(int io_threads = 1) {
    SimEnv& env = NewProcess("server");
    env.Start([this, &env, io_threads] {
      JournaledEngineOptions options;
      options.open_journal = disk_->Opener(env, kCommitLatency);
      options.on_failure = [this](const absl::Status& why) { failures_.push_back(why); };
      const auto server = StoreServer::Start(env, {.port = kPort, .io_threads = io_threads},
                                             NewJournaledEngine(options))
                              .value();
      while (clients_ > 0 && failures_.empty()) {
        env.SleepUntil(env.Now() + absl::Milliseconds(100));
      }
      server->Stop();
    });
  }

  void KillServer() {
    net_.ExitProcess("server");
    world_.Kill("server");
  }
  void RestartServer(int io_threads = 1) {
    net_.RestartHost("server");
    StartServer(io_threads);
  }

  // Runs `work` with a store of its own.
  void StartClient(const std::string& host, std::function<void(SimEnv&, TcpStore&)> work,
                   bool resumes = true) {
    SimEnv& env = NewProcess(host);
    ++clients_;
    env.Start([this, &env, work = std::move(work), resumes] {
      TcpStoreOptions options;
      options.host = "server";
      options.port = kPort;
      options.timeout = absl::Minutes(5);
      options.resumes = resumes;
      auto store = std::make_unique<TcpStore>(env, options);
      work(env, *store);
      store.reset();
      --clients_;
    });
  }

  void Run() {
    const absl::Status ran = world_.Run();
    EXPECT_TRUE(ran.ok()) << ran;
  }

  World world_;
  SimNet net_;
  std::map<std::string, SimKernel*> hosts_;
  std::vector<std::unique_ptr<SimEnv>> envs_;
  std::unique_ptr<FakeDisk> disk_;
  std::vector<absl::Status> failures_;
  int clients_ = 0;
};

TEST_F(SimJournalTest, NothingIsAnsweredBeforeItIsSafe) {
  StartServer();
  StartClient("w0", [&](SimEnv& env, TcpStore& store) {
    const auto took = [&env](const std::function<void()>& call) {
      const absl::Time began = env.Now();
      call();
      return env.Now() - began;
    };
    EXPECT_GE(took([&] { store.Add("n", 1); }), kCommitLatency);
    EXPECT_GE(took([&] { store.Set("k", "v"); }), kCommitLatency);
    // A read has nothing to wait for.
    EXPECT_LT(took([&] { EXPECT_EQ(store.Get("k"), "v"); }), kCommitLatency);
    EXPECT_LT(took([&] { EXPECT_TRUE(store.Check({"n"})); }), kCommitLatency);
  });
  Run();
}

TEST_F(SimJournalTest, NobodyIsShownWhatACrashCouldUndo) {
  StartServer();
  absl::Time set_at;
  StartClient("w0", [&](SimEnv& env, TcpStore& store) {
    store.Add("n", 1);  // Has its session.
    env.SleepUntil(env.Now() + absl::Seconds(1));
    set_at = env.Now();
    store.Set("k", "v");
  });
  StartClient("w1", [&](SimEnv& env, TcpStore& store) {
    store.Wait({"k"});
    EXPECT_GE(env.Now() - set_at, kCommitLatency);
  });
  StartClient("w2", [&](SimEnv& env, TcpStore& store) {
    while (set_at == absl::Time()) env.SleepUntil(env.Now() + absl::Milliseconds(1));
    // It asks while the commit is on its way, and is answered after it.
    env.SleepUntil(set_at + absl::Milliseconds(2));
    EXPECT_TRUE(store.Check({"k"}));
    EXPECT_GE(env.Now() - set_at, kCommitLatency);
  });
  Run();
}

TEST_F(SimJournalTest, ManyRequestsShareACommit) {
  constexpr int kClients = 40;
  StartServer(/*io_threads=*/3);
  for (int i = 0; i < kClients; ++i) {
    StartClient(absl::StrCat("w", i), [](SimEnv& env, TcpStore& store) {
      env.SleepUntil(env.Now() + absl::Seconds(1));
      store.Add("n", 1);
    });
  }
  Run();
  // One that finds the disk idle, one for all that came meanwhile, and some for stragglers.
  EXPECT_LE(disk_->commits(), 6);
}

TEST_F(SimJournalTest, AFullDiskEndsTheServerAndNothingElseIsLost) {
  disk_->FailCommitAfter(3, absl::ResourceExhaustedError("the disk is full"));
  StartServer();
  int acknowledged = 0;
  StartClient(
      "w0",
      [&](SimEnv&, TcpStore& store) {
        try {
          while (true) {
            store.Add("n", 1);
            ++acknowledged;
          }
        } catch (const DistNetworkError& error) {
          EXPECT_EQ(error.code(), ErrorCode::kConnectionLost) << error.what();
        }
      },
      /*resumes=*/false);
  Run();
  EXPECT_EQ(acknowledged, 3);
  ASSERT_EQ(failures_.size(), 1u);
  EXPECT_THAT(std::string(failures_[0].message()), HasSubstr("full"));

  // There is room again.
  failures_.clear();
  disk_->FailCommitAfter(1 << 20, absl::OkStatus());
  net_.ExitProcess("server");
  RestartServer();
  StartClient("w1", [&](SimEnv&, TcpStore& store) { EXPECT_EQ(store.Add("n", 0), 3); });
  Run();
}

// --- Deaths ---

class SimDeathsTest : public SimJournalTest, public testing::WithParamInterface<uint64_t> {
 protected:
  static WorldOptions OfSeed(uint64_t seed) {
    WorldOptions options;
    options.seed = seed;
    return options;
  }
  SimDeathsTest() : SimJournalTest(OfSeed(GetParam())) {}

  // Kills the server again and again while clients work, and starts it anew after a while.
  void StartReaper(int deaths) {
    SimEnv& env = NewProcess("reaper");
    env.Start([this, &env, deaths] {
      for (int i = 0; i < deaths; ++i) {
        env.SleepUntil(env.Now() + absl::Milliseconds(20 + env.RandomBits() % 300));
        KillServer();
        env.SleepUntil(env.Now() + absl::Milliseconds(env.RandomBits() % 2000));
        RestartServer(1 + i % 2);
      }
    });
  }
};

TEST_P(SimDeathsTest, AreSeenByNobodyAndNothingIsAppliedTwice) {
  constexpr int kClients = 3;
  constexpr int kRounds = 6;
  HistoryRecorder recorder(*envs_.front());
  StartServer();
  StartReaper(/*deaths=*/3);
  for (int i = 0; i < kClients; ++i) {
    StartClient(absl::StrCat("w", i), [&, i](SimEnv& env, TcpStore& store) {
      RecordingStore recording(std::shared_ptr<Store>(store.Clone()), &recorder);
      for (int round = 0; round < kRounds; ++round) {
        const std::string mine = absl::StrCat(i, ".", round, ";");
        recording.Add("sum", 1);
        recording.Append("log", mine);
        recording.QueuePush("queue", mine);
        recording.Set(absl::StrCat("key", round % 3), mine);
        recording.Get(absl::StrCat("key", round % 3));
        recording.CompareSet("cell", round % 2 == 0 ? "" : "x", mine);
        recording.QueuePop("queue", /*block=*/true, absl::Minutes(2));
        recording.DeleteKey(absl::StrCat("key", (round + 1) % 3));
        recording.Check({"log", "key0"});
        env.SleepUntil(env.Now() + absl::Milliseconds(env.RandomBits() % 50));
      }
      recording.Get("sum");
      recording.Get("log");
    });
  }
  Run();
  const History history = recorder.history();
  for (const Operation& operation : history) {
    EXPECT_EQ(operation.outcome, Outcome::kOk) << operation.ToString();
  }
  const LinearizeResult result = CheckLinearizable(history);
  EXPECT_EQ(result.verdict, Verdict::kLinearizable) << result.explanation;
}

TEST_P(SimDeathsTest, RanksMeetAllTheSame) {
  constexpr int kRanks = 5;
  StartServer();
  StartReaper(/*deaths=*/3);
  int met = 0;
  for (int rank = 0; rank < kRanks; ++rank) {
    StartClient(absl::StrCat("w", rank), [&, rank](SimEnv& env, TcpStore& store) {
      env.SleepUntil(env.Now() + absl::Milliseconds(env.RandomBits() % 1000));
      store.Set(absl::StrCat("addr/", rank), absl::StrCat("host", rank));
      store.Barrier("first", kRanks);
      for (int other = 0; other < kRanks; ++other) {
        EXPECT_EQ(store.Get(absl::StrCat("addr/", other)), absl::StrCat("host", other));
      }
      env.SleepUntil(env.Now() + absl::Milliseconds(env.RandomBits() % 1000));
      store.Barrier("second", kRanks);
      // Each was counted once.
      EXPECT_EQ(store.Add("first", 0), kRanks);
      EXPECT_EQ(store.Add("second", 0), kRanks);
      Batch batch(store);
      for (int i = 0; i < 200; ++i) batch.Set(absl::StrCat("k", rank, "/", i), "v");
      batch.Append(absl::StrCat("once/", rank), "x");
      const auto sum = batch.Add("sum", 1);
      for (int i = 0; i < 200; ++i) batch.Append(absl::StrCat("twice/", rank), "y");
      batch.Run();
      EXPECT_GE(sum.value(), 1);
      EXPECT_EQ(store.Get(absl::StrCat("once/", rank)), "x");
      EXPECT_EQ(store.Get(absl::StrCat("twice/", rank)).size(), 200u);
      ++met;
    });
  }
  Run();
  EXPECT_EQ(met, kRanks);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SimDeathsTest, testing::Range<uint64_t>(1, 13));

}  // namespace
}  // namespace rollcall::fault
