// The vocabulary of the engine's tests: clients ask, and hear.
#ifndef ROLLCALL_STORE_ENGINE_ENGINE_SCENARIO_H_
#define ROLLCALL_STORE_ENGINE_ENGINE_SCENARIO_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "store/engine/client_id.h"
#include "store/engine/store_engine.h"
#include "store/protocol/dialect.h"
#include "store/protocol/operation.h"
#include "store/protocol/reply.h"
#include "store/protocol/request.h"

namespace rollcall::engine {

// A reply in words: "00" a signal, "#7" a number, "~7" a nonce, "'v'" bytes, "['a','b']" texts,
// "{'a','b'}" a list, "3<'x'" popped from a queue of three, "0<" from none, "event 1 'k' '' 'v'",
// "HANGUP".
std::string InWords(const protocol::Reply& reply);

protocol::Request MakeRequest(protocol::Operation operation, std::vector<std::string> keys = {},
                              std::vector<std::string> values = {}, int64_t number = 0);

// An engine and its clients, who come by when first named. A client that is hung up is
// disconnected, as a server does it.
class EngineScenario {
 public:
  using Keys = std::vector<std::string>;
  using Values = std::vector<std::string>;

  EngineScenario() = default;
  explicit EngineScenario(const StoreLimits& limits, MemoryBudget* budget = nullptr)
      : engine_("job", limits, budget) {}

  void ConnectLegacy(ClientId who) { Connect(who, protocol::Dialect::kLegacy); }
  void Connect(ClientId who, protocol::Dialect dialect = protocol::Dialect::kModern);
  void Disconnect(ClientId who);
  // The request is gone before the replies are read: none of them may look into it.
  void Ask(ClientId who, const protocol::Request& request);

  void Set(ClientId who, std::string key, std::string value);
  void CompareSet(ClientId who, std::string key, std::string expected, std::string desired);
  void Get(ClientId who, std::string key);
  void Add(ClientId who, std::string key, int64_t delta);
  void Append(ClientId who, std::string key, std::string value);
  void Delete(ClientId who, std::string key);
  void Check(ClientId who, Keys keys);
  void Wait(ClientId who, Keys keys);
  void CancelWait(ClientId who);
  void NumKeys(ClientId who);
  void ListKeys(ClientId who);
  void MultiGet(ClientId who, Keys keys);
  void MultiSet(ClientId who, Keys keys, Values values);
  void Push(ClientId who, std::string queue, std::string element);
  void Pop(ClientId who, std::string queue);
  void QueueLength(ClientId who, std::string queue);
  void Barrier(ClientId who, std::string key, int64_t world_size);
  void Watch(ClientId who, std::string key);

  // What `who` has heard since this was last asked, with spaces between.
  std::string Heard(ClientId who);
  // Who was last hung up, and why: "1: reason".
  const std::string& last_hang_up() const { return last_hang_up_; }
  bool last_hang_up_is_for_want_of_room() const { return is_full_; }
  const StoreEngine& engine() const { return engine_; }

 private:
  StoreEngine engine_;
  std::map<ClientId, protocol::Dialect> connected_;
  std::map<ClientId, std::string> heard_;
  std::string last_hang_up_;
  bool is_full_ = false;
};

class EngineTest : public testing::Test, protected EngineScenario {};

}  // namespace rollcall::engine

#endif  // ROLLCALL_STORE_ENGINE_ENGINE_SCENARIO_H_
