#include "fault_injection/scenario/mix.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/dist_error.h"
#include "store/scoped_timeout.h"

namespace rollcall::fault {
namespace {

constexpr int kKeys = 3;
constexpr int kCallsWithoutQueues = 11;
constexpr int kCalls = 14;
constexpr int kWaitFraction = 10;

class RandomCaller {
 public:
  RandomCaller(net::Env& env, Store& store, const Mix& mix, int rank)
      : env_(env), store_(store), mix_(mix), rank_(rank), wait_(store.timeout() / kWaitFraction) {}

  void CallOnce() {
    const std::string value = absl::StrCat(rank_, ".", ++calls_);
    switch (Below(mix_.no_queues() ? kCallsWithoutQueues : kCalls)) {
      case 0:
      case 1:
        return store_.Set(Key(), value);
      case 2:
        store_.Get(Key(), wait_);
        return;
      case 3:
        store_.Add(Counter(), static_cast<int64_t>(Below(5)) - 1);
        return;
      case 4:
        return store_.Append(Key(), value);
      case 5: {
        // Drawn one after the other: compilers differ in which argument they evaluate first.
        const std::string expected = Below(2) == 0 ? "" : absl::StrCat(rank_, ".", calls_ - 1);
        store_.CompareSet(Key(), expected, value);
        return;
      }
      case 6:
        store_.DeleteKey(Below(4) == 0 ? Counter() : Key());
        return;
      case 7:
        return store_.Wait({Key(), Counter()}, wait_);
      case 8:
        store_.Check({Key(), Key()});
        return;
      case 9:
        return store_.MultiSet(TwoKeys(), {value, value});
      case 10:
        ReadTwo();
        return;
      case 11:
        return store_.QueuePush("queue", value);
      case 12:
        store_.QueuePop("queue", /*block=*/Below(2) == 0, wait_);
        return;
      default:
        store_.QueueLen("queue");
    }
  }

 private:
  uint64_t Below(uint64_t n) { return env_.RandomBits() % n; }
  std::string KeyNumbered(uint64_t number) { return absl::StrCat("key", number); }
  uint64_t keys() const { return mix_.keys() > 0 ? static_cast<uint64_t>(mix_.keys()) : kKeys; }
  std::string Key() { return KeyNumbered(Below(keys())); }
  // Apart from the others: a text there would make every add a failure.
  std::string Counter() { return "counter"; }
  std::vector<std::string> TwoKeys() {
    const uint64_t first = Below(keys());
    return {KeyNumbered(first), KeyNumbered((first + 1) % keys())};
  }

  // Its time-out is the store's.
  void ReadTwo() {
    const ScopedTimeout scoped(store_, wait_);
    store_.MultiGet(TwoKeys());
  }

  net::Env& env_;
  Store& store_;
  const Mix& mix_;
  const int rank_;
  const absl::Duration wait_;
  int calls_ = 0;
};

}  // namespace

std::string RunRandomCalls(net::Env& env, Store& store, const Mix& mix, int rank) {
  RandomCaller caller(env, store, mix, rank);
  int ok = 0;
  int failed = 0;
  for (int i = 0; i < mix.operations(); ++i) {
    try {
      caller.CallOnce();
      ++ok;
    } catch (const DistError&) {
      ++failed;
    }
  }
  return absl::StrCat(ok, " ok, ", failed, " failed");
}

}  // namespace rollcall::fault
