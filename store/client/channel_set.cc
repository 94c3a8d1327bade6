#include "store/client/channel_set.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "store/client/call.h"
#include "store/client/greeting.h"
#include "store/dist_error.h"

namespace rollcall::client {
namespace {

// Threads that wait at the same time, once, are the exception; their connections need not stay.
constexpr size_t kIdleChannelsMax = 4;

absl::Status TurnTimeout() {
  return StoreStatus(ErrorCode::kReplyTimeout,
                     "the server did not answer another thread's request in time", {});
}

}  // namespace

// The side of the waiting thread; AskWaiterToLeave is the other.
class ChannelSet::Gate : public WaitGate {
 public:
  explicit Gate(ChannelSet* set) : set_(set) {}

  void Open() override {
    net::MonitorLock lock(set_->monitor_.get());
    set_->waiting_ = true;
    if (set_->contenders_ > 0) set_->monitor_->NotifyAll();
  }

  bool Close() override {
    net::MonitorLock lock(set_->monitor_.get());
    set_->waiting_ = false;
    return std::exchange(set_->preempted_, false);
  }

 private:
  ChannelSet* const set_;
};

// The side of the thread that opens a further channel; ChannelSet::Close is the other.
class ChannelSet::Watch : public OpeningWatch {
 public:
  explicit Watch(ChannelSet* set) : set_(set) {}

  bool Hold(net::Connection* connection) override {
    net::MonitorLock lock(set_->monitor_.get());
    set_->Hold(connection);
    return !set_->closed_;
  }
  void Release(net::Connection* connection) override {
    net::MonitorLock lock(set_->monitor_.get());
    set_->Release(connection);
  }
  void SleepUntil(absl::Time time) override { set_->SleepUntil(time); }

 private:
  ChannelSet* const set_;
};

ChannelSet::Lease::Lease(ChannelSet* set, std::unique_ptr<Channel> secondary)
    : set_(set),
      secondary_(std::move(secondary)),
      channel_(secondary_ != nullptr ? secondary_.get() : set->primary_.get()) {}

ChannelSet::Lease::Lease(Lease&& other) noexcept
    : set_(std::exchange(other.set_, nullptr)),
      secondary_(std::move(other.secondary_)),
      channel_(other.channel_) {}

ChannelSet::Lease::~Lease() {
  if (set_ == nullptr) return;
  if (secondary_ != nullptr) {
    set_->ReleaseSecondary(std::move(secondary_));
  } else {
    set_->ReleasePrimary();
  }
}

WaitGate* ChannelSet::Lease::gate() const {
  return secondary_ == nullptr ? set_->gate_.get() : nullptr;
}

ChannelSet::ChannelSet(net::Env& env, Target target, std::string cancel)
    : env_(env),
      target_(std::move(target)),
      cancel_(std::move(cancel)),
      monitor_(env.NewMonitor()),
      gate_(std::make_unique<Gate>(this)),
      watch_(std::make_unique<Watch>(this)) {}

ChannelSet::~ChannelSet() = default;

absl::Status ChannelSet::Connect(absl::Time started, absl::Time deadline) {
  absl::StatusOr<std::unique_ptr<Channel>> channel =
      OpenFirstChannel(env_, target_, started, deadline);
  if (!channel.ok()) return channel.status();
  NoteFeatures(**channel);
  net::MonitorLock lock(monitor_.get());
  primary_ = *std::move(channel);
  return absl::OkStatus();
}

absl::StatusOr<ChannelSet::Lease> ChannelSet::Primary(absl::Time deadline) {
  {
    net::MonitorLock lock(monitor_.get());
    ++contenders_;
    bool in_time = true;
    while (in_use_ && in_time && !closed_) {
      AskWaiterToLeave();
      in_time = monitor_->WaitUntil(deadline);
    }
    --contenders_;
    if (closed_) return Closed();
    if (in_use_) return TurnTimeout();
    in_use_ = true;
    if (primary_ != nullptr) return Lease(this, nullptr);
  }
  absl::StatusOr<std::unique_ptr<Channel>> channel = Reconnect(deadline);
  net::MonitorLock lock(monitor_.get());
  if (channel.ok() && !closed_) {
    primary_ = *std::move(channel);
    return Lease(this, nullptr);
  }
  in_use_ = false;
  monitor_->NotifyAll();
  return closed_ ? Closed() : channel.status();
}

void ChannelSet::AskWaiterToLeave() {
  if (!waiting_ || preempted_) return;
  preempted_ = true;
  // On a failure the waiter is woken by it.
  primary_->SendFromOutside(cancel_).IgnoreError();
}

void ChannelSet::ReleasePrimary() {
  std::vector<std::unique_ptr<Channel>> closed;
  net::MonitorLock lock(monitor_.get());
  if (!primary_->in_step()) {
    closed.swap(idle_);
    closed.push_back(std::move(primary_));
  }
  in_use_ = false;
  if (contenders_ > 0) monitor_->NotifyAll();
}

absl::StatusOr<ChannelSet::Lease> ChannelSet::Secondary(absl::Time deadline) {
  {
    net::MonitorLock lock(monitor_.get());
    if (closed_) return Closed();
    if (!idle_.empty()) {
      std::unique_ptr<Channel> channel = std::move(idle_.back());
      idle_.pop_back();
      Hold(&channel->connection());
      return Lease(this, std::move(channel));
    }
  }
  absl::StatusOr<std::unique_ptr<Channel>> channel = Reconnect(deadline);
  net::MonitorLock lock(monitor_.get());
  if (closed_) return Closed();
  if (!channel.ok()) return channel.status();
  Hold(&(*channel)->connection());
  return Lease(this, *std::move(channel));
}

void ChannelSet::ReleaseSecondary(std::unique_ptr<Channel> channel) {
  std::vector<std::unique_ptr<Channel>> closed;
  net::MonitorLock lock(monitor_.get());
  Release(&channel->connection());
  if (!channel->in_step()) {
    closed.swap(idle_);
  } else if (!closed_ && idle_.size() < kIdleChannelsMax) {
    idle_.push_back(std::move(channel));
  }
}

absl::StatusOr<std::unique_ptr<Channel>> ChannelSet::Reconnect(absl::Time deadline) {
  const int rank = rank_;
  absl::StatusOr<std::unique_ptr<Channel>> channel = OpenFurtherChannel(
      env_, target_, rank == kNoRank ? std::nullopt : std::optional<int>(rank), deadline, *watch_);
  if (channel.ok()) {
    NoteFeatures(**channel);
    return channel;
  }
  const absl::Status& why = channel.status();
  ErrorCode code = ErrorCode::kConnectionLost;
  if (IsTimeout(why)) code = ErrorCode::kReplyTimeout;
  // What its user can do something about.
  for (const ErrorCode telling :
       {ErrorCode::kResourceExhausted, ErrorCode::kTlsFailed, ErrorCode::kTokenRejected}) {
    if (CodeOf(why) == telling) code = telling;
  }
  return StoreStatus(code, absl::StrCat("cannot connect to the store again: ", why.message()),
                     rollcall::DetailsOf(why));
}

void ChannelSet::NoteFeatures(const Channel& channel) {
  net::MonitorLock lock(monitor_.get());
  if (channel.keeps_journal() && lane_ == nullptr) lane_ = std::make_unique<Lane>(env_);
  keeps_journal_ = channel.keeps_journal();
}

std::unique_ptr<Lane> ChannelSet::TakeLane() {
  net::MonitorLock lock(monitor_.get());
  if (spare_lanes_.empty()) return std::make_unique<Lane>(env_);
  std::unique_ptr<Lane> lane = std::move(spare_lanes_.back());
  spare_lanes_.pop_back();
  return lane;
}

void ChannelSet::ReturnLane(std::unique_ptr<Lane> lane) {
  net::MonitorLock lock(monitor_.get());
  spare_lanes_.push_back(std::move(lane));
}

// --- Closing ---

void ChannelSet::Hold(net::Connection* connection) { held_.push_back(connection); }

void ChannelSet::Release(net::Connection* connection) {
  held_.erase(std::find(held_.begin(), held_.end(), connection));
}

void ChannelSet::Close() {
  std::vector<std::unique_ptr<Channel>> closed;
  net::MonitorLock lock(monitor_.get());
  closed_ = true;
  closed.swap(idle_);
  // Destroyed later: somebody may be reading.
  if (primary_ != nullptr) primary_->connection().Shutdown();
  for (net::Connection* const connection : held_) connection->Shutdown();
  monitor_->NotifyAll();
}

bool ChannelSet::is_closed() {
  net::MonitorLock lock(monitor_.get());
  return closed_;
}

absl::Status ChannelSet::Closed() {
  return StoreStatus(ErrorCode::kClosed, "the store has been closed", {});
}

void ChannelSet::SleepUntil(absl::Time time) {
  net::MonitorLock lock(monitor_.get());
  while (!closed_ && monitor_->WaitUntil(time)) {
  }
}

bool ChannelSet::PrimaryHasUnacknowledged() {
  net::MonitorLock lock(monitor_.get());
  return primary_ != nullptr && primary_->unacknowledged() > 0;
}

void ChannelSet::Finish(absl::Time deadline) {
  // Closing a socket that has unread bytes makes the kernel reset the connection and throw away
  // what the server has not read yet.
  net::MonitorLock lock(monitor_.get());
  if (primary_ == nullptr || primary_->unacknowledged() == 0) return;
  while (primary_->owes() && primary_->ReceiveOwed(deadline).ok()) {
  }
}

std::string ChannelSet::Describe() {
  net::MonitorLock lock(monitor_.get());
  if (primary_ == nullptr) return "not connected";
  const net::Connection& connection = primary_->connection();
  return absl::StrCat(connection.local_address().ToString(), " -> ",
                      connection.peer_address().ToString());
}

}  // namespace rollcall::client
