// The sessions of clients, which outlive their connections: what each was answered and may not have
// heard. Requests and the time in, verdicts out; no I/O.
#ifndef ROLLCALL_STORE_JOURNAL_SESSION_BOOK_H_
#define ROLLCALL_STORE_JOURNAL_SESSION_BOOK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "store/engine/client_id.h"
#include "store/journal/journal.h"

namespace rollcall {

// A session that no connection uses is forgotten after kKept, and earlier where there are more than
// kUnusedMax of them or their answers take more than kUnusedBytesMax. Not thread-safe.
//
// Answers are as many and as large as clients make them: what they take is told to whoever keeps
// the limits. Sessions by themselves are not counted: there are no more of them than connections,
// which are not counted either, and kUnusedMax, at half a KiB each.
class SessionBook {
 public:
  static constexpr absl::Duration kKept = absl::Hours(1);
  static constexpr size_t kUnusedMax = 65'536;
  static constexpr size_t kUnusedBytesMax = size_t{256} << 20;
  // Of one session: a client that is not told more than this of it has to read first.
  static constexpr size_t kAnswerBytesMax = size_t{64} << 20;
  // What an answer takes besides its bytes, about, be it empty.
  static constexpr size_t kAnswerOverheadBytes = 112;

  // By how much more, or less, the answers take that are kept for a name space's clients.
  using Resized = std::function<void(absl::string_view space, int64_t bytes)>;
  explicit SessionBook(Resized resized) : resized_(std::move(resized)) {}
  SessionBook(const SessionBook&) = delete;
  SessionBook& operator=(const SessionBook&) = delete;

  // The connection `client` is from now on one of the session of this name. True if there was one.
  bool Use(engine::ClientId client, absl::string_view space, absl::string_view name,
           absl::Time now);
  // The connection is gone.
  void Leave(engine::ClientId client, absl::Time now);

  // What is to be done with a request that its client has numbered (RequestNumber::Pack).
  struct Verdict {
    enum class Kind : uint8_t {
      kApply,
      kAnswer,  // It has been applied: say `answer` again.
      kRejoin,  // It has been applied, but for its waiting: a barrier.
      kRefuse,  // It must not be applied; `reason` says why.
    };
    Kind kind = Kind::kApply;
    absl::string_view answer = {};  // Valid until the next call.
    std::string reason = {};
  };
  Verdict Judge(engine::ClientId client, int64_t packed);
  // What the answers take that are kept for its session, once its next request has been judged; 0
  // if it has none.
  size_t AnswerBytesOf(engine::ClientId client) const;
  // It has been applied, and this was the answer, encoded; empty if it has none.
  void Applied(engine::ClientId client, int64_t packed, std::string answer);
  // It has been applied, and waits.
  void Waits(engine::ClientId client, int64_t packed);

  // --- For the journal ---
  // What has changed since this was called last.
  void TakeChanges(absl::FunctionRef<void(JournalChange change)> take);
  bool has_changes() const { return !changed_.empty(); }
  // What the journal gave. DataLoss if it is none.
  absl::Status Restore(const JournalChange& change, absl::Time now);

  size_t size() const { return sessions_.size(); }

 private:
  // Space and name.
  using Key = std::pair<std::string, std::string>;

  struct Answer {
    bool waits = false;
    std::string bytes;

    size_t size() const { return kAnswerOverheadBytes + bytes.size(); }
  };
  struct Session {
    int64_t floor = 0;  // All up to this one are over.
    std::map<int64_t, Answer> answers;
    size_t bytes = 0;  // That the answers take.
    int users = 0;
    absl::Time left;                  // When the last user did.
    std::list<Key>::iterator unused;  // In unused_, while there is no user.
  };

  void Keep(engine::ClientId client, int64_t packed, Answer answer);
  void RaiseFloor(absl::string_view space, Session& session, int64_t floor);
  void BecomeUnused(const Key& key, Session& session, absl::Time now);
  void BecomeUsed(Session& session);
  void ForgetOld(absl::Time now);

  const Resized resized_;
  absl::flat_hash_map<Key, std::unique_ptr<Session>> sessions_;
  absl::flat_hash_map<engine::ClientId, Key> users_;
  std::list<Key> unused_;  // Who has been so for longest is first.
  size_t unused_bytes_ = 0;
  absl::flat_hash_set<Key> changed_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_JOURNAL_SESSION_BOOK_H_
