#include "fault_injection/sim_fabric.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fault_injection/stable_hash.h"
#include "glog/logging.h"

namespace rollcall::fault {
namespace {

// How finely a link's jitter is drawn.
constexpr uint64_t kJitterSteps = 1000;

}  // namespace

SimHost::SimHost(SimFabric* fabric, std::string name, std::vector<IpAddress> addresses,
                 const SimHostOptions& options)
    : fabric_(*fabric),
      name_(std::move(name)),
      addresses_(std::move(addresses)),
      options_(options) {
  ports_.set_ephemeral_range(options.ephemeral_first, options.ephemeral_last);
}

bool SimHost::HasAddress(const IpAddress& address) const {
  if (address.is_loopback()) return address.is_v4() || options_.has_ipv6;
  return std::find(addresses_.begin(), addresses_.end(), address) != addresses_.end();
}

std::optional<IpAddress> SimHost::SourceFor(const IpAddress& destination) const {
  if (destination.is_loopback()) {
    if (!HasAddress(destination)) return std::nullopt;
    return destination.is_v4() ? IpAddress::LoopbackV4() : IpAddress::LoopbackV6();
  }
  if (HasAddress(destination)) return destination;
  for (const IpAddress& address : addresses_) {
    if (address.is_v4() == destination.is_v4()) return address;
  }
  return std::nullopt;
}

bool SimHost::Refuses(uint16_t port) const {
  return std::any_of(refused_ports_.begin(), refused_ports_.end(),
                     [&](uint16_t refused) { return refused == 0 || refused == port; });
}

Link& SimHost::LinkTo(const SimHost& to) {
  const auto [found, is_new] = links_.try_emplace(&to);
  if (is_new) found->second.options = fabric_.options().link;
  return found->second;
}

SimFabric::SimFabric(Scheduler* scheduler, const SimNetOptions& options)
    : scheduler_(*scheduler), clock_(scheduler->clock()), options_(options) {
  options_.yields = options.yields && scheduler->yields();
  default_link_.options = options.link;
}

SimFabric::~SimFabric() {
  while (!sockets_.empty()) delete sockets_.back();
}

SimHost& SimFabric::AddHost(std::string name, std::vector<IpAddress> addresses,
                            const SimHostOptions& options) {
  hosts_.push_back(std::make_unique<SimHost>(this, std::move(name), std::move(addresses), options));
  SimHost& host = *hosts_.back();
  for (const IpAddress& address : host.addresses()) {
    CHECK(host_of_.try_emplace(address, &host).second)
        << "two hosts with one address: " << host.name();
  }
  return host;
}

SimHost* SimFabric::HostOf(const IpAddress& address) {
  const auto found = host_of_.find(address);
  return found == host_of_.end() ? nullptr : found->second;
}

const std::string& SimFabric::NameOf(const IpEndpoint& endpoint) {
  if (name_.empty() || !(named_ == endpoint)) {
    named_ = endpoint;
    name_ = endpoint.ToString();
  }
  return name_;
}

bool SimFabric::PassesNow(SimHost& from, SimHost& to) {
  if (!to.is_up()) return false;
  if (&from == &to) return true;
  if (from.is_isolated() || to.is_isolated()) return false;
  const auto link = from.links_.find(&to);
  return link == from.links_.end() || (!link->second.is_cut && link->second.unreachable_errno == 0);
}

int SimFabric::UnreachableErrno(SimHost& from, SimHost& to) {
  const auto link = from.links_.find(&to);
  return link == from.links_.end() ? 0 : link->second.unreachable_errno;
}

absl::Duration SimFabric::LatencyOf(SimHost& from, SimHost& to) {
  if (&from == &to) return options_.loopback_latency;
  const auto link = from.links_.find(&to);
  return link == from.links_.end() ? options_.link.latency : link->second.options.latency;
}

absl::Time SimFabric::ArrivalOf(SimHost& from, SimHost& to, size_t size_bytes) {
  const absl::Time now = Now();
  if (&from == &to) return now + options_.loopback_latency;
  Link* link = &default_link_;
  if (options_.link.bytes_per_second > 0) {
    link = &from.LinkTo(to);
  } else if (!from.links_.empty()) {
    if (const auto found = from.links_.find(&to); found != from.links_.end()) link = &found->second;
  }
  const absl::Time arrival = link->ArrivalOf(size_bytes, now);
  if (link->options.jitter <= absl::ZeroDuration()) return arrival;
  return arrival +
         link->options.jitter * scheduler_.Choose("link.jitter", kJitterSteps) / kJitterSteps;
}

void SimFabric::OnPathsChanged() {
  paths_have_changed_ = true;
  for (TcpSocket* socket : sockets_) socket->OnPathChanged();
  Settle();
}

void SimFabric::Add(TcpSocket* socket) {
  socket->registry_index_ = sockets_.size();
  sockets_.push_back(socket);
}

void SimFabric::Remove(TcpSocket* socket) {
  const size_t index = socket->registry_index_;
  sockets_[index] = sockets_.back();
  sockets_[index]->registry_index_ = index;
  sockets_.pop_back();
}

void SimFabric::SettleAll() {
  if (is_settling_) return;
  is_settling_ = true;
  // By index: each may bring about more.
  for (size_t i = 0; i < soon_.size(); ++i) {
    const Soon soon = soon_[i];
    soon.socket->Run(soon.task);
  }
  soon_.clear();
  // Once each: one may have been noted more than once, and then used again.
  std::sort(garbage_.begin(), garbage_.end(), [](const TcpSocket* a, const TcpSocket* b) {
    return a->registry_index_ > b->registry_index_;
  });
  garbage_.erase(std::unique(garbage_.begin(), garbage_.end()), garbage_.end());
  for (TcpSocket* socket : garbage_) {
    if (socket->IsGarbage()) delete socket;
  }
  garbage_.clear();
  is_settling_ = false;
}

void SimFabric::NotePacket(const TcpSocket& from, Packet& packet, bool lost) {
  if (const absl::Time now = Now(); now != noted_) {
    noted_ = now;
    fingerprint_ = HashCombine(fingerprint_, static_cast<uint64_t>(absl::ToUnixNanos(now)));
  }
  const uint64_t payload =
      packet.kind == PacketKind::kData ? HashPayload(packet.payload()) : uint64_t{0};
  const uint64_t ports = from.local.port * uint64_t{0x10000} + from.remote.port;
  const uint64_t head = ports << 8 | static_cast<uint64_t>(packet.kind) << 1 | uint64_t{lost};
  fingerprint_ = HashCombine(fingerprint_ + head, payload);
  if (observer_ != nullptr) TellObserver(from, packet, lost);
  if (!options_.traces) return;
  scheduler_.Trace(absl::StrCat(
      lost ? "lost " : "", PacketKindName(packet.kind), " ", from.local.ToString(), " -> ",
      from.remote.ToString(),
      packet.kind == PacketKind::kData ? absl::StrCat(" ", packet.size_bytes(), " bytes") : ""));
}

void SimFabric::NoteFault(NetFaultKind kind, absl::string_view host, absl::string_view peer,
                          absl::string_view text) {
  if (options_.traces) scheduler_.Trace(text);
  if (observer_ != nullptr) observer_->OnFault({kind, Now(), host, peer, text});
}

void SimFabric::TellObserver(const TcpSocket& from, Packet& packet, bool is_lost) {
  const bool has_payload = packet.kind == PacketKind::kData;
  observer_->OnPacket({.from = from.host_.name(),
                       .to = from.remote_host_->name(),
                       .from_endpoint = from.local,
                       .to_endpoint = from.remote,
                       .kind = packet.kind,
                       .payload = has_payload ? packet.payload() : absl::string_view(),
                       .sent = packet.sent,
                       .ended = Now(),
                       .is_lost = is_lost});
}

void SimFabric::ObserveProbe(const TcpSocket& socket, bool is_lost) {
  if (observer_ == nullptr) return;
  const absl::Duration latency =
      is_lost ? absl::ZeroDuration() : LatencyOf(socket.host_, *socket.remote_host_);
  observer_->OnPacket({.from = socket.host_.name(),
                       .to = socket.remote_host_->name(),
                       .from_endpoint = socket.local,
                       .to_endpoint = socket.remote,
                       .kind = PacketKind::kProbe,
                       .sent = Now(),
                       .ended = Now() + latency,
                       .is_lost = is_lost});
}

void SimFabric::ObserveRefusal(const TcpSocket& socket, bool is_lost) {
  if (observer_ == nullptr) return;
  const absl::Duration latency =
      is_lost ? absl::ZeroDuration() : LatencyOf(*socket.remote_host_, socket.host_);
  observer_->OnPacket({.from = socket.remote_host_->name(),
                       .to = socket.host_.name(),
                       .from_endpoint = socket.remote,
                       .to_endpoint = socket.local,
                       .kind = PacketKind::kReset,
                       .sent = Now(),
                       .ended = Now() + latency,
                       .is_lost = is_lost});
}

void SimFabric::ObserveDrop(const TcpSocket& from) {
  if (observer_ == nullptr) return;
  const std::string& to = from.remote_host_->name();
  observer_->OnFault({NetFaultKind::kDrop, Now(), from.host_.name(), to,
                      absl::StrCat("accept queue of ", to, " is full")});
}

}  // namespace rollcall::fault
