#include "store/front/front_watcher.h"

#include <utility>

#include "absl/time/time.h"
#include "glog/logging.h"

namespace rollcall::front {

using etcd::EtcdWatch;

FrontWatcher::FrontWatcher(etcd::EtcdSession* session, Listener* listener, int64_t revision)
    : session_(*session),
      listener_(*listener),
      revision_(revision),
      monitor_(session->env().NewMonitor()) {}

FrontWatcher::~FrontWatcher() {
  stops_ = true;
  {
    net::MonitorLock lock(monitor_.get());
    if (watch_ != nullptr) watch_->Cancel();
  }
  thread_.reset();
}

etcd::EtcdCall FrontWatcher::EndlessCall(const char* operation) const {
  return {.operation = operation,
          .started = session_.env().Now(),
          .deadline = absl::InfiniteFuture(),
          .is_given_up = &stops_};
}

bool FrontWatcher::Start() {
  thread_ = session_.env().StartThread("front-watch", [this] { Run(); });
  return thread_ != nullptr;
}

void FrontWatcher::Run() {
  while (!stops_) {
    absl::Status ended = Follow();
    if (ended.ok() && !stops_) {
      LOG(WARNING) << session_.client().peer() << " has compacted what happened since revision "
                   << revision_ << "; looking again at what is awaited";
      const absl::StatusOr<int64_t> now = listener_.OnForgotten(EndlessCall("look"));
      ended = now.status();
      if (now.ok()) revision_ = *now;
    }
    if (stops_) return;
    if (!ended.ok()) return listener_.OnLost(ended);
  }
}

absl::Status FrontWatcher::Follow() {
  EtcdWatch watch(&session_, EndlessCall("watch"));
  const etcd::EtcdNames& names = session_.names();
  watch.AddRange(names.ContentsBegin(), names.ContentsEnd(), revision_ + 1);
  {
    net::MonitorLock lock(monitor_.get());
    watch_ = &watch;
  }
  absl::StatusOr<EtcdWatch::Outcome> outcome = EtcdWatch::Outcome::kChanges;
  while (!stops_ && outcome.ok() && *outcome != EtcdWatch::Outcome::kForgotten) {
    std::vector<EtcdWatch::Change> changes;
    outcome = watch.Next(changes);
    if (changes.empty()) continue;
    revision_ = changes.back().revision;
    listener_.OnChanges(changes);
  }
  net::MonitorLock lock(monitor_.get());
  watch_ = nullptr;
  return outcome.status();
}

}  // namespace rollcall::front
