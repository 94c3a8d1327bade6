#include "store/server/entrance.h"

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "store/server/incident.h"

namespace rollcall {

Entrance::Entrance(std::vector<Room> rooms, Doorkeeper* doorkeeper)
    : rooms_(std::move(rooms)),
      doorkeeper_(doorkeeper),
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
      Listen(listen_options, /*secured=*/!options.tls_port.has_value());
  if (!listener.ok()) return listener.status();
  listener_ = *std::move(listener);
  return absl::OkStatus();
}

absl::Status Entrance::OpenTls(const ServerOptions& options,
                               const std::vector<net::SocketAddress>& addresses) {
  absl::StatusOr<std::unique_ptr<net::Listener>> listener =
      Listen({.addresses = addresses, .port = *options.tls_port}, /*secured=*/true);
  if (!listener.ok()) return listener.status();
  tls_listener_ = *std::move(listener);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<net::Listener>> Entrance::Listen(const net::ListenOptions& options,
                                                                bool secured) {
  return rooms_[0].loop->Listen(options, [this, secured](std::unique_ptr<net::Stream> stream) {
    Accept(std::move(stream), secured);
  });
}

void Entrance::Close() {
  listener_.reset();
  tls_listener_.reset();
  SendOn();
}

void Entrance::Accept(std::unique_ptr<net::Stream> stream, bool secured) {
  // One thread writes.
  accepted_.store(accepted() + 1, std::memory_order_relaxed);
  const std::optional<Doorkeeper::Place> place = doorkeeper_->Admit();
  if (!place.has_value()) {
    refused_.store(refused() + 1, std::memory_order_relaxed);
    rooms_[0].core->Note(IncidentKind::kTooManyConnections, stream->peer_address(), /*client=*/0,
                         [&] {
                           return absl::StrCat("it is one more than the limit of ",
                                               doorkeeper_->connections_max(), " connections");
                         });
    return;
  }
  if (place->loop == 0) return rooms_[0].core->Welcome(std::move(stream), place->arrival, secured);
  stream->MoveTo(rooms_[place->loop].loop);
  waiting_[place->loop].push_back(
      {.stream = std::move(stream), .number = place->arrival, .secured = secured});
  if (std::exchange(sends_on_, true)) return;
  rooms_[0].loop->Post([self = std::weak_ptr<Entrance*>(self_)] {
    if (const auto entrance = self.lock()) (*entrance)->SendOn();
  });
}

void Entrance::SendOn() {
  sends_on_ = false;
  for (size_t i = 1; i < rooms_.size(); ++i) {
    if (waiting_[i].empty()) continue;
    rooms_[i].loop->Post([self = std::weak_ptr<Entrance*>(self_), core = rooms_[i].core,
                          arrivals = std::exchange(waiting_[i], {})]() mutable {
      if (self.expired()) return;  // And with it the core.
      for (Arrival& arrival : arrivals) {
        core->Welcome(std::move(arrival.stream), arrival.number, arrival.secured);
      }
    });
  }
}

}  // namespace rollcall
