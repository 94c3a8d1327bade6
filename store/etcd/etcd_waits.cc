#include "store/etcd/etcd_waits.h"

#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "store/dist_error.h"
#include "store/engine/key_space.h"
#include "store/etcd/etcd_operations.h"
#include "store/etcd/etcd_watch.h"
#include "store/wait_error.h"

namespace rollcall::etcd {
namespace {

using Outcome = EtcdWatch::Outcome;

ErrorDetails DetailsOf(EtcdSession& session, const EtcdWait& wait) {
  return {.operation = wait.call.operation,
          .keys = wait.call.keys,
          .peer = session.client().peer(),
          .elapsed = session.env().Now() - wait.call.started};
}

absl::Status TimeUp(EtcdSession& session, const EtcdWait& wait, std::vector<std::string> missing) {
  ErrorDetails details = DetailsOf(session, wait);
  details.missing_keys = std::move(missing);
  return WaitTimeoutError(std::move(details), wait.timeout);
}

// A time-out shorter than etcd's answer is a wait's time-out like any other.
absl::Status OfWait(EtcdSession& session, const EtcdWait& wait, absl::Status status) {
  if (status.ok() || CodeOf(status) != ErrorCode::kReplyTimeout) return status;
  return WaitTimeoutError(DetailsOf(session, wait), wait.timeout,
                          absl::StrCat(" (", std::string(status.message()), ")"));
}

// The keys that were not there when they were looked at, and what came of them.
struct Awaited {
  std::vector<std::string> missing;
  std::vector<int64_t> revisions;  // At which each was not there.
};

Awaited MissingOf(absl::Span<const std::string> keys, const std::vector<Seen>& seen) {
  Awaited awaited;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (seen[i].is_there) continue;
    awaited.missing.push_back(keys[i]);
    awaited.revisions.push_back(seen[i].revision);
  }
  return awaited;
}

// Waits for all of them, and removes each that has come. `value`, if any, gets that of the last
// one.
absl::StatusOr<Outcome> AwaitMissing(EtcdSession& session, const EtcdWait& wait, Look look,
                                     Awaited& awaited, std::string* value) {
  EtcdWatch watch(&session, wait.call);
  std::vector<size_t> key_of_watch;
  for (size_t i = 0; i < awaited.missing.size(); ++i) {
    const int64_t from = awaited.revisions[i] + 1;
    watch.AddKey(session.names().Key(awaited.missing[i]), from);
    key_of_watch.push_back(i);
    if (look == Look::kValues) continue;
    watch.AddAll(session.names().Queue(awaited.missing[i]), from);
    key_of_watch.push_back(i);
  }
  std::vector<bool> has_come(awaited.missing.size());
  size_t left = awaited.missing.size();
  absl::StatusOr<Outcome> outcome = Outcome::kChanges;
  while (left > 0) {
    std::vector<EtcdWatch::Change> changes;
    outcome = watch.Next(changes);
    if (!outcome.ok() || *outcome != Outcome::kChanges) break;
    for (EtcdWatch::Change& change : changes) {
      const size_t key = key_of_watch.at(change.watch);
      if (!has_come[key]) --left;
      has_come[key] = true;
      if (value != nullptr) *value = std::move(change.value);
    }
  }
  Awaited still;
  for (size_t i = 0; i < awaited.missing.size(); ++i) {
    if (has_come[i]) continue;
    still.missing.push_back(std::move(awaited.missing[i]));
    still.revisions.push_back(awaited.revisions[i]);
  }
  awaited = std::move(still);
  return outcome;
}

}  // namespace

absl::Status AwaitKeys(EtcdSession& session, const EtcdWait& wait,
                       absl::Span<const std::string> keys) {
  std::vector<std::string> missing(keys.begin(), keys.end());
  while (!missing.empty()) {
    const absl::StatusOr<std::vector<Seen>> seen =
        LookAt(session, wait.call, missing, Look::kKeysAndQueues);
    if (!seen.ok()) return OfWait(session, wait, seen.status());
    Awaited awaited = MissingOf(missing, *seen);
    missing = awaited.missing;
    if (missing.empty()) break;
    if (wait.timeout == absl::ZeroDuration()) return TimeUp(session, wait, std::move(missing));
    const absl::StatusOr<Outcome> outcome =
        AwaitMissing(session, wait, Look::kKeysAndQueues, awaited, nullptr);
    if (!outcome.ok()) return outcome.status();
    missing = std::move(awaited.missing);
    if (*outcome == Outcome::kTimeUp) return TimeUp(session, wait, std::move(missing));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> AwaitValues(EtcdSession& session, const EtcdWait& wait,
                                                     absl::Span<const std::string> keys) {
  for (;;) {
    absl::StatusOr<std::vector<Seen>> seen = LookAt(session, wait.call, keys, Look::kValues);
    if (!seen.ok()) return OfWait(session, wait, seen.status());
    Awaited awaited = MissingOf(keys, *seen);
    if (awaited.missing.empty()) {
      std::vector<std::string> values;
      for (Seen& one : *seen) values.push_back(std::move(one.value));
      return values;
    }
    if (wait.timeout == absl::ZeroDuration()) {
      return TimeUp(session, wait, std::move(awaited.missing));
    }
    std::vector<std::string> value(1);
    const absl::StatusOr<Outcome> outcome =
        AwaitMissing(session, wait, Look::kValues, awaited, &value[0]);
    if (!outcome.ok()) return outcome.status();
    if (*outcome == Outcome::kTimeUp) return TimeUp(session, wait, std::move(awaited.missing));
    if (*outcome == Outcome::kChanges && keys.size() == 1) return value;
  }
}

absl::StatusOr<std::string> AwaitElement(EtcdSession& session, const EtcdWait& wait,
                                         absl::string_view queue) {
  for (;;) {
    absl::StatusOr<QueueFront> front = FrontOf(session, wait.call, queue);
    if (!front.ok()) return OfWait(session, wait, front.status());
    // From here on something may be popped: a time-out must not sound as if nothing could have
    // been.
    absl::StatusOr<Popped> popped = QueuePop(session, wait.call, queue, *std::move(front));
    if (!popped.ok()) return popped.status();
    if (popped->value.has_value()) return *std::move(popped->value);
    if (wait.timeout == absl::ZeroDuration()) return TimeUp(session, wait, wait.call.keys);
    EtcdWatch watch(&session, wait.call);
    watch.AddAll(session.names().Queue(queue), popped->revision + 1);
    std::vector<EtcdWatch::Change> changes;
    const absl::StatusOr<Outcome> outcome = watch.Next(changes);
    if (!outcome.ok()) return outcome.status();
    if (*outcome == Outcome::kTimeUp) return TimeUp(session, wait, wait.call.keys);
  }
}

absl::Status AwaitBarrier(EtcdSession& session, const EtcdWait& wait, absl::string_view key,
                          int64_t world_size) {
  const auto time_up = [&] {
    ErrorDetails details = DetailsOf(session, wait);
    details.world_size = static_cast<int>(world_size);
    return BarrierTimeoutError(std::move(details), key, wait.timeout);
  };
  const auto is_full = [&](const std::string& counter) {
    const absl::StatusOr<int64_t> came = engine::ParseCounter(counter);
    return came.ok() && *came >= world_size;
  };
  const absl::StatusOr<Sum> came = Add(session, wait.call, key, 1);
  if (!came.ok()) {
    return CodeOf(came.status()) == ErrorCode::kReplyTimeout ? time_up() : came.status();
  }
  if (came->value >= world_size) return absl::OkStatus();
  if (wait.timeout == absl::ZeroDuration()) return time_up();
  int64_t from = came->revision + 1;
  for (;;) {
    EtcdWatch watch(&session, wait.call);
    watch.AddKey(session.names().Key(key), from);
    for (;;) {
      std::vector<EtcdWatch::Change> changes;
      const absl::StatusOr<Outcome> outcome = watch.Next(changes);
      if (!outcome.ok()) return outcome.status();
      if (*outcome == Outcome::kTimeUp) return time_up();
      if (*outcome == Outcome::kForgotten) break;
      for (const EtcdWatch::Change& change : changes) {
        if (is_full(change.value)) return absl::OkStatus();
      }
    }
    const absl::StatusOr<std::vector<Seen>> seen =
        LookAt(session, wait.call, wait.call.keys, Look::kValues);
    if (!seen.ok()) {
      return CodeOf(seen.status()) == ErrorCode::kReplyTimeout ? time_up() : seen.status();
    }
    if (seen->at(0).is_there && is_full(seen->at(0).value)) return absl::OkStatus();
    from = seen->at(0).revision + 1;
  }
}

}  // namespace rollcall::etcd
