#include "fault_injection/report/demo_runs.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "store/dist_error.h"
#include "store/error_code.h"

namespace rollcall::fault {
namespace {

WorldOptions Observed(WorldOptions options, TraceSink* sink) {
  options.trace = sink;
  return options;
}

std::string RankKey(int rank) { return absl::StrCat("rank", rank); }

// Sets its own key, gets those of all others, and goes when all have done so.
void Meet(DemoRun& run, int rank, int ranks) {
  const std::unique_ptr<TcpStore> store = run.Join(rank, absl::Seconds(30));
  if (store == nullptr) return;
  run.Step(rank, absl::StrCat("set ", RankKey(rank)), [&] {
    store->Set(RankKey(rank), absl::StrCat("host", rank));
    return "";
  });
  for (int other = 0; other < ranks; ++other) {
    if (other == rank) continue;
    run.Step(rank, absl::StrCat("get ", RankKey(other)),
             [&] { return store->Get(RankKey(other), absl::Seconds(30)); });
  }
  run.Step(rank, "barrier end", [&] {
    store->Barrier("end", ranks, absl::Seconds(60));
    return "";
  });
  // The server goes last.
  if (rank == 0) run.env(0).SleepUntil(run.env(0).Now() + absl::Milliseconds(1));
}

}  // namespace

DemoRun::DemoRun(int ranks, WorldOptions options, bool is_recorded)
    : recorder_(options.start),
      world_(std::make_unique<World>(Observed(options, is_recorded ? &recorder_ : nullptr))),
      net_(world_.get()) {
  if (is_recorded) net_.SetObserver(&recorder_);
  for (int rank = 0; rank < ranks; ++rank) {
    const std::string host = absl::StrCat("w", rank);
    SimKernel& kernel = net_.AddHost(host, {absl::StrCat("10.0.0.", rank + 1)});
    envs_.push_back(std::make_unique<SimEnv>(world_.get(), &kernel, SimProcess{.host = host}));
    recorder_.AddHost(host);
  }
}

void DemoRun::Start(int rank, std::function<void()> body) { envs_[rank]->Start(std::move(body)); }

bool DemoRun::Step(int rank, absl::string_view name, const std::function<std::string()>& call) {
  const StepId step = recorder_.BeginStep(world_->Now(), absl::StrCat("w", rank), name);
  try {
    const std::string result = call();
    recorder_.EndStep(world_->Now(), step, /*is_ok=*/true, result);
    return true;
  } catch (const DistError& error) {
    recorder_.EndStep(world_->Now(), step, /*is_ok=*/false, ErrorCodeName(error.code()));
    return false;
  }
}

std::unique_ptr<TcpStore> DemoRun::Join(int rank, absl::Duration timeout) {
  std::unique_ptr<TcpStore> store;
  Step(rank, "join", [&] {
    TcpStoreOptions options;
    options.host = "w0";
    options.is_server = rank == 0;
    options.wait_for_workers = false;
    options.rank = rank;
    options.timeout = timeout;
    store = std::make_unique<TcpStore>(env(rank), options);
    return "";
  });
  return store;
}

RunRecord DemoRun::Run(absl::string_view title) {
  const absl::Status ran = world_->Run();
  envs_.clear();
  recorder_.SetTitle(title);
  recorder_.SetVerdict(ran.ok() ? "all ranks have ended" : std::string(ran.message()));
  return recorder_.Finish(world_->Now());
}

RunRecord TwoRanksMeet() {
  DemoRun run(2, {.seed = 7});
  for (int rank = 0; rank < 2; ++rank) run.Start(rank, [&, rank] { Meet(run, rank, 2); });
  return run.Run("two ranks meet, seed 7");
}

RunRecord FourRanksMeet() {
  DemoRun run(4, {.seed = 7});
  for (int rank = 0; rank < 4; ++rank) run.Start(rank, [&, rank] { Meet(run, rank, 4); });
  return run.Run("four ranks meet, seed 7");
}

RunRecord ARankIsCutOff() {
  DemoRun run(4, {.seed = 7});
  for (int rank = 0; rank < 4; ++rank) run.Start(rank, [&, rank] { Meet(run, rank, 4); });
  run.world().At(run.world().Now() + absl::Microseconds(360), "cut",
                 [&] { run.net().CutBothWays("w0", "w3"); });
  run.world().At(run.world().Now() + absl::Seconds(57), "heal",
                 [&] { run.net().HealBothWays("w0", "w3"); });
  return run.Run("a rank is cut off, seed 7");
}

RunRecord AWaiterTimesOut() {
  DemoRun run(3, {.seed = 7});
  for (int rank = 0; rank < 3; ++rank) {
    run.Start(rank, [&, rank] {
      const std::unique_ptr<TcpStore> store = run.Join(rank, absl::Seconds(30));
      if (rank == 0) {
        run.env(0).SleepUntil(run.env(0).Now() + absl::Minutes(6));
      } else if (rank == 1) {
        run.Step(1, "add /n 1", [&] { return absl::StrCat(store->Add("n", 1)); });
      } else {
        run.Step(2, "wait /never", [&] {
          store->Wait({"never"}, absl::Minutes(5));
          return "";
        });
      }
    });
  }
  return run.Run("a waiter times out, seed 7");
}

RunRecord ManyRanksLoseOne() {
  constexpr int kRanks = 20;
  DemoRun run(kRanks, {.seed = 7});
  for (int rank = 0; rank < kRanks; ++rank) {
    run.Start(rank, [&, rank] { Meet(run, rank, kRanks); });
  }
  World& world = run.world();
  world.At(world.Now() + absl::Microseconds(900), "crash", [&] {
    run.net().CrashHost("w5");
    world.Kill("w5");
  });
  world.At(world.Now() + absl::Microseconds(1000), "pause", [&] {
    run.recorder().NoteFault(world.Now(), "pause w9 for 2s", {"w9"});
    const BandId band = run.recorder().BeginBand(world.Now(), "w9", "", "paused");
    world.At(world.Now() + absl::Seconds(2), "resume",
             [&run, &world, band] { run.recorder().EndBand(world.Now(), band); });
  });
  return run.Run("many ranks lose one, seed 7");
}

RunRecord NobodyListens() {
  DemoRun run(2, {.seed = 7});
  run.Start(1, [&] { run.Join(1, absl::Seconds(3)); });
  return run.Run("nobody listens, seed 7");
}

}  // namespace rollcall::fault
