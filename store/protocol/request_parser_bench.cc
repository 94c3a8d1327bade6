// How long a request of many keys takes to parse, by how many they are and how the network cuts it:
// `bazel run -c opt //store/protocol:request_parser_bench`. The time a key must not grow with them.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "store/protocol/dialect.h"
#include "store/protocol/operation.h"
#include "store/protocol/request_parser.h"
#include "store/protocol/request_writer.h"

namespace rollcall::protocol {
namespace {

std::string RequestOf(Operation operation, size_t key_count) {
  std::vector<std::string> keys;
  for (size_t i = 0; i < key_count; ++i) keys.push_back(absl::StrCat("/job/rank/", i));
  std::string bytes;
  const absl::Status written =
      operation == Operation::kMultiSet
          ? AppendMultiSet(Dialect::kModern, keys,
                           std::vector<std::string>(key_count, "10.0.0.1:29500"), bytes)
          : AppendKeysRequest(Dialect::kModern, operation, keys, bytes);
  return written.ok() ? bytes : "";
}

// Arguments: keys, and the bytes of each piece.
void Parse(benchmark::State& state, Operation operation) {
  const std::string request = RequestOf(operation, static_cast<size_t>(state.range(0)));
  const size_t piece_bytes = static_cast<size_t>(state.range(1));
  const ParserOptions options;
  RequestParser parser(&options);
  for (auto _ : state) {
    parser.Reset(Dialect::kModern);
    const Request* parsed = nullptr;
    for (absl::string_view left = request; !left.empty();) {
      const absl::string_view piece = left.substr(0, piece_bytes);
      left.remove_prefix(piece.size());
      parser.Feed(piece);
      parsed = parser.Next();
    }
    if (parsed == nullptr) return state.SkipWithError("the request was not whole");
  }
  state.counters["per_key"] = benchmark::Counter(
      static_cast<double>(state.range(0)),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

// A byte at a time, as much as a packet holds, as much as the server reads at once.
void Sizes(benchmark::internal::Benchmark* benchmark) {
  for (const int piece_bytes : {1, 1448, 64 << 10}) {
    for (const int keys : {1 << 10, 1 << 14, 1 << 17}) benchmark->Args({keys, piece_bytes});
  }
  benchmark->ArgNames({"keys", "piece_bytes"})->Unit(benchmark::kMillisecond);
}

BENCHMARK_CAPTURE(Parse, multi_get, Operation::kMultiGet)->Apply(Sizes);
BENCHMARK_CAPTURE(Parse, multi_set, Operation::kMultiSet)->Apply(Sizes);

}  // namespace
}  // namespace rollcall::protocol

BENCHMARK_MAIN();
