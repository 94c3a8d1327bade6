// One request, decoded: what the parser gives and the engine takes.
#ifndef ROLLCALL_STORE_PROTOCOL_REQUEST_H_
#define ROLLCALL_STORE_PROTOCOL_REQUEST_H_

#include <cstdint>
#include <string>

#include "absl/container/inlined_vector.h"
#include "store/protocol/operation.h"

namespace rollcall::protocol {

// Which fields an operation uses:
//   set, append, queue_push        keys[0], values[0]
//   compare_set                    keys[0], values[0] (expected), values[1] (desired)
//   get, delete_key, queue_pop, queue_len, watch_key   keys[0]
//   add                            keys[0], number (delta)
//   check, wait, multi_get         keys (none is legal)
//   multi_set                      keys[i] with values[i]
//   barrier                        keys[0], number (world_size)
//   ping                           number (the nonce: 32 bits, unsigned)
//   session                        keys[0]
//   numbered                       number (a RequestNumber, packed)
//   num_keys, list_keys, cancel_wait   nothing
// kValidate never appears: the parser consumes the greeting.
struct Request {
  Operation operation = Operation::kPing;
  absl::InlinedVector<std::string, 1> keys;
  absl::InlinedVector<std::string, 1> values;
  int64_t number = 0;
};

}  // namespace rollcall::protocol

#endif  // ROLLCALL_STORE_PROTOCOL_REQUEST_H_
