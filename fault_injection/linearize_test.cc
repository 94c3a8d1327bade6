// Histories known to be good and bad.
#include "fault_injection/linearize.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/history.h"
#include "fault_injection/random_history.h"
#include "fault_injection/store_model.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall::fault {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Verdict VerdictOf(absl::string_view text) {
  return CheckLinearizable(HistoryFromText(text).value()).verdict;
}

TEST(Linearize, NothingIsLinearizable) { EXPECT_EQ(VerdictOf(""), Verdict::kLinearizable); }

TEST(Linearize, AReadSeesTheLastWrite) {
  EXPECT_EQ(VerdictOf(R"(1 set "k" = "a" -> @ 0 1
                         1 set "k" = "b" -> @ 2 3
                         2 get "k" -> "b" @ 4 5)"),
            Verdict::kLinearizable);
  EXPECT_EQ(VerdictOf(R"(1 set "k" = "a" -> @ 0 1
                         1 set "k" = "b" -> @ 2 3
                         2 get "k" -> "a" @ 4 5)"),
            Verdict::kViolation);
}

TEST(Linearize, AReadDuringAWriteMaySeeEither) {
  for (const char* seen : {"a", "b"}) {
    EXPECT_EQ(VerdictOf(absl::StrCat("1 set \"k\" = \"a\" -> @ 0 1\n"
                                     "1 set \"k\" = \"b\" -> @ 2 9\n"
                                     "2 get \"k\" -> \"",
                                     seen, "\" @ 4 5")),
              Verdict::kLinearizable);
  }
}

TEST(Linearize, OnceSeenTheNewValueStays) {
  EXPECT_EQ(VerdictOf(R"(1 set "k" = "a" -> @ 0 1
                         1 set "k" = "b" -> @ 2 9
                         2 get "k" -> "b" @ 3 4
                         3 get "k" -> "a" @ 5 6)"),
            Verdict::kViolation);
}

TEST(Linearize, AnUnknownWriteMayHappenLateOrNever) {
  constexpr char kUnknown[] = R"(1 set "k" = "a" -> @ 0 1
                                 1 set "k" = "b" -> unknown @ 2 3
                                 2 get "k" -> "a" @ 4 5
                                )";
  EXPECT_EQ(VerdictOf(kUnknown), Verdict::kLinearizable);
  EXPECT_EQ(VerdictOf(absl::StrCat(kUnknown, "2 get \"k\" -> \"b\" @ 90 91\n")),
            Verdict::kLinearizable);
  EXPECT_EQ(VerdictOf(absl::StrCat(kUnknown,
                                   "2 get \"k\" -> \"b\" @ 90 91\n"
                                   "2 get \"k\" -> \"a\" @ 92 93\n")),
            Verdict::kViolation);
}

TEST(Linearize, AFailedWriteNeverHappened) {
  EXPECT_EQ(VerdictOf(R"(1 set "k" = "a" -> failed @ 0 1
                         2 get "k" -> "a" @ 2 3)"),
            Verdict::kViolation);
}

TEST(Linearize, AddsAreNeitherLostNorDoneTwice) {
  EXPECT_EQ(VerdictOf(R"(1 add "n" + 1 -> 1 @ 0 10
                         2 add "n" + 1 -> 2 @ 0 10)"),
            Verdict::kLinearizable);
  EXPECT_EQ(VerdictOf(R"(1 add "n" + 1 -> 1 @ 0 10
                         2 add "n" + 1 -> 1 @ 0 10)"),
            Verdict::kViolation);
  EXPECT_EQ(VerdictOf(R"(1 add "n" + 1 -> unknown @ 0 10
                         2 add "n" + 1 -> 3 @ 20 21)"),
            Verdict::kViolation)
      << "applied twice";
}

TEST(Linearize, AppendAndCompareSet) {
  EXPECT_EQ(VerdictOf(R"(1 append "k" = "a" -> @ 0 5
                         2 append "k" = "b" -> @ 0 5
                         3 get "k" -> "ba" @ 6 7
                         3 compare_set "k" = "ba" "c" -> "c" @ 8 9
                         4 compare_set "k" = "ba" "d" -> "c" @ 8 9
                         5 compare_set "new" = "x" "y" -> "x" @ 8 9)"),
            Verdict::kLinearizable);
  EXPECT_EQ(VerdictOf(R"(1 set "k" = "a" -> @ 0 1
                         2 compare_set "k" = "a" "b" -> "b" @ 2 9
                         3 compare_set "k" = "a" "c" -> "c" @ 2 9)"),
            Verdict::kViolation)
      << "two winners";
}

TEST(Linearize, WaitNeedsEachKeyAtSomeMoment) {
  EXPECT_EQ(VerdictOf(R"(1 wait "a" "b" -> @ 0 10
                         2 set "a" = "1" -> @ 1 2
                         2 delete "a" -> 1 @ 3 4
                         2 set "b" = "1" -> @ 5 6)"),
            Verdict::kLinearizable);
  EXPECT_EQ(VerdictOf(R"(1 wait "a" -> @ 0 10
                         2 set "a" = "1" -> @ 11 12)"),
            Verdict::kViolation)
      << "woken too early";
}

TEST(Linearize, AKeyThatIsDeletedWhileItIsFetchedReadsAsEmpty) {
  EXPECT_EQ(VerdictOf(R"(1 set "k" = "a" -> @ 0 1
                         2 get "k" -> "" @ 2 9
                         1 delete "k" -> 1 @ 3 4)"),
            Verdict::kLinearizable);
  EXPECT_EQ(VerdictOf(R"(1 set "k" = "a" -> @ 0 1
                         1 delete "k" -> 1 @ 3 4
                         2 get "k" -> "" @ 5 9)"),
            Verdict::kViolation)
      << "it was never there while it was fetched";
  EXPECT_EQ(VerdictOf(R"(1 set "k" = "a" -> @ 0 1
                         2 get "k" -> "" @ 2 9)"),
            Verdict::kViolation)
      << "it was never deleted";
}

TEST(Linearize, OperationsOnManyKeysAreAtomic) {
  EXPECT_EQ(VerdictOf(R"(1 multi_set "a" "b" = "1" "1" -> @ 0 5
                         2 multi_get "a" "b" -> "1" "1" @ 6 7
                         3 multi_set "b" "a" = "2" "2" -> @ 8 20
                         2 multi_get "a" "b" -> "2" "1" @ 9 10)"),
            Verdict::kViolation)
      << "half of it was seen";
  EXPECT_EQ(VerdictOf(R"(1 multi_set "a" "b" = "1" "1" -> @ 0 5
                         2 check "a" "b" -> 0 @ 0 1
                         2 check "a" "b" -> 1 @ 6 7)"),
            Verdict::kLinearizable);
}

TEST(Linearize, QueuesAreFirstInFirstOut) {
  EXPECT_EQ(VerdictOf(R"(1 queue_push "q" = "a" -> @ 0 1
                         1 queue_push "q" = "b" -> @ 2 3
                         2 queue_len "q" -> 2 @ 4 5
                         2 queue_pop "q" -> "a" @ 6 9
                         3 queue_pop "q" -> "b" @ 6 9
                         3 queue_empty "q" -> @ 10 11)"),
            Verdict::kLinearizable);
  EXPECT_EQ(VerdictOf(R"(1 queue_push "q" = "a" -> @ 0 1
                         1 queue_push "q" = "b" -> @ 2 3
                         2 queue_pop "q" -> "b" @ 4 5)"),
            Verdict::kViolation);
  EXPECT_EQ(VerdictOf(R"(1 queue_push "q" = "a" -> @ 0 1
                         2 queue_pop "q" -> "a" @ 2 5
                         3 queue_pop "q" -> "a" @ 2 5)"),
            Verdict::kViolation)
      << "popped twice";
}

TEST(Linearize, AViolationIsExplained) {
  const History history = HistoryFromText(R"(1 set "k" = "a" -> @ 0 1
                                             2 get "k" -> "b" @ 4 5
                                             3 set "other" = "x" -> @ 0 9)")
                              .value();
  const LinearizeResult result = CheckLinearizable(history);
  ASSERT_EQ(result.verdict, Verdict::kViolation);
  EXPECT_THAT(result.longest_prefix, ElementsAre(0));
  EXPECT_EQ(result.stuck_at, 1u);
  EXPECT_THAT(result.explanation, HasSubstr("cannot come next:\n  2 get \"k\" -> \"b\""));
  EXPECT_THAT(result.explanation, HasSubstr("key \"k\" holds \"a\""));
}

TEST(Linearize, ABudgetThatIsSpentIsNoPass) {
  History history;
  for (int client = 0; client < 20; ++client) {
    history.push_back({.client = client,
                       .kind = HistoryKind::kAppend,
                       .keys = {"k"},
                       .values = {absl::StrCat(client)},
                       .invoked = absl::FromUnixNanos(0),
                       .returned = absl::FromUnixNanos(100)});
  }
  history.push_back({.client = 20,
                     .kind = HistoryKind::kGet,
                     .keys = {"k"},
                     .results = {"impossible"},
                     .invoked = absl::FromUnixNanos(101),
                     .returned = absl::FromUnixNanos(102)});
  EXPECT_EQ(CheckLinearizable(history, {.steps_max = 10'000}).verdict, Verdict::kBudgetSpent);
}

TEST(Linearize, RandomHistoriesThatAreGood) {
  for (uint32_t seed = 0; seed < 50; ++seed) {
    const History history = RandomHistory(seed, 2500, 50, 8);
    const LinearizeResult result = CheckLinearizable(history);
    EXPECT_EQ(result.verdict, Verdict::kLinearizable)
        << "seed " << seed << ", " << history.size() << " operations, " << result.explanation;
  }
}

TEST(Linearize, RandomHistoriesWithOneWrongAnswer) {
  for (uint32_t seed = 0; seed < 50; ++seed) {
    History history = RandomHistory(seed, 2500, 50, 8);
    // The answer of an add is told to nobody else: a number too high cannot be right.
    const auto last_add = std::find_if(history.rbegin(), history.rend(), [](const Operation& o) {
      return o.kind == HistoryKind::kAdd;
    });
    last_add->result_number += 100'000;
    EXPECT_EQ(CheckLinearizable(history).verdict, Verdict::kViolation) << "seed " << seed;
  }
}

// Every order there is, without any of the checker's short cuts.
class EveryOrder {
 public:
  explicit EveryOrder(const History& history) : history_(history) {
    absl::flat_hash_map<absl::string_view, uint32_t> key_index;
    for (const Operation& operation : history) {
      for (const std::string& key : operation.keys) {
        key_index.try_emplace(key, static_cast<uint32_t>(key_index.size()));
      }
    }
    for (const Operation& operation : history) {
      steps_.push_back(model_.Prepare(operation, key_index));
    }
    used_.resize(history.size());
    state_.assign(2 * key_index.size(), 0);
  }

  bool Explains(const ModelState& state) {
    const auto waits = [this](size_t i) {
      return !used_[i] && history_[i].outcome == Outcome::kOk;
    };
    bool all_done = true;
    for (size_t i = 0; i < steps_.size(); ++i) all_done = all_done && !waits(i);
    if (all_done) return true;
    for (size_t i = 0; i < steps_.size(); ++i) {
      if (used_[i]) continue;
      bool too_early = false;
      for (size_t j = 0; j < steps_.size(); ++j) {
        too_early = too_early || (waits(j) && history_[j].returned < history_[i].invoked);
      }
      ModelState next = state;
      if (too_early || !model_.Apply(steps_[i], next)) continue;
      used_[i] = true;
      const bool explained = Explains(next);
      used_[i] = false;
      if (explained) return true;
    }
    return false;
  }
  bool Explains() { return Explains(state_); }

 private:
  const History& history_;
  StoreModel model_;
  std::vector<StoreModel::Step> steps_;
  std::vector<bool> used_;
  ModelState state_;
};

// Few keys and texts, many unknown outcomes: what orders there are overlaps a lot.
Operation RandomOperation(std::mt19937& random) {
  const auto below = [&random](int n) { return static_cast<int>(random() % uint32_t(n)); };
  const auto key = [&] { return absl::StrCat("k", below(2)); };
  const auto text = [&] { return absl::StrCat(below(3)); };
  Operation operation;
  operation.invoked = absl::FromUnixNanos(below(20));
  operation.returned = operation.invoked + absl::Nanoseconds(1 + below(10));
  operation.keys = {key()};
  switch (below(7)) {
    case 0:
      operation.kind = HistoryKind::kSet;
      operation.values = {text()};
      break;
    case 1:
      operation.kind = HistoryKind::kMultiSet;
      operation.keys = {"k0", "k1"};
      operation.values = {text(), text()};
      break;
    case 2:
      operation.kind = HistoryKind::kAppend;
      operation.values = {text()};
      break;
    case 3:
      operation.kind = HistoryKind::kDeleteKey;
      operation.result_number = below(2);
      break;
    case 4:
      operation.kind = HistoryKind::kCompareSet;
      operation.values = {text(), text()};
      operation.results = {text()};
      break;
    case 5:
      operation.kind = HistoryKind::kCheck;
      operation.result_number = below(2);
      break;
    default:
      operation.kind = HistoryKind::kGet;
      operation.results = {text()};
  }
  const bool changes = operation.kind != HistoryKind::kGet && operation.kind != HistoryKind::kCheck;
  if (changes && below(2) == 0) operation.outcome = Outcome::kUnknown;
  return operation;
}

TEST(Linearize, SaysOfSmallHistoriesWhatTryingEveryOrderSays) {
  int good = 0;
  constexpr int kHistories = 3000;
  for (uint32_t seed = 0; seed < kHistories; ++seed) {
    std::mt19937 random(seed);
    History history;
    const int operations = 3 + static_cast<int>(random() % 5);
    for (int i = 0; i < operations; ++i) {
      history.push_back(RandomOperation(random));
      history.back().client = i;
    }
    const bool explained = EveryOrder(history).Explains();
    good += explained ? 1 : 0;
    EXPECT_EQ(CheckLinearizable(history).verdict,
              explained ? Verdict::kLinearizable : Verdict::kViolation)
        << "seed " << seed << "\n"
        << HistoryToText(history);
  }
  EXPECT_GT(good, kHistories / 10);
  EXPECT_LT(good, kHistories * 9 / 10);
}

TEST(HistoryText, IsReadAsItWasWritten) {
  const History history = RandomHistory(7, 100, 5, 3);
  const std::string text = HistoryToText(history);
  EXPECT_EQ(HistoryToText(HistoryFromText(text).value()), text);
}

TEST(HistoryText, NamesTheLineThatIsWrong) {
  for (const char* wrong :
       {"get", "1 gett \"k\" -> \"v\" @ 1 2", "1 get \"k -> \"v\" @ 1 2", "1 get -> \"v\" @ 1 2",
        "1 get \"k\" -> @ 1 2", "1 get \"k\" -> \"v\" @ 1", "1 get \"k\" -> \"v\" @ 1 2 3"}) {
    const auto history = HistoryFromText(absl::StrCat("# good\n", wrong));
    ASSERT_FALSE(history.ok()) << wrong;
    EXPECT_THAT(std::string(history.status().message()), HasSubstr("line 2"));
  }
}

}  // namespace
}  // namespace rollcall::fault
