// Every order in which a few clients' scripts can reach the server.
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "store/engine/engine_scenario.h"

namespace rollcall::engine {
namespace {

// One client's move; its name tells an order apart from another in what a test prints.
struct Move {
  std::string name;
  std::function<void(EngineScenario&)> act;
};
using Script = std::vector<Move>;
using Order = std::vector<std::string>;

// Runs `check` after each order that keeps every script's own order. How many there were.
int ForEachOrder(const std::vector<Script>& scripts,
                 const std::function<void(EngineScenario&, const Order&)>& check) {
  int orders = 0;
  std::vector<const Move*> chosen;
  std::vector<size_t> next(scripts.size(), 0);
  const std::function<void()> choose = [&] {
    bool finished = true;
    for (size_t i = 0; i < scripts.size(); ++i) {
      if (next[i] == scripts[i].size()) continue;
      finished = false;
      chosen.push_back(&scripts[i][next[i]++]);
      choose();
      chosen.pop_back();
      --next[i];
    }
    if (!finished) return;
    ++orders;
    EngineScenario scenario;
    Order order;
    for (const Move* move : chosen) {
      move->act(scenario);
      order.push_back(move->name);
    }
    check(scenario, order);
  };
  choose();
  return orders;
}

// Where `name` is in `order`; its end if it is not in it.
size_t At(const Order& order, const std::string& name) {
  size_t place = 0;
  while (place < order.size() && order[place] != name) ++place;
  return place;
}

std::vector<Move> WaysToCreateAKey(const std::string& key) {
  return {
      {"create", [=](EngineScenario& s) { s.Set(2, key, "1"); }},
      {"create", [=](EngineScenario& s) { s.CompareSet(2, key, "", "1"); }},
      {"create", [=](EngineScenario& s) { s.Add(2, key, 1); }},
      {"create", [=](EngineScenario& s) { s.Append(2, key, "1"); }},
      {"create",
       [=](EngineScenario& s) {
         s.MultiSet(2, {"/other", key}, {"1", "1"});
       }},
      {"create", [=](EngineScenario& s) { s.Barrier(2, key, 9); }},
  };
}

std::vector<Move> WaysToCreate(const std::string& name) {
  std::vector<Move> ways = WaysToCreateAKey(name);
  ways.push_back({"create", [=](EngineScenario& s) { s.Push(2, name, "1"); }});
  return ways;
}

Move WaitFor(const std::string& key) {
  return {"wait", [=](EngineScenario& s) { s.Wait(1, {key}); }};
}
const Move kCancel = {"cancel", [](EngineScenario& s) { s.CancelWait(1); }};
const Move kAskOn = {"ask on", [](EngineScenario& s) { s.QueueLength(1, "/nothing"); }};

// Takes away what any of WaysToCreate may have made.
const Move kRemove = {"remove", [](EngineScenario& s) {
                        s.Delete(3, "/k");
                        s.Pop(3, "/k");
                      }};

// Was there a moment from `begin` on, and before `end`, at which the key was there?
bool ExistedBetween(const Order& order, const std::string& begin, const std::string& end) {
  bool exists = false;
  bool existed = false;
  for (size_t i = 0; i < order.size() && i < At(order, end); ++i) {
    if (order[i] == "create") exists = true;
    if (order[i] == "remove") exists = false;
    if (exists && i >= At(order, begin)) existed = true;
  }
  return existed;
}

TEST(Races, WaitCancelCreateAndRemoveInEveryOrder) {
  for (const Move& create : WaysToCreate("/k")) {
    const int orders = ForEachOrder({{WaitFor("/k"), kCancel, kAskOn}, {create}, {kRemove}},
                                    [](EngineScenario& s, const Order& order) {
                                      const bool fired = ExistedBetween(order, "wait", "cancel");
                                      EXPECT_EQ(s.Heard(1), fired ? "00 01 #0" : "01 #0")
                                          << testing::PrintToString(order);
                                    });
    EXPECT_EQ(orders, 20);
  }
}

TEST(Races, AWaitThatIsNotCancelledIsNeverLost) {
  for (const Move& create : WaysToCreate("/k")) {
    ForEachOrder({{WaitFor("/k")}, {create, kRemove, create}},
                 [](EngineScenario& s, const Order& order) {
                   EXPECT_EQ(s.Heard(1), "00") << testing::PrintToString(order);
                 });
  }
}

TEST(Races, TwoWaitersOfWhomOneHangsUpInEveryOrder) {
  const Move also = {"also", [](EngineScenario& s) { s.Wait(4, {"/k", "/k2"}); }};
  const Move hang_up = {"hang up", [](EngineScenario& s) { s.Disconnect(1); }};
  const Move second = {"second", [](EngineScenario& s) { s.Set(3, "/k2", "v"); }};
  for (const Move& create : WaysToCreateAKey("/k")) {
    const int orders =
        ForEachOrder({{{"wait",
                        [](EngineScenario& s) {
                          s.Wait(1, {"/k", "/k"});
                        }},
                       hang_up},
                      {also},
                      {create},
                      {second}},
                     [](EngineScenario& s, const Order& order) {
                       EXPECT_EQ(s.Heard(1), ExistedBetween(order, "wait", "hang up") ? "00" : "")
                           << testing::PrintToString(order);
                       EXPECT_EQ(s.Heard(4), "00") << testing::PrintToString(order);
                     });
    EXPECT_EQ(orders, 60);
  }
}

TEST(Races, KeysOfOneWaitAreSeenInEveryOrder) {
  const auto touch = [](const std::string& key) {
    return Script{{"create " + key, [=](EngineScenario& s) { s.Set(2, key, "v"); }},
                  {"remove " + key, [=](EngineScenario& s) { s.Delete(2, key); }}};
  };
  const Move wait = {"wait", [](EngineScenario& s) { s.Wait(1, {"/a", "/b", "/a", "/c"}); }};
  const int orders = ForEachOrder(
      {{wait}, touch("/a"), touch("/b"), touch("/c")}, [](EngineScenario& s, const Order& order) {
        // Whatever was removed before the wait began never comes again.
        bool all = true;
        for (const std::string key : {"/a", "/b", "/c"}) {
          all = all && At(order, "remove " + key) > At(order, "wait");
        }
        EXPECT_EQ(s.Heard(1), all ? "00" : "") << testing::PrintToString(order);
        EXPECT_EQ(s.engine().waiting_clients(), all ? 0u : 1u);
      });
  EXPECT_EQ(orders, 630);
}

TEST(Races, BarrierMembersCancelAndHangUpInEveryOrder) {
  const auto arrive = [](ClientId who) {
    return Move{"arrive", [=](EngineScenario& s) { s.Barrier(who, "/b", 4); }};
  };
  const Move cancel = {"cancel", [](EngineScenario& s) { s.CancelWait(1); }};
  const Move leave = {"leave", [](EngineScenario& s) { s.Disconnect(2); }};
  const int orders =
      ForEachOrder({{arrive(1), cancel}, {arrive(2), leave}, {arrive(3)}, {arrive(4)}},
                   [](EngineScenario& s, const Order& order) {
                     size_t full = 0;  // When the fourth arrived.
                     for (size_t i = 0; i < order.size(); ++i) {
                       if (order[i] == "arrive") full = i;
                     }
                     EXPECT_EQ(s.Heard(1), full < At(order, "cancel") ? "00 01" : "01");
                     EXPECT_EQ(s.Heard(2), full < At(order, "leave") ? "00" : "");
                     EXPECT_EQ(s.Heard(3), "00");
                     EXPECT_EQ(s.Heard(4), "00");
                     EXPECT_EQ(s.engine().waiting_clients(), 0u);
                   });
  EXPECT_EQ(orders, 180);
}

TEST(Races, TwoConsumersAndTwoElementsInEveryOrder) {
  const auto consume = [](ClientId who) {
    return Script{{"wait", [=](EngineScenario& s) { s.Wait(who, {"/q"}); }}};
  };
  const Move push = {"push", [](EngineScenario& s) { s.Push(3, "/q", "e"); }};
  ForEachOrder({consume(1), consume(2), {push, push}}, [](EngineScenario& s, const Order& order) {
    EXPECT_EQ(s.Heard(1), "00") << testing::PrintToString(order);
    EXPECT_EQ(s.Heard(2), "00") << testing::PrintToString(order);
    EXPECT_EQ(s.engine().waiting_clients(), 0u);
  });
}

TEST(Races, ALegacyWaitAndTheNextRequestInEveryOrder) {
  const Move wait = {"wait", [](EngineScenario& s) {
                       s.ConnectLegacy(1);
                       s.Wait(1, {"/k"});
                     }};
  for (const Move& create : WaysToCreate("/k")) {
    ForEachOrder({{wait, kAskOn}, {create}}, [](EngineScenario& s, const Order& order) {
      const bool fired = ExistedBetween(order, "wait", "ask on");
      EXPECT_EQ(s.Heard(1), fired ? "00 #0" : "#0") << testing::PrintToString(order);
    });
  }
}

}  // namespace
}  // namespace rollcall::engine
