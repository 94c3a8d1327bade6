#include "store/etcd/etcd_watch.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "store/dist_error.h"
#include "store/etcd/etcd_names.h"

namespace rollcall::etcd {
namespace {

// Where nothing went wrong but that time was short, a wait's time is up, like any other's.
absl::StatusOr<EtcdWatch::Outcome> TimeUpOr(const absl::Status& error) {
  if (CodeOf(error) == ErrorCode::kReplyTimeout) return EtcdWatch::Outcome::kTimeUp;
  return error;
}

EtcdWatch::Change ChangeOf(size_t watch, const Event& event) {
  EtcdWatch::Change change;
  change.watch = watch;
  const KeyValue& now = event.kv();
  change.kind = event.type() == Event::DELETE                 ? EtcdWatch::Change::kDeleted
                : now.create_revision() == now.mod_revision() ? EtcdWatch::Change::kCreated
                                                              : EtcdWatch::Change::kChanged;
  change.name = now.key();
  change.value = now.value();
  change.previous = event.prev_kv().value();
  change.revision = now.mod_revision();
  return change;
}

}  // namespace

EtcdWatch::EtcdWatch(EtcdSession* session, EtcdCall call)
    : session_(*session), call_(std::move(call)), monitor_(session->env().NewMonitor()) {}

EtcdWatch::~EtcdWatch() { Offer(nullptr); }

size_t EtcdWatch::Add(const std::string& name, int64_t from_revision) {
  Watched watched;
  watched.request.set_key(name);
  watched.request.set_start_revision(from_revision);
  watched.request.add_filters(WatchCreateRequest::NODELETE);
  // 0 would have etcd choose.
  watched.request.set_watch_id(static_cast<int64_t>(watched_.size()) + 1);
  watched_.push_back(std::move(watched));
  return watched_.size() - 1;
}

size_t EtcdWatch::AddKey(const std::string& name, int64_t from_revision) {
  return Add(name, from_revision);
}

size_t EtcdWatch::AddAll(const std::string& beginning, int64_t from_revision) {
  const size_t watch = Add(beginning, from_revision);
  watched_[watch].request.set_range_end(EndOf(beginning));
  return watch;
}

size_t EtcdWatch::AddRange(const std::string& begin, const std::string& end,
                           int64_t from_revision) {
  const size_t watch = Add(begin, from_revision);
  WatchCreateRequest& request = watched_[watch].request;
  request.set_range_end(end);
  request.set_prev_kv(true);
  request.clear_filters();
  return watch;
}

void EtcdWatch::Cancel() {
  net::MonitorLock lock(monitor_.get());
  is_cancelled_ = true;
  if (offered_ != nullptr) offered_->Cancel();
}

bool EtcdWatch::Offer(EtcdStream* stream) {
  net::MonitorLock lock(monitor_.get());
  offered_ = stream;
  return !is_cancelled_;
}

absl::Status EtcdWatch::GoOn(const RpcStatus& status) {
  const absl::Duration waited = session_.env().Now() - opened_at_;
  Offer(nullptr);
  opened_.stream.reset();
  return session_.client().GoOn(call_, opened_.member, status, waited, attempts_);
}

absl::Status EtcdWatch::Begin() {
  absl::StatusOr<EtcdClient::Opened> opened =
      session_.client().OpenStream(call_, "/etcdserverpb.Watch/Watch", attempts_);
  if (!opened.ok()) return opened.status();
  opened_ = *std::move(opened);
  opened_at_ = session_.env().Now();
  has_answered_ = false;
  if (!Offer(opened_.stream.get())) return absl::OkStatus();
  for (const Watched& watched : watched_) {
    WatchRequest request;
    *request.mutable_create_request() = watched.request;
    const absl::Duration timeout = std::min(kAttemptTimeout, call_.deadline - session_.env().Now());
    switch (opened_.stream->Write(request, timeout)) {
      case EtcdStream::Result::kDone:
        break;
      case EtcdStream::Result::kEnded:
        return GoOn(opened_.stream->End());
      case EtcdStream::Result::kTimedOut:
        return GoOn(RpcStatus(absl::DeadlineExceededError("no answer")));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<EtcdWatch::Outcome> EtcdWatch::Take(const WatchResponse& response,
                                                   std::vector<Change>& changes) {
  // It answers, so what went wrong before is over.
  attempts_ = Attempts();
  has_answered_ = true;
  if (response.canceled()) {
    if (response.compact_revision() > 0) return Outcome::kForgotten;
    const bool is_refusal = absl::StrContains(response.cancel_reason(), "permission denied");
    absl::Status next =
        GoOn(is_refusal ? RpcStatus(absl::PermissionDeniedError(response.cancel_reason()))
                        : RpcStatus(absl::UnavailableError(response.cancel_reason())));
    if (!next.ok()) return next;
    return Outcome::kChanges;
  }
  const size_t watch = static_cast<size_t>(response.watch_id()) - 1;
  if (watch >= watched_.size()) return Outcome::kChanges;
  for (const Event& event : response.events()) {
    if (watched_[watch].is_lease) return session_.lease().Lost(call_, "it has ended");
    changes.push_back(ChangeOf(watch, event));
    watched_[watch].request.set_start_revision(event.kv().mod_revision() + 1);
  }
  return Outcome::kChanges;
}

absl::StatusOr<EtcdWatch::Outcome> EtcdWatch::Next(std::vector<Change>& changes) {
  changes.clear();
  if (watched_.empty() || !watched_.back().is_lease) {
    const int64_t from = watched_.empty() ? 0 : watched_.back().request.start_revision();
    Add(session_.lease().record(), from);
    watched_.back().is_lease = true;
    watched_.back().request.set_filters(0, WatchCreateRequest::NOPUT);
  }
  for (;;) {
    if (!Offer(opened_.stream.get()))
      return absl::CancelledError("the watch is not wanted any more");
    if (opened_.stream == nullptr) {
      if (absl::Status begun = Begin(); !begun.ok()) return TimeUpOr(begun);
      continue;
    }
    const absl::Duration left =
        std::max(absl::ZeroDuration(), call_.deadline - session_.env().Now());
    // That a watch was made is said at once; what happens may come whenever it likes.
    const absl::Duration patience = has_answered_ ? left : std::min(left, kAttemptTimeout);
    switch (opened_.stream->Read(response_, patience)) {
      case EtcdStream::Result::kTimedOut:
        if (patience < left) {
          absl::Status next = GoOn(RpcStatus(absl::DeadlineExceededError("no answer")));
          if (!next.ok()) return TimeUpOr(next);
          break;
        }
        if (attempts_.count() == 0) return Outcome::kTimeUp;
        return attempts_.TimeUp(call_, session_.client().peer(), session_.env().Now());
      case EtcdStream::Result::kEnded:
        if (absl::Status next = GoOn(opened_.stream->End()); !next.ok()) return TimeUpOr(next);
        break;
      case EtcdStream::Result::kDone: {
        absl::StatusOr<Outcome> outcome = Take(response_, changes);
        if (!outcome.ok() || *outcome != Outcome::kChanges || !changes.empty()) return outcome;
        break;
      }
    }
  }
}

}  // namespace rollcall::etcd
