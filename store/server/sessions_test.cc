// The containers of sessions: SessionTable and SessionQueue.

#include <cstdint>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "store/server/loop_number.h"
#include "store/server/session.h"
#include "store/server/session_queue.h"
#include "store/server/session_table.h"

namespace rollcall {
namespace {

// A table of loop 5, with a door that counts who comes.
class Sessions : public SessionTable {
 public:
  Sessions() : SessionTable(5) {}
  uint64_t arrivals = 0;
};

Session& AddTo(Sessions& table) {
  const engine::ClientId id = table.NextId(table.arrivals++);
  return table.Add(std::make_unique<Session>(nullptr, id, nullptr));
}

TEST(SessionTableTest, FindsByNumberAndNeverGivesANumberTwice) {
  Sessions table;
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

TEST(SessionTableTest, ANumberSaysWhoseItIs) {
  Sessions table;
  AddTo(table);
  const engine::ClientId second = AddTo(table).id();
  EXPECT_EQ(LoopOf(second), 5u);
  EXPECT_EQ(SlotOf(second), 1u);
  EXPECT_EQ(ArrivalOf(second), 1u);
  // The same connection on another loop would have another number.
  EXPECT_NE(SessionTable(4).NextId(0), SessionTable(5).NextId(0));
}

TEST(SessionTableTest, StartsAnewWithNewNumbersWhenAllHaveLeft) {
  Sessions table;
  std::vector<engine::ClientId> gone;
  for (int i = 0; i < 3; ++i) gone.push_back(AddTo(table).id());
  for (const engine::ClientId id : gone) table.Remove(*table.Find(id));
  EXPECT_EQ(table.size(), 0u);
  for (int i = 0; i < 3; ++i) AddTo(table);
  for (const engine::ClientId id : gone) EXPECT_EQ(table.Find(id), nullptr);
  EXPECT_EQ(table.size(), 3u);
}

TEST(SessionQueueTest, KeepsTheOrderWhoeverLeaves) {
  Sessions table;
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
TEST(SessionTest, AnIdleSessionIsSmall) { EXPECT_LE(sizeof(Session), 120u); }

}  // namespace
}  // namespace rollcall
