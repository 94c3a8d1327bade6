// The door of a server: accepts connections on one event loop and spreads them over all.
#ifndef ROLLCALL_STORE_SERVER_ENTRANCE_H_
#define ROLLCALL_STORE_SERVER_ENTRANCE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "net/address.h"
#include "net/event_loop.h"
#include "net/network.h"
#include "store/server/doorkeeper.h"
#include "store/server/incident.h"
#include "store/server/peer_counts.h"
#include "store/server/server_core.h"
#include "store/server/server_options.h"

namespace rollcall {

// Why one loop accepts for all: if each accepted for itself, those that are busy serving would take
// few, and the one that waits most would take most, for as long as the connections live; sockets of
// one port that the kernel chooses from (SO_REUSEPORT) are uneven where connections are few, cannot
// be adopted, and lose what waits in the backlog of the one that closes. What is accepted in one
// turn goes to each other loop in one piece.
//
// All but the counters is for the accepting loop's thread, or for any one thread while it does not
// run.
class Entrance {
 public:
  struct Room {
    net::EventLoop* loop = nullptr;
    ServerCore* core = nullptr;
  };

  // The loop of `rooms[0]` accepts. All that is pointed to must outlive the entrance, which must
  // not be destroyed while a loop runs. Of the options: who may come, and how often.
  Entrance(std::vector<Room> rooms, Doorkeeper* doorkeeper, const ServerOptions& options);
  ~Entrance();
  Entrance(const Entrance&) = delete;
  Entrance& operator=(const Entrance&) = delete;

  // Listens on `addresses`, or on all interfaces if empty, at options.port; or takes over
  // options.listen_fd. Errors as EventLoop::Listen. Once.
  absl::Status Open(const ServerOptions& options, const std::vector<net::SocketAddress>& addresses);
  // What is listened on. Not before Open, nor after Close.
  const std::vector<net::SocketAddress>& addresses() const { return listener_->addresses(); }
  // The same for options.tls_port.
  absl::Status OpenTls(const ServerOptions& options,
                       const std::vector<net::SocketAddress>& addresses);
  const std::vector<net::SocketAddress>& tls_addresses() const {
    return tls_listener_->addresses();
  }
  // The same for options.name_space_ports[index].
  absl::Status OpenForNameSpace(const ServerOptions& options, size_t index,
                                const std::vector<net::SocketAddress>& addresses);
  // In the order in which they were opened.
  const std::vector<net::SocketAddress>& name_space_addresses(size_t index) const {
    return name_space_listeners_[index]->addresses();
  }
  // Accepts no more; what it has accepted is on its way to its loop before this returns.
  void Close();

  // From any thread.
  uint64_t accepted() const { return accepted_.load(std::memory_order_relaxed); }
  uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  // What is known of who comes by a port.
  struct Door {
    bool secured = false;
    std::shared_ptr<const std::string> name_space;  // nullptr: the default one, ...
    bool token_says_name_space = false;             // ... unless a token says otherwise.

    // nullopt: not known.
    std::optional<std::string> KnownNameSpace() const;
  };

  absl::StatusOr<std::unique_ptr<net::Listener>> Listen(const net::ListenOptions& options,
                                                        Door door);
  void Accept(std::unique_ptr<net::Stream> stream, const Door& door);
  void Refuse(IncidentKind kind, const net::Stream& stream, const Door& door,
              absl::FunctionRef<std::string()> reason);
  bool MayCome(const net::SocketAddress& peer) const;
  void SendOn();

  const std::vector<Room> rooms_;
  Doorkeeper* const doorkeeper_;
  const std::vector<net::Network> allowed_;  // Empty: all.
  const bool name_space_per_token_;
  PeerCounts peer_counts_;
  std::unique_ptr<net::Listener> listener_;
  std::unique_ptr<net::Listener> tls_listener_;
  std::vector<std::unique_ptr<net::Listener>> name_space_listeners_;
  std::vector<std::vector<Arrival>> waiting_;  // By loop, for the end of the turn.
  bool sends_on_ = false;                      // There are some.
  std::atomic<uint64_t> accepted_{0};
  std::atomic<uint64_t> refused_{0};
  // What posted work holds weakly, to find that the entrance is gone.
  std::shared_ptr<Entrance*> self_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_ENTRANCE_H_
