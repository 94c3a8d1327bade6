#include "fault_injection/report/run_recorder.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fault_injection/report/demo_runs.h"
#include "fault_injection/report/report_text.h"
#include "fault_injection/report/run_record.h"
#include "fault_injection/sim_net.h"
#include "fault_injection/trace.h"
#include "fault_injection/world.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/tcp_store.h"

namespace rollcall::fault {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> Steps(const RunRecord& record) {
  std::vector<std::string> texts;
  for (const RunRecord::Step& step : record.steps) {
    texts.push_back(absl::StrCat(HostName(record, step.host), " ", StepText(step)));
  }
  return texts;
}

std::vector<std::string> Messages(const RunRecord& record) {
  std::vector<std::string> texts;
  for (const RunRecord::Message& message : record.messages) {
    texts.push_back(absl::StrCat(HostName(record, message.from), " -> ",
                                 HostName(record, message.to), " ", MessageText(message)));
  }
  return texts;
}

std::vector<std::string> Bands(const RunRecord& record) {
  std::vector<std::string> texts;
  for (const RunRecord::Band& band : record.bands) {
    texts.push_back(absl::StrCat(BandText(record, band), " ",
                                 absl::FormatDuration(band.end - band.begin),
                                 band.is_over ? "" : " and on"));
  }
  return texts;
}

TEST(RunRecorderTest, StepsHaveOutcomesAndMessagesSayWhatTheyAre) {
  const RunRecord record = TwoRanksMeet();
  EXPECT_THAT(record.hosts, ElementsAre("w0", "w1"));
  EXPECT_THAT(Steps(record), Contains("w1 get rank0 -> host0"));
  EXPECT_THAT(Messages(record), Contains("w1 -> w0 set /rank1"));
  EXPECT_THAT(Messages(record), Contains("w0 -> w1 get: host0, wait: over"));
  EXPECT_THAT(Messages(record), Contains("w0 -> w1 barrier: over"));
  EXPECT_THAT(record.faults, IsEmpty());
  for (const RunRecord::Step& step : record.steps) {
    EXPECT_TRUE(step.is_ok) << step.name;
    ASSERT_NE(step.fiber, kNone);
    EXPECT_EQ(record.fibers[step.fiber].host, step.host);
  }
}

TEST(RunRecorderTest, AWaitThatTimesOutIsThereToItsEnd) {
  const RunRecord record = AWaiterTimesOut();
  EXPECT_THAT(Steps(record), Contains("w2 wait /never -> WAIT_TIMEOUT"));
  EXPECT_THAT(Messages(record), Contains("w0 -> w2 wait: cancelled"));
  const auto failed = std::find_if(record.steps.begin(), record.steps.end(),
                                   [](const RunRecord::Step& step) { return !step.is_ok; });
  ASSERT_NE(failed, record.steps.end());
  const RunRecord::Step& step = *failed;
  EXPECT_EQ(step.end - step.begin, absl::Minutes(5));
  const RunRecord::Wait* last = nullptr;
  for (const RunRecord::Wait& wait : record.waits) {
    EXPECT_LT(wait.begin, wait.end);
    if (wait.fiber == step.fiber && wait.end == step.end) last = &wait;
  }
  ASSERT_NE(last, nullptr);
  EXPECT_EQ(last->ended_by, "deadline");
}

TEST(RunRecorderTest, ACutIsAFaultABandAndLostMessages) {
  const RunRecord record = ARankIsCutOff();
  ASSERT_EQ(record.faults.size(), 4);
  EXPECT_EQ(record.faults.front().text, "cut w0 -> w3");
  EXPECT_THAT(record.faults.front().hosts, ElementsAre(0, 3));
  EXPECT_THAT(Bands(record), ElementsAre("w0 -> w3: cut 56.99964s", "w3 -> w0: cut 56.99964s"));
  EXPECT_THAT(Messages(record), Contains("w0 -> w3 get: host1, wait: over lost"));
  EXPECT_THAT(Messages(record), Contains("w3 -> w0 barrier /end 4"));  // Once healed.
  // The last barrier opens as its waiters give up.
  EXPECT_THAT(Messages(record), Contains("w0 -> w1 barrier: over"));
  EXPECT_THAT(Messages(record), Contains("w0 -> w1 cancel_wait: cancelled"));
  EXPECT_THAT(Messages(record), Contains("w0 -> w0 barrier: cancelled"));
  for (const RunRecord::Message& message : record.messages) {
    EXPECT_EQ(message.is_lost && message.from != 0 && message.from != 3, false);
  }
}

TEST(RunRecorderTest, AKilledHostsStepsAreNotOver) {
  const RunRecord record = ManyRanksLoseOne();
  EXPECT_THAT(Steps(record), Contains(testing::MatchesRegex("w5 get rank[0-9]+ -> killed")));
  EXPECT_THAT(Bands(record), Contains("w9: paused 2s"));
  EXPECT_THAT(Bands(record), Contains(testing::StartsWith("w5: crashed ")));
}

TEST(RunRecorderTest, BandsOfFaultsBeginAndEndByThemselves) {
  World world;
  SimNet net(&world);
  RunRecorder recorder(world.Now());
  net.SetObserver(&recorder);
  world.Spawn("test", [&] {
    const absl::Time end = world.Now() + absl::Seconds(10);
    while (world.Now() < end) world.Block(end, "the end");
  });
  for (const char* const host : {"a", "b"}) {
    net.AddHost(host, {absl::StrCat("10.0.0.", host[0] - 'a' + 1)});
  }
  const auto at = [&](int seconds, std::function<void()> work) {
    world.At(world.options().start + absl::Seconds(seconds), "test", std::move(work));
  };
  at(1, [&] { net.Cut("a", "b"); });
  at(2, [&] { net.Cut("a", "b"); });  // Already.
  at(3, [&] { net.BlackHole("b"); });
  at(5, [&] { net.Heal("a", "b"); });
  at(6, [&] { net.HealHost("b"); });
  at(7, [&] { net.ExitProcess("a"); });
  at(8, [&] { net.RestartHost("a"); });
  at(9, [&] { net.Refuse("a"); });
  EXPECT_EQ(world.Run(), absl::OkStatus());
  const RunRecord record = recorder.Finish(world.Now());
  EXPECT_THAT(Bands(record), ElementsAre("a -> b: cut 1s", "a -> b: cut 3s", "b: black hole 3s",
                                         "a: process gone 1s", "a: refuses connections 1s and on"));
  EXPECT_EQ(record.faults.size(), 8);
}

TEST(RunRecorderTest, TheOldestAreDropped) {
  RunRecorder recorder(absl::UnixEpoch(), {.waits_max = 2, .messages_max = 2, .notes_max = 2});
  for (int i = 0; i < 5; ++i) {
    recorder.OnEvent({absl::Seconds(i), "w0", TraceKind::kNote, absl::StrCat(i)});
    recorder.OnEvent({absl::Seconds(i), "w0", TraceKind::kRun, ""});
    recorder.OnEvent({absl::Seconds(i), "w0", TraceKind::kBlock, absl::StrCat("thing ", i)});
  }
  const RunRecord record = recorder.Finish(absl::UnixEpoch() + absl::Seconds(9));
  ASSERT_EQ(record.notes.size(), 2);
  EXPECT_EQ(record.notes.front().text, "3");
  EXPECT_EQ(record.notes_dropped, 3);
  ASSERT_EQ(record.waits.size(), 2);
  EXPECT_EQ(record.waits.back().waits_for, "thing 4");
  EXPECT_EQ(record.waits.back().ended_by, "alive at the end of the run");
  EXPECT_EQ(record.waits_dropped, 3);
}

// What is recorded must not depend on the recording, nor the run.
TEST(RunRecorderTest, ARunIsTheSameWhetherItIsRecordedOrNot) {
  struct Prints {
    uint64_t world;
    uint64_t net;
    bool operator==(const Prints&) const = default;
  };
  const auto run = [](bool is_recorded) {
    DemoRun demo(3, {.seed = 11}, is_recorded);
    for (int rank = 0; rank < 3; ++rank) {
      demo.Start(rank, [&demo, rank] {
        const std::unique_ptr<TcpStore> store = demo.Join(rank, absl::Seconds(30));
        if (store == nullptr) return;
        demo.Step(rank, "barrier", [&] {
          store->Barrier("b", 3, absl::Seconds(20));
          return "";
        });
        if (rank == 0) demo.env(0).SleepUntil(demo.env(0).Now() + absl::Seconds(30));
      });
    }
    demo.world().At(demo.world().Now() + absl::Microseconds(120), "cut",
                    [&] { demo.net().CutBothWays("w0", "w2"); });
    const RunRecord record = demo.Run("fingerprints");
    EXPECT_EQ(record.messages.empty(), !is_recorded);
    return Prints{demo.world().fingerprint(), demo.net().fingerprint()};
  };
  EXPECT_EQ(run(true), run(false));
}

}  // namespace
}  // namespace rollcall::fault
