#include "store/etcd/etcd_operations.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "store/dist_error.h"
#include "store/engine/key_space.h"
#include "store/etcd/etcd_requests.h"

namespace rollcall::etcd {
namespace {

using Attempt = EtcdSession::Attempt;
using Refusal = EtcdSession::Refusal;
using Written = EtcdSession::Written;

absl::Status StatusOf(const absl::StatusOr<Written>& written) { return written.status(); }

// A change of one key that depends on nothing.
absl::Status Change(EtcdSession& session, const EtcdCall& call, const RequestOp& change) {
  return StatusOf(session.Write(call, [&](int, const Refusal*, Attempt& attempt) {
    attempt.changes.push_back(change);
    return true;
  }));
}

// What a key held when it was last looked at.
struct Held {
  std::optional<std::string> value;
  int64_t mod_revision = 0;
};

Held HeldIn(const KeyValue* found) {
  if (found == nullptr) return {};
  return {.value = found->value(), .mod_revision = found->mod_revision()};
}

// Reads the key, and writes what `change` makes of it; again and again until nobody was faster.
// `change` returns false to leave it as it is.
absl::StatusOr<Written> ReadAndWrite(
    EtcdSession& session, const EtcdCall& call, const std::string& name,
    absl::FunctionRef<bool(int number, const Held& held, std::string& value)> change) {
  absl::StatusOr<TxnResponse> read = session.Read(call, {ReadKey(name)});
  if (!read.ok()) return read.status();
  Held held = HeldIn(FoundIn(read->responses(0)));
  return session.Write(call, [&](int number, const Refusal* refusal, Attempt& attempt) {
    if (refusal != nullptr) held = HeldIn(FoundIn(refusal->reads.at(0)));
    std::string value;
    if (!change(number, held, value)) return false;
    attempt.conditions.push_back(WasLastChangedAt(name, held.mod_revision));
    attempt.changes.push_back(Put(name, value, session.lease().id()));
    attempt.reads.push_back(ReadKey(name));
    return true;
  });
}

}  // namespace

absl::Status Set(EtcdSession& session, const EtcdCall& call, absl::string_view key,
                 absl::string_view value) {
  return Change(session, call, Put(session.names().Key(key), value, session.lease().id()));
}

absl::StatusOr<std::string> CompareSet(EtcdSession& session, const EtcdCall& call,
                                       absl::string_view key, absl::string_view expected,
                                       absl::string_view desired) {
  const std::string name = session.names().Key(key);
  std::string held(expected);
  bool is_missing = expected.empty();
  const absl::StatusOr<Written> written =
      session.Write(call, [&](int, const Refusal* refusal, Attempt& attempt) {
        if (refusal != nullptr) {
          const KeyValue* found = FoundIn(refusal->reads.at(0));
          is_missing = found == nullptr;
          held = is_missing ? std::string(expected) : found->value();
          if (is_missing ? !expected.empty() : absl::string_view(held) != expected) return false;
        }
        attempt.conditions.push_back(is_missing ? IsMissing(name) : Holds(name, expected));
        attempt.changes.push_back(Put(name, desired, session.lease().id()));
        attempt.reads.push_back(ReadKey(name));
        return true;
      });
  if (!written.ok()) return written.status();
  if (written->attempt < 0) return held;
  return std::string(desired);
}

absl::StatusOr<Sum> Add(EtcdSession& session, const EtcdCall& call, absl::string_view key,
                        int64_t delta) {
  absl::Status not_a_number;
  // By the number of the attempt: a late copy of an earlier one may be the one that is made.
  std::vector<int64_t> sums;
  const absl::StatusOr<Written> written = ReadAndWrite(
      session, call, session.names().Key(key), [&](int, const Held& held, std::string& value) {
        uint64_t sum = static_cast<uint64_t>(delta);  // Unsigned: the sum wraps around.
        if (held.value.has_value()) {
          const absl::StatusOr<int64_t> number = engine::ParseCounter(*held.value);
          not_a_number = number.status();
          if (!number.ok()) return false;
          sum += static_cast<uint64_t>(*number);
        }
        sums.push_back(static_cast<int64_t>(sum));
        value = absl::StrCat(sums.back());
        return true;
      });
  if (!written.ok()) return written.status();
  if (written->attempt < 0) {
    return StoreStatus(
        ErrorCode::kNotANumber, std::string(not_a_number.message()),
        {.operation = call.operation, .keys = call.keys, .peer = session.client().peer()});
  }
  return Sum{.value = sums.at(static_cast<size_t>(written->attempt)),
             .revision = written->revision};
}

absl::Status Append(EtcdSession& session, const EtcdCall& call, absl::string_view key,
                    absl::string_view value) {
  return StatusOf(ReadAndWrite(session, call, session.names().Key(key),
                               [&](int, const Held& held, std::string& whole) {
                                 whole = absl::StrCat(held.value.value_or(""), value);
                                 return true;
                               }));
}

absl::StatusOr<bool> DeleteKey(EtcdSession& session, const EtcdCall& call, absl::string_view key) {
  const std::string name = session.names().Key(key);
  const absl::StatusOr<Written> written =
      session.Write(call, [&](int, const Refusal* refusal, Attempt& attempt) {
        if (refusal != nullptr && FoundIn(refusal->reads.at(0)) == nullptr) return false;
        attempt.conditions.push_back(IsThere(name));
        attempt.changes.push_back(Delete(name));
        attempt.reads.push_back(ReadPresence(name));
        return true;
      });
  if (!written.ok()) return written.status();
  return written->attempt >= 0;
}

absl::Status MultiSet(EtcdSession& session, const EtcdCall& call,
                      absl::Span<const std::string> keys, absl::Span<const std::string> values) {
  for (size_t begin = 0; begin < keys.size(); begin += kChangesMax) {
    // etcd refuses a transaction that puts one key twice: the last value counts.
    std::map<absl::string_view, absl::string_view> last;
    const size_t end = std::min(begin + kChangesMax, keys.size());
    for (size_t i = begin; i < end; ++i) last[keys[i]] = values[i];
    absl::Status set = StatusOf(session.Write(call, [&](int, const Refusal*, Attempt& attempt) {
      for (const auto& [key, value] : last) {
        attempt.changes.push_back(Put(session.names().Key(key), value, session.lease().id()));
      }
      return true;
    }));
    if (!set.ok()) return set;
  }
  return absl::OkStatus();
}

absl::Status QueuePush(EtcdSession& session, const EtcdCall& call, absl::string_view queue,
                       absl::string_view value) {
  const std::string name = absl::StrCat(session.names().Queue(queue), session.NewName());
  return Change(session, call, Put(name, value, session.lease().id()));
}

absl::StatusOr<QueueFront> FrontOf(EtcdSession& session, const EtcdCall& call,
                                   absl::string_view queue) {
  absl::StatusOr<TxnResponse> read =
      session.Read(call, {ReadFirstCreated(session.names().Queue(queue))});
  if (!read.ok()) return read.status();
  QueueFront front;
  front.revision = read->header().revision();
  RangeResponse& range = *read->mutable_responses(0)->mutable_response_range();
  front.length = range.count();
  if (range.kvs_size() > 0) front.element = std::move(*range.mutable_kvs(0));
  return front;
}

absl::StatusOr<Popped> QueuePop(EtcdSession& session, const EtcdCall& call, absl::string_view queue,
                                QueueFront front) {
  // By the number of the attempt, as in Add.
  std::vector<std::string> values;
  const absl::StatusOr<Written> written =
      session.Write(call, [&](int, const Refusal* refusal, Attempt& attempt) {
        if (refusal != nullptr) {
          const RangeResponse& range = refusal->reads.at(0);
          const KeyValue* first = FoundIn(range);
          front = {.element = first == nullptr ? std::nullopt : std::optional(*first),
                   .length = range.count(),
                   .revision = refusal->revision};
        }
        if (!front.element.has_value()) return false;
        const std::string& name = front.element->key();
        attempt.conditions.push_back(WasLastChangedAt(name, front.element->mod_revision()));
        attempt.changes.push_back(Delete(name));
        attempt.reads.push_back(ReadFirstCreated(session.names().Queue(queue)));
        values.push_back(std::move(*front.element->mutable_value()));
        return true;
      });
  if (!written.ok()) return written.status();
  if (written->attempt < 0) {
    return Popped{.value = std::nullopt, .length = 0, .revision = front.revision};
  }
  return Popped{.value = std::move(values.at(static_cast<size_t>(written->attempt))),
                .length = front.length,
                .revision = written->revision};
}

absl::StatusOr<int64_t> Count(EtcdSession& session, const EtcdCall& call,
                              const std::string& beginning) {
  const absl::StatusOr<TxnResponse> read = session.Read(call, {CountAll(beginning)});
  if (!read.ok()) return read.status();
  return read->responses(0).response_range().count();
}

absl::StatusOr<std::vector<std::string>> ListKeys(EtcdSession& session, const EtcdCall& call) {
  const absl::StatusOr<TxnResponse> read =
      session.Read(call, {ReadNames(session.names().UserKeys())});
  if (!read.ok()) return read.status();
  std::vector<std::string> keys;
  for (const KeyValue& found : read->responses(0).response_range().kvs()) {
    keys.emplace_back(session.names().KeyOf(found.key()));
  }
  return keys;
}

absl::StatusOr<std::vector<Seen>> LookAt(EtcdSession& session, const EtcdCall& call,
                                         absl::Span<const std::string> keys, Look look) {
  const size_t reads_per_key = look == Look::kValues ? 1 : 2;
  const size_t at_once = kReadsMax / reads_per_key;
  std::vector<Seen> seen;
  for (size_t begin = 0; begin < keys.size(); begin += at_once) {
    std::vector<RequestOp> reads;
    const size_t end = std::min(begin + at_once, keys.size());
    for (size_t i = begin; i < end; ++i) {
      const std::string name = session.names().Key(keys[i]);
      if (look == Look::kValues) {
        reads.push_back(ReadKey(name));
      } else {
        reads.push_back(ReadPresence(name));
        reads.push_back(ReadAnyPresence(session.names().Queue(keys[i])));
      }
    }
    absl::StatusOr<TxnResponse> read = session.Read(call, std::move(reads));
    if (!read.ok()) return read.status();
    for (int i = 0; i < read->responses_size(); i += static_cast<int>(reads_per_key)) {
      Seen one;
      one.revision = read->header().revision();
      for (int j = i; j < i + static_cast<int>(reads_per_key); ++j) {
        RangeResponse& range = *read->mutable_responses(j)->mutable_response_range();
        if (range.kvs_size() == 0) continue;
        one.is_there = true;
        one.value = std::move(*range.mutable_kvs(0)->mutable_value());
      }
      seen.push_back(std::move(one));
    }
  }
  return seen;
}

}  // namespace rollcall::etcd
