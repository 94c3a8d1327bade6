// Two jobs on one simulated server, on the same keys: each sees a store of its own.
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/history.h"
#include "fault_injection/linearize.h"
#include "fault_injection/recording_store.h"
#include "fault_injection/sim_env.h"
#include "fault_injection/sim_net.h"
#include "fault_injection/sim_net_options.h"
#include "fault_injection/world.h"
#include "gtest/gtest.h"
#include "store/dist_error.h"
#include "store/server/store_server.h"
#include "store/tcp_store.h"

namespace rollcall::fault {
namespace {

constexpr uint16_t kPort = 29500;
constexpr uint16_t kFirstJobsPort = 29501;
constexpr int kJobs = 2;
constexpr int kWorkersPerJob = 3;

std::string TokenFile(absl::string_view name, absl::string_view content) {
  const std::string path = absl::StrCat(testing::TempDir(), "/", name);
  std::ofstream(path) << content;
  return path;
}

std::string Token(int job) { return absl::StrCat("job", job, ":0123456789abcdef", job, "\n"); }

// By their tokens at one port, or by a port each.
enum class Apart { kByToken, kByPort };

class TwoJobs {
 public:
  TwoJobs(uint64_t seed, Apart apart, int io_threads)
      : world_({.seed = seed}), net_(&world_, SimNetOptions{}), apart_(apart) {
    SimEnv& env = AddHost("server");
    world_.Spawn("server", [this, &env, io_threads] { Serve(env, io_threads); });
    for (int job = 0; job < kJobs; ++job) {
      for (int i = 0; i < kWorkersPerJob; ++i) {
        SimEnv& worker = AddHost(absl::StrCat("job", job, "w", i));
        if (recorders_.size() == static_cast<size_t>(job)) {
          recorders_.push_back(std::make_unique<HistoryRecorder>(worker));
        }
        world_.Spawn(absl::StrCat("job", job, "w", i), [this, &worker, job] { Work(worker, job); });
      }
    }
  }

  ~TwoJobs() {
    recorders_.clear();
    envs_.clear();
  }

  absl::Status Run() { return world_.Run(); }
  History HistoryOf(int job) const { return recorders_[static_cast<size_t>(job)]->history(); }
  const std::vector<int64_t>& keys_seen() const { return keys_seen_; }

 private:
  SimEnv& AddHost(const std::string& name) {
    SimKernel& kernel = net_.AddHost(name, {absl::StrCat("10.0.0.", envs_.size() + 1)});
    SimProcess process;
    process.host = name;
    envs_.push_back(std::make_unique<SimEnv>(&world_, &kernel, process));
    return *envs_.back();
  }

  void Serve(SimEnv& env, int io_threads) {
    ServerOptions options;
    options.port = kPort;
    options.io_threads = io_threads;
    if (apart_ == Apart::kByToken) {
      options.token_file = TokenFile("tokens", Token(0) + Token(1));
      options.name_space_per_token = true;
    } else {
      for (uint16_t job = 0; job < kJobs; ++job) {
        options.name_space_ports.push_back({.name_space = absl::StrCat("job", job),
                                            .host = "",
                                            .port = static_cast<uint16_t>(kFirstJobsPort + job)});
      }
    }
    const auto server = StoreServer::Start(env, options);
    ASSERT_TRUE(server.ok()) << server.status();
    env.SleepUntil(env.Now() + absl::Seconds(60));
  }

  void Work(SimEnv& env, int job) {
    TcpStoreOptions options;
    options.host = "server";
    options.timeout = absl::Seconds(20);
    options.port = kPort;
    if (apart_ == Apart::kByToken) {
      options.token_file = TokenFile(absl::StrCat("token", job), Token(job));
    } else {
      options.port = static_cast<uint16_t>(kFirstJobsPort + job);
    }
    RecordingStore store(std::make_shared<TcpStore>(env, options),
                         recorders_[static_cast<size_t>(job)].get());
    for (int i = 0; i < 12; ++i) DoSomething(env, job, i, store);
    keys_seen_.push_back(store.NumKeys());
  }

  static void DoSomething(SimEnv& env, int job, int i, Store& store) {
    const std::string key = absl::StrCat("k", env.RandomBits() % 2);
    const std::string value = absl::StrCat(job, ".", i);
    switch (env.RandomBits() % 6) {
      case 0:
        store.Set(key, value);
        break;
      case 1:
        store.CompareSet(key, "", value);
        break;
      case 2:
        store.Add("n", 1);
        break;
      case 3:
        store.Check({key});
        break;
      case 4:
        store.DeleteKey(key);
        break;
      default:
        store.CompareSet(key, "what nobody sets", value);
    }
  }

  World world_;
  SimNet net_;
  const Apart apart_;
  std::vector<std::unique_ptr<SimEnv>> envs_;
  std::vector<std::unique_ptr<HistoryRecorder>> recorders_;
  std::vector<int64_t> keys_seen_;
};

class JobsOnOneServer : public testing::TestWithParam<std::pair<Apart, int>> {};

TEST_P(JobsOnOneServer, EachJobsHistoryIsThatOfAStoreOfItsOwn) {
  const auto [apart, io_threads] = GetParam();
  for (uint64_t seed = 1; seed <= 15; ++seed) {
    TwoJobs jobs(seed, apart, io_threads);
    const absl::Status ran = jobs.Run();
    ASSERT_TRUE(ran.ok()) << "seed " << seed << ": " << ran;
    for (int job = 0; job < kJobs; ++job) {
      const History history = jobs.HistoryOf(job);
      const LinearizeResult result = CheckLinearizable(history);
      EXPECT_EQ(result.verdict, Verdict::kLinearizable)
          << "seed " << seed << ", job " << job << ": " << result.explanation << "\n"
          << HistoryToText(history);
    }
    ASSERT_EQ(jobs.keys_seen().size(), size_t{kJobs} * kWorkersPerJob);
    for (const int64_t keys : jobs.keys_seen()) EXPECT_LE(keys, 3) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(ByToken, JobsOnOneServer,
                         testing::Values(std::pair{Apart::kByToken, 1},
                                         std::pair{Apart::kByToken, 3}));
INSTANTIATE_TEST_SUITE_P(ByPort, JobsOnOneServer,
                         testing::Values(std::pair{Apart::kByPort, 1},
                                         std::pair{Apart::kByPort, 3}));

}  // namespace
}  // namespace rollcall::fault
