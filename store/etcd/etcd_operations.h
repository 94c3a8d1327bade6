// What each operation of a store is in etcd: those that are answered at once.
#ifndef ROLLCALL_STORE_ETCD_ETCD_OPERATIONS_H_
#define ROLLCALL_STORE_ETCD_ETCD_OPERATIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "store/etcd/etcd.pb.h"
#include "store/etcd/etcd_session.h"

namespace rollcall::etcd {

// As in store/store.h; keys and queues by their users' names. Errors: etcd_failure.h, and what each
// says. Thread-safe, like the session.
absl::Status Set(EtcdSession& session, const EtcdCall& call, absl::string_view key,
                 absl::string_view value);
absl::StatusOr<std::string> CompareSet(EtcdSession& session, const EtcdCall& call,
                                       absl::string_view key, absl::string_view expected,
                                       absl::string_view desired);

struct Sum {
  int64_t value = 0;
  int64_t revision = 0;  // At which it was written.
};
// NOT_A_NUMBER.
absl::StatusOr<Sum> Add(EtcdSession& session, const EtcdCall& call, absl::string_view key,
                        int64_t delta);
absl::Status Append(EtcdSession& session, const EtcdCall& call, absl::string_view key,
                    absl::string_view value);
absl::StatusOr<bool> DeleteKey(EtcdSession& session, const EtcdCall& call, absl::string_view key);
// As many values as keys.
absl::Status MultiSet(EtcdSession& session, const EtcdCall& call,
                      absl::Span<const std::string> keys, absl::Span<const std::string> values);

absl::Status QueuePush(EtcdSession& session, const EtcdCall& call, absl::string_view queue,
                       absl::string_view value);
// The first element of a queue, and when it was that.
struct QueueFront {
  std::optional<KeyValue> element;
  int64_t length = 0;
  int64_t revision = 0;
};
absl::StatusOr<QueueFront> FrontOf(EtcdSession& session, const EtcdCall& call,
                                   absl::string_view queue);
struct Popped {
  std::optional<std::string> value;
  int64_t length = 0;    // When it was last looked at; others may have pushed since.
  int64_t revision = 0;  // At which there was nothing, if there was not.
};
// Takes `front`, or what is the first when another was faster.
absl::StatusOr<Popped> QueuePop(EtcdSession& session, const EtcdCall& call, absl::string_view queue,
                                QueueFront front);

// How many names begin with `beginning`.
absl::StatusOr<int64_t> Count(EtcdSession& session, const EtcdCall& call,
                              const std::string& beginning);
absl::StatusOr<std::vector<std::string>> ListKeys(EtcdSession& session, const EtcdCall& call);

// What is there of some keys, each as of the revision at which it was looked at.
struct Seen {
  bool is_there = false;
  std::string value;  // Of a key, if it was asked for.
  int64_t revision = 0;
};
enum class Look {
  kKeysAndQueues,  // There if it is a key, or a queue with something in it.
  kValues,         // There if it is a key, with its value.
};
absl::StatusOr<std::vector<Seen>> LookAt(EtcdSession& session, const EtcdCall& call,
                                         absl::Span<const std::string> keys, Look look);

}  // namespace rollcall::etcd

#endif  // ROLLCALL_STORE_ETCD_ETCD_OPERATIONS_H_
