// The program as a person at a shell meets it, on a real server.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "store/server/store_server.h"
#include "testing/subprocess.h"
#include "testing/temp_directory.h"
#include "tools/cli_commands.h"

namespace rollcall::tools {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr absl::Duration kPatience = absl::Seconds(30);

struct Outcome {
  int status = -1;
  std::string out;
  std::string err;
};

Outcome RunCli(std::vector<std::string> arguments, std::string stdin_text = "") {
  arguments.insert(arguments.begin(), RunfilePath("tools/store_cli"));
  auto program = Subprocess::Start(
      {.argv = std::move(arguments), .environment = {}, .stdin_text = std::move(stdin_text)});
  if (!program.ok()) return {-1, "", program.status().ToString()};
  const absl::Time deadline = absl::Now() + kPatience;
  Outcome outcome;
  outcome.out = (*program)->ReadToEnd(deadline).value_or("?");
  outcome.status = (*program)->WaitForExit(deadline).value_or(-1);
  outcome.err = (*program)->StderrSoFar();
  return outcome;
}

class StoreCli : public testing::Test {
 protected:
  Outcome Cli(std::vector<std::string> words, std::string stdin_text = "") {
    words.insert(words.begin(), absl::StrCat("--endpoint=127.0.0.1:", server_->port()));
    return RunCli(std::move(words), std::move(stdin_text));
  }

  const std::unique_ptr<StoreServer> server_ =
      StoreServer::Start(net::RealEnv(), {.host = "127.0.0.1"}).value();
};

TEST_F(StoreCli, ValuesComeOutAsTheyWent) {
  EXPECT_EQ(Cli({"set", "k", "a value"}).status, 0);
  const Outcome got = Cli({"get", "k"});
  EXPECT_EQ(got.status, 0);
  EXPECT_EQ(got.out, "a value") << "and not a byte more";
  EXPECT_EQ(got.err, "");
}

TEST_F(StoreCli, WordsAfterTheCommandAreNoFlags) {
  EXPECT_EQ(Cli({"add", "n", "-7"}).out, "-7\n");
  EXPECT_EQ(Cli({"set", "--key", "--value"}).status, 0);
  EXPECT_EQ(Cli({"get", "--key"}).out, "--value");
  EXPECT_EQ(Cli({"--", "get", "--key"}).out, "--value");
}

TEST_F(StoreCli, EveryCommandInOneScript) {
  const Outcome outcome = Cli({}, R"(
# Comments and empty lines are passed over.
set k v
get k
add n 5
add n -7
compare_set k v w
check k n
check k nothing
wait k n
append k "\x21 and more"
get k
multi_set a 1 b "two words"
multi_get b a
delete a
delete a
queue_push q first
queue_push q second
queue_len q
queue_pop q
barrier alone 1
ping
num_keys
list_keys
)");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.out,
            "v\n5\n-2\nw\ntrue\nfalse\nw! and more\ntwo words\n1\ntrue\nfalse\n2\nfirst\npong\n"
            "4\nalone\nb\nk\nn\n");
}

TEST_F(StoreCli, AScriptStopsAtItsFirstMistakeAndNamesTheLine) {
  const Outcome outcome = Cli({}, "set k v\nset k\nset k w\n");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("line 2"), HasSubstr("usage: set KEY VALUE")));
  EXPECT_EQ(Cli({"get", "k"}).out, "v");
}

TEST_F(StoreCli, WhatTheStoreCannotDoIsStatusTwo) {
  const Outcome outcome = Cli({"--timeout=50ms", "wait", "somebody"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("somebody"), HasSubstr("WAIT_TIMEOUT")));
  Cli({"set", "k", "abc"});
  EXPECT_EQ(Cli({"add", "k", "1"}).status, 2);
}

TEST_F(StoreCli, AServerThatIsNotThereIsStatusThree) {
  const uint16_t port = server_->port();
  server_->Stop();
  const Outcome outcome =
      RunCli({absl::StrCat("--endpoint=127.0.0.1:", port), "--timeout=100ms", "get", "k"});
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr(absl::StrCat(port)), HasSubstr("CONNECT_REFUSED")));
}

TEST_F(StoreCli, MistakesAreStatusOneAndSaySo) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> mistakes = {
      {{"gett", "k"}, "did you mean get?"},
      {{"get"}, "usage: get KEY"},
      {{"add", "k", "many"}, "N must be a whole number"},
      {{"multi_set", "k", "v", "k2"}, "a value for each key"},
      {{"--timeout=5", "get", "k"}, "--timeout must be a duration"},
      {{"--dialect=klingon", "get", "k"}, "modern, legacy or torch21"},
      {{"--endpoint=nowhere", "get", "k"}, "--endpoint"},
      {{"set", std::string(9000, 'k'), "v"}, "KEY_TOO_LONG"},
  };
  for (const auto& [words, message] : mistakes) {
    const Outcome outcome = Cli(words);
    EXPECT_EQ(outcome.status, message == "KEY_TOO_LONG" ? 2 : 1) << message;
    EXPECT_THAT(outcome.err, HasSubstr(message));
  }
}

TEST_F(StoreCli, TheLegacyDialectReachesTheSameKeys) {
  EXPECT_EQ(Cli({"--dialect=legacy", "set", "k", "v"}).status, 0);
  EXPECT_EQ(Cli({"get", "k"}).out, "v");
  EXPECT_EQ(Cli({"--dialect=legacy", "get", "k"}).out, "v");
}

TEST(StoreCliOnAFile, ReadsAndWritesAFileStore) {
  TempDirectory directory;
  const std::string endpoint = "--endpoint=file://" + directory.File("store");
  EXPECT_EQ(RunCli({endpoint, "set", "k", "v"}).status, 0);
  EXPECT_EQ(RunCli({endpoint, "get", "k"}).out, "v");
  EXPECT_EQ(RunCli({endpoint, "queue_len", "q"}).status, 2);
  EXPECT_EQ(RunCli({endpoint, "ping"}).status, 1);
}

TEST_F(StoreCli, HelpTeaches) {
  const Outcome outcome = RunCli({"--help"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("compare_set KEY EXPECTED DESIRED"),
                                 HasSubstr("Exit status"), HasSubstr("Try:")));
}

TEST(SplitLine, WordsQuotesAndComments) {
  EXPECT_THAT(SplitLine("  set\tk  v ").value(), ElementsAre("set", "k", "v"));
  EXPECT_THAT(SplitLine(R"(set "" "a \"b\"\n")").value(), ElementsAre("set", "", "a \"b\"\n"));
  EXPECT_THAT(SplitLine("get k # and why").value(), ElementsAre("get", "k"));
  EXPECT_THAT(SplitLine("get k#1").value(), ElementsAre("get", "k#1"));
  EXPECT_THAT(SplitLine("").value(), ElementsAre());
  EXPECT_EQ(SplitLine("set \"k").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(SplitLine(R"(set "\q")").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace rollcall::tools
