#include "store/etcd/etcd_lease.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "net/clock.h"
#include "store/dist_error.h"
#include "store/etcd/etcd_requests.h"

namespace rollcall::etcd {
namespace {

// Two of three renewals may fail.
constexpr int kRenewalsPerTtl = 3;

struct Record {
  int64_t id = 0;
  int64_t create_revision = 0;
};

// The job's lease, if there is one; if not, `offered` becomes it.
absl::StatusOr<Record> ReadOrOffer(EtcdClient& client, const std::string& name, int64_t offered,
                                   const EtcdCall& call) {
  TxnRequest request;
  *request.add_compare() = IsMissing(name);
  if (offered != 0) *request.add_success() = Put(name, absl::StrCat(offered), offered);
  *request.add_failure() = ReadKey(name);
  TxnResponse response;
  absl::Status asked = client.Ask(call, "/etcdserverpb.KV/Txn", request, response);
  if (!asked.ok()) return asked;
  if (response.succeeded()) {
    return Record{.id = offered, .create_revision = response.header().revision()};
  }
  const KeyValue* record = FoundIn(response.responses(0));
  Record found;
  if (record == nullptr || !absl::SimpleAtoi(record->value(), &found.id) || found.id == 0) {
    return StoreStatus(ErrorCode::kProtocol,
                       absl::StrCat(name, " holds no lease: something else uses this prefix"),
                       {.operation = call.operation, .peer = client.peer()});
  }
  found.create_revision = record->create_revision();
  return found;
}

absl::StatusOr<int64_t> Grant(EtcdClient& client, const EtcdCall& call) {
  LeaseGrantRequest request;
  request.set_ttl(absl::ToInt64Seconds(client.options().ttl));
  // Of our own choice, so that asking twice does not make two.
  const uint64_t chosen = client.env().RandomBits() & std::numeric_limits<int64_t>::max();
  request.set_id(static_cast<int64_t>(std::max<uint64_t>(chosen, 1)));
  LeaseGrantResponse response;
  absl::Status asked = client.Ask(call, "/etcdserverpb.Lease/LeaseGrant", request, response);
  if (asked.ok() || absl::StrContains(std::string(asked.message()), "lease already exists")) {
    return request.id();
  }
  return asked;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EtcdLease>> EtcdLease::Join(EtcdClient* client,
                                                           const EtcdNames& names,
                                                           const EtcdCall& call) {
  const std::string name = names.Lease();
  absl::StatusOr<Record> record = ReadOrOffer(*client, name, 0, call);
  if (record.ok() && record->id == 0) {
    const absl::StatusOr<int64_t> granted = Grant(*client, call);
    if (!granted.ok()) return granted.status();
    // Where another was faster, ours ends by itself.
    record = ReadOrOffer(*client, name, *granted, call);
  }
  if (!record.ok()) return record.status();
  auto lease = std::unique_ptr<EtcdLease>(
      new EtcdLease(client, name, record->id, record->create_revision, client->options().ttl));
  lease->keeper_ =
      client->env().StartThread("etcd-lease", [self = lease.get()] { self->KeepAlive(); });
  if (lease->keeper_ == nullptr) {
    return StoreStatus(ErrorCode::kResourceExhausted, "no thread to keep the job's lease alive",
                       {.operation = call.operation, .peer = client->peer()});
  }
  return lease;
}

EtcdLease::EtcdLease(EtcdClient* client, std::string record, int64_t id, int64_t create_revision,
                     absl::Duration ttl)
    : client_(*client),
      record_(std::move(record)),
      id_(id),
      is_ours_(WasCreatedAt(record_, create_revision)),
      ttl_(ttl),
      monitor_(client->env().NewMonitor()) {}

EtcdLease::~EtcdLease() {
  {
    net::MonitorLock lock(monitor_.get());
    stops_ = true;
    if (renewal_ != nullptr) renewal_->Cancel();
    monitor_->NotifyAll();
  }
  keeper_.reset();
}

absl::Status EtcdLease::Lost(const EtcdCall& call, absl::string_view how) {
  net::MonitorLock lock(monitor_.get());
  if (!lost_) how_ = std::string(how);
  lost_ = true;
  return LeaseLostError(call, client_.peer(), client_.env().Now(), how_);
}

absl::Status EtcdLease::Check(const EtcdCall& call) {
  net::MonitorLock lock(monitor_.get());
  if (!lost_) return absl::OkStatus();
  return LeaseLostError(call, client_.peer(), client_.env().Now(), how_);
}

void EtcdLease::KeepAlive() {
  net::Env& env = client_.env();
  absl::Duration ttl = ttl_;
  for (;;) {
    // First of all once: whoever joins may find a lease that is about to end.
    absl::StatusOr<absl::Duration> left = Renew();
    net::MonitorLock lock(monitor_.get());
    if (stops_) return;
    if (left.ok() && *left == absl::ZeroDuration()) {
      how_ = "nobody kept it alive for as long as its TTL, or it was revoked";
      lost_ = true;
    }
    if (lost_) return;
    if (left.ok()) {
      ttl = *left;
    } else {
      LOG(WARNING) << "the lease of " << client_.peer() << " was not renewed: " << left.status();
    }
    const absl::Time next = env.Now() + ttl / kRenewalsPerTtl;
    while (!stops_ && env.Now() < next) monitor_->WaitUntil(next);
    if (stops_) return;
  }
}

absl::StatusOr<absl::Duration> EtcdLease::Renew() {
  net::Env& env = client_.env();
  const absl::Time started = env.Now();
  const EtcdCall call{
      .operation = "keep_alive", .started = started, .deadline = started + ttl_ / kRenewalsPerTtl};
  LeaseKeepAliveRequest request;
  request.set_id(id_);
  Attempts attempts;
  for (;;) {
    absl::StatusOr<EtcdClient::Opened> opened =
        client_.OpenStream(call, "/etcdserverpb.Lease/LeaseKeepAlive", attempts);
    if (!opened.ok()) return opened.status();
    {
      net::MonitorLock lock(monitor_.get());
      if (stops_) return absl::CancelledError("the store is being closed");
      renewal_ = opened->stream.get();
    }
    const absl::Time asked = env.Now();
    const absl::Duration timeout = std::min(kAttemptTimeout, call.deadline - asked);
    LeaseKeepAliveResponse response;
    EtcdStream::Result result = opened->stream->Write(request, timeout);
    if (result == EtcdStream::Result::kDone) result = opened->stream->Read(response, timeout);
    bool stops = false;
    {
      net::MonitorLock lock(monitor_.get());
      renewal_ = nullptr;
      stops = stops_;
    }
    if (result == EtcdStream::Result::kDone) {
      return absl::Seconds(std::max<int64_t>(response.ttl(), 0));
    }
    const RpcStatus status = result == EtcdStream::Result::kEnded
                                 ? opened->stream->End()
                                 : RpcStatus(absl::DeadlineExceededError("no answer"));
    opened->stream.reset();
    if (stops) return status;
    if (KindOf(status) == FailureKind::kLeaseNotFound) return absl::ZeroDuration();
    absl::Status next = client_.GoOn(call, opened->member, status, env.Now() - asked, attempts);
    if (!next.ok()) return next;
  }
}

}  // namespace rollcall::etcd
