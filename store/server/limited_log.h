// Log lines about what peers do, so few that no peer can fill a disk with them.
#ifndef ROLLCALL_STORE_SERVER_LIMITED_LOG_H_
#define ROLLCALL_STORE_SERVER_LIMITED_LOG_H_

#include <cstdint>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rollcall {

// Lines of one kind: at most kLinesMax in each kInterval, the rest counted. The count is told with
// the first line of the next interval, or at the end. Not thread-safe.
class LimitedLog {
 public:
  static constexpr int kLinesMax = 10;
  static constexpr absl::Duration kInterval = absl::Seconds(10);

  using Sink = absl::AnyInvocable<void(absl::string_view line)>;

  // Lines go to glog as warnings.
  LimitedLog();
  explicit LimitedLog(Sink sink);
  // The two change places.
  LimitedLog& operator=(LimitedLog&& other) noexcept;
  // Tells what was left out and not yet told of.
  ~LimitedLog();

  // `line` is called only if the line will be written.
  void Write(absl::Time now, absl::FunctionRef<std::string()> line);

 private:
  Sink sink_;
  absl::Time interval_end_ = absl::InfinitePast();
  int written_ = 0;  // In this interval.
  uint64_t left_out_ = 0;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_LIMITED_LOG_H_
