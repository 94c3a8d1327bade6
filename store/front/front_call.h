// What one request of a client is in etcd, and what is to be said to it.
#ifndef ROLLCALL_STORE_FRONT_FRONT_CALL_H_
#define ROLLCALL_STORE_FRONT_FRONT_CALL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "store/etcd/etcd_session.h"
#include "store/protocol/operation.h"
#include "store/protocol/reply.h"
#include "store/protocol/request.h"

namespace rollcall::front {

struct Outcome {
  // Not OK: etcd did not do it.
  absl::Status failed = absl::OkStatus();
  // Not empty: it cannot be answered, by what the client itself has asked for.
  std::string refused = {};
  // The reply, as it travels; empty if the operation has none.
  std::string reply = {};
};

// Whether it changes what is stored, so that it is done for a client that has left, too.
bool Changes(protocol::Operation operation);
// Whether it depends on what one key or queue holds, so that two at once would only be in each
// other's way.
bool TakesTurns(protocol::Operation operation);

// All but those that need nothing of etcd (ping, cancel_wait), those that wait (wait, barrier), add
// and watch_key. A set may have several keys, as a multi_set has. Takes texts out of `request`.
Outcome Execute(etcd::EtcdSession& session, const etcd::EtcdCall& call, bool is_legacy,
                protocol::Request& request);

// How many keys users see, all at one moment.
struct KeyCount {
  int64_t keys = 0;
  int64_t revision = 0;
};
absl::StatusOr<KeyCount> CountKeys(etcd::EtcdSession& session, const etcd::EtcdCall& call);

// The bytes of a reply.
std::string SignalReply(uint8_t signal);
std::string NumberReply(int64_t number);
std::string NonceReply(int64_t nonce);
std::string KeyEventReply(uint8_t event, absl::string_view key, absl::string_view old_value,
                          absl::string_view new_value);

}  // namespace rollcall::front

#endif  // ROLLCALL_STORE_FRONT_FRONT_CALL_H_
