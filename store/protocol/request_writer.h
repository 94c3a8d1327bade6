// The client's half, outgoing: requests in, bytes out.
#ifndef ROLLCALL_STORE_PROTOCOL_REQUEST_WRITER_H_
#define ROLLCALL_STORE_PROTOCOL_REQUEST_WRITER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "store/protocol/dialect.h"
#include "store/protocol/operation.h"

namespace rollcall::protocol {

// The greeting of a modern client: VALIDATE. Legacy clients have none.
void AppendValidate(std::string& out);

// Each appends one request in `dialect` to `out`. Unimplemented, with nothing appended, where the
// dialect has no such operation. The caller has checked the limits.
//
// get, delete_key, queue_pop, queue_len, watch_key, session
absl::Status AppendKeyRequest(Dialect dialect, Operation operation, absl::string_view key,
                              std::string& out);
// set, append, queue_push
absl::Status AppendKeyValueRequest(Dialect dialect, Operation operation, absl::string_view key,
                                   absl::string_view value, std::string& out);
// The same but for the value's bytes, `value_bytes` of which the caller sends next: a large value
// need not be copied.
absl::Status AppendKeyValueHead(Dialect dialect, Operation operation, absl::string_view key,
                                uint64_t value_bytes, std::string& out);
absl::Status AppendCompareSet(Dialect dialect, absl::string_view key, absl::string_view expected,
                              absl::string_view desired, std::string& out);
// add (delta), barrier (world_size)
absl::Status AppendKeyNumberRequest(Dialect dialect, Operation operation, absl::string_view key,
                                    int64_t number, std::string& out);
// check, wait, multi_get
absl::Status AppendKeysRequest(Dialect dialect, Operation operation,
                               absl::Span<const std::string> keys, std::string& out);
// `keys` and `values` have the same length.
absl::Status AppendMultiSet(Dialect dialect, absl::Span<const std::string> keys,
                            absl::Span<const std::string> values, std::string& out);
// num_keys, list_keys, cancel_wait
absl::Status AppendBareRequest(Dialect dialect, Operation operation, std::string& out);
absl::Status AppendPing(Dialect dialect, uint32_t nonce, std::string& out);
// numbered; `packed` is a RequestNumber.
absl::Status AppendNumber(Dialect dialect, int64_t packed, std::string& out);

}  // namespace rollcall::protocol

#endif  // ROLLCALL_STORE_PROTOCOL_REQUEST_WRITER_H_
