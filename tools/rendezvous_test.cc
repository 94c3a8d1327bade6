// The main job, with real processes.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "store/server/store_server.h"
#include "testing/subprocess.h"

namespace rollcall::tools {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

constexpr absl::Duration kPatience = absl::Seconds(45);

class Rendezvous {
 public:
  explicit Rendezvous(std::vector<std::string> flags) {
    flags.insert(flags.begin(), RunfilePath("tools/rendezvous"));
    program_ =
        Subprocess::Start({.argv = std::move(flags), .environment = {}, .stdin_text = ""}).value();
  }
  std::string Output() { return program_->ReadToEnd(deadline_).value_or("?"); }
  int Status() { return program_->WaitForExit(deadline_).value_or(-1); }
  std::string Errors() const { return program_->StderrSoFar(); }

 private:
  const absl::Time deadline_ = absl::Now() + kPatience;
  std::unique_ptr<Subprocess> program_;
};

TEST(RendezvousTool, AllRanksMeetAndTheTableSaysWhen) {
  for (const char* backend : {"--use_libuv=false", "--use_libuv=true"}) {
    Rendezvous job({"--world_size=4", backend});
    const std::string output = job.Output();
    EXPECT_EQ(job.Status(), 0) << job.Errors();
    EXPECT_THAT(output, HasSubstr("4/4 joined"));
    for (int rank = 0; rank < 4; ++rank) {
      EXPECT_THAT(output, ContainsRegex(absl::StrCat("   ", rank, "  [^ ]+ +[0-9]+ +[0-9.]+ ms  ",
                                                     "hello from rank ", rank)));
    }
  }
}

TEST(RendezvousTool, AbsentRanksAreNamedInTheFailure) {
  Rendezvous job({"--world_size=5", "--absent_ranks=1,3", "--timeout=3s"});
  const std::string output = job.Output();
  EXPECT_EQ(job.Status(), 2);
  EXPECT_THAT(output, HasSubstr("3/5 joined, missing ranks 1, 3"));
  EXPECT_THAT(job.Errors(), AllOf(HasSubstr("missing ranks: 1, 3"), HasSubstr("GATHER_TIMEOUT")));
}

TEST(RendezvousTool, TwoMachinesMeetOnAStoreThatRunsElsewhere) {
  const auto server = StoreServer::Start(net::RealEnv(), {.host = "127.0.0.1"}).value();
  const std::string endpoint = absl::StrCat("--endpoint=127.0.0.1:", server->port());
  Rendezvous here({endpoint, "--world_size=4", "--ranks=0-1"});
  Rendezvous there({endpoint, "--world_size=4", "--ranks=2,3"});
  EXPECT_EQ(here.Status(), 0) << here.Errors();
  EXPECT_EQ(there.Status(), 0) << there.Errors();
  EXPECT_THAT(here.Output(), HasSubstr("4/4 joined"));
}

TEST(RendezvousTool, AStoreThatIsNotThereIsStatusThree) {
  const auto server = StoreServer::Start(net::RealEnv(), {.host = "127.0.0.1"}).value();
  const uint16_t port = server->port();
  server->Stop();
  Rendezvous job({absl::StrCat("--endpoint=127.0.0.1:", port), "--timeout=200ms"});
  EXPECT_EQ(job.Status(), 3);
  EXPECT_THAT(job.Errors(), HasSubstr("CONNECT_REFUSED"));
}

TEST(RendezvousTool, MistypedFlagsAreStatusOne) {
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {"--world_size=0", "--world_size must be at least 1"},
      {"--absent_ranks=9", "ranks from 0 to 7"},
      {"--absent_ranks=0-7", "nobody is left"},
      {"--timeout=soon", "--timeout must be a duration"},
      {"--endpoint=x", "--endpoint"},
      {"surplus", "unexpected argument \"surplus\""},
  };
  for (const auto& [flag, message] : mistakes) {
    Rendezvous job({flag});
    EXPECT_EQ(job.Status(), 1) << flag;
    EXPECT_THAT(job.Errors(), HasSubstr(message));
  }
}

}  // namespace
}  // namespace rollcall::tools
