// Ranks join a real server, work and leave, again and again, over mutual TLS, some of them over a
// network on which one thing after another goes wrong. Whenever all have left, the server must be
// as it was: as many descriptors, as much memory, no key.
//
//   soak_test [DURATION]      default 10s
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fault_injection/proxy/fault_proxy.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/monitor.h"
#include "net/real_env.h"
#include "net/syscalls.h"
#include "net/tls/tls_files.h"
#include "store/tcp_store.h"
#include "testing/subprocess.h"
#include "testing/tls_directory.h"
#include "tools/bench/usage.h"
#include "tools/soak/job.h"
#include "tools/soak/troubles.h"

namespace rollcall::soak {
namespace {

absl::Duration g_duration = absl::Seconds(10);

constexpr absl::Duration kPhase = absl::Seconds(4);
constexpr int kQuietLanes = 3;     // Straight to the server.
constexpr int kTroubledLanes = 3;  // Through the proxy.
// In this many phases the allocator finds out how much it needs.
constexpr size_t kWarmUpPhases = 2;
constexpr int64_t kResidentSlackKib = 2048;

int64_t OpenDescriptors(pid_t pid) {
  const std::filesystem::directory_iterator open(absl::StrCat("/proc/", pid, "/fd"));
  return std::distance(begin(open), end(open));
}

struct Vitals {
  int64_t descriptors = 0;
  int64_t resident_kib = 0;
};

class SoakTest : public testing::Test {
 protected:
  SoakTest() {
    SubprocessOptions options;
    const net::TlsServerFiles tls = files_.Server(/*mutual=*/true);
    options.argv = {RunfilePath("tools/store_server"),
                    "--host=127.0.0.1",
                    "--port=0",
                    "--io_threads=2",
                    absl::StrCat("--tls_cert=", tls.certificate_chain),
                    absl::StrCat("--tls_key=", tls.private_key),
                    absl::StrCat("--tls_client_ca=", tls.client_ca)};
    absl::StatusOr<std::unique_ptr<Subprocess>> started = Subprocess::Start(options);
    EXPECT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
    const absl::StatusOr<std::string> line = server_->ReadLine(absl::Now() + absl::Minutes(1));
    EXPECT_TRUE(line.ok()) << line.status();
    int port = 0;
    EXPECT_TRUE(
        absl::SimpleAtoi(std::vector<std::string>(absl::StrSplit(*line, ':')).back(), &port));
    port_ = static_cast<uint16_t>(port);
    // No spare connections: they would be the server's descriptors.
    proxy_ = *fault::FaultProxy::Start(
        env_, &net::RealSyscalls(),
        {{.name = kTroubled, .target = {"127.0.0.1", port_}, .keeps_spare = false}});
    control_ = std::make_unique<TcpStore>(env_, StoreOptions(port_));
  }

  TcpStoreOptions StoreOptions(uint16_t port) const {
    TcpStoreOptions options;
    options.host = "127.0.0.1";
    options.port = port;
    options.tls = client_files_;
    // What a trouble may take, several times over.
    options.timeout = absl::Seconds(8);
    return options;
  }

  // Jobs one after another, until the phase is over.
  void RunLane(int lane, bool troubled, absl::Time until) {
    for (int number = 0; env_.Now() < until; ++number) {
      JobOptions job;
      job.name = absl::StrCat("phase ", phases_, " lane ", lane, " job ", number);
      job.store = StoreOptions(troubled ? proxy_->port(kTroubled) : port_);
      std::vector<std::string> errors = RunJob(env_, job);
      const net::MonitorLock lock(monitor_.get());
      jobs_.push_back(job);
      if (!troubled) ++quiet_jobs_;
      if (troubled) ++(errors.empty() ? passed_troubled_jobs_ : failed_troubled_jobs_);
      std::vector<std::string>& all = troubled ? troubled_errors_ : quiet_errors_;
      for (std::string& error : errors) all.push_back(std::move(error));
    }
  }

  void RunPhase() {
    const std::unique_ptr<Troubles> troubles =
        Troubles::Start(env_, *proxy_, kTroubled, /*seed=*/phases_);
    const absl::Time until = env_.Now() + kPhase;
    std::vector<std::unique_ptr<net::Thread>> lanes;
    for (int lane = 0; lane < kQuietLanes + kTroubledLanes; ++lane) {
      const bool troubled = lane >= kQuietLanes;
      lanes.push_back(env_.StartThread(
          "lane", [this, lane, troubled, until] { RunLane(lane, troubled, until); }));
    }
    lanes.clear();
    for (const auto& [name, count] : troubles->Counts()) troubles_[name] += count;
    ++phases_;
  }

  // What the last requests of lost connections did comes in its own time.
  Vitals Rest() {
    const absl::Time deadline = env_.Now() + absl::Seconds(30);
    while (true) {
      for (const JobOptions& job : jobs_) RemoveTraces(*control_, job);
      const Vitals vitals = {OpenDescriptors(server_->pid()),
                             bench::MemoryOf(server_->pid())->resident_kib};
      const int64_t keys = control_->NumKeys();
      if (keys == 0 && vitals.descriptors == idle_descriptors_) {
        jobs_.clear();
        return vitals;
      }
      if (env_.Now() > deadline) {
        ADD_FAILURE() << "at rest the server has " << vitals.descriptors << " descriptors and "
                      << keys << " keys; it began with " << idle_descriptors_ << " and none";
        return vitals;
      }
      env_.SleepUntil(env_.Now() + absl::Milliseconds(20));
    }
  }

  static constexpr char kTroubled[] = "troubled";

  net::Env& env_ = net::RealEnv();
  TlsDirectory files_{env_.Now()};
  const net::TlsClientFiles client_files_ = files_.Client(/*known=*/true);
  std::unique_ptr<Subprocess> server_;
  uint16_t port_ = 0;
  std::unique_ptr<fault::FaultProxy> proxy_;
  std::unique_ptr<TcpStore> control_;
  int64_t idle_descriptors_ = 0;
  uint64_t phases_ = 0;
  std::map<std::string, int64_t> troubles_;

  const std::unique_ptr<net::Monitor> monitor_ = env_.NewMonitor();  // Guards what lanes share:
  std::vector<JobOptions> jobs_;
  std::vector<std::string> quiet_errors_;
  std::vector<std::string> troubled_errors_;
  int64_t quiet_jobs_ = 0;
  int64_t passed_troubled_jobs_ = 0;
  int64_t failed_troubled_jobs_ = 0;
};

TEST_F(SoakTest, TheServerIsAsItWasWheneverAllHaveLeft) {
  control_->Ping();
  idle_descriptors_ = OpenDescriptors(server_->pid());
  std::vector<Vitals> at_rest;
  const absl::Time until = env_.Now() + g_duration;
  while (env_.Now() < until || at_rest.size() < kWarmUpPhases + 1) {
    RunPhase();
    at_rest.push_back(Rest());
    std::cout << "phase " << phases_ << ": " << quiet_jobs_ << " quiet jobs, "
              << passed_troubled_jobs_ << " troubled ones passed, " << failed_troubled_jobs_
              << " failed; at rest " << at_rest.back().descriptors << " descriptors, "
              << at_rest.back().resident_kib << " KiB" << std::endl;
    ASSERT_THAT(quiet_errors_, testing::IsEmpty());
  }

  const int64_t warm = at_rest[kWarmUpPhases - 1].resident_kib;
  EXPECT_LE(at_rest.back().resident_kib, warm + warm / 10 + kResidentSlackKib);
  // Else nothing has been shown.
  EXPECT_GT(quiet_jobs_, 0);
  EXPECT_GT(passed_troubled_jobs_, 0);
  EXPECT_GT(failed_troubled_jobs_, 0);
  for (const std::string& error : troubled_errors_) {
    EXPECT_FALSE(absl::StrContains(error, "WRONG VALUE")) << error;
  }
  for (const auto& [name, count] : troubles_) std::cout << count << " times: " << name << "\n";
}

}  // namespace
}  // namespace rollcall::soak

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc > 1 && !absl::ParseDuration(argv[1], &rollcall::soak::g_duration)) {
    std::cerr << "soak_test: not a duration: " << argv[1] << "\n";
    return 2;
  }
  return RUN_ALL_TESTS();
}
