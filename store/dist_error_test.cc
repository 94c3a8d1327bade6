#include "store/dist_error.h"

#include <cerrno>
#include <set>
#include <stdexcept>
#include <string>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/net_error.h"

namespace rollcall {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// What ThrowIfError raises, as its class and text.
std::string Raised(const absl::Status& status) {
  try {
    ThrowIfError(status);
  } catch (const DistQueueEmptyError& error) {
    return std::string("DistQueueEmptyError ") + error.what();
  } catch (const DistStoreError& error) {
    return std::string("DistStoreError ") + error.what();
  } catch (const DistNetworkError& error) {
    return std::string("DistNetworkError ") + error.what();
  } catch (const std::invalid_argument& error) {
    return std::string("invalid_argument ") + error.what();
  }
  return "nothing";
}

ErrorDetails FullDetails() {
  return {.operation = "wait",
          .keys = {"a", "b\n"},
          .peer = "node0:29500",
          .attempts = 3,
          .elapsed = absl::Milliseconds(1234) + absl::Nanoseconds(5678),
          .missing_ranks = {3, 5},
          .missing_keys = {"b\n"},
          .world_size = 8};
}

TEST(ErrorCodes, HaveDistinctNamesAndTexts) {
  std::set<std::string> names;
  for (const ErrorCodeInfo& info : AllErrorCodes()) {
    EXPECT_TRUE(names.insert(std::string(info.name)).second) << info.name;
    EXPECT_TRUE(absl::EndsWith(info.meaning, ".")) << info.name;
    EXPECT_TRUE(absl::EndsWith(info.cause, ".")) << info.name;
    EXPECT_TRUE(absl::EndsWith(info.remedy, ".")) << info.name;
    EXPECT_EQ(InfoOf(info.code).name, info.name);
  }
}

TEST(ErrorCodes, AreEachRaisedAsTheClassTheirRowNames) {
  for (const ErrorCodeInfo& info : AllErrorCodes()) {
    EXPECT_THAT(Raised(StoreStatus(info.code, "it went wrong", {})),
                StartsWith(std::string(info.error_class) + " it went wrong ["))
        << info.name;
  }
}

TEST(DistError, SaysEverythingItKnowsInOneLine) {
  const DistStoreError error(ErrorCode::kWaitTimeout, "wait timeout", FullDetails());
  EXPECT_STREQ(error.what(),
               "wait timeout [WAIT_TIMEOUT in wait of keys \"a\", \"b\\n\"; store node0:29500; "
               "3 attempts; after 1.234s; missing ranks 3, 5; missing keys \"b\\n\"; world size 8] "
               "Look at the rank that should have set the missing key, or wait longer.");
  EXPECT_EQ(error.summary(), "wait timeout");
}

TEST(DistError, LeavesOutWhatItDoesNotKnow) {
  EXPECT_STREQ(DistQueueEmptyError("queue is empty", {}).what(),
               "queue is empty [QUEUE_EMPTY] Pop with block=true to wait for the next value.");
}

TEST(DistError, NamesOnlyTheFirstOfAThousandMissingRanks) {
  ErrorDetails details;
  for (int rank = 0; rank < 1000; ++rank) details.missing_ranks.push_back(rank);
  const DistStoreError error(ErrorCode::kJoinTimeout, "late", details);
  EXPECT_THAT(error.what(), HasSubstr("30, 31 and 968 more"));
  EXPECT_EQ(error.details().missing_ranks.size(), 1000u);
}

TEST(StoreStatus, CarriesCodeAndDetailsAcrossTheLayers) {
  const absl::Status status = StoreStatus(ErrorCode::kBarrierTimeout, "late", FullDetails());
  EXPECT_TRUE(absl::IsDeadlineExceeded(status));
  EXPECT_EQ(CodeOf(status), ErrorCode::kBarrierTimeout);
  const ErrorDetails details = DetailsOf(status);
  EXPECT_EQ(details.operation, "wait");
  EXPECT_THAT(details.keys, ElementsAre("a", "b\n"));
  EXPECT_EQ(details.peer, "node0:29500");
  EXPECT_EQ(details.attempts, 3);
  EXPECT_EQ(details.elapsed, absl::Milliseconds(1234) + absl::Nanoseconds(5678));
  EXPECT_THAT(details.missing_ranks, ElementsAre(3, 5));
  EXPECT_THAT(details.missing_keys, ElementsAre("b\n"));
  EXPECT_EQ(details.world_size, 8);
}

TEST(StoreStatus, KeepsKeysOfAnyBytes) {
  const std::string odd("12:\0%,\xff", 7);
  const absl::Status status = StoreStatus(ErrorCode::kWaitTimeout, "x", {.keys = {odd, ""}});
  EXPECT_THAT(DetailsOf(status).keys, ElementsAre(odd, ""));
}

TEST(TheBorder, LetsSuccessPass) { EXPECT_EQ(Raised(absl::OkStatus()), "nothing"); }

TEST(TheBorder, TakesCodeAndPeerFromAnErrorOfTheNetwork) {
  const absl::Status status = net::NetError("connecting", {.kind = net::NetErrorKind::kRefused,
                                                           .errno_value = ECONNREFUSED,
                                                           .address = "node0:29500",
                                                           .attempts = 2});
  EXPECT_EQ(CodeOf(status), ErrorCode::kConnectRefused);
  EXPECT_THAT(Raised(status), AllOf(StartsWith("DistNetworkError connecting"),
                                    HasSubstr("[CONNECT_REFUSED; store node0:29500; 2 attempts]")));
}

TEST(TheBorder, HasACodeForEveryKindOfNetworkError) {
  for (int kind = 0; kind <= static_cast<int>(net::NetErrorKind::kBug); ++kind) {
    const absl::Status status = net::NetError("x", {.kind = static_cast<net::NetErrorKind>(kind)});
    EXPECT_THAT(Raised(status), StartsWith("DistNetworkError x")) << kind;
  }
}

TEST(TheBorder, MakesAnInvalidArgumentOfOneWithoutACode) {
  EXPECT_EQ(Raised(absl::InvalidArgumentError("rank is -5")), "invalid_argument rank is -5");
}

TEST(TheBorder, CallsWhatHasNoCodeAProtocolError) {
  EXPECT_THAT(Raised(absl::DataLossError("length of 2^60")),
              StartsWith("DistStoreError length of 2^60 [PROTOCOL]"));
}

}  // namespace
}  // namespace rollcall
