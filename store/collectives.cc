#include "store/collectives.h"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "store/dist_error.h"
#include "store/wait_error.h"

namespace rollcall {
namespace {

// What naming the missing ranks may take from the end of a time-out: one check a rank.
constexpr absl::Duration kDiagnosisBase = absl::Milliseconds(20);
constexpr absl::Duration kDiagnosisPerRank = absl::Microseconds(100);
constexpr absl::Duration kProbeTimeout = absl::Seconds(1);
// An error names so many ranks; details().missing_ranks has them all.
constexpr size_t kRanksNamedMax = 64;

std::string RanksText(const std::vector<int>& ranks) {
  const size_t named = std::min(ranks.size(), kRanksNamedMax);
  std::string text =
      absl::StrJoin(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(named), ", ");
  if (named < ranks.size()) absl::StrAppend(&text, " and ", ranks.size() - named, " more");
  return text;
}

}  // namespace

Collectives::Collectives(net::Env& env, Store& store, Place place, absl::string_view prefix)
    : env_(env), store_(store), place_(place), prefix_(prefix) {
  if (place.world_size < 1 || place.rank < 0 || place.rank >= place.world_size) {
    throw std::invalid_argument(absl::StrCat("rank must be in [0, world_size), got rank ",
                                             place.rank, " of world_size ", place.world_size));
  }
}

// The keys of one collective's round. Every rank leaves its value under Of(rank), the last to come
// opens Done(); the counter runs on from round to round.
struct Collectives::Round {
  std::string base;
  int64_t number;

  std::string Counter() const { return absl::StrCat(base, "/num_members"); }
  std::string Done() const { return absl::StrCat(base, "/done/", number); }
  std::string Of(int rank) const { return absl::StrCat(base, "/", number, "/", rank); }
  Round Before() const { return {base, number - 1}; }
};

Collectives::Round Collectives::Arrive(absl::string_view kind, absl::string_view name,
                                       absl::string_view value) {
  const std::string base = absl::StrCat(prefix_, "/", kind, "/", name);
  State& state = states_[base];
  const Round round{base, state.finished};
  // A call that timed out may be made again: it has already been counted.
  if (state.arrived) return round;
  store_.Set(round.Of(place_.rank), value);
  const int64_t count = store_.Add(round.Counter(), 1);
  state.arrived = true;
  if (count >= (round.number + 1) * place_.world_size) {
    // Everybody has come to this round, so nobody is still in the one before it.
    if (round.number > 0) store_.DeleteKey(round.Before().Done());
    store_.Set(round.Done(), "1");
  }
  return round;
}

void Collectives::AwaitDone(const Round& round, absl::string_view operation, ErrorCode code,
                            absl::Duration timeout) {
  const absl::Time start = env_.Now();
  const absl::Time deadline = net::DeadlineAfter(env_, timeout);
  // Finding out who is missing takes round trips: it is done shortly before the deadline, which is
  // then kept, and not after it.
  const absl::Duration diagnosis =
      std::min(timeout / 10, kDiagnosisBase + place_.world_size * kDiagnosisPerRank);
  if (timeout != absl::InfiniteDuration() && WaitFor(round.Done(), timeout - diagnosis)) return;
  std::optional<std::vector<int>> missing;
  if (timeout != absl::InfiniteDuration()) missing = MissingRanks(round, deadline);
  absl::Duration rest = deadline - env_.Now();
  // Nobody is missing, so the last one is just about to say that all have come.
  if (missing.has_value() && missing->empty()) rest = std::max(rest, kProbeTimeout);
  if (rest > absl::ZeroDuration() && WaitFor(round.Done(), rest)) return;

  ErrorDetails details;
  details.operation = std::string(operation);
  details.keys = {round.base};
  details.peer = store_.Describe();
  details.elapsed = env_.Now() - start;
  details.world_size = place_.world_size;
  std::string who = "the store does not answer, so who is missing is not known";
  if (missing.has_value()) {
    const int came = place_.world_size - static_cast<int>(missing->size());
    who = absl::StrCat(came, "/", place_.world_size,
                       " ranks came, missing ranks: ", RanksText(*missing));
    details.missing_ranks = *std::move(missing);
  }
  std::string summary =
      absl::StrCat(operation, " timeout after ", absl::ToInt64Milliseconds(timeout), "ms on rank ",
                   place_.rank, ", key: ", round.base, ": ", who);
  ThrowIfError(StoreStatus(code, std::move(summary), std::move(details)));
}

bool Collectives::WaitFor(const std::string& key, absl::Duration timeout) {
  try {
    store_.Wait({key}, timeout);
    return true;
  } catch (const DistStoreError& error) {
    if (error.code() != ErrorCode::kWaitTimeout) throw;
    return false;
  }
}

std::optional<std::vector<int>> Collectives::MissingRanks(const Round& round, absl::Time deadline) {
  // Check has no time-out of its own, so a store that does not answer must be found out first: this
  // rank's own key is there. A thread that was held up past the deadline still gets its names.
  const absl::Duration rest = deadline - env_.Now();
  const absl::Duration patience = rest > absl::ZeroDuration() ? rest : kProbeTimeout;
  if (!WaitFor(round.Of(place_.rank), patience)) return std::nullopt;
  std::vector<int> missing;
  for (int rank = 0; rank < place_.world_size; ++rank) {
    if (!store_.Check({round.Of(rank)})) missing.push_back(rank);
  }
  return missing;
}

void Collectives::Finish(const Round& round) {
  State& state = states_[round.base];
  state.arrived = false;
  ++state.finished;
  // Everybody has come to this round, so nobody still reads what was left in the one before it.
  if (round.number > 0) store_.DeleteKey(round.Before().Of(place_.rank));
}

std::vector<std::string> Collectives::Values(const Round& round) {
  std::vector<std::string> keys;
  keys.reserve(static_cast<size_t>(place_.world_size));
  for (int rank = 0; rank < place_.world_size; ++rank) keys.push_back(round.Of(rank));
  if (store_.HasExtendedApi()) return store_.MultiGet(keys);
  std::vector<std::string> values;
  values.reserve(keys.size());
  for (const std::string& key : keys) values.push_back(store_.Get(key));
  return values;
}

void Collectives::Barrier(absl::string_view name, absl::Duration timeout) {
  CheckTimeout(timeout);
  const Round round = Arrive("barrier", name, "");
  AwaitDone(round, "barrier", ErrorCode::kBarrierTimeout, timeout);
  Finish(round);
}

std::vector<std::string> Collectives::AllGather(absl::string_view name, absl::string_view value,
                                                absl::Duration timeout) {
  CheckTimeout(timeout);
  const Round round = Arrive("gather", name, value);
  AwaitDone(round, "all_gather", ErrorCode::kGatherTimeout, timeout);
  std::vector<std::string> values = Values(round);
  Finish(round);
  return values;
}

std::vector<std::string> Collectives::Gather(absl::string_view name, absl::string_view value,
                                             int root, absl::Duration timeout) {
  CheckTimeout(timeout);
  if (root < 0 || root >= place_.world_size) {
    throw std::invalid_argument(absl::StrCat("root must be in [0, world_size), got root ", root,
                                             " of world_size ", place_.world_size));
  }
  const Round round = Arrive("gather", name, value);
  AwaitDone(round, "gather", ErrorCode::kGatherTimeout, timeout);
  std::vector<std::string> values;
  if (place_.rank == root) values = Values(round);
  Finish(round);
  return values;
}

std::vector<std::string> Collectives::Synchronize(absl::string_view name, absl::string_view value,
                                                  absl::Duration timeout) {
  const absl::Time deadline = net::DeadlineAfter(env_, timeout);
  std::vector<std::string> values = AllGather(name, value, timeout);
  // Rank 0 usually hosts the server: it must not go while another rank still reads.
  const Round left = Arrive("leave", name, "");
  if (place_.rank == 0) {
    AwaitDone(left, "synchronize", ErrorCode::kGatherTimeout,
              std::max(deadline - env_.Now(), absl::ZeroDuration()));
  }
  Finish(left);
  return values;
}

}  // namespace rollcall
