// Random requests of a few clients, answered by the engine and by a model so plain that it can be
// read against FORMAT.md: lists that are searched from end to end.
#include <algorithm>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "store/engine/engine_scenario.h"
#include "store/engine/key_space.h"
#include "store/engine/store_engine.h"
#include "store/engine/wait_list.h"
#include "store/engine/watch_list.h"
#include "store/protocol/dialect.h"
#include "store/protocol/operation.h"
#include "store/protocol/request.h"

namespace rollcall::engine {
namespace {

using protocol::Operation;
using protocol::Request;

class Model {
 public:
  // What each client hears of `request`, in the words of InWords.
  std::map<ClientId, std::string> Ask(ClientId who, bool legacy, const Request& request) {
    heard_.clear();
    if (legacy) Cancel(who);
    Apply(who, legacy, request);
    return heard_;
  }

  void Disconnect(ClientId who) {
    Cancel(who);
    watches_.remove_if([who](const auto& watch) { return watch.first == who; });
  }

  size_t key_count() const {
    return std::count_if(values_.begin(), values_.end(), [](const auto& entry) {
      return !absl::StartsWith(entry.first, "rollcall/");
    });
  }

  size_t value_bytes() const {
    size_t bytes = 0;
    for (const auto& [key, value] : values_) bytes += value.size();
    for (const auto& [name, queue] : queues_) {
      for (const std::string& element : queue) bytes += element.size();
    }
    return bytes;
  }

  size_t memory_bytes() const {
    size_t bytes = value_bytes();
    for (const auto& [key, value] : values_) bytes += kKeyOverheadBytes + key.size();
    for (const auto& [name, queue] : queues_) {
      if (queue.empty()) continue;
      bytes += kQueueOverheadBytes + name.size() + kElementOverheadBytes * queue.size();
    }
    std::set<std::string> names;
    std::set<std::string> barriers;
    for (const Wait& wait : waits_) {
      bytes += kWaitOverheadBytes + kAwaitingOverheadBytes * wait.names;
      names.insert(wait.unseen.begin(), wait.unseen.end());
      if (wait.unseen.empty()) barriers.insert(wait.barrier);
    }
    for (const std::string& name : names) bytes += kAwaitedNameOverheadBytes + name.size();
    for (const std::string& name : barriers) bytes += kAwaitedNameOverheadBytes + name.size();
    for (const auto& [client, key] : watches_) bytes += kWatchOverheadBytes + key.size();
    return bytes;
  }

  size_t waiting_clients() const {
    std::set<ClientId> clients;
    for (const Wait& wait : waits_) clients.insert(wait.client);
    return clients.size();
  }

 private:
  struct Wait {
    ClientId client;
    std::set<std::string> unseen;  // Empty for a barrier.
    std::string barrier;
    size_t names = 1;  // That it lacked when it began.
  };

  void Tell(ClientId who, const std::string& words) {
    std::string& heard = heard_[who];
    absl::StrAppend(&heard, heard.empty() ? "" : " ", words);
  }

  void Cancel(ClientId who) {
    waits_.remove_if([who](const Wait& wait) { return wait.client == who; });
  }

  bool Exists(const std::string& name) const {
    return values_.count(name) > 0 || (queues_.count(name) > 0 && !queues_.at(name).empty());
  }

  // Those who wait for `name` have seen it; at most `most` of them are released.
  void Seen(const std::string& name, size_t most) {
    for (auto wait = waits_.begin(); wait != waits_.end() && most > 0;) {
      if (wait->unseen.erase(name) == 0 || !wait->unseen.empty()) {
        ++wait;
        continue;
      }
      Tell(wait->client, "00");
      wait = waits_.erase(wait);
      --most;
    }
  }

  void Event(int event, const std::string& key, const std::string& old_value,
             const std::string& new_value) {
    if (absl::StartsWith(key, "rollcall/")) return;
    for (const auto& [client, watched] : watches_) {
      if (watched != key) continue;
      Tell(client,
           absl::StrCat("event ", event, " '", key, "' '", old_value, "' '", new_value, "'"));
    }
  }

  void Write(const std::string& key, const std::string& value, int event = 0) {
    const bool created = values_.count(key) == 0;
    const std::string old_value = std::exchange(values_[key], value);
    if (created) Seen(key, waits_.size());
    Event(created ? 1 : event, key, old_value, value);
  }

  // The number behind `key`; throws like std::stoll.
  int64_t Counter(const std::string& key) const {
    return values_.count(key) == 0 ? 0 : std::stoll(values_.at(key));
  }

  bool HasRoom(ClientId who) const {
    return std::count_if(waits_.begin(), waits_.end(), [who](const Wait& wait) {
             return wait.client == who;
           }) < static_cast<int64_t>(kPendingWaitsMax);
  }

  std::string ValueOrEmpty(const std::string& key) const {
    return values_.count(key) == 0 ? "" : values_.at(key);
  }

  void Apply(ClientId who, bool legacy, const Request& request) {
    const std::string key = request.keys.empty() ? "" : request.keys[0];
    switch (request.operation) {
      case Operation::kSet:
        return Write(key, request.values[0]);
      case Operation::kMultiSet:
        for (size_t i = 0; i < request.keys.size(); ++i) Write(request.keys[i], request.values[i]);
        return;
      case Operation::kCompareSet:
        if (ValueOrEmpty(key) == request.values[0]) Write(key, request.values[1]);
        return Tell(who,
                    absl::StrCat("'", values_.count(key) ? values_[key] : request.values[0], "'"));
      case Operation::kAppend:
        return Write(key, ValueOrEmpty(key) + request.values[0], 4);
      case Operation::kAdd:
        try {
          const uint64_t sum = static_cast<uint64_t>(Counter(key)) + request.number;
          Write(key, std::to_string(static_cast<int64_t>(sum)));
          return Tell(who, absl::StrCat("#", values_[key]));
        } catch (const std::logic_error&) {
          return Tell(who, "HANGUP");
        }
      case Operation::kBarrier:
        return Barrier(who, key, request.number);
      case Operation::kGet:
        if (legacy && values_.count(key) == 0) return Tell(who, "HANGUP");
        return Tell(who, absl::StrCat("'", ValueOrEmpty(key), "'"));
      case Operation::kMultiGet:
        return MultiGet(who, legacy, request);
      case Operation::kCheck: {
        const bool ready = std::all_of(request.keys.begin(), request.keys.end(),
                                       [this](const std::string& name) { return Exists(name); });
        return Tell(who, ready ? "00" : "01");
      }
      case Operation::kWait:
        return StartWait(who, request);
      case Operation::kCancelWait:
        Cancel(who);
        return Tell(who, "01");
      case Operation::kNumKeys:
        return Tell(who, absl::StrCat("#", key_count()));
      case Operation::kListKeys:
        return ListKeys(who);
      case Operation::kDeleteKey: {
        const bool existed = values_.count(key) > 0;
        if (existed) Event(2, key, values_[key], "");
        values_.erase(key);
        return Tell(who, existed ? "#1" : "#0");
      }
      case Operation::kPing:
        return Tell(who, absl::StrCat("~", request.number));
      case Operation::kQueuePush:
        queues_[key].push_back(request.values[0]);
        return Seen(key, 1);
      case Operation::kQueuePop: {
        std::deque<std::string>& queue = queues_[key];
        if (queue.empty()) return Tell(who, "0<");
        Tell(who, absl::StrCat(queue.size(), "<'", queue.front(), "'"));
        return queue.pop_front();
      }
      case Operation::kQueueLen:
        return Tell(who, absl::StrCat("#", queues_[key].size()));
      case Operation::kWatchKey:
        watches_.emplace_back(who, key);
        return Tell(who, "03");
      case Operation::kValidate:
      case Operation::kSession:
      case Operation::kNumbered:
        FAIL() << "never sent";
    }
  }

  void Barrier(ClientId who, const std::string& key, int64_t world_size) {
    if (!HasRoom(who)) return Tell(who, "HANGUP");
    int64_t count = 0;
    try {
      count = static_cast<int64_t>(static_cast<uint64_t>(Counter(key)) + 1);
    } catch (const std::logic_error&) {
      return Tell(who, "HANGUP");
    }
    Write(key, std::to_string(count));
    if (world_size > 0 && count < world_size) {
      waits_.push_back({.client = who, .unseen = {}, .barrier = key});
      return;
    }
    waits_.remove_if([&](const Wait& wait) {
      const bool released = wait.unseen.empty() && wait.barrier == key;
      if (released) Tell(wait.client, "00");
      return released;
    });
    Tell(who, "00");
  }

  void StartWait(ClientId who, const Request& request) {
    Wait wait{who, {}, ""};
    for (const std::string& name : request.keys) {
      if (!Exists(name)) wait.unseen.insert(name);
    }
    if (wait.unseen.empty()) return Tell(who, "00");
    if (!HasRoom(who)) return Tell(who, "HANGUP");
    wait.names = wait.unseen.size();
    waits_.push_back(std::move(wait));
  }

  void MultiGet(ClientId who, bool legacy, const Request& request) {
    std::vector<std::string> words;
    for (const std::string& key : request.keys) {
      if (legacy && values_.count(key) == 0) return Tell(who, "HANGUP");
      words.push_back(absl::StrCat("'", ValueOrEmpty(key), "'"));
    }
    Tell(who, absl::StrCat("[", absl::StrJoin(words, ","), "]"));
  }

  void ListKeys(ClientId who) {
    std::vector<std::string> words;
    for (const auto& [key, value] : values_) {
      if (!absl::StartsWith(key, "rollcall/")) words.push_back(absl::StrCat("'", key, "'"));
    }
    Tell(who, absl::StrCat("{", absl::StrJoin(words, ","), "}"));
  }

  std::map<std::string, std::string> values_;
  std::map<std::string, std::deque<std::string>> queues_;
  std::list<Wait> waits_;  // In the order of arrival.
  std::list<std::pair<ClientId, std::string>> watches_;
  std::map<ClientId, std::string> heard_;
};

// Draws with a seed, the same on every machine: no std distribution promises that.
class Dice {
 public:
  explicit Dice(uint32_t seed) : engine_(seed) {}
  size_t Below(size_t limit) { return engine_() % limit; }
  template <typename T>
  const T& OneOf(const std::vector<T>& choices) {
    return choices[Below(choices.size())];
  }
  std::vector<std::string> Some(const std::vector<std::string>& choices) {
    std::vector<std::string> some(Below(5));
    for (std::string& one : some) one = OneOf(choices);
    return some;
  }

 private:
  std::mt19937 engine_;
};

Request RandomRequest(Dice& dice) {
  static const std::vector<std::string> kKeys = {
      "a", "b", "c", "d", "", "init/", "rollcall/rank/1"};
  static const std::vector<std::string> kValues = {"",
                                                   "1",
                                                   "-3",
                                                   "7x",
                                                   "x",
                                                   " 42",
                                                   "a value beyond any small string",
                                                   "9223372036854775807",
                                                   "9223372036854775808"};
  static const std::vector<int64_t> kNumbers = {0, 1, 2, 3, 4, -1, INT64_MAX, INT64_MIN};
  Request request;
  do {
    request.operation = static_cast<Operation>(dice.Below(protocol::kOperationCount));
    // Half of what writes is taken back, so that keys are missing often enough.
    if (dice.Below(4) == 0) request.operation = Operation::kDeleteKey;
    if (dice.Below(6) == 0) request.operation = Operation::kWait;
    // Sessions are for who keeps the store in a journal.
  } while (request.operation == Operation::kValidate || request.operation == Operation::kSession ||
           request.operation == Operation::kNumbered);
  std::vector<std::string> keys = {dice.OneOf(kKeys)};
  std::vector<std::string> values = {dice.OneOf(kValues), dice.OneOf(kValues)};
  switch (request.operation) {
    case Operation::kCheck:
    case Operation::kWait:
    case Operation::kMultiGet:
      keys = dice.Some(kKeys);
      break;
    case Operation::kMultiSet:
      keys = dice.Some(kKeys);
      values.resize(keys.size());
      for (std::string& value : values) value = dice.OneOf(kValues);
      break;
    default:
      break;
  }
  request.keys.assign(keys.begin(), keys.end());
  request.values.assign(values.begin(), values.end());
  request.number = dice.OneOf(kNumbers);
  return request;
}

class AgainstTheModel : public testing::TestWithParam<uint32_t> {};

TEST_P(AgainstTheModel, EveryReplyIsTheSame) {
  constexpr int kSteps = 5'000;
  constexpr size_t kClients = 6;  // The odd ones are legacy.
  Dice dice(GetParam());
  EngineScenario scenario;
  Model model;
  const auto is_legacy = [](ClientId client) { return client % 2 == 1; };
  std::vector<ClientId> clients;
  ClientId next_client = 0;
  const auto newcomer = [&](bool legacy) {
    while (is_legacy(next_client) != legacy) ++next_client;
    scenario.Connect(next_client, legacy ? protocol::Dialect::kLegacy : protocol::Dialect::kModern);
    return next_client++;
  };
  for (size_t i = 0; i < kClients; ++i) clients.push_back(newcomer(is_legacy(i)));

  for (int step = 0; step < kSteps; ++step) {
    ClientId& who = clients[dice.Below(kClients)];
    if (dice.Below(100) == 0) {
      scenario.Disconnect(who);
      model.Disconnect(who);
      who = newcomer(is_legacy(who));
    }
    const Request request = RandomRequest(dice);
    const std::string words =
        absl::StrCat("step ", step, ": ", who, " asks ", static_cast<int>(request.operation), " [",
                     absl::StrJoin(request.keys, ","), "] [", absl::StrJoin(request.values, ","),
                     "] ", request.number);
    scenario.Ask(who, request);
    std::map<ClientId, std::string> expected = model.Ask(who, is_legacy(who), request);
    for (const ClientId client : clients) {
      ASSERT_EQ(scenario.Heard(client), expected[client]) << words << ", heard by " << client;
    }
    if (absl::EndsWith(expected[who], "HANGUP")) {
      model.Disconnect(who);
      who = newcomer(is_legacy(who));
    }
    ASSERT_EQ(scenario.engine().waiting_clients(), model.waiting_clients()) << words;
    ASSERT_EQ(scenario.engine().key_count(), model.key_count()) << words;
    ASSERT_EQ(scenario.engine().value_bytes(), model.value_bytes()) << words;
    ASSERT_EQ(scenario.engine().memory_bytes(), model.memory_bytes()) << words;
  }
  for (const ClientId client : clients) scenario.Disconnect(client);
  EXPECT_EQ(scenario.engine().waiting_clients(), 0u);
  EXPECT_EQ(scenario.engine().client_count(), 0u);
}

// Whatever comes, what is refused changes nothing and what is not refused does as without limits.
TEST_P(AgainstTheModel, NothingGrowsBeyondItsLimit) {
  constexpr StoreLimits kLimits = {.keys_max = 5, .memory_bytes_max = 2'000};
  Dice dice(GetParam());
  EngineScenario limited(kLimits);
  Model model;
  ClientId who = 0;
  limited.Connect(who);
  int refused = 0;
  for (int step = 0; step < 3'000; ++step) {
    const Request request = RandomRequest(dice);
    limited.Ask(who, request);
    const std::string heard = limited.Heard(who);
    if (heard == "HANGUP" && limited.last_hang_up_is_for_want_of_room()) {
      ++refused;
      model.Disconnect(who);
    } else {
      ASSERT_EQ(heard, model.Ask(who, /*legacy=*/false, request)[who]) << "step " << step;
      if (absl::EndsWith(heard, "HANGUP")) model.Disconnect(who);
    }
    if (absl::EndsWith(heard, "HANGUP")) limited.Connect(++who);
    ASSERT_EQ(limited.engine().memory_bytes(), model.memory_bytes()) << "step " << step;
    ASSERT_LE(limited.engine().memory_bytes(), kLimits.memory_bytes_max);
    ASSERT_LE(limited.engine().key_count() + limited.engine().queue_count(), kLimits.keys_max);
  }
  EXPECT_GT(refused, 10);
}

INSTANTIATE_TEST_SUITE_P(Seeds, AgainstTheModel, testing::Range(1u, 11u));

}  // namespace
}  // namespace rollcall::engine
