// How long the checker takes: `bazel run -c opt //fault_injection:linearize_bench`.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <utility>
#include <vector>

#include "fault_injection/history.h"
#include "fault_injection/linearize.h"
#include "fault_injection/random_history.h"

namespace rollcall::fault {
namespace {

constexpr int kHistories = 50;
constexpr size_t kOperations = 1700;
constexpr int kClients = 50;

History WithAWrongAnswer(History history) {
  const auto last_add = std::find_if(history.rbegin(), history.rend(), [](const Operation& o) {
    return o.kind == HistoryKind::kAdd;
  });
  last_add->result_number += 100'000;
  return history;
}

void Measure(const char* what, int keys, bool good) {
  std::vector<double> milliseconds;
  for (uint32_t seed = 0; seed < kHistories; ++seed) {
    History history = RandomHistory(seed, 4000, kClients, keys);
    history.resize(std::min(history.size(), kOperations));
    if (!good) history = WithAWrongAnswer(std::move(history));
    const auto began = std::chrono::steady_clock::now();
    const Verdict verdict = CheckLinearizable(history).verdict;
    milliseconds.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began)
            .count());
    if (verdict != (good ? Verdict::kLinearizable : Verdict::kViolation)) {
      std::printf("wrong verdict on history %u\n", seed);
    }
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  std::printf("%-8s %2d keys   %7.2f ms   (%.2f to %.2f)\n", what, keys,
              milliseconds[kHistories / 2], milliseconds.front(), milliseconds.back());
}

}  // namespace
}  // namespace rollcall::fault

int main() {
  std::printf("%zu operations of %d clients, median of %d histories\n",
              rollcall::fault::kOperations, rollcall::fault::kClients, rollcall::fault::kHistories);
  for (const int keys : {8, 64}) {
    rollcall::fault::Measure("good", keys, true);
    rollcall::fault::Measure("bad", keys, false);
  }
  return 0;
}
