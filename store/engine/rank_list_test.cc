#include "store/engine/rank_list.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall::engine {
namespace {

class RankListTest : public testing::Test {
 protected:
  static absl::Time At(int second) { return absl::FromUnixSeconds(second); }

  void Joins(ClientId client, int rank, int second, absl::string_view value = "8") {
    ranks_.Note(client, absl::StrCat("rollcall/rank/", rank), value, At(second));
  }
  // "0:joined@5 3:gone@7".
  std::string InWords() const {
    std::string words;
    for (const RankPlace& place : ranks_.All()) {
      absl::StrAppend(&words, words.empty() ? "" : " ", place.rank,
                      place.gone.has_value() ? ":gone@" : ":joined@",
                      absl::ToUnixSeconds(place.gone.value_or(place.joined)));
    }
    return words;
  }

  RankList ranks_;
};

TEST_F(RankListTest, KnowsWhoJoinedAndWhoIsGone) {
  Joins(/*client=*/11, /*rank=*/3, /*second=*/1);
  Joins(/*client=*/12, /*rank=*/0, /*second=*/2);
  EXPECT_EQ(InWords(), "0:joined@2 3:joined@1");
  EXPECT_EQ(ranks_.RankOf(11), 3);
  EXPECT_EQ(ranks_.RankOf(13), std::nullopt);
  ranks_.ClientGone(11, At(5));
  ranks_.ClientGone(13, At(5));
  EXPECT_EQ(InWords(), "0:joined@2 3:gone@5");
  EXPECT_EQ(ranks_.RankOf(11), std::nullopt);
}

TEST_F(RankListTest, ARankIsThereAsLongAsOneOfItsConnectionsIs) {
  Joins(/*client=*/1, /*rank=*/0, /*second=*/1);
  Joins(/*client=*/2, /*rank=*/0, /*second=*/2);
  EXPECT_THAT(ranks_.All()[0].clients, testing::ElementsAre(1, 2));
  ranks_.ClientGone(2, At(3));
  EXPECT_EQ(InWords(), "0:joined@2");
  EXPECT_THAT(ranks_.All()[0].clients, testing::ElementsAre(1));
  ranks_.ClientGone(1, At(4));
  EXPECT_EQ(InWords(), "0:gone@4");
  EXPECT_THAT(ranks_.All()[0].clients, testing::ElementsAre(1)) << "so that it can be named";
  Joins(/*client=*/3, /*rank=*/0, /*second=*/9);
  EXPECT_EQ(InWords(), "0:joined@9");
}

TEST_F(RankListTest, ARankThatComesBackIsThereAndHasJoinedWhenItDid) {
  Joins(/*client=*/1, /*rank=*/0, /*second=*/1);
  ranks_.ClientGone(1, At(2));
  ranks_.NoteReturn(/*client=*/2, /*rank=*/0, At(3));
  EXPECT_EQ(InWords(), "0:joined@1");
  EXPECT_EQ(ranks_.RankOf(2), 0);
  ranks_.ClientGone(2, At(4));
  EXPECT_EQ(InWords(), "0:gone@4");
}

TEST_F(RankListTest, ARankMayComeBackBeforeItsOldConnectionIsSeenToEnd) {
  Joins(/*client=*/1, /*rank=*/0, /*second=*/1);
  ranks_.NoteReturn(/*client=*/2, /*rank=*/0, At(2));
  ranks_.ClientGone(1, At(3));
  EXPECT_EQ(InWords(), "0:joined@1");
}

TEST_F(RankListTest, WhoComesBackToAServerThatDoesNotKnowItHasJoinedThen) {
  ranks_.NoteReturn(/*client=*/1, /*rank=*/7, At(5));
  ranks_.NoteReturn(/*client=*/2, RankList::kRanksMax, At(5));
  ranks_.NoteReturn(/*client=*/3, -1, At(5));
  EXPECT_EQ(InWords(), "7:joined@5");
}

TEST_F(RankListTest, AClientIsOneRankAtATime) {
  Joins(/*client=*/1, /*rank=*/0, /*second=*/1);
  Joins(/*client=*/1, /*rank=*/5, /*second=*/2);
  EXPECT_EQ(InWords(), "0:gone@2 5:joined@2");
}

TEST_F(RankListTest, PassesOverWhatIsNoMark) {
  for (const char* key : {"rollcall/rank/", "rollcall/rank/x", "rollcall/rank/-1", "rollcall/other",
                          "rollcall/rank/65536", "rollcall/rank/99999999999", "/rollcall/rank/1"}) {
    ranks_.Note(1, key, "8", At(1));
  }
  EXPECT_EQ(InWords(), "");
}

TEST_F(RankListTest, TheWorldIsAsLargeAsTheyExpect) {
  EXPECT_EQ(ranks_.world_size(), 0);
  Joins(1, 0, 1, "4");
  EXPECT_EQ(ranks_.world_size(), 4);
  Joins(2, 1, 1, "many");
  EXPECT_EQ(ranks_.world_size(), 4);
  Joins(3, 4, 1, "4");
  EXPECT_EQ(ranks_.world_size(), 0) << "there is no room in it for rank 4";
}

}  // namespace
}  // namespace rollcall::engine
