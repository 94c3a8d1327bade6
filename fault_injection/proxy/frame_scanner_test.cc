#include "fault_injection/proxy/frame_scanner.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/protocol/dialect.h"
#include "store/protocol/operation.h"
#include "store/protocol/wire_text.h"

namespace rollcall::fault {
namespace {

using protocol::Dialect;
using protocol::Operation;
using testing::ElementsAre;
using testing::IsEmpty;

// The frames that `scanner` finds in `bytes`, which come in two pieces.
std::vector<std::string> Frames(FrameScanner& scanner, absl::string_view bytes, size_t cut) {
  std::vector<std::string> frames;
  std::string frame;
  for (absl::string_view piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
    while (!piece.empty()) {
      const FramePart part = scanner.Next(piece);
      EXPECT_EQ(part.begins, frame.empty() && !scanner.is_lost());
      frame.append(std::string(piece.substr(0, part.size_bytes)));
      piece.remove_prefix(part.size_bytes);
      if (part.ends) frames.push_back(std::exchange(frame, {}));
    }
  }
  EXPECT_TRUE(frame.empty() || scanner.is_lost());
  return frames;
}

std::string ReplyBytes(absl::string_view line) {
  std::string bytes;
  EXPECT_TRUE(protocol::AppendReplyLine(line, bytes).ok()) << line;
  return bytes;
}

TEST(RequestScannerTest, FindsEachRequestOfEachDialectAtEveryCut) {
  for (const Dialect dialect : protocol::kDialects) {
    std::vector<std::string> requests;
    std::string wire = protocol::Greeting(dialect);
    if (!wire.empty()) requests.push_back(wire);
    for (const absl::string_view line : protocol::SampleRequests()) {
      const std::string bytes = protocol::RequestBytes(dialect, line);
      if (bytes.empty()) continue;
      requests.push_back(bytes);
      wire.append(bytes);
    }
    for (size_t cut = 0; cut <= wire.size(); ++cut) {
      ReplyScanner replies;
      RequestScanner scanner(dialect, &replies);
      EXPECT_EQ(Frames(scanner, wire, cut), requests) << "cut at byte " << cut;
      EXPECT_FALSE(scanner.is_lost());
    }
  }
}

TEST(RequestScannerTest, ALegacySetIsToldFromAGreeting) {
  const std::string set = protocol::RequestBytes(Dialect::kLegacy, R"(set "/k" "v")");
  ReplyScanner replies;
  RequestScanner scanner(Dialect::kLegacy, &replies);
  EXPECT_THAT(Frames(scanner, set + set, 3), ElementsAre(set, set));
}

TEST(RequestScannerTest, StrangersHaveNoFrames) {
  for (const absl::string_view opening : {"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01 and more"}) {
    ReplyScanner replies;
    RequestScanner scanner(Dialect::kLegacy, &replies);
    EXPECT_THAT(Frames(scanner, opening, 2), IsEmpty());
    EXPECT_TRUE(scanner.is_lost());
  }
}

TEST(RequestScannerTest, AnImpossibleLengthEndsTheFrames) {
  ReplyScanner replies;
  RequestScanner scanner(Dialect::kModern, &replies);
  const std::string greeting = protocol::Greeting(Dialect::kModern);
  const std::string wire = greeting + protocol::Unhex("03 FFFFFFFFFFFFFFFF") + "more";
  EXPECT_THAT(Frames(scanner, wire, wire.size()), ElementsAre(greeting));
  EXPECT_TRUE(scanner.is_lost());
}

struct Exchange {
  Operation operation;
  uint64_t keys;
  absl::string_view reply;
};

TEST(ReplyScannerTest, FindsEachReplyAtEveryCut) {
  const Exchange exchanges[] = {
      {Operation::kPing, 0, "nonce 7"},
      {Operation::kGet, 1, R"(bytes "v")"},
      {Operation::kGet, 1, R"(bytes "")"},
      {Operation::kAdd, 1, "number -2"},
      {Operation::kCheck, 2, "signal 1"},
      {Operation::kMultiGet, 2, R"(texts "1" "22")"},
      {Operation::kListKeys, 0, R"(list "/k" "init/")"},
      {Operation::kListKeys, 0, "list"},
      {Operation::kQueuePop, 1, R"(popped 2 "job")"},
      {Operation::kQueuePop, 1, "popped 0"},
      {Operation::kBarrier, 1, "signal 0"},
  };
  std::vector<std::string> replies;
  std::string wire;
  for (const Exchange& exchange : exchanges) {
    replies.push_back(ReplyBytes(exchange.reply));
    wire.append(replies.back());
  }
  for (size_t cut = 0; cut <= wire.size(); ++cut) {
    ReplyScanner scanner;
    for (const Exchange& exchange : exchanges) scanner.Expect(exchange.operation, exchange.keys);
    EXPECT_EQ(Frames(scanner, wire, cut), replies) << "cut at byte " << cut;
  }
}

TEST(ReplyScannerTest, WhatHasNoReplyIsNotExpected) {
  ReplyScanner scanner;
  scanner.Expect(Operation::kValidate, 0);
  scanner.Expect(Operation::kSet, 1);
  scanner.Expect(Operation::kMultiGet, 0);
  scanner.Expect(Operation::kAdd, 1);
  const std::string sum = ReplyBytes("number 1");
  EXPECT_THAT(Frames(scanner, sum, 1), ElementsAre(sum));
}

TEST(ReplyScannerTest, ACancelledWaitHasNoAnswerUnlessItCrossedTheCancel) {
  const std::string stop = ReplyBytes("signal 0");
  const std::string canceled = ReplyBytes("signal 1");
  const std::string sum = ReplyBytes("number 0");
  for (const bool crosses : {false, true}) {
    ReplyScanner scanner;
    scanner.Expect(Operation::kWait, 1);
    scanner.Expect(Operation::kCancelWait, 0);
    scanner.Expect(Operation::kAdd, 1);
    const std::string wire = absl::StrCat(crosses ? stop : "", canceled, sum);
    std::vector<std::string> expected = {canceled, sum};
    if (crosses) expected.insert(expected.begin(), stop);
    EXPECT_EQ(Frames(scanner, wire, 0), expected);
  }
}

TEST(ReplyScannerTest, AWatchedKeyIsToldOfWithoutEnd) {
  ReplyScanner scanner;
  scanner.Expect(Operation::kWatchKey, 1);
  const std::string registered = ReplyBytes("signal 3");
  const std::string event = ReplyBytes(R"(key_event 1 "/w" "" "v")");
  EXPECT_THAT(Frames(scanner, registered + event + event, 4),
              ElementsAre(registered, event, event));
}

TEST(ReplyScannerTest, WhatNobodyAskedForIsNoFrame) {
  ReplyScanner scanner;
  EXPECT_THAT(Frames(scanner, "SSH-2.0-OpenSSH", 3), IsEmpty());
  EXPECT_TRUE(scanner.is_lost());
}

}  // namespace
}  // namespace rollcall::fault
