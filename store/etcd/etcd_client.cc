#include "store/etcd/etcd_client.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "glog/logging.h"
#include "store/etcd/etcd.pb.h"

namespace rollcall::etcd {
namespace {

// A token that is refused as soon as it was given is no accident any more.
constexpr int kTokensMax = 3;

}  // namespace

EtcdClient::EtcdClient(net::Env& env, EtcdOptions options)
    : env_(env),
      options_(std::move(options)),
      peer_(absl::StrCat("etcd ", absl::StrJoin(options_.endpoints, ","), options_.prefix)),
      monitor_(env.NewMonitor()) {
  for (const std::string& endpoint : options_.endpoints) {
    members_.push_back(std::make_unique<EtcdMember>(endpoint, options_));
  }
  // So that a thousand ranks do not all ask the first.
  net::MonitorLock lock(monitor_.get());
  preferred_ = env.RandomBits() % members_.size();
}

EtcdClient::~EtcdClient() = default;

size_t EtcdClient::preferred() {
  net::MonitorLock lock(monitor_.get());
  return preferred_;
}

void EtcdClient::Prefer(size_t member) {
  net::MonitorLock lock(monitor_.get());
  preferred_ = member;
}

RpcStatus EtcdClient::GetToken(size_t member, absl::Duration timeout, std::string& token) {
  if (options_.user.empty()) return absl::OkStatus();
  {
    net::MonitorLock lock(monitor_.get());
    token = token_;
  }
  if (!token.empty()) return absl::OkStatus();
  AuthenticateRequest request;
  request.set_name(options_.user);
  request.set_password(options_.password);
  AuthenticateResponse response;
  RpcStatus authenticated =
      members_[member]->Call("/etcdserverpb.Auth/Authenticate", "", request, response, timeout);
  if (!authenticated.ok()) return authenticated;
  token = response.token();
  net::MonitorLock lock(monitor_.get());
  token_ = token;
  return absl::OkStatus();
}

void EtcdClient::ForgetToken() {
  net::MonitorLock lock(monitor_.get());
  token_.clear();
}

absl::Status EtcdClient::GoOn(const EtcdCall& call, size_t member, const RpcStatus& status,
                              absl::Duration waited, Attempts& attempts) {
  const FailureKind kind = KindOf(status);
  const std::string& endpoint = members_[member]->endpoint();
  if (kind == FailureKind::kTokenExpired && !options_.user.empty() &&
      attempts.NoteToken() < kTokensMax) {
    ForgetToken();
    return absl::OkStatus();
  }
  if (!IsWorthAnother(kind)) {
    return attempts.Final(call, peer_, env_.Now(), endpoint, kind, status);
  }
  attempts.Note(endpoint, kind, status, waited);
  if (call.is_given_up != nullptr && *call.is_given_up) {
    return attempts.TimeUp(call, peer_, env_.Now());
  }
  VLOG(1) << call.operation << " by way of " << endpoint << ": " << status;
  Prefer((member + 1) % members_.size());
  if (attempts.count() % static_cast<int>(members_.size()) == 0) {
    const absl::Duration pause = attempts.NextPause(env_.RandomBits());
    env_.SleepUntil(std::min(call.deadline, env_.Now() + pause));
  }
  if (env_.Now() >= call.deadline) return attempts.TimeUp(call, peer_, env_.Now());
  return absl::OkStatus();
}

absl::Status EtcdClient::Ask(const EtcdCall& call, const char* method,
                             const google::protobuf::MessageLite& request,
                             google::protobuf::MessageLite& response) {
  Attempts attempts;
  for (;;) {
    const size_t member = preferred();
    const absl::Time asked = env_.Now();
    // Longer after each round in vain: perhaps they are slow.
    const int rounds = attempts.count() / static_cast<int>(members_.size());
    const absl::Duration patience = kAttemptTimeout * (int64_t{1} << std::min(rounds, 30));
    const absl::Duration timeout = std::min(call.deadline - asked, patience);
    std::string token;
    RpcStatus status = GetToken(member, timeout, token);
    if (status.ok()) {
      status = members_[member]->Call(method, token, request, response, timeout);
      if (status.ok()) return absl::OkStatus();
    }
    absl::Status next = GoOn(call, member, status, env_.Now() - asked, attempts);
    if (!next.ok()) return next;
  }
}

absl::StatusOr<EtcdClient::Opened> EtcdClient::OpenStream(const EtcdCall& call, const char* method,
                                                          Attempts& attempts) {
  for (;;) {
    const size_t member = preferred();
    const absl::Time asked = env_.Now();
    std::string token;
    const absl::Duration timeout = std::min(call.deadline - asked, kAttemptTimeout);
    const RpcStatus status = GetToken(member, timeout, token);
    if (status.ok()) {
      return Opened{.member = member,
                    .stream = members_[member]->OpenStream(method, token, timeout)};
    }
    absl::Status next = GoOn(call, member, status, env_.Now() - asked, attempts);
    if (!next.ok()) return next;
  }
}

}  // namespace rollcall::etcd
