#include "store/journal/fake_journal.h"

#include <cstdint>

namespace rollcall {

using Kind = JournalChange::Kind;

class FakeDisk::FakeJournal final : public Journal {
 public:
  FakeJournal(FakeDisk* disk, net::Env* env, absl::Duration latency)
      : disk_(*disk), env_(*env), latency_(latency) {}

  absl::Status Load(absl::FunctionRef<void(JournalChange change)> take) override {
    net::MonitorLock lock(disk_.monitor_.get());
    for (const auto& [name, value] : disk_.keys_) {
      take({Kind::kSetKey, std::get<0>(name), std::get<1>(name), value});
    }
    for (const auto& [name, elements] : disk_.queues_) {
      for (const std::string& element : elements) {
        take({Kind::kPush, std::get<0>(name), std::get<1>(name), element});
      }
    }
    for (const auto& [name, value] : disk_.sessions_) {
      take({Kind::kSetSession, std::get<0>(name), std::get<1>(name), value});
    }
    return absl::OkStatus();
  }

  absl::Status Commit(absl::Span<const JournalChange> changes) override {
    env_.SleepUntil(env_.Now() + latency_ / 2);
    if (absl::Status failed = disk_.BeginCommit(); !failed.ok()) return failed;
    disk_.Apply(changes);
    env_.SleepUntil(env_.Now() + latency_ / 2);
    return absl::OkStatus();
  }

  JournalSizes sizes() const override {
    return {.database_bytes = static_cast<uint64_t>(disk_.commits()) * kCommitBytes,
            .log_bytes = kCommitBytes};
  }
  const std::string& place() const override { return place_; }

 private:
  FakeDisk& disk_;
  net::Env& env_;
  const absl::Duration latency_;
  const std::string place_ = "memory";
};

std::function<absl::StatusOr<std::unique_ptr<Journal>>()> FakeDisk::Opener(net::Env& env,
                                                                           absl::Duration latency) {
  return [this, env = &env, latency]() -> absl::StatusOr<std::unique_ptr<Journal>> {
    return std::make_unique<FakeJournal>(this, env, latency);
  };
}

void FakeDisk::FailCommitAfter(int commits, absl::Status why) {
  net::MonitorLock lock(monitor_.get());
  fail_after_ = commits;
  failure_ = std::move(why);
}

void FakeDisk::Hold() {
  net::MonitorLock lock(monitor_.get());
  is_held_ = true;
  released_ = 0;
}

void FakeDisk::Release(int commits) {
  net::MonitorLock lock(monitor_.get());
  released_ += commits;
  monitor_->NotifyAll();
}

void FakeDisk::AwaitHeldCommit() {
  net::MonitorLock lock(monitor_.get());
  while (waiting_ == 0) monitor_->WaitUntil(absl::InfiniteFuture());
}

int FakeDisk::commits() const {
  net::MonitorLock lock(monitor_.get());
  return commits_;
}

size_t FakeDisk::changes() const {
  net::MonitorLock lock(monitor_.get());
  return changes_;
}

absl::Status FakeDisk::BeginCommit() {
  net::MonitorLock lock(monitor_.get());
  ++waiting_;
  monitor_->NotifyAll();
  while (is_held_ && released_ == 0) monitor_->WaitUntil(absl::InfiniteFuture());
  --waiting_;
  if (is_held_) --released_;
  if (fail_after_ < 0) return absl::OkStatus();
  return fail_after_-- > 0 ? absl::OkStatus() : failure_;
}

void FakeDisk::Apply(absl::Span<const JournalChange> changes) {
  net::MonitorLock lock(monitor_.get());
  ++commits_;
  changes_ += changes.size();
  for (const JournalChange& change : changes) {
    const Name name(change.space, change.name);
    switch (change.kind) {
      case Kind::kSetKey:
        keys_[name] = change.value;
        break;
      case Kind::kEraseKey:
        keys_.erase(name);
        break;
      case Kind::kPush:
        queues_[name].push_back(change.value);
        break;
      case Kind::kPop:
        queues_.at(name).pop_front();
        if (queues_.at(name).empty()) queues_.erase(name);
        break;
      case Kind::kSetSession:
        sessions_[name] = change.value;
        break;
      case Kind::kEraseSession:
        sessions_.erase(name);
        break;
    }
  }
}

}  // namespace rollcall
