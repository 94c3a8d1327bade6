// store_server --journal, as a cluster's operator meets it: killed, started again, on a full disk,
// with damaged files.

#include <signal.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/address.h"
#include "net/clock.h"
#include "net/env.h"
#include "net/monitor.h"
#include "net/real_env.h"
#include "store/dist_error.h"
#include "store/tcp_store.h"
#include "testing/dist_error_matchers.h"
#include "testing/server_scenario.h"
#include "testing/subprocess.h"
#include "testing/temp_directory.h"

namespace rollcall {
namespace {

using testing::HasSubstr;

absl::Time Soon() { return absl::Now() + absl::Seconds(60); }

class StoreServerJournalTest : public testing::Test {
 protected:
  // `shell`: what a shell is to do before it becomes the server.
  std::unique_ptr<Subprocess> Launch(std::vector<std::string> flags,
                                     const std::string& shell = "") {
    SubprocessOptions options;
    options.argv = {"/bin/sh",
                    "-c",
                    absl::StrCat(shell, "exec \"$0\" \"$@\""),
                    RunfilePath("tools/store_server"),
                    absl::StrCat("--journal=", journal_),
                    "--host=127.0.0.1",
                    absl::StrCat("--port=", port_)};
    for (std::string& flag : flags) options.argv.push_back(std::move(flag));
    absl::StatusOr<std::unique_ptr<Subprocess>> started = Subprocess::Start(options);
    EXPECT_TRUE(started.ok()) << started.status();
    return *std::move(started);
  }

  // Returns once it listens. The first one picks the port, and all others have the same.
  void Start(std::vector<std::string> flags = {}, const std::string& shell = "") {
    server_ = Launch(std::move(flags), shell);
    const absl::StatusOr<std::string> line = server_->ReadLine(Soon());
    ASSERT_TRUE(line.ok()) << line.status() << server_->StderrSoFar();
    const std::vector<std::string> parts = absl::StrSplit(*line, ':');
    ASSERT_TRUE(absl::SimpleAtoi(parts.back(), &port_)) << *line;
  }

  void Kill() {
    ASSERT_TRUE(server_->Signal(SIGKILL).ok());
    ASSERT_EQ(server_->WaitForExit(Soon()).value_or(-1), 128 + SIGKILL);
  }

  // Ends it as an operator does.
  void Stop() {
    ASSERT_TRUE(server_->Signal(SIGTERM).ok());
    ASSERT_EQ(server_->WaitForExit(Soon()).value_or(-1), 0) << server_->StderrSoFar();
  }

  std::unique_ptr<TcpStore> Client(bool resumes = true) {
    TcpStoreOptions options;
    options.host = "127.0.0.1";
    options.port = static_cast<uint16_t>(port_);
    options.timeout = absl::Seconds(60);
    options.resumes = resumes;
    return std::make_unique<TcpStore>(net::RealEnv(), options);
  }

  void ExpectRefusesToStart(const std::string& complaint) {
    const std::unique_ptr<Subprocess> server = Launch({});
    EXPECT_EQ(server->ReadToEnd(Soon()).value_or("?"), "");
    EXPECT_EQ(server->WaitForExit(Soon()).value_or(-1), 3);
    EXPECT_THAT(server->StderrSoFar(), HasSubstr(complaint));
    EXPECT_THAT(server->StderrSoFar(), HasSubstr(journal_));
  }

  TempDirectory directory_;
  const std::string journal_ = directory_.File("journal");
  int port_ = 0;
  std::unique_ptr<Subprocess> server_;
};

TEST_F(StoreServerJournalTest, KilledAgainAndAgainItLosesNothingAndAppliesNothingTwice) {
  constexpr int kClients = 4;
  constexpr int kDeaths = 12;
  Start({"--io_threads=2"});
  const std::unique_ptr<net::Monitor> monitor = net::RealEnv().NewMonitor();
  int rounds = 0;  // Of all clients; the monitor's.
  std::atomic<bool> enough = false;
  std::vector<int> rounds_of(kClients);
  std::vector<std::unique_ptr<net::Thread>> threads;
  for (int i = 0; i < kClients; ++i) {
    threads.push_back(net::RealEnv().StartThread("client", [&, i] {
      const std::unique_ptr<TcpStore> store = Client();
      int& mine = rounds_of[i];
      int64_t last_sum = 0;
      while (!enough) {
        const int64_t sum = store->Add("sum", 1);
        EXPECT_GT(sum, last_sum);
        last_sum = sum;
        store->Append(absl::StrCat("log", i), "x");
        store->Set(absl::StrCat("last", i), absl::StrCat(mine));
        store->QueuePush(absl::StrCat("queue", i), absl::StrCat(mine));
        EXPECT_EQ(store->QueuePop(absl::StrCat("queue", i)), absl::StrCat(mine));
        EXPECT_EQ(store->Get(absl::StrCat("last", i)), absl::StrCat(mine));
        ++mine;
        net::MonitorLock lock(monitor.get());
        ++rounds;
        monitor->NotifyAll();
      }
    }));
  }
  for (int death = 0; death < kDeaths; ++death) {
    {
      net::MonitorLock lock(monitor.get());
      const int before = rounds;
      const absl::Time deadline = net::DeadlineAfter(net::RealEnv(), absl::Seconds(60));
      while (rounds < before + 20 && monitor->WaitUntil(deadline)) {
      }
      ASSERT_GE(rounds, before + 20) << "the clients do not go on";
    }
    Kill();
    Start({"--io_threads=2"});
  }
  enough = true;
  threads.clear();
  // What the last server has in memory shows nothing yet.
  Kill();
  Start();
  const std::unique_ptr<TcpStore> store = Client();
  int all = 0;
  for (int i = 0; i < kClients; ++i) {
    all += rounds_of[i];
    EXPECT_EQ(store->Get(absl::StrCat("log", i)).size(), static_cast<size_t>(rounds_of[i]));
    EXPECT_EQ(store->Get(absl::StrCat("last", i)), absl::StrCat(rounds_of[i] - 1));
    EXPECT_EQ(store->QueueLen(absl::StrCat("queue", i)), 0);
  }
  EXPECT_EQ(store->Add("sum", 0), all);
}

TEST_F(StoreServerJournalTest, ForATorchClientAnyReplyAcknowledgesAllBeforeIt) {
  Start();
  for (int i = 0; i < 5; ++i) {
    RawPeer client(net::RealEnv(), net::SocketAddress::LoopbackV4(static_cast<uint16_t>(port_)));
    client.Say(std::string("\x00\xCE\xF7\x85\x3C", 5));
    client.Say(ServerScenario::SetRequest(absl::StrCat("/k", i), "v"));
    ServerScenario::ExpectServed(client);
    Kill();
    Start();
  }
  RawPeer client(net::RealEnv(), net::SocketAddress::LoopbackV4(static_cast<uint16_t>(port_)));
  client.Say(std::string("\x00\xCE\xF7\x85\x3C", 5));
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(ServerScenario::Ask(client, absl::StrCat("get \"/k", i, "\""), "bytes \"v\""),
              ServerScenario::Reply("bytes \"v\""));
  }
}

TEST_F(StoreServerJournalTest, AWaitGoesOnWithTheServerThatComesBack) {
  Start();
  std::string value;
  std::unique_ptr<net::Thread> waiter = net::RealEnv().StartThread("waiter", [&] {
    const std::unique_ptr<TcpStore> store = Client();
    store->Set("waits", "");
    value = store->Get("late");
  });
  Client()->Wait({"waits"});
  Kill();
  Start();
  Client()->Set("late", "came");
  waiter.reset();
  EXPECT_EQ(value, "came");
}

TEST_F(StoreServerJournalTest, AFullDiskIsAnEndWithAStatusAndAReason) {
  // Files may have 512 KB; a larger one fails as a full disk does.
  Start({}, "ulimit -f 1024; ");
  int acknowledged = 0;
  try {
    const std::unique_ptr<TcpStore> store = Client(/*resumes=*/false);
    while (acknowledged < 1000) {
      store->Set(absl::StrCat("k", acknowledged), std::string(10'000, 'v'));
      store->Ping();
      ++acknowledged;
    }
  } catch (const DistNetworkError& error) {
    EXPECT_EQ(error.code(), ErrorCode::kConnectionLost) << error.what();
  }
  EXPECT_EQ(server_->WaitForExit(Soon()).value_or(-1), 4);
  EXPECT_THAT(server_->StderrSoFar(), HasSubstr("nothing is served any more"));
  EXPECT_THAT(server_->StderrSoFar(), HasSubstr(journal_));
  EXPECT_GT(acknowledged, 5);
  EXPECT_LT(acknowledged, 1000);
  Start();
  const std::unique_ptr<TcpStore> store = Client();
  for (int i = 0; i < acknowledged; ++i) {
    EXPECT_TRUE(store->Check({absl::StrCat("k", i)})) << i;
  }
}

TEST_F(StoreServerJournalTest, ALimitThatWasLoweredLosesNothingAndHoldsFromThenOn) {
  Start({"--max_keys_per_name_space=4"});
  for (const char* const key : {"a", "b", "c", "d"}) Client()->Set(key, "v");
  EXPECT_DIST_ERROR(Client()->Set("e", "v"), ErrorCode::kStoreFull);
  Stop();
  Start({"--max_keys_per_name_space=2", "--max_memory=100000"});
  EXPECT_TRUE(server_->AwaitStderr("has 4 of the 2 keys that it may have", Soon()).ok());
  const std::unique_ptr<TcpStore> store = Client();
  EXPECT_DIST_ERROR(store->Set("e", "v"), ErrorCode::kStoreFull);
  for (const char* const key : {"a", "b", "c"}) EXPECT_TRUE(Client()->DeleteKey(key)) << key;
  store->Set("e", "v");
  EXPECT_EQ(Client()->Get("d"), "v");
  EXPECT_DIST_ERROR(Client()->Set("d", std::string(100'000, 'v')), ErrorCode::kStoreFull);
}

TEST_F(StoreServerJournalTest, ACleanEndKeepsAllAndTwoServersNeverShare) {
  Start();
  Client()->Set("k", "v");
  const int port = std::exchange(port_, 0);
  ExpectRefusesToStart("another server is using");
  port_ = port;
  Stop();
  Start();
  EXPECT_EQ(Client()->Get("k"), "v");
}

TEST_F(StoreServerJournalTest, NeverBeginsAnewWhereThereWasAJournal) {
  Start();
  Client()->Set("k", "v");
  Kill();
  port_ = 0;
  const std::string database = absl::StrCat(journal_, "/journal.sqlite");
  const std::string kept = directory_.File("kept");
  std::filesystem::rename(database, kept);
  ExpectRefusesToStart("journal.sqlite is missing");
  std::ofstream(database) << "something else";
  ExpectRefusesToStart("damaged");
  std::filesystem::remove(database);
  std::filesystem::rename(kept, database);
  Start();
  EXPECT_EQ(Client()->Get("k"), "v");
}

}  // namespace
}  // namespace rollcall
