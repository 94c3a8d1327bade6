// The program as a user runs it: servers of its own making, a table, and JSON.

#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/subprocess.h"
#include "testing/temp_directory.h"

namespace rollcall {
namespace {

using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

absl::Time Soon() { return absl::Now() + absl::Minutes(2); }

struct Ended {
  int status = -1;
  std::string out;
  std::string err;
};

Ended RunProgram(const std::vector<std::string>& argv) {
  const std::unique_ptr<Subprocess> program = *Subprocess::Start({.argv = argv});
  Ended ended;
  ended.out = program->ReadToEnd(Soon()).value_or("");
  ended.status = program->WaitForExit(Soon()).value_or(-1);
  ended.err = program->StderrSoFar();
  return ended;
}

Ended RunBench(std::vector<std::string> flags) {
  flags.insert(flags.begin(), RunfilePath("tools/store_bench"));
  return RunProgram(flags);
}

std::string ContentsOf(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TEST(StoreBench, PrintsEachServerAsARatioToTheEcho) {
  const TempDirectory directory;
  const std::string json = directory.File("run.json");
  const Ended ended = RunBench({"--targets=echo,epoll,libuv,epoll-legacy",
                                "--workloads=join,depth1,fan_out,queue,barrier,vanish",
                                "--ranks=100", "--seconds=0.02", "--repetitions=1", "--warm_ups=0",
                                absl::StrCat("--json=", json)});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("\necho "));
  EXPECT_THAT(ended.out, HasSubstr("\nepoll "));
  EXPECT_THAT(ended.out, HasSubstr("\nlibuv "));
  EXPECT_THAT(ended.out, HasSubstr("  epoll-legacy: the legacy dialect has no queue_push\n"));
  // Only the dialect of torch 1.x lacks something.
  EXPECT_THAT(ended.out, Not(HasSubstr("  epoll: ")));
  EXPECT_THAT(ended.out, Not(HasSubstr("  echo: ")));
  EXPECT_THAT(ended.err, HasSubstr("1/1 join echo: wall "));
  EXPECT_THAT(ContentsOf(json), HasSubstr("\"target\": \"libuv\""));
}

// What the page of a run is made by. It needs Python, as Bazel does.
TEST(PlotStores, PutsARunIntoAPage) {
  const TempDirectory directory;
  const std::string json = directory.File("run.json");
  const Ended measured =
      RunBench({"--targets=echo,epoll", "--workloads=depth1,depth16", "--seconds=0.02",
                "--repetitions=1", "--warm_ups=0", "--nopin", absl::StrCat("--json=", json)});
  ASSERT_EQ(measured.status, 0) << measured.err;
  const std::string page = directory.File("page.md");
  std::ofstream(page) << "before\n<!-- made by tools/plot_stores -->\nold\n<!-- end -->\nafter\n";
  const Ended plotted =
      RunProgram({"/usr/bin/python3", RunfilePath("tools/plot_stores"), json, "--page=" + page});
  EXPECT_EQ(plotted.status, 0) << plotted.err;
  const std::string text = ContentsOf(page);
  EXPECT_THAT(text, StartsWith("before\n"));
  EXPECT_THAT(text, EndsWith("<!-- end -->\nafter\n"));
  EXPECT_THAT(text, Not(HasSubstr("\nold\n")));
  EXPECT_THAT(text, HasSubstr("| epoll | **×"));
  EXPECT_THAT(ContentsOf(directory.File("performance_costs.svg")), HasSubstr("epoll: "));
}

TEST(StoreBench, SaysWhatEachLayerCostsAndPutsItIntoThePage) {
  const TempDirectory directory;
  const std::string json = directory.File("layers.json");
  const Ended measured =
      RunBench({"--targets=epoll,epoll+tls,epoll+mtls+token", "--workloads=idle_memory,depth16",
                "--ranks=40", "--seconds=0.02", "--repetitions=1", "--warm_ups=0", "--nopin",
                absl::StrCat("--json=", json)});
  EXPECT_EQ(measured.status, 0) << measured.err;
  // Whoever was not let in would be named there.
  EXPECT_THAT(measured.out, Not(HasSubstr("\n  epoll"))) << measured.out;
  EXPECT_THAT(measured.out, HasSubstr("what a layer costs, as a ratio to epoll without it\n"));
  EXPECT_THAT(measured.out,
              ContainsRegex("16 in flight, requests, kops/s +[0-9.]+ +x[0-9.]+ [0-9.]+ +x"));

  const std::string page = directory.File("page.md");
  std::ofstream(page) << "before\n<!-- layers: made by tools/plot_stores -->\nold\n"
                         "<!-- end of layers -->\nafter\n";
  const Ended plotted = RunProgram(
      {"/usr/bin/python3", RunfilePath("tools/plot_stores"), "--layers=" + json, "--page=" + page});
  EXPECT_EQ(plotted.status, 0) << plotted.err;
  const std::string text = ContentsOf(page);
  EXPECT_THAT(text, StartsWith("before\n"));
  EXPECT_THAT(text, EndsWith("<!-- end of layers -->\nafter\n"));
  EXPECT_THAT(text, Not(HasSubstr("\nold\n")));
  EXPECT_THAT(text, HasSubstr("| | epoll | + tls | + mtls + token |\n|---|---|---|---|\n"));
  EXPECT_THAT(text, ContainsRegex("16 in flight, requests, kops/s \\| [0-9.]+ \\| \\*\\*×"));
}

TEST(StoreBench, NamesWhatItDoesNotKnow) {
  const Ended workload = RunBench({"--workloads=join,jion"});
  EXPECT_EQ(workload.status, 1);
  EXPECT_THAT(workload.err, HasSubstr("\"jion\""));
  const Ended dialect = RunBench({"--targets=echo,epoll-old"});
  EXPECT_EQ(dialect.status, 1);
  EXPECT_THAT(dialect.err, HasSubstr("\"old\""));
  const Ended layer = RunBench({"--targets=echo,epoll+armour"});
  EXPECT_EQ(layer.status, 1);
  EXPECT_THAT(layer.err, HasSubstr("\"armour\"; there are: tls, mtls, token, journal, etcd"));
  const Ended server = RunBench({"--server=torch=here"});
  EXPECT_EQ(server.status, 1);
  EXPECT_THAT(server.err, HasSubstr("NAME=HOST:PORT"));
}

TEST(StoreBench, SaysWhenAServerDoesNotStart) {
  const Ended ended = RunBench({"--targets=echo,kqueue", "--workloads=depth1", "--seconds=0.02",
                                "--repetitions=1", "--warm_ups=0"});
  EXPECT_THAT(ended.out, HasSubstr("  kqueue: "));
}

}  // namespace
}  // namespace rollcall
