#include "tools/soak/troubles.h"

#include <iterator>
#include <random>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/monitor.h"

namespace rollcall::soak {
namespace {

using fault::Direction;
using fault::Ending;
using fault::FaultProxy;

// Long enough for jobs to get through between two troubles, short enough for none to be rare.
constexpr absl::Duration kPauseMax = absl::Milliseconds(400);
constexpr absl::Duration kTroubleMax = absl::Milliseconds(300);

struct Trouble {
  const char* name;
  void (*begin)(FaultProxy& proxy, absl::string_view route);
};

// Each is ended by HealAll.
constexpr Trouble kTroubles[] = {
    {"reset", [](FaultProxy& proxy, absl::string_view route) { proxy.Reset(route); }},
    {"close", [](FaultProxy& proxy, absl::string_view route) { proxy.CloseConnections(route); }},
    {"refuse", [](FaultProxy& proxy, absl::string_view route) { proxy.Refuse(route); }},
    {"black hole", [](FaultProxy& proxy, absl::string_view route) { proxy.BlackHole(route); }},
    {"cut to the server",
     [](FaultProxy& proxy, absl::string_view route) { proxy.Cut(route, Direction::kToServer); }},
    {"cut to the clients",
     [](FaultProxy& proxy, absl::string_view route) { proxy.Cut(route, Direction::kToClient); }},
    {"latency",
     [](FaultProxy& proxy, absl::string_view route) {
       proxy.SetLatency(route, Direction::kToClient, absl::Milliseconds(5), absl::Milliseconds(5));
     }},
    {"slices",
     [](FaultProxy& proxy, absl::string_view route) {
       proxy.Slice(route, Direction::kToServer, 3, absl::Microseconds(50));
     }},
    {"truncated",
     [](FaultProxy& proxy, absl::string_view route) {
       proxy.Truncate(route, Direction::kToServer, {.frame = 0, .byte = 100}, Ending::kReset);
     }},
    {"accepted and reset",
     [](FaultProxy& proxy, absl::string_view route) {
       proxy.AcceptThenClose(route, Ending::kReset, 2);
     }},
};

class RandomTroubles final : public Troubles {
 public:
  RandomTroubles(net::Env& env, FaultProxy& proxy, std::string route, uint64_t seed)
      : env_(env),
        proxy_(proxy),
        route_(std::move(route)),
        random_(seed),
        owned_monitor_(env.NewMonitor()),
        monitor_(owned_monitor_.get()),
        thread_(env.StartThread("troubles", [this] { Run(); })) {}

  ~RandomTroubles() override {
    {
      const net::MonitorLock lock(monitor_);
      ended_ = true;
      monitor_->NotifyAll();
    }
    thread_.reset();
  }

  std::map<std::string, int64_t> Counts() const override {
    const net::MonitorLock lock(monitor_);
    return counts_;
  }

 private:
  void Run() {
    while (GoesOnAfter(kPauseMax)) {
      const Trouble& trouble = kTroubles[random_() % std::size(kTroubles)];
      trouble.begin(proxy_, route_);
      {
        const net::MonitorLock lock(monitor_);
        ++counts_[trouble.name];
      }
      GoesOnAfter(kTroubleMax);
      proxy_.HealAll(route_);
    }
  }

  // Waits for at most so long; false if it is to end.
  bool GoesOnAfter(absl::Duration longest) {
    const absl::Time until =
        env_.Now() + longest * std::uniform_real_distribution<double>(0.2, 1)(random_);
    const net::MonitorLock lock(monitor_);
    while (!ended_ && monitor_->WaitUntil(until)) {
    }
    return !ended_;
  }

  net::Env& env_;
  FaultProxy& proxy_;
  const std::string route_;
  std::mt19937_64 random_;  // Of the thread.
  const std::unique_ptr<net::Monitor> owned_monitor_;
  net::Monitor* const monitor_;
  bool ended_ ABSL_GUARDED_BY(monitor_) = false;
  std::map<std::string, int64_t> counts_ ABSL_GUARDED_BY(monitor_);
  std::unique_ptr<net::Thread> thread_;  // Last: it uses all of the above.
};

}  // namespace

std::unique_ptr<Troubles> Troubles::Start(net::Env& env, FaultProxy& proxy, std::string route,
                                          uint64_t seed) {
  return std::make_unique<RandomTroubles>(env, proxy, std::move(route), seed);
}

}  // namespace rollcall::soak
