// The exceptions that a Store, the factory and the collectives raise. Below this surface all errors
// are absl::Status; this is the border.
//
//   std::runtime_error
//     DistError
//       DistStoreError            the store answered, or would have, but not with what was asked
//         DistQueueEmptyError
//       DistNetworkError          the store could not be reached or was lost
//
// Bad arguments raise std::invalid_argument.
#ifndef ROLLCALL_STORE_DIST_ERROR_H_
#define ROLLCALL_STORE_DIST_ERROR_H_

#include <stdexcept>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "store/error_code.h"

namespace rollcall {

// What every DistError knows, as data. Fields that do not apply are empty or zero. Each has an
// initializer, so that g++ takes {.operation = "wait"} without a warning.
struct ErrorDetails {
  std::string operation = {};          // "wait", "barrier", "connect", ...
  std::vector<std::string> keys = {};  // As the user named them.
  std::string peer = {};               // "127.0.0.1:29500", or a file's path.
  int attempts = 0;
  absl::Duration elapsed = absl::ZeroDuration();
  std::vector<int> missing_ranks = {};  // Sorted.
  std::vector<std::string> missing_keys = {};
  int world_size = 0;
};

class DistError : public std::runtime_error {
 public:
  ErrorCode code() const { return code_; }
  const ErrorDetails& details() const { return details_; }
  // The sentence that says what happened, without code, peer, time and remedy, which what() adds.
  const std::string& summary() const { return summary_; }

 protected:
  DistError(ErrorCode code, std::string summary, ErrorDetails details);

 private:
  ErrorCode code_;
  std::string summary_;
  ErrorDetails details_;
};

class DistStoreError : public DistError {
 public:
  DistStoreError(ErrorCode code, std::string summary, ErrorDetails details);
};

class DistQueueEmptyError : public DistStoreError {
 public:
  DistQueueEmptyError(std::string summary, ErrorDetails details);
};

class DistNetworkError : public DistError {
 public:
  DistNetworkError(ErrorCode code, std::string summary, ErrorDetails details);
};

// --- The border
// ----------------------------------------------------------------------------------- A status that
// carries a code and details, for use below the surface.
absl::Status StoreStatus(ErrorCode code, std::string summary, ErrorDetails details);

// Code and details of a status made by StoreStatus. A status from net/ gets the code that follows
// from its NetErrorKind; any other is kProtocol. Must not be called with OK.
ErrorCode CodeOf(const absl::Status& status);
ErrorDetails DetailsOf(const absl::Status& status);

// The one place where a status becomes an exception: of the class that the code's row names, or
// std::invalid_argument for InvalidArgument without a code. Returns if OK.
void ThrowIfError(const absl::Status& status);

}  // namespace rollcall

#endif  // ROLLCALL_STORE_DIST_ERROR_H_
