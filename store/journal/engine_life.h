// The vocabulary of the journaled engine's tests: lives of a server with one loop and no sockets.
#ifndef ROLLCALL_STORE_JOURNAL_ENGINE_LIFE_H_
#define ROLLCALL_STORE_JOURNAL_ENGINE_LIFE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <latch>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "net/monitor.h"
#include "store/engine/client_id.h"
#include "store/engine/name_spaces.h"
#include "store/engine/store_engine.h"
#include "store/journal/fake_journal.h"
#include "store/protocol/operation.h"
#include "store/protocol/request.h"
#include "store/server/engine_port.h"
#include "store/server/journal_figures.h"
#include "store/server/late_replies.h"
#include "store/server/server_engine.h"
#include "store/server/snapshot_parts.h"

namespace rollcall {

// From its beginning on what `disk` has; at its end what is pending is written. Clients are of the
// first loop.
class EngineLife {
 public:
  explicit EngineLife(FakeDisk& disk, const engine::NameSpaceLimits& limits = {});
  ~EngineLife();

  void Connect(engine::ClientId client, const std::string& name_space = "");
  void Disconnect(engine::ClientId client);
  void Set(engine::ClientId client, const std::string& key, const std::string& value);
  void Delete(engine::ClientId client, const std::string& key);
  // Of what is in the journal already, so that it is answered at once.
  std::string Get(engine::ClientId client, const std::string& key);

  // Has it ask, in a batch of its own.
  void Say(engine::ClientId client, protocol::Request request);

  // What a client has been told, encoded, or why it was hung up on.
  struct Told {
    std::string bytes = {};
    std::optional<std::string> hung_up = {};
    bool is_full = false;  // It was hung up on for want of room.
  };
  // Has it ask all of them, and waits until it has been told all that there is.
  Told Ask(engine::ClientId client, std::vector<protocol::Request> requests);
  // The head of the request behind it.
  static protocol::Request Numbered(int64_t number, int64_t unanswered = 0);
  static protocol::Request MakeRequest(protocol::Operation operation,
                                       const std::vector<std::string>& keys = {},
                                       const std::vector<std::string>& values = {},
                                       int64_t number = 0);

  void AwaitFailure() { failed_.wait(); }
  // Whose connections are to be closed because a commit failed.
  std::set<engine::ClientId> TakeFailed();
  // As a server does whose loops have so much on its way.
  void CountAlso(const std::atomic<size_t>* bytes) { port_.CountAlso(bytes); }
  size_t keys() const { return port_.numbers().keys; }
  size_t memory_bytes() const { return port_.numbers().memory_bytes; }
  std::vector<EngineSnapshot> Snapshot() { return port_.Snapshot(); }
  JournalFigures Journal() const { return engine_->journal().value(); }

 private:
  void InBatch(absl::FunctionRef<void()> work);
  void Apply(engine::ClientId client, protocol::Request request);
  void Take(LateReplies& late);

  std::latch failed_{1};
  const std::unique_ptr<net::Monitor> monitor_;
  bool is_woken_ = false;  // The monitor's.
  const std::unique_ptr<ServerEngine> engine_;
  EnginePort& port_;
  std::map<engine::ClientId, Told> told_;
  std::set<engine::ClientId> has_failed_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_JOURNAL_ENGINE_LIFE_H_
