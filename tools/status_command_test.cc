// store_cli status and watch as a person meets them, on the program store_server.
#include "tools/status_command.h"

#include <signal.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "store/http/http_get.h"
#include "store/tcp_store.h"
#include "testing/subprocess.h"

namespace rollcall::tools {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

absl::Time Soon() { return absl::Now() + absl::Seconds(60); }

struct Outcome {
  int status = -1;
  std::string out;
  std::string err;
};

class StatusCommandTest : public testing::Test {
 protected:
  void Serve(std::vector<std::string> flags = {}) {
    std::vector<std::string> argv = {RunfilePath("tools/store_server"), "--host=127.0.0.1",
                                     "--port=0", "--http_port=0"};
    argv.insert(argv.end(), flags.begin(), flags.end());
    server_ = Subprocess::Start({.argv = argv}).value();
    const std::vector<std::string> listens = absl::StrSplit(server_->ReadLine(Soon()).value(), ' ');
    const std::vector<std::string> shows = absl::StrSplit(server_->ReadLine(Soon()).value(), ' ');
    port_ = net::Endpoint::Parse(listens.back()).value().port;
    url_ = shows.back();
  }
  std::unique_ptr<TcpStore> Join(int rank, int world_size) {
    TcpStoreOptions options;
    options.host = "127.0.0.1";
    options.port = port_;
    options.rank = rank;
    options.world_size = world_size;
    options.timeout = absl::Seconds(60);
    return std::make_unique<TcpStore>(net::RealEnv(), options);
  }
  static std::unique_ptr<Subprocess> StartCli(std::vector<std::string> words) {
    words.insert(words.begin(), RunfilePath("tools/store_cli"));
    return Subprocess::Start({.argv = std::move(words)}).value();
  }
  static Outcome Cli(std::vector<std::string> words) {
    const std::unique_ptr<Subprocess> program = StartCli(std::move(words));
    Outcome outcome;
    outcome.out = program->ReadToEnd(Soon()).value_or("?");
    outcome.status = program->WaitForExit(Soon()).value_or(-1);
    outcome.err = program->StderrSoFar();
    return outcome;
  }
  // The first line that has `text` in it.
  static std::string LineWith(Subprocess& program, absl::string_view text) {
    while (true) {
      const absl::StatusOr<std::string> line = program.ReadLine(Soon());
      if (!line.ok()) return line.status().ToString();
      if (absl::StrContains(*line, text)) return *line;
    }
  }

  std::unique_ptr<Subprocess> server_;
  uint16_t port_ = 0;
  std::string url_;
};

TEST_F(StatusCommandTest, ShowsWhoIsMissingAndEndsWithFour) {
  Serve();
  const auto rank0 = Join(0, 3);
  const auto rank2 = Join(2, 3);
  const Outcome outcome = Cli({"status", url_});
  EXPECT_EQ(outcome.status, kExitOfRanksAbsent) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("2 of 3 ranks are connected. Missing: 1."),
                                 HasSubstr("0  jmj\n"), HasSubstr(absl::StrCat(port_))));
  const auto rank1 = Join(1, 3);
  // The server may show what it knew a moment ago.
  const absl::Time deadline = Soon();
  int status = kExitOfRanksAbsent;
  while (status == kExitOfRanksAbsent && absl::Now() < deadline) {
    status = Cli({"status", absl::StrCat(url_, "status.json")}).status;
  }
  EXPECT_EQ(status, 0);
}

TEST_F(StatusCommandTest, ShowsTheNameSpaceThatIsAskedFor) {
  const auto server =
      Subprocess::Start({.argv = {RunfilePath("tools/store_server"), "--host=127.0.0.1", "--port=0",
                                  "--http_port=0", "--listen=jobA=127.0.0.1:0",
                                  "--quota=jobA:memory=1MiB:keys=7,default:clients=3"}})
          .value();
  const std::string listens = LineWith(*server, "listening for jobA on ");
  port_ = net::Endpoint::Parse(std::vector<std::string>(absl::StrSplit(listens, ' ')).back())
              .value()
              .port;
  const std::string shows = LineWith(*server, "status at ");
  url_ = std::vector<std::string>(absl::StrSplit(shows, ' ')).back();
  const auto rank1 = Join(1, 2);
  const Outcome job = Cli({"status", url_, "jobA"});
  EXPECT_EQ(job.status, kExitOfRanksAbsent) << job.err;
  EXPECT_THAT(job.out, AllOf(HasSubstr("1 of 2 ranks are connected. Missing: 0."),
                             HasSubstr("NAME SPACE"), HasSubstr("  jobA "), HasSubstr(" of 7 "),
                             HasSubstr(" of 1048576 "), HasSubstr("  default     0 of 3 ")));
  const Outcome rest = Cli({"status", url_});
  EXPECT_EQ(rest.status, 0) << rest.err;
  EXPECT_THAT(rest.out, HasSubstr("Nobody is connected."));
  const Outcome none = Cli({"status", url_, "jobB"});
  EXPECT_EQ(none.status, 2);
  EXPECT_THAT(none.err, HasSubstr("no such name space"));
  EXPECT_EQ(Cli({"status", url_, "job?"}).status, 1);
}

TEST_F(StatusCommandTest, WatchTellsEveryChange) {
  Serve({"--world_size=2"});
  const std::unique_ptr<Subprocess> watch = StartCli({"watch", url_});
  EXPECT_THAT(LineWith(*watch, "expected"), HasSubstr("Nobody is connected; 2 ranks are expected"));
  const auto rank0 = Join(0, 2);
  EXPECT_THAT(LineWith(*watch, "Missing: 1"), HasSubstr("1 of 2 ranks are connected"));
  auto rank1 = Join(1, 2);
  EXPECT_THAT(LineWith(*watch, "All 2 ranks"), Not(HasSubstr("\x1b")));
  rank1.reset();
  EXPECT_THAT(LineWith(*watch, "Gone: 1"), HasSubstr("1 of 2"));
  ASSERT_TRUE(server_->Signal(SIGKILL).ok());
  EXPECT_THAT(LineWith(*watch, "not reachable since"), HasSubstr("refused"));
}

TEST_F(StatusCommandTest, WhatGoesWrongHasAStatusOfItsOwn) {
  Serve();
  EXPECT_EQ(Cli({"status"}).status, 1);
  EXPECT_EQ(Cli({"watch", "a", "b"}).status, 1);
  EXPECT_THAT(Cli({"status", "https://127.0.0.1:1/"}).err, HasSubstr("not https"));
  EXPECT_EQ(Cli({"status", "nowhere"}).status, 1);
  const Outcome store_port = Cli({"status", absl::StrCat("127.0.0.1:", port_)});
  EXPECT_EQ(store_port.status, 3);
  EXPECT_THAT(store_port.err, HasSubstr("--http_port"));
  ASSERT_TRUE(server_->Signal(SIGKILL).ok());
  ASSERT_TRUE(server_->WaitForExit(Soon()).ok());
  EXPECT_EQ(Cli({"status", url_}).status, 3);
  EXPECT_EQ(Cli({"watch", url_}).status, 3);
}

TEST_F(StatusCommandTest, TheServerServesItsPagesUntilItsEnd) {
  Serve();
  const net::Endpoint endpoint = ParseStatusAddress(url_).value();
  const auto get = [&](absl::string_view path) {
    return http::HttpGet(net::RealEnv(), endpoint, path, net::RealEnv().Now() + absl::Seconds(60));
  };
  EXPECT_EQ(get("/healthz").value().body, "ok\n");
  EXPECT_THAT(get("/metrics").value().body, HasSubstr("rollcall_connections 0\n"));
  EXPECT_THAT(get("/").value().body, HasSubstr("<title>Rollcall</title>"));
  ASSERT_TRUE(server_->Signal(SIGTERM).ok());
  EXPECT_EQ(server_->WaitForExit(Soon()).value_or(-1), 0) << server_->StderrSoFar();
  EXPECT_FALSE(get("/healthz").ok());
}

}  // namespace
}  // namespace rollcall::tools
