// What a journal costs: a commit by the number of its changes, a start by the number of keys, and a
// client's calls on a server with one and without. On the disk of the directory for temporary
// files.
//
//   TEST_TMPDIR=/var/tmp ./bazelw run -c opt //store/journal:journal_bench
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "net/real_env.h"
#include "store/journal/journal.h"
#include "store/journal/journaled_engine.h"
#include "store/journal/sqlite_journal.h"
#include "store/server/server_engine.h"
#include "store/server/store_server.h"
#include "store/tcp_store.h"
#include "testing/temp_directory.h"

namespace rollcall {
namespace {

template <typename Value>
Value ValueOf(absl::StatusOr<Value> value) {
  CHECK(value.ok()) << value.status();
  return *std::move(value);
}

std::unique_ptr<Journal> OpenIn(const TempDirectory& directory) {
  std::unique_ptr<Journal> journal =
      ValueOf(OpenSqliteJournal({.directory = directory.File("journal")}));
  CHECK(journal->Load([](JournalChange) {}).ok());
  return journal;
}

std::vector<JournalChange> Changes(int64_t first, int64_t count) {
  std::vector<JournalChange> changes;
  for (int64_t i = 0; i < count; ++i) {
    changes.push_back({.kind = JournalChange::Kind::kSetKey,
                       .space = "",
                       .name = absl::StrCat("/worker/", first + i, "/address"),
                       .value = std::string(40, 'v')});
  }
  return changes;
}

// A commit of so many small keys.
void BM_Commit(benchmark::State& state) {
  const TempDirectory directory;
  const std::unique_ptr<Journal> journal = OpenIn(directory);
  int64_t first = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const std::vector<JournalChange> changes = Changes(first, state.range(0));
    first = (first + state.range(0)) % 100'000;
    state.ResumeTiming();
    CHECK(journal->Commit(changes).ok());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Commit)->RangeMultiplier(8)->Range(1, 4096)->UseRealTime();

// One of a value of so many bytes.
void BM_CommitOfBytes(benchmark::State& state) {
  const TempDirectory directory;
  const std::unique_ptr<Journal> journal = OpenIn(directory);
  std::vector<JournalChange> changes = Changes(0, 1);
  changes[0].value.assign(static_cast<size_t>(state.range(0)), 'v');
  for (auto _ : state) CHECK(journal->Commit(changes).ok());
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_CommitOfBytes)->Arg(64 << 10)->Arg(1 << 20)->Arg(8 << 20)->UseRealTime();

// From the start of a server that was killed until all keys are there and compared.
void BM_Recovery(benchmark::State& state) {
  const TempDirectory directory;
  CHECK(OpenIn(directory)->Commit(Changes(0, state.range(0))).ok());
  for (auto _ : state) benchmark::DoNotOptimize(OpenIn(directory));
}
BENCHMARK(BM_Recovery)->Arg(1'000)->Arg(100'000)->Unit(benchmark::kMillisecond)->UseRealTime();

class Server {
 public:
  explicit Server(bool has_journal) {
    ServerEngineFactory engine = &NewMemoryEngine;
    if (has_journal) {
      engine = NewJournaledEngine({.open_journal = [this] {
        return OpenSqliteJournal({.directory = directory_.File("journal")});
      }});
    }
    server_ = ValueOf(StoreServer::Start(net::RealEnv(), {.host = "127.0.0.1"}, engine));
  }
  std::unique_ptr<TcpStore> Join() {
    TcpStoreOptions options;
    options.host = "127.0.0.1";
    options.port = server_->port();
    return std::make_unique<TcpStore>(net::RealEnv(), options);
  }

 private:
  TempDirectory directory_;
  std::unique_ptr<StoreServer> server_;
};

// So many clients, each of which adds one after the other: what they have of one server.
void BM_Adds(benchmark::State& state, bool has_journal) {
  static Server* server = nullptr;
  if (state.thread_index() == 0) server = new Server(has_journal);
  std::unique_ptr<TcpStore> store;
  for (auto _ : state) {
    if (store == nullptr) store = server->Join();
    store->Add(absl::StrCat("n", state.thread_index()), 1);
  }
  store.reset();
  state.SetItemsProcessed(state.iterations());
  if (state.thread_index() == 0) delete std::exchange(server, nullptr);
}
BENCHMARK_CAPTURE(BM_Adds, memory, false)->Threads(1)->Threads(16)->Threads(64)->UseRealTime();
BENCHMARK_CAPTURE(BM_Adds, journal, true)->Threads(1)->Threads(16)->Threads(64)->UseRealTime();

void BM_Gets(benchmark::State& state, bool has_journal) {
  Server server(has_journal);
  const std::unique_ptr<TcpStore> store = server.Join();
  store->Set("there", "v");
  for (auto _ : state) store->Get("there");
}
BENCHMARK_CAPTURE(BM_Gets, memory, false)->UseRealTime();
BENCHMARK_CAPTURE(BM_Gets, journal, true)->UseRealTime();

}  // namespace
}  // namespace rollcall

BENCHMARK_MAIN();
