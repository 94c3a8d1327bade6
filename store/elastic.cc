#include "store/elastic.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "store/dist_error.h"

namespace rollcall::elastic {
namespace {

constexpr char kMemberCount[] = "/num_members";
constexpr char kLastMember[] = "/last_member";
constexpr char kTrace[] = "/TRACE";
constexpr char kTracingGate[] = "/TRACING_GATE";
constexpr int kMissingRanksMax = 16;
// Once the first missing rank has been waited for, the others had the same time.
constexpr absl::Duration kFurtherTraceTimeout = absl::Milliseconds(1);

// Counts this rank in; the last one opens the gate, whose key is returned.
std::string CountIn(Store& store, int world_size, absl::string_view prefix) {
  std::string gate = absl::StrCat(prefix, kLastMember);
  if (store.Add(absl::StrCat(prefix, kMemberCount), 1) == world_size) {
    store.Set(gate, "<val_ignored>");
  }
  return gate;
}

bool WaitedFor(Store& store, const std::string& key, absl::Duration timeout) {
  try {
    store.Wait({key}, timeout);
    return true;
  } catch (const DistStoreError& error) {
    if (error.code() != ErrorCode::kWaitTimeout) throw;
    return false;
  }
}

std::string TraceKey(absl::string_view prefix, int rank) {
  return absl::StrCat(prefix, rank, kTrace);
}

// Rank 0's part: the ranks without a trace.
std::vector<int> FindMissing(Store& store, int world_size, absl::string_view prefix,
                             absl::Duration trace_timeout) {
  std::vector<int> missing;
  absl::Duration patience = trace_timeout;
  for (int rank = 1; rank < world_size; ++rank) {
    if (WaitedFor(store, TraceKey(prefix, rank), patience)) continue;
    missing.push_back(rank);
    if (static_cast<int>(missing.size()) >= kMissingRanksMax) break;
    patience = kFurtherTraceTimeout;
  }
  return missing;
}

std::string NameOf(const BarrierOptions& options, int rank) {
  return options.rank_name ? options.rank_name(rank) : absl::StrCat(rank);
}

[[noreturn]] void ThrowTimeout(Store& store, int world_size, absl::string_view prefix,
                               const BarrierOptions& options, const DistStoreError& cause) {
  if (!options.rank.has_value()) throw cause;
  const int rank = *options.rank;
  ErrorDetails details = cause.details();
  details.operation = "barrier";
  details.world_size = world_size;
  store.Set(TraceKey(prefix, rank), "<val_ignored>");
  const std::string gate = absl::StrCat(prefix, kTracingGate);
  std::string missing;
  if (rank == 0) {
    details.missing_ranks = FindMissing(store, world_size, prefix, options.trace_timeout);
    store.Set(gate, "<val_ignored>");
    missing = absl::StrJoin(details.missing_ranks, ", ", [&](std::string* out, int missing_rank) {
      absl::StrAppend(out, NameOf(options, missing_rank));
    });
  } else {
    // Rank 0 hosts the server: whoever leaves before it has looked would count as missing.
    WaitedFor(store, gate, options.trace_timeout + absl::Seconds(1));
    missing = absl::StrCat("<check rank 0 (", NameOf(options, 0), ") for missing rank info>");
  }
  throw DistStoreError(
      ErrorCode::kBarrierTimeout,
      absl::StrCat("Timed out waiting on barrier on rank ", rank, ", for key prefix: ", prefix,
                   " (world_size=", world_size, ", missing_ranks=[", missing,
                   "], timeout=", absl::ToDoubleSeconds(options.timeout), ")"),
      std::move(details));
}

}  // namespace

std::vector<std::string> GetAll(Store& store, int rank, absl::string_view prefix, int world_size) {
  std::vector<std::string> keys;
  for (int other = 0; other < world_size; ++other) keys.push_back(absl::StrCat(prefix, other));
  std::vector<std::string> values = store.MultiGet(keys);
  const std::string gate = CountIn(store, world_size, absl::StrCat(prefix, "/finished"));
  if (rank == 0) store.Wait({gate});
  return values;
}

std::vector<std::string> Synchronize(Store& store, absl::string_view value, int rank,
                                     int world_size, absl::string_view key_prefix,
                                     absl::Duration timeout) {
  const ScopedTimeout scoped(store, timeout);
  store.Set(absl::StrCat(key_prefix, rank), value);
  return GetAll(store, rank, key_prefix, world_size);
}

void Barrier(Store& store, int world_size, absl::string_view key_prefix,
             const BarrierOptions& options) {
  if (options.rank_name && !options.rank.has_value()) {
    throw std::invalid_argument("a barrier that names ranks needs to know its own: set `rank`");
  }
  const ScopedTimeout scoped(store, options.timeout);
  const std::string gate = CountIn(store, world_size, key_prefix);
  try {
    store.Wait({gate});
  } catch (const DistStoreError& error) {
    if (error.code() != ErrorCode::kWaitTimeout) throw;
    ThrowTimeout(store, world_size, key_prefix, options, error);
  }
}

}  // namespace rollcall::elastic
