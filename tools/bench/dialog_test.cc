#include "tools/bench/dialog.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "store/protocol/dialect.h"
#include "store/protocol/reply.h"
#include "store/protocol/reply_writer.h"
#include "tools/bench/echo_frame.h"

namespace rollcall::bench {
namespace {

// However an answer is cut, its size is either not known yet or the right one; and known once it is
// whole. What comes after it does not matter.
void ExpectSize(const Dialog& dialog, const Call& call, absl::string_view answer) {
  ASSERT_EQ(call.answers.size(), 1u);
  for (size_t cut = 0; cut < answer.size(); ++cut) {
    const std::optional<uint64_t> size = dialog.AnswerBytes(call.answers[0], answer.substr(0, cut));
    if (size) {
      EXPECT_EQ(*size, answer.size()) << "cut at byte " << cut;
    }
  }
  for (absl::string_view next : {"", "$1\r\nx\r\n", "END\r\n"}) {
    EXPECT_EQ(dialog.AnswerBytes(call.answers[0], absl::StrCat(answer, next)), answer.size());
  }
}

std::string Encoded(const protocol::Reply& reply) {
  std::string bytes;
  protocol::AppendReply(reply, bytes);
  return bytes;
}

TEST(StoreDialog, KnowsWhereEachAnswerEnds) {
  const std::unique_ptr<Dialog> dialog = MakeStoreDialog(protocol::Dialect::kModern);
  using protocol::ReplyKind;
  ExpectSize(*dialog, dialog->Hello(), Encoded({.kind = ReplyKind::kNonce, .number = 7}));
  ExpectSize(*dialog, dialog->Probe(), Encoded({.kind = ReplyKind::kNumber, .number = 7}));
  ExpectSize(*dialog, dialog->Add("k", 1), Encoded({.kind = ReplyKind::kNumber, .number = -1}));
  ExpectSize(*dialog, dialog->Await("k"), Encoded({.kind = ReplyKind::kSignal}));
  ExpectSize(*dialog, dialog->Get("k", 5),
             Encoded({.kind = ReplyKind::kBytes, .texts = {"value"}}));
  ExpectSize(*dialog, dialog->Get("k", 0), Encoded({.kind = ReplyKind::kBytes, .texts = {""}}));
  const std::vector<Call> take = *dialog->Take("q", 0, 4);
  ASSERT_EQ(take.size(), 2u);
  ExpectSize(*dialog, take[1],
             Encoded({.kind = ReplyKind::kPopped, .number = 2, .texts = {"item"}}));
  ExpectSize(*dialog, take[1], Encoded({.kind = ReplyKind::kPopped, .number = 0}));
}

TEST(StoreDialog, ASetHasNoAnswer) {
  EXPECT_TRUE(MakeStoreDialog(protocol::Dialect::kModern)->Set("k", "v").answers.empty());
}

TEST(StoreDialog, TorchOneHasNoGreetingAndNoQueue) {
  const std::unique_ptr<Dialog> dialog = MakeStoreDialog(protocol::Dialect::kLegacy);
  EXPECT_EQ(dialog->Hello().bytes, "");
  EXPECT_FALSE(dialog->Push("q", 0, "item").ok());
  EXPECT_FALSE(dialog->Take("q", 0, 4).ok());
}

TEST(StoreDialog, ReadsTheNumberOfAnAdd) {
  const std::unique_ptr<Dialog> dialog = MakeStoreDialog(protocol::Dialect::kModern);
  EXPECT_EQ(dialog->Number(Encoded({.kind = protocol::ReplyKind::kNumber, .number = -5})), -5);
  EXPECT_EQ(dialog->Number("short"), std::nullopt);
}

TEST(EchoDialog, AsksForAsManyBytesAsTheStoreWouldAnswer) {
  const std::unique_ptr<Dialog> echo = MakeEchoDialog();
  const std::unique_ptr<Dialog> store = MakeStoreDialog(protocol::Dialect::kModern);
  const std::vector<std::pair<Call, Call>> same = {
      {echo->Hello(), store->Hello()},
      {echo->Set("key", "value"), store->Set("key", "value")},
      {echo->Get("key", 5), store->Get("key", 5)},
      {echo->Add("key", 1), store->Add("key", 1)},
      {echo->Hold({"key"}, 3), store->Hold({"key"}, 3)}};
  for (const auto& [ours, theirs] : same) {
    ASSERT_EQ(ours.bytes.size(), theirs.bytes.size());
    const EchoFrame frame = EchoHeaderOf(ours.bytes);
    EXPECT_EQ(frame.request_bytes, ours.bytes.size());
    ASSERT_EQ(ours.answers.size(), theirs.answers.size());
    if (theirs.answers.empty()) {
      EXPECT_EQ(frame.answer_bytes, 0u);
      continue;
    }
    const std::string answer = Encoded({.kind = protocol::ReplyKind::kBytes, .texts = {"value"}});
    EXPECT_EQ(frame.answer_bytes, store->AnswerBytes(theirs.answers[0], answer));
    EXPECT_EQ(echo->AnswerBytes(ours.answers[0], ""), frame.answer_bytes);
  }
}

TEST(EchoFrame, ComesOutAsItWentIn) {
  char bytes[kEchoHeaderBytes];
  PutEchoHeader({.request_bytes = 77,
                 .answer_bytes = 8 << 20,
                 .kind = EchoKind::kPassOne,
                 .gate = kEchoGates - 1},
                bytes);
  const EchoFrame frame = EchoHeaderOf(absl::string_view(bytes, sizeof(bytes)));
  EXPECT_EQ(frame.request_bytes, 77u);
  EXPECT_EQ(frame.answer_bytes, 8u << 20);
  EXPECT_EQ(frame.kind, EchoKind::kPassOne);
  EXPECT_EQ(frame.gate, kEchoGates - 1);
}

TEST(RedisDialog, KnowsWhereEachAnswerEnds) {
  const std::unique_ptr<Dialog> dialog = MakeRedisDialog();
  ExpectSize(*dialog, dialog->Set("k", "v"), "+OK\r\n");
  ExpectSize(*dialog, dialog->Add("k", 1), ":12\r\n");
  ExpectSize(*dialog, dialog->Get("k", 5), "$5\r\nva\r\ne\r\n");
  ExpectSize(*dialog, dialog->Hold({"k"}, 0), "*2\r\n$1\r\nk\r\n$4\r\nitem\r\n");
}

TEST(RedisDialog, TakesErrorsAndMissingValuesForErrors) {
  const std::unique_ptr<Dialog> dialog = MakeRedisDialog();
  EXPECT_EQ(dialog->AnswerBytes(dialog->Set("k", "v").answers[0], "-ERR no\r\n"), 0u);
  EXPECT_EQ(dialog->AnswerBytes(dialog->Get("k", 5).answers[0], "$-1\r\n"), 0u);
  EXPECT_EQ(dialog->AnswerBytes(dialog->Hold({"k"}, 0).answers[0], "*-1\r\n:7\r\n"), 0u);
}

TEST(RedisDialog, SaysItsCommandsAsArrays) {
  EXPECT_EQ(MakeRedisDialog()->Wake("k", 0, 2).bytes,
            "*4\r\n$5\r\nRPUSH\r\n$1\r\nk\r\n$1\r\n1\r\n$1\r\n1\r\n");
}

TEST(RedisDialog, AsksAgainForAKeyThatIsNotThere) {
  const std::unique_ptr<Dialog> dialog = MakeRedisDialog();
  EXPECT_TRUE(dialog->NotYet(":0\r\n"));
  EXPECT_FALSE(dialog->NotYet(":1\r\n"));
  EXPECT_EQ(dialog->Number(":41\r\n"), 41);
}

TEST(MemcachedDialog, KnowsWhereEachAnswerEnds) {
  const std::unique_ptr<Dialog> dialog = MakeMemcachedDialog();
  ExpectSize(*dialog, dialog->Set("k", "v"), "STORED\r\n");
  ExpectSize(*dialog, dialog->Add("k", 1), "12\r\n");
  ExpectSize(*dialog, dialog->Get("k", 5), "VALUE k 0 5\r\nva\r\ne\r\nEND\r\n");
  ExpectSize(*dialog, dialog->Get("k", 5), "END\r\n");
}

TEST(MemcachedDialog, TakesErrorsForErrors) {
  const std::unique_ptr<Dialog> dialog = MakeMemcachedDialog();
  for (absl::string_view error : {"ERROR\r\n", "NOT_FOUND\r\n", "SERVER_ERROR out of memory\r\n"}) {
    EXPECT_EQ(dialog->AnswerBytes(dialog->Add("k", 1).answers[0], error), 0u) << error;
  }
}

TEST(MemcachedDialog, HoldsByAskingAgain) {
  const std::unique_ptr<Dialog> dialog = MakeMemcachedDialog();
  EXPECT_FALSE(dialog->HoldsOnServer());
  EXPECT_TRUE(dialog->NotYet("END\r\n"));
  EXPECT_FALSE(dialog->NotYet("VALUE k 0 1\r\n1\r\nEND\r\n"));
  EXPECT_EQ(dialog->Number("41\r\n"), 41);
}

}  // namespace
}  // namespace rollcall::bench
