// torchelastic's store helpers, with the same keys and the same order of operations, so that C++
// ranks and Python ranks can be members of one group. For groups of C++ ranks alone, collectives.h
// costs less and can be used again under the same name.
#ifndef ROLLCALL_STORE_ELASTIC_H_
#define ROLLCALL_STORE_ELASTIC_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "store/scoped_timeout.h"
#include "store/store.h"

namespace rollcall::elastic {

// Torchelastic's store_timeout.
using rollcall::ScopedTimeout;

// The values of "{prefix}{0}" to "{prefix}{world_size-1}". Every rank then counts itself in
// "{prefix}/finished"; rank 0, which usually hosts the server, returns last.
std::vector<std::string> GetAll(Store& store, int rank, absl::string_view prefix, int world_size);

// Sets "{key_prefix}{rank}" and returns every rank's, under `timeout` each operation.
std::vector<std::string> Synchronize(Store& store, absl::string_view value, int rank,
                                     int world_size, absl::string_view key_prefix,
                                     absl::Duration timeout = absl::Minutes(5));

// How a rank is named in errors, "Rank 2 host7".
using RankName = std::function<std::string(int rank)>;

struct BarrierOptions {
  absl::Duration timeout = absl::Minutes(5);
  // With it, a time-out names the ranks that did not come: each rank that came leaves a trace, rank
  // 0 looks for them for trace_timeout.
  std::optional<int> rank;
  RankName rank_name;  // Needs `rank`, else std::invalid_argument.
  absl::Duration trace_timeout = absl::Seconds(10);
};

// One use per prefix. DistStoreError BARRIER_TIMEOUT whose text has torchelastic's words
// ("missing_ranks=[...]"), with the ranks in details() too on rank 0.
void Barrier(Store& store, int world_size, absl::string_view key_prefix,
             const BarrierOptions& options = {});

}  // namespace rollcall::elastic

#endif  // ROLLCALL_STORE_ELASTIC_H_
