#include "store/journal/session_book.h"

#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "store/protocol/request_number.h"
#include "store/protocol/wire.h"

namespace rollcall {
namespace {

using protocol::RequestNumber;
namespace wire = protocol::wire;

// Takes one word off the front; nullopt if there is none.
std::optional<uint64_t> TakeNumber(absl::string_view& in) {
  uint64_t word = 0;
  uint8_t arrived = 0;
  if (in.size() < wire::kLengthBytes) return std::nullopt;
  wire::TakeWord(in, wire::kLengthBytes, word, arrived);
  return word;
}

}  // namespace

bool SessionBook::Use(engine::ClientId client, absl::string_view space, absl::string_view name,
                      absl::Time now) {
  Leave(client, now);
  ForgetOld(now);
  Key key(space, name);
  const auto [entry, is_new] = sessions_.try_emplace(key);
  if (is_new) {
    entry->second = std::make_unique<Session>();
    changed_.insert(key);
  } else if (entry->second->users == 0) {
    BecomeUsed(*entry->second);
  }
  ++entry->second->users;
  users_.insert_or_assign(client, std::move(key));
  return !is_new;
}

void SessionBook::Leave(engine::ClientId client, absl::Time now) {
  if (users_.empty()) return;
  const auto user = users_.find(client);
  if (user == users_.end()) return;
  Session& session = *sessions_.at(user->second);
  if (--session.users == 0) BecomeUnused(user->second, session, now);
  users_.erase(user);
}

void SessionBook::BecomeUnused(const Key& key, Session& session, absl::Time now) {
  session.left = now;
  session.unused = unused_.insert(unused_.end(), key);
  unused_bytes_ += session.bytes;
}

void SessionBook::BecomeUsed(Session& session) {
  unused_.erase(session.unused);
  unused_bytes_ -= session.bytes;
}

void SessionBook::ForgetOld(absl::Time now) {
  while (!unused_.empty()) {
    const auto oldest = sessions_.find(unused_.front());
    Session& session = *oldest->second;
    if (now - session.left < kKept && unused_.size() <= kUnusedMax &&
        unused_bytes_ <= kUnusedBytesMax) {
      return;
    }
    BecomeUsed(session);
    changed_.insert(oldest->first);
    resized_(oldest->first.first, -static_cast<int64_t>(session.bytes));
    sessions_.erase(oldest);
  }
}

size_t SessionBook::AnswerBytesOf(engine::ClientId client) const {
  const auto user = users_.find(client);
  return user == users_.end() ? 0 : sessions_.at(user->second)->bytes;
}

SessionBook::Verdict SessionBook::Judge(engine::ClientId client, int64_t packed) {
  const auto refused = [](std::string reason) {
    return Verdict{.kind = Verdict::Kind::kRefuse, .reason = std::move(reason)};
  };
  const std::optional<RequestNumber> number = RequestNumber::Unpack(packed);
  if (!number.has_value()) return refused("the number of a numbered request is none");
  const auto user = users_.find(client);
  if (user == users_.end()) return refused("a numbered request before any session");
  Session* const session = sessions_.at(user->second).get();
  // Sent before the client gave it up, or had its answer by another connection.
  if (number->number <= session->floor) {
    return refused("a numbered request that is over for its client");
  }
  const auto kept = session->answers.find(number->number);
  if (kept != session->answers.end()) {
    if (kept->second.waits) return {.kind = Verdict::Kind::kRejoin};
    return {.kind = Verdict::Kind::kAnswer, .answer = kept->second.bytes};
  }
  RaiseFloor(user->second.first, *session, number->number - number->unanswered - 1);
  if (session->bytes > kAnswerBytesMax) {
    return refused(absl::StrCat("more than ", kAnswerBytesMax,
                                " bytes of answers in one session that have not come"));
  }
  return {.kind = Verdict::Kind::kApply};
}

void SessionBook::RaiseFloor(absl::string_view space, Session& session, int64_t floor) {
  if (floor <= session.floor) return;
  session.floor = floor;
  const size_t before = session.bytes;
  while (!session.answers.empty() && session.answers.begin()->first <= floor) {
    session.bytes -= session.answers.begin()->second.size();
    session.answers.erase(session.answers.begin());
  }
  if (before != session.bytes) resized_(space, -static_cast<int64_t>(before - session.bytes));
}

void SessionBook::Keep(engine::ClientId client, int64_t packed, Answer answer) {
  const auto user = users_.find(client);
  CHECK(user != users_.end()) << "an answer outside of any session";
  Session& session = *sessions_.at(user->second);
  session.bytes += answer.size();
  resized_(user->second.first, static_cast<int64_t>(answer.size()));
  session.answers.insert_or_assign(RequestNumber::Unpack(packed)->number, std::move(answer));
  changed_.insert(user->second);
}

void SessionBook::Applied(engine::ClientId client, int64_t packed, std::string answer) {
  Keep(client, packed, {.bytes = std::move(answer)});
}

void SessionBook::Waits(engine::ClientId client, int64_t packed) {
  Keep(client, packed, {.waits = true});
}

// --- The journal ---

void SessionBook::TakeChanges(absl::FunctionRef<void(JournalChange change)> take) {
  for (const Key& key : changed_) {
    JournalChange change{
        .kind = JournalChange::Kind::kEraseSession, .space = key.first, .name = key.second};
    if (const auto found = sessions_.find(key); found != sessions_.end()) {
      change.kind = JournalChange::Kind::kSetSession;
      const Session& session = *found->second;
      wire::Put(static_cast<uint64_t>(session.floor), change.value);
      for (const auto& [number, answer] : session.answers) {
        wire::Put(static_cast<uint64_t>(number), change.value);
        wire::PutByte(answer.waits ? 1 : 0, change.value);
        wire::PutText(answer.bytes, change.value);
      }
    }
    take(std::move(change));
  }
  changed_.clear();
}

absl::Status SessionBook::Restore(const JournalChange& change, absl::Time now) {
  const absl::Status damaged = absl::DataLossError("a session in the journal is none");
  auto session = std::make_unique<Session>();
  absl::string_view in = change.value;
  const std::optional<uint64_t> floor = TakeNumber(in);
  if (!floor.has_value()) return damaged;
  session->floor = static_cast<int64_t>(*floor);
  while (!in.empty()) {
    const std::optional<uint64_t> number = TakeNumber(in);
    if (!number.has_value() || in.empty()) return damaged;
    Answer answer{.waits = in.front() != 0};
    in.remove_prefix(1);
    const std::optional<uint64_t> size = TakeNumber(in);
    if (!size.has_value() || *size > in.size()) return damaged;
    answer.bytes = std::string(in.substr(0, *size));
    in.remove_prefix(*size);
    session->bytes += answer.size();
    session->answers[static_cast<int64_t>(*number)] = std::move(answer);
  }
  const Key key(change.space, change.name);
  resized_(change.space, static_cast<int64_t>(session->bytes));
  BecomeUnused(key, *session, now);
  sessions_[key] = std::move(session);
  return absl::OkStatus();
}

}  // namespace rollcall
