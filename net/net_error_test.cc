#include "net/net_error.h"

#include <errno.h>

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall::net {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(NetErrorTest, ErrnoMeansWhatTheSocketWasDoing) {
  struct Row {
    int errno_value;
    Phase phase;
    NetErrorKind kind;
    absl::StatusCode code;
  };
  using Kind = NetErrorKind;
  using Code = absl::StatusCode;
  const std::vector<Row> rows = {
      {ECONNREFUSED, Phase::kConnect, Kind::kRefused, Code::kUnavailable},
      {ETIMEDOUT, Phase::kConnect, Kind::kNoAnswer, Code::kDeadlineExceeded},
      {ENETUNREACH, Phase::kConnect, Kind::kUnreachable, Code::kUnavailable},
      {EHOSTUNREACH, Phase::kConnect, Kind::kUnreachable, Code::kUnavailable},
      {EAFNOSUPPORT, Phase::kConnect, Kind::kUnreachable, Code::kUnavailable},
      {EADDRNOTAVAIL, Phase::kConnect, Kind::kResourceExhausted, Code::kResourceExhausted},
      {EMFILE, Phase::kConnect, Kind::kResourceExhausted, Code::kResourceExhausted},
      {EACCES, Phase::kConnect, Kind::kPermission, Code::kPermissionDenied},
      {EPERM, Phase::kConnect, Kind::kPermission, Code::kPermissionDenied},
      {EADDRINUSE, Phase::kBind, Kind::kAddressInUse, Code::kFailedPrecondition},
      {EADDRNOTAVAIL, Phase::kBind, Kind::kAddressNotLocal, Code::kInvalidArgument},
      {EACCES, Phase::kBind, Kind::kPermission, Code::kPermissionDenied},
      {EPIPE, Phase::kTransfer, Kind::kClosedByPeer, Code::kUnavailable},
      {ECONNRESET, Phase::kTransfer, Kind::kReset, Code::kUnavailable},
      {ECONNABORTED, Phase::kOther, Kind::kReset, Code::kUnavailable},
      {ETIMEDOUT, Phase::kTransfer, Kind::kPeerVanished, Code::kUnavailable},
      {EHOSTUNREACH, Phase::kTransfer, Kind::kPeerVanished, Code::kUnavailable},
      {EAGAIN, Phase::kTransfer, Kind::kTimedOut, Code::kDeadlineExceeded},
      {ENOBUFS, Phase::kTransfer, Kind::kResourceExhausted, Code::kResourceExhausted},
      {ENFILE, Phase::kOther, Kind::kResourceExhausted, Code::kResourceExhausted},
      {EBADF, Phase::kTransfer, Kind::kBug, Code::kInternal},
      {ENOTSOCK, Phase::kOther, Kind::kBug, Code::kInternal},
      {ENOTCONN, Phase::kTransfer, Kind::kBug, Code::kInternal},
      {EFAULT, Phase::kOther, Kind::kBug, Code::kInternal},
      {4711, Phase::kOther, Kind::kUnknown, Code::kUnknown},
  };
  for (const Row& row : rows) {
    const absl::Status status = ErrnoError("what", row.errno_value, row.phase);
    EXPECT_EQ(KindOfErrno(row.errno_value, row.phase), row.kind) << ErrnoName(row.errno_value);
    EXPECT_EQ(status.code(), row.code) << ErrnoName(row.errno_value);
    EXPECT_EQ(GetNetErrorInfo(status)->kind, row.kind);
    EXPECT_EQ(GetNetErrorInfo(status)->errno_value, row.errno_value);
  }
}

TEST(NetErrorTest, EveryKindHasANameOfItsOwn) {
  std::vector<std::string> names;
  for (int kind = 0; kind <= static_cast<int>(NetErrorKind::kBug); ++kind) {
    const std::string name(NetErrorKindName(static_cast<NetErrorKind>(kind)));
    EXPECT_FALSE(name.empty());
    EXPECT_THAT(names, Not(::testing::Contains(name)));
    names.push_back(name);
  }
}

TEST(NetErrorTest, TheMessageSaysErrnoAddressAttemptsAndTime) {
  const absl::Status status = NetError("cannot connect", {.kind = NetErrorKind::kRefused,
                                                          .errno_value = ECONNREFUSED,
                                                          .address = "[::1]:29500",
                                                          .attempts = 3,
                                                          .elapsed = absl::Milliseconds(1250)});
  EXPECT_EQ(std::string(status.message()),
            "cannot connect: ECONNREFUSED (Connection refused) "
            "[[::1]:29500, 3 attempts, after 1.25s]");
}

TEST(NetErrorTest, TheMessageLeavesOutWhatIsUnknownOrSaidAlready) {
  EXPECT_EQ(std::string(NetError("nobody came", {.kind = NetErrorKind::kTimedOut}).message()),
            "nobody came");
  const absl::Status status =
      NetError("reading from 1.2.3.4:5", {.kind = NetErrorKind::kTimedOut, .address = "1.2.3.4:5"});
  EXPECT_EQ(std::string(status.message()), "reading from 1.2.3.4:5");
}

TEST(NetErrorTest, ThePayloadGivesBackWhatItWasGiven) {
  const NetErrorInfo info = {.kind = NetErrorKind::kNoAnswer,
                             .errno_value = ETIMEDOUT,
                             .address = "odd,host\n:1",
                             .attempts = 14,
                             .elapsed = absl::Seconds(3) + absl::Nanoseconds(7)};
  const std::optional<NetErrorInfo> got = GetNetErrorInfo(NetError("x", info));
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->kind, info.kind);
  EXPECT_EQ(got->errno_value, info.errno_value);
  EXPECT_EQ(got->address, info.address);
  EXPECT_EQ(got->attempts, info.attempts);
  EXPECT_EQ(got->elapsed, info.elapsed);
}

TEST(NetErrorTest, AStatusFromElsewhereHasNoInfo) {
  EXPECT_FALSE(GetNetErrorInfo(absl::OkStatus()).has_value());
  EXPECT_FALSE(GetNetErrorInfo(absl::UnavailableError("gone")).has_value());
}

TEST(NetErrorTest, APassedDeadlineKeepsTheReason) {
  const absl::Status status = DeadlinePassed(ErrnoError("connect", ECONNREFUSED, Phase::kConnect));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(GetNetErrorInfo(status)->kind, NetErrorKind::kRefused);
  EXPECT_THAT(std::string(status.message()), HasSubstr("ECONNREFUSED"));
}

TEST(NetErrorTest, AnErrnoWithoutANameIsANumber) {
  EXPECT_EQ(ErrnoName(EMFILE), "EMFILE");
  EXPECT_EQ(ErrnoName(4711), "errno 4711");
}

}  // namespace
}  // namespace rollcall::net
