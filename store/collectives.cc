#include "store/collectives.h"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "glog/logging.h"
#include "store/dist_error.h"
#include "store/scoped_timeout.h"
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

// One call of the user's.
struct Collectives::Call {
  absl::string_view operation;
  ErrorCode code;
  absl::Duration timeout;
  absl::Time started;
  absl::Time deadline;
  bool was_held_up;  // The deadline has been put off, once.
};

Collectives::Call Collectives::Begin(absl::string_view operation, ErrorCode code,
                                     absl::Duration timeout) {
  CheckTimeout(timeout);
  const absl::Duration budget = timeout > absl::ZeroDuration() ? timeout : kProbeTimeout;
  return {.operation = operation,
          .code = code,
          .timeout = timeout,
          .started = env_.Now(),
          .deadline = net::DeadlineAfter(env_, budget),
          .was_held_up = false};
}

absl::Duration Collectives::Left(Call& call) {
  const absl::Time now = env_.Now();
  // Nothing of the store's lasts beyond the deadline, so this process stood still. It should still
  // be told who is missing.
  if (now >= call.deadline && !call.was_held_up) {
    call.was_held_up = true;
    call.deadline = now + kProbeTimeout;
  }
  // Zero would mean another thing to the store.
  return std::max(call.deadline - now, absl::Nanoseconds(1));
}

Store& Collectives::Within(Call& call) {
  if (call.timeout != absl::InfiniteDuration()) store_.SetTimeout(Left(call));
  return store_;
}

Collectives::Round Collectives::Arrive(Call& call, absl::string_view kind, absl::string_view name,
                                       absl::string_view value) {
  const std::string base = absl::StrCat(prefix_, "/", kind, "/", name);
  State& state = states_[base];
  const Round round{base, state.finished};
  // Only a call's second arrival can be this late: all came to the first.
  if (env_.Now() == call.deadline) {
    ThrowTimeout(call, round, std::vector<int>(), "but too late to take leave of them");
  }
  // A call that timed out may be made again: it has already been counted.
  if (!state.arrived) {
    Within(call).Set(round.Of(place_.rank), value);
    const int64_t count = Within(call).Add(round.Counter(), 1);
    state.arrived = true;
    state.opens = count >= (round.number + 1) * place_.world_size;
  }
  if (state.opens) {
    Within(call).Set(round.Done(), "1");
    // Everybody has come to this round, so nobody is still in the one before it.
    if (round.number > 0) TidyAway(call, round.Before().Done());
  }
  return round;
}

void Collectives::AwaitDone(Call& call, const Round& round) {
  if (call.timeout == absl::InfiniteDuration()) {
    if (WaitFor(round.Done(), call.timeout)) return;
    ThrowTimeout(call, round, std::nullopt);
  }
  // Finding out who is missing takes round trips: it is done shortly before the deadline, which is
  // then kept, and not after it.
  const absl::Duration diagnosis =
      std::min(call.timeout / 10, kDiagnosisBase + place_.world_size * kDiagnosisPerRank);
  const absl::Duration patience = call.timeout > absl::ZeroDuration()
                                      ? call.deadline - diagnosis - env_.Now()
                                      : absl::ZeroDuration();
  Within(call);
  if (WaitFor(round.Done(), std::max(patience, absl::ZeroDuration()))) return;
  std::optional<std::vector<int>> missing = MissingRanks(call, round);
  absl::Duration rest = absl::ZeroDuration();
  if (missing.has_value() && missing->empty()) {
    // The last one is just about to say that all have come.
    rest = Left(call);
  } else if (call.timeout > absl::ZeroDuration() && !call.was_held_up) {
    rest = call.deadline - env_.Now();
  }
  if (rest > absl::ZeroDuration() && WaitFor(round.Done(), rest)) return;
  ThrowTimeout(call, round, std::move(missing));
}

void Collectives::ThrowTimeout(const Call& call, const Round& round,
                               std::optional<std::vector<int>> missing,
                               absl::string_view if_all_came) {
  ErrorDetails details;
  details.operation = std::string(call.operation);
  details.keys = {round.base};
  details.peer = store_.Describe();
  details.elapsed = env_.Now() - call.started;
  details.world_size = place_.world_size;
  std::string who = "the store does not answer, so who is missing is not known";
  if (missing.has_value()) {
    const int came = place_.world_size - static_cast<int>(missing->size());
    who = absl::StrCat(came, "/", place_.world_size, " ranks came, ",
                       missing->empty() ? std::string(if_all_came)
                                        : absl::StrCat("missing ranks: ", RanksText(*missing)));
    details.missing_ranks = *std::move(missing);
  }
  std::string summary =
      absl::StrCat(call.operation, " timeout after ", absl::ToInt64Milliseconds(call.timeout),
                   "ms on rank ", place_.rank, ", key: ", round.base, ": ", who);
  ThrowIfError(StoreStatus(call.code, std::move(summary), std::move(details)));
  LOG(FATAL) << "a status with an error code is never OK";
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

std::optional<std::vector<int>> Collectives::MissingRanks(Call& call, const Round& round) {
  // A wait that ends in vain leaves the connection of use, a check does not: so a store that does
  // not answer is found out by a wait for this rank's own key, which is there.
  if (!WaitFor(round.Of(place_.rank), Left(call))) return std::nullopt;
  std::vector<int> missing;
  try {
    for (int rank = 0; rank < place_.world_size; ++rank) {
      if (!Within(call).Check({round.Of(rank)})) missing.push_back(rank);
    }
  } catch (const DistNetworkError& error) {
    if (error.code() != ErrorCode::kReplyTimeout) throw;
    return std::nullopt;
  }
  return missing;
}

void Collectives::Finish(Call& call, const Round& round) {
  State& state = states_[round.base];
  state.arrived = false;
  state.opens = false;
  ++state.finished;
  // Everybody has come to this round, so nobody still reads what was left in the one before it.
  if (round.number > 0) TidyAway(call, round.Before().Of(place_.rank));
}

void Collectives::TidyAway(Call& call, const std::string& key) {
  try {
    Within(call).DeleteKey(key);
  } catch (const DistNetworkError& error) {
    LOG(WARNING) << "could not delete " << key << ": " << error.what();
  }
}

std::vector<std::string> Collectives::Values(Call& call, const Round& round) {
  std::vector<std::string> keys;
  keys.reserve(static_cast<size_t>(place_.world_size));
  for (int rank = 0; rank < place_.world_size; ++rank) keys.push_back(round.Of(rank));
  if (store_.HasExtendedApi()) return Within(call).MultiGet(keys);
  std::vector<std::string> values;
  values.reserve(keys.size());
  for (const std::string& key : keys) values.push_back(Within(call).Get(key));
  return values;
}

std::vector<std::string> Collectives::Fetch(Call& call, const Round& round) {
  constexpr absl::string_view kTooLate = "but too late for their values to be fetched";
  // The last one came at the very deadline.
  if (env_.Now() == call.deadline) ThrowTimeout(call, round, std::vector<int>(), kTooLate);
  try {
    return Values(call, round);
  } catch (const DistError& error) {
    const bool is_late =
        error.code() == ErrorCode::kReplyTimeout || error.code() == ErrorCode::kWaitTimeout;
    if (!is_late || call.timeout == absl::InfiniteDuration()) throw;
    // It is the last rank that took the time, more often than the server.
    ThrowTimeout(call, round, std::vector<int>(), kTooLate);
  }
}

void Collectives::Barrier(absl::string_view name, absl::Duration timeout) {
  Call call = Begin("barrier", ErrorCode::kBarrierTimeout, timeout);
  const ScopedTimeout scoped(store_, store_.timeout());
  const Round round = Arrive(call, "barrier", name, "");
  AwaitDone(call, round);
  Finish(call, round);
}

std::vector<std::string> Collectives::Collect(Call& call, absl::string_view name,
                                              absl::string_view value, bool reads) {
  const Round round = Arrive(call, "gather", name, value);
  AwaitDone(call, round);
  std::vector<std::string> values;
  if (reads) values = Fetch(call, round);
  Finish(call, round);
  return values;
}

std::vector<std::string> Collectives::AllGather(absl::string_view name, absl::string_view value,
                                                absl::Duration timeout) {
  Call call = Begin("all_gather", ErrorCode::kGatherTimeout, timeout);
  const ScopedTimeout scoped(store_, store_.timeout());
  return Collect(call, name, value, /*reads=*/true);
}

std::vector<std::string> Collectives::Gather(absl::string_view name, absl::string_view value,
                                             int root, absl::Duration timeout) {
  Call call = Begin("gather", ErrorCode::kGatherTimeout, timeout);
  if (root < 0 || root >= place_.world_size) {
    throw std::invalid_argument(absl::StrCat("root must be in [0, world_size), got root ", root,
                                             " of world_size ", place_.world_size));
  }
  const ScopedTimeout scoped(store_, store_.timeout());
  return Collect(call, name, value, /*reads=*/place_.rank == root);
}

std::vector<std::string> Collectives::Synchronize(absl::string_view name, absl::string_view value,
                                                  absl::Duration timeout) {
  Call call = Begin("synchronize", ErrorCode::kGatherTimeout, timeout);
  const ScopedTimeout scoped(store_, store_.timeout());
  std::vector<std::string> values = Collect(call, name, value, /*reads=*/true);
  // Rank 0 usually hosts the server: it must not go while another rank still reads.
  const Round left = Arrive(call, "leave", name, "");
  if (place_.rank == 0) AwaitDone(call, left);
  Finish(call, left);
  return values;
}

}  // namespace rollcall
