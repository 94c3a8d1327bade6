#include "fault_injection/scenario/steps.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "fault_injection/scenario/mix.h"
#include "store/dist_error.h"
#include "store/error_code.h"
#include "store/factory.h"
#include "store/file_store.h"
#include "store/prefix_store.h"
#include "store/tcp_store.h"

namespace rollcall::fault {
namespace {

constexpr int kClosedDescriptor = 4711;
constexpr size_t kLongTextBytes = 8192;

std::string BoolText(bool value) { return value ? "true" : "false"; }

}  // namespace

absl::Duration StepRunner::TimeoutOf(const Step& step) const {
  return DurationOf(step.timeout(), DurationOf(role_.group->timeout(), kWorkerTimeout));
}

std::string StepRunner::Filled(absl::string_view text) const {
  return absl::StrReplaceAll(text, {{"{rank}", absl::StrCat(role_.rank)},
                                    {"{world_size}", absl::StrCat(situation_.world_size)},
                                    {"{8k}", std::string(kLongTextBytes, 'x')}});
}

template <typename Texts>
std::vector<std::string> StepRunner::AllFilled(const Texts& texts) const {
  std::vector<std::string> filled;
  for (const std::string& text : texts) filled.push_back(Filled(text));
  return filled;
}

std::vector<std::string> StepRunner::KeysOf(const Keys& keys) const {
  std::vector<std::string> all;
  for (int time = 0; time < std::max(keys.times(), 1); ++time) {
    for (const std::string& key : keys.keys()) all.push_back(Filled(key));
  }
  return all;
}

Store& StepRunner::store() {
  if (store_ == nullptr) throw std::logic_error("a step needs a store, and none was joined before");
  return *store_;
}

Collectives& StepRunner::collectives() {
  if (!collectives_.has_value()) {
    collectives_.emplace(env_, store(), Place{role_.rank, situation_.world_size}, "scenario");
  }
  return *collectives_;
}

std::string StepRunner::Run(const Step& step) {
  closer_.reset();
  if (!step.close_after().empty()) {
    CloseLater(DurationOf(step.close_after(), absl::ZeroDuration()));
  }
  return RunOne(step);
}

void StepRunner::CloseLater(absl::Duration after) {
  if (tcp_store_ == nullptr) throw std::logic_error("close_after is for a TcpStore");
  closer_ = env_.StartThread("closer", [this, at = env_.Now() + after] {
    env_.SleepUntil(at);
    tcp_store_->Close();
  });
}

std::string StepRunner::RunOne(const Step& step) {
  const absl::Duration timeout = TimeoutOf(step);
  switch (step.operation_case()) {
    case Step::kJoin:
      return RunJoin(step.join(), timeout);
    case Step::kListen:
      return RunListen(step.listen());
    case Step::kSleep:
      env_.SleepUntil(env_.Now() + DurationOf(step.sleep(), absl::ZeroDuration()));
      return "";
    case Step::kClose:
      collectives_.reset();
      tcp_store_ = nullptr;
      store_.reset();
      return "";
    case Step::kFixture: {
      const auto found = fixtures_.find(step.fixture());
      if (found == fixtures_.end()) {
        throw std::logic_error(
            absl::StrCat("no fixture is registered as \"", step.fixture(), "\""));
      }
      return found->second({env_, store_.get(), {role_.rank, situation_.world_size}, timeout});
    }
    case Step::kMix:
      return RunMix(step.mix(), timeout);
    default:
      break;
  }
  store().SetTimeout(timeout);
  return RunOnStore(step);
}

// --- Joining and hosting ---

std::unique_ptr<Store> StepRunner::OpenStore(const Join& join, absl::Duration timeout) {
  if (join.file()) {
    return std::make_unique<FileStore>(env_, absl::StrCat(situation_.directory, "/store"),
                                       situation_.world_size, timeout);
  }
  const bool hosts = join.hosts() || (join.rank_0_hosts() && role_.rank == 0);
  const int world_size = join.world_size() > 0 ? join.world_size() : situation_.world_size;
  const int rank = join.no_rank() ? -1 : role_.rank;
  if (role_.group->dialect() == Dialect::MODERN) {
    C10dStoreOptions options;
    options.is_server = hosts;
    options.server_addr = situation_.server_name;
    options.server_port = join.any_port() ? 0 : situation_.server_port;
    options.world_size = world_size;
    options.timeout = timeout;
    options.wait_for_workers = join.waits_for_workers();
    options.use_libuv = false;
    options.rank = rank;
    return CreateC10dStore(env_, options);
  }
  TcpStoreOptions options;
  options.host = situation_.server_name;
  options.port = join.any_port() ? 0 : situation_.server_port;
  options.is_server = hosts;
  options.world_size = world_size;
  options.wait_for_workers = join.waits_for_workers();
  options.rank = rank;
  options.timeout = timeout;
  options.use_libuv = false;
  options.dialect = protocol::Dialect::kLegacy;
  return std::make_unique<TcpStore>(env_, options);
}

std::string StepRunner::RunJoin(const Join& join, absl::Duration timeout) {
  collectives_.reset();
  tcp_store_ = nullptr;
  store_.reset();
  std::shared_ptr<Store> opened = OpenStore(join, timeout);
  tcp_store_ = dynamic_cast<TcpStore*>(opened.get());
  if (!join.prefix().empty()) {
    opened = std::make_shared<PrefixStore>(Filled(join.prefix()), std::move(opened));
  }
  store_ = history_ == nullptr ? std::move(opened)
                               : std::make_shared<RecordingStore>(std::move(opened), history_);
  return "";
}

std::string StepRunner::RunListen(const Listen& listen) {
  ServerOptions options;
  options.host = listen.address();
  options.port = listen.port() > 0 ? static_cast<uint16_t>(listen.port()) : situation_.server_port;
  std::unique_ptr<net::ListeningSocket> handed_down;
  if (listen.rivals() > 0) return RaceToListen(options, 1 + listen.rivals());
  if (listen.takes_over() == Listen::CLOSED) {
    options.listen_fd = kClosedDescriptor;
  } else if (listen.takes_over() != Listen::NONE) {
    absl::StatusOr<std::unique_ptr<net::ListeningSocket>> bound = env_.Listen({"", 0});
    ThrowIfError(bound.status());
    handed_down = *std::move(bound);
    options.listen_fd = handed_down->fd();
    if (listen.takes_over() == Listen::BOUND) options.port = 0;
  }
  absl::StatusOr<std::unique_ptr<StoreServer>> started = StoreServer::Start(env_, options);
  ThrowIfError(started.status());
  if (handed_down != nullptr) handed_down->Release();
  server_ = *std::move(started);
  return "";
}

std::string StepRunner::RaceToListen(const ServerOptions& options, int count) {
  std::vector<absl::StatusOr<std::unique_ptr<StoreServer>>> servers(static_cast<size_t>(count));
  std::vector<std::unique_ptr<net::Thread>> threads;
  for (absl::StatusOr<std::unique_ptr<StoreServer>>& server : servers) {
    threads.push_back(env_.StartThread(
        "rival", [this, &server, &options] { server = StoreServer::Start(env_, options); }));
  }
  threads.clear();  // When all have come to an end.
  std::vector<std::string> fared;
  for (absl::StatusOr<std::unique_ptr<StoreServer>>& server : servers) {
    fared.push_back(server.ok() ? "OK" : std::string(ErrorCodeName(CodeOf(server.status()))));
    if (server.ok()) server_ = *std::move(server);
  }
  absl::c_sort(fared);
  return absl::StrJoin(fared, ",");
}

// --- Calls of the store ---

std::string StepRunner::RunOnStore(const Step& step) {
  switch (step.operation_case()) {
    case Step::kSet: {
      const KeyValue& set = step.set();
      store().Set(Filled(set.key()), set.value_bytes() > 0
                                         ? std::string(static_cast<size_t>(set.value_bytes()), 'x')
                                         : Filled(set.value()));
      return "";
    }
    case Step::kGet:
      return store().Get(Filled(step.get().key()));
    case Step::kAdd:
      return absl::StrCat(store().Add(Filled(step.add().key()), step.add().number()));
    case Step::kWait:
      store().Wait(KeysOf(step.wait()));
      return "";
    case Step::kCheck:
      return BoolText(store().Check(KeysOf(step.check())));
    case Step::kCompareSet:
      return store().CompareSet(Filled(step.compare_set().key()),
                                Filled(step.compare_set().expected()),
                                Filled(step.compare_set().desired()));
    case Step::kAppend:
      store().Append(Filled(step.append().key()), Filled(step.append().value()));
      return "";
    case Step::kDeleteKey:
      return BoolText(store().DeleteKey(Filled(step.delete_key().key())));
    case Step::kNumKeys:
      return absl::StrCat(store().NumKeys());
    case Step::kListKeys: {
      std::vector<std::string> keys = store().ListKeys();
      absl::c_sort(keys);
      return absl::StrJoin(keys, ",");
    }
    case Step::kMultiSet:
      store().MultiSet(AllFilled(step.multi_set().keys()), AllFilled(step.multi_set().values()));
      return "";
    case Step::kMultiGet:
      return absl::StrJoin(store().MultiGet(KeysOf(step.multi_get())), ",");
    case Step::kStoreBarrier: {
      const StoreBarrier& barrier = step.store_barrier();
      store().Barrier(Filled(barrier.key()),
                      barrier.world_size() > 0 ? barrier.world_size() : situation_.world_size);
      return "";
    }
    default:
      return RunOnQueue(step);
  }
}

std::string StepRunner::RunOnQueue(const Step& step) {
  switch (step.operation_case()) {
    case Step::kQueuePush:
      store().QueuePush(Filled(step.queue_push().key()), Filled(step.queue_push().value()));
      return "";
    case Step::kQueuePop:
      return store().QueuePop(Filled(step.queue_pop().key()), step.queue_pop().block());
    case Step::kQueueLen:
      return absl::StrCat(store().QueueLen(Filled(step.queue_len().key())));
    case Step::kPing:
      // Any exchange shows that the server answers; this one touches no key of the user's.
      store().NumKeys();
      return "";
    default:
      return RunCollective(step);
  }
}

std::string StepRunner::RunCollective(const Step& step) {
  const absl::Duration timeout = TimeoutOf(step);
  switch (step.operation_case()) {
    case Step::kBarrier:
      collectives().Barrier(Filled(step.barrier().name()), timeout);
      return "";
    case Step::kAllGather:
      return absl::StrJoin(collectives().AllGather(Filled(step.all_gather().name()),
                                                   Filled(step.all_gather().value()), timeout),
                           ",");
    case Step::kGather:
      return absl::StrJoin(collectives().Gather(Filled(step.gather().name()),
                                                Filled(step.gather().value()), /*root=*/0, timeout),
                           ",");
    case Step::kSynchronize:
      return absl::StrJoin(collectives().Synchronize(Filled(step.synchronize().name()),
                                                     Filled(step.synchronize().value()), timeout),
                           ",");
    default:
      throw std::logic_error(absl::StrCat("a step of an unknown kind: ", OperationOf(step)));
  }
}

std::string StepRunner::RunMix(const Mix& mix, absl::Duration timeout) {
  store().SetTimeout(timeout);
  return RunRandomCalls(env_, store(), mix, role_.rank);
}

}  // namespace rollcall::fault
