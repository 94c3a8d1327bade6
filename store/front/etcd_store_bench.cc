// What one call costs on a server of ours, on an etcd of one member and of three, and by way of a
// front of those, all on the loopback of this machine, on its disk.
//
//   ./bazelw run -c opt //store/front:etcd_store_bench
#include <benchmark/benchmark.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "glog/logging.h"
#include "net/env.h"
#include "net/real_env.h"
#include "store/etcd/etcd_options.h"
#include "store/etcd/etcd_store.h"
#include "store/front/front_engine.h"
#include "store/front/front_options.h"
#include "store/server/store_server.h"
#include "store/store.h"
#include "store/tcp_store.h"
#include "testing/etcd_cluster.h"

namespace rollcall {
namespace {

template <typename Value>
Value ValueOf(absl::StatusOr<Value> value) {
  CHECK(value.ok()) << value.status();
  return *std::move(value);
}

template <size_t kMembers>
class OnEtcd {
 public:
  std::unique_ptr<Store> Join() {
    return ValueOf(EtcdStore::Open(net::RealEnv(), {.endpoints = cluster_->endpoints()}));
  }

 private:
  const std::unique_ptr<EtcdCluster> cluster_ = ValueOf(EtcdCluster::Start({.members = kMembers}));
};

std::unique_ptr<Store> Connect(const StoreServer& server) {
  TcpStoreOptions options;
  options.host = "127.0.0.1";
  options.port = server.port();
  return std::make_unique<TcpStore>(net::RealEnv(), options);
}

class OnServer {
 public:
  std::unique_ptr<Store> Join() { return Connect(*server_); }

 private:
  const std::unique_ptr<StoreServer> server_ =
      ValueOf(StoreServer::Start(net::RealEnv(), {.host = "127.0.0.1"}));
};

template <size_t kMembers>
class OnFront {
 public:
  std::unique_ptr<Store> Join() { return Connect(*front_); }

 private:
  const std::unique_ptr<EtcdCluster> cluster_ = ValueOf(EtcdCluster::Start({.members = kMembers}));
  const std::unique_ptr<StoreServer> front_ =
      ValueOf(StoreServer::Start(net::RealEnv(), {.host = "127.0.0.1"},
                                 NewFrontEngine({.etcd = {.endpoints = cluster_->endpoints()}})));
};

template <typename World, typename Call>
void RunCalls(benchmark::State& state, Call call) {
  World world;
  const std::unique_ptr<Store> store = world.Join();
  store->Set("there", "v");
  int64_t i = 0;
  for (auto _ : state) call(*store, i++);
  state.SetItemsProcessed(state.iterations());
}

template <typename World>
void BM_Get(benchmark::State& state) {
  RunCalls<World>(state, [](Store& store, int64_t) { store.Get("there"); });
}
// On a server of ours a set is not answered, so a look at the key is what it is waited for with.
template <typename World>
void BM_SetAndCheck(benchmark::State& state) {
  RunCalls<World>(state, [](Store& store, int64_t i) {
    store.Set("k", absl::StrCat(i));
    store.Check({"k"});
  });
}
template <typename World>
void BM_Add(benchmark::State& state) {
  RunCalls<World>(state, [](Store& store, int64_t) { store.Add("n", 1); });
}
template <typename World>
void BM_PushAndPop(benchmark::State& state) {
  RunCalls<World>(state, [](Store& store, int64_t) {
    store.QueuePush("q", "v");
    store.QueuePop("q");
  });
}

// What the ranks of a job do when they begin, side by side: each counts itself in, leaves its
// address, waits for its neighbour's, and meets all.
template <typename World>
void BM_Rendezvous(benchmark::State& state) {
  const int ranks = static_cast<int>(state.range(0));
  World world;
  std::vector<std::unique_ptr<Store>> stores;
  for (int rank = 0; rank < ranks; ++rank) stores.push_back(world.Join());
  int64_t job = 0;
  for (auto _ : state) {
    ++job;
    std::vector<std::unique_ptr<net::Thread>> threads;
    for (int rank = 0; rank < ranks; ++rank) {
      threads.push_back(net::RealEnv().StartThread("rank", [&, rank] {
        Store& store = *stores[static_cast<size_t>(rank)];
        store.Add(absl::StrCat(job, "/joined"), 1);
        store.Set(absl::StrCat(job, "/address/", rank), "host");
        store.Get(absl::StrCat(job, "/address/", (rank + 1) % ranks));
        store.Barrier(absl::StrCat(job, "/all"), ranks);
      }));
    }
  }
  state.SetItemsProcessed(state.iterations() * ranks);
}

#define ROLLCALL_BENCH(call)                           \
  BENCHMARK_TEMPLATE(call, OnServer)->UseRealTime();   \
  BENCHMARK_TEMPLATE(call, OnEtcd<1>)->UseRealTime();  \
  BENCHMARK_TEMPLATE(call, OnFront<1>)->UseRealTime(); \
  BENCHMARK_TEMPLATE(call, OnEtcd<3>)->UseRealTime();  \
  BENCHMARK_TEMPLATE(call, OnFront<3>)->UseRealTime()

ROLLCALL_BENCH(BM_Get);
ROLLCALL_BENCH(BM_SetAndCheck);
ROLLCALL_BENCH(BM_Add);
ROLLCALL_BENCH(BM_PushAndPop);

#define ROLLCALL_BENCH_RANKS(world) \
  BENCHMARK_TEMPLATE(BM_Rendezvous, world)->Arg(64)->UseRealTime()->Unit(benchmark::kMillisecond)

ROLLCALL_BENCH_RANKS(OnServer);
ROLLCALL_BENCH_RANKS(OnEtcd<3>);
ROLLCALL_BENCH_RANKS(OnFront<3>);

}  // namespace
}  // namespace rollcall

BENCHMARK_MAIN();
