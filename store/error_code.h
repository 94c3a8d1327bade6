// The one table of everything that can go wrong, as a user meets it. docs/errors.md is made from
// it.
#ifndef ROLLCALL_STORE_ERROR_CODE_H_
#define ROLLCALL_STORE_ERROR_CODE_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace rollcall {

// Stable: names and meanings stay, new ones may come.
enum class ErrorCode {
  // Raised as DistStoreError.
  kWaitTimeout,     // get, wait, multi_get, queue_pop: a key did not come in time.
  kJoinTimeout,     // Not all workers joined in time.
  kBarrierTimeout,  // Not all ranks reached the barrier in time.
  kGatherTimeout,   // Not all ranks left their value in time.
  kQueueEmpty,      // Raised as DistQueueEmptyError.
  kNotANumber,      // add, barrier: what is stored under the key is no number.
  kKeyTooLong,
  kValueTooLarge,
  kTooManyKeys,    // Or too many bytes in one request.
  kSizeMismatch,   // multi_set: as many values as keys are needed.
  kUnsupported,    // This store, server or dialect has no such operation.
  kProtocol,       // The server answered what no store answers.
  kFile,           // FileStore: the file cannot be opened, locked, read or written, or is damaged.
  kEtcdAuth,       // etcd refuses user, password or permission.
  kEtcdLeaseLost,  // The job's lease in etcd has ended, and with it all that hung on it.
  kEtcdNoSpace,    // etcd's quota is used up: it takes no writes.
  kEtcdRequestTooLarge,  // More than etcd takes in one request.
  kStoreFull,            // The server's limits leave no room for what was to be stored.
  // Raised as DistNetworkError.
  kConnectRefused,     // Until the deadline, nobody listened there.
  kConnectNoAnswer,    // Until the deadline, nothing came back (black hole, full backlog).
  kUnreachable,        // No route.
  kNameLookup,         // The host name has no address.
  kNotAStore,          // Somebody listens there, but does not speak the store's protocol.
  kAddressInUse,       // The server's port is taken.
  kCannotListen,       // Any other failure to listen.
  kListenDescriptor,   // The inherited descriptor is not a bound socket with the right port.
  kConnectionLost,     // The server closed or reset the connection, or its host vanished.
  kReplyTimeout,       // The server took the request and did not answer in time.
  kResourceExhausted,  // Descriptors, local ports, memory.
  kEtcdUnreachable,    // Until the deadline, no member of the cluster could be reached.
  kEtcdNoLeader,       // Until the deadline, the members that answered had no leader.
  kClosed,             // The store was closed on this side.
  kTlsFailed,          // Certificates, versions, or TLS on one side only.
  kTokenRejected,      // The server wants a token, and another one than this client's.
};

struct ErrorCodeInfo {
  ErrorCode code;
  absl::string_view name;         // "WAIT_TIMEOUT"
  absl::string_view error_class;  // "DistStoreError", "DistQueueEmptyError", "DistNetworkError"
  absl::string_view meaning;      // One sentence.
  absl::string_view cause;        // The usual cause.
  absl::string_view remedy;       // What to do; also the last sentence of what().
};

absl::Span<const ErrorCodeInfo> AllErrorCodes();
const ErrorCodeInfo& InfoOf(ErrorCode code);
inline absl::string_view ErrorCodeName(ErrorCode code) { return InfoOf(code).name; }

}  // namespace rollcall

#endif  // ROLLCALL_STORE_ERROR_CODE_H_
