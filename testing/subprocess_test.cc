#include "testing/subprocess.h"

#include <signal.h>

#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace rollcall {
namespace {

absl::Time Soon() { return absl::Now() + absl::Seconds(60); }

std::unique_ptr<Subprocess> Shell(const std::string& script, SubprocessOptions options = {}) {
  options.argv = {"/bin/sh", "-c", script};
  absl::StatusOr<std::unique_ptr<Subprocess>> started = Subprocess::Start(options);
  EXPECT_TRUE(started.ok()) << started.status();
  return *std::move(started);
}

TEST(SubprocessTest, GivesLinesAndTheRestAndTheExitStatus) {
  auto process = Shell("echo one; echo two; printf three; echo wrong >&2; exit 7");
  EXPECT_EQ(process->ReadLine(Soon()).value(), "one");
  EXPECT_EQ(process->ReadToEnd(Soon()).value(), "two\nthree");
  EXPECT_EQ(process->WaitForExit(Soon()).value(), 7);
  EXPECT_EQ(process->WaitForExit(Soon()).value(), 7);
  EXPECT_EQ(process->StderrSoFar(), "wrong\n");
}

TEST(SubprocessTest, AnUnfinishedLastLineIsALineAndThenThereIsNone) {
  auto process = Shell("printf end");
  EXPECT_EQ(process->ReadLine(Soon()).value(), "end");
  EXPECT_EQ(process->ReadLine(Soon()).status().code(), absl::StatusCode::kOutOfRange);
}

TEST(SubprocessTest, TellsASignalByItsNumberAndTakesDeadlinesSeriously) {
  auto process = Shell("exec sleep 1000");
  const absl::Time deadline = absl::Now() + absl::Milliseconds(20);
  EXPECT_EQ(process->ReadLine(deadline).status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(process->WaitForExit(deadline).status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(process->Signal(SIGTERM).ok());
  EXPECT_EQ(process->WaitForExit(Soon()).value(), 128 + SIGTERM);
}

TEST(SubprocessTest, AwaitsWhatIsSaidOnStandardErrorAndNotLongerThanItCanCome) {
  const auto talks = Shell("read line; echo \"heard nothing\" >&2; exec sleep 600");
  EXPECT_TRUE(talks->AwaitStderr("nothing\n", Soon()).ok());
  EXPECT_EQ(talks->AwaitStderr("more", absl::InfinitePast()).code(),
            absl::StatusCode::kDeadlineExceeded);
  const auto ends = Shell("echo the end >&2");
  EXPECT_TRUE(ends->AwaitStderr("the end", Soon()).ok());
  EXPECT_FALSE(ends->AwaitStderr("more", absl::InfiniteFuture()).ok());
}

TEST(SubprocessTest, PassesEnvironmentAndInput) {
  auto process =
      Shell("cat; echo $GREETING $HOME",
            {.argv = {}, .environment = {"GREETING=hello", "HOME=here"}, .stdin_text = "in\n"});
  EXPECT_EQ(process->ReadToEnd(Soon()).value(), "in\nhello here\n");
}

TEST(SubprocessTest, AMissingProgramIsAnErrorThatNamesIt) {
  const auto started =
      Subprocess::Start({.argv = {"/no/such/program"}, .environment = {}, .stdin_text = ""});
  ASSERT_FALSE(started.ok());
  EXPECT_NE(started.status().message().find("/no/such/program"), absl::string_view::npos);
}

}  // namespace
}  // namespace rollcall
