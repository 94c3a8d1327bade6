#include "fault_injection/proxy/proxy_route.h"

#include <optional>
#include <utility>
#include <vector>

#include "glog/logging.h"

namespace rollcall::fault {

ProxyRoute::ProxyRoute(net::SocketLoop* loop, net::Env* env, const Route& route,
                       absl::Span<char> buffer, absl::AnyInvocable<void()> on_settled)
    : loop_(*loop),
      name_(route.name),
      keeps_spare_(route.keeps_spare),
      on_settled_(std::move(on_settled)),
      to_server_(env),
      to_client_(env),
      context_{.loop = loop,
               .to_server = &to_server_,
               .to_client = &to_client_,
               .legacy_dialect = route.legacy_dialect,
               .buffer = buffer},
      listener_(loop, env, [this](net::OwnedFd client) { OnAccept(std::move(client)); }) {}

absl::Status ProxyRoute::Begin(const net::SocketAddress& listen_at,
                               const net::SocketAddress& target) {
  if (absl::Status bound = listener_.Bind(listen_at); !bound.ok()) return bound;
  target_ = std::make_unique<Target>(&loop_, target, keeps_spare_, [this] { OnTargetChange(); });
  return UpdateListener();
}

void ProxyRoute::OnTargetChange() {
  Update();
  if (on_settled_) std::exchange(on_settled_, nullptr)();
}

// What hides more comes first: who gets no answer does not learn that he would be refused.
absl::Status ProxyRoute::UpdateListener() {
  RouteListener::State state = RouteListener::State::kOpen;
  if (refuses_ || target_->state() == Target::State::kRefuses ||
      target_->state() == Target::State::kUnknown) {
    state = RouteListener::State::kRefuses;
  }
  if (to_server_.holds() || to_client_.holds() || target_->state() == Target::State::kSilent) {
    state = RouteListener::State::kSilent;
  }
  return listener_.SetState(state);
}

void ProxyRoute::Update() {
  const absl::Status updated = UpdateListener();
  LOG_IF(ERROR, !updated.ok()) << "fault proxy, route " << name_ << ": " << updated;
}

void ProxyRoute::OnAccept(net::OwnedFd client) {
  ++stats_.accepted;
  const bool turns_away = turn_away_ > 0;
  if (turns_away) {
    --turn_away_;
    ++stats_.turned_away;
    if (turn_away_with_reset_) return CloseWithReset(loop_.syscalls(), client);
  }
  const int64_t id = next_relay_++;
  auto added = std::make_unique<Relay>(context_, std::move(client), [this, id] {
    ++finished_relays_;
    // Not inside a call of its own.
    loop_.Post([this, id] {
      relays_.erase(id);
      --finished_relays_;
    });
  });
  Relay& relay = *added;
  relays_.emplace(id, std::move(added));
  if (turns_away) return relay.TurnAway();
  if (std::optional<net::OwnedFd> spare = target_->TakeSpare(); spare.has_value()) {
    return relay.Begin(*std::move(spare));
  }
  relay.Connect(target_->address(),
                [this](int errno_value) { target_->OnConnectFailed(errno_value); });
}

void ProxyRoute::ForEachRelay(absl::FunctionRef<void(Relay&)> act) {
  for (auto& [id, relay] : relays_) act(*relay);
}

void ProxyRoute::Refresh() {
  Update();
  ForEachRelay([](Relay& relay) { relay.Refresh(); });
}

void ProxyRoute::SetRefuses(bool refuses) {
  refuses_ = refuses;
  Update();
}

void ProxyRoute::SetBlackHole(bool is_black_hole) {
  to_server_.settings.is_black_hole = to_client_.settings.is_black_hole = is_black_hole;
  Refresh();
}

void ProxyRoute::HealAll() {
  for (Lane* lane : {&to_server_, &to_client_}) {
    lane->settings = {};
    lane->faults.Clear();
  }
  refuses_ = false;
  turn_away_ = 0;
  Refresh();
}

void ProxyRoute::ResetAll() {
  stats_.reset += stats().open;
  ForEachRelay([](Relay& relay) { relay.Reset(); });
}

void ProxyRoute::LoseSenders(Direction direction) {
  ForEachRelay([direction](Relay& relay) { relay.LoseSender(direction); });
}

void ProxyRoute::CloseAll() {
  stats_.closed += stats().open;
  ForEachRelay([](Relay& relay) { relay.CloseOrderly(); });
}

void ProxyRoute::TurnAwayNext(bool with_reset, int count) {
  turn_away_with_reset_ = with_reset;
  turn_away_ = count;
}

RouteStats ProxyRoute::stats() const {
  RouteStats stats = stats_;
  stats.open = static_cast<int64_t>(relays_.size()) - finished_relays_;
  if (target_ != nullptr) {
    stats.target_is_up = target_->state() == Target::State::kUp;
    stats.target_refusals = target_->refusals();
  }
  stats.to_server = to_server_.stats;
  stats.to_client = to_client_.stats;
  return stats;
}

}  // namespace rollcall::fault
