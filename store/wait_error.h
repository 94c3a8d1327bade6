// The checks and errors that all kinds of Store share, so that they read alike.
#ifndef ROLLCALL_STORE_WAIT_ERROR_H_
#define ROLLCALL_STORE_WAIT_ERROR_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "store/dist_error.h"

namespace rollcall {

// Raises std::invalid_argument if `timeout` is negative.
void CheckTimeout(absl::Duration timeout);

// SIZE_MISMATCH unless the two are equal.
absl::Status CheckSameSize(size_t keys, size_t values);

// WAIT_TIMEOUT in torch's words ("wait timeout after 100ms, keys: /a, /b": names as on the wire),
// then which of them were missing, where `details` knows, and `note`.
absl::Status WaitTimeoutError(ErrorDetails details, absl::Duration timeout,
                              absl::string_view note = "");

// BARRIER_TIMEOUT in torch's words ("barrier timeout after 100ms, key: k").
absl::Status BarrierTimeoutError(ErrorDetails details, absl::string_view key,
                                 absl::Duration timeout);

}  // namespace rollcall

#endif  // ROLLCALL_STORE_WAIT_ERROR_H_
