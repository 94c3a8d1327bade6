// The sessions of a server, by number.
#ifndef ROLLCALL_STORE_SERVER_SESSION_TABLE_H_
#define ROLLCALL_STORE_SERVER_SESSION_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "store/engine/client_id.h"
#include "store/server/session.h"

namespace rollcall {

// A number names a slot (low bits) and how manieth session of the server it is (high bits): a
// look-up is one step into an array, and no number comes twice. Not thread-safe.
class SessionTable {
 public:
  // More connections than a process can have.
  static constexpr size_t kSessionsMax = size_t{1} << 24;

  // The number of the next session that is added.
  engine::ClientId next_id() const;
  // The session's id must be next_id(). There must be fewer than kSessionsMax.
  Session& Add(std::unique_ptr<Session> session);
  // nullptr if there is none, or none any more.
  Session* Find(engine::ClientId id) const;
  // The session must be in the table.
  std::unique_ptr<Session> Remove(const Session& session);

  size_t size() const { return slots_.size() - free_slots_.size(); }
  // All there are now, in the order of their slots.
  std::vector<Session*> All() const;

 private:
  std::vector<std::unique_ptr<Session>> slots_;
  std::vector<uint32_t> free_slots_;
  uint64_t added_ = 0;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_SESSION_TABLE_H_
