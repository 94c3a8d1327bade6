// Host names to addresses, under a deadline that the system's resolver does not know.
#ifndef ROLLCALL_NET_RESOLVER_H_
#define ROLLCALL_NET_RESOLVER_H_

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/address.h"
#include "net/env.h"
#include "net/syscalls.h"

namespace rollcall::net {

// getaddrinfo cannot be called off. A look-up that outlives its deadline is given up and left to
// end by itself; when as many as this hang at once, no more are begun until one of them ends.
constexpr size_t kHangingLookUpsMax = 8;

// Thread-safe.
class Resolver {
 public:
  // Both must outlive it.
  Resolver(Env* env, Syscalls* syscalls);
  // Waits for the look-ups that hang.
  ~Resolver();

  // As Env::Resolve; each address once. "localhost" and this host's own name are the loopback
  // addresses if the system knows them not. kResourceExhausted if too many look-ups hang.
  absl::StatusOr<std::vector<SocketAddress>> Resolve(const Endpoint& endpoint, absl::Time deadline);

 private:
  struct LookUp;

  absl::StatusOr<std::unique_ptr<LookUp>> Start(const Endpoint& endpoint);
  // False if too many hang.
  bool ReapHanging();
  bool IsOwnName(absl::string_view host);

  Env* const env_;
  Syscalls* const syscalls_;
  std::mutex mutex_;  // Never held across a call that blocks.
  std::vector<std::unique_ptr<LookUp>> hanging_;
};

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_RESOLVER_H_
