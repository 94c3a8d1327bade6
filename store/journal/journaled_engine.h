// A server's engine whose state outlives the server: requests are applied in memory, and answered
// when a journal has what they changed.
#ifndef ROLLCALL_STORE_JOURNAL_JOURNALED_ENGINE_H_
#define ROLLCALL_STORE_JOURNAL_JOURNALED_ENGINE_H_

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/engine/name_spaces.h"
#include "store/journal/journal.h"
#include "store/server/server_engine.h"

namespace rollcall {

struct JournaledEngineOptions {
  // Opens the journal; called once for each engine that is made. What it fails with, the server's
  // start fails with.
  std::function<absl::StatusOr<std::unique_ptr<Journal>>()> open_journal;
  // Called once, on a thread of the engine's, when a commit has failed. The server is of no use
  // from then on: whoever runs it should end it, and start it again when the cause is gone. It must
  // not destroy the server itself. May be empty.
  std::function<void(const absl::Status& why)> on_failure = {};
  // What may be stored. What the journal gives back is there all the same, with a line in the log.
  engine::NameSpaceLimits limits = {};
};

// No reply leaves before the commit that has all that was applied until it was made, be it a
// read's: nobody is shown what a crash could undo. While one commit is on its way, further requests
// are applied and gather for the next, so that its cost is shared by all of them.
//
// Clients may have sessions and number their requests (FORMAT.md), which are then applied once,
// however often they are sent, also after the server has died and come back.
//
// When a commit fails, nothing that it had is ever acknowledged: every client is hung up on, now
// and from then on, with the reason in the log.
ServerEngineFactory NewJournaledEngine(JournaledEngineOptions options);

}  // namespace rollcall

#endif  // ROLLCALL_STORE_JOURNAL_JOURNALED_ENGINE_H_
