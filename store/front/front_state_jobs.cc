// What the crew of a front does: one request of a client after the other, with etcd.
#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "store/dist_error.h"
#include "store/engine/key_space.h"
#include "store/engine/refusals.h"
#include "store/error_code.h"
#include "store/etcd/etcd_operations.h"
#include "store/front/front_state.h"
#include "store/front/front_state_parts.h"

namespace rollcall::front {

using protocol::Operation;
using protocol::Request;

namespace {

// How large sets are that are done together: far below what etcd takes.
constexpr size_t kGatheredBytesMax = size_t{512} << 10;

// That nobody could be asked, which is no different for others' requests.
bool IsTrouble(const absl::Status& failed) {
  const ErrorCode code = CodeOf(failed);
  return code == ErrorCode::kEtcdUnreachable || code == ErrorCode::kEtcdNoLeader ||
         code == ErrorCode::kReplyTimeout;
}

// Whoever reads the front's log has the remedy in it; the client is told neither.
std::string ReasonOf(const Request& request, const std::string& key, const absl::Status& failed) {
  const ErrorCodeInfo& info = InfoOf(CodeOf(failed));
  return absl::StrCat(info.name, " in ", protocol::OperationName(request.operation),
                      key.empty() ? "" : absl::StrCat(" of ", engine::Shown(key)), ": ",
                      failed.message(), ". ", info.remedy);
}

}  // namespace

etcd::EtcdCall FrontState::CallOf(const Request& request) const {
  const absl::Time now = env_.Now();
  return {.operation = std::string(protocol::OperationName(request.operation)),
          .keys = {request.keys.begin(), request.keys.end()},
          .started = now,
          .deadline = now + options_.patience,
          .is_given_up = &is_given_up_};
}

// --- What is done next ---

void FrontState::ServeClient(const Client& client) {
  Job job;
  {
    net::MonitorLock lock(monitor_);
    BeginJob(client, job);
  }
  while (!job.parts.empty()) {
    Execute(job);
    {
      net::MonitorLock lock(monitor_);
      FinishJob(job);
      if (job.has_turn) TakeNextInTurn(job);
      if (job.parts.empty()) CloseIfUnused(job.space);
    }
    WakeOthers();
  }
  WakeOthers();
}

void FrontState::BeginJob(const Client& client, Job& job) {
  job.space = client->space;
  const Request& first = client->queue.front();
  if (client->has_failed || (!client->is_connected && !Changes(first.operation))) {
    return Advance(client);
  }
  if (!TakesTurns(first.operation)) return AddPart(client, job);
  job.turn = first.keys[0];
  if (WaitsForTurn(client, job.turn)) return;
  job.has_turn = true;
  AddPart(client, job);
  if (job.parts.empty()) TakeNextInTurn(job);
}

bool FrontState::WaitsForTurn(const Client& client, const std::string& turn) {
  const auto [entry, is_first] = client->space->turns.try_emplace(turn);
  if (is_first) return false;
  client->state = FrontClient::State::kInTurn;
  entry->second.push_back(client);
  return true;
}

void FrontState::TakeNextInTurn(Job& job) {
  const auto entry = job.space->turns.find(job.turn);
  std::deque<Client>& waiting = entry->second;
  while (job.parts.empty() && !waiting.empty()) {
    const Client first = std::move(waiting.front());
    waiting.pop_front();
    AddPart(first, job);
    if (job.parts.empty()) continue;
    // Who adds can be added up.
    const auto adds = [](Operation operation) {
      return operation == Operation::kAdd || operation == Operation::kBarrier;
    };
    if (!adds(job.parts[0].request.operation)) return;
    std::deque<Client> others;
    for (Client& client : std::exchange(waiting, {})) {
      if (!adds(client->queue.front().operation)) {
        others.push_back(std::move(client));
      } else {
        AddPart(client, job);
      }
    }
    waiting = std::move(others);
  }
  if (job.parts.empty()) job.space->turns.erase(entry);
}

void FrontState::AddPart(const Client& client, Job& job) {
  if (client->has_failed) return Advance(client);
  Part part;
  part.client = client;
  part.ready_since = client->ready_since;
  part.request = TakeFirst(*client);
  part.bytes = BytesOf(part.request);
  if (!part.request.keys.empty()) part.key = part.request.keys[0];
  client->state = FrontClient::State::kAtWork;
  client->at_work = part.request.operation;
  if (part.request.operation == Operation::kSet) GatherSets(*client, part);
  if (client->space->state == FrontSpace::State::kOpen && BeginPart(part)) {
    ++client->space->jobs;
    job.parts.push_back(std::move(part));
    return;
  }
  Forget(*client, part.requests, part.bytes);
  Advance(client);
}

void FrontState::GatherSets(FrontClient& client, Part& part) {
  absl::flat_hash_set<std::string> keys = {part.key};
  while (!client.queue.empty() && client.queue.front().operation == Operation::kSet) {
    const Request& next = client.queue.front();
    if (keys.size() == etcd::kChangesMax || part.bytes + BytesOf(next) > kGatheredBytesMax) return;
    // A value that would never be seen is one that a watch_key should tell of.
    if (!keys.insert(next.keys[0]).second) return;
    Request taken = TakeFirst(client);
    part.bytes += BytesOf(taken);
    ++part.requests;
    part.request.keys.push_back(std::move(taken.keys[0]));
    part.request.values.push_back(std::move(taken.values[0]));
  }
}

bool FrontState::BeginPart(Part& part) {
  FrontClient& client = *part.client;
  FrontSpace& space = *client.space;
  const Request& request = part.request;
  if (request.operation == Operation::kWatchKey) {
    part.registration = space.watches.Add(client.id, part.key);
    if (part.registration != 0) return true;
    Fail(client, LateKind::kHangUp, engine::TooManyWatches());
    return false;
  }
  if (request.operation != Operation::kWait && request.operation != Operation::kBarrier)
    return true;
  // A barrier of one who has left counts it all the same, but nobody waits.
  if (!client.is_connected) return true;
  size_t name_bytes = 0;
  for (const std::string& key : request.keys) name_bytes += key.size();
  if (!space.waits.HasRoom(client.id, name_bytes)) {
    Fail(client, LateKind::kHangUp, engine::TooMuchAwaited(request.operation));
    return false;
  }
  const absl::Time now = env_.Now();
  part.wait = request.operation == Operation::kBarrier
                  ? space.waits.BeginBarrier(client.id, part.key, request.number, now)
                  : space.waits.Begin(client.id, {request.keys.begin(), request.keys.end()}, now);
  return true;
}

// --- With etcd ---

void FrontState::Execute(Job& job) {
  Part& first = job.parts[0];
  absl::Status trouble;
  {
    net::MonitorLock lock(monitor_);
    trouble = job.space->trouble;
  }
  // Others have just found out, and it has waited for as long as it would try.
  if (!trouble.ok() && env_.Now() - first.ready_since > options_.patience) {
    for (Part& part : job.parts) part.outcome.failed = trouble;
    return;
  }
  switch (first.request.operation) {
    case Operation::kAdd:
    case Operation::kBarrier:
      return ExecuteAdds(job);
    case Operation::kWait:
    case Operation::kWatchKey:
      return ExecuteLook(job);
    default:
      first.outcome = front::Execute(*job.space->session, CallOf(first.request),
                                     first.client->is_legacy, first.request);
  }
}

void FrontState::ExecuteAdds(Job& job) {
  uint64_t all = 0;  // Unsigned: sums wrap around.
  std::vector<uint64_t> so_far;
  for (const Part& part : job.parts) {
    all += part.request.operation == Operation::kBarrier
               ? 1
               : static_cast<uint64_t>(part.request.number);
    so_far.push_back(all);
  }
  const absl::StatusOr<etcd::Sum> sum = etcd::Add(*job.space->session, CallOf(job.parts[0].request),
                                                  job.parts[0].key, static_cast<int64_t>(all));
  for (size_t i = 0; i < job.parts.size(); ++i) {
    Part& part = job.parts[i];
    if (sum.ok()) {
      part.sum = static_cast<int64_t>(static_cast<uint64_t>(sum->value) - all + so_far[i]);
      part.sum_of_all = sum->value;
      part.revision = sum->revision;
    } else if (CodeOf(sum.status()) == ErrorCode::kNotANumber) {
      part.outcome.refused = engine::NotANumber(part.request.operation, part.key, sum.status());
    } else {
      part.outcome.failed = sum.status();
    }
  }
}

void FrontState::ExecuteLook(Job& job) {
  Part& part = job.parts[0];
  absl::StatusOr<std::vector<etcd::Seen>> seen = etcd::LookAt(
      *job.space->session, CallOf(part.request), part.request.keys, etcd::Look::kKeysAndQueues);
  if (seen.ok()) {
    part.seen = *std::move(seen);
  } else {
    part.outcome.failed = seen.status();
  }
}

// --- What comes of it ---

void FrontState::FinishJob(Job& job) {
  for (Part& part : job.parts) FinishPart(part);
  job.parts.clear();
  PublishNumbers();
}

void FrontState::NoteTrouble(FrontSpace& space, const absl::Status& failed) {
  if (failed.ok() || IsTrouble(failed)) space.trouble = failed;
}

void FrontState::FinishPart(Part& part) {
  FrontClient& client = *part.client;
  FrontSpace& space = *client.space;
  const Outcome& outcome = part.outcome;
  --space.jobs;
  NoteTrouble(space, outcome.failed);
  if (!outcome.failed.ok()) {
    const std::string reason = ReasonOf(part.request, part.key, outcome.failed);
    if (!client.is_connected) {
      to_log_.push_back(
          absl::StrCat("what a client asked for before it left was not done: ", reason));
    }
    Fail(client, LateKind::kEngineFailed, reason);
    if (CodeOf(outcome.failed) == ErrorCode::kEtcdLeaseLost) Lose(client.space, outcome.failed);
  } else if (!outcome.refused.empty()) {
    Fail(client, LateKind::kHangUp, outcome.refused);
  } else {
    SettlePart(part);
  }
  Forget(client, part.requests, part.bytes);
  Advance(part.client);
}

void FrontState::SettlePart(Part& part) {
  FrontClient& client = *part.client;
  FrontSpace& space = *client.space;
  switch (part.request.operation) {
    case Operation::kAdd:
      return Reply(client, NumberReply(part.sum));
    case Operation::kBarrier:
      space.waits.Looked(part.wait, 0,
                         part.request.number <= 0 || part.sum_of_all >= part.request.number,
                         part.revision);
      break;
    case Operation::kWait:
      for (size_t i = 0; i < part.seen.size(); ++i) {
        space.waits.Looked(part.wait, i, part.seen[i].is_there, part.seen[i].revision);
      }
      break;
    case Operation::kWatchKey:
      Reply(client, SignalReply(protocol::kCallbackRegistered));
      for (const std::string& event :
           space.watches.HearsFrom(part.registration, part.seen[0].revision)) {
        Reply(client, event);
      }
      return;
    default:
      return Reply(client, part.outcome.reply);
  }
  if (space.waits.IsOver(part.wait)) Reply(client, SignalReply(protocol::kStopWaiting));
}

}  // namespace rollcall::front
