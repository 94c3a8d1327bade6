// Every workload, small, on our own server in this process, in each dialect.
#include "tools/bench/workload.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "net/tls/tls_files.h"
#include "store/protocol/dialect.h"
#include "store/server/server_options.h"
#include "store/server/store_server.h"
#include "testing/tls_directory.h"
#include "tools/bench/dialog.h"
#include "tools/bench/target.h"

namespace rollcall::bench {
namespace {

class OwnServer : public Server {
 public:
  explicit OwnServer(const ServerOptions& options) : server_(Start(options)) {}
  pid_t pid() const override { return getpid(); }
  sockaddr_in address() const override {
    sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(server_->port())};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

 private:
  static std::unique_ptr<StoreServer> Start(const ServerOptions& options) {
    return *StoreServer::Start(net::RealEnv(), options);
  }

  const std::unique_ptr<StoreServer> server_;
};

Sizes SmallSizes() {
  return {.ranks = 120,
          .joins_min = 240,
          .seconds = absl::Milliseconds(20),
          .connections = 4,
          .round_trips = 30,
          .waiters = 40,
          .big_value_bytes = 1 << 20,
          .big_values = 2,
          .queue_pairs = 3,
          .barrier_members = 8,
          .barrier_rounds = 3};
}

absl::StatusOr<Sample> RunOn(const Workload& workload, const Sizes& sizes, const Dialog& dialog) {
  const OwnServer server({.host = "127.0.0.1"});
  return workload.run({.dialog = dialog, .server = server, .sizes = sizes, .prefix = "/bench/"});
}

std::shared_ptr<const std::string> SomeToken() {
  return std::make_shared<const std::string>("a-token-that-is-long-enough");
}

// A server that asks for a certificate and for SomeToken().
class SecuredScenario : public testing::Test {
 protected:
  absl::StatusOr<Sample> Run(const Workload& workload, const Dialog& dialog, bool known) {
    const OwnServer server({.host = "127.0.0.1",
                            .tls = files_.Server(/*mutual=*/true),
                            .token_file = files_.Write("tokens", *SomeToken())});
    return workload.run({.dialog = dialog,
                         .server = server,
                         .sizes = sizes_,
                         .prefix = "/bench/",
                         .tls = *net::LoadTlsContext(files_.Client(known))});
  }

  const Sizes sizes_ = SmallSizes();
  TlsDirectory files_{absl::Now()};
};

TEST_F(SecuredScenario, EveryWorkloadIsMeasured) {
  const std::unique_ptr<Dialog> dialog = MakeStoreDialog(protocol::Dialect::kModern, SomeToken());
  for (const Workload& workload : AllWorkloads(sizes_)) {
    const absl::StatusOr<Sample> sample = Run(workload, *dialog, /*known=*/true);
    ASSERT_TRUE(sample.ok()) << workload.name << ": " << sample.status();
    EXPECT_GT(sample->cost.wall, absl::ZeroDuration()) << workload.name;
  }
}

TEST_F(SecuredScenario, WhoIsNotLetInMeasuresNothing) {
  const std::unique_ptr<Dialog> with_token =
      MakeStoreDialog(protocol::Dialect::kModern, SomeToken());
  const std::unique_ptr<Dialog> without = MakeStoreDialog(protocol::Dialect::kModern);
  for (const Workload& workload : {JoinWorkload(10), ThroughputWorkload(sizes_, 1)}) {
    EXPECT_FALSE(Run(workload, *with_token, /*known=*/false).ok()) << workload.name;
    EXPECT_FALSE(Run(workload, *without, /*known=*/true).ok()) << workload.name;
  }
}

TEST(Workloads, MeasureTheModernDialect) {
  const Sizes sizes = SmallSizes();
  const std::unique_ptr<Dialog> dialog = MakeStoreDialog(protocol::Dialect::kModern);
  for (const Workload& workload : AllWorkloads(sizes)) {
    const absl::StatusOr<Sample> sample = RunOn(workload, sizes, *dialog);
    ASSERT_TRUE(sample.ok()) << workload.name << ": " << sample.status();
    ASSERT_EQ(sample->values.size(), workload.metrics.size()) << workload.name;
    EXPECT_GT(sample->cost.wall, absl::ZeroDuration()) << workload.name;
    // Memory alone may stay as it was.
    if (workload.name == "idle_memory") continue;
    for (size_t i = 0; i < workload.metrics.size(); ++i) {
      if (workload.metrics[i].key == "syn_retries") continue;
      EXPECT_GT(sample->values[i].value_or(0), 0)
          << workload.name << ": " << workload.metrics[i].key;
    }
  }
}

TEST(Workloads, MeasureTheDialectOfTorchOneWhichHasNoQueues) {
  const Sizes sizes = SmallSizes();
  const std::unique_ptr<Dialog> dialog = MakeStoreDialog(protocol::Dialect::kLegacy);
  for (const Workload& workload : AllWorkloads(sizes)) {
    const absl::StatusOr<Sample> sample = RunOn(workload, sizes, *dialog);
    if (workload.name == "queue") {
      EXPECT_TRUE(absl::IsUnimplemented(sample.status())) << sample.status();
    } else {
      EXPECT_TRUE(sample.ok()) << workload.name << ": " << sample.status();
    }
  }
}

TEST(Workloads, GrowInCurves) {
  const Sizes sizes = SmallSizes();
  EXPECT_EQ(CurveWorkloads(sizes, "join_curve").front().name, "join@128");
  EXPECT_TRUE(CurveWorkloads(sizes, "join").empty());
  const std::unique_ptr<Dialog> dialog = MakeStoreDialog(protocol::Dialect::kModern);
  for (const Workload& workload : {KeysWorkload(sizes, 600), WaitersWorkload(sizes, 50)}) {
    const absl::StatusOr<Sample> sample = RunOn(workload, sizes, *dialog);
    ASSERT_TRUE(sample.ok()) << workload.name << ": " << sample.status();
    EXPECT_GT(sample->values[1].value_or(0), 0) << workload.name;
  }
}

TEST(Workloads, AServerThatHangsUpIsAnError) {
  const Sizes sizes = SmallSizes();
  const absl::StatusOr<Sample> sample = RunOn(JoinWorkload(10), sizes, *MakeRedisDialog());
  EXPECT_TRUE(absl::IsUnavailable(sample.status())) << sample.status();
}

}  // namespace
}  // namespace rollcall::bench
