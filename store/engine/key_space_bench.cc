// What a look-up costs by how many keys there are: `bazel run -c opt
// //store/engine:key_space_bench`. It is the least that an operation of any store with these keys
// in memory costs more when they no longer fit into the processor's caches.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/engine/key_space.h"

namespace rollcall::engine {
namespace {

constexpr char kValue[] = "sixteen bytes ok";
// More of them, with what hangs on them, than a cache holds. A power of two.
constexpr int64_t kTouched = 1 << 17;

std::string KeyOf(int64_t index) { return absl::StrCat("/bench/k", index); }

KeySpace Filled(int64_t keys) {
  KeySpace space;
  for (int64_t i = 0; i < keys; ++i) *space.FindOrCreate(KeyOf(i)).value = kValue;
  return space;
}

// Keys from all over the table, spelled before they are needed.
std::vector<std::string> Scattered(int64_t keys) {
  std::vector<std::string> names;
  // A step that shares no divisor with any number of keys here.
  for (int64_t i = 0; i < kTouched; ++i) names.push_back(KeyOf(i * 7919 % keys));
  return names;
}

void Get(benchmark::State& state) {
  const KeySpace space = Filled(state.range(0));
  const std::vector<std::string> names = Scattered(state.range(0));
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(space.Find(names[next++ % names.size()])->front());
  }
}

void Set(benchmark::State& state) {
  KeySpace space = Filled(state.range(0));
  const std::vector<std::string> names = Scattered(state.range(0));
  size_t next = 0;
  for (auto _ : state) {
    std::string key = names[next++ % names.size()];
    *space.FindOrCreate(std::move(key)).value = std::string(kValue);
  }
}

BENCHMARK(Get)->RangeMultiplier(10)->Range(10, 1'000'000);
BENCHMARK(Set)->RangeMultiplier(10)->Range(10, 1'000'000);

}  // namespace
}  // namespace rollcall::engine

BENCHMARK_MAIN();
