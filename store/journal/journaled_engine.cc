#include "store/journal/journaled_engine.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "glog/logging.h"
#include "net/env.h"
#include "net/monitor.h"
#include "store/journal/journaled_port.h"
#include "store/journal/journaled_state.h"
#include "store/server/engine_port.h"
#include "store/server/journal_figures.h"

namespace rollcall {
namespace {

// The ports, and the thread that writes what they lead to.
class JournaledEngine final : public ServerEngine {
 public:
  JournaledEngine(net::Env& env, size_t loops, std::unique_ptr<Journal> journal,
                  const JournaledEngineOptions& options)
      : env_(env),
        journal_(std::move(journal)),
        on_failure_(options.on_failure),
        is_limited_(options.limits.any()),
        state_(env, loops, options.limits) {}
  ~JournaledEngine() override { Stop(); }

  // Reads the journal and begins to write it.
  absl::Status Start();

  EnginePort* port(size_t loop) const override { return state_.ports[loop].get(); }
  bool has_name_spaces() const override { return true; }
  bool has_limits() const override { return is_limited_; }
  std::optional<JournalFigures> journal() const override {
    net::MonitorLock lock(state_.monitor);
    return state_.Figures(env_.Now());
  }

 private:
  void Stop();
  absl::Status Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.monitor);
  absl::Status Restore(JournalChange change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.monitor);
  void WriteJournal();
  // What came of one; who is to be woken.
  std::vector<JournaledPort*> EndCommit(const std::vector<JournalChange>& changes,
                                        const absl::Status& committed);
  // Waits for something to write. Nothing: the engine ends, and there is no more.
  std::vector<JournalChange> AwaitChanges();

  net::Env& env_;
  const std::unique_ptr<Journal> journal_;
  const std::function<void(const absl::Status&)> on_failure_;
  const bool is_limited_;
  JournaledState state_;
  bool stopping_ ABSL_GUARDED_BY(state_.monitor) = false;
  std::unique_ptr<net::Thread> writer_;
};

absl::Status JournaledEngine::Start() {
  {
    net::MonitorLock lock(state_.monitor);
    if (absl::Status read = Read(); !read.ok()) return read;
    state_.LogChanges();
    state_.PublishNumbers();
  }
  writer_ = env_.StartThread("journal", [this] { WriteJournal(); });
  if (writer_ != nullptr) return absl::OkStatus();
  return absl::ResourceExhaustedError("the system gives no thread to write the journal with");
}

absl::Status JournaledEngine::Read() {
  const absl::Time begun = env_.Now();
  absl::Status restored;
  const absl::Status loaded =
      journal_->Load([&](JournalChange change) ABSL_NO_THREAD_SAFETY_ANALYSIS {
        restored.Update(Restore(std::move(change)));
      });
  if (!loaded.ok()) return loaded;
  if (!restored.ok()) return restored;
  JournalFigures& figures = state_.figures;
  figures.recovery_time = env_.Now() - begun;
  figures.recovered_keys = state_.stores.key_count();
  const JournalSizes sizes = journal_->sizes();
  figures.database_bytes = sizes.database_bytes;
  figures.log_bytes = sizes.log_bytes;
  LOG(INFO) << "the journal in " << journal_->place() << " gave back " << figures.recovered_keys
            << " keys in " << state_.stores.count() << " name spaces and " << state_.sessions.size()
            << " sessions in " << absl::FormatDuration(figures.recovery_time);
  const std::string beyond = state_.stores.BeyondLimits();
  if (!beyond.empty()) {
    LOG(WARNING) << "the journal gave back more than the limits allow: " << beyond
                 << "; all of it is served, and what needs more room is refused until enough has "
                    "been deleted";
  }
  return absl::OkStatus();
}

absl::Status JournaledEngine::Restore(JournalChange change) {
  switch (change.kind) {
    case JournalChange::Kind::kSetKey:
      state_.stores.Restore(change.space, std::move(change.name), std::move(change.value));
      return absl::OkStatus();
    case JournalChange::Kind::kPush:
      state_.stores.RestoreElement(change.space, std::move(change.name), std::move(change.value));
      return absl::OkStatus();
    case JournalChange::Kind::kSetSession:
      return state_.sessions.Restore(change, env_.Now());
    default:
      return absl::InternalError("a journal begins with what is no beginning");
  }
}

std::vector<JournalChange> JournaledEngine::AwaitChanges() {
  net::MonitorLock lock(state_.monitor);
  while (!state_.has_changes()) {
    if (stopping_) return {};
    state_.writer_waits = true;
    state_.monitor->WaitUntil(absl::InfiniteFuture());
    state_.writer_waits = false;
  }
  return state_.BeginCommit(env_.Now());
}

std::vector<JournaledPort*> JournaledEngine::EndCommit(const std::vector<JournalChange>& changes,
                                                       const absl::Status& committed) {
  uint64_t bytes = 0;
  for (const JournalChange& change : changes) bytes += change.name.size() + change.value.size();
  const JournalSizes sizes = journal_->sizes();
  net::MonitorLock lock(state_.monitor);
  JournalFigures& figures = state_.figures;
  figures.database_bytes = sizes.database_bytes;
  figures.log_bytes = sizes.log_bytes;
  if (committed.ok()) {
    ++figures.commits;
    figures.changes += changes.size();
    figures.changed_bytes += bytes;
    figures.commit_times.Observe(env_.Now() - state_.commit_begun);
  }
  return state_.EndCommit(committed);
}

void JournaledEngine::WriteJournal() {
  while (true) {
    const std::vector<JournalChange> changes = AwaitChanges();
    if (changes.empty()) return;
    const absl::Status committed = journal_->Commit(changes);
    for (JournaledPort* const port : EndCommit(changes, committed)) port->Wake();
    if (committed.ok()) continue;
    LOG(ERROR) << "nothing is served any more: " << std::string(committed.message());
    if (on_failure_ != nullptr) on_failure_(committed);
    return;
  }
}

void JournaledEngine::Stop() {
  {
    net::MonitorLock lock(state_.monitor);
    stopping_ = true;
    state_.monitor->NotifyAll();
  }
  writer_.reset();
}

}  // namespace

ServerEngineFactory NewJournaledEngine(JournaledEngineOptions options) {
  return [options = std::move(options)](
             net::Env& env, size_t loops) -> absl::StatusOr<std::unique_ptr<ServerEngine>> {
    absl::StatusOr<std::unique_ptr<Journal>> journal = options.open_journal();
    if (!journal.ok()) return journal.status();
    auto engine = std::make_unique<JournaledEngine>(env, loops, *std::move(journal), options);
    if (absl::Status started = engine->Start(); !started.ok()) return started;
    return engine;
  };
}

}  // namespace rollcall
