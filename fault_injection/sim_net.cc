#include "fault_injection/sim_net.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "fault_injection/sim_fabric.h"
#include "fault_injection/sim_link.h"
#include "fault_injection/sim_tcp.h"
#include "glog/logging.h"
#include "net/address.h"

namespace rollcall::fault {
namespace {

IpAddress ParseAddress(absl::string_view text) {
  const absl::StatusOr<net::SocketAddress> address = net::SocketAddress::FromNumeric(text, 0);
  CHECK(address.ok()) << address.status();
  IpEndpoint endpoint;
  IpEndpoint::FromSockaddr(address->family(), address->data(), address->size_bytes(), &endpoint);
  CHECK(!endpoint.ip.is_loopback()) << text << ": every host has the loopback's addresses already";
  return endpoint.ip;
}

absl::string_view StateName(TcpState state) {
  switch (state) {
    case TcpState::kClosed:
      return "closed";
    case TcpState::kListen:
      return "listening";
    case TcpState::kSynSent:
      return "connecting";
    case TcpState::kSynReceived:
      return "half open";
    case TcpState::kEstablished:
      return "connected";
  }
  return "?";
}

}  // namespace

struct SimNet::Path {
  SimHost& from;
  SimHost& to;

  Link& link() { return from.LinkTo(to); }
};

SimNet::SimNet(Scheduler* scheduler, SimNetOptions options)
    : fabric_(std::make_unique<SimFabric>(scheduler, options)) {}

SimNet::~SimNet() = default;

SimKernel& SimNet::AddHost(absl::string_view name,
                           std::initializer_list<absl::string_view> addresses,
                           SimHostOptions options) {
  std::vector<std::string> texts;
  for (absl::string_view address : addresses) texts.emplace_back(address.data(), address.size());
  return AddHost(name, texts, options);
}

SimKernel& SimNet::AddHost(absl::string_view name, absl::Span<const std::string> addresses,
                           SimHostOptions options) {
  const auto [entry, is_new] = kernel_of_.try_emplace(name, nullptr);
  CHECK(is_new) << "there is a host " << name << " already";
  std::vector<IpAddress> parsed;
  for (const std::string& address : addresses) parsed.push_back(ParseAddress(address));
  names_.Set(name, parsed);
  SimHost& host =
      fabric_->AddHost(std::string(name.data(), name.size()), std::move(parsed), options);
  kernels_.push_back(std::make_unique<SimKernel>(&host, &names_));
  entry->second = kernels_.back().get();
  return *entry->second;
}

bool SimNet::HasHost(absl::string_view name) const { return kernel_of_.contains(name); }

SimKernel& SimNet::host(absl::string_view name) {
  const auto found = kernel_of_.find(name);
  CHECK(found != kernel_of_.end()) << "there is no host " << name;
  return *found->second;
}

SimNet::Path SimNet::PathOf(absl::string_view from, absl::string_view to) {
  return {host(from).host_, host(to).host_};
}

void SimNet::SetInjector(FaultInjector* injector) { fabric_->set_injector(injector); }

void SimNet::SetObserver(NetObserver* observer) { fabric_->set_observer(observer); }

void SimNet::SetShortTransferPercent(int percent) { fabric_->set_short_transfer_percent(percent); }

// --- Links ---

void SimNet::SetLatency(absl::string_view from, absl::string_view to, absl::Duration latency,
                        absl::Duration jitter) {
  LinkOptions& options = PathOf(from, to).link().options;
  options.latency = latency;
  options.jitter = jitter;
}

void SimNet::SetRate(absl::string_view from, absl::string_view to, int64_t bytes_per_second) {
  PathOf(from, to).link().options.bytes_per_second = bytes_per_second;
}

void SimNet::Cut(absl::string_view from, absl::string_view to) {
  fabric_->NoteFault(NetFaultKind::kCut, from, to, absl::StrCat("cut ", from, " -> ", to));
  PathOf(from, to).link().is_cut = true;
  fabric_->OnPathsChanged();
}

void SimNet::CutBothWays(absl::string_view a, absl::string_view b) {
  Cut(a, b);
  Cut(b, a);
}

void SimNet::Unreachable(absl::string_view from, absl::string_view to, int errno_value) {
  fabric_->NoteFault(NetFaultKind::kUnreachable, from, to,
                     absl::StrCat("unreachable ", from, " -> ", to));
  PathOf(from, to).link().unreachable_errno = errno_value;
  fabric_->OnPathsChanged();
}

void SimNet::Heal(absl::string_view from, absl::string_view to) {
  fabric_->NoteFault(NetFaultKind::kHeal, from, to, absl::StrCat("heal ", from, " -> ", to));
  Link& link = PathOf(from, to).link();
  link.is_cut = false;
  link.unreachable_errno = 0;
  fabric_->OnPathsChanged();
}

void SimNet::HealBothWays(absl::string_view a, absl::string_view b) {
  Heal(a, b);
  Heal(b, a);
}

// --- Hosts ---

void SimNet::BlackHole(absl::string_view name) {
  fabric_->NoteFault(NetFaultKind::kBlackHole, name, {}, absl::StrCat("black hole around ", name));
  host(name).host_.set_isolated(true);
  fabric_->OnPathsChanged();
}

void SimNet::Refuse(absl::string_view name, uint16_t port) {
  fabric_->NoteFault(NetFaultKind::kRefuse, name, {},
                     absl::StrCat("refuse connections to ", name, ":", port));
  host(name).host_.Refuse(port);
}

void SimNet::HealHost(absl::string_view name) {
  fabric_->NoteFault(NetFaultKind::kHealHost, name, {}, absl::StrCat("heal ", name));
  SimHost& healed = host(name).host_;
  healed.set_isolated(false);
  healed.StopRefusing();
  fabric_->OnPathsChanged();
}

void SimNet::ResetConnections(absl::string_view name, absl::string_view peer) {
  fabric_->NoteFault(NetFaultKind::kReset, name, peer, absl::StrCat("reset connections of ", name));
  const SimHost* const one = &host(name).host_;
  const SimHost* const other = peer.empty() ? nullptr : &host(peer).host_;
  for (TcpSocket* socket : fabric_->sockets()) {
    const SimHost* const here = &socket->host();
    const SimHost* const there = socket->remote_host();
    const bool is_chosen = (here == one && (other == nullptr || there == other)) ||
                           (there == one && (other == nullptr || here == other));
    if (is_chosen) socket->Reset();
  }
  fabric_->Settle();
}

SimHostOptions& SimNet::options_of(absl::string_view name) {
  return host(name).host_.mutable_options();
}

void SimNet::SetLocalPorts(absl::string_view name, uint16_t first, uint16_t last) {
  SimHost& set = host(name).host_;
  set.mutable_options().ephemeral_first = first;
  set.mutable_options().ephemeral_last = last;
  set.ports().set_ephemeral_range(first, last);
}

const std::vector<IpAddress>& SimNet::AddressesOf(absl::string_view name) {
  return host(name).host_.addresses();
}

// --- Processes ---

void SimNet::ExitProcess(absl::string_view name) {
  fabric_->NoteFault(NetFaultKind::kExit, name, {}, absl::StrCat("exit ", name));
  host(name).ExitProcess();
}

void SimNet::CrashHost(absl::string_view name) {
  fabric_->NoteFault(NetFaultKind::kCrash, name, {}, absl::StrCat("crash ", name));
  host(name).Crash();
  fabric_->OnPathsChanged();
}

void SimNet::RestartHost(absl::string_view name) {
  fabric_->NoteFault(NetFaultKind::kRestart, name, {}, absl::StrCat("restart ", name));
  host(name).Restart();
  fabric_->OnPathsChanged();
}

// --- The record ---

uint64_t SimNet::fingerprint() const { return fabric_->fingerprint(); }

std::string SimNet::Sockets() const {
  std::string lines;
  for (TcpSocket* socket : fabric_->sockets()) {
    absl::StrAppend(&lines, socket->host().name(), " ", StateName(socket->state()), " ",
                    socket->local.ToString(),
                    socket->remote.port == 0 ? "" : absl::StrCat(" ", socket->remote.ToString()),
                    socket->buffered_bytes() == 0
                        ? ""
                        : absl::StrCat(" ", socket->buffered_bytes(), " bytes buffered"),
                    "\n");
  }
  return lines;
}

}  // namespace rollcall::fault
