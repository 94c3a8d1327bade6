// The containers of sessions: SessionTable and SessionQueue.

#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "store/server/session.h"
#include "store/server/session_queue.h"
#include "store/server/session_table.h"

namespace rollcall {
namespace {

Session& AddTo(SessionTable& table) {
  return table.Add(std::make_unique<Session>(nullptr, table.next_id(), nullptr));
}

TEST(SessionTableTest, FindsByNumberAndNeverGivesANumberTwice) {
  SessionTable table;
  Session& first = AddTo(table);
  Session& second = AddTo(table);
  const engine::ClientId gone = first.id();
  EXPECT_EQ(table.Find(first.id()), &first);
  EXPECT_EQ(table.Find(second.id()), &second);
  EXPECT_EQ(table.Remove(first)->id(), gone);
  EXPECT_EQ(table.Find(gone), nullptr);
  EXPECT_EQ(table.size(), 1u);
  // The slot is used again, the number is not.
  Session& third = AddTo(table);
  EXPECT_NE(third.id(), gone);
  EXPECT_EQ(table.Find(gone), nullptr);
  EXPECT_EQ(table.All(), (std::vector<Session*>{&third, &second}));
  EXPECT_EQ(table.Find(engine::ClientId{12345} << 24 | 999), nullptr);
}

TEST(SessionTableTest, StartsAnewWithNewNumbersWhenAllHaveLeft) {
  SessionTable table;
  std::vector<engine::ClientId> gone;
  for (int i = 0; i < 3; ++i) gone.push_back(AddTo(table).id());
  for (const engine::ClientId id : gone) table.Remove(*table.Find(id));
  EXPECT_EQ(table.size(), 0u);
  for (int i = 0; i < 3; ++i) AddTo(table);
  for (const engine::ClientId id : gone) EXPECT_EQ(table.Find(id), nullptr);
  EXPECT_EQ(table.size(), 3u);
}

TEST(SessionQueueTest, KeepsTheOrderWhoeverLeaves) {
  SessionTable table;
  std::vector<Session*> sessions;
  for (int i = 0; i < 5; ++i) sessions.push_back(&AddTo(table));
  SessionQueue queue;
  absl::Time now = absl::UnixEpoch();
  for (Session* session : sessions) queue.Push(*session, now += absl::Seconds(1));
  SessionQueue::Remove(*sessions[0]);
  SessionQueue::Remove(*sessions[2]);
  SessionQueue::Remove(*sessions[4]);
  SessionQueue::Remove(*sessions[4]);
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_FALSE(queue.Has(*sessions[2]));
  EXPECT_EQ(queue.front(), sessions[1]);
  EXPECT_EQ(queue.front_time(), absl::UnixEpoch() + absl::Seconds(2));
  queue.Push(*sessions[0], now);
  SessionQueue::Remove(*sessions[1]);
  EXPECT_EQ(queue.front(), sessions[3]);
  SessionQueue::Remove(*sessions[3]);
  EXPECT_EQ(queue.front(), sessions[0]);
  SessionQueue::Remove(*sessions[0]);
  EXPECT_EQ(queue.front(), nullptr);
}

// With ten thousand idle clients, this is most of what a server holds.
TEST(SessionTest, AnIdleSessionIsSmall) { EXPECT_LE(sizeof(Session), 112u); }

}  // namespace
}  // namespace rollcall
