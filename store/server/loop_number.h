// Which of a server's event loops a client is on, told from the client's number.
#ifndef ROLLCALL_STORE_SERVER_LOOP_NUMBER_H_
#define ROLLCALL_STORE_SERVER_LOOP_NUMBER_H_

#include <cstddef>
#include <cstdint>

#include "store/engine/client_id.h"

namespace rollcall {

inline constexpr size_t kServerLoopsMax = 64;

// A client's number is, from its low bits up: its slot in its loop's SessionTable, its loop, and
// how manieth connection of the server it is. So no number comes twice, whatever the loop.
inline constexpr int kSlotBits = 24;
inline constexpr int kLoopBits = 6;
static_assert(kServerLoopsMax == size_t{1} << kLoopBits);

constexpr engine::ClientId MakeClientId(uint64_t arrival, size_t loop, size_t slot) {
  return (arrival << kLoopBits | loop) << kSlotBits | slot;
}
constexpr size_t SlotOf(engine::ClientId id) { return id & ((size_t{1} << kSlotBits) - 1); }
constexpr size_t LoopOf(engine::ClientId id) { return (id >> kSlotBits) & (kServerLoopsMax - 1); }
constexpr uint64_t ArrivalOf(engine::ClientId id) { return id >> (kSlotBits + kLoopBits); }

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_LOOP_NUMBER_H_
