// The engine behind all of a server's event loops, whichever it is.
#ifndef ROLLCALL_STORE_SERVER_SERVER_ENGINE_H_
#define ROLLCALL_STORE_SERVER_SERVER_ENGINE_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "net/env.h"
#include "store/engine/name_spaces.h"
#include "store/server/engine_port.h"
#include "store/server/journal_figures.h"

namespace rollcall {

// Made before the server listens, destroyed when its loops have ended.
class ServerEngine {
 public:
  virtual ~ServerEngine() = default;
  // For the loop of this number, one for each; it lives as long as the engine.
  virtual EnginePort* port(size_t loop) const = 0;
  // Whether it keeps name spaces apart; else a server that has some does not start with it.
  virtual bool has_name_spaces() const { return false; }
  // Whether it keeps within ServerOptions::store_limits; the same else.
  virtual bool has_limits() const { return false; }
  // Of one with a journal. From any thread.
  virtual std::optional<JournalFigures> journal() const { return std::nullopt; }
};

// Makes an engine for so many loops, 1 to kServerLoopsMax. `env` outlives the engine. May take its
// time: the server is not started before. What it fails with, the server's start fails with.
using ServerEngineFactory =
    std::function<absl::StatusOr<std::unique_ptr<ServerEngine>>(net::Env& env, size_t loops)>;

// In this process's memory, and gone with it. Never fails.
absl::StatusOr<std::unique_ptr<ServerEngine>> NewMemoryEngine(net::Env& env, size_t loops);
// The same within limits.
ServerEngineFactory LimitedMemoryEngine(const engine::NameSpaceLimits& limits);

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_SERVER_ENGINE_H_
