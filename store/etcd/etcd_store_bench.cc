// What one call costs on an etcd of one member and of three, and on a server of ours, all on the
// loopback of this machine, on its disk.
//
//   ./bazelw run -c opt //store/etcd:etcd_store_bench
#include <benchmark/benchmark.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "glog/logging.h"
#include "net/real_env.h"
#include "store/etcd/etcd_options.h"
#include "store/etcd/etcd_store.h"
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

class OnServer {
 public:
  std::unique_ptr<Store> Join() {
    TcpStoreOptions options;
    options.host = "127.0.0.1";
    options.port = server_->port();
    return std::make_unique<TcpStore>(net::RealEnv(), options);
  }

 private:
  const std::unique_ptr<StoreServer> server_ =
      ValueOf(StoreServer::Start(net::RealEnv(), {.host = "127.0.0.1"}));
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

#define ROLLCALL_BENCH(call)                          \
  BENCHMARK_TEMPLATE(call, OnServer)->UseRealTime();  \
  BENCHMARK_TEMPLATE(call, OnEtcd<1>)->UseRealTime(); \
  BENCHMARK_TEMPLATE(call, OnEtcd<3>)->UseRealTime()

ROLLCALL_BENCH(BM_Get);
ROLLCALL_BENCH(BM_SetAndCheck);
ROLLCALL_BENCH(BM_Add);
ROLLCALL_BENCH(BM_PushAndPop);

}  // namespace
}  // namespace rollcall

BENCHMARK_MAIN();
