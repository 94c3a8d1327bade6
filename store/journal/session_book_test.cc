#include "store/journal/session_book.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/protocol/request_number.h"

namespace rollcall {
namespace {

using protocol::RequestNumber;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Verdict = SessionBook::Verdict;

int64_t Numbered(int64_t number, int64_t unanswered = 0) {
  return RequestNumber{.number = number, .unanswered = unanswered}.Pack();
}

class SessionBookTest : public testing::Test {
 protected:
  // "apply", "answer 7", "rejoin" or "refuse: why".
  static std::string Shown(const Verdict& verdict) {
    switch (verdict.kind) {
      case Verdict::Kind::kApply:
        return "apply";
      case Verdict::Kind::kAnswer:
        return absl::StrCat("answer ", verdict.answer);
      case Verdict::Kind::kRejoin:
        return "rejoin";
      case Verdict::Kind::kRefuse:
        break;
    }
    return absl::StrCat("refuse: ", verdict.reason);
  }
  std::string Judge(engine::ClientId client, int64_t packed) {
    return Shown(book_.Judge(client, packed));
  }

  std::vector<JournalChange> Changes() {
    std::vector<JournalChange> changes;
    book_.TakeChanges([&](JournalChange change) { changes.push_back(std::move(change)); });
    return changes;
  }

  absl::Time now_ = absl::UnixEpoch();
  std::map<std::string, int64_t> bytes_;  // By name space.
  SessionBook book_{
      [this](absl::string_view space, int64_t bytes) { bytes_[std::string(space)] += bytes; }};
};

TEST_F(SessionBookTest, AnswersTheSameRequestAgainInsteadOfApplyingIt) {
  EXPECT_FALSE(book_.Use(1, "", "rank 0", now_));
  EXPECT_EQ(Judge(1, Numbered(1)), "apply");
  book_.Applied(1, Numbered(1), "7");
  // The connection breaks; another one goes on with the session.
  book_.Leave(1, now_);
  EXPECT_TRUE(book_.Use(2, "", "rank 0", now_));
  EXPECT_EQ(Judge(2, Numbered(1)), "answer 7");
  EXPECT_EQ(Judge(2, Numbered(2)), "apply");
}

TEST_F(SessionBookTest, KeepsAnswersOnlyUntilTheyHaveCome) {
  book_.Use(1, "", "s", now_);
  for (int number = 1; number <= 3; ++number) {
    EXPECT_EQ(Judge(1, Numbered(number, number - 1)), "apply");
    book_.Applied(1, Numbered(number, number - 1), absl::StrCat("answer to ", number));
  }
  EXPECT_EQ(Judge(1, Numbered(4, 1)), "apply");
  EXPECT_EQ(Judge(1, Numbered(3, 0)), "answer answer to 3");
  // What reaches the server so late, by a connection that the client has given up, is over.
  EXPECT_THAT(Judge(1, Numbered(2, 1)), HasSubstr("over for its client"));
}

TEST_F(SessionBookTest, NumbersMayComeOutOfTheirOrder) {
  book_.Use(1, "", "s", now_);
  EXPECT_EQ(Judge(1, Numbered(2, 1)), "apply");
  book_.Applied(1, Numbered(2, 1), "two");
  EXPECT_EQ(Judge(1, Numbered(1, 0)), "apply");
}

TEST_F(SessionBookTest, ABarrierIsRejoined) {
  book_.Use(1, "", "s", now_);
  EXPECT_EQ(Judge(1, Numbered(1)), "apply");
  book_.Waits(1, Numbered(1));
  EXPECT_EQ(Judge(1, Numbered(1)), "rejoin");
}

TEST_F(SessionBookTest, SessionsAndNameSpacesAreApart) {
  EXPECT_FALSE(book_.Use(1, "job", "s", now_));
  EXPECT_FALSE(book_.Use(2, "other job", "s", now_));
  EXPECT_FALSE(book_.Use(3, "job", "t", now_));
  EXPECT_EQ(Judge(1, Numbered(1)), "apply");
  book_.Applied(1, Numbered(1), "7");
  EXPECT_EQ(Judge(2, Numbered(1)), "apply");
  EXPECT_EQ(Judge(3, Numbered(1)), "apply");
}

TEST_F(SessionBookTest, NumbersThatAreNoneAreRefused) {
  EXPECT_THAT(Judge(1, Numbered(1)), HasSubstr("before any session"));
  book_.Use(1, "", "s", now_);
  for (const int64_t packed : {int64_t{0}, int64_t{-1}, Numbered(1, 1), Numbered(3, 5)}) {
    EXPECT_THAT(Judge(1, packed), HasSubstr("is none")) << packed;
  }
  EXPECT_EQ(Judge(1, Numbered(RequestNumber::kNumberMax, RequestNumber::kUnansweredMax)), "apply");
}

TEST_F(SessionBookTest, ManyBytesOfAnswersAreToBeReadFirst) {
  book_.Use(1, "", "s", now_);
  const std::string answer(SessionBook::kAnswerBytesMax / 8 - SessionBook::kAnswerOverheadBytes,
                           'x');
  int64_t number = 1;
  for (; number <= 9; ++number) {
    ASSERT_EQ(Judge(1, Numbered(number, number - 1)), "apply");
    book_.Applied(1, Numbered(number, number - 1), answer);
  }
  EXPECT_THAT(Judge(1, Numbered(number, number - 1)), HasSubstr("that have not come"));
  EXPECT_EQ(Judge(1, Numbered(number, 1)), "apply");
}

TEST_F(SessionBookTest, TheJournalGetsWhatChangedAndGivesItBack) {
  book_.Use(1, "job", "s", now_);
  book_.Judge(1, Numbered(5, 1));
  book_.Applied(1, Numbered(5, 1), "five");
  book_.Use(2, "", "t", now_);
  book_.Judge(2, Numbered(1));
  book_.Waits(2, Numbered(1));
  std::vector<JournalChange> changes = Changes();
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_FALSE(book_.has_changes());

  std::map<std::string, int64_t> other_bytes;
  SessionBook other(
      [&](absl::string_view space, int64_t bytes) { other_bytes[std::string(space)] += bytes; });
  for (const JournalChange& change : changes) {
    EXPECT_EQ(change.kind, JournalChange::Kind::kSetSession);
    ASSERT_TRUE(other.Restore(change, now_).ok());
  }
  EXPECT_EQ(other_bytes, bytes_);
  EXPECT_TRUE(other.Use(9, "job", "s", now_));
  EXPECT_EQ(Shown(other.Judge(9, Numbered(5, 1))), "answer five");
  EXPECT_THAT(Shown(other.Judge(9, Numbered(3, 0))), HasSubstr("over for its client"));
  EXPECT_TRUE(other.Use(9, "", "t", now_));
  EXPECT_EQ(Shown(other.Judge(9, Numbered(1))), "rejoin");
  // Every beginning of it is damage, and no crash.
  JournalChange cut = changes[0];
  for (size_t size = 0; size < cut.value.size(); ++size) {
    if (size == sizeof(uint64_t)) continue;  // A session without answers.
    JournalChange shorter = cut;
    shorter.value.resize(size);
    SessionBook none([](absl::string_view /*space*/, int64_t /*bytes*/) {});
    EXPECT_TRUE(absl::IsDataLoss(none.Restore(shorter, now_))) << size;
  }
}

TEST_F(SessionBookTest, WhatAnswersTakeIsToldAsTheyComeAndGo) {
  constexpr int64_t kOverhead = SessionBook::kAnswerOverheadBytes;
  book_.Use(1, "job", "s", now_);
  book_.Judge(1, Numbered(1));
  book_.Applied(1, Numbered(1), "seven b");
  book_.Judge(1, Numbered(2, 1));
  book_.Applied(1, Numbered(2, 1), "");
  EXPECT_EQ(bytes_["job"], 2 * kOverhead + 7);
  EXPECT_EQ(book_.AnswerBytesOf(1), 2 * size_t{kOverhead} + 7);
  // The first has come.
  book_.Judge(1, Numbered(3, 1));
  EXPECT_EQ(bytes_["job"], kOverhead);
  book_.Leave(1, now_);
  EXPECT_EQ(book_.AnswerBytesOf(1), 0u);
  book_.Use(2, "", "t", now_ + SessionBook::kKept);
  EXPECT_EQ(bytes_["job"], 0);
}

TEST_F(SessionBookTest, AnUnusedSessionIsForgottenAfterItsTime) {
  book_.Use(1, "", "used", now_);
  book_.Use(2, "", "left", now_);
  book_.Leave(2, now_);
  Changes();
  now_ += SessionBook::kKept - absl::Seconds(1);
  book_.Use(3, "", "third", now_);
  EXPECT_EQ(book_.size(), 3u);
  now_ += absl::Seconds(1);
  EXPECT_TRUE(book_.Use(4, "", "used", now_));
  EXPECT_EQ(book_.size(), 2u);
  std::vector<std::string> erased;
  for (const JournalChange& change : Changes()) {
    if (change.kind == JournalChange::Kind::kEraseSession) erased.push_back(change.name);
  }
  EXPECT_THAT(erased, ElementsAre("left"));
}

TEST_F(SessionBookTest, OnlySoManyUnusedSessionsAreKept) {
  for (size_t i = 0; i < SessionBook::kUnusedMax + 10; ++i) {
    book_.Use(1, "", absl::StrCat("session ", i), now_);
  }
  EXPECT_LE(book_.size(), SessionBook::kUnusedMax + 2);
  EXPECT_FALSE(book_.Use(1, "", "session 3", now_));
}

}  // namespace
}  // namespace rollcall
