// A journal in memory, for tests and simulations: what was committed is there after a death, and
// nothing else.
#ifndef ROLLCALL_STORE_JOURNAL_FAKE_JOURNAL_H_
#define ROLLCALL_STORE_JOURNAL_FAKE_JOURNAL_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "net/env.h"
#include "net/monitor.h"
#include "store/journal/journal.h"

namespace rollcall {

// Outlives the servers whose journals are on it. Thread-safe.
class FakeDisk {
 public:
  // What every commit adds to the journal's size, and what its log has.
  static constexpr size_t kCommitBytes = 1000;

  // `env` must outlive it.
  explicit FakeDisk(net::Env& env) : monitor_(env.NewMonitor()) {}

  // What a server opens its journal with. A commit takes `latency`; who dies in its first half has
  // not made it, who dies in the second has and never learns of it. `env` is the server's.
  std::function<absl::StatusOr<std::unique_ptr<Journal>>()> Opener(net::Env& env,
                                                                   absl::Duration latency);

  // The commit after so many more fails with `why`, and changes nothing.
  void FailCommitAfter(int commits, absl::Status why);
  // From now on each commit begins when Release allows one more.
  void Hold();
  void Release(int commits);
  // Returns when a commit waits for Release.
  void AwaitHeldCommit();

  int commits() const;
  size_t changes() const;  // Of all commits.

 private:
  class FakeJournal;
  using Name = std::tuple<std::string, std::string>;

  absl::Status BeginCommit();
  void Apply(absl::Span<const JournalChange> changes);

  const std::unique_ptr<net::Monitor> monitor_;
  // All that follows is guarded by it.
  std::map<Name, std::string> keys_;
  std::map<Name, std::deque<std::string>> queues_;
  std::map<Name, std::string> sessions_;
  int commits_ = 0;
  size_t changes_ = 0;
  int fail_after_ = -1;
  absl::Status failure_;
  bool is_held_ = false;
  int released_ = 0;
  int waiting_ = 0;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_JOURNAL_FAKE_JOURNAL_H_
