// Replies gathered while bytes of one session are served, so that each connection they are for gets
// one write.
#ifndef ROLLCALL_STORE_SERVER_OUTBOX_H_
#define ROLLCALL_STORE_SERVER_OUTBOX_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "store/protocol/reply.h"
#include "store/server/session.h"

namespace rollcall {

// One for an event loop: a session has a buffer only while something is gathered for it. Not
// thread-safe.
class Outbox {
 public:
  // What is gathered for `session` and not yet written.
  size_t gathered_bytes(const Session& session) const;
  // What is gathered for all. A request's replies can be many and large: flush when it is much.
  size_t total_bytes() const { return total_bytes_; }

  void Append(Session& session, const protocol::Reply& reply);
  // One that is encoded already.
  void AppendBytes(Session& session, absl::string_view bytes);

  // Writes all that is gathered to the sessions' streams: for `last`, if anything, after all
  // others. `written` is called after each write.
  //
  // The one whose request it was comes last: a rank that reads the answer to its own request may at
  // once do what its peers, whom that request released, must be told before.
  void Flush(const Session* last, absl::FunctionRef<void(Session&)> written);
  // Writes what is gathered for one session.
  void FlushOne(Session& session);
  // Forgets what is gathered for one session.
  void Drop(Session& session);

 private:
  struct Entry {
    Session* session = nullptr;  // nullptr: nothing to write.
    std::string bytes;
  };

  std::string& BytesFor(Session& session);
  void Write(Entry& entry);
  void Empty(Entry& entry);

  std::vector<Entry> entries_;  // The first used_ of them are in use; the rest keep their memory.
  size_t used_ = 0;
  size_t total_bytes_ = 0;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_OUTBOX_H_
