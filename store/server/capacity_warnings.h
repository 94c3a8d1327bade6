// What a server's machine is too small for, said before the clients come.
#ifndef ROLLCALL_STORE_SERVER_CAPACITY_WARNINGS_H_
#define ROLLCALL_STORE_SERVER_CAPACITY_WARNINGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rollcall {

// nullopt: not known, no warning.
struct MachineLimits {
  std::optional<int> listen_backlog_max;    // net.core.somaxconn
  std::optional<uint64_t> descriptors_max;  // The soft RLIMIT_NOFILE of this process.
};

// One line for each limit that `expected_clients` connections at once would pass: it names the
// number, the limit and the remedy.
std::vector<std::string> CapacityWarnings(int expected_clients, const MachineLimits& limits);

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_CAPACITY_WARNINGS_H_
