// The benchmark runs, and prints a line for each workload: how fast is not for a test to say.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "net/tls/tls_files.h"
#include "store/server/server_options.h"
#include "store/server/store_server.h"
#include "testing/subprocess.h"
#include "testing/tls_directory.h"

namespace rollcall {
namespace {

void ExpectALineForEachWorkload(ServerOptions server_options, std::vector<std::string> flags) {
  server_options.host = "127.0.0.1";
  const auto server = StoreServer::Start(net::RealEnv(), server_options);
  ASSERT_TRUE(server.ok()) << server.status();
  SubprocessOptions options;
  options.argv = {RunfilePath("tools/client_bench/client_bench"),
                  absl::StrCat("--port=", (*server)->port()), "--ops=20", "--join=4"};
  options.argv.insert(options.argv.end(), flags.begin(), flags.end());
  const auto bench = Subprocess::Start(options);
  ASSERT_TRUE(bench.ok()) << bench.status();
  const absl::Time deadline = absl::Now() + absl::Seconds(50);
  const absl::StatusOr<std::string> output = (*bench)->ReadToEnd(deadline);
  ASSERT_TRUE(output.ok()) << output.status();
  const absl::StatusOr<int> status = (*bench)->WaitForExit(deadline);
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(*status, 0) << (*bench)->StderrSoFar();
  std::vector<std::string> works;
  for (const absl::string_view line : absl::StrSplit(*output, '\n', absl::SkipEmpty())) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    EXPECT_EQ(words.size(), 4) << line;
    works.push_back(words[0]);
  }
  EXPECT_THAT(works, testing::ElementsAre("join", "add", "set", "get", "get_missing", "set_get",
                                          "large_set", "large_get", "batch16"));
}

TEST(ClientBenchTest, PrintsALineForEachWorkload) { ExpectALineForEachWorkload({}, {}); }

TEST(ClientBenchTest, SpeaksTlsAndShowsAToken) {
  TlsDirectory files(absl::Now());
  const std::string tokens = files.Write("tokens", "the_token_of_the_benchmark");
  const net::TlsClientFiles client = files.Client(/*known=*/true);
  ExpectALineForEachWorkload({.tls = files.Server(/*mutual=*/true), .token_file = tokens},
                             {"--ca=" + client.ca, "--cert=" + client.certificate_chain,
                              "--key=" + client.private_key, "--token_file=" + tokens});
}

}  // namespace
}  // namespace rollcall
