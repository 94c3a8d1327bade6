// Where a server's changes go so that they outlive it: what a journal promises, whatever keeps it.
#ifndef ROLLCALL_STORE_JOURNAL_JOURNAL_H_
#define ROLLCALL_STORE_JOURNAL_JOURNAL_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"

namespace rollcall {

struct JournalChange {
  enum class Kind : uint8_t {
    kSetKey,
    kEraseKey,
    kPush,  // At the end of the queue; the first one makes it.
    kPop,   // Of its first element; the last one ends it.
    kSetSession,
    kEraseSession,
  };

  Kind kind = Kind::kSetKey;
  std::string space;  // The name space that the name is in.
  std::string name;   // Of a key, a queue or a session.
  std::string value;  // Empty where the kind has none.

  friend bool operator==(const JournalChange&, const JournalChange&) = default;
};

// Of its files; 0 where it has none.
struct JournalSizes {
  uint64_t database_bytes = 0;
  uint64_t log_bytes = 0;
};

// One thread at a time.
class Journal {
 public:
  virtual ~Journal() = default;

  // Gives all that is in it, as the changes that make it from nothing; the elements of a queue in
  // their order, the rest in any. Once, before the first Commit. DataLoss if it is damaged: then
  // what was given is not to be used.
  virtual absl::Status Load(absl::FunctionRef<void(JournalChange change)> take) = 0;

  // Applies all changes in their order, or none, and returns when a power cut would not undo them.
  // After a failure it is not known which of the two it was, and this object must not be used any
  // more: another one, opened later, shows. ResourceExhausted if the medium is full, Unavailable if
  // it fails; the message says where, what, and what to do.
  virtual absl::Status Commit(absl::Span<const JournalChange> changes) = 0;

  virtual JournalSizes sizes() const = 0;

  // Where it is, for messages: a path.
  virtual const std::string& place() const = 0;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_JOURNAL_JOURNAL_H_
