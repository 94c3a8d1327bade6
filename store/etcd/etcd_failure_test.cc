#include "store/etcd/etcd_failure.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall::etcd {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const absl::Time kStarted = absl::FromUnixSeconds(1000);
const absl::Time kNow = kStarted + absl::Seconds(7);

EtcdCall Call(bool changes) {
  return {.operation = "set", .keys = {"k"}, .started = kStarted, .changes = changes};
}

RpcStatus Refused() {
  return absl::UnavailableError(
      "failed to connect to all addresses; last error: UNKNOWN: ipv4:10.0.0.1:2379: Failed to "
      "connect to remote host: Connection refused");
}
RpcStatus NoLeader() { return absl::UnavailableError("etcdserver: no leader"); }
RpcStatus NoAnswer() { return absl::DeadlineExceededError("Deadline Exceeded"); }

void Note(Attempts& attempts, const std::string& endpoint, const RpcStatus& status) {
  attempts.Note(endpoint, KindOf(status), status, absl::Seconds(3));
}

TEST(EtcdFailure, IsToldByCodeAndText) {
  const std::vector<std::pair<RpcStatus, FailureKind>> kinds = {
      {Refused(), FailureKind::kNotConnected},
      {NoLeader(), FailureKind::kNoLeader},
      {absl::UnavailableError("etcdserver: request timed out"), FailureKind::kNoLeader},
      {absl::UnavailableError("Socket closed"), FailureKind::kLost},
      {NoAnswer(), FailureKind::kNoAnswer},
      {absl::UnauthenticatedError("etcdserver: invalid auth token"), FailureKind::kTokenExpired},
      {absl::InvalidArgumentError("etcdserver: revision of auth store is old"),
       FailureKind::kTokenExpired},
      {absl::InvalidArgumentError("etcdserver: user name is empty"), FailureKind::kRefused},
      {absl::PermissionDeniedError("etcdserver: permission denied"), FailureKind::kRefused},
      {absl::NotFoundError("etcdserver: requested lease not found"), FailureKind::kLeaseNotFound},
      {absl::ResourceExhaustedError("etcdserver: mvcc: database space exceeded"),
       FailureKind::kNoSpace},
      {absl::ResourceExhaustedError("etcdserver: too many requests"), FailureKind::kLost},
      {absl::ResourceExhaustedError("grpc: received message larger than max"),
       FailureKind::kTooLarge},
      {absl::InvalidArgumentError("etcdserver: request is too large"), FailureKind::kTooLarge},
      {absl::UnimplementedError("unknown service"), FailureKind::kOther},
  };
  for (const auto& [status, kind] : kinds) EXPECT_EQ(KindOf(status), kind) << status;
}

TEST(EtcdFailure, TheErrorNamesEachMemberAndHowOftenItWasTried) {
  Attempts attempts;
  for (int i = 0; i < 2; ++i) Note(attempts, "a:2379", Refused());
  Note(attempts, "b:2379", NoAnswer());
  const absl::Status error = attempts.TimeUp(Call(/*changes=*/false), "etcd a,b/job", kNow);
  EXPECT_EQ(CodeOf(error), ErrorCode::kEtcdUnreachable);
  EXPECT_EQ(std::string(error.message()),
            "no member of etcd can be reached: a:2379: ipv4:10.0.0.1:2379: Failed to connect to "
            "remote host: Connection refused (2 times); b:2379: no answer within 3s");
  EXPECT_EQ(DetailsOf(error).attempts, 3);
  EXPECT_EQ(DetailsOf(error).elapsed, absl::Seconds(7));
  EXPECT_EQ(DetailsOf(error).peer, "etcd a,b/job");
}

TEST(EtcdFailure, AMemberWithoutALeaderCountsForMoreThanOnesThatAreGone) {
  Attempts attempts;
  Note(attempts, "a:2379", Refused());
  Note(attempts, "b:2379", NoLeader());
  Note(attempts, "c:2379", Refused());
  const absl::Status error = attempts.TimeUp(Call(/*changes=*/true), "etcd", kNow);
  EXPECT_EQ(CodeOf(error), ErrorCode::kEtcdNoLeader);
  EXPECT_THAT(std::string(error.message()), Not(HasSubstr("not known")));
}

TEST(EtcdFailure, OnlyAChangeThatMayHaveArrivedIsUncertain) {
  for (const bool changes : {false, true}) {
    Attempts attempts;
    Note(attempts, "a:2379", absl::UnavailableError("Socket closed"));
    const std::string message(attempts.TimeUp(Call(changes), "etcd", kNow).message());
    EXPECT_EQ(message.find("not known whether the change was made") != std::string::npos, changes);
  }
}

TEST(EtcdFailure, ATimeoutShorterThanOneAnswerIsNoFailureOfTheCluster) {
  Attempts attempts;
  Note(attempts, "a:2379", NoAnswer());
  EXPECT_EQ(CodeOf(attempts.TimeUp(Call(false), "etcd", kNow)), ErrorCode::kReplyTimeout);
  Note(attempts, "a:2379", NoAnswer());
  EXPECT_EQ(CodeOf(attempts.TimeUp(Call(false), "etcd", kNow)), ErrorCode::kEtcdUnreachable);
}

TEST(EtcdFailure, ARefusalSaysWhoSaidWhat) {
  const RpcStatus full = absl::ResourceExhaustedError("etcdserver: mvcc: database space exceeded");
  const absl::Status error =
      Attempts().Final(Call(true), "etcd", kNow, "a:2379", KindOf(full), full);
  EXPECT_EQ(CodeOf(error), ErrorCode::kEtcdNoSpace);
  EXPECT_THAT(std::string(error.message()),
              AllOf(HasSubstr("a:2379 says"), HasSubstr("space exceeded")));
}

}  // namespace
}  // namespace rollcall::etcd
