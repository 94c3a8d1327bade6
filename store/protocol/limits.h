// Limits on what a peer may send. They are checked before memory is taken.
#ifndef ROLLCALL_STORE_PROTOCOL_LIMITS_H_
#define ROLLCALL_STORE_PROTOCOL_LIMITS_H_

#include <cstdint>

namespace rollcall::protocol {

// The defaults are those of torch's libuv backend, so that a job that runs on torch's own server
// runs on ours. They count bytes as they are on the wire: a key includes the "/" that TcpStore puts
// before it and any PrefixStore prefix. All limits are inclusive.
struct Limits {
  uint64_t key_bytes_max = 8 << 10;
  uint64_t value_bytes_max = 8 << 20;
  // Keys in one check, wait, multi_get or multi_set.
  uint64_t keys_per_request_max = 128 << 10;
  // All keys and values of one request together. Torch has no such limit: without one, a single
  // multi_set could claim a terabyte.
  uint64_t request_bytes_max = 256 << 20;
};

}  // namespace rollcall::protocol

#endif  // ROLLCALL_STORE_PROTOCOL_LIMITS_H_
