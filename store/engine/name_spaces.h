// Several stores beside each other, of which each client sees one: jobs that share a server, and
// nothing else.
#ifndef ROLLCALL_STORE_ENGINE_NAME_SPACES_H_
#define ROLLCALL_STORE_ENGINE_NAME_SPACES_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "store/engine/change_log.h"
#include "store/engine/client_id.h"
#include "store/engine/store_engine.h"
#include "store/protocol/dialect.h"
#include "store/protocol/request.h"

namespace rollcall::engine {

// What name spaces may hold: each of them, and all together.
struct NameSpaceLimits {
  StoreLimits each;
  size_t memory_bytes_max = 0;  // 0: no limit.
  // What those of these names may hold instead of `each`; "": the default one.
  std::map<std::string, StoreLimits> own = {};

  const StoreLimits& Of(const std::string& name) const {
    const auto found = own.find(name);
    return found == own.end() ? each : found->second;
  }
  bool any() const {
    return memory_bytes_max != 0 || each.any() ||
           std::any_of(own.begin(), own.end(),
                       [](const auto& quota) { return quota.second.any(); });
  }
};

// The default one, whose name is empty, is always there, and the only one most servers ever have:
// then a request costs one comparison more than with a StoreEngine. Another one is there from its
// first client on until it has neither clients nor anything else in it.
//
// Not thread-safe: one thread, or the owner's lock.
class NameSpaces {
 public:
  NameSpaces() : NameSpaces(NameSpaceLimits()) {}
  explicit NameSpaces(const NameSpaceLimits& limits);
  NameSpaces(const NameSpaces&) = delete;
  NameSpaces& operator=(const NameSpaces&) = delete;

  // As StoreEngine's, in the client's name space. A client that is one too many there is hung up on
  // with its first request. A client that is connected is not to be connected again.
  void Connect(ClientId client, protocol::Dialect dialect, absl::string_view name_space);
  bool Disconnect(ClientId client, absl::Time now);
  bool Awaits(ClientId client) const;
  void Apply(ClientId from, protocol::Request& request, absl::Time now, Replies& replies) {
    // Nobody is anywhere else.
    if (members_.empty()) return default_.Apply(from, request, now, replies);
    ApplyAmongMany(from, request, now, replies);
  }

  // A barrier again, of a member that has been counted (StoreEngine).
  void RejoinBarrier(ClientId from, protocol::Request& request, absl::Time now, Replies& replies);
  // `*bytes`, which may be changed from any thread, count against the limit of all together: from
  // now on, until nullptr comes.
  void CountAlso(const std::atomic<size_t>* bytes) { budget_.also_used = bytes; }
  // Of a client that is connected; nullopt: it is one too many.
  std::optional<absl::string_view> NameSpaceOf(ClientId client) const;

  // --- For who keeps them somewhere ---
  // `log_of` is asked once for each name space, now or when it comes to be, where its changes are
  // to be told; what it gives must outlive this. Not before all is restored.
  void LogTo(std::function<ChangeLog*(absl::string_view name)> log_of);
  // What was kept comes back; before the first client.
  void Restore(absl::string_view name_space, std::string key, std::string value);
  void RestoreElement(absl::string_view name_space, std::string queue, std::string element);
  // By how much more, or less, is kept for the clients of a name space besides what is in it. It
  // counts as its memory, also while there is no such name space.
  void AddBytesBesides(absl::string_view name_space, int64_t bytes);
  // How far the memory of this one, or of all together, is beyond its limit, in words; empty: it is
  // not.
  std::string MemoryBeyondLimit(absl::string_view name_space) const;
  // All that is beyond limits, in one line that names the first; empty: nothing is.
  std::string BeyondLimits() const;
  // nullptr if there is none of this name.
  const StoreEngine* Find(absl::string_view name_space) const;

  // The default one first, then by name.
  void ForEach(
      absl::FunctionRef<void(absl::string_view name, const StoreEngine& engine)> visit) const;
  const StoreEngine& default_one() const { return default_; }

  // Of all together.
  size_t count() const { return 1 + others_.size(); }
  size_t key_count() const { return default_.key_count() + other_keys_; }
  size_t waiting_clients() const { return default_.waiting_clients() + other_waiting_clients_; }
  const MemoryBudget& budget() const { return budget_; }

 private:
  struct Other {
    Other(std::string its_name, const StoreLimits& limits, MemoryBudget* budget)
        : name(its_name),
          clients_max(limits.clients_max),
          engine(std::move(its_name), limits, budget) {}
    const std::string name;
    const size_t clients_max;
    StoreEngine engine;
  };
  struct Member {
    Other* other = nullptr;  // nullptr: it was one too many, ...
    size_t clients_max = 0;  // ... of so many.
  };

  // That of this name, made if there is none. Not for the default one.
  Other& OtherOf(absl::string_view name_space);
  // Around each change of another one's engine.
  void Discount(const Other& other);
  void Count(const Other& other);
  std::string AllBeyondLimit() const;
  void ApplyAmongMany(ClientId from, protocol::Request& request, absl::Time now, Replies& replies);

  const NameSpaceLimits limits_;
  const size_t default_clients_max_;
  MemoryBudget budget_;
  StoreEngine default_;
  absl::flat_hash_map<std::string, std::unique_ptr<Other>> others_;
  // Clients of the others, and those that were one too many.
  absl::flat_hash_map<ClientId, Member> members_;
  size_t other_keys_ = 0;
  size_t other_waiting_clients_ = 0;
  absl::flat_hash_map<std::string, size_t> bytes_besides_;    // No 0 is in it.
  std::function<ChangeLog*(absl::string_view name)> log_of_;  // Empty: nobody is told.
};

}  // namespace rollcall::engine

#endif  // ROLLCALL_STORE_ENGINE_NAME_SPACES_H_
