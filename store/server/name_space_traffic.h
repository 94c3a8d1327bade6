// What the clients of one name space did, on one event loop.
#ifndef ROLLCALL_STORE_SERVER_NAME_SPACE_TRAFFIC_H_
#define ROLLCALL_STORE_SERVER_NAME_SPACE_TRAFFIC_H_

#include <cstddef>
#include <string>

#include "absl/container/node_hash_map.h"
#include "store/server/throughput.h"

namespace rollcall {

struct NameSpaceTraffic {
  size_t connections = 0;
  Work work;
};

// By name; pointers into it stay valid. The default one has none: what is not another's is its.
using NameSpaceTraffics = absl::node_hash_map<std::string, NameSpaceTraffic>;

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_NAME_SPACE_TRAFFIC_H_
