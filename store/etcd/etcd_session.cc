#include "store/etcd/etcd_session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "glog/logging.h"
#include "net/clock.h"
#include "store/dist_error.h"
#include "store/etcd/etcd_requests.h"

namespace rollcall::etcd {
namespace {

constexpr char kTxn[] = "/etcdserverpb.KV/Txn";
constexpr absl::Duration kFarewell = absl::Seconds(1);
// Up to twice as long as the base, or hardly at all, so that those who met do not meet again.
constexpr net::BackoffOptions kRefusalBackoff = {
    .initial = absl::Milliseconds(1), .multiplier = 2, .max = absl::Milliseconds(32), .jitter = 1};
// What Try reads for itself where a transaction is refused, before what the attempt wants read.
constexpr int kOwnReads = 2;

// What a slot holds: which write it was, and which attempt of it.
std::string Mark(int64_t write, int attempt) { return absl::StrCat(write, ".", attempt); }

// The attempt that a mark names, or -1 if it is of another write.
int AttemptIn(absl::string_view mark, int64_t write) {
  const std::vector<std::string> parts = absl::StrSplit(mark, '.');
  int64_t marked = 0;
  int attempt = -1;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &marked) ||
      !absl::SimpleAtoi(parts[1], &attempt)) {
    return -1;
  }
  return marked == write ? attempt : -1;
}

}  // namespace

class EtcdSession::Borrowed {
 public:
  explicit Borrowed(EtcdSession& session) : session_(session) {
    net::MonitorLock lock(session_.monitor_.get());
    if (session_.free_slots_.empty()) {
      slot_ = std::make_unique<Slot>();
      slot_->name = absl::StrCat(session_.names_.Slots(session_.id_), session_.slots_made_++);
    } else {
      slot_ = std::move(session_.free_slots_.back());
      session_.free_slots_.pop_back();
    }
  }
  ~Borrowed() {
    net::MonitorLock lock(session_.monitor_.get());
    session_.free_slots_.push_back(std::move(slot_));
  }
  Slot& slot() { return *slot_; }

 private:
  EtcdSession& session_;
  std::unique_ptr<Slot> slot_;
};

EtcdSession::EtcdSession(net::Env& env, EtcdOptions options, KeyStyle style)
    : client_(env, std::move(options)),
      names_(client_.options().prefix, style),
      id_(absl::StrCat(absl::Hex(env.RandomBits(), absl::kZeroPad16),
                       absl::Hex(env.RandomBits(), absl::kZeroPad16))),
      monitor_(env.NewMonitor()) {}

absl::StatusOr<std::shared_ptr<EtcdSession>> EtcdSession::Open(
    net::Env& env, EtcdOptions options, KeyStyle style, const std::atomic<bool>* is_given_up) {
  const absl::Time now = env.Now();
  const absl::Time deadline = net::DeadlineAfter(env, options.timeout);
  auto session = std::shared_ptr<EtcdSession>(new EtcdSession(env, std::move(options), style));
  const EtcdCall call{
      .operation = "connect", .started = now, .deadline = deadline, .is_given_up = is_given_up};
  absl::StatusOr<std::unique_ptr<EtcdLease>> lease =
      EtcdLease::Join(&session->client_, session->names_, call);
  if (!lease.ok()) return lease.status();
  session->lease_ = *std::move(lease);
  return session;
}

EtcdSession::~EtcdSession() {
  if (lease_ == nullptr) return;
  const absl::Time now = env().Now();
  const EtcdCall call{.operation = "close", .started = now, .deadline = now + kFarewell};
  bool wrote = false;
  {
    net::MonitorLock lock(monitor_.get());
    wrote = slots_made_ > 0;
  }
  if (!wrote || !lease_->Check(call).ok()) return;
  DeleteRangeRequest request;
  request.set_key(names_.Slots(id_));
  request.set_range_end(EndOf(names_.Slots(id_)));
  DeleteRangeResponse response;
  const absl::Status left = client_.Ask(call, "/etcdserverpb.KV/DeleteRange", request, response);
  LOG_IF(WARNING, !left.ok()) << "left " << client_.peer() << " without tidying up: " << left;
}

std::string EtcdSession::NewName() {
  net::MonitorLock lock(monitor_.get());
  return absl::StrCat(id_, ".", names_made_++);
}

absl::StatusOr<TxnResponse> EtcdSession::Read(const EtcdCall& call, std::vector<RequestOp> reads) {
  if (absl::Status there = lease_->Check(call); !there.ok()) return there;
  TxnRequest request;
  *request.add_compare() = lease_->is_ours();
  for (RequestOp& read : reads) *request.add_success() = std::move(read);
  TxnResponse response;
  absl::Status asked = client_.Ask(call, kTxn, request, response);
  if (!asked.ok()) return asked;
  if (!response.succeeded()) return lease_->Lost(call, "it has ended");
  return response;
}

absl::StatusOr<bool> EtcdSession::Try(const EtcdCall& call, Slot& slot, int number, Attempt attempt,
                                      Refusal& refusal, Written& written) {
  TxnRequest request;
  *request.add_compare() = lease_->is_ours();
  *request.add_compare() = WasLastChangedAt(slot.name, slot.mod_revision);
  for (Compare& condition : attempt.conditions) *request.add_compare() = std::move(condition);
  for (RequestOp& change : attempt.changes) *request.add_success() = std::move(change);
  *request.add_success() = Put(slot.name, Mark(slot.writes, number), lease_->id());
  *request.add_failure() = ReadPresence(lease_->record());
  *request.add_failure() = ReadKey(slot.name);
  for (RequestOp& read : attempt.reads) *request.add_failure() = std::move(read);
  TxnResponse response;
  absl::Status asked = client_.Ask(call, kTxn, request, response);
  if (!asked.ok()) return asked;
  const int64_t revision = response.header().revision();
  if (response.succeeded()) {
    slot.mod_revision = revision;
    written = {.attempt = number, .revision = revision};
    return true;
  }
  const KeyValue* record = FoundIn(response.responses(0));
  if (record == nullptr || record->create_revision() != lease_->is_ours().create_revision()) {
    return lease_->Lost(call, "it has ended");
  }
  const KeyValue* mark = FoundIn(response.responses(1));
  slot.mod_revision = mark == nullptr ? 0 : mark->mod_revision();
  if (mark != nullptr) {
    if (const int made = AttemptIn(mark->value(), slot.writes); made >= 0) {
      written = {.attempt = made, .revision = mark->mod_revision()};
      return true;
    }
  }
  refusal.revision = revision;
  refusal.reads.clear();
  for (int i = kOwnReads; i < response.responses_size(); ++i) {
    refusal.reads.push_back(std::move(*response.mutable_responses(i)->mutable_response_range()));
  }
  return false;
}

absl::StatusOr<EtcdSession::Written> EtcdSession::Write(
    const EtcdCall& call,
    absl::FunctionRef<bool(int number, const Refusal* refusal, Attempt& attempt)> next) {
  if (absl::Status there = lease_->Check(call); !there.ok()) return there;
  EtcdCall changing = call;
  changing.changes = true;
  Borrowed borrowed(*this);
  Slot& slot = borrowed.slot();
  ++slot.writes;
  Refusal refusal;
  net::Backoff backoff(kRefusalBackoff);
  for (int number = 0;; ++number) {
    Attempt attempt;
    if (!next(number, number == 0 ? nullptr : &refusal, attempt)) {
      return Written{.attempt = -1, .revision = refusal.revision};
    }
    Written written;
    const absl::StatusOr<bool> made =
        Try(changing, slot, number, std::move(attempt), refusal, written);
    if (!made.ok()) return made.status();
    if (*made) return written;
    if (absl::Status time = PauseAfterRefusal(call, number + 1, backoff); !time.ok()) return time;
  }
}

absl::Status EtcdSession::PauseAfterRefusal(const EtcdCall& call, int refusals,
                                            net::Backoff& backoff) {
  if (env().Now() >= call.deadline) {
    return StoreStatus(ErrorCode::kReplyTimeout,
                       absl::StrCat("others changed the key again and again: ", refusals,
                                    " attempts came too late"),
                       {.operation = call.operation,
                        .keys = call.keys,
                        .peer = client_.peer(),
                        .attempts = refusals,
                        .elapsed = env().Now() - call.started});
  }
  // The first refusal costs no pause: most are of a key that one other has changed.
  if (refusals < 2) return absl::OkStatus();
  env().SleepUntil(std::min(call.deadline, env().Now() + backoff.Next(env().RandomBits())));
  return absl::OkStatus();
}

}  // namespace rollcall::etcd
