#include "store/shared_server.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

#include "net/monitor.h"

namespace rollcall {
namespace {

// One port. The monitor is held while its server starts and stops, which takes time: whoever asks
// meanwhile gets the one that comes out of it.
struct Slot {
  explicit Slot(std::unique_ptr<net::Monitor> new_monitor) : monitor(std::move(new_monitor)) {}
  const std::unique_ptr<net::Monitor> monitor;
  std::weak_ptr<StoreServer> server;
};

// Holds no server and no slot alive, so that nothing outlives the Env it came from. Sharing within
// a process is what multi-tenancy means, so this is the one place that is not handed down.
class Slots {
 public:
  std::shared_ptr<Slot> Find(net::Env& env, uint16_t port) {
    // Never held across a blocking call.
    const std::lock_guard<std::mutex> lock(mutex_);
    std::erase_if(slots_, [](const auto& entry) { return entry.second.expired(); });
    std::weak_ptr<Slot>& known = slots_[{&env, port}];
    std::shared_ptr<Slot> slot = known.lock();
    if (slot == nullptr) {
      slot = std::make_shared<Slot>(env.NewMonitor());
      known = slot;
    }
    return slot;
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<net::Env*, uint16_t>, std::weak_ptr<Slot>> slots_;
};

std::shared_ptr<Slot> FindSlot(net::Env& env, uint16_t port) {
  static Slots* const slots = new Slots;
  return slots->Find(env, port);
}

// The slot lives as long as its server, and a server that stops keeps its port's slot locked.
std::shared_ptr<StoreServer> PutInto(const std::shared_ptr<Slot>& slot,
                                     std::unique_ptr<StoreServer> server) {
  std::shared_ptr<StoreServer> shared(server.release(), [slot](StoreServer* last) {
    net::MonitorLock lock(slot->monitor.get());
    delete last;
  });
  slot->server = shared;
  return shared;
}

}  // namespace

absl::StatusOr<std::shared_ptr<StoreServer>> ShareServer(net::Env& env,
                                                         const ServerOptions& options) {
  if (options.port == 0) {
    absl::StatusOr<std::unique_ptr<StoreServer>> server = StoreServer::Start(env, options);
    if (!server.ok()) return server.status();
    const std::shared_ptr<Slot> slot = FindSlot(env, (*server)->port());
    net::MonitorLock lock(slot->monitor.get());
    return PutInto(slot, *std::move(server));
  }
  const std::shared_ptr<Slot> slot = FindSlot(env, options.port);
  net::MonitorLock lock(slot->monitor.get());
  if (std::shared_ptr<StoreServer> running = slot->server.lock()) return running;
  absl::StatusOr<std::unique_ptr<StoreServer>> server = StoreServer::Start(env, options);
  if (!server.ok()) return server.status();
  return PutInto(slot, *std::move(server));
}

}  // namespace rollcall
