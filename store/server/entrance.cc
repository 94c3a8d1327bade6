#include "store/server/entrance.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "store/server/incident.h"
#include "store/server/server_snapshot.h"

namespace rollcall {

Entrance::Entrance(std::vector<Room> rooms, Doorkeeper* doorkeeper, const ServerOptions& options)
    : rooms_(std::move(rooms)),
      doorkeeper_(doorkeeper),
      allowed_(options.allow),
      name_space_per_token_(options.name_space_per_token),
      peer_counts_(options.connections_per_peer_max),
      waiting_(rooms_.size()),
      self_(std::make_shared<Entrance*>(this)) {}

Entrance::~Entrance() = default;

absl::Status Entrance::Open(const ServerOptions& options,
                            const std::vector<net::SocketAddress>& addresses) {
  net::ListenOptions listen_options;
  listen_options.addresses = addresses;
  listen_options.port = options.port;
  listen_options.adopt_fd = options.listen_fd;
  absl::StatusOr<std::unique_ptr<net::Listener>> listener =
      Listen(listen_options, {.secured = !options.tls_port.has_value()});
  if (!listener.ok()) return listener.status();
  listener_ = *std::move(listener);
  return absl::OkStatus();
}

absl::Status Entrance::OpenTls(const ServerOptions& options,
                               const std::vector<net::SocketAddress>& addresses) {
  absl::StatusOr<std::unique_ptr<net::Listener>> listener =
      Listen({.addresses = addresses, .port = *options.tls_port}, {.secured = true});
  if (!listener.ok()) return listener.status();
  tls_listener_ = *std::move(listener);
  return absl::OkStatus();
}

absl::Status Entrance::OpenForNameSpace(const ServerOptions& options, size_t index,
                                        const std::vector<net::SocketAddress>& addresses) {
  const ServerOptions::NameSpacePort& port = options.name_space_ports[index];
  absl::StatusOr<std::unique_ptr<net::Listener>> listener =
      Listen({.addresses = addresses, .port = port.port},
             {.secured = !options.tls_port.has_value(),
              .name_space = std::make_shared<const std::string>(port.name_space)});
  if (!listener.ok()) return listener.status();
  name_space_listeners_.push_back(*std::move(listener));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<net::Listener>> Entrance::Listen(const net::ListenOptions& options,
                                                                Door door) {
  door.token_says_name_space = door.secured && name_space_per_token_;
  return rooms_[0].loop->Listen(
      options, [this, door = std::move(door)](std::unique_ptr<net::Stream> stream) {
        Accept(std::move(stream), door);
      });
}

void Entrance::Close() {
  listener_.reset();
  tls_listener_.reset();
  name_space_listeners_.clear();
  SendOn();
}

void Entrance::Accept(std::unique_ptr<net::Stream> stream, const Door& door) {
  // One thread writes.
  accepted_.store(accepted() + 1, std::memory_order_relaxed);
  if (!MayCome(stream->peer_address())) {
    return Refuse(IncidentKind::kNotAllowed, *stream, door,
                  [] { return "it is in none of the networks that may come (--allow)"; });
  }
  std::optional<PeerCounts::Ticket> ticket = peer_counts_.Admit(stream->peer_address());
  if (!ticket.has_value()) {
    return Refuse(IncidentKind::kTooManyOfOnePeer, *stream, door, [&] {
      return absl::StrCat("it is one more than the limit of ", peer_counts_.connections_max(),
                          " connections of one address");
    });
  }
  const std::optional<Doorkeeper::Place> place = doorkeeper_->Admit();
  if (!place.has_value()) {
    return Refuse(IncidentKind::kTooManyConnections, *stream, door, [&] {
      return absl::StrCat("it is one more than the limit of ", doorkeeper_->connections_max(),
                          " connections");
    });
  }
  Arrival arrival = {.stream = std::move(stream),
                     .number = place->arrival,
                     .secured = door.secured,
                     .name_space = door.name_space,
                     .ticket = *std::move(ticket)};
  if (place->loop == 0) return rooms_[0].core->Welcome(std::move(arrival));
  arrival.stream->MoveTo(rooms_[place->loop].loop);
  waiting_[place->loop].push_back(std::move(arrival));
  if (std::exchange(sends_on_, true)) return;
  rooms_[0].loop->Post([self = std::weak_ptr<Entrance*>(self_)] {
    if (const auto entrance = self.lock()) (*entrance)->SendOn();
  });
}

bool Entrance::MayCome(const net::SocketAddress& peer) const {
  return allowed_.empty() ||
         std::any_of(allowed_.begin(), allowed_.end(),
                     [&](const net::Network& network) { return network.Contains(peer); });
}

std::optional<std::string> Entrance::Door::KnownNameSpace() const {
  if (name_space != nullptr) return *name_space == kDefaultNameSpace ? "" : *name_space;
  if (token_says_name_space) return std::nullopt;
  return "";
}

void Entrance::Refuse(IncidentKind kind, const net::Stream& stream, const Door& door,
                      absl::FunctionRef<std::string()> reason) {
  refused_.store(refused() + 1, std::memory_order_relaxed);
  rooms_[0].core->Note(
      {.kind = kind, .peer = stream.peer_address(), .name_space = door.KnownNameSpace()}, reason);
}

void Entrance::SendOn() {
  sends_on_ = false;
  for (size_t i = 1; i < rooms_.size(); ++i) {
    if (waiting_[i].empty()) continue;
    rooms_[i].loop->Post([self = std::weak_ptr<Entrance*>(self_), core = rooms_[i].core,
                          arrivals = std::exchange(waiting_[i], {})]() mutable {
      if (self.expired()) return;  // And with it the core.
      for (Arrival& arrival : arrivals) {
        core->Welcome(std::move(arrival));
      }
    });
  }
}

}  // namespace rollcall
