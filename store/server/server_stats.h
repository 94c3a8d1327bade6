// What a server is doing, in numbers.
#ifndef ROLLCALL_STORE_SERVER_SERVER_STATS_H_
#define ROLLCALL_STORE_SERVER_SERVER_STATS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace rollcall {

struct ServerStats {
  size_t connections = 0;
  size_t waiting_clients = 0;
  size_t keys = 0;
  uint64_t connections_accepted = 0;
  // Closed by the server: over a limit, wrong in what they said, or too late in saying it.
  uint64_t connections_refused = 0;
  uint64_t requests = 0;
};

// One thread publishes, any may look. The numbers of one look may be of neighbouring moments.
class SharedServerStats {
 public:
  void Publish(const ServerStats& stats) {
    connections_.store(stats.connections, std::memory_order_relaxed);
    waiting_clients_.store(stats.waiting_clients, std::memory_order_relaxed);
    keys_.store(stats.keys, std::memory_order_relaxed);
    connections_accepted_.store(stats.connections_accepted, std::memory_order_relaxed);
    connections_refused_.store(stats.connections_refused, std::memory_order_relaxed);
    requests_.store(stats.requests, std::memory_order_relaxed);
  }

  ServerStats Look() const {
    ServerStats stats;
    stats.connections = connections_.load(std::memory_order_relaxed);
    stats.waiting_clients = waiting_clients_.load(std::memory_order_relaxed);
    stats.keys = keys_.load(std::memory_order_relaxed);
    stats.connections_accepted = connections_accepted_.load(std::memory_order_relaxed);
    stats.connections_refused = connections_refused_.load(std::memory_order_relaxed);
    stats.requests = requests_.load(std::memory_order_relaxed);
    return stats;
  }

 private:
  std::atomic<size_t> connections_{0};
  std::atomic<size_t> waiting_clients_{0};
  std::atomic<size_t> keys_{0};
  std::atomic<uint64_t> connections_accepted_{0};
  std::atomic<uint64_t> connections_refused_{0};
  std::atomic<uint64_t> requests_{0};
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_SERVER_STATS_H_
