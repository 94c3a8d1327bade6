#include "store/client/join.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "net/backoff.h"
#include "store/dist_error.h"
#include "store/protocol/request_writer.h"

namespace rollcall::client {
namespace {

using protocol::Operation;
using protocol::OwnedReply;
using protocol::ReplyKind;

constexpr char kJoinCounter[] = "init/";
constexpr char kFullWorldCounter[] = "_tcp_store/num_members/num_members";
constexpr char kFullWorldFlag[] = "_tcp_store/num_members/last_member";

// One write asks for this many marks, so that neither side's buffers can fill up with requests
// while nobody reads the answers.
constexpr int kMarksPerWrite = 256;
// Taken before the deadline, so that the error can come at it.
constexpr absl::Duration kCensusMarginMax = absl::Milliseconds(250);
constexpr int kRanksNamedMax = 16;

std::string RankMark(int rank) { return absl::StrCat("rollcall/rank/", rank); }

Call JoinCall(const JoinPlan& plan) {
  return {.operation = "join",
          .timeout = plan.timeout,
          .started = plan.started,
          .deadline = plan.deadline};
}

absl::Time CensusTime(const JoinPlan& plan) {
  if (plan.deadline == absl::InfiniteFuture()) return plan.deadline;
  return plan.deadline - std::min(kCensusMarginMax, (plan.deadline - plan.started) / 10);
}

// Sends what `write` appends, and receives what `read` takes, on the primary channel.
template <typename Read>
absl::Status OnPrimary(net::Env& env, StoreClient& client, const JoinPlan& plan,
                       const std::string& request, Read read) {
  const Call call = JoinCall(plan);
  absl::StatusOr<ChannelSet::Lease> channel = client.channels().Primary(plan.deadline);
  if (!channel.ok()) return channel.status();
  absl::Status done = (*channel)->Send(request, plan.deadline);
  if (done.ok()) done = read(**channel);
  if (done.ok()) return done;
  return CallFailed(call, env, client.peer(), done, /*changes_something=*/false, 0);
}

struct Census {
  int64_t joined = 0;
  std::vector<int> unmarked;  // Ranks without a mark.
};

absl::StatusOr<std::vector<int>> UnmarkedRanks(net::Env& env, StoreClient& client,
                                               const JoinPlan& plan) {
  std::vector<int> unmarked;
  for (int first = 0; first < plan.world_size; first += kMarksPerWrite) {
    const int end = std::min(plan.world_size, first + kMarksPerWrite);
    std::string request;
    for (int rank = first; rank < end; ++rank) {
      const std::string mark = RankMark(rank);
      absl::Status written = protocol::AppendKeysRequest(client.options().dialect,
                                                         Operation::kCheck, {&mark, 1}, request);
      if (!written.ok()) return written;
    }
    absl::Status asked = OnPrimary(env, client, plan, request, [&](Channel& channel) {
      for (int rank = first; rank < end; ++rank) {
        absl::StatusOr<OwnedReply> reply = channel.Receive(ReplyKind::kSignal, 0, plan.deadline);
        if (!reply.ok()) return reply.status();
        if (reply->signal != protocol::kReady) unmarked.push_back(rank);
      }
      return absl::OkStatus();
    });
    if (!asked.ok()) return asked;
  }
  return unmarked;
}

absl::StatusOr<int64_t> JoinedCount(net::Env& env, StoreClient& client, const JoinPlan& plan) {
  std::string request;
  absl::Status written =
      protocol::AppendKeyRequest(client.options().dialect, Operation::kGet, kJoinCounter, request);
  if (!written.ok()) return written;
  int64_t joined = 0;
  absl::Status asked = OnPrimary(env, client, plan, request, [&](Channel& channel) {
    absl::StatusOr<OwnedReply> reply = channel.Receive(ReplyKind::kBytes, 0, plan.deadline);
    if (!reply.ok()) return reply.status();
    if (absl::SimpleAtoi(reply->texts[0], &joined)) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat("the counter of workers is no number: \"",
                                            reply->texts[0].substr(0, 32), "\""));
  });
  if (!asked.ok()) return asked;
  return joined;
}

std::string Seconds(absl::Duration time) {
  return absl::StrCat(absl::ToDoubleSeconds(absl::Trunc(time, absl::Milliseconds(1))));
}

// "missing ranks: 3, 5", as far as the marks can tell.
std::string WhoIsMissing(const Census& census, int world_size) {
  const int64_t marked = world_size - static_cast<int64_t>(census.unmarked.size());
  const int64_t nameless = census.joined - marked;
  if (marked <= 0) return "the workers that joined gave no rank, so the missing cannot be named";
  const size_t named = std::min<size_t>(census.unmarked.size(), kRanksNamedMax);
  std::string text = absl::StrCat(
      "missing ranks: ",
      absl::StrJoin(census.unmarked.begin(),
                    census.unmarked.begin() + static_cast<std::ptrdiff_t>(named), ", "));
  if (named < census.unmarked.size()) {
    absl::StrAppend(&text, " and ", census.unmarked.size() - named, " more");
  }
  if (nameless > 0) {
    absl::StrAppend(&text, "; ", nameless,
                    nameless == 1 ? " worker gave no rank and may be one of them"
                                  : " workers gave no rank and may be among them");
  }
  return text;
}

absl::Status JoinTimeout(net::Env& env, StoreClient& client, const JoinPlan& plan, Census census) {
  std::string summary =
      absl::StrCat("Timed out after ", Seconds(plan.timeout), " seconds waiting for clients. ",
                   census.joined, "/", plan.world_size, " clients joined.");
  ErrorDetails details = CallDetails(JoinCall(plan), env, client.peer());
  details.world_size = plan.world_size;
  if (!census.unmarked.empty()) {
    absl::StrAppend(&summary, " ", WhoIsMissing(census, plan.world_size));
    if (static_cast<int>(census.unmarked.size()) < plan.world_size) {
      details.missing_ranks = std::move(census.unmarked);
    }
  }
  return StoreStatus(ErrorCode::kJoinTimeout, std::move(summary), std::move(details));
}

}  // namespace

absl::StatusOr<int64_t> JoinWorld(net::Env& env, StoreClient& client, const JoinPlan& plan) {
  std::string request;
  // The mark comes first: whoever sees the counter sees the marks behind it.
  if (plan.rank >= 0) {
    absl::Status written = protocol::AppendKeyValueRequest(client.options().dialect,
                                                           Operation::kSet, RankMark(plan.rank),
                                                           absl::StrCat(plan.world_size), request);
    if (!written.ok()) return written;
  }
  absl::Status written = protocol::AppendKeyNumberRequest(client.options().dialect, Operation::kAdd,
                                                          kJoinCounter, 1, request);
  if (!written.ok()) return written;
  int64_t joined = 0;
  absl::Status counted = OnPrimary(env, client, plan, request, [&](Channel& channel) {
    const absl::StatusOr<OwnedReply> reply = channel.Receive(ReplyKind::kNumber, 0, plan.deadline);
    if (reply.ok()) joined = reply->number;
    return reply.status();
  });
  if (!counted.ok()) return counted;
  if (plan.rank >= 0) client.channels().JoinedAs(plan.rank);
  return joined;
}

absl::Status WaitForWorld(net::Env& env, StoreClient& client, const JoinPlan& plan) {
  const absl::Time census_at = CensusTime(plan);
  Census census;
  bool census_taken = false;
  // The counter wakes nobody, so it is polled: by one client, its server's own neighbour.
  net::Backoff backoff({.initial = absl::Milliseconds(1), .max = absl::Milliseconds(10)});
  while (true) {
    const absl::StatusOr<int64_t> joined = JoinedCount(env, client, plan);
    if (!joined.ok()) {
      if (CodeOf(joined.status()) != ErrorCode::kReplyTimeout) return joined.status();
      return JoinTimeout(env, client, plan, std::move(census));
    }
    // More can come than are waited for: one that was restarted counts twice.
    if (*joined >= plan.world_size) return absl::OkStatus();
    const absl::Time now = env.Now();
    if (now >= plan.deadline) return JoinTimeout(env, client, plan, std::move(census));
    if (now >= census_at && (!census_taken || *joined != census.joined)) {
      absl::StatusOr<std::vector<int>> unmarked = UnmarkedRanks(env, client, plan);
      if (unmarked.ok()) census.unmarked = *std::move(unmarked);
      census_taken = true;
    }
    census.joined = *joined;
    absl::Time next = env.Now() + backoff.Next(env.RandomBits());
    if (!census_taken) next = std::min(next, census_at);
    env.SleepUntil(std::min(next, plan.deadline));
  }
}

namespace {

// The client's own time-out, for calls that take none: until it goes, what is left of the plan's.
class TimeLeft {
 public:
  TimeLeft(net::Env& env, StoreClient& client, absl::Time deadline)
      : client_(client), before_(client.timeout()) {
    // Zero would mean something else.
    client_.SetTimeout(std::max(deadline - env.Now(), absl::Milliseconds(1)));
  }
  ~TimeLeft() { client_.SetTimeout(before_); }
  TimeLeft(const TimeLeft&) = delete;
  TimeLeft& operator=(const TimeLeft&) = delete;

 private:
  StoreClient& client_;
  const absl::Duration before_;
};

}  // namespace

absl::Status WaitForFullWorld(net::Env& env, StoreClient& client, const JoinPlan& plan) {
  const TimeLeft time_left(env, client, plan.deadline);
  const absl::StatusOr<int64_t> count = client.Add(kFullWorldCounter, 1);
  if (!count.ok()) return count.status();
  if (*count >= plan.world_size) {
    if (absl::Status set = client.Set(kFullWorldFlag, "1"); !set.ok()) return set;
  }
  const std::string flag = kFullWorldFlag;
  const absl::Time census_at = CensusTime(plan);
  absl::Status came =
      client.Wait({&flag, 1}, std::max(census_at - env.Now(), absl::ZeroDuration()));
  if (came.ok() || CodeOf(came) != ErrorCode::kWaitTimeout) return came;
  Census census;
  const absl::StatusOr<int64_t> joined = client.Add(kFullWorldCounter, 0);
  if (joined.ok()) census.joined = *joined;
  absl::StatusOr<std::vector<int>> unmarked = UnmarkedRanks(env, client, plan);
  if (unmarked.ok()) {
    census.unmarked = *std::move(unmarked);
    // The rank that hosts is here, but counts itself only once the world is full.
    census.joined =
        std::max(census.joined, plan.world_size - static_cast<int64_t>(census.unmarked.size()));
  }
  came = client.Wait({&flag, 1}, std::max(plan.deadline - env.Now(), absl::ZeroDuration()));
  if (came.ok() || CodeOf(came) != ErrorCode::kWaitTimeout) return came;
  return JoinTimeout(env, client, plan, std::move(census));
}

}  // namespace rollcall::client
