#include "tools/rendezvous_report.h"

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/rendezvous_rank.h"

namespace rollcall::tools {
namespace {

using testing::HasSubstr;

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

RankCard Card(int pid) { return {"node7", pid, kStart + absl::Microseconds(12'340), "hello, all"}; }

TEST(Progress, NamesTheMissingRanks) {
  Cards cards(8, Card(1));
  cards[3] = std::nullopt;
  cards[5] = std::nullopt;
  EXPECT_EQ(ProgressText(cards), "6/8 joined, missing ranks 3, 5");
  cards[5] = Card(1);
  EXPECT_EQ(ProgressText(cards), "7/8 joined, missing rank 3");
  cards[3] = Card(1);
  EXPECT_EQ(ProgressText(cards), "8/8 joined");
}

TEST(Progress, StaysShortWhenManyAreMissing) {
  EXPECT_THAT(ProgressText(Cards(1000)), HasSubstr("14, 15 and 984 more"));
}

TEST(Table, HasALineForEachRank) {
  Cards cards = {Card(4711), std::nullopt};
  EXPECT_EQ(TableText(cards, kStart),
            "rank  host        pid  joined after  payload\n"
            "   0  node7      4711       12.3 ms  hello, all\n"
            "   1  -             -       missing  -\n");
}

TEST(RankCard, SurvivesTheStore) {
  const std::optional<RankCard> card = RankCard::FromText(Card(4711).ToText());
  ASSERT_TRUE(card.has_value());
  EXPECT_EQ(card->host, "node7");
  EXPECT_EQ(card->pid, 4711);
  EXPECT_EQ(card->joined, kStart + absl::Microseconds(12'340));
  EXPECT_EQ(card->payload, "hello, all");
}

TEST(RankCard, IsNotReadFromSomethingElse) {
  EXPECT_EQ(RankCard::FromText("who knows"), std::nullopt);
  EXPECT_EQ(RankCard::FromText(""), std::nullopt);
}

}  // namespace
}  // namespace rollcall::tools
