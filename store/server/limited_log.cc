#include "store/server/limited_log.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace rollcall {

LimitedLog::LimitedLog()
    : LimitedLog([](absl::string_view line) { LOG(WARNING) << std::string(line); }) {}

LimitedLog::LimitedLog(Sink sink) : sink_(std::move(sink)) {}

LimitedLog& LimitedLog::operator=(LimitedLog&& other) noexcept {
  std::swap(sink_, other.sink_);
  std::swap(interval_end_, other.interval_end_);
  std::swap(written_, other.written_);
  std::swap(left_out_, other.left_out_);
  return *this;
}

LimitedLog::~LimitedLog() {
  if (left_out_ > 0) sink_(absl::StrCat(left_out_, " more lines like the last were left out"));
}

void LimitedLog::Write(absl::Time now, absl::FunctionRef<std::string()> line) {
  if (now >= interval_end_) {
    interval_end_ = now + kInterval;
    written_ = 0;
  }
  if (written_ == kLinesMax) {
    ++left_out_;
    return;
  }
  ++written_;
  std::string text = line();
  if (left_out_ > 0) absl::StrAppend(&text, " (before it ", left_out_, " lines were left out)");
  left_out_ = 0;
  sink_(text);
}

}  // namespace rollcall
