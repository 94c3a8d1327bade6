#include "tools/soak/job.h"

#include <cstdint>
#include <exception>
#include <memory>

#include "absl/strings/str_cat.h"
#include "net/monitor.h"
#include "store/collectives.h"
#include "store/dist_error.h"
#include "store/prefix_store.h"

namespace rollcall::soak {
namespace {

class WrongValue : public std::exception {
 public:
  explicit WrongValue(std::string what) : what_(std::move(what)) {}
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  const std::string what_;
};

template <typename Value>
void Expect(const Value& value, const Value& expected, absl::string_view what) {
  if (value == expected) return;
  throw WrongValue(absl::StrCat("WRONG VALUE: ", what, " is ", value, " and not ", expected));
}

std::string QueueOf(int rank) { return absl::StrCat("queue/", rank); }

std::string ValueOf(int rank, int round) { return absl::StrCat("value of ", rank, " in ", round); }

class Rank {
 public:
  Rank(net::Env& env, const JobOptions& options, int rank)
      : options_(options),
        rank_(rank),
        store_(options.name, std::make_unique<TcpStore>(env, options.store)),
        collectives_(env, store_, {.rank = rank, .world_size = options.world_size}, "together") {}

  void Work() {
    for (int round = 0; round < options_.rounds; ++round) {
      Gather(round);
      Count(round);
      PassOn(round);
    }
    collectives_.Barrier("end", timeout());
  }

 private:
  absl::Duration timeout() const { return options_.store.timeout; }

  void Gather(int round) {
    const std::vector<std::string> values =
        collectives_.AllGather("values", ValueOf(rank_, round), timeout());
    for (int rank = 0; rank < options_.world_size; ++rank) {
      Expect(values[static_cast<size_t>(rank)], ValueOf(rank, round), "a gathered value");
    }
  }

  void Count(int round) {
    const std::string key = absl::StrCat("sum/", round);
    store_.Add(key, rank_ + 1);
    collectives_.Barrier("counted", timeout());
    const int64_t all = options_.world_size;
    Expect(store_.Add(key, 0), all * (all + 1) / 2, "a sum");
  }

  // To the next rank, through a queue and a key.
  void PassOn(int round) {
    const int next = (rank_ + 1) % options_.world_size;
    const int previous = (rank_ + options_.world_size - 1) % options_.world_size;
    const auto token = [round](int rank) { return absl::StrCat("token/", round, "/", rank); };
    store_.QueuePush(QueueOf(next), ValueOf(rank_, round));
    Expect(store_.QueuePop(QueueOf(rank_)), ValueOf(previous, round), "an element");
    store_.Set(token(next), ValueOf(rank_, round));
    Expect(store_.Get(token(rank_)), ValueOf(previous, round), "a token");
    store_.DeleteKey(token(rank_));
  }

  const JobOptions& options_;
  const int rank_;
  PrefixStore store_;
  Collectives collectives_;
};

}  // namespace

std::vector<std::string> RunJob(net::Env& env, const JobOptions& options) {
  const std::unique_ptr<net::Monitor> monitor = env.NewMonitor();
  std::vector<std::string> errors;
  std::vector<std::unique_ptr<net::Thread>> threads;
  for (int rank = 0; rank < options.world_size; ++rank) {
    threads.push_back(env.StartThread(absl::StrCat("rank", rank), [&, rank] {
      std::string error;
      try {
        Rank(env, options, rank).Work();
        return;
      } catch (const std::exception& e) {
        error = absl::StrCat(options.name, " rank ", rank, ": ", e.what());
      }
      const net::MonitorLock lock(monitor.get());
      errors.push_back(std::move(error));
    }));
  }
  threads.clear();
  return errors;
}

void RemoveTraces(Store& store, const JobOptions& options) {
  PrefixStore traces(options.name, store.Clone());
  for (const std::string& key : traces.ListKeys()) traces.DeleteKey(key);
  for (int rank = 0; rank < options.world_size; ++rank) {
    while (traces.QueueLen(QueueOf(rank)) > 0) traces.QueuePop(QueueOf(rank), /*block=*/false);
  }
}

}  // namespace rollcall::soak
