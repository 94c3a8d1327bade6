// The sessions of one of a server's event loops, by number.
#ifndef ROLLCALL_STORE_SERVER_SESSION_TABLE_H_
#define ROLLCALL_STORE_SERVER_SESSION_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "store/engine/client_id.h"
#include "store/server/loop_number.h"
#include "store/server/session.h"

namespace rollcall {

// A number names a slot (loop_number.h): a look-up is one step into an array. Not thread-safe.
class SessionTable {
 public:
  // More connections than a process can have.
  static constexpr size_t kSessionsMax = size_t{1} << kSlotBits;

  // `loop` is that of all its sessions.
  explicit SessionTable(size_t loop) : loop_(loop) {}

  // The number of the next session that is added, if it is the `arrival`-th of the server.
  engine::ClientId NextId(uint64_t arrival) const;
  // The session's id must be NextId of something. There must be fewer than kSessionsMax.
  Session& Add(std::unique_ptr<Session> session);
  // nullptr if there is none, or none any more.
  Session* Find(engine::ClientId id) const;
  // The session must be in the table.
  std::unique_ptr<Session> Remove(const Session& session);

  size_t size() const { return slots_.size() - free_slots_.size(); }
  // All there are now, in the order of their slots.
  std::vector<Session*> All() const;

 private:
  size_t NextSlot() const;

  const size_t loop_;
  std::vector<std::unique_ptr<Session>> slots_;
  std::vector<uint32_t> free_slots_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_SESSION_TABLE_H_
