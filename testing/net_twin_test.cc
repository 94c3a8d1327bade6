// The simulated kernel against the real one.
#include "testing/net_twin.h"

#include <errno.h>
#include <sys/resource.h>

#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fault_injection/sim_net.h"
#include "fault_injection/sim_net_options.h"
#include "fault_injection/world.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/syscalls.h"

namespace rollcall {
namespace {

struct Rung {
  TwinScript script;
  absl::Duration loopback_latency;

  friend void PrintTo(const Rung& rung, std::ostream* out) {
    *out << rung.script.name << " at " << absl::FormatDuration(rung.loopback_latency);
  }
};

class NetTwin : public testing::TestWithParam<Rung> {
 protected:
  static std::vector<std::string> Simulated() {
    fault::World world;
    fault::SimNetOptions options;
    options.loopback_latency = GetParam().loopback_latency;
    fault::SimNet net(&world, options);
    fault::SimKernel& kernel = net.AddHost("host", {"10.0.0.1"});
    std::vector<std::string> lines;
    world.Spawn("host", [&] { lines = RunTwinScript(GetParam().script, kernel); });
    const absl::Status ran = world.Run();
    EXPECT_TRUE(ran.ok()) << ran << net.Sockets();
    world.KillAll();  // What is left of a script that is stuck.
    EXPECT_EQ(kernel.usage().descriptors, 0);
    EXPECT_EQ(kernel.usage().listeners, 0);
    return lines;
  }
};

TEST_P(NetTwin, TheSimulatedKernelDoesAsTheRealOne) {
  EXPECT_THAT(Simulated(),
              testing::ElementsAreArray(RunTwinScript(GetParam().script, net::RealSyscalls())));
}

// Zero: as Linux's own, where what is sent is there before the call returns.
std::vector<Rung> Rungs() {
  std::vector<Rung> rungs;
  for (const TwinScript& script : TwinScripts()) {
    rungs.push_back({script, absl::ZeroDuration()});
    rungs.push_back({script, absl::Microseconds(20)});
  }
  return rungs;
}

INSTANTIATE_TEST_SUITE_P(Loopback, NetTwin, testing::ValuesIn(Rungs()),
                         [](const testing::TestParamInfo<Rung>& info) {
                           const bool at_once = info.param.loopback_latency == absl::ZeroDuration();
                           return absl::StrCat(info.param.script.name,
                                               at_once ? "AtOnce" : "AfterAWhile");
                         });

// Descriptors run out: the one script that needs more than system calls.
std::vector<std::string> RunOutOfDescriptors(net::Syscalls& calls) {
  Twin twin(&calls);
  twin.MakePair();
  twin.Socket("late");
  twin.Connect("late", "127.0.0.1", "listener");
  twin.Write("and now to the limit");
  int fd = 0;
  for (int i = 0; fd >= 0; ++i) {
    fd = calls.EventFd();
    twin.Adopt(absl::StrCat("filler", i), fd);
  }
  twin.Write("eventfd", fd);
  twin.Write("socket", calls.Socket(AF_INET, SOCK_STREAM, 0));
  twin.Write("epoll_create", calls.EpollCreate());
  twin.Accept("listener", "none");
  twin.Send("late", "anybody there?");
  twin.Recv("late", 10, MSG_DONTWAIT);
  twin.Ready("late");
  twin.Close("filler0");
  twin.Accept("listener", "one");
  twin.Recv("one");
  return twin.lines();
}

TEST(NetTwinLimits, DescriptorsRunOut) {
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = 64;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  const std::vector<std::string> real = RunOutOfDescriptors(net::RealSyscalls());
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);

  fault::World world;
  fault::SimNet net(&world);
  fault::SimHostOptions options;
  options.descriptors_max = 16;
  fault::SimKernel& kernel = net.AddHost("host", {}, options);
  std::vector<std::string> simulated;
  world.Spawn("host", [&] { simulated = RunOutOfDescriptors(kernel); });
  EXPECT_TRUE(world.Run().ok());
  EXPECT_THAT(simulated, testing::ElementsAreArray(real));
}

}  // namespace
}  // namespace rollcall
